"""What moved in RT since a cursor: its transactions, which are numbered in the order they are made.

Asked is for those above a number, of the queues that matter. With PostgreSQL or MySQL a lower number may commit after a
higher one: so the number only rises over transactions older than an overlap, by the server's own clock, and those of
our tickets above it that were read already are remembered. No date is ever part of a question: RT reads them in the
time zone of whoever asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.errors import Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ticket import Changes, TicketView

from .http import MOST_PAGES, PAGE, Connection, any_of
from .names import Names, Queue
from .view import reference_of, time_of

MOST_READS = 50
"""Tickets read whole in one call; the rest is ``more``."""
_TYPES = ("Create", "Correspond", "Status", "AddLink")
"""Types that may mean something to a citizen, or make a ticket carry our reference. A comment never does."""
_FIELDS = "Type,ObjectId,Created"
_BROKEN_ALLOWED = 3
_ONE_BROKEN = ("http_5", "garbled")
"""Codes of what may be wrong with a single one, and not with the server."""
_ZONES = timedelta(hours=27)
"""A time may be read in any time zone, and clocks may differ by an hour: one so much earlier is earlier for sure."""
_NAMED = 50
"""Tickets asked for by number in one query."""


@dataclass
class Cursor:
    """The opaque cursor: all transactions up to ``until`` are done with, and ``read`` of those above it."""

    until: int = 0
    read: set[int] = field(default_factory=set)

    def dump(self) -> str:
        return json.dumps({"v": 1, "until": self.until, "read": sorted(self.read)}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Cursor:
        try:
            data = json.loads(text)
            return cls(int(data["until"]), {int(n) for n in data["read"]})
        except (ValueError, KeyError, TypeError):
            problem = "the stored cursor of the tracker cannot be read"
            raise Misconfigured([Finding("error", problem, mend="start again from now")]) from None


class Feed:
    """Reads what moved, over one connection. ``read`` reads one ticket whole."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        read: Callable[[str], TicketView],
        overlap: timedelta,
        reference_field: str,
    ) -> None:
        self._http = connection
        self._names = names
        self._read = read
        self._overlap = overlap
        self._reference_field = reference_field

    def start(self, since: float | None = None) -> str:
        """A cursor from now on; or from some time before ``since`` (Unix seconds) on."""
        if since is None:
            newest = self._first("id > 0", orderby="LastUpdated", order="DESC")
            return Cursor(self._http.etag(f"/ticket/{newest}")[1] if newest else 0).dump()
        early = datetime.fromtimestamp(since, UTC) - _ZONES
        before = self._first(f"Created < '{early:%Y-%m-%d %H:%M:%S}'", orderby="id", order="DESC")
        if not before:
            return Cursor().dump()
        query = f"ObjectType = 'RT::Ticket' AND ObjectId = {int(before)} AND Type = 'Create'"
        rows = self._http.some("/transactions", query=query, per_page=1)
        return Cursor(min((int(row["id"]) for row in rows), default=0)).dump()

    def _first(self, query: str, **how: str) -> str:
        rows = self._http.some("/tickets", query=query, per_page=1, **how)
        return str(rows[0]["id"]) if rows else ""

    def changes(self, cursor: str, queues: Collection[Queue], known: Container[str]) -> Changes:
        """The tickets of ``queues`` that moved, those in ``known`` only; and of the new others which carry a reference.
        Our account was proven before."""
        state = Cursor.load(cursor)
        seen = [queue for queue in queues if self._names.shows(queue)]
        tickets: dict[str, TicketView | None] = {}
        fresh: list[str] = []
        broken: list[int] = []
        done = state.until
        read: set[int] = set()
        more = False
        for row in self._rows(state.until, seen) if seen else ():
            number, ticket_id = int(row["id"]), str(row["ObjectId"])
            ours = ticket_id in known
            made = row["Type"] == "Create"
            if ours and not made and number not in state.read and ticket_id not in tickets:
                if len(tickets) >= MOST_READS:
                    more = True
                    break
                try:
                    tickets[ticket_id] = self._read_one(ticket_id)
                except Unavailable as error:
                    # One broken ticket must not stop the answers on all others; it is asked again next time.
                    broken.append(number)
                    if not error.code.startswith(_ONE_BROKEN) or len(broken) > _BROKEN_ALLOWED:
                        raise
                    continue
            if ours:
                read.add(number)
            elif made:
                fresh.append(ticket_id)
            if not broken and self._is_over(row):
                done = number
        state.until, state.read = done, {n for n in read if n > done}
        found = tuple(view for view in tickets.values() if view is not None)
        return Changes(found, state.dump(), more, tuple(sorted(self._strangers(fresh))))

    def _is_over(self, row: Mapping[str, Any]) -> bool:
        """Whether whatever was begun with this transaction has been committed since, by the server's clock."""
        now = self._http.served_at
        return now is not None and now - time_of(str(row["Created"])) > self._overlap

    def _read_one(self, ticket_id: str) -> TicketView | None:
        """None when it was deleted or moved since; the core's sweep tells."""
        try:
            return self._read(ticket_id)
        except (Gone, Forbidden) as error:
            if error.code == "http_401":
                raise
            return None

    def _rows(self, above: int, queues: Collection[Queue]) -> Iterator[dict[str, Any]]:
        """Transactions in order, page by page from the last number of the one before; so much at a time."""
        where = any_of("TicketQueue", [str(queue.id) for queue in queues])
        for _ in range(MOST_PAGES):
            query = f"ObjectType = 'RT::Ticket' AND id > {above} AND {where} AND {any_of('Type', _TYPES)}"
            how = {"orderby": "id", "order": "ASC", "fields": _FIELDS}
            rows = self._http.some("/transactions", query=query, per_page=PAGE, **how)
            yield from rows
            if len(rows) < PAGE or int(rows[-1]["id"]) <= above:
                return
            above = int(rows[-1]["id"])

    def _strangers(self, tickets: list[str]) -> Iterator[tuple[str, str]]:
        for start in range(0, len(tickets), _NAMED):
            query = any_of("id", tickets[start : start + _NAMED])
            for row in self._http.some("/tickets", query=query, fields="Subject,CustomFields", per_page=PAGE):
                reference = reference_of(row, self._reference_field)
                if reference:
                    yield reference, str(row["id"])
