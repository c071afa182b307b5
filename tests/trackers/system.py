"""What the contract of the port ``Tracker`` needs of a ticket system besides the port: its staff, and its
ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from connector.core.errors import ConnectorError, Forbidden
from connector.core.ports import Tracker
from connector.core.ticket import Changes, NewTicket, Routing, Upload

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Staff(Protocol):
    """Somebody at the town hall who works in the ticket system, by its own means."""

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        """A public note, perhaps with a status (by name) and a file at once."""

    def note_internally(self, ticket_id: str, text: str) -> None: ...
    def close(self, ticket_id: str) -> None: ...
    def delete(self, ticket_id: str) -> None: ...
    def move_out_of_sight(self, ticket_id: str) -> None: ...
    def open_with_reference(self, reference: str) -> str:
        """A ticket made by hand that carries a reference of ours; its id."""

    def public_notes(self, ticket_id: str) -> list[str]: ...
    def subject(self, ticket_id: str) -> str: ...


class Ours:
    """The core's tickets, as ``ports.Known``; ``take`` remembers the marks, as the core does."""

    def __init__(self, *ticket_ids: str) -> None:
        self._marks = dict.fromkeys(ticket_ids, "")

    def __contains__(self, ticket_id: object) -> bool:
        return ticket_id in self._marks

    def watched(self) -> Mapping[str, str]:
        return dict(self._marks)

    def take(self, changes: Changes) -> Changes:
        self._marks.update((t.ticket_id, t.mark) for t in changes.tickets)
        return changes


@dataclass
class System:
    """One ticket system under test. ``broken`` makes trackers that are configured or entitled wrongly:

    ``wrong_key``, ``no_private_notes`` (an account without that right), ``unknown_filter`` (a reference field
    that does not exist).
    """

    tracker: Tracker
    broken: Callable[[str], Tracker]
    staff: Staff
    routing: Routing
    wait: Callable[[float], None]
    """Lets seconds pass, for the tracker's clock and, where there is a server, for real."""
    new_second: Callable[[], None]
    """Waits for the beginning of a second of the server's clock, where there is a server."""
    flag_status: str
    """A status that a new ticket may be given and does not have."""
    flag_watcher: str
    """Somebody who may watch a ticket and does not yet, by name; "" where our account can make nobody watch."""
    closed_status: str
    """The status in which ``staff.close`` leaves a ticket."""
    right_to_internal_notes: str
    """What a finding says when ``no_private_notes`` lacks it."""
    mistakes: tuple[tuple[str, object, str], ...]
    """Parts of a routing with a wrong value, and what ``verify`` is to propose instead ("" for nothing)."""
    refused_value: tuple[str, str]
    """A custom field and a value that the server does not take for it."""
    refused_file: Upload
    refused_why: str
    """A file the server refuses, and a word of the sentence that says so."""
    salt: str
    """Makes references new on a server that keeps what earlier runs made."""
    longest_subject: int = 255
    takes_empty_files: bool = True
    out_of_sight: type[ConnectorError] = Forbidden
    """What reading a ticket raises that was moved where our account sees none: ``Gone`` where the server says the same of
    one that was deleted."""

    def reference(self, name: str) -> str:
        digits = hashlib.sha256(f"{self.salt} {name}".encode()).digest()
        code = "".join(_ALPHABET[d % len(_ALPHABET)] for d in digits[:6])
        return f"SCV-{code[:4]}-{code[4:]}"

    def ticket(self, name: str, **changes: object) -> NewTicket:
        fields: dict[str, object] = {
            "reference": self.reference(name),
            "routing": self.routing,
            "subject": "Hi ha un forat a la vorera",
            "words": "Hi ha un forat a la vorera.",
        }
        return NewTicket(**{**fields, **changes})  # type: ignore[arg-type]
