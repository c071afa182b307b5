"""Writes what was answered: settings, a mapping, secrets. Nothing that is there is written over without being told."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from connector.core.errors import Finding, Misconfigured
from connector.toolkit.privacy import new_key

from .answers import Answers

KEY = "privacy__key"


def written(answers: Answers, folder: Path, *, overwrite: bool) -> list[Path]:
    """Write everything into ``folder``; what was written, in order.

    Raises ``Misconfigured`` when a file is there already and ``overwrite`` is False. The key that encrypts what is
    stored is never written over.
    """
    mapping = f"mappings/{answers.slug}.toml"
    texts = {"config.toml": _config(answers, mapping), mapping: _mapping(answers)}
    there = [str(folder / name) for name in texts if (folder / name).exists()]
    if there and not overwrite:
        raise Misconfigured(
            [Finding("error", "is there already", "name another folder, or add --force", f) for f in there]
        )
    made = []
    (folder / "mappings").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text, 0o640)
        made.append(folder / name)
    kept = folder / "secrets"
    kept.mkdir(mode=0o700, exist_ok=True)
    for name, value in {KEY: new_key(), **answers.secrets}.items():
        file = kept / name
        if value and not (file.exists() and (name == KEY or not overwrite)):
            _write(file, value + "\n", 0o600)
            made.append(file)
    return made


def _write(file: Path, text: str, mode: int) -> None:
    """Write through a file beside it, which has its mode from the first byte on."""
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        out.write(text)
    beside.replace(file)


def _environment() -> Environment:
    # what is written is TOML, and each value is quoted by a filter
    made = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)  # noqa: S701
    made.filters["toml"] = toml
    made.filters["number"] = lambda value: value if str(value).isdecimal() else toml(value)
    made.filters["comment"] = lambda text: f"  # {text}" if text else ""
    return made


def _source(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _config(answers: Answers, mapping: str) -> str:
    text = _environment().from_string(_source("config.toml.j2"))
    return _spaced(text.render(a=answers, mapping=mapping))


def _mapping(answers: Answers) -> str:
    known: dict[str, dict[str, Any]] = tomllib.loads(_source("words.toml"))
    spoken = [code for code in answers.languages if code in known]

    def words(key: str) -> str:
        found = {code: known[code][key] for code in spoken}
        return toml(found if len(answers.languages) > 1 else next(iter(found.values())))

    def every(key: str) -> str:
        return toml(list(dict.fromkeys(word for code in spoken for word in known[code][key])))

    def one(code: str, key: str, **values: str) -> str:
        text = str(known.get(code, known[spoken[0]])[key]).strip()
        return toml(text.format(**values) if values else text)

    def called(purpose: str, otherwise: str = "") -> str:
        name = answers.field_names.get(purpose, "")
        return f"«{name}»" if name else otherwise

    text = _environment().from_string(_source("mapping.toml.j2"))
    return _spaced(text.render(a=answers, words=words, all=every, one=one, called=called))


def _spaced(text: str) -> str:
    """One empty line in front of a table, two in front of a section, none more: templates cannot be read so."""
    text = re.sub(r"\n+(?=# ---)", "\n\n\n", text)
    text = re.sub(r"\n+(?=\[)", "\n\n", text)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip() + "\n"


def toml(value: Any) -> str:
    """A value as TOML writes it: texts of several lines in three quotation marks, tables in braces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    text = str(value)
    if "\n" in text and all(line.isprintable() for line in text.split("\n")):
        return '"""\n' + text.replace("\\", "\\\\").replace('"""', '""\\"') + '"""'
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
