"""What is sent to many: a title, a text, a link, in one language or several. Nothing of any person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Category = Literal["marketing", "utility"]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Texts are WhatsApp's markup, by language («*» for all)."""

    title: Mapping[str, str]
    """One line."""
    text: Mapping[str, str]
    url: str = ""
    category: Category = "marketing"

    def data(self) -> dict[str, Any]:
        """As JSON's own types."""
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Bulletin:
        """What ``data`` gave."""
        return cls(dict(data["title"]), dict(data["text"]), str(data["url"]), data["category"])
