"""Numbers that a tracker gives again: a ticket, or a note, that has the number of one that was deleted is another one.

Some databases under some trackers do so: the number of the newest ticket, deleted, is that of the next, whosever it is.
What staff write there must not reach the person who wrote the former.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from connector.core.answers import digest
from connector.core.errors import Gone
from connector.core.ticket import Entry, TicketView
from connector.storage.tickets import Seen, Ticket

from .runtime import Runtime


def is_another(ticket: Ticket, view: TicketView) -> bool:
    """Whether the tracker's ticket only has the number of ours. Our reference on it says no, whatever its birth: a
    tracker's times may move as a whole, when its database is moved."""
    if not view.birth or view.reference == ticket.reference:
        return False
    return ticket.birth != view.birth if ticket.birth else bool(view.reference)


async def read(rt: Runtime, ticket: Ticket) -> TicketView:
    """Our ticket as it is now. Raises ``Gone`` too when its number is that of another by now."""
    assert ticket.tracker_id is not None
    view = await asyncio.to_thread(rt.tracker.read, ticket.tracker_id)
    if is_another(ticket, view):
        raise Gone(f"ticket {ticket.tracker_id} is another one by now", code="another")
    return view


def entries(view: TicketView, seen: Mapping[str, Seen]) -> tuple[Entry, ...]:
    """A ticket's journal; an entry with the key of one that was deleted has a key of its own."""
    return tuple(_own(entry, seen) for entry in view.entries)


def _own(entry: Entry, seen: Mapping[str, Seen]) -> Entry:
    before = seen.get(entry.key)
    if before is None or not entry.birth or before.birth in ("", entry.birth):
        return entry
    key = f"{entry.key}-{entry.birth}"
    # the same words: the same entry, in a tracker whose times moved as a whole
    return replace(entry, key=key) if key in seen or before.digest != digest(entry) else entry
