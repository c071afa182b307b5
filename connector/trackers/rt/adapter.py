"""Request Tracker (5.0 and later) behind the port ``Tracker``.

RT answers 200 or 201 to much that it did not do: an unknown owner, field or value is left out, a status it does not
know is refused in a sentence within a 200, a search by an unknown field finds nothing. So what was asked is compared
with what came of it, and an empty answer is believed only where something can be seen at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import ClassVar

from connector.core.errors import Finding, Gone, Rejected
from connector.core.ports import Capabilities, Known, Tracker
from connector.core.ticket import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload
from connector.trackers import rest
from connector.trackers.similar import norm

from .check import Check
from .config import Config
from .create import Creator
from .feed import Feed
from .http import WHO, Connection, any_of, quoted
from .names import Names
from .view import KINDS, field_value, ticket_view
from .write import Writer, files, number_of

_TEXTS = json.dumps([{"field": "ContentType", "operator": "LIKE", "value": "text/"}])


@rest.guarded(WHO)
class RequestTracker(Tracker):
    """The adapter. Safe to share between threads; each gets its own HTTP client."""

    config_type: ClassVar = Config

    def __init__(self, config: Config) -> None:
        self.config = config
        self.http = Connection(config.url, config.user, config.api_key.get_secret_value(), config.timeout)
        self.names = Names(self.http, config.reference_field)
        overlap = timedelta(seconds=config.overlap)
        self.feed = Feed(self.http, self.names, self.read, overlap, config.reference_field)
        self._creator = Creator(config, self.http, self.names)
        self._writer = Writer(config, self.http, self.names)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(find_by_reference=True, internal_notes=True, attachments=True, feed="log")

    @property
    def answered_at(self) -> float:
        return self.http.answered_at

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        return Check(self.config, self.http, self.names, self._creator).run(routings)

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        """People and clocks only: RT has no way to try a ticket and keep nothing."""
        check = Check(self.config, self.http, self.names, self._creator)
        return [*check.people(people), *rest.clocks(self.http.served_at, who=WHO)]

    def create(self, ticket: NewTicket) -> Created:
        return self._creator.create(ticket)

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        return self._writer.attach(ticket_id, upload)

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        return self._writer.add_internal_note(ticket_id, text, key)

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        return self._writer.flag(ticket_id, status, watchers)

    def find(self, reference: str) -> Created | None:
        """By the reference field, and by the end of the subject, for a ticket whose field was not taken; also one that
        was merged into another meanwhile."""
        me = self.names.me()
        condition = self.names.reference_condition()
        by = [f"{condition} = {quoted(reference)}"] if condition else []
        by.append(f"Subject LIKE {quoted(reference)}")
        # without a word on EffectiveId, tickets that were merged are left out
        query = f"({' OR '.join(by)}) AND EffectiveId > 0"
        hits = []
        for row in self.http.rows("/tickets", query=query, fields="Subject,CustomFields,Creator"):
            value = field_value(row, self.config.reference_field)
            subject = str(row.get("Subject") or "")
            if norm(reference) not in (
                norm(value),
                *norm(subject).replace("[", " ").replace("]", " ").split(),
            ):
                continue
            ours = str(row["Creator"]["id"]) == me
            # A citizen may write another's reference: only our own tail counts, and never against the field.
            by_subject = ours and value in ("", reference) and subject.rstrip().endswith(f"[{reference}]")
            if value == reference or by_subject:
                hits.append(int(row["id"]))
        if not hits:
            return None
        first, *others = sorted(hits)
        url = f"{self.config.url}/Ticket/Display.html?id={first}"
        return Created(str(first), url, existed=True, duplicates=tuple(map(str, others)))

    def start_cursor(self, since: float | None = None) -> str:
        self.names.me()
        return self.feed.start(since)

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        self.names.me()
        return self.feed.changes(cursor, [self.names.queue(name) for name in projects], known)

    def read(self, ticket_id: str) -> TicketView:
        ticket = self.http.get(f"/ticket/{number_of(ticket_id)}")
        number, status = str(ticket["id"]), str(ticket["Status"])
        if status == "deleted":
            raise Gone(f"The ticket was deleted in {WHO}", code="deleted")
        ids = dict.fromkeys((ticket_id, number))
        query = f"ObjectType = 'RT::Ticket' AND {any_of('ObjectId', [*ids])} AND {any_of('Type', KINDS)}"
        how = {"orderby": "id", "order": "ASC", "fields[Creator]": "Name,RealName"}
        history = self.http.rows(
            "/transactions", query=query, fields="Type,Field,NewValue,Creator,Created,ObjectId", **how
        )
        queue = self.names.queue_of(ticket)
        wanted = {"query": _TEXTS, "fields": "Content,ContentType,Filename,TransactionId"}
        return ticket_view(
            ticket_id,
            ticket,
            list(history),
            files(self.http, number),
            list(self.http.rows(f"/ticket/{number}/attachments", **wanted)),
            me=self.names.me_lately(),
            reference_field=self.config.reference_field,
            queue=queue.called if queue else str(ticket["Queue"]["id"]),
            closed=self.names.closed(queue.lifecycle if queue else "", status, int(number)),
        )

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        too_large = f"The file on the ticket is larger than {max_bytes} bytes"
        if file.size > max_bytes:
            raise Rejected(too_large, code="too_large")
        return iter((self.http.content(number_of(file.id), max_bytes, too_large),))
