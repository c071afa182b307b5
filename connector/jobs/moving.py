"""A person has another number or user id: followed, and what WhatsApp did not deliver to the former one goes to the new one."""

from __future__ import annotations

from typing import Any

from connector.core.address import Address
from connector.storage import given_up, people
from connector.storage.people import Person
from connector.storage.store import Connection

from .runtime import Runtime

UNDELIVERABLE = "131026"
"""Meta's code for a message to somebody who is not there (CLOUD-API.md 10): a former address answers so, too."""

LASTING = ("say:answer:", "receipt-say:", "number:")
"""Keys of what is still worth saying later: answers, receipts, the ticket's number."""


def follow(connection: Connection, rt: Runtime, person: Person, new: Address, now: float) -> bool:
    """From now on the person is reached at ``new``. False, and nothing changes, when somebody else already is.

    The answers and receipts that failed because nobody was at the former address are sent again; what the conversation
    said then is out of date.
    """
    if not people.move(connection, rt.store.pseudonyms, rt.store.sealer, person, new):
        return False
    current = people.get(connection, rt.store.sealer, person.id).address
    if current is not None:
        known = {"user_id": current.user_id, "phone": current.phone}
        for row_id in given_up.of_lane(connection, f"out:{person.id}", UNDELIVERABLE, LASTING):
            # WhatsApp has said that it did not deliver it
            given_up.reopen_with(connection, rt.store.sealer, row_id, "send", now, untried=True, **known)
    return True


def since(connection: Connection, rt: Runtime, payload: dict[str, Any]) -> dict[str, str | None] | None:
    """The address (``user_id``, ``phone``) to put into a send's payload, when its person has moved since that was written."""
    current = people.get(connection, rt.store.sealer, int(payload["person"])).address
    if current is None:
        return None
    pairs = ((payload["user_id"], current.user_id), (payload["phone"], current.phone))
    moved = any(old and new and old != new for old, new in pairs)
    return {"user_id": current.user_id, "phone": current.phone} if moved else None
