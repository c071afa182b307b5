"""Offices in words: whether they are open, their week, the days that are not as usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from . import opening
from .hours import Span
from .information import Holidays, Office
from .parts import say
from .texts import Texts

_UNUSUAL = 14
"""Days in which holidays and other exceptions are announced under the hours."""


class OfficeTexts:
    """The offices of one town at ``now`` (in the town's zone)."""

    def __init__(self, texts: Texts, holidays: Holidays, now: datetime) -> None:
        self.texts = texts
        self.holidays = holidays
        self.now = now

    def office(self, office: Office, lang: str) -> str:
        """Name, status, hours and whatever else the mapping says of it."""
        today = self.now.date()
        lines = [f"*{say(office.name, lang)}*", self.status(office, lang)]
        for runs, spans in opening.grouped(office.week_of(today)):
            lines.append(f"{', '.join(self._run(a, b, lang) for a, b in runs)}: {_shown(spans)}")
        for day, plan in opening.ahead(office, today, self.holidays, lang, _UNUSUAL):
            shown = _shown(plan.spans) or self.texts(lang, "hours.no_hours")
            lines.append(f"{self.texts.day(lang, day)}: {shown}" + (f" ({plan.why})" if plan.why else ""))
        note = say(office.note, lang).strip()
        return "\n".join([*lines, *([note] if note else [])])

    def status(self, office: Office, lang: str) -> str:
        """«Obert ara, fins a les 14:00.»"""
        found = opening.status(office, self.now, self.holidays, lang)
        if found.open:
            if found.until is None or found.until - self.now > timedelta(days=1):
                return self.texts(lang, "hours.always")
            return self._at("hours.open", found.until, lang)
        if found.why:
            said = self.texts(lang, "hours.holiday", why=found.why)
        else:
            said = self.texts(lang, "hours.closed_today" if found.all_day else "hours.closed")
        if found.opens is None:
            return said
        days = (found.opens.date() - self.now.date()).days
        key = "hours.opens_today" if days == 0 else "hours.opens_tomorrow" if days == 1 else "hours.opens_day"
        return f"{said} {self._at(key, found.opens, lang)}"

    def _at(self, key: str, at: datetime, lang: str) -> str:
        shown = opening.clock(at.hour * 60 + at.minute)
        return self.texts(lang, key, time=shown, day=self.texts.day(lang, at.date()), n=at.hour)

    def _run(self, first: int, last: int, lang: str) -> str:
        return "–".join(self.texts.weekday(lang, day, short=True) for day in dict.fromkeys((first, last)))


def _shown(spans: Sequence[Span]) -> str:
    return ", ".join(f"{opening.clock(a)}–{opening.clock(b)}" for a, b in spans)
