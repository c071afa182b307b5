"""Tickets as the API gives them, asked so that it costs the server least.

For each call about tickets, also one about a single ticket, django-helpdesk loads all that the account sees, and one
custom field after the other of each: some milliseconds a ticket. Only ``status`` narrows that, and works in every call.
So open tickets, which are few, are asked for first; many are asked for at once; and what moved is read from the
follow-ups, which cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.core.errors import Gone
from connector.trackers import inert

from .config import Config
from .http import WHO, Connection
from .names import Names
from .view import View, merged_view, own_view

Row = Mapping[str, Any]
_LONGEST_CHAIN = 10
"""Tickets merged into one another one after the other that are followed."""


class Tickets:
    """Reads tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self._config = config
        self._http = connection
        self._names = names
        self._open = {"status": ",".join(map(str, config.open_statuses))}

    def one(self, ticket_id: str) -> Row:
        """A ticket. Raises ``Gone`` when it was deleted or our account does not see it: the answer is the same."""
        path = f"/tickets/{number_of(ticket_id)}/"
        try:
            return self._http.get(path, self._open)
        except Gone:
            return self._http.get(path)

    def open(self) -> list[dict[str, Any]]:
        """All open tickets that our account sees."""
        return self._http.rows("/tickets/", **self._open)

    def all(self) -> list[dict[str, Any]]:
        """All tickets that our account sees."""
        return self._http.rows("/tickets/")

    def is_open(self, status: int) -> bool:
        return status in self._config.open_statuses

    def survivor(self, row: Row) -> Row:
        """The ticket that one lives on in, itself when it was not merged."""
        for _ in range(_LONGEST_CHAIN):
            if not row.get("merged_to"):
                break
            row = self.one(str(row["merged_to"]))
        return row

    def view(self, row: Row) -> View:
        """A ticket as the core sees it, and whether all of it is there yet."""
        how: dict[str, Any] = {
            "account": self._config.account,
            "person": self._names.person_called,
            "status": self._names.status_called(int(row["status"])),
            "closed": not self.is_open(int(row["status"])),
            "queue": self._names.queue_called(int(row["queue"])),
            "reference": self.reference_of(row),
            "now": self._http.served_at,
        }
        if row.get("merged_to"):
            return merged_view(row, self.survivor(row), **how)
        return own_view(row, **how)

    def reference_of(self, row: Row) -> str | None:
        """Our reference: from its field, else from the end of the title."""
        field = self._names.field(self._config.reference_field) if self._config.reference_field else None
        found = str(row.get(field.key) or "").strip() if field else ""
        return found or inert.reference_in(str(row["title"]))


def number_of(ticket_id: str) -> str:
    """The id, when it can be one. Raises ``Gone``."""
    if not (ticket_id.isascii() and ticket_id.isdigit()):
        raise Gone(f"Not a ticket number of {WHO}", code="bad_id")
    return ticket_id
