"""Reads ``mappings/NAME.toml`` into a ``Town``; every mistake is a finding with file, line, key and mend.

Types and unknown keys are checked by the models of ``core/town.py``, what goes beyond one value by ``rules.py``,
what citizens see and type by ``screens.py``, pages with their sources, offices and alerts by ``pages.py``, what is
published by ``open_data.py``, topics by ``topics.py``, replaced texts by ``texts.py``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.config.findings import Report, explain, get, model_at, without_echoes
from connector.config.toml_file import KeyPath, TomlFile, parse
from connector.core.errors import Finding, Misconfigured
from connector.core.town import Town

from . import open_data, pages, rules, screens, topics
from .texts import check as check_texts

TEXTS = Path(__file__).parents[1] / "texts"
"""Where the built-in texts are, one TOML file a language."""


def load(path: Path, texts: Path = TEXTS) -> Town:
    """The mapping in ``path``. Raises ``Misconfigured`` with every error found."""
    town, findings = read(path, texts)
    errors = [f for f in findings if f.severity == "error"]
    if town is None or errors:
        raise Misconfigured(errors)
    return town


def read(path: Path, texts: Path = TEXTS) -> tuple[Town | None, list[Finding]]:
    """The mapping (None when it cannot be used) with everything there is to say, warnings too."""
    town, findings = look(path, texts)
    return (None if any(f.severity == "error" for f in findings) else town), findings


def look(path: Path, texts: Path = TEXTS) -> tuple[Town | None, list[Finding]]:
    """As ``read``, with the mapping also when there are mistakes in it, as long as it has its shape without them."""
    try:
        file = TomlFile.read(path)
    except Misconfigured as error:
        return None, list(error.findings)
    report = Report(file)
    town, errors = _typed(file.data)
    for details in errors:
        where, problem, mend = explain(Town, details)
        report.error(_without_star(file, where), problem, mend)
    if town is None and errors:
        # One wrong value should not hide what else is wrong: without it, the rest may still be looked at.
        town, _ = _typed(_pruned(file.data, errors))
    bent = {details["loc"][0] for details in errors}
    if town is not None:
        rules.check(town, report)
        screens.check(town, report)
        pages.check(town, report)
        open_data.check(town, report)
        topics.check(town, report)
        check_texts(town, report, texts)
    # what was taken out as wrong leaves defaults behind, and those are nobody's fault
    told = [
        f for f in without_echoes(report.findings) if f.severity == "error" or parse(f.key)[0] not in bent
    ]
    return town, sorted(told, key=lambda f: (f.line or 0, f.column or 0))


def _typed(data: dict[str, Any]) -> tuple[Town | None, list[ErrorDetails]]:
    try:
        return Town.model_validate(data), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _pruned(data: dict[str, Any], errors: Iterable[ErrorDetails]) -> dict[str, Any]:
    """A copy without unknown keys and without optional values that are wrong."""
    data = copy.deepcopy(data)
    for details in errors:
        path: KeyPath = details["loc"]
        model = model_at(Town, path[:-1]) if path else None
        optional = model and len(path) > 1 and path[-1] in model.model_fields
        if details["type"] == "extra_forbidden" or optional:
            around = get(data, path[:-1])
            if isinstance(around, dict) and isinstance(path[-1], str):
                around.pop(path[-1], None)
    return data


def _without_star(file: TomlFile, path: KeyPath) -> KeyPath:
    """A text for all languages is kept under «*»; in the file there is no such key."""
    return path[:-1] if path and path[-1] == "*" and path not in file.places else path
