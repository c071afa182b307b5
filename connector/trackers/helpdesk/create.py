"""Making a ticket, and comparing what was asked with what it became."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected
from connector.core.ticket import Created, NewTicket
from connector.toolkit import crash
from connector.trackers import inert
from connector.trackers.similar import norm

from . import markup
from .config import Config
from .http import WHO, Connection, Refused
from .names import Names

LONGEST_TITLE = 200
"""Characters; a longer title is refused."""


class Creator:
    """Posts tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self._config = config
        self._http = connection
        self._names = names

    def create(self, ticket: NewTicket) -> Created:
        """Posts the ticket; see the port. ``dropped`` also names what could not be resolved.

        django-helpdesk answers 201 and leaves out the status and what it does not know; a number or value that is not
        there is 400, without anything written: then the ticket is posted once more with the wishes left out. Privacy is
        no wish.
        """
        if ticket.routing.private:
            raise Rejected(
                f"{WHO} has no private tickets: give such requests a queue that only those see who may",
                code="private",
            )
        queue = self._names.queue(ticket.routing.project)
        wishes, dropped = self._wishes(ticket)
        least: dict[str, Any] = {
            "queue": queue,
            "title": inert.subject(ticket.subject or ticket.words, ticket.reference, LONGEST_TITLE),
            "description": self.description(ticket),
            "priority": self._names.priority(""),
        }
        reference = self._config.reference_field and self._names.field(self._config.reference_field)
        if reference:
            least[reference.key] = ticket.reference
        try:
            made = self._post({**least, **wishes})
        except Refused as refusal:
            if "queue" in refusal.fields:
                raise Forbidden(
                    f"{WHO} does not let our account make tickets in «{ticket.routing.project}»: give it the right "
                    "«Permission for queue», or correct the number in tracker.queues",
                    code="queue",
                ) from None
            if not wishes:
                raise
            try:
                made = self._post(least)
            except Rejected:
                raise refusal from None
            dropped.append(f"all but queue and reference: {refusal}")
            wishes = {}
        crash.point("create.posted")
        number = str(made["id"])
        dropped += self._not_taken(made, {**least, **wishes}, ticket)
        if ticket.routing.status and not self._give_status(made, ticket.routing.status):
            dropped.append(f"status: {ticket.routing.status}")
        return Created(number, f"{self._config.url}/tickets/{number}/", dropped=tuple(dropped))

    def _post(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        made = self._http.post("/tickets/", fields)
        if not isinstance(made.get("id"), int):
            raise Ambiguous(f"{WHO} did not say which ticket it made. It is looked up", code="garbled")
        return made

    def description(self, ticket: NewTicket) -> str:
        """The citizen's words, then the facts, then the places with coordinates and a link to a map."""
        parts = [markup.markdown(ticket.words)]
        parts += [markup.fact(label, value) for label, value in ticket.facts]
        for place in ticket.places:
            lat, lon = f"{place.latitude:.8f}", f"{place.longitude:.8f}"
            said = ", ".join(x for x in (place.name, place.address) if x.strip())
            where = f"{said} ({lat}, {lon})" if said else f"{lat}, {lon}"
            parts.append(markup.fact(self._config.place_label, where))
            parts.append(markup.link(self._config.map_url.format(latitude=lat, longitude=lon)))
        # an empty description is refused
        return "\n\n".join(p for p in parts if p.strip()) or "-"

    def _wishes(self, ticket: NewTicket) -> tuple[dict[str, Any], list[str]]:
        """What to ask for, and what is not there to be asked for, in words."""
        routing = ticket.routing
        wishes: dict[str, Any] = {}
        what = {"tracker": routing.tracker, "category": routing.category}
        dropped = [f"{part}: {name}" for part, name in what.items() if name]
        dropped += [f"watcher: {name}" for name in routing.watchers]
        for part, key, name, number in (
            ("assignee", "assigned_to", routing.assignee, self._names.person(routing.assignee)),
            ("priority", "priority", routing.priority, self._names.priority(routing.priority)),
        ):
            if name and number is None:
                dropped.append(f"{part}: {name}")
            elif name:
                wishes[key] = number
        for name, value in self._fields(ticket):
            field = self._names.field(name) or self._names.field(name, fresh=True)
            if field is None:
                dropped.append(f"field: {name}")
            else:
                wishes[field.key] = field.taken(inert.one_line(value))
        return wishes, dropped

    def _fields(self, ticket: NewTicket) -> list[tuple[str, str]]:
        """What goes into custom fields: the field and its value."""
        config, found = self._config, list(ticket.routing.fields)
        if ticket.places:
            place = ticket.places[0]
            found += [
                (config.latitude_field, f"{place.latitude:.8f}"),
                (config.longitude_field, f"{place.longitude:.8f}"),
                (config.address_field, place.address or place.name),
            ]
        found.append((config.reference_field, ticket.reference))
        return [(name, value) for name, value in found if name and value]

    def _not_taken(self, made: Mapping[str, Any], asked: Mapping[str, Any], ticket: NewTicket) -> list[str]:
        """What the answer, which is the ticket as it was kept, has otherwise than it was asked."""
        said = {
            "assigned_to": f"assignee: {ticket.routing.assignee}",
            "queue": f"queue: {ticket.routing.project}",
        }
        said |= {"priority": f"priority: {ticket.routing.priority}"}
        keys = set(asked) - {"title", "description"}
        lost = [key for key in sorted(keys) if not _same(made.get(key), asked[key])]
        called = {field.key: f"field: {field.label}" for field in self._names.form().fields} | said
        dropped = [called.get(key, key) for key in lost]
        opening = min(made.get("followup_set") or [{"id": 0}], key=lambda row: int(row["id"]))
        if opening.get("user", self._config.account) != self._config.account:
            dropped.append(f"tracker.account is {self._config.account}, our account is {opening['user']}")
        return dropped

    def _give_status(self, made: Mapping[str, Any], name: str) -> bool:
        """A new ticket is open, whatever was asked. The ticket exists: nothing here may look like a failure."""
        try:
            wanted = self._names.status(name)
            if wanted is None or made["status"] == wanted:
                return wanted is not None
            path, narrow = f"/tickets/{made['id']}/", {"status": str(made["status"])}
            return bool(self._http.patch(path, {"status": wanted}, narrow)["status"] == wanted)
        except ConnectorError:
            return False


def _same(there: Any, asked: Any) -> bool:
    if norm(str(there)) == norm(str(asked)):
        return True
    try:
        return abs(float(there) - float(asked)) < 1e-7
    except (TypeError, ValueError):
        return False
