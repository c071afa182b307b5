"""What moved since a cursor.

Each poll reads the follow-ups since a date: they are listed in the order of their dates, and cost the server next to
nothing. A lower date may commit after a higher one: so the date only rises over follow-ups older than an overlap, by the
server's own clock, and those above it that were read already are remembered. Tickets with new follow-ups are compared by
their marks; and, every few minutes, all open ones are: a status can be changed, a note be edited, a ticket be merged
without a new follow-up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connector.core.errors import Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ports import Known
from connector.core.ticket import Changes, TicketView

from .config import Config
from .http import Connection
from .names import Names
from .tickets import Row, Tickets
from .view import View, time_of, was_open

MOST_READS = 50
"""Tickets given back in one call; the rest is ``more``."""
PAGE = 100
"""Follow-ups in a page: of these, unlike of tickets, no more are loaded than are asked for."""
_FEW = 2
"""So many closed tickets are asked for one by one; more, all at once."""
_BROKEN_ALLOWED = 3
_CLOCKS = timedelta(minutes=5)
"""By which our clock and the server's may differ."""
_MOMENT = timedelta(microseconds=1)
_BEGINNING = "1970-01-01T00:00:00+00:00"


@dataclass
class Cursor:
    """The opaque cursor: all follow-ups up to ``until`` are done with, and ``read`` of those above it; ``looked`` is when
    all open tickets were compared (the server's Unix seconds), ``newest`` the highest number among them."""

    until: str = _BEGINNING
    read: set[int] = field(default_factory=set)
    looked: int = 0
    newest: int = 0

    def dump(self) -> str:
        parts = {"v": 1, "until": self.until, "read": sorted(self.read)}
        return json.dumps({**parts, "looked": self.looked, "newest": self.newest}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Cursor:
        try:
            data = json.loads(text)
            time_of(data["until"])
            return cls(
                data["until"], {int(n) for n in data["read"]}, int(data["looked"]), int(data["newest"])
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            problem = "the stored cursor of the tracker cannot be read"
            raise Misconfigured([Finding("error", problem, mend="start again from now")]) from None


class Feed:
    """Reads what moved, over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names, tickets: Tickets) -> None:
        self._account = config.account
        self._http = connection
        self._names = names
        self._tickets = tickets
        self._overlap = timedelta(seconds=config.overlap)
        self._look_every = config.look_every

    def start(self, since: float | None = None) -> str:
        """A cursor from now on; or from some time before ``since`` (Unix seconds) on."""
        self._http.page("/followups/", page_size=1)
        at = self._http.served_at if since is None else datetime.fromtimestamp(since, UTC) - _CLOCKS
        return Cursor(at.isoformat()).dump()

    def changes(self, cursor: str, queues: Collection[int], known: Known) -> Changes:
        """The tickets in ``known`` that moved; and of the new others which carry a reference."""
        state = Cursor.load(cursor)
        fresh = self._follow_ups(time_of(state.until))
        now = self._http.served_at
        news = (r for r in fresh if r["id"] not in state.read and r["user"] != self._account)
        moved = {str(r["ticket"]): None for r in news}
        touched = [ticket_id for ticket_id in moved if ticket_id in known]
        looking = now.timestamp() - state.looked >= self._look_every
        if looking:
            for queue in queues:
                self._names.sees(queue)
        strangers: list[tuple[str, str]] = []
        later: set[str] = set()
        found: list[TicketView] = []
        more = False
        if touched or looking:
            watched = known.watched()
            shown = {str(row["id"]): row for row in self._tickets.open()}
            wanted = dict.fromkeys(touched)
            if looking:
                strangers = [*self._strangers(shown, state.newest, known)]
                wanted |= {one: None for one, mark in watched.items() if one in shown or was_open(mark)}
            for ticket_id, view in self._views([*wanted], shown):
                if view is None or not view.settled:
                    later.add(ticket_id)
                elif view.ticket.mark != watched.get(ticket_id, ""):
                    if len(found) == MOST_READS:
                        more = True
                        break
                    found.append(view.ticket)
            state.newest = max([state.newest, *map(int, shown)]) if looking else state.newest
        if not more:
            self._advance(state, fresh, later, now)
            if looking and not later:
                state.looked = int(now.timestamp())
        return Changes(tuple(found), state.dump(), more, tuple(sorted(strangers)))

    def _advance(self, state: Cursor, fresh: list[Row], later: set[str], now: datetime) -> None:
        """Past what is over, but not past a ticket that has to be read again."""
        again = [time_of(row["date"]) for row in fresh if str(row["ticket"]) in later]
        over = min([now - self._overlap, *(at - _MOMENT for at in again)])
        done = [row for row in fresh if str(row["ticket"]) not in later]
        state.until = max(
            [state.until, *(row["date"] for row in done if time_of(row["date"]) <= over)], key=time_of
        )
        state.read = {int(row["id"]) for row in done if time_of(row["date"]) > over}

    def _follow_ups(self, since: datetime) -> list[Row]:
        """All follow-ups later than a date, in order, read from the last page backwards."""
        rows, count = self._http.page("/followups/", page_size=PAGE, page="last")
        found = {row["id"]: row for row in rows}
        page = -(-count // PAGE) - 1
        while page > 0 and rows and time_of(rows[0]["date"]) > since:
            rows, _ = self._http.page("/followups/", page_size=PAGE, page=page)
            found |= {row["id"]: row for row in rows}
            page -= 1
        late = [row for row in found.values() if time_of(row["date"]) > since]
        return sorted(late, key=lambda row: (time_of(row["date"]), row["id"]))

    def _views(
        self, wanted: list[str], shown: dict[str, dict[str, object]]
    ) -> Iterator[tuple[str, View | None]]:
        """Tickets as the core sees them; None for one that could not be read now. Those that are gone are left out:
        the core's sweep tells."""
        missing = [ticket_id for ticket_id in wanted if ticket_id not in shown]
        every = len(missing) > _FEW
        rows: Mapping[str, Row] = {str(row["id"]): row for row in self._tickets.all()} if every else shown
        broken = 0
        for ticket_id in wanted:
            try:
                row = rows.get(ticket_id)
                if row is None and every:
                    continue
                yield ticket_id, self._tickets.view(row or self._tickets.one(ticket_id))
            except Gone:
                continue
            except Forbidden as error:
                if error.code in ("http_401", "http_403"):
                    raise
            except Unavailable as error:
                broken += 1
                if not error.code.startswith("http_5") or broken > _BROKEN_ALLOWED:
                    raise
                yield ticket_id, None

    def _strangers(self, shown: Mapping[str, Row], newest: int, known: Known) -> Iterator[tuple[str, str]]:
        for ticket_id, row in shown.items():
            if int(ticket_id) > newest and ticket_id not in known:
                reference = self._tickets.reference_of(row)
                if reference:
                    yield reference, ticket_id
