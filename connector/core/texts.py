"""Texts by language, with plural forms and dates as the language wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, get_day_names

Catalogue = Mapping[str, "str | Mapping[str, str]"]


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


class Texts:
    """All texts of one town: ``texts(language, key, **values)`` gives the sentence."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        """``catalogues`` by language; the first one is the default and holds every key."""
        self._catalogues = catalogues
        self._default = next(iter(catalogues))

    def __call__(self, language: str, key: str, **values: object) -> str:
        """The text of ``key`` with ``{name}`` filled in; ``n`` chooses among plural forms. Unknown key: KeyError."""
        entry: Any = self._catalogues.get(language, {}).get(key)
        if entry is None:
            language, entry = self._default, self._catalogues[self._default][key]
        if isinstance(entry, Mapping):
            form = _locale(language).plural_form(int(str(values.get("n", 0))))
            entry = entry.get(form) or entry["other"]
        return str(entry).strip().format(**values) if values else str(entry).strip()

    def join(self, language: str, parts: list[str]) -> str:
        """«a, b and c» in the language."""
        if len(parts) < 2:
            return "".join(parts)
        return ", ".join(parts[:-1]) + f" {self(language, 'word.and')} " + parts[-1]

    def when(self, language: str, at: datetime, zone: str) -> str:
        """Day and hour in the town's zone («dl. 23 de nov., 14:05»)."""
        return str(format_datetime(at, "EEE d MMM, HH:mm", tzinfo=ZoneInfo(zone), locale=_locale(language)))

    def day(self, language: str, day: date, *, year: bool = False) -> str:
        """«dimarts, 3 de novembre»; with ``year`` «3 de novembre del 2026»."""
        if year:
            return str(format_date(day, "long", locale=_locale(language)))
        return f"{self.weekday(language, day.weekday())}, {self.short_day(language, day)}"

    def short_day(self, language: str, day: date) -> str:
        """«3 de novembre»."""
        return str(format_skeleton("MMMMd", day, locale=_locale(language)))

    def weekday(self, language: str, day: int, *, short: bool = False) -> str:
        """«dimarts», or «dt.»; Monday is 0."""
        names = get_day_names("abbreviated" if short else "wide", "format", locale=_locale(language))
        return str(names[day])
