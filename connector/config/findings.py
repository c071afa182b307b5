"""Turns what pydantic says about a file into findings: problem and mend in words, with a «did you mean».

No value from the file is ever repeated here: in ``config.toml`` any may be a misplaced secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from connector.core.errors import Finding, Misconfigured

from .toml_file import KeyPath, TomlFile, dotted

_EXPECTED = {
    "string_type": "it must be a text, between quotation marks",
    "int_type": "it must be a whole number, without quotation marks",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number, without quotation marks",
    "float_parsing": "it must be a number",
    "bool_type": "it must be true or false, without quotation marks",
    "bool_parsing": "it must be true or false",
    "dict_type": "it must be a table: a [header] of its own, or { key = value }",
    "model_type": "it must be a table: a [header] of its own, or { key = value }",
    "tuple_type": 'it must be a list: ["…", "…"]',
    "list_type": 'it must be a list: ["…", "…"]',
}


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word nearest to ``word``, or "" when none is as like as ``cutoff`` (1 is the same)."""
    by_fold = {k.casefold().replace("-", "_"): k for k in known}
    near = difflib.get_close_matches(word.casefold().replace("-", "_"), by_fold, n=1, cutoff=cutoff)
    return by_fold[near[0]] if near else ""


def suggest(word: str, known: Iterable[str], otherwise: str = "known are") -> str:
    """A mend for an unknown word: «did you mean …?», or the list of the known ones."""
    names = sorted(known)
    near = did_you_mean(word, names)
    if near:
        return f"did you mean «{near}»?"
    return f"{otherwise}: {', '.join(names)}" if names else "take it out"


def explain(model: type[BaseModel], error: ErrorDetails) -> tuple[KeyPath, str, str]:
    """One pydantic error as ``(path, problem, mend)``."""
    path: KeyPath = tuple(p for p in error["loc"] if p != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return path, "unknown key", _unknown(model, path)
    described = _description(model, path)
    if kind == "missing":
        return path, "is missing", described or "add it"
    if kind == "tuple_type" and _inner(_annotation(model, path)):
        return path, "it must be a list of tables", f"write two brackets, once for each: [[{path[-1]}]]"
    if kind == "value_error":
        problem, _, mend = str(context.get("error", "")).partition(" — ")
        return path, problem or "this value is not possible", mend or described
    if kind == "literal_error":
        return path, f"it must be one of {context.get('expected', '')}".replace("'", '"'), described
    if kind == "string_pattern_mismatch":
        return path, "it does not have the form that is needed", described
    if kind in ("too_short", "string_too_short"):
        return path, "it is empty", described or "give at least one"
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        sign = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
        limit = next(f"{words} {context[name]:g}" for name, words in sign.items() if name in context)
        return path, f"it must be {limit}", described
    return path, _EXPECTED.get(kind, error["msg"][:1].lower() + error["msg"][1:]), described


def _unknown(model: type[BaseModel], path: KeyPath) -> str:
    """Did you mean a key of this table, or one of another table that this one slipped into?"""
    word, parent = str(path[-1]), model_at(model, path[:-1])
    names = list(parent.model_fields) if parent else []
    near = did_you_mean(word, names)
    elsewhere = [] if near else [p for p in _places(model, word) if p != path]
    if elsewhere:
        below = [p for p in elsewhere if p[: len(path) - 1] == path[:-1]]
        return f"it belongs to {dotted((below or elsewhere)[0][:-1]) or 'the top, above the first [table]'}"
    return suggest(word, names)


def _places(model: type[BaseModel], word: str, at: KeyPath = ()) -> list[KeyPath]:
    """Every path under ``model`` where a key of that name is known (list positions left out)."""
    found: list[KeyPath] = [(*at, word)] if word in model.model_fields else []
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        if inner:
            found += _places(inner, word, (*at, name))
    return found


def model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model of the table at ``path``, or None where there is no table with fixed keys."""
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _inner(field.annotation) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation: itself, or the elements of a tuple of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is tuple:
        return _inner(get_args(annotation)[0])
    return None


def _annotation(model: type[BaseModel], path: KeyPath) -> Any:
    parent = model_at(model, path[:-1])
    field = parent.model_fields.get(str(path[-1])) if parent else None
    return field.annotation if field else None


def _description(model: type[BaseModel], path: KeyPath) -> str:
    """The field's description, as one line; that of the table's field for a key inside a free table."""
    names = [p for p in path if isinstance(p, str)]
    while names:
        parent = model_at(model, tuple(names[:-1]))
        field = parent.model_fields.get(names[-1]) if parent else None
        if field:
            text = " ".join((field.description or "").replace("``", "").split())
            return text[:1].lower() + text[1:].rstrip(".") if text[1:2].islower() else text.rstrip(".")
        names.pop()
    return ""


def spoken(error: Exception) -> str:
    """The sentence of an error without its end, which says what becomes of a message that waits."""
    return re.split(r"; nothing was sent|\. It is tried again later|; it is tried again later", str(error))[0]


def collect(*steps: Callable[[], object]) -> list[Finding]:
    """The findings of all steps, each of which may raise ``Misconfigured``."""
    found: list[Finding] = []
    for step in steps:
        try:
            step()
        except Misconfigured as error:
            found += error.findings
    return found


def get(data: Mapping[str, Any], path: KeyPath) -> Any:
    """The value at ``path`` in nested tables and arrays, or None."""
    value: Any = data
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def without_echoes(findings: list[Finding]) -> list[Finding]:
    """A key that is written wrongly is not missing besides."""
    meant = {
        f"{f.key.rpartition('.')[0]}.{f.mend[len('did you mean «') : -2]}".lstrip(".")
        for f in findings
        if f.problem == "unknown key" and f.mend.startswith("did you mean «")
    }
    return [f for f in findings if f.problem != "is missing" or f.key not in meant]


class Report:
    """Gathers findings about one file."""

    def __init__(self, file: TomlFile) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def error(self, path: KeyPath, problem: str, mend: str = "") -> None:
        """The file cannot be used like this."""
        self.findings.append(self.file.finding("error", path, problem, mend))

    def warning(self, path: KeyPath, problem: str, mend: str = "") -> None:
        """It works, though hardly as meant."""
        self.findings.append(self.file.finding("warning", path, problem, mend))

    def line(self, path: KeyPath) -> str:
        """«line 12», for pointing at a second place."""
        line = self.file.line(path)
        return f"line {line}" if line else "above"
