"""Where a conversation is: what is remembered of a person between two messages. JSON in a sealed column."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Item(BaseModel):
    """One piece of a request being written. ``key`` is the pseudonym of the message it came in."""

    model_config = ConfigDict(frozen=True)

    key: str
    kind: Literal["text", "place", "media"]
    text: str = ""
    """The words, or a file's caption."""
    latitude: float = 0
    longitude: float = 0
    name: str = ""
    address: str = ""
    media: str = ""
    """Reference of the stored file (table ``media``)."""
    media_kind: str = ""
    voice: bool = False
    at: float = 0


class Draft(BaseModel):
    """A request being written. ``revision`` grows with every change; a summary belongs to one revision."""

    model_config = ConfigDict(frozen=True)

    id: str
    option: str = ""
    """Key of the menu option it goes to; "" while the citizen has not said to whom."""
    councillor: str = ""
    items: tuple[Item, ...] = ()
    skipped: tuple[str, ...] = ()
    """Kinds of messages that could not be taken in since the last summary (``sticker``, ``contacts`` …)."""
    revision: int = 0
    touched: float = 0
    summarised: int = -1
    """The revision the last summary showed, -1 for none yet."""
    nudged: tuple[str, ...] = ()
    """What was already asked for once (``text``, ``place``)."""


class State(BaseModel):
    """The conversation of one person with one town."""

    model_config = ConfigDict(frozen=True)

    language: str = ""
    consent: Literal["", "asked", "yes", "no"] = ""
    consent_version: str = ""
    """The text that was last shown, accepted or refused: only what was shown can be accepted."""
    consent_at: float = 0
    consent_message: str = ""
    """Pseudonym of the message in which the person said so."""
    consent_digest: str = ""
    """SHA-256 of the text that was last shown, as it was shown."""
    since: float = 0
    """Since when the person has accepted, over all versions without a break (Unix seconds); 0 when they have not."""
    asked_at: float = 0
    wrote_before: bool = False
    """Something was written before consent; it was not kept, and the person is told so once."""
    shown: tuple[str, ...] = ()
    """Ids of the options last shown, in the order of their numbers (1 is the first)."""
    turns: tuple[str, str] = ("", "")
    """Ids of the pages before and after the one last shown, "" for none: «més», «anteriors» can be typed."""
    draft: Draft | None = None
    held: tuple[Item, ...] = Field(default=())
    """What arrived while the question «keep or drop the old draft?» is open."""
    warned_at: float = 0
    """When the person was last told to call 112."""
    offer: tuple[str, str, str] = ("", "", "")
    """The topic whose subscription was last explained, version and SHA-256 of that text: only that can be agreed to."""
