"""iCalendar (RFC 5545) into what is on in the coming weeks: recurrences, time zones, days without hours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from connector.core.board import Item

from . import items

AHEAD_DAYS = 92
"""So far ahead occurrences are made; the calendar is read whole at least once a day."""
_EVENT = re.compile(r"^BEGIN:VEVENT\s*$.*?^END:VEVENT\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_ZONE = re.compile(r"^BEGIN:VTIMEZONE\s*$.*?^END:VTIMEZONE\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_DENSE = re.compile(r"^RRULE[^:\n]*:.*FREQ=(?:SECONDLY|MINUTELY)", re.MULTILINE | re.IGNORECASE)
"""No public event is that often; one would fill the agenda, and the time to read it."""
_REPEATS = re.compile(r"^(?:RRULE|RDATE|RECURRENCE-ID|DURATION)[;:]", re.MULTILINE | re.IGNORECASE)
_BROKEN = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, ArithmeticError)
"""What the libraries raise for what they cannot read."""
_UID = re.compile(r"^UID[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_DAY = re.compile(r"^DT(?:START|END)[^:\n]*:(\d{8})(?!\d)", re.MULTILINE | re.IGNORECASE)


def read(content: bytes, charset: str, zone: str, now: float) -> list[Item]:
    """The events from ``now`` on, by time; times without a zone are the town's. Raises ``Unread``.

    An event that cannot be understood is left out, private and cancelled ones too.
    """
    text = items.decoded(content, charset).replace("\r\n", "\n").replace("\r", "\n")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise items.Unread("this is no iCalendar feed: it has no BEGIN:VCALENDAR")
    local = ZoneInfo(zone)
    start = datetime.fromtimestamp(now, local)
    first, last = start - timedelta(days=1), start + timedelta(days=AHEAD_DAYS)
    text = _EVENT.sub(lambda m: m[0] if _wanted(m[0], first, last) else "", text)
    made: dict[str, Item] = {}
    for event in _occurrences(text, first, last):
        if item := _item(event, local):
            made.setdefault(item.id, item)
    return sorted(made.values(), key=lambda item: item.at or 0)[: items.ITEMS]


def _wanted(event: str, first: datetime, last: datetime) -> bool:
    """Whether an event can be on between two days: years of past ones need not be taken apart."""
    days = _DAY.findall(event)
    if not days or _DENSE.search(event):
        return False
    if _REPEATS.search(event):
        return True
    # a day more at each end, for time zones
    early, late = first - timedelta(days=1), last + timedelta(days=1)
    return bool(max(days) >= f"{early:%Y%m%d}" and min(days) <= f"{late:%Y%m%d}")


def _occurrences(text: str, first: datetime, last: datetime) -> list[Any]:
    """What is on between two moments; where the calendar is broken, of each of its events that is not."""
    try:
        return _read(text[text.upper().index("BEGIN:VCALENDAR") :], first, last)
    except _BROKEN:
        pass
    found = []
    for part in _parts(text):
        with contextlib.suppress(*_BROKEN):
            found += _read(part, first, last)
    return found


def _read(text: str, first: datetime, last: datetime) -> list[Any]:
    found = []
    for calendar in Calendar.from_ical(text, multiple=True):
        found += recurring_ical_events.of(calendar).between(first, last)
    return found


def _parts(text: str) -> Iterator[str]:
    """A calendar for each event, with the changed occurrences that have the name of their series."""
    zones = "\n".join(m[0].strip() for m in _ZONE.finditer(text))
    series: dict[str, list[str]] = {}
    for event in _EVENT.finditer(text):
        uid = _UID.search(event[0])
        series.setdefault(uid[1].strip() if uid else event[0], []).append(event[0].strip())
    for events in series.values():
        whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//x", zones, *events, "END:VCALENDAR"]
        yield "\n".join(line for line in "\n".join(whole).split("\n") if line.strip())


def _item(event: Any, local: ZoneInfo) -> Item | None:
    if _text(event, "STATUS").upper() == "CANCELLED" or _text(event, "CLASS").upper() in (
        "PRIVATE",
        "CONFIDENTIAL",
    ):
        return None
    begins = event.get("DTSTART")
    if begins is None:
        return None
    whole_day = not isinstance(begins.dt, datetime)
    at = _moment(begins.dt, local)
    end = event.get("DTEND")
    until = _moment(end.dt, local) if end is not None else None
    uid = _text(event, "UID") or f"{_text(event, 'SUMMARY')}|{at}"
    recurrence = event.get("RECURRENCE-ID")
    occurrence = f"|{_moment(recurrence.dt, local):.0f}" if recurrence is not None else ""
    description = _text(event, "DESCRIPTION")
    return items.make(
        uid + occurrence,
        _text(event, "SUMMARY"),
        description,
        markup="html" if items.looks_like_html(description) else "plain",
        url=_text(event, "URL"),
        at=at,
        until=until if until is None or until > at else None,
        whole_day=whole_day,
        place=_text(event, "LOCATION"),
        categories=tuple(_categories(event)),
    )


def _text(event: Any, name: str) -> str:
    value = event.get(name)
    if isinstance(value, list):  # given twice
        value = value[0]
    return "" if value is None else str(value).strip()


def _categories(event: Any) -> Iterator[str]:
    given = event.get("CATEGORIES")
    for one in given if isinstance(given, list) else [given] if given is not None else []:
        yield from (str(c) for c in getattr(one, "cats", [one]))


def _moment(value: date | datetime, local: ZoneInfo) -> float:
    """Unix seconds. A day is its midnight, and a time without a zone an hour, of the town."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, datetime.min.time(), local)
    return (value if value.tzinfo else value.replace(tzinfo=local)).timestamp()
