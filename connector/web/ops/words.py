"""The texts of the operations page, and the language a browser asks for."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("ca", "es", "en")
"""The first one is shown to who asks for none of them."""
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


@cache
def _texts(language: str) -> dict[str, str]:
    return tomllib.loads((files(__package__) / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Words:
    """One language: ``words("title")``; ``{name}`` in a text is filled in."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        text = _texts(self.language)[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def named(self, group: str, name: str) -> str:
        """``group.name`` in words; what nobody gave words to is called by its name."""
        return _texts(self.language).get(f"{group}.{name}", name)

    def length(self, seconds: float) -> str:
        """A length of time in the largest unit that fits."""
        for unit, size in _UNITS:
            if seconds >= size:
                return f"{seconds / size:.0f} {unit}"
        return f"{max(0.0, seconds):.0f} s"

    def ago(self, seconds: float) -> str:
        return self("ago", length=self.length(seconds))


def asked_for(header: str) -> Words:
    """The best of ours for an ``Accept-Language`` header (RFC 9110, 12.5.4)."""
    wanted = []
    for n, part in enumerate(header.split(",")):
        name, _, more = part.strip().partition(";")
        try:
            weight = float(more.strip().removeprefix("q=")) if more.strip() else 1.0
        except ValueError:
            continue
        wanted.append((-weight, n, name.lower().partition("-")[0]))
    found = (name for weight, _, name in sorted(wanted) if weight < 0 and name in LANGUAGES)
    return Words(next(found, LANGUAGES[0]))
