"""Is it open? Hours, seasons, single days and public holidays of an office, in the local time of its town.

Pure: the moment comes in. Hours are what the clock on the wall shows, so the length of a day at the change to or
from summer time makes no difference; what is said of «until» and «from» are moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays as public_holidays
from holidays.registry import EntityLoader

from . import hours
from .information import Holidays, Office
from .lean import parts_only
from .parts import say

parts_only("holidays.countries")

_AHEAD = 62
"""Days in which the next opening is looked for; a season of closing is rarely longer."""
_LANGUAGES = {"en": "en_US"}
"""Languages as the library of holidays names them, where that is not ours."""


@dataclass(frozen=True, slots=True)
class Day:
    """What an office does on one day: spans in minutes after midnight, and why they are not the usual ones."""

    spans: tuple[hours.Span, ...]
    why: str = ""
    """The holiday or what is special, in the language asked for; "" on any other day."""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether an office is open at a moment, and when that changes."""

    open: bool
    until: datetime | None
    """When it closes; None when it never does, or when nothing is known of that."""
    opens: datetime | None
    """When it opens next, None when it is open, or closed for as far as is known."""
    why: str = ""
    """Why it is closed all of this day, when that is a holiday or a special day."""
    all_day: bool = False
    """Whether it opens at no time of this day."""


def regions(country: str) -> tuple[str, ...] | None:
    """The regions with holidays of their own; None for a country of which no holidays are known."""
    if country not in EntityLoader.get_country_codes():
        return None
    return tuple(public_holidays.country_holidays(country).subdivisions)


@lru_cache(maxsize=64)
def _national(country: str, region: str, year: int, language: str) -> dict[date, str]:
    spoken = public_holidays.country_holidays(country, subdiv=region or None, years=year)
    wanted = _LANGUAGES.get(language, language)
    if wanted in (spoken.supported_languages or ()):
        spoken = public_holidays.country_holidays(country, subdiv=region or None, years=year, language=wanted)
    return dict(spoken)


def holiday(day: date, given: Holidays, language: str) -> str:
    """The public holiday on that day, "" for none. Local ones have their name from the mapping."""
    for own in given.local:
        if hours.falls(day, hours.year_day(own.date)):
            return say(own.name, language)
    if not given.country:
        return ""
    return _national(given.country, given.region, day.year, language).get(day, "")


def on(office: Office, day: date, given: Holidays, language: str) -> Day:
    """The plan of one day: single days go before holidays, those before seasons and the week."""
    for special in office.days:
        if hours.falls(day, hours.year_day(special.date)):
            return Day(hours.spans(special.hours) if special.hours else (), say(special.why, language))
    if not office.on_holidays and (why := holiday(day, given, language)):
        return Day((), why)
    return Day(office.week_of(day)[day.weekday()])


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    # wall-clock time of that day, also after midnight: not so many hours after it
    days, minutes = divmod(minutes, hours.DAY)
    at = datetime.combine(day + timedelta(days=days), datetime.min.time(), zone)
    return at.replace(hour=minutes // 60, minute=minutes % 60)


def _spans(
    office: Office, first: date, given: Holidays, language: str, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Opening times from the day before ``first`` on, those that touch joined."""
    pending: tuple[datetime, datetime] | None = None
    for n in range(-1, _AHEAD):
        day = first + timedelta(days=n)
        for start, end in on(office, day, given, language).spans:
            begins, ends = _moment(day, start, zone), _moment(day, end, zone)
            if pending and begins.timestamp() <= pending[1].timestamp():
                pending = (pending[0], max(pending[1], ends, key=datetime.timestamp))
                continue
            if pending:
                yield pending
            pending = (begins, ends)
    if pending:
        yield pending


def status(office: Office, now: datetime, given: Holidays, language: str) -> Status:
    """What holds at ``now`` (aware, in the town's zone)."""
    zone = now.tzinfo
    assert isinstance(zone, ZoneInfo)
    at = now.timestamp()
    horizon = _moment(now.date() + timedelta(days=_AHEAD), 0, zone).timestamp()
    today = on(office, now.date(), given, language)
    why = today.why if not today.spans else ""
    for begins, ends in _spans(office, now.date(), given, language, zone):
        if begins.timestamp() <= at < ends.timestamp():
            return Status(True, None if ends.timestamp() >= horizon else ends, None)
        if begins.timestamp() > at:
            return Status(False, None, begins, why, not today.spans)
    return Status(False, None, None, why, not today.spans)


def ahead(office: Office, today: date, given: Holidays, language: str, days: int) -> list[tuple[date, Day]]:
    """The days from today on, so many, that are not as usual."""
    found = []
    for n in range(days):
        day = today + timedelta(days=n)
        plan = on(office, day, given, language)
        if plan.spans != office.week_of(day)[day.weekday()]:
            found.append((day, plan))
    return found


def grouped(week: hours.Week) -> list[tuple[list[tuple[int, int]], tuple[hours.Span, ...]]]:
    """A week as runs of days (Monday is 0) with the same hours, closed days left out.

    Monday to Wednesday and Friday 9:00-14:00 is one entry with the runs (0, 2) and (4, 4).
    """
    found: list[tuple[list[tuple[int, int]], tuple[hours.Span, ...]]] = []
    for day, spans in enumerate(week):
        if not spans:
            continue
        same = next((runs for runs, known in found if known == spans), None)
        if same is None:
            found.append(([(day, day)], spans))
        elif same[-1][1] == day - 1:
            same[-1] = (same[-1][0], day)
        else:
            same.append((day, day))
    return found


def clock(minutes: int) -> str:
    """«9:00»; midnight at the end of a day is «24:00»."""
    minutes = minutes if minutes <= hours.DAY else minutes - hours.DAY
    return f"{minutes // 60}:{minutes % 60:02}"
