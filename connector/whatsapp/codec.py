"""Messages, statuses, notices and outgoing messages as JSON and back: what the work table holds (encrypted).

Exact both ways. Reading is typed by the dataclasses of ``core`` and forgiving about age: a field that an older
release did not write gets its default.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, overload

from connector.core.incoming import Inbound, Notice, Status
from connector.core.outgoing import Outgoing

_TAG = "is"
_T = TypeVar("_T", Inbound, Status, Notice)


def to_json(thing: Inbound | Status | Notice | Outgoing) -> dict[str, Any]:
    """``thing`` as an object of JSON's own types."""
    written = _write(thing)
    assert isinstance(written, dict)
    return written


@overload
def from_json(data: Mapping[str, Any]) -> Inbound: ...
@overload
def from_json(data: Mapping[str, Any], kind: type[_T]) -> _T: ...
def from_json(data: Mapping[str, Any], kind: type[Any] = Inbound) -> Any:
    """What ``to_json`` was given: an ``Inbound``, or the ``kind`` said. ``ValueError`` on other data."""
    return _read(kind, data)


def outgoing_from_json(data: Mapping[str, Any]) -> Outgoing:
    """The outgoing message that ``to_json`` was given. Raises ``ValueError`` on other data."""
    found: Outgoing = _read(Outgoing, data)
    return found


@cache
def _names(kind: Hashable) -> tuple[str, ...] | None:
    """The fields of a dataclass; None for what is no dataclass."""
    return tuple(f.name for f in fields(kind)) if isinstance(kind, type) and is_dataclass(kind) else None


def _write(value: Any) -> Any:
    kind: Any = type(value)
    if kind is str or value is None:
        return value
    names = _names(kind)
    if names is not None:
        return {_TAG: kind.__name__, **{name: _write(getattr(value, name)) for name in names}}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_write(v) for v in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        tag = value.get(_TAG) if isinstance(value, Mapping) else None
        fits = [a for a in args if a is not type(None) and (tag is None or getattr(a, "__name__", "") == tag)]
        if not fits:
            raise ValueError(f"stored data is of the unknown kind {tag!r}")
        return _read(fits[0], value)
    if origin is tuple:
        parts = list(value)
        each = [args[0]] * len(parts) if len(args) == 2 and args[1] is ... else list(args)
        return tuple(_read(a, v) for a, v in zip(each, parts, strict=True))
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping) or value.get(_TAG) != hint.__name__:
            raise ValueError(f"stored data is no {hint.__name__}")
        hints = _hints(hint)
        try:
            return hint(
                **{f.name: _read(hints[f.name], value[f.name]) for f in fields(hint) if f.name in value}
            )
        except TypeError:
            raise ValueError(f"stored {hint.__name__} lacks a field") from None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return value
