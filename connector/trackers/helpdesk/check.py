"""What ``connector check`` asks a django-helpdesk: key, queues, people, statuses, fields, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.core.errors import ConnectorError, Finding, Forbidden, Gone, Unavailable
from connector.core.ticket import Routing
from connector.trackers import inert
from connector.trackers.similar import did_you_mean, norm

from .config import Config
from .http import WHO, Connection
from .names import Field, Names
from .tickets import Row, Tickets


class Check:
    """One look at a django-helpdesk."""

    def __init__(self, config: Config, connection: Connection, names: Names, tickets: Tickets) -> None:
        self._config = config
        self._http = connection
        self._names = names
        self._tickets = tickets
        self._found: list[Finding] = []

    def run(self, routings: Sequence[tuple[str, Routing]]) -> list[Finding]:
        """All findings, each once. Raises ``Unavailable`` only."""
        try:
            self._names.form(fresh=True)
            seen = self._tickets.open()
        except Unavailable:
            raise
        except Forbidden as error:
            mend = "compare it with the token of the connector's own account, which is marked as staff"
            self._add("tracker.api_key", str(error), mend)
            return self._found
        except ConnectorError as error:
            problem = f"this is no {WHO} that answers as it should: {error}"
            self._add("tracker.url", problem, "check tracker.url, and that HELPDESK_API_ENABLED is not off")
            return self._found
        self._too_much()
        self._account(seen)
        for name in dict.fromkeys(r.project for _, r in routings):
            self._queue(name, [(key, r) for key, r in routings if r.project == name], seen)
        self._reference()
        return list(dict.fromkeys(self._found))

    def people(self, people: Sequence[tuple[str, str]]) -> list[Finding]:
        """Names that the mapping takes for somebody's, and nobody has."""
        for key, name in people:
            if self._names.person(name) is None:
                self._nobody(key, name, "warning")
        return self._found

    def _too_much(self) -> None:
        """Who may make accounts is told the fields of one."""
        if "POST" in self._http.options("/users/").get("actions", {}):
            self._add(
                "tracker.api_key",
                f"our account may make accounts: whoever gets hold of the key owns the whole {WHO}",
                "use an ordinary staff account, with permissions for its queues only",
                severity="warning",
            )

    def _account(self, seen: Sequence[Row]) -> None:
        """A wrong number would make our own notes somebody else's."""
        ours = [row for row in seen if inert.reference_in(str(row["title"])) and row["followup_set"]]
        makers = [min(row["followup_set"], key=lambda r: int(r["id"]))["user"] for row in ours]
        if makers and self._config.account not in makers:
            self._add(
                "tracker.account",
                f"the open tickets with a reference of ours were made by account {makers[-1]}, and none by "
                f"{self._config.account}",
                "write the number of the connector's own account (in the administration: Users)",
                severity="warning",
            )

    def _queue(self, name: str, uses: Sequence[tuple[str, Routing]], seen: Sequence[Row]) -> None:
        first = f"{uses[0][0]}.project"
        try:
            queue = self._names.queue(name)
            self._names.sees(queue)
        except (Forbidden, Gone) as error:
            self._add(
                first, str(error), did_you_mean(name, self._config.queues) or "add it to tracker.queues"
            )
            return
        if not any(row["queue"] == queue for row in seen):
            self._add(
                first,
                f"in «{name}» we see no open ticket: whether our account may see what it makes there is not known",
                "make one there and check again",
                severity="warning",
            )
        for key, routing in uses:
            self._routing(key, routing, queue)

    def _routing(self, key: str, routing: Routing, queue: int) -> None:
        if routing.private:
            mend = "give these requests a queue that only those see who may"
            self._add(f"{key}.private", f"{WHO} has no private tickets", mend)
        values: dict[str, Any] = {"queue": queue}
        if routing.assignee:
            values["assigned_to"] = self._names.person(routing.assignee)
        if routing.assignee and (
            values["assigned_to"] is None or "assigned_to" in self._names.refused(values)
        ):
            self._nobody(f"{key}.assignee", routing.assignee)
        form = self._names.form()
        if routing.priority and self._names.priority(routing.priority) is None:
            mend = did_you_mean(routing.priority, form.priorities.values())
            self._add(f"{key}.priority", f"there is no priority «{routing.priority}»", mend)
        if routing.status and self._names.status(routing.status) is None:
            mend = did_you_mean(routing.status, form.statuses.values())
            self._add(f"{key}.status", f"there is no status «{routing.status}»", mend)
        for part, value in (("tracker", routing.tracker), ("category", routing.category)):
            if value:
                mend = "take it out: a queue (project) or a custom field (fields) says it here"
                self._add(f"{key}.{part}", f"{WHO} has no {part} of a ticket", mend)
        if routing.watchers:
            mend = (
                "take them out: copies of a queue (its «New ticket CC» and «Updated ticket CC») are set there"
            )
            self._add(f"{key}.watchers", f"the API of {WHO} sets nobody who gets copies of a ticket", mend)
        own = self._config
        for name, value in routing.fields:
            self._field(f"{key}.fields.{name}", name, value)
        for field in (own.latitude_field, own.longitude_field, own.address_field):
            if field:
                self._field("tracker", field)

    def _nobody(self, key: str, name: str, severity: str = "error") -> None:
        number = self._names.person(name)
        if number is None:
            problem = f"tracker.people has nobody «{name}»"
            mend = (
                did_you_mean(name, self._config.people) or "add the number of the account to tracker.people"
            )
        else:
            problem = f"{WHO} has no account {number} («{name}»)"
            mend = "correct the number: it stands in the address of the account's page in the administration (Users)"
        self._add(key, problem, mend, severity)

    def _field(self, key: str, name: str, value: str = "") -> Field | None:
        field = self._names.field(name)
        if field is None:
            labels = [f.label for f in self._names.form().fields]
            self._add(key, f"there is no custom field «{name}»", did_you_mean(name, labels) or "make it")
        elif value and field.choices and norm(value) not in map(norm, field.choices):
            self._add(key, f"«{name}» has no value «{value}»", did_you_mean(value, field.choices))
        return field

    def _reference(self) -> None:
        """Tickets must be told by something."""
        key, name = "tracker.reference_field", self._config.reference_field
        if not name:
            self._add(
                key,
                "there is no custom field for the reference; tickets are found by their title only",
                "make one (one line of text), and name it",
                severity="warning",
            )
            return
        field = self._field(key, name)
        if field is not None and not field.text:
            self._add(key, f"«{name}» does not take any text", "make a field of one line of text for it")

    def _add(self, key: str, problem: str, mend: str = "", severity: str = "error") -> None:
        self._found.append(Finding(severity, problem, mend, key=key))
