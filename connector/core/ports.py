"""What the core needs from the outside, as protocols. Adapters satisfy them; wiring joins them.

Tracker calls are synchronous (python-redmine is) and run in threads; each may raise the errors of
``core/errors.py`` and none hangs: every call has a deadline.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from .errors import Finding
from .model import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a tracker can do, as data; the core adapts instead of asking for its name."""

    find_by_reference: bool
    """A ticket can be searched by our reference: an interrupted create can be settled without a person."""
    internal_notes: bool
    """Notes for staff only exist. Where False (or not proven), internal notes are not written at all."""
    attachments: bool
    markup: str
    """Markup of notes: ``textile``, ``markdown``, ``html`` or ``plain``."""
    max_attachment_bytes: int | None = None
    """Larger files are refused by the server; None when it cannot be asked."""


class Tracker(Protocol):
    """A ticket system. Implementations never retry a write by themselves."""

    @property
    def capabilities(self) -> Capabilities:
        """What this server can do. ``internal_notes`` is only True once ``verify`` saw the right to write them."""
        ...

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """Look at login, rights, projects, trackers, statuses, fields and people, for ``(key, routing)`` pairs.

        Returns findings in words, none when all is well; raises only ``Unavailable``.
        """
        ...

    def create(self, ticket: NewTicket) -> Created:
        """Post one ticket. The caller holds a lock per reference and has stored that it tries.

        Raises ``Unavailable`` (surely not written), ``Ambiguous`` (perhaps written), ``Rejected``, ``Forbidden``.
        """
        ...

    def find(self, reference: str) -> Created | None:
        """The ticket with that reference, open or closed, or None when it is certain that there is none now.

        Every hit is compared with the reference: an ignored filter is ``Unavailable``, never a hit.
        """
        ...

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        """Put a file on a ticket, unless it already is there (name and digest). True when it was added now.

        Raises ``Rejected`` with a sentence when the server refuses type or size.
        """
        ...

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        """Write a note only staff can see, once per ``key`` (a short id shown in its last line).

        Raises ``Forbidden`` without writing anything when the right to write private notes was not seen; and
        reads back: a note that came out public is at once blanked and reported as ``Forbidden``.
        """
        ...

    def start_cursor(self) -> str:
        """A cursor that means «from now on», from the server's own times."""
        ...

    def changes(self, cursor: str, projects: Collection[str], known: Container[str]) -> Changes:
        """Tickets that moved since ``cursor`` in ``projects``; only those in ``known`` (ticket ids) are read whole.

        Raises ``Forbidden``/``Unavailable`` rather than returning an empty answer that proves nothing.
        """
        ...

    def read(self, ticket_id: str) -> TicketView:
        """One ticket now. Raises ``Gone`` when it was deleted, ``Forbidden`` when it is out of sight."""
        ...

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        """The content of a file on a ticket. Raises ``Rejected`` when it is larger than ``max_bytes``."""
        ...
