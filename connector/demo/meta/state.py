"""What the stand-in remembers: people with their transcripts, and the ids it gives out. All in memory."""

from __future__ import annotations

import base64
import random
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
WINDOW_SECONDS = 24 * 3600

_INCOMING, _OUTGOING = 0x12, 0x11


@dataclass(eq=False)
class Message:
    """One message of a transcript.

    ``direction`` is ``"in"`` (from the person to the town hall) or ``"out"``; ``at`` Unix seconds;
    ``content`` the JSON fragment named by ``type``; ``status`` one of accepted, sent, delivered, read,
    failed; ``shown`` what a phone displays of a template (header, body, footer, buttons); ``callback`` is
    ``biz_opaque_callback_data``.
    """

    id: str
    direction: str
    at: float
    type: str
    content: Any
    status: str
    context: str | None = None
    callback: str | None = None
    category: str = "service"
    shown: Json | None = None
    error: int | None = None
    addressed: str = "to"

    def as_json(self) -> Json:
        """The message as the control API shows it."""
        return {
            "id": self.id,
            "direction": self.direction,
            "at": self.at,
            "type": self.type,
            "content": self.content,
            "status": self.status,
            "context": self.context,
            "callback": self.callback,
            "shown": self.shown,
            "error": self.error,
        }


@dataclass(eq=False)
class Person:
    """Somebody with WhatsApp. ``phone`` is digits without plus; ``hidden`` people show only their BSUID."""

    id: str
    name: str
    phone: str | None
    user_id: str
    hidden: bool = False
    username: str | None = None
    read_receipts: bool = True
    last_wrote: float | None = None
    messages: list[Message] = field(default_factory=list)

    @property
    def shown_phone(self) -> str | None:
        """The number as a business may see it: digits, or None."""
        return None if self.hidden else self.phone

    def as_json(self) -> Json:
        """The person as the control API shows it: with the number, as it is their own phone."""
        return {
            "id": self.id,
            "name": self.name,
            "phone": self.phone,
            "user_id": self.user_id,
            "hidden": self.hidden,
            "username": self.username,
            "messages": len(self.messages),
        }


class State:
    """People, messages by id, and numbers that are never given out twice.

    ``now`` gives Unix seconds. The lock guards everything here: tests call from another thread than the
    server's.
    """

    def __init__(self, now: Callable[[], float], seed: int | None) -> None:
        self.now = now
        self.random = random.Random(seed)
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.owners: dict[str, tuple[Person, Message]] = {}
        self._used: set[str] = set()

    def number(self, digits: int) -> str:
        """A decimal id with so many digits, never given out before."""
        while True:
            found = str(self.random.randrange(10 ** (digits - 1), 10**digits))
            if found not in self._used:
                self._used.add(found)
                return found

    def wamid(self, address: str, *, incoming: bool) -> str:
        """A message id in the form of real ones: base64 over bytes that contain the number or BSUID."""
        head = bytes([0x1C, 0x18, len(address)]) + address.encode("ascii")
        kind = _INCOMING if incoming else _OUTGOING
        key = "".join(self.random.choices("0123456789ABCDEF", k=20)).encode("ascii")
        raw = head + bytes([0x15, 0x02, 0x00, kind, 0x18, len(key)]) + key + b"\x00"
        return "wamid." + base64.b64encode(raw).decode("ascii")

    def user_id(self) -> str:
        """A new business-scoped user id."""
        return "ES." + self.number(20)

    def add_person(self, name: str, phone: str | None, hidden: bool = False) -> Person:
        """A new person. ``phone`` may be written with plus and spaces; a hidden person may have none.

        Raises ``ValueError`` when the number is missing, malformed or another person's.
        """
        digits = "".join(c for c in phone or "" if c.isdigit()) or None
        with self.lock:
            if digits is None and not hidden:
                raise ValueError("A person who is not hidden needs a phone number.")
            if digits is not None and not 7 <= len(digits) <= 15:
                raise ValueError("A phone number has 7 to 15 digits, with the country code in front.")
            if digits is not None and self.by_phone(digits, hidden=None):
                raise ValueError("Another person already has this number.")
            username = None
            if hidden:
                ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
                username = (
                    "".join(c if c.isalnum() else "." for c in ascii_name.lower()).strip(".") or "someone"
                )
            pid = f"p{len(self.people) + 1}"
            person = Person(pid, name, digits, self.user_id(), hidden, username)
            self.people[pid] = person
            return person

    def by_phone(self, digits: str, *, hidden: bool | None = False) -> Person | None:
        """Who has this number; ``hidden=None`` looks at everybody, False only at people who show it."""
        for person in self.people.values():
            if person.phone == digits and (hidden is None or person.hidden == hidden):
                return person
        return None

    def by_user_id(self, user_id: str) -> Person | None:
        """Who has this BSUID."""
        return next((p for p in self.people.values() if p.user_id == user_id), None)

    def add_message(self, person: Person, message: Message) -> None:
        """Append to a transcript and index by id; an incoming message opens the customer service window."""
        person.messages.append(message)
        self.owners[message.id] = (person, message)
        if message.direction == "in" and message.type != "system":
            person.last_wrote = message.at

    def window_open(self, person: Person) -> bool:
        """Whether free-form messages may still be sent: within 24 hours after the person's last message."""
        return person.last_wrote is not None and self.now() - person.last_wrote < WINDOW_SECONDS
