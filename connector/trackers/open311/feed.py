"""What moved since a cursor.

Requests cannot be asked for by when they changed: those that matter are asked for by their ids, many at a time, and
compared with the mark the core last took. Updates can be asked for by time; they may become visible late, so each
poll looks back, and the cursor remembers which of that time were read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.errors import Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ports import Known
from connector.core.ticket import Changes, TicketView

from .http import WHO, Connection, text
from .view import code_of, mark_of, time_of

MOST = 50
"""Tickets that one call gives back."""
_NOTHING = "-"
"""The cursor where there are no updates: requests are compared, and need none."""
_BEFORE = timedelta(days=1)
"""So long before a request was made its updates are looked for: clocks differ, and days may be rounded."""
_AHEAD = timedelta(hours=1)
"""The end of what is asked for: a server may take it for less than it is."""


class Feed:
    """Compares requests and reads updates over one connection. ``read`` gives one request whole."""

    def __init__(
        self,
        connection: Connection,
        read: Callable[[str], TicketView],
        *,
        updates: bool,
        overlap: float,
        batch: int,
    ) -> None:
        self._http = connection
        self._read = read
        self._updates = updates
        self._overlap = timedelta(seconds=overlap)
        self._batch = batch

    def start(self, since: float | None, served: datetime) -> str:
        """A cursor from ``since`` on, else from ``served``, the server's time now."""
        if not self._updates:
            return _NOTHING
        return _cursor(served if since is None else datetime.fromtimestamp(since, UTC) - self._overlap, ())

    def changes(self, cursor: str, known: Known) -> Changes:
        """See the port. The project of a request does not matter: one that was given another service is followed."""
        watched = known.watched()
        moved = dict.fromkeys(t for t, mark in self._shown(list(watched)) if mark != watched[t])
        if not self._updates:
            views = self._views(list(moved)[:MOST])
            return Changes(tuple(views.values()), _NOTHING, more=len(moved) > MOST)
        at, seen = _parsed(cursor)
        rows = self.updates(at - self._overlap)
        now = self._http.served_at or at
        # by the codes of their updates, which are remembered only once the request was read
        about = {
            code: t
            for row in rows
            if (t := text(row, "service_request_id")) in known
            for code in (_code(row),)
        }
        moved |= dict.fromkeys(t for code, t in about.items() if code not in seen)
        views = self._views(list(moved)[:MOST])
        done = [code for code, t in about.items() if code in seen or t in views]
        return Changes(tuple(views.values()), _cursor(now, done), more=len(moved) > MOST)

    def updates(self, since: datetime, ticket_id: str = "") -> list[dict[str, Any]]:
        """Updates since then; with an id those of that request, which not every server can ask for."""
        until = (self._http.served_at or datetime.now(UTC)) + _AHEAD
        more = {"service_request_id": ticket_id} if ticket_id else {}
        rows = self._http.rows("servicerequestupdates", start_date=w3c(since), end_date=w3c(until), **more)
        return [row for row in rows if not ticket_id or text(row, "service_request_id") == ticket_id]

    def of(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All updates of a request."""
        begun = time_of(row, "requested_datetime") or datetime.fromtimestamp(0, UTC) + _BEFORE
        return self.updates(begun - _BEFORE, text(row, "service_request_id"))

    def _shown(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each request with its mark now; one that the list leaves out is asked for by itself."""
        for start in range(0, len(ids), self._batch):
            asked = ids[start : start + self._batch]
            rows = self._http.rows("requests", service_request_id=",".join(asked))
            found = {text(row, "service_request_id"): mark_of(row) for row in rows}
            for ticket_id in asked:
                if ticket_id in found:
                    yield ticket_id, found[ticket_id]
                elif view := self._views([ticket_id]).get(ticket_id):
                    yield ticket_id, view.mark

    def _views(self, ids: Sequence[str]) -> dict[str, TicketView]:
        """Requests whole. One that cannot be read stops no other: it comes again, or the sweep says that it is gone."""
        found = {}
        for ticket_id in ids:
            try:
                found[ticket_id] = self._read(ticket_id)
            except (Gone, Forbidden, Unavailable):
                continue
        return found


def w3c(at: datetime) -> str:
    """A time as GeoReport writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _code(row: Mapping[str, Any]) -> str:
    """Which update it is, as it is now: one that was changed is read again."""
    return code_of("\x1f".join(text(row, name) for name in ("update_id", "status", "description")))[:8]


def _cursor(at: datetime, seen: Sequence[str]) -> str:
    return json.dumps({"at": w3c(at), "seen": sorted(seen)})


def _parsed(cursor: str) -> tuple[datetime, frozenset[str]]:
    try:
        found = json.loads(cursor)
        return datetime.fromisoformat(found["at"]), frozenset(found["seen"])
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured([Finding("error", f"the cursor is none of {WHO}'s")]) from error
