"""The words the rooms use with each other: what comes in from a citizen, what goes out, what a ticket is.

Plain frozen data, no I/O and no knowledge of WhatsApp's or a tracker's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Address:
    """How a person is reached. ``user_id`` is Meta's business-scoped user id (BSUID); ``phone`` digits only.

    At least one is set; the number may be hidden for good (CLOUD-API.md 2.3).
    """

    user_id: str | None = None
    phone: str | None = None


# --- what comes in ---------------------------------------------------------------------------------


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class TextIn:
    body: str


@dataclass(frozen=True, slots=True)
class ReplyIn:
    """A tapped list row, reply button or template quick reply. ``id`` is what we once sent, ``title`` its label."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class MediaIn:
    """A file the citizen sent; its bytes are still at Meta under ``media_id`` (7 days).

    ``sha256`` is the lower-case hex digest, or "" when Meta gave none.
    """

    kind: MediaKind
    media_id: str
    mime: str
    sha256: str = ""
    filename: str | None = None
    caption: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True)
class PlaceIn:
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ReactionIn:
    """``emoji`` is "" when the reaction was taken back; ``to`` is the wamid of our message."""

    emoji: str
    to: str


@dataclass(frozen=True, slots=True)
class ContactsIn:
    """Contact cards; ``own_phone`` is set when the card is the answer to our «share your number» button."""

    names: tuple[str, ...] = ()
    own_phone: str | None = None


@dataclass(frozen=True, slots=True)
class EditIn:
    """The citizen edited an earlier message; ``content`` is the new one."""

    original: str
    content: TextIn | MediaIn | UnknownIn


@dataclass(frozen=True, slots=True)
class RevokeIn:
    """The citizen deleted an earlier message."""

    original: str


@dataclass(frozen=True, slots=True)
class AddressChangedIn:
    """WhatsApp says that the person's number or user id is now another one."""

    new: Address


@dataclass(frozen=True, slots=True)
class UnsupportedIn:
    """Something WhatsApp cannot pass on: ``what`` is Meta's sub type (poll_creation …), ``code`` its error."""

    what: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownIn:
    """A message of a kind this program does not know; ``what`` is Meta's type. Kept and counted, and answered."""

    what: str


Content = (
    TextIn
    | ReplyIn
    | MediaIn
    | PlaceIn
    | ReactionIn
    | ContactsIn
    | EditIn
    | RevokeIn
    | AddressChangedIn
    | UnsupportedIn
    | UnknownIn
)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a citizen, as parsed from a webhook."""

    id: str
    """Meta's message id (wamid): opaque, contains the phone number, personal data."""
    at: datetime
    """Meta's timestamp, UTC, whole seconds; the customer service window counts from it."""
    sender: Address
    channel: str
    """``phone_number_id`` of the business number it was sent to."""
    content: Content
    profile_name: str | None = None
    username: str | None = None
    quoted: str | None = None
    """wamid of the message it answers, when it quotes one."""
    group: bool = False


class DeliveryState(StrEnum):
    """States Meta reports of a message of ours, in order of rank; ``failed`` stands apart."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a message we sent."""

    id: str
    state: DeliveryState
    at: datetime
    channel: str
    recipient: Address
    key: str | None = None
    """Our ``biz_opaque_callback_data``."""
    error_code: int | None = None
    error_title: str | None = None
    category: str | None = None
    billable: bool | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Any other change in a notification: account, template, number, preference, or one nobody knows.

    ``field`` is Meta's webhook field; ``payload`` the raw ``value``. Kept and counted, acted on by field.
    """

    field: str
    channel: str | None
    payload: dict[str, object]


# --- what goes out ---------------------------------------------------------------------------------


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


# --- tickets ---------------------------------------------------------------------------------------


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
