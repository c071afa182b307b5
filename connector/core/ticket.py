"""What a ticket is: a request on its way to the tracker, and the ticket as the tracker shows it.

Plain frozen data, no I/O and no knowledge of a tracker's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is: WGS 84 degrees, and what the citizen's phone called it."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Routing:
    """Where one kind of request goes in the tracker, in the tracker's own names or ids (from the mapping).

    ``fields`` maps a custom field (name or id, as a string) to its value. ``watchers`` are people's names or
    ids. Empty strings mean «the tracker's default».
    """

    project: str
    tracker: str = ""
    assignee: str = ""
    category: str = ""
    priority: str = ""
    status: str = ""
    watchers: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A request as the tracker gets it. Texts are the citizen's, raw: the adapter makes them inert."""

    reference: str
    """Ours, unique, made before anything is sent: the idempotency key (``SCV-7K3F-9Q``)."""
    routing: Routing
    subject: str
    """One line without line ends; the adapter cuts it to the tracker's limit, keeping the reference."""
    words: str
    """The citizen's text, exactly."""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and value, one line each, shown under the words (place, neighbourhood, name as the mapping allows)."""
    places: tuple[Place, ...] = ()
    """Shown with address, coordinates and map link; the first one fills the latitude and longitude fields."""


@dataclass(frozen=True, slots=True)
class Created:
    """The ticket that now exists."""

    ticket_id: str
    url: str
    existed: bool = False
    """True when it was found by its reference and nothing was posted."""
    dropped: tuple[str, ...] = ()
    """What was asked and silently not taken, in words for staff («assignee: regidor.centre»)."""
    duplicates: tuple[str, ...] = ()
    """Other tickets found under the same reference, the lowest id being ``ticket_id``."""
    pending: bool = False
    """True when it was taken and has no number yet: ``ticket_id`` is then what ``read`` is asked with, until the view
    it gives has the number. It raises ``Unavailable`` as long as there is none."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file on a ticket."""

    id: str
    filename: str
    media_type: str
    size: int
    url: str = ""


Markup = Literal["textile", "markdown", "html", "plain"]
"""What a text of the tracker is written in."""


class EntryKind(StrEnum):
    """What one journal entry of a ticket is to us."""

    PUBLIC_NOTE = "public_note"
    PRIVATE_NOTE = "private_note"
    STATUS = "status"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a ticket's journal, oldest first in ``TicketView.entries``.

    An entry can be a note and a status change at once: then ``kind`` is that of the note and ``status`` is set.
    """

    key: str
    """Stable: the same entry has the same key for ever. Letters, digits, «-» and «_»."""
    kind: EntryKind
    at: datetime
    author: str
    """The tracker's display name of who wrote it."""
    author_id: str
    by_connector: bool
    text: str = ""
    """The note in the markup it was written in."""
    markup: Markup = "plain"
    status: str = ""
    """Name of the status the ticket was put into by this entry, or ""."""
    files: tuple[FileRef, ...] = ()
    birth: str = ""
    """Where keys of deleted entries are given again: what tells one from a later one with its key, for ever the same.
    Letters and digits."""


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket as the tracker shows it now, with its whole journal."""

    ticket_id: str
    reference: str | None
    status: str
    closed: bool
    project: str
    updated_at: datetime
    entries: tuple[Entry, ...] = ()
    files: tuple[FileRef, ...] = ()
    merged_into: str = ""
    """The id of the ticket it lives on in, "" for itself. Its entries are then its own, and what was written on the
    other one since."""
    mark: str = ""
    """What a feed that compares wants back the next time (``Known.watched``); "" where the journal is a log."""
    private: bool = False
    """True when only some of the staff may see it."""
    birth: str = ""
    """Where numbers of deleted tickets are given again: what tells one from a later one with its number, as
    ``Entry.birth``."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What moved since a cursor. ``tickets`` holds at least everything that changed, perhaps more (overlap)."""

    tickets: tuple[TicketView, ...]
    cursor: str
    """Opaque; stored in the same transaction as what follows from ``tickets``."""
    more: bool = False
    """True when there is more to fetch at once."""
    strangers: tuple[tuple[str, str], ...] = ()
    """(reference, ticket id) of tickets that are not known and carry a reference like ours: copies, doubles."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way to a ticket."""

    filename: str
    media_type: str
    content: bytes
    note: str = ""
    """Words that go with it as an internal note where possible, "" for none."""
    digest: str = field(default="")
    """SHA-256 of ``content``, hex; makes attaching safe to repeat."""
