"""GeoReport v2 by its public schemas, for whoever answers in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_ALL = json.loads((Path(__file__).parent / "georeport_v2.json").read_text())
_FORMATS = FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _w3c(value: object) -> bool:
    """The time zone must be said."""
    from datetime import datetime

    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri", raises=ValueError)
def _uri(value: object) -> bool:
    return not isinstance(value, str) or value.startswith(("https://", "http://"))


def check(what: str, found: Any) -> None:
    """Raises ``jsonschema.ValidationError`` when ``found`` is no ``what`` (a name in georeport_v2.json)."""
    schema = {"$ref": f"#/$defs/{what}", "$defs": _ALL["$defs"]}
    Draft202012Validator(schema, format_checker=_FORMATS).validate(found)
