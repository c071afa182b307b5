"""The built-in texts, one TOML file a language: flat keys to a sentence, or to a table of plural forms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

DEFAULT = "ca"


@cache
def built_in(language: str) -> dict[str, Any]:
    """The texts of a language. Raises ``FileNotFoundError`` when there is none."""
    return tomllib.loads((files(__package__) / f"{language}.toml").read_text(encoding="utf-8"))


def available() -> tuple[str, ...]:
    """The languages there are texts for."""
    names = (f.name for f in files(__package__).iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def catalogues(
    languages: Sequence[str], overrides: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Texts of the town's languages, the first one being the default, with the mapping's own in place of ours."""
    found = {language: {**built_in(language), **overrides.get(language, {})} for language in languages}
    found.setdefault(DEFAULT, built_in(DEFAULT))
    return found
