"""What we send to a citizen.

Plain frozen data, no I/O and no knowledge of WhatsApp's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from .incoming import MediaKind


@dataclass(frozen=True, slots=True)
class Choice:
    """A tappable option. ``id`` is ``<what>:<value>`` and never changes meaning."""

    id: str
    title: str
    """Rows: at most 24 characters; buttons: at most 20."""
    description: str = ""
    """Rows only, at most 72 characters."""


@dataclass(frozen=True, slots=True)
class TextOut:
    """Plain text in WhatsApp's markup, at most 4096 characters; longer texts are split before this."""

    body: str
    preview_url: bool = False


@dataclass(frozen=True, slots=True)
class ListOut:
    """A list: body at most 4096 characters, 1 to 10 rows in all, ``button`` (opens the list) at most 20."""

    body: str
    button: str
    rows: tuple[Choice, ...]
    header: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class ButtonsOut:
    """One to three reply buttons under a body of at most 1024 characters."""

    body: str
    buttons: tuple[Choice, ...]
    header: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class LinkOut:
    """A text of at most 1024 characters with one button (at most 20) that opens ``url``."""

    body: str
    button: str
    url: str


@dataclass(frozen=True, slots=True)
class AskPlaceOut:
    """WhatsApp's own «send location» button under a body of at most 1024 characters."""

    body: str


@dataclass(frozen=True, slots=True)
class MediaOut:
    """A file already uploaded to Meta under ``media_id`` (30 days). ``caption`` at most 1024, not for audio."""

    kind: MediaKind
    media_id: str
    caption: str = ""
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateOut:
    """An approved message template, the only thing allowed outside the customer service window.

    ``parameters`` are the body's named parameters in order (name, value); ``buttons`` the payloads of its
    quick-reply buttons by index.
    """

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = ()
    buttons: tuple[str, ...] = ()


Outgoing = TextOut | ListOut | ButtonsOut | LinkOut | AskPlaceOut | MediaOut | TemplateOut
