"""What a tracker without a log leaves to be compared, and which tickets are ours.

Where statuses leave no trace in the journal (``Capabilities.feed``), the one a ticket had is stored with it. Another one
becomes an entry whose key says which change of the ticket it is, and to what: it is decided about, told and read again
before it goes like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from connector.core.ticket import Entry, EntryKind, TicketView
from connector.storage import tickets
from connector.storage.tickets import Seen, Ticket

from . import births
from .runtime import DAY, Runtime

CLOSED_DAYS = 30
"""So long after it was closed a ticket may still get an answer."""
MERGED = "merged into "
"""How ``ticket.gone`` begins for a ticket that lives on in another."""
_STATUS = "status-"


class Ours:
    """Our tickets, asked one by one: no list of all of them is made unless a feed needs it. See ``ports.Known``."""

    def __init__(self, rt: Runtime, now: float) -> None:
        self._rt, self._now = rt, now

    def __contains__(self, ticket_id: object) -> bool:
        rt, wanted = self._rt, str(ticket_id)
        return rt.store.read_now(
            lambda c: (
                tickets.is_known(c, rt.name, wanted) or bool(tickets.gone_to(c, rt.name, f"{MERGED}{wanted}"))
            )
        )

    def watched(self) -> Mapping[str, str]:
        rt, since = self._rt, self._now - CLOSED_DAYS * DAY
        return rt.store.read_now(lambda c: tickets.marks(c, rt.name, since))


def changed(rt: Runtime, view: TicketView, ticket: Ticket, seen: Mapping[str, Seen]) -> tuple[Entry, ...]:
    """The entry for a status that is another than it was the last time."""
    if rt.tracker.capabilities.feed == "log" or ticket.status in (None, view.status):
        return ()
    n = 1 + sum(map(is_status, seen))
    return (_entry(rt, view, f"{_STATUS}{n}-{_code(view.status)}"),)


def entries(rt: Runtime, view: TicketView, seen: Mapping[str, Seen]) -> tuple[Entry, ...]:
    """A ticket's journal now, with the change that brought it into the status it has."""
    last = max(filter(is_status, seen), key=lambda key: int(key.split("-")[1]), default="")
    there = births.entries(view, seen)
    return (*there, _entry(rt, view, last)) if last.endswith(f"-{_code(view.status)}") else there


def is_status(key: str) -> bool:
    """Whether a key is one of ours, for a change of status found by comparing."""
    return key.startswith(_STATUS)


def _entry(rt: Runtime, view: TicketView, key: str) -> Entry:
    # nobody can tell who changed it: the status that we give a ticket ourselves is not told
    ours = view.status == rt.town.answers.on_failed.status
    return Entry(key, EntryKind.STATUS, view.updated_at, "", "", by_connector=ours, status=view.status)


def _code(status: str) -> str:
    return hashlib.sha256(status.encode()).hexdigest()[:8]
