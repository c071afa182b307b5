"""When news may be sent: within the town's hours, so many a day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from . import hours
from .town import Town


def next_time(town: Town, now: float) -> float:
    """The first moment from ``now`` on at which news may be sent: ``now`` itself when they may (Unix seconds)."""
    zone = ZoneInfo(town.channel.time_zone)
    here = datetime.fromtimestamp(now, zone)
    allowed = hours.spans([town.broadcasts.hours])
    # a span that began yesterday may end this morning
    for day in (here.date() + timedelta(days=n) for n in (-1, 0, 1)):
        for start, end in allowed:
            begins, ends = (_at(day, minutes, zone) for minutes in (start, end))
            if now < ends:
                return max(now, begins)
    raise ValueError("hours that never come")


def midnight(town: Town, now: float, days: int = 0) -> float:
    """When the town's day began, or the one so many days later."""
    zone = ZoneInfo(town.channel.time_zone)
    day = datetime.fromtimestamp(now, zone).date() + timedelta(days=days)
    return datetime.combine(day, time(), zone).timestamp()


def _at(day: date, minutes: int, zone: ZoneInfo) -> float:
    later, rest = divmod(minutes, hours.DAY)
    at = time(rest // 60, rest % 60)
    return datetime.combine(day + timedelta(days=later), at, zone).timestamp()
