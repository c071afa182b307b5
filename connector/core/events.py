"""What a conversation step takes in, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .address import Address
from .incoming import Inbound, MediaIn
from .outgoing import Outgoing
from .ticket import Place


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
    withdrawn: bool = False
    """The answer that is asked for was taken back by staff before it went out."""
    open_requests: tuple[str, ...] = ()
    """References of the person's requests that are not closed, oldest first."""
    requests_left: bool = True
    """Whether the person may send another request today."""
    topics: tuple[str, ...] = ()
    """What the person is subscribed to: ``<topic>`` or ``<topic>/<area>``."""
    blocked: bool = False
    """The person stopped marketing messages of ours in WhatsApp itself."""


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
class Shown:
    """The data-protection message goes out as this text: what may be accepted from now on. ``digest`` is its SHA-256."""

    version: str
    language: str
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Consented:
    """Consent was given, refused or withdrawn now: evidence to keep, and from now on the address may be, or not.

    Version, language and digest are those of the text last shown to the person ("" for a digest nobody noted).
    """

    action: Literal["given", "refused", "withdrawn"]
    version: str
    language: str
    digest: str

    @property
    def given(self) -> bool:
        return self.action == "given"


@dataclass(frozen=True, slots=True)
class Joined:
    """The person subscribed to a topic now, under the text with that version and digest."""

    topic: str
    version: str
    language: str
    digest: str


@dataclass(frozen=True, slots=True)
class Left:
    """The person is no longer subscribed to these topics; ``last``: to none at all."""

    topics: tuple[str, ...]
    version: str
    language: str
    last: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """WhatsApp says that the person is now reached elsewhere."""

    new: Address


@dataclass(frozen=True, slots=True)
class NoteStaff:
    """Tell staff something about a ticket (an internal note; not at all where those are not possible)."""

    reference: str
    text: str


Effect = Say | Fetch | Forget | Wake | Submit | Shown | Consented | Joined | Left | Moved | NoteStaff


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one step besides the new state: effects in order, and the message's one explained outcome."""

    effects: tuple[Effect, ...]
    outcome: str
