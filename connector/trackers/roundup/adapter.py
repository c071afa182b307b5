"""The port ``Tracker``, on Roundup."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from connector.core.errors import Finding, Gone, Rejected
from connector.core.ports import Capabilities, Known, Tracker
from connector.core.ticket import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload
from connector.trackers import rest

from .check import Check
from .config import Config
from .create import Maker
from .feed import Feed
from .http import WHO, Api
from .names import Directory
from .view import Reader
from .write import Writer


@rest.guarded(WHO)
class RoundupTracker(Tracker):
    """See ``connector.core.ports.Tracker``; what each call owes is written there."""

    config_type: ClassVar = Config

    def __init__(self, config: Config) -> None:
        self._config = config
        self._api = Api(config)
        directory = Directory(self._api, config)
        self._reader = Reader(self._api, directory, config)
        self._maker = Maker(self._api, directory, self._reader, config)
        self._writer = Writer(self._api, directory, self._reader, self._maker, config)
        self._feed = Feed(self._api, self._reader)
        self._check = Check(self._api, directory, config)

    @property
    def capabilities(self) -> Capabilities:
        notes = bool(self._config.public_property)
        return Capabilities(find_by_reference=True, internal_notes=notes, attachments=True, feed="snapshot")

    @property
    def answered_at(self) -> float:
        return self._api.answered_at

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        return self._check.verify(routings)

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        # a ticket could not be taken back: that needs a right the account is not to have
        return rest.clocks(self._api.served_at, who=WHO)

    def create(self, ticket: NewTicket) -> Created:
        return self._maker.create(ticket)

    def find(self, reference: str) -> Created | None:
        return self._maker.find(reference)

    def read(self, ticket_id: str) -> TicketView:
        return self._reader.read(ticket_id)

    def start_cursor(self, since: float | None = None) -> str:
        return self._feed.start(since)

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        return self._feed.changes(cursor, projects, known)

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        return self._writer.attach(ticket_id, upload)

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        return self._writer.note(ticket_id, text, key)

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        return self._writer.flag(ticket_id, status, watchers)

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        if not file.id.isdecimal():
            raise Gone("Roundup does not have this file", code="http_404")
        if file.size > max_bytes:
            raise Rejected("The file is larger than is allowed", code="too_large")
        return self._api.pieces(file.id, max_bytes)
