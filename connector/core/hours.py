"""Opening hours and days as people write them in a mapping: ``mon-fri 9:00-14:00``, ``12-24``, ``2026-12-24``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from datetime import date

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes."""

Span = tuple[int, int]
"""Minutes after midnight from and to; an end over 24 × 60 is in the morning after."""
Week = tuple[tuple[Span, ...], ...]
"""The spans of each day, Monday first."""
YearDay = tuple[int, int, int]
"""Year, month and day; year 0 is every year."""

_LINE = re.compile(r"([a-z,\- ]+?)\s+(\d.*)")
_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")
_DAY = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")
_HOW = "write it like «mon-fri 9:00-14:00, 16:00-19:00»"
_LEAP = 2024
"""A year in which every day exists."""


def week(lines: Iterable[str]) -> Week:
    """Lines of days and hours as one week. Raises ``ValueError`` («problem — mend»)."""
    found: list[list[Span]] = [[] for _ in DAYS]
    for line in lines:
        match = _LINE.fullmatch(line.strip().lower())
        if match is None:
            raise ValueError(f"«{line}» does not say days and hours — {_HOW}")
        for day in _days(match[1]):
            found[day] += spans([match[2]])
    return tuple(_sorted(day) for day in found)


def spans(parts: Iterable[str]) -> tuple[Span, ...]:
    """``9:00-14:00, 16:00-19:00`` in order of time. Raises ``ValueError`` («problem — mend»)."""
    found = []
    for part in (p.strip() for text in parts for p in text.split(",")):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError(f"«{part}» are no hours — {_HOW}")
        from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
        start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if max(from_minute, to_minute) > 59 or start >= DAY or end > DAY:
            raise ValueError(f"«{part}» are no hours — they go from 0:00 to 24:00")
        if end == start:
            raise ValueError(f"«{part}» ends when it begins — a whole day is 0:00-24:00")
        found.append((start, end if end > start else end + DAY))
    return _sorted(found)


def _sorted(found: Iterable[Span]) -> tuple[Span, ...]:
    ordered = sorted(found)
    for (_, end), (start, _) in itertools.pairwise(ordered):
        if start < end:
            raise ValueError("two opening times overlap — join them")
    return tuple(ordered)


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"«{part}» are no days — days are {', '.join(DAYS)}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return found


def year_day(value: str) -> YearDay:
    """``12-24`` (every year) or ``2026-12-24``. Raises ``ValueError`` («problem — mend»)."""
    match = _DAY.fullmatch(value.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day = int(match[1] or 0), int(match[2]), int(match[3])
        date(year or _LEAP, month, day)
    except ValueError:
        raise ValueError(f"«{value}» is no day — write 12-24 (every year) or 2026-12-24") from None
    return year, month, day


def falls(day: date, on: YearDay) -> bool:
    """Whether ``day`` is ``on``."""
    return (on[0] in (0, day.year)) and (day.month, day.day) == on[1:]


def within(day: date, since: YearDay, until: YearDay) -> bool:
    """Whether ``day`` is from ``since`` to ``until``, both included; without years also over the year's end."""
    if since[0] and until[0]:
        return since <= (day.year, day.month, day.day) <= until
    here, first, last = (day.month, day.day), since[1:], until[1:]
    return first <= here <= last if first <= last else here >= first or here <= last
