"""What comes in from WhatsApp: what a citizen sends, what became of a message of ours, other news.

Plain frozen data, no I/O and no knowledge of WhatsApp's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .address import Address


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
