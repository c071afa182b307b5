"""Making a ticket in Redmine, and comparing what was asked with what it became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected
from connector.core.ticket import Created, NewTicket
from connector.toolkit import crash
from connector.trackers import inert

from . import markup
from .config import Config
from .http import Connection
from .names import Names, Project
from .view import field_value


class Creator:
    """Posts tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self.config = config
        self.http = connection
        self.names = names
        self._words, self._fact, self._link = markup.FORMATS[config.text_format]

    def create(self, ticket: NewTicket) -> Created:
        """Posts the ticket; see the port. ``dropped`` also names what could not be resolved in the project.

        When Redmine refuses the whole for one wish (a person who left, a value not in a list), it surely
        wrote nothing: the ticket is posted once more with the wishes left out, and says so. Privacy is no
        wish.
        """
        routing = ticket.routing
        project = self.names.project(routing.project)
        if routing.private:
            rights = self.names.rights(project.id)
            if rights is not None and not rights & {"set_issues_private", "set_own_issues_private"}:
                raise Forbidden(
                    "A private request was not written: our account may not set issues private there",
                    code="set_issues_private",
                )
        wanted, dropped = self._wanted(ticket, project)
        body: dict[str, Any] = {
            "subject": inert.subject(
                ticket.subject or ticket.words, ticket.reference, self.config.max_subject
            ),
            "description": self.description(ticket),
        }
        if routing.private:
            body["is_private"] = True
        try:
            issue = self._post(project, {**body, **wanted})
        except Rejected as refusal:
            keep = {k: v for k, v in wanted.items() if k == "tracker_id"}
            reference = [
                f for f in wanted.get("custom_fields", ()) if f["id"] == self.names.reference_id(project)
            ]
            least = {**body, **keep, **({"custom_fields": reference} if reference else {})}
            if least == {**body, **wanted}:
                raise
            try:
                issue = self._post(project, least)
            except Rejected:
                raise refusal from None
            dropped.append(f"all but tracker and reference: {refusal}")
            wanted = {k: v for k, v in least.items() if k not in body}
        crash.point("create.posted")
        dropped += self._not_taken(ticket, project, wanted, issue)
        ticket_id = str(issue["id"])
        return Created(ticket_id, f"{self.config.url}/issues/{ticket_id}", dropped=tuple(dropped))

    def draft(self, ticket: NewTicket) -> dict[str, Any]:
        """What would be asked of Redmine for this ticket, without the subject. Raises as ``create`` does."""
        project = self.names.project(ticket.routing.project)
        wanted, _ = self._wanted(ticket, project)
        private = {"is_private": True} if ticket.routing.private else {}
        return {"project_id": project.id, "description": self.description(ticket), **wanted, **private}

    def _post(self, project: Project, fields: Mapping[str, Any]) -> dict[str, Any]:
        issue = self.http.redmine.issue.create(project_id=project.id, **fields)
        raw = issue.raw() if hasattr(issue, "raw") else {}
        if not isinstance(raw.get("id"), int):
            raise Ambiguous("Redmine did not say which ticket it made. It is looked up", code="garbled")
        return dict(raw)

    def description(self, ticket: NewTicket) -> str:
        """The citizen's words, then the facts, then the places with coordinates and a link to a map."""
        parts = [self._words(ticket.words)]
        parts += [self._fact(label, value) for label, value in ticket.facts]
        for place in ticket.places:
            lat, lon = f"{place.latitude:.8f}", f"{place.longitude:.8f}"
            said = ", ".join(x for x in (place.name, place.address) if x.strip())
            parts.append(
                self._fact(self.config.place_label, f"{said} ({lat}, {lon})" if said else f"{lat}, {lon}")
            )
            parts.append(self._link(self.config.map_url.format(latitude=lat, longitude=lon)))
        return "\n\n".join(p for p in parts if p)

    def _wanted(self, ticket: NewTicket, project: Project) -> tuple[dict[str, Any], list[str]]:
        """What to ask Redmine for, by id, and what is not there to be asked for, in words."""
        routing = ticket.routing
        wanted: dict[str, Any] = {}
        dropped: list[str] = []
        for key, label, name, where in (
            ("tracker_id", "tracker", routing.tracker, "tracker"),
            ("assigned_to_id", "assignee", routing.assignee, "person"),
            ("category_id", "category", routing.category, "category"),
            ("priority_id", "priority", routing.priority, "priority"),
            ("status_id", "status", routing.status, "status"),
        ):
            if not name:
                continue
            found = self.names.resolve(project, where, name)
            if found is None:
                dropped.append(f"{label}: {name}")
            else:
                wanted[key] = found
        watchers = [(w, self.names.resolve(project, "person", w)) for w in routing.watchers]
        dropped += [f"watcher: {w}" for w, found in watchers if found is None]
        if ids := [found for _, found in watchers if found is not None]:
            wanted["watcher_user_ids"] = ids
        fields: dict[int, str] = {}
        for name, value in self._fields(ticket):
            field_id = self.names.resolve(project, "field", name)
            if field_id is None:
                dropped.append(f"field: {name}")
            else:
                fields[field_id] = inert.one_line(value)
        if fields:
            wanted["custom_fields"] = [{"id": i, "value": v} for i, v in fields.items()]
        return wanted, dropped

    def _fields(self, ticket: NewTicket) -> list[tuple[str, str]]:
        config, found = self.config, list(ticket.routing.fields)
        if ticket.places:
            place = ticket.places[0]
            found += [
                (config.latitude_field, f"{place.latitude:.8f}"),
                (config.longitude_field, f"{place.longitude:.8f}"),
                (config.address_field, place.address or place.name),
            ]
        found.append((config.reference_field, ticket.reference))
        return [(name, value) for name, value in found if name and value]

    def _not_taken(
        self, ticket: NewTicket, project: Project, wanted: Mapping[str, Any], issue: Mapping[str, Any]
    ) -> list[str]:
        """Wishes that Redmine answered 201 to and did not fulfil."""
        routing, lost = ticket.routing, []
        for key, part, label, name in (
            ("tracker_id", "tracker", "tracker", routing.tracker),
            ("assigned_to_id", "assigned_to", "assignee", routing.assignee),
            ("category_id", "category", "category", routing.category),
            ("priority_id", "priority", "priority", routing.priority),
            ("status_id", "status", "status", routing.status),
        ):
            if key in wanted and (issue.get(part) or {}).get("id") != wanted[key]:
                lost.append(f"{label}: {name}")
        if (issue.get("project") or {}).get("id") != project.id:
            lost.append(f"project: {routing.project}")
        if routing.private and not issue.get("is_private"):
            lost.append("private")
        names = {self.names.resolve(project, "field", n, again=False): n for n, _ in self._fields(ticket)}
        for item in wanted.get("custom_fields", ()):
            if not _same(field_value(issue, item["id"]), item["value"]):
                lost.append(f"field: {names.get(item['id'], item['id'])}")
        if wanted.get("watcher_user_ids"):
            lost += self._watchers_lost(wanted["watcher_user_ids"], project, str(issue["id"]))
        return lost

    def _watchers_lost(self, wanted: Sequence[int], project: Project, ticket_id: str) -> list[str]:
        try:
            issue = self.http.get(f"/issues/{ticket_id}.json", [("include", "watchers")])["issue"]
        except ConnectorError:
            return [
                "watchers: could not be checked"
            ]  # the ticket exists; nothing here may look like a failure
        there = {w["id"] for w in issue.get("watchers") or ()}
        return [f"watcher: {project.people.get(w, w)}" for w in wanted if w not in there]


def _same(there: Any, asked: str) -> bool:
    if there is None:
        return False
    if isinstance(there, list):
        return asked in map(str, there)
    if str(there).replace("\r\n", "\n") == asked:
        return True
    try:
        return abs(float(there) - float(asked)) < 1e-7
    except ValueError:
        return False
