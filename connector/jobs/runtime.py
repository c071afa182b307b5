"""What the jobs of one town have at hand, and the rules all of them share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.core.address import Address
from connector.core.board import Board
from connector.core.conversation import Conversation
from connector.core.outgoing import Outgoing
from connector.core.ports import Tracker
from connector.core.texts import Texts
from connector.core.town import Town
from connector.feeds.fetching import Fetcher
from connector.storage import work
from connector.storage.buckets import Rate
from connector.storage.listening import Spans
from connector.storage.people import Person
from connector.storage.retention import Limits
from connector.storage.store import Connection, Store
from connector.storage.work import Row
from connector.toolkit.clamd import Clamd
from connector.toolkit.media import MB, Rules
from connector.whatsapp.client import WhatsAppClient
from connector.whatsapp.payloads import to_json

DAY = 86_400.0
WINDOW = DAY  # the customer service window: 24 hours after a person's last message (CLOUD-API.md 5)
FAR = 3650 * DAY  # rows that wait for an event and for no time
MEDIA_LIFE = 7 * DAY  # Meta keeps what citizens send for 7 days (CLOUD-API.md 4)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for what, in seconds."""

    settle: float = 90
    """A tracker that did not answer a create may still commit it so long after."""
    fresh: float = 10
    """An answer goes out as long as its note was read so short a time ago; after that it is read again first."""
    aside: float = 60
    """So long an answer keeps its place before other messages of its person while its note is read again."""
    silence: float = 120
    """A message whose sending got no answer is sent again only after so long without a status of it; time in which
    nobody listened does not count."""
    first: float = 2
    """Wait after the first failure; doubled each time."""
    longest: float = 600
    """The longest wait between two tries."""
    attempts: int = 12
    """Tries before a row that keeps failing for a reason of its own is given to a person."""
    pause: tuple[float, float] = (15.0, 900.0)
    """A destination that refuses us is left alone so long; doubled each time, up to the second."""
    away: tuple[float, float] = (15.0, 120.0)
    """The same of one that cannot be reached, and what waits for it tries again at the latest so: people wait for answers,
    and one call in two minutes harms nobody."""
    stumbles: int = 3
    """Failures in a row, with no success between, after which a destination counts as away."""
    spread: float = 1800
    """What Meta calls its own unknown fault is tried again a few times over so long."""

    any_hour: bool = False
    """News at any hour, any number a day (the demo)."""

    def backoff(self, attempts: int) -> float:
        """Seconds until the next try, with jitter so that rows don't come back together."""
        wait = min(self.first * 2 ** max(0, attempts - 1), self.longest)
        return float(wait * random.uniform(0.8, 1.2))


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much of one person is taken (``[limits]``)."""

    messages: Rate = field(default_factory=lambda: Rate(120 / 3600, 60))
    requests: int = 20
    """In any 24 hours."""
    bytes: int = 500 * MB
    """Of files, in any 24 hours."""


@dataclass(slots=True)
class Runtime:
    """One town at work."""

    name: str
    town: Town
    texts: Texts
    conversation: Conversation
    store: Store
    whatsapp: WhatsAppClient
    tracker: Tracker
    channel: str
    """``phone_number_id``"""
    bulk: WhatsAppClient
    """For broadcasts, with connections of its own: answers never wait for one of these."""
    poll_every: float = 30
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    """How long what is kept."""
    allowed: Allowed = field(default_factory=Allowed)
    rate: Rate = field(default_factory=lambda: Rate(80, 80))
    """What the business number may send, messages a second (CLOUD-API.md 5)."""
    crowd: float = 60
    """So many of them may be broadcasts."""
    abreast: int = 60
    """Calls of a broadcast that are under way at once, at most."""
    files: Rules = field(default_factory=Rules)
    """What is accepted of citizens' files."""
    clamd: Clamd | None = None
    """The virus scanner, where there is one."""
    noise: Callable[[int], bytes] = random.randbytes
    deaf: Spans = ()
    """When nobody listened to WhatsApp lately; the worker sets it when it starts."""
    fetcher: Fetcher = field(default_factory=Fetcher)
    seen: tuple[float, Board] | None = None
    """What this process last read of the town's sources, and when (``jobs/feeds.py``)."""

    def adopt(self, town: Town, texts: Texts, conversation: Conversation, tracker: Tracker) -> None:
        """Another mapping from now on. To be called in a write of the store, so that no step sees half of each."""
        self.town, self.texts, self.conversation, self.tracker = town, texts, conversation, tracker

    def new(
        self, *, lane: str, kind: str, payload: dict[str, object], now: float, key: str
    ) -> dict[str, object]:
        """A row of work for this town, for ``work.put_all``."""
        return work.new(
            self.store.sealer, town=self.name, lane=lane, kind=kind, payload=payload, now=now, key=key
        )

    def put(self, connection: Connection, *, lane: str, kind: str, payload: dict[str, object], now: float,
            due_at: float | None = None, key: str | None = None) -> bool:  # fmt: skip
        """Add a row of work for this town."""
        return work.put(
            connection, self.store.sealer, town=self.name, lane=lane, kind=kind, payload=payload, now=now,
            due_at=due_at, key=key,
        )  # fmt: skip

    def say(
        self,
        connection: Connection,
        person_id: int,
        to: Address,
        message: Outgoing,
        *,
        key: str,
        about: str,
        now: float,
        note: dict[str, object] | None = None,
    ) -> bool:
        """Send ``message`` to a person, in order after what was said before; once per ``key``. ``note`` as
        ``unsent.mark`` makes it, for a message of an answer."""
        payload: dict[str, object] = {
            "person": person_id,
            "user_id": to.user_id,
            "phone": to.phone,
            "message": to_json(message),
            "about": about,
            **({"note": note} if note else {}),
        }
        return self.put(connection, lane=f"out:{person_id}", kind="send", payload=payload, now=now, key=key)

    def tell(
        self, connection: Connection, person: Person, message: Outgoing, *, key: str, about: str, now: float,
        note: dict[str, object] | None = None,
    ) -> bool:  # fmt: skip
        """As ``say``, to the address that is remembered; False when none is (consent was withdrawn)."""
        if person.address is None:
            return False
        return self.say(
            connection, person.id, person.address, message, key=key, about=about, now=now, note=note
        )

    def note(self, connection: Connection, reference: str, text: str, *, key: str, now: float) -> None:
        """Tell staff something on a ticket, as an internal note, once per ``key``."""
        self.put(connection, lane=f"t:{reference}", kind="note", payload={"reference": reference, "text": text},
                 now=now, key=key)  # fmt: skip


Ending = Callable[[Connection, float], str]
"""What an errand writes when its row ends: takes a connection and the time, returns the outcome."""


@dataclass(frozen=True, slots=True)
class Later(Exception):
    """An errand cannot be done yet; nobody is at fault. ``due_at`` in Unix seconds."""

    due_at: float
    why: str


Step = Callable[[Connection, Runtime, Row, float], str]
