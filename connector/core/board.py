"""What the town's sources say: the newest good copy of each feed, calendar, wiki or web page, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news, one notice, one date of an agenda. Texts are WhatsApp's markup already, and inert."""

    id: str
    """Stable: the same item has the same id for ever; at most 40 characters, those of a tappable id."""
    title: str
    """One line."""
    summary: str = ""
    """The beginning of the text, at most 300 characters."""
    text: str = ""
    """At most 3500 characters; "" when the summary is all there is."""
    url: str = ""
    at: float | None = None
    """When it was published, or begins (Unix seconds); None when the source does not say."""
    until: float | None = None
    """When an event ends."""
    whole_day: bool = False
    """An event of whole days: ``at`` and ``until`` are midnights of the town."""
    place: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """A source as it was when it last answered, the newest item first; a calendar by time."""

    items: tuple[Item, ...]
    at: float
    """When the source last said that this is how it is (Unix seconds)."""

    def item(self, key: str) -> Item | None:
        """The item with that id."""
        return next((i for i in self.items if i.id == key), None)


@dataclass(frozen=True, slots=True)
class Board:
    """The copies of all sources of a town, by page key. A source that never answered has none."""

    copies: Mapping[str, Copy] = field(default_factory=dict)
