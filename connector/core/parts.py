"""What all tables of a mapping are made of: keys, names, texts by language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1 code, as in connector/texts/")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="lower case, digits, - and _")]
NameOrId = Annotated[
    str, BeforeValidator(lambda v: str(v) if isinstance(v, int) and not isinstance(v, bool) else v)
]


def localized(value: Any) -> Any:
    """One text for all languages is kept under «*»."""
    return {"*": value} if isinstance(value, str) else value


Localized = Annotated[dict[str, str], BeforeValidator(localized)]
"""A text: one string for all languages, or a table by language code (``{ ca = "…", es = "…" }``)."""


def say(text: Mapping[str, str], language: str, default: str = "") -> str:
    """The text in ``language``; else the one for all languages; else the first given; else ``default``."""
    return text.get(language) or text.get("*") or next(iter(text.values()), "") or default


class Part(BaseModel):
    """Base of all mapping tables: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
