"""What ``connector check`` tries on a Redmine, because no page of its API tells: requests that Redmine must refuse.

A ticket is posted twice, once without a subject and once with one that is too long. Redmine says everything that is
wrong with it, in the language of our account, and keeps nothing. What it says both times is not about the subject.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Finding, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import NewTicket
from connector.trackers import rest
from connector.trackers.similar import did_you_mean, norm

from .check import IGNORED, USABLE
from .config import Config
from .create import Creator
from .http import WHO, Connection, Refused
from .names import Names

_TOO_LONG = "x" * 300
_MEDIA = 16 << 20
"""Bytes of the largest voice note or video of a citizen; documents have up to 100 MB (CLOUD-API.md 4)."""
_FILE = "connector-check.jpg"
_FILES = "Administration > Settings > Files"


class Rehearsal:
    """One rehearsal, on a Redmine that ``Check`` has looked at before."""

    def __init__(self, config: Config, http: Connection, names: Names, creator: Creator) -> None:
        self._config = config
        self._http = http
        self._names = names
        self._creator = creator
        self._found: list[Finding] = []

    def run(
        self, tickets: Sequence[tuple[str, NewTicket]], people: Sequence[tuple[str, str]]
    ) -> list[Finding]:
        """All findings, each once. Raises ``Unavailable`` only."""
        self._filter()
        self._tickets(tickets)
        self._people(people, dict.fromkeys(ticket.routing.project for _, ticket in tickets))
        self._size()
        self._found += rest.clocks(self._http.served_at, who=WHO)
        return list(dict.fromkeys(self._found))

    def _add(self, key: str, problem: str, mend: str, severity: str = "error") -> None:
        self._found.append(Finding(severity, problem, mend, key=key))

    def _post(self, path: str, data: Any, params: Any = None) -> Any:
        return self._http.redmine.engine.request("post", self._http.url + path, params=params, data=data)

    def _filter(self) -> None:
        """A filter that exists refuses an empty value; one that does not is ignored, also while there is no ticket."""
        field = self._names.reference_id()
        if field is None:
            return
        name = f"cf_{field}"
        try:
            self._http.get(
                "/issues.json", [("f[]", name), (f"op[{name}]", "="), (f"v[{name}][]", ""), ("limit", "1")]
            )
        except (Rejected, Forbidden, Gone):
            return
        self._add("tracker.reference_field", IGNORED.format(field=field), USABLE)

    # --- tickets -----------------------------------------------------------------------------------

    def _tickets(self, tickets: Iterable[tuple[str, NewTicket]]) -> None:
        seen: set[str] = set()
        for key, ticket in tickets:
            draft = self._draft(ticket)
            if draft is None:
                continue
            said = self._said({**draft, "subject": ""})
            if len(said) > 1:
                again = self._said({**draft, "subject": _TOO_LONG})
                for words in said:
                    if words in again and words not in seen:
                        seen.add(words)
                        self._refused(key, ticket, draft, words)

    def _draft(self, ticket: NewTicket) -> dict[str, Any] | None:
        """What to post; None where the check before has said already that nothing can be posted."""
        try:
            project = self._names.project(ticket.routing.project)
            rights = self._names.rights(project.id)
            draft = self._creator.draft(ticket)
        except (Forbidden, Gone, Rejected):
            return None
        if not project.active or (rights is not None and "add_issues" not in rights):
            return None
        return draft

    def _refused(self, key: str, ticket: NewTicket, draft: dict[str, Any], words: str) -> None:
        """One sentence of Redmine's, at the custom field without which it is not said."""
        fields = draft.get("custom_fields", [])
        for field in fields:
            others = [f for f in fields if f is not field]
            if words not in self._said({**draft, "custom_fields": others, "subject": ""}):
                problem = f"custom field {field['id']} does not take «{field['value']}»: «{words}»"
                mend = "correct the value or the number of the field here, or the field in Redmine"
                self._add(self._key(key, ticket, field["id"]), problem, mend)
                return
        mend = "what is required there needs a value in the route's fields, or has to be optional in Redmine"
        self._add(key, f"Redmine would not take its tickets: «{words}»", mend)

    def _key(self, key: str, ticket: NewTicket, field: int) -> str:
        """Where the mapping names a custom field."""
        project = self._names.project(ticket.routing.project)
        own = ("reference_field", "latitude_field", "longitude_field", "address_field")
        names = [(f"tracker.{name}", str(getattr(self._config, name))) for name in own]
        names += [(f"{key}.fields.{name}", name) for name, _ in ticket.routing.fields]
        there = (k for k, n in names if n and self._names.resolve(project, "field", n, again=False) == field)
        return next(there, key)

    def _said(self, issue: dict[str, Any]) -> list[str]:
        """What Redmine has against a ticket that it cannot take."""
        try:
            made = self._post("/issues.json", {"issue": issue})
        except Refused as refused:
            return list(refused.reasons)
        except (Ambiguous, Forbidden, Gone, Rejected):
            return []
        number = made.get("issue", {}).get("id") if isinstance(made, dict) else None
        problem = f"Redmine took a ticket of the check, #{number}, with a subject that it has to refuse"
        self._add("tracker.url", problem, "delete it; a plugin seems to change subjects", "warning")
        return []

    # --- people, files, time -------------------------------------------------------------------------

    def _people(self, people: Iterable[tuple[str, str]], projects: Iterable[str]) -> None:
        known: set[str] = set()
        for name in projects:
            try:
                known.update(self._names.project(name).people.values())
            except (Forbidden, Gone):
                return
        there = {norm(name) for name in known}
        for key, name in people:
            if norm(name) not in there:
                problem = f"nobody in the projects of this mapping is called «{name}»"
                self._add(key, problem, did_you_mean(name, known), "warning")

    def _size(self) -> None:
        key, limit = "tracker.max_attachment_bytes", self._config.max_attachment_bytes
        if limit is None:
            if (refused := self._upload(b"x")) is not None:
                problem = f"Redmine takes no photo: «{refused}»"
                self._add(key, problem, f"{_FILES}, allowed and disallowed extensions", "warning")
                return
            refused = self._upload(bytes(_MEDIA + 1))
            if refused is None:
                return
            sizes = [int(n) for n in re.findall(r"\d{4,}", refused)]
            limit = max(sizes, default=None)
            much = _megabytes(limit) if limit else f"fewer than {_megabytes(_MEDIA)} («{refused}»)"
        elif limit >= _MEDIA:
            return
        else:
            much = _megabytes(limit)
        problem = (
            f"Redmine takes files of {much}; a citizen's video may have 16 MB, a document 100: larger ones are kept "
            "off the ticket"
        )
        mend = f"raise {_FILES} > Maximum size, and write max_attachment_bytes = {limit or '…'} until then"
        self._add(key, problem, mend, "warning")

    def _upload(self, content: bytes) -> str | None:
        """Upload a file and take it away again; in Redmine's words why it takes none like it, None when it does."""
        try:
            made = self._post("/uploads.json", content, [("filename", _FILE)])
        except Refused as refused:
            return "; ".join(refused.reasons)
        except Rejected as error:
            return str(error)
        except (Ambiguous, Forbidden, Gone, Unavailable):
            return None  # not known, and no reason to stop the check
        number = made.get("upload", {}).get("id") if isinstance(made, dict) else None
        with contextlib.suppress(
            ConnectorError
        ):  # then an upload stays that no ticket holds, which Redmine can prune
            self._http.redmine.engine.request("delete", f"{self._http.url}/attachments/{number}.json")
        return None


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.3g} MB"
