"""The adapter on the stand-in, as the contract needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.core.ticket import Routing, Upload
from connector.trackers.open311 import Config, Open311Tracker

from ..system import System
from .standin import JURISDICTION, KEY, Standin

ROUTING = Routing(project="VIA", fields=(("BARRI", "Centre"), ("MATERIAL", "Asfalt")))


def tracker(url: str, **changes: Any) -> Open311Tracker:
    """The adapter as the stand-in wants it configured."""
    settings = {
        "url": url, "api_key": KEY, "jurisdiction": JURISDICTION, "reference_field": "REF", "without_place": "Sant Cebrià",
        "answers": "updates",
    }  # fmt: skip
    return Open311Tracker(Config(**{**settings, **changes}))


class Somebody:
    """Somebody at the server, by the contract's words for what staff do."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        media = f"https://fitxers.example/{file[0]}" if file else ""
        self.standin.update(ticket_id, text, status or "OPEN", media=media)

    def close(self, ticket_id: str) -> None:
        self.standin.close(ticket_id)

    def delete(self, ticket_id: str) -> None:
        self.standin.delete(ticket_id)

    def public_notes(self, ticket_id: str) -> list[str]:
        return [u["description"] for u in self.standin.updates if u["service_request_id"] == ticket_id]

    def subject(self, ticket_id: str) -> str:
        return str(self.standin.requests[ticket_id]["description"])

    def note_internally(self, ticket_id: str, text: str) -> None:
        raise AssertionError("there are no internal notes")

    def move_out_of_sight(self, ticket_id: str) -> None:
        self.standin.delete(ticket_id)

    def open_with_reference(self, reference: str) -> str:
        raise AssertionError("nobody can search for it")


def system(standin: Standin, url: str, wait: Callable[[float], None]) -> System:
    """The stand-in under the contract."""

    def broken(how: str) -> Open311Tracker:
        changes = {"wrong_key": {"api_key": "wrong"}, "unknown_filter": {"reference_field": "REFF"}}
        return tracker(url, **changes.get(how, {}))

    return System(
        tracker=tracker(url),
        broken=broken,
        staff=Somebody(standin),
        routing=ROUTING,
        wait=wait,
        new_second=lambda: None,
        flag_status="closed",
        flag_watcher="Ningú",
        closed_status="closed",
        right_to_internal_notes="",
        mistakes=(("assignee", "Ningú Conegut", ""), ("watchers", ("Ningú",), "")),
        refused_value=("BARRI", "Barri que no existeix"),
        refused_file=Upload("foto.jpg", "image/jpeg", b"x"),
        refused_why="addresses",
        salt="open311",
        longest_subject=4000,
    )
