"""What the core needs from the outside, as protocols. Adapters satisfy them; wiring joins them.

Tracker calls are synchronous and run in threads; each may raise the errors of ``core/errors.py`` and none hangs:
every call has a deadline. How an adapter is written: docs/adding-a-tracker.md; why the port is what it is:
docs/decisions/0011-tracker-port.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from .errors import Finding
from .ticket import Changes, Created, FileRef, Markup, NewTicket, Routing, TicketView, Upload


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a tracker can do, as data; the core adapts instead of asking for its name."""

    find_by_reference: bool
    """A ticket can be searched by our reference. Where False, a create whose answer was lost stays unknown: nothing is
    posted again before a person has looked (``connector failed list``)."""
    internal_notes: bool
    """Notes that only staff see exist. Where False none is ever written: it would come out public."""
    attachments: bool
    """Files can be put on a ticket. Where False staff and citizen are told that they are not on it."""
    feed: Literal["log", "snapshot"]
    """``log``: a change of status is an entry of the ticket's journal. ``snapshot``: a ticket only shows the status it
    has now; the core compares it with the one it knows, and gives ``changes`` the marks to compare the rest with."""


class Known(Protocol):
    """Our tickets in the tracker, by its id."""

    def __contains__(self, ticket_id: object) -> bool:
        """Whether a ticket is ours, or one of ours was merged into it."""
        ...

    def watched(self) -> Mapping[str, str]:
        """All tickets whose citizen may still be answered, each with the ``TicketView.mark`` last taken ("" for none).

        For feeds that compare; those that follow a log need not ask, and should not: it is one row a ticket.
        """
        ...


class Adapter(Protocol):
    """What is registered for a kind of tracker: called with its settings it gives the tracker."""

    @property
    def config_type(self) -> type[BaseModel]:
        """Its settings: keys of ``[tracker]``; and, where it has fields of these names, what the mapping says of them:
        ``reference_field``, ``latitude_field``, ``longitude_field``, ``address_field``, ``map_url``."""
        ...

    def __call__(self, config: Any) -> Tracker: ...


class Tracker(Protocol):
    """A ticket system. Implementations never retry a write by themselves."""

    @property
    def capabilities(self) -> Capabilities:
        """What this kind of server can do; whether our account may do it is what ``verify`` and each call find out."""
        ...

    @property
    def answered_at(self) -> float:
        """When the server last gave a call a proper answer, in seconds of ``time.monotonic()``; 0 before the first.

        A refusal is a proper answer, a lost connection or a 5xx is none. It tells a server that is away from a
        single call that went wrong.
        """
        ...

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """Look at login, rights, projects, trackers, statuses, fields and people, for ``(key, routing)`` pairs.

        Returns findings in words, none when all is well; raises only ``Unavailable``.
        """
        ...

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        """What only a try shows: whether such tickets (with the mapping key that asks for them) would be taken, whether
        ``people`` (key and name) are known, how large a file may be, whether the clocks agree. Leaves nothing behind.

        Asked by ``connector check`` after ``verify``; raises only ``Unavailable``. A tracker that has no way to try
        says nothing.
        """
        return []

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

        Where the right to write them was not seen nothing is written: ``Forbidden`` with the code
        ``no_internal_notes``. Reads back: a note that came out public is at once blanked and reported as
        ``Forbidden``.
        """
        ...

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """Give a ticket a status ("" leaves it) and watchers, by name or id; safe to repeat.

        Returns what the server did not take, in words. Raises ``Forbidden``, ``Gone``, ``Unavailable``.
        """
        ...

    def start_cursor(self, since: float | None = None) -> str:
        """A cursor that means «from now on», from the server's own times; or from ``since`` (Unix seconds) on."""
        ...

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        """Tickets that moved since ``cursor`` in ``projects``; only those in ``known`` are read whole.

        At least once: what may not have been seen whole comes again. Raises ``Forbidden``/``Unavailable`` rather than
        returning an empty answer that proves nothing, ``Misconfigured`` when the cursor cannot be read.
        """
        ...

    def read(self, ticket_id: str) -> TicketView:
        """One ticket now, also when it lives on in another (``merged_into``). Raises ``Gone`` when it was deleted,
        ``Forbidden`` when it is out of sight.
        """
        ...

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        """The content of a file on a ticket. Raises ``Rejected`` when it is larger than ``max_bytes``."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """Something a tracker publishes: news, or a page of its wiki."""

    key: str
    """Stable: the same news has the same key for ever."""
    title: str
    text: str
    """In ``markup``."""
    at: float
    """When it was written, or last changed (Unix seconds)."""
    summary: str = ""
    markup: Markup = "plain"


@runtime_checkable
class Publications(Protocol):
    """What a tracker may offer besides tickets, to be read only. One that has none of it lacks these methods."""

    def news(self, project: str, most: int) -> list[Publication]:
        """The newest news of a project, the newest first. Raises ``Gone``, ``Forbidden``, ``Unavailable``."""
        ...

    def wiki(self, project: str, page: str) -> Publication:
        """A page of a project's wiki. Raises ``Gone``, ``Forbidden``, ``Unavailable``."""
        ...
