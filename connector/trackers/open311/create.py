"""Sending in a service request, and comparing what was asked with what it became."""

from __future__ import annotations

import re

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected
from connector.core.ticket import Created, NewTicket
from connector.toolkit import crash
from connector.trackers import inert

from .config import IN_WORDS, Config
from .http import WHO, Connection, Form, text
from .services import Service, Services
from .view import PENDING, path_of

LONGEST = 4000
"""Characters of a description, by the standard."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LEFT = 200
"""Characters of the citizen's words that are kept whatever else has to stand under them."""


class Creator:
    """Sends requests in over one connection."""

    def __init__(self, config: Config, connection: Connection, services: Services) -> None:
        self.config = config
        self.http = connection
        self.services = services

    def create(self, ticket: NewTicket) -> Created:
        """Send the request in; see the port. ``dropped`` also names what the standard has no word for.

        A server that refuses it (400) refuses it whole: it is sent once more, without the attributes nobody has to
        give. A token instead of a number comes back as a ticket that is ``pending``.
        """
        if ticket.routing.private:
            raise Rejected(
                f"{WHO} has no private requests: everybody may read them. Take private out of this route, or send "
                "these requests elsewhere",
                code="private",
            )
        service = self.services.get(ticket.routing.project)
        least, wishes, dropped = self._form(ticket, service)
        try:
            row = self._send({**least, **wishes})
        except Rejected as refusal:
            if not wishes:
                raise
            try:
                row = self._send(least)
            except Rejected:
                raise refusal from None
            dropped.append(f"all attributes that are not required: {refusal}")
        crash.point("create.posted")
        number, token = text(row, "service_request_id"), text(row, "token")
        if not number and token:
            return Created(f"{PENDING}{token}", "", dropped=tuple(dropped), pending=True)
        if not number:
            raise Ambiguous(f"{WHO} did not say which request it made. Look for it there", code="garbled")
        dropped += self._not_taken(number, service)
        return Created(
            number, f"{self.config.url}/{path_of(number)}.{self.config.format}", dropped=tuple(dropped)
        )

    def _send(self, form: Form) -> dict[str, object]:
        try:
            rows = self.http.send("requests", form)
        except Gone:
            raise Forbidden(
                f"{WHO} does not know the service or the jurisdiction. Check the code in the mapping and "
                "tracker.jurisdiction",
                code="service",
            ) from None
        return rows[0] if rows else {}

    def _form(
        self, ticket: NewTicket, service: Service
    ) -> tuple[dict[str, str | list[str]], dict[str, str | list[str]], list[str]]:
        """What has to be sent, what is sent if it can be, and what cannot, in words."""
        routing = ticket.routing
        said = {
            "tracker": routing.tracker,
            "assignee": routing.assignee,
            "category": routing.category,
            "priority": routing.priority,
            "status": routing.status,
        }
        dropped = [f"{part}: {name}" for part, name in said.items() if name]
        dropped += [f"watcher: {name}" for name in routing.watchers]
        form: dict[str, str | list[str]] = {
            "service_code": service.code,
            "description": self.description(ticket),
            **self._place(ticket),
        }
        wishes: dict[str, str | list[str]] = {}
        attributes = {a.code: a for a in self.services.attributes(service)}
        for name, value in self.fields(ticket):
            attribute = attributes.get(name)
            key = attribute.key_of(inert.one_line(value)) if attribute else None
            if attribute is None or key is None:
                dropped.append(f"field: {name}")
                continue
            where = form if attribute.required else wishes
            if attribute.several:
                where[f"attribute[{name}][]"] = [key]
            else:
                where[f"attribute[{name}]"] = key
        return form, wishes, dropped

    def fields(self, ticket: NewTicket) -> list[tuple[str, str]]:
        """What goes into attributes: code and value."""
        own = self.config.reference_field
        reference = [(own, ticket.reference)] if own != IN_WORDS else []
        return [(name, value) for name, value in (*ticket.routing.fields, *reference) if name and value]

    def _place(self, ticket: NewTicket) -> dict[str, str]:
        if not ticket.places:
            return {"address_string": self.config.without_place} if self.config.without_place else {}
        place = ticket.places[0]
        found = {"lat": f"{place.latitude:.8f}", "long": f"{place.longitude:.8f}"}
        address = inert.one_line(place.address or place.name)
        return {**found, "address_string": address} if address else found

    def description(self, ticket: NewTicket) -> str:
        """The citizen's words, then the facts, further places, and the reference, which is always whole and last."""
        below = [
            f"{inert.label(label)}: {_harmless(inert.one_line(value)) or '-'}"
            for label, value in ticket.facts
        ]
        for place in ticket.places:
            lat, lon = f"{place.latitude:.8f}", f"{place.longitude:.8f}"
            said = ", ".join(_harmless(inert.one_line(x)) for x in (place.name, place.address) if x.strip())
            where = f"{said} ({lat}, {lon})" if said else f"{lat}, {lon}"
            link = self.config.map_url.format(latitude=lat, longitude=lon)
            below.append(f"{inert.label(self.config.place_label)}: {where}\n{link}")
        tail = f"\n\n[{ticket.reference}]"
        under = "".join(f"\n\n{part}" for part in below)[: LONGEST - len(tail) - _LEFT]
        words = _harmless(ticket.words)
        room = LONGEST - len(tail) - len(under)
        if len(words) > room:
            words = words[: room - len(inert.CUT) - 1].rstrip() + f"\n{inert.CUT}"
        return (words + under + tail).strip()

    def _not_taken(self, number: str, service: Service) -> list[str]:
        """What the server answered that it took, and did not."""
        try:
            rows = self.http.rows(path_of(number))
        except ConnectorError:
            return ["could not be compared"]  # it exists; nothing here may look like a failure
        there = next((row for row in rows if text(row, "service_request_id") == number), None)
        if there is None:
            return ["could not be compared"]
        return [] if text(there, "service_code") == service.code else [f"service: {service.code}"]


def _harmless(words: str) -> str:
    """Text without links, and without anything that becomes an element on a page that shows it as it is."""
    return _TAG.sub(f"<{inert.ZWSP}", inert.plain(words))
