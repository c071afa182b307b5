"""Redmine (5.0 and later) behind the port ``Tracker``.

Redmine answers 200 or 201 to much that it did not do: an unknown tracker becomes the first one, a private
note without the right becomes public, an unknown filter shows everything, a wrong key shows nothing. So what
was asked is compared with what came back, and an empty answer is believed only after our account was proven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from connector.core.errors import Finding, Forbidden, Rejected, Unavailable
from connector.core.ports import Capabilities, Known, Publication, Publications, Tracker
from connector.core.ticket import Changes, Created, FileRef, NewTicket, Routing, TicketView, Upload
from connector.trackers import rest
from connector.trackers.similar import norm

from .check import Check
from .config import Config
from .create import Creator
from .feed import Feed
from .http import PAGE, WHO, Connection, attachment_path
from .names import Names
from .publications import Publisher
from .rehearsal import Rehearsal
from .view import field_value, ticket_view
from .write import Writer, raw_issue

__all__ = ["Config", "RedmineTracker"]


@rest.guarded(WHO)
class RedmineTracker(Tracker, Publications):
    """The adapter. Safe to share between threads; each gets its own HTTP client."""

    config_type: ClassVar = Config

    def __init__(self, config: Config, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` counts seconds that pass, from any start."""
        self.config = config
        self.http = Connection(config.url, config.api_key.get_secret_value(), config.timeout)
        self.names = Names(self.http, config.reference_field)
        self.feed = Feed(self.http, self.read, timedelta(seconds=config.overlap), clock)
        self._creator = Creator(config, self.http, self.names)
        self._writer = Writer(config, self.http, self.names)
        self._publisher = Publisher(self.http, self.names, config.markup)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(find_by_reference=True, internal_notes=True, attachments=True, feed="log")

    @property
    def answered_at(self) -> float:
        return self.http.answered_at

    def verify(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        return Check(self.config, self.names, self.search).run(routings)

    def rehearse(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        return Rehearsal(self.config, self.http, self.names, self._creator).run(tickets, people)

    def create(self, ticket: NewTicket) -> Created:
        return self._creator.create(ticket)

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        return self._writer.attach(ticket_id, upload)

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        return self._writer.add_internal_note(ticket_id, text, key)

    def flag(self, ticket_id: str, *, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        return self._writer.flag(ticket_id, status, watchers)

    def news(self, project: str, most: int) -> list[Publication]:
        return self._publisher.news(project, most)

    def wiki(self, project: str, page: str) -> Publication:
        return self._publisher.wiki(project, page)

    # --- finding -----------------------------------------------------------------------------------

    def find(self, reference: str) -> Created | None:
        """By the reference field, and by the end of the subject, for a ticket whose field was not taken."""
        me = self.names.me()
        if not me.admin and not me.roles:
            raise Forbidden("Our Redmine account is no member of any project any more", code="no_project")
        for project in self.names.seen():
            if not me.admin and project.id not in me.roles:
                sentence = f"Our Redmine account is no member of «{project.identifier}» any more"
                raise Forbidden(sentence, code="no_member")
        hits: list[int] = []
        field_id = self.names.reference_id()
        if field_id is not None:
            for issue in self.search(f"cf_{field_id}", "=", reference):
                value = field_value(issue, field_id)
                if value != reference and norm(str(value)) != norm(reference):
                    raise Unavailable(
                        f"Redmine ignored the search by custom field {field_id}: tick «used as a filter» and "
                        "make it visible to our account's role",
                        code="filter_ignored",
                    )
                if value == reference:
                    hits.append(int(issue["id"]))
        tail = f"[{reference}]"
        for issue in self.search("subject", "~", reference):
            text = str(issue.get("subject", ""))
            if norm(reference) not in norm(text):
                raise Unavailable("Redmine ignored the search by subject", code="filter_ignored")
            ours = str((issue.get("author") or {}).get("id")) == me.id
            # A citizen may write another's reference: only our own tail counts, and never against the field.
            if (
                ours
                and text.rstrip().endswith(tail)
                and field_value(issue, field_id) in (None, "", reference)
            ):
                hits.append(int(issue["id"]))
        if not hits:
            for project in self.names.seen():
                self.http.get(f"/projects/{project.id}.json")  # an archived one hides its tickets: 403
            return None
        first, *others = sorted(set(hits))
        return Created(
            str(first), f"{self.config.url}/issues/{first}", existed=True, duplicates=tuple(map(str, others))
        )

    def search(self, field: str, operator: str, value: str, most: int = 500) -> list[dict[str, Any]]:
        """All issues, open or closed, by one filter, at most ``most`` or a page more.

        The filter has its long form: the short one reads operators in values. An ignored filter shows all
        issues, so the caller compares each.
        """
        base = [
            ("f[]", field),
            (f"op[{field}]", operator),
            (f"v[{field}][]", value),
            ("f[]", "status_id"),
            ("op[status_id]", "*"),
            ("sort", "id:asc"),
            ("limit", str(PAGE)),
        ]
        rows: list[dict[str, Any]] = []
        while True:
            answer = self.http.get("/issues.json", [*base, ("offset", str(len(rows)))])
            page = answer.get("issues")
            if not isinstance(page, list):
                raise Unavailable("Redmine's list of issues is not what it should be", code="garbled")
            rows += page
            if not page or len(rows) >= int(answer.get("total_count", 0)) or len(rows) >= most:
                return rows

    # --- reading -----------------------------------------------------------------------------------

    def start_cursor(self, since: float | None = None) -> str:
        self.names.me()
        return self.feed.start(since)

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        me = self.names.me()  # a wrong key or a locked account gets empty lists, not errors
        ids = []
        for name in projects:
            project = self.names.project(name)
            if not me.admin and project.id not in me.roles:
                project = self.names.project(name, fresh=True)  # a public project can be seen as a non-member
            ids.append(project.id)
        return self.feed.changes(cursor, ids, known, self.names.reference_id())

    def read(self, ticket_id: str) -> TicketView:
        issue = raw_issue(self.http, ticket_id, "journals", "attachments")
        statuses = self.names.statuses()
        if int(issue["status"]["id"]) not in statuses:
            statuses = self.names.statuses(fresh=True)
        project = self.names.project_by_id(int(issue["project"]["id"]))
        return ticket_view(
            issue,
            me=self.names.me_lately().id,
            statuses=statuses,
            reference_field=self.names.reference_id(project),
            markup=self.config.markup,
            project=project.identifier if project else str(issue["project"]["id"]),
        )

    def download(self, file: FileRef, max_bytes: int) -> Iterator[bytes]:
        too_large = f"The file on the ticket is larger than {max_bytes} bytes"
        if file.size > max_bytes:
            raise Rejected(too_large, code="too_large")
        return self.http.stream(attachment_path(file.id, file.filename), max_bytes, too_large)
