"""Once a night every ticket still in conversation is read whole: what no list shows is found here.

Trackers say nothing when a note is edited, emptied or made public, and a ticket that was deleted or moved away only
disappears from lists. The sweep goes through the tickets in small steps, each a row of work, so that
it survives a crash, leaves room for other traffic and costs the tracker one short reading a ticket and night.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connector.core.errors import Forbidden, Gone
from connector.core.ticket import TicketView
from connector.storage import tickets
from connector.storage.store import Connection
from connector.storage.tickets import DELETED, Ticket
from connector.storage.work import Row
from connector.toolkit.observe import get_logger

from . import births, journal
from .runtime import DAY, Ending, Runtime
from .snapshots import CLOSED_DAYS

log = get_logger(__name__)

STEP = 20
"""Tickets a step."""
OUT_OF_SIGHT = "out of our account's sight"
_SPREAD = 3600


def night(rt: Runtime, now: float) -> str:
    """Which night it is: it begins at ``timing.sweep_at``, each town's at a moment of its own within the hour."""
    zone = ZoneInfo(rt.town.channel.time_zone)
    # towns of one service begin at different moments of the hour, each always at the same
    late = int(hashlib.sha256(rt.name.encode()).hexdigest(), 16) % _SPREAD
    hour, minute = map(int, rt.town.timing.sweep_at.split(":"))
    local = datetime.fromtimestamp(now, zone) - timedelta(hours=hour, minutes=minute, seconds=late)
    return local.date().isoformat()


def tick(connection: Connection, rt: Runtime, now: float) -> None:
    """Begin tonight's sweep once it is time, whatever number of replicas asks, also after a night switched off."""
    key = f"sweep:{rt.name}:{night(rt, now)}"
    rt.put(connection, lane=f"sweep:{rt.name}", kind="sweep", payload={"after": 0}, now=now, key=key)


async def sweep(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: the next few tickets. Raises ``Forbidden`` when our account is shut out as a whole."""
    after = int(row.payload["after"])
    batch = await rt.store.read(
        lambda connection: tickets.in_conversation(
            connection, rt.store.sealer, rt.name, after, now - CLOSED_DAYS * DAY, STEP
        )
    )
    seen = [(ticket, await _look(rt, ticket)) for ticket in batch]

    def end(connection: Connection, at: float) -> str:
        found = sum(settle(connection, rt, ticket, what, at) for ticket, what in seen)
        if len(batch) == STEP:
            payload: dict[str, object] = {"after": batch[-1].id}
            rt.put(connection, lane=row.lane, kind="sweep", payload=payload, now=at)
        return f"{len(batch)} tickets read, {found} new entries"

    return end


async def _look(rt: Runtime, ticket: Ticket) -> TicketView | str:
    """The ticket now, or why it cannot be read."""
    try:
        return await births.read(rt, ticket)
    except Gone:
        return DELETED
    except Forbidden:
        # Is it this ticket, or are we shut out? A search proves our account and raises when it cannot.
        if rt.tracker.capabilities.find_by_reference:
            await asyncio.to_thread(rt.tracker.find, ticket.reference)
        else:
            await asyncio.to_thread(rt.tracker.start_cursor)
        return OUT_OF_SIGHT


def settle(connection: Connection, rt: Runtime, ticket: Ticket, what: TicketView | str, now: float) -> int:
    """Store what was found; the number of new entries."""
    if isinstance(what, TicketView):
        if ticket.gone and not ticket.gone.startswith(journal.MOVED):
            log.warning("ticket is in sight again", town=rt.name, reference=ticket.reference)
        return journal.take(connection, rt, what, now)
    journal.lost(connection, rt, ticket, what)
    return 0
