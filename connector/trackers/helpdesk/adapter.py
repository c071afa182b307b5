"""django-helpdesk behind the port ``Tracker``.

Its API answers 201 to much that it did not do: an unknown field or a status is left out. It has no search by a custom
field, no list of queues and people, no history, and says of a ticket that was deleted the same as of one out of sight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from connector.core.errors import Finding, Rejected
from connector.core.ports import Capabilities, Known, Tracker
from connector.core.ticket import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload
from connector.trackers import rest

from .check import Check
from .config import Config
from .create import Creator
from .feed import Feed
from .http import WHO, Connection
from .names import Names
from .tickets import Tickets, number_of
from .write import Writer


@rest.guarded(WHO)
class HelpdeskTracker(Tracker):
    """The adapter. Safe to share between threads; each gets its own HTTP client."""

    config_type: ClassVar = Config

    def __init__(self, config: Config) -> None:
        self.config = config
        self.http = Connection(
            config.url, config.api_key.get_secret_value(), config.timeout, config.media_url
        )
        self.names = Names(config, self.http)
        self.tickets = Tickets(config, self.http, self.names)
        self.feed = Feed(config, self.http, self.names, self.tickets)
        self._creator = Creator(config, self.http, self.names)
        self._writer = Writer(config, self.http, self.names, self.tickets)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(find_by_reference=True, internal_notes=True, attachments=True, feed="snapshot")

    @property
    def answered_at(self) -> float:
        return self.http.answered_at

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        return Check(self.config, self.http, self.names, self.tickets).run(routings)

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        """People and clocks only: a ticket cannot be tried and not kept, and what of it would be refused ``verify`` says."""
        found = Check(self.config, self.http, self.names, self.tickets).people(people)
        return [*found, *rest.clocks(self.http.served_at, who=WHO)]

    def create(self, ticket: NewTicket) -> Created:
        return self._creator.create(ticket)

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        return self._writer.attach(ticket_id, upload)

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        return self._writer.add_internal_note(ticket_id, text, key)

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        return self._writer.flag(ticket_id, status, watchers)

    def find(self, reference: str) -> Created | None:
        """Among all tickets that our account sees: by the reference field, and by the end of the title of one of ours."""
        key = self.names.reference_key()
        hits = []
        for row in self.tickets.all():
            value = str(row.get(key) or "").strip() if key else ""
            opened = min(row["followup_set"], key=lambda r: int(r["id"]), default={"user": None})
            # A citizen may write another's reference: only our own tail counts, and never against the field.
            ours = opened["user"] == self.config.account or not row["followup_set"]
            by_title = (
                ours and value in ("", reference) and str(row["title"]).rstrip().endswith(f"[{reference}]")
            )
            if value == reference or by_title:
                hits.append(int(row["id"]))
        if not hits:
            return None
        first, *others = sorted(hits)
        url = f"{self.config.url}/tickets/{first}/"
        return Created(str(first), url, existed=True, duplicates=tuple(map(str, others)))

    def start_cursor(self, since: float | None = None) -> str:
        return self.feed.start(since)

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        return self.feed.changes(cursor, [self.names.queue(name) for name in projects], known)

    def read(self, ticket_id: str) -> TicketView:
        return self.tickets.view(self.tickets.one(ticket_id)).ticket

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        too_large = f"The file on the ticket is larger than {max_bytes} bytes"
        if file.size > max_bytes:
            raise Rejected(too_large, code="too_large")
        there = self.http.get(f"/followups-attachments/{number_of(file.id)}/")
        return iter((self.http.content(str(there["file"]), max_bytes, too_large),))
