"""What a conversation step takes in, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Address, Inbound, MediaIn, Outgoing, Place


@dataclass(frozen=True, slots=True)
class Message:
    """A citizen's message. ``key`` is the pseudonym of its id.

    ``about`` says what the quoted message of ours was about (a reference, or ``draft:<id>``), ``original``
    the same of the citizen's own earlier message that is now edited or deleted; "" where unknown.
    """

    inbound: Inbound
    key: str
    about: str = ""
    original: str = ""
    original_key: str = ""
    released: bool = False
    """Answers that waited for the customer service window go out now, because this message opened it."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """The alarm after a burst: nothing more came for a while."""

    draft: str
    revision: int


Event = Message | Quiet


@dataclass(frozen=True, slots=True)
class Say:
    """Send this to the person. ``about`` is remembered with the message's id."""

    message: Outgoing
    about: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get a file from Meta while it is there; it will be known under ``ref``."""

    ref: str
    media: MediaIn


@dataclass(frozen=True, slots=True)
class Forget:
    """Erase files that no request will use."""

    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wake:
    """Come back with ``Quiet`` after ``seconds``, unless set anew before."""

    seconds: float
    draft: str
    revision: int


@dataclass(frozen=True, slots=True)
class Submit:
    """The citizen sent the request: make a ticket of it."""

    draft: str
    option: str
    councillor: str
    words: str
    places: tuple[Place, ...]
    files: tuple[str, ...]
    language: str
    keys: tuple[str, ...]
    """Pseudonyms of the messages it was made of."""


@dataclass(frozen=True, slots=True)
class Consented:
    """Consent was given or refused now: evidence to keep, and from now on the address may be."""

    given: bool
    version: str
    language: str


@dataclass(frozen=True, slots=True)
class Moved:
    """WhatsApp says that the person is now reached elsewhere."""

    new: Address


@dataclass(frozen=True, slots=True)
class NoteStaff:
    """Tell staff something about a ticket (an internal note; not at all where those are not possible)."""

    reference: str
    text: str


Effect = Say | Fetch | Forget | Wake | Submit | Consented | Moved | NoteStaff


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one step besides the new state: effects in order, and the message's one explained outcome."""

    effects: tuple[Effect, ...]
    outcome: str
