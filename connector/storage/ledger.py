"""The ledger: every message, in or out, ends in exactly one explained outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, select, update

from .dialect import insert_once
from .tables import message

_RANK = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}
_ARRIVED = frozenset({"delivered", "read", "played"})


_INSERT = message.insert().inline()
# Asked for each status that WhatsApp tells, so built once.
_OURS = (message.c.town == bindparam("of"), message.c.direction == "out")
_ABOUT = select(message.c.about).where(
    message.c.town == bindparam("of"),
    message.c.direction == bindparam("way"),
    message.c.key == bindparam("code"),
)
_STATE = select(message.c.id, message.c.state).where(*_OURS, message.c.key == bindparam("code"))
_NEWEST = (
    select(message.c.id, message.c.state)
    .where(*_OURS, message.c.send_key == bindparam("sent"))
    .order_by(message.c.id.desc())
)
_MOVE = (
    update(message)
    .where(message.c.id == bindparam("row"))
    .values(state=bindparam("to"), changed_at=bindparam("at_"), error=bindparam("why"))
)


def note_in(
    connection: Connection,
    *,
    town: str,
    key: str,
    person_id: int | None,
    outcome: str,
    about: str | None,
    now: float,
) -> None:
    """A citizen's message and its outcome; ``key`` is the pseudonym of its id."""
    values = {
        "town": town, "direction": "in", "key": key, "person_id": person_id, "about": about, "at": now,
        "state": outcome, "changed_at": now,
    }  # fmt: skip
    connection.execute(_INSERT, values)


def about_in(connection: Connection, town: str, keys: tuple[str, ...], reference: str) -> None:
    """These messages became a request."""
    connection.execute(
        update(message)
        .where(message.c.town == town, message.c.direction == "in", message.c.key.in_(keys))
        .values(about=reference)
    )


def note_out(
    connection: Connection,
    *,
    town: str,
    key: str,
    person_id: int,
    send_key: str,
    about: str,
    state: str,
    now: float,
) -> None:
    """A message Meta accepted; ``send_key`` is the key of the work row that sent it. Once each."""
    values = {
        "town": town, "direction": "out", "key": key, "person_id": person_id, "send_key": send_key,
        "about": about or None, "at": now, "state": state, "changed_at": now,
    }  # fmt: skip
    insert_once(connection, message, ["town", "direction", "key"], values)


def find(connection: Connection, town: str, direction: str, key: str) -> str:
    """What that message is about (a reference or ``draft:<id>``), "" when unknown."""
    found = connection.execute(_ABOUT, {"of": town, "way": direction, "code": key}).first()
    return str(found.about) if found is not None and found.about else ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What WhatsApp last said of a message of ours, and when (Unix seconds)."""

    state: str
    at: float
    error: str


def delivery(connection: Connection, town: str, send_key: str) -> Delivery | None:
    """What became of the newest try of that send; None when WhatsApp has not taken any."""
    found = connection.execute(
        select(message.c.state, message.c.at, message.c.changed_at, message.c.error)
        .where(message.c.town == town, message.c.direction == "out", message.c.send_key == send_key)
        .order_by(message.c.id.desc())
    ).first()
    return None if found is None else Delivery(found.state, found.changed_at or found.at, found.error or "")


def advance(
    connection: Connection,
    *,
    town: str,
    key: str,
    send_key: str | None,
    state: str,
    error: str | None,
    now: float,
) -> Literal["unknown", "same", "moved"]:
    """A status arrived: states only move forward, and what was delivered does not fail any more.

    ``failed`` can follow ``delivered`` for people with several devices: it then speaks of one of them
    (CLOUD-API.md 2.1).
    """
    row = connection.execute(_STATE, {"of": town, "code": key}).first()
    if row is None and send_key and state != "failed":
        # a try whose answer was lost and that went out again: what is said of either is said of the newest
        row = connection.execute(_NEWEST, {"of": town, "sent": send_key}).first()
    if row is None:
        return "unknown"
    if _RANK.get(state, 0) <= _RANK.get(row.state, 0) or (state == "failed" and row.state in _ARRIVED):
        return "same"
    connection.execute(_MOVE, {"row": row.id, "to": state, "at_": now, "why": error})
    return "moved"
