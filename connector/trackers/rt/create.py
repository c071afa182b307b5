"""Making a ticket in RT, and comparing what was asked with what it became."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Rejected
from connector.core.ticket import Created, NewTicket
from connector.toolkit import crash
from connector.trackers import inert
from connector.trackers.similar import norm

from .config import Config
from .http import WHO, Connection
from .names import Names, Queue, Who
from .view import field_value

_MOST_FIELD = 240
"""Characters of a custom field's value; RT keeps 255, longer ones elsewhere, where no search finds them."""
_QUOTING = re.compile(r"(?m)^(?=[ \t]*(?:[^\w\s]|\S{0,8}>))")
"""What RT's Text::Quoted may take for the beginning of a quoted line, and more."""


class Creator:
    """Posts tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self.config = config
        self.http = connection
        self.names = names

    def create(self, ticket: NewTicket) -> Created:
        """Posts the ticket; see the port. ``dropped`` also names what could not be resolved.

        RT answers 201 and leaves out what it does not know (an owner, a field, a value of a list); for a status it does
        not know it refuses the whole, surely without writing anything: then the ticket is posted once more with the
        wishes left out. Privacy is no wish.
        """
        if ticket.routing.private:
            raise Rejected(
                f"{WHO} has no private tickets: give such requests a queue that only those see who may",
                code="private",
            )
        queue = self.names.queue(ticket.routing.project)
        wishes, dropped = self._wishes(ticket, queue)
        least: dict[str, Any] = {
            "Queue": queue.name,
            "Subject": inert.subject(
                ticket.subject or ticket.words, ticket.reference, self.config.max_subject, _bytes
            ),
            "Content": self.description(ticket),
            "ContentType": "text/plain",
        }
        reference = self.names.field(queue, self.config.reference_field)
        if reference is not None:
            least["CustomFields"] = {str(reference): ticket.reference}
        try:
            number = self._post({**least, **wishes})
        except Rejected as refusal:
            if not wishes.keys() - least.keys():
                raise
            try:
                number = self._post(least)
            except Rejected:
                raise refusal from None
            dropped.append(f"all but queue and reference: {refusal}")
            wishes = {}
        crash.point("create.posted")
        dropped += self._not_taken(number, ticket, queue, wishes, least)
        return Created(number, f"{self.config.url}/Ticket/Display.html?id={number}", dropped=tuple(dropped))

    def _post(self, fields: Mapping[str, Any]) -> str:
        answer = self.http.post("/ticket", fields)
        number = str(answer.get("id", "")) if isinstance(answer, dict) else ""
        if not number.isdigit():
            raise Ambiguous(f"{WHO} did not say which ticket it made. It is looked up", code="garbled")
        return number

    def description(self, ticket: NewTicket) -> str:
        """The citizen's words, then the facts, then the places with coordinates and a link to a map."""
        own = self.config
        return inert.description(
            ticket, own.place_label, own.map_url, quiet=lambda text: unfolded(inert.plain(text))
        )

    def _wishes(self, ticket: NewTicket, queue: Queue) -> tuple[dict[str, Any], list[str]]:
        """What to ask RT for, and what is not there to be asked for, in words."""
        routing = ticket.routing
        wishes: dict[str, Any] = {}
        what = {"tracker": routing.tracker, "category": routing.category}
        dropped = [f"{part}: {name}" for part, name in what.items() if name]
        if routing.assignee:
            owner = self.names.person(routing.assignee)
            if owner is None:
                dropped.append(f"assignee: {routing.assignee}")
            else:
                wishes["Owner"] = owner.id
        if routing.status:
            wishes["Status"] = routing.status
        if routing.priority:
            if self.priority(routing.priority):
                wishes["Priority"] = self.priority(routing.priority)
            else:
                dropped.append(f"priority: {routing.priority}")
        watchers = [(name, self.names.watcher(name)) for name in routing.watchers]
        dropped += [f"watcher: {name}" for name, who in watchers if who is None]
        if found := [who.to_add for _, who in watchers if who is not None]:
            wishes["AdminCc"] = found
        fields: dict[str, str] = {}
        for name, value in self.fields(ticket):
            number = self.names.field(queue, name)
            if number is None:
                dropped.append(f"field: {name}")
            else:
                fields[str(number)] = inert.one_line(value)[:_MOST_FIELD]
        if fields:
            wishes["CustomFields"] = fields
        return wishes, dropped

    def priority(self, name: str) -> str:
        """A priority as RT takes it, "" when it has none of that name: RT would keep any word."""
        if name.isascii() and name.isdigit():
            return name
        return next((p for p in self.config.priorities if norm(p) == norm(name)), "")

    def fields(self, ticket: NewTicket) -> list[tuple[str, str]]:
        """What goes into custom fields: the field and its value."""
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
        self,
        number: str,
        ticket: NewTicket,
        queue: Queue,
        wishes: Mapping[str, Any],
        least: Mapping[str, Any],
    ) -> list[str]:
        """Wishes that RT answered 201 to and did not fulfil."""
        try:
            there = self.http.get(f"/ticket/{number}")
        except ConnectorError:
            return ["could not be compared"]  # the ticket exists; nothing here may look like a failure
        routing, lost = ticket.routing, []
        if str(there["Queue"]["id"]) != str(queue.id):
            lost.append(f"queue: {routing.project}")
        if "Owner" in wishes and there["Owner"]["id"] != wishes["Owner"]:
            lost.append(f"assignee: {routing.assignee}")
        if "Status" in wishes and norm(str(there["Status"])) != norm(routing.status):
            lost.append(f"status: {routing.status}")
        priority = str(wishes.get("Priority", ""))
        if priority and not priority.isdigit() and norm(str(there.get("Priority"))) != norm(priority):
            lost.append(f"priority: {routing.priority}")
        if "AdminCc" in wishes:
            lost += [
                f"watcher: {who.name}" for who in self._watchers(routing.watchers) if not is_there(who, there)
            ]
        asked = {**least.get("CustomFields", {}), **wishes.get("CustomFields", {})}
        for name, _ in self.fields(ticket):
            field = self.names.field(queue, name, again=False)
            if field is not None and str(field) in asked and not _same(there, str(field), asked[str(field)]):
                lost.append(f"field: {name}")
        return lost

    def _watchers(self, names: tuple[str, ...]) -> list[Who]:
        return [who for who in map(self.names.watcher, names) if who is not None]


def is_there(who: Who, ticket: Mapping[str, Any]) -> bool:
    """Whether somebody watches a ticket."""
    return who.id in {str(w["id"]) for w in ticket.get("AdminCc") or ()}


def unfolded(text: str) -> str:
    """A text of which RT hides nothing: what looks like quoting to it, it shows as «Show quoted text»."""
    return _QUOTING.sub(inert.ZWSP, text)


def _bytes(text: str) -> int:
    return len(text.encode())


def _same(ticket: Mapping[str, Any], field: str, asked: str) -> bool:
    there = field_value(ticket, field)
    if there == asked:
        return True
    try:
        return abs(float(there) - float(asked)) < 1e-7
    except ValueError:
        return False
