"""A person who floods: how much of one person is taken, and that they are told so.

Counted where messages come in, before they become work: what is beyond the measure ends at once with its outcome in
the ledger, so others wait for none of it. The person is told once an hour. What WhatsApp itself says of a person (a
new number) always counts.
"""

from __future__ import annotations

from connector.core.incoming import AddressChangedIn, Inbound
from connector.core.menu import buttons
from connector.storage import buckets, ledger, people, work
from connector.storage.buckets import Rate
from connector.storage.store import Connection
from connector.toolkit.observe import get_logger

from .runtime import Runtime

log = get_logger(__name__)

TOO_MANY = "not taken: too many messages in a short time"
_FREE = 10
"""Messages of a person in a minute that are not counted: nearly everybody writes fewer, and counting takes time."""
_TOLD = Rate(per_second=1 / 3600, burst=1)


class Floods:
    """What came of whom lately, in this process; the measure itself is in the database, where all replicas see it."""

    def __init__(self) -> None:
        self._minute = 0
        self._lately: dict[str, int] = {}

    def check(
        self,
        connection: Connection,
        rt: Runtime,
        message: Inbound,
        lane: str,
        key: str,
        wamid: str,
        now: float,
    ) -> bool:
        """Whether a new message, whose row of work in ``lane`` has ``key``, is taken; otherwise that row ends here."""
        if isinstance(message.content, AddressChangedIn) or not self._often(lane, now):
            return True
        if not buckets.take(connection, {lane: rt.allowed.messages}, now):
            return True
        who = people.id_of(connection, rt.store.pseudonyms, rt.name, message.sender)
        work.settle(connection, key, TOO_MANY, now)
        ledger.note_in(
            connection, town=rt.name, key=wamid, person_id=who, outcome=TOO_MANY, about=None, now=now
        )
        if who is not None and not buckets.take(connection, {told(lane): _TOLD}, now):
            log.warning("one person sends too many messages", town=rt.name)
            lang = people.get(connection, rt.store.sealer, who).state.language or rt.town.languages[0]
            said = buttons(rt.texts(lang, "limit.messages"), [], rt.texts(lang, "menu.home")).message
            rt.say(connection, who, message.sender, said, key=f"flood:{key}", about="", now=now)
        return False

    def _often(self, lane: str, now: float) -> bool:
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._lately = minute, {}
        self._lately[lane] = self._lately.get(lane, 0) + 1
        return self._lately[lane] > _FREE


def told(lane: str) -> str:
    """Name of the bucket that says whether the person of a lane was told lately."""
    return f"told:{lane}"
