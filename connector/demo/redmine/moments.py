"""Times in filters: how they are written, and which instants they take in."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from .casting import integer

_MOMENT = re.compile(r"\A\d{4}-\d{2}-\d{2}(T\d{2}((:)?\d{2}){0,2}(Z|\d{2}:?\d{2})?)?\Z")


def moment(text: str) -> datetime | date | None:
    """A date, or a time of whole seconds (UTC where no zone is given), as filters take it."""
    if not _MOMENT.match(text):
        return None
    try:
        if "T" not in text:
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else datetime.fromisoformat(text + "+00:00")


def span(operator: str, values: list[str], now: datetime) -> tuple[datetime | None, datetime | None]:
    """(after, until) of a filter on times: after is exclusive, until inclusive.

    A time T begins at T minus one second and ends at T.000 (Redmine's ``date_clause``), a date is a whole day.
    """

    def start(at: datetime | date) -> datetime:
        if isinstance(at, datetime):
            return at - timedelta(seconds=1)
        return datetime.combine(at, datetime.min.time(), now.tzinfo) - timedelta(microseconds=1)

    def end(at: datetime | date) -> datetime:
        if isinstance(at, datetime):
            return at
        return datetime.combine(at, datetime.max.time(), now.tzinfo)

    today = now.date()
    moments = [moment(v) or today for v in values]
    if operator in ("=", ">=", "<=", "><"):
        first = None if operator == "<=" else start(moments[0])
        last = (
            None
            if operator == ">="
            else end(moments[1] if operator == "><" and len(moments) > 1 else moments[0])
        )
        return first, last
    begin, finish = _relative(operator, integer(values[0]), today)
    return start(begin) if begin else None, end(finish) if finish else None


def _relative(operator: str, days: int, today: date) -> tuple[date | None, date | None]:
    """First and last day of the operators that count from today; weeks begin on Monday."""
    day = timedelta(days=1)
    monday = today - day * today.weekday()
    month = today.replace(day=1)
    before = (month - day).replace(day=1)
    after = (month + 32 * day).replace(day=1)
    spans: dict[str, tuple[date | None, date | None]] = {
        "t": (today, today), "ld": (today - day, today - day), "nd": (today + day, today + day),
        "w": (monday, monday + 6 * day), "lw": (monday - 7 * day, monday - day),
        "l2w": (monday - 14 * day, monday - day), "nw": (monday + 7 * day, monday + 13 * day),
        "m": (month, after - day), "lm": (before, month - day), "nm": (after, (after + 32 * day).replace(day=1) - day),
        "y": (today.replace(month=1, day=1), today.replace(month=12, day=31)),
        ">t-": (today - days * day, None), "<t-": (None, today - days * day), "t-": (today - days * day,) * 2,
        "><t-": (today - days * day, today), ">t+": (today + days * day, None), "<t+": (None, today + days * day),
        "t+": (today + days * day,) * 2, "><t+": (today, today + days * day),
    }  # fmt: skip
    return spans[operator]
