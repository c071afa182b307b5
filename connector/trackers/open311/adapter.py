"""``Open311Tracker``: the port, joined from the parts of this package."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote

from connector.core.errors import Finding, Forbidden, Gone, Rejected, Unavailable
from connector.core.ports import Capabilities, Known, Tracker
from connector.core.ticket import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload
from connector.trackers import rest

from .check import Check
from .config import Config
from .create import Creator
from .feed import Feed
from .http import WHO, Connection, text
from .services import Services
from .view import PENDING, path_of, ticket_view

_ADDRESSES_ONLY = f"{WHO} takes no files, only addresses of files that anybody can open"


@rest.guarded(WHO)
class Open311Tracker(Tracker):
    """The adapter. Safe to share between threads; each gets its own HTTP client."""

    config_type: ClassVar = Config

    def __init__(self, config: Config) -> None:
        self.config = config
        key = config.api_key.get_secret_value()
        self.http = Connection(config.url, key, config.jurisdiction, config.format, config.timeout)
        self.services = Services(self.http)
        self.feed = Feed(
            self.http,
            self.read,
            updates=config.answers == "updates",
            overlap=config.overlap,
            batch=config.batch,
        )
        self._creator = Creator(config, self.http, self.services)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(find_by_reference=False, internal_notes=False, attachments=False, feed="snapshot")

    @property
    def answered_at(self) -> float:
        return self.http.answered_at

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        return Check(self.config, self.services, self.feed).run(routings)

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        """People and clocks only: the standard has no way to try a request and keep nothing."""
        check = Check(self.config, self.services, self.feed)
        return [*check.people(people), *rest.clocks(self.http.served_at, who=WHO)]

    def create(self, ticket: NewTicket) -> Created:
        return self._creator.create(ticket)

    def find(self, reference: str) -> Created | None:
        """Never asked for (``capabilities``): what is not in a list of requests may be there all the same."""
        raise Unavailable(f"{WHO} cannot be searched for a reference", code="no_search")

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        raise Rejected(_ADDRESSES_ONLY, code="no_files")

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        raise Forbidden(
            f"No internal note was written: {WHO} has none, everybody could read it", code="no_internal_notes"
        )

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """Nothing of it can be done; that the request is there is looked at all the same."""
        self.read(ticket_id)
        return (*([f"status: {status}"] if status else []), *(f"watcher: {name}" for name in watchers))

    def start_cursor(self, since: float | None = None) -> str:
        self.services.all(fresh=True)
        return self.feed.start(since, self.http.served_at or datetime.now(UTC))

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        return self.feed.changes(cursor, known)

    def read(self, ticket_id: str) -> TicketView:
        """See the port. A token is followed to the request it became; ``Unavailable`` until it has."""
        if ticket_id.startswith(PENDING):
            ticket_id = self._numbered(ticket_id.removeprefix(PENDING))
        row = self._request(ticket_id)
        if self.config.answers == "updates":
            return ticket_view(row, self.feed.of(row))
        return ticket_view(row, notes=self.config.answers == "status_notes")

    def _numbered(self, token: str) -> str:
        try:
            rows = self.http.rows(f"tokens/{quote(token, safe='')}")
        except Gone:
            self._proven()
            raise Rejected(
                f"{WHO} took the request under the token {token} and does not know that any more. Ask there which "
                "number it has",
                code="token",
            ) from None
        number = next((n for row in rows if (n := text(row, "service_request_id"))), "")
        if not number:
            raise Unavailable(f"{WHO} has given the request no number yet", code="pending")
        return number

    def _request(self, ticket_id: str) -> dict[str, Any]:
        try:
            rows = self.http.rows(path_of(ticket_id))
        except Gone:
            rows = []
        found = next((row for row in rows if text(row, "service_request_id") == ticket_id), None)
        if found is None:
            self._proven()
            raise Gone(f"{WHO} does not show this request (any more)", code="gone")
        return found

    def _proven(self) -> None:
        """That something is not there proves nothing of a server whose address changed: then nothing is there."""
        try:
            self.services.all(fresh=True)
        except Gone:
            raise Unavailable(f"{WHO} is not where it was; is tracker.url right?", code="moved") from None

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        raise Rejected(_ADDRESSES_ONLY, code="no_files")
