"""What the jobs of one town have at hand, and the rules all of them share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.core.conversation import Conversation
from connector.core.model import Address, Outgoing
from connector.core.ports import Tracker
from connector.core.texts import Texts
from connector.core.town import Town
from connector.storage import work
from connector.storage.people import Person
from connector.storage.store import Connection, Store
from connector.storage.work import Row
from connector.whatsapp.client import WhatsAppClient
from connector.whatsapp.payloads import to_json

DAY = 86_400.0
WINDOW = DAY  # the customer service window: 24 hours after a person's last message (CLOUD-API.md 5)
MEDIA_LIFE = 7 * DAY  # Meta keeps what citizens send for 7 days (CLOUD-API.md 4)
MEDIA_MAX = 100 * 1024 * 1024  # bytes; Meta takes nothing larger from citizens (CLOUD-API.md 4)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for what, in seconds."""

    settle: float = 90
    """A tracker that did not answer a create may still commit it so long after."""
    silence: float = 120
    """A message whose sending got no answer is sent again only after so long without a status of it."""
    first: float = 2
    """Wait after the first failure; doubled each time."""
    longest: float = 600
    """The longest wait between two tries."""
    attempts: int = 12
    """Tries before a row that keeps failing for a reason of its own is given to a person."""

    def backoff(self, attempts: int) -> float:
        """Seconds until the next try, with jitter so that rows don't come back together."""
        wait = min(self.first * 2 ** max(0, attempts - 1), self.longest)
        return float(wait * random.uniform(0.8, 1.2))


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
    poll_every: float = 30
    pace: Pace = field(default_factory=Pace)
    noise: Callable[[int], bytes] = random.randbytes

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
    ) -> bool:
        """Send ``message`` to a person, in order after what was said before; once per ``key``."""
        payload: dict[str, object] = {
            "person": person_id,
            "user_id": to.user_id,
            "phone": to.phone,
            "message": to_json(message),
            "about": about,
        }
        return self.put(connection, lane=f"out:{person_id}", kind="send", payload=payload, now=now, key=key)

    def tell(
        self, connection: Connection, person: Person, message: Outgoing, *, key: str, about: str, now: float
    ) -> bool:
        """As ``say``, to the address that is remembered; False when none is (consent was withdrawn)."""
        if person.address is None:
            return False
        return self.say(connection, person.id, person.address, message, key=key, about=about, now=now)

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
