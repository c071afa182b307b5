"""How Redmine reads values from JSON or a form: leniently, as Ruby and Rails convert them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

_INTEGER = re.compile(r"\s*([+-]?\d+)")
_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z")
_HOURS = re.compile(r"\A(\d+)\s*h(?:\s*(\d+)\s*m?)?\Z|\A(\d+):(\d+)\Z|\A(\d+)\s*m(?:in)?\Z", re.IGNORECASE)


def blank(value: Any) -> bool:
    """Nothing, or only white space."""
    return (
        value is None or value is False or value in ([], {}) or (isinstance(value, str) and not value.strip())
    )


def integer(value: Any) -> int:
    """Ruby's ``to_i``: leading digits, else 0."""
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return int(value)
    found = _INTEGER.match(str(value))
    return int(found[1]) if found else 0


def reference(value: Any) -> int | None:
    """An id to assign: None where blank, 0 (nobody's id) where it is no number."""
    return None if blank(value) else integer(value)


def text(value: Any) -> str | None:
    """A string column: numbers become digits, true becomes ``t``."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def field_value(value: Any) -> str:
    """A custom field's value: always a string, null becomes empty."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def true(value: Any) -> bool:
    """A boolean column."""
    return not blank(value) and str(value).lower() not in ("0", "f", "false", "off")


def day(value: Any) -> date | None:
    """A date column; raises ValueError where it is written but is none."""
    if blank(value):
        return None
    if not _DATE.match(str(value)):
        raise ValueError(value)
    return date.fromisoformat(str(value))


def hours(value: Any) -> float | None:
    """Hours as a number, ``1.5``, ``1,5``, ``1h30``, ``1:30`` or ``90m``; raises ValueError otherwise."""
    if blank(value):
        return None
    written = str(value).strip().replace(",", ".")
    found = _HOURS.match(written)
    if found:
        whole, minutes = int(found[1] or found[3] or 0), int(found[2] or found[4] or found[5] or 0)
        return whole + minutes / 60
    return float(written)


def newlines(value: str | None) -> str | None:
    """Every kind of line end becomes CR LF, as Redmine stores descriptions."""
    return None if value is None else re.sub(r"\r\n|\n|\r", "\r\n", value)
