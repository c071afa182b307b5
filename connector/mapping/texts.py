"""Checks the built-in texts that a mapping replaces, and that every language it offers has texts."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.config.findings import Report, suggest
from connector.config.toml_file import KeyPath, TomlFile
from connector.core.errors import Misconfigured
from connector.core.town import Town

PLURALS = ("zero", "one", "two", "few", "many", "other")
"""Plural categories of Unicode CLDR; a plural text is a table of them, with ``other`` at least."""


def check(town: Town, report: Report, folder: Path) -> None:
    """Put every finding about ``[texts]`` and the languages into ``report``; texts are in ``folder``."""
    known = {file.stem for file in folder.glob("*.toml")}
    if not known:
        return
    for i, code in enumerate(town.languages):
        if code not in known:
            mend = f"there are: {', '.join(sorted(known))}; or add connector/texts/{code}.toml"
            report.error(("channel", "languages", i), f"there are no texts in «{code}»", mend)
    reference = _builtin(folder, "ca" if "ca" in known else min(known), report)
    for code, texts in town.texts.items():
        if code not in town.languages:
            mend = suggest(code, town.languages)
            report.warning(
                ("texts", code), f"the channel does not speak «{code}», so nobody reads this", mend
            )
        builtin = {**reference, **(_builtin(folder, code, report) if code in known else {})}
        for key, text in texts.items():
            path: KeyPath = ("texts", code, key)
            if (
                key not in builtin
                and isinstance(text, Mapping)
                and any(k.startswith(f"{key}.") for k in builtin)
            ):
                mend = f'write the whole key between quotation marks: "{key}.{next(iter(text), "…")}" = "…"'
                report.error(path, "a dot outside quotation marks begins a table", mend)
            elif key not in builtin:
                report.error(path, "no built-in text has this key", suggest(key, builtin))
            else:
                _replacement(report, path, text, builtin[key])


def placeholders(text: Any) -> set[str]:
    """Names in braces of a text or of all forms of a plural. Raises ``ValueError`` on a brace left open."""
    if isinstance(text, Mapping):
        return {name for form in text.values() for name in placeholders(form)}
    return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name is not None}


def _replacement(report: Report, path: KeyPath, text: Any, builtin: Any) -> None:
    """One replaced text against the built-in one."""
    if isinstance(builtin, Mapping):
        if not isinstance(text, Mapping):
            report.error(path, "this text depends on a number", 'write { one = "…", other = "…" }')
            return
        for form in text:
            if form not in PLURALS:
                report.error((*path, form), "no plural form has this name", suggest(form, PLURALS))
        if "other" not in text:
            report.error(path, "the form «other» is missing", 'add other = "…"')
    elif isinstance(text, Mapping):
        report.error(path, "this text has one form only", 'write it as one text: key = "…"')
        return
    forms = dict(text) if isinstance(text, Mapping) else {"": text}
    offered = placeholders(builtin)
    for form, words in forms.items():
        at = (*path, form) if form else path
        if not isinstance(words, str):
            report.error(at, "it must be a text, between quotation marks")
            continue
        if not words.strip():
            report.error(at, "it is empty", "give it a text, or take it out: then the built-in one is used")
        most = _room(path[-1])
        if most and len(words) > most:
            report.error(
                at,
                f"it has {len(words)} characters, at most {most} fit",
                f"shorten it by {len(words) - most}",
            )
        try:
            used = placeholders(words)
        except ValueError:
            report.error(
                at, "a brace is open or closed on its own", "write {name}; for a brace itself {{ or }}"
            )
            continue
        for name in sorted(used - offered):
            mend = suggest(name, offered, "it offers") if offered else "this text offers none: take it out"
            report.error(at, f"the built-in text does not offer {{{name}}}", mend)


def _room(key: str | int) -> int:
    """Characters that fit a button's or row's label, the number in front taken off; 0 means no limit."""
    labels = {"menu.button": 20, "menu.more": 24, "menu.back": 24}
    numbered = ("menu.home", "menu.language", "info.again", "consent.yes", "consent.no")
    if key in numbered or str(key).endswith("_button"):
        return 20 - len("1. ")
    return labels.get(str(key), 0)


def _builtin(folder: Path, code: str, report: Report) -> dict[str, Any]:
    try:
        return TomlFile.read(folder / f"{code}.toml").data
    except Misconfigured as error:
        report.findings += error.findings
        return {}
