"""The ledger: every message, in or out, ends in exactly one explained outcome."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .tables import message

_RANK = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}


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
    connection.execute(
        message.insert().values(
            town=town,
            direction="in",
            key=key,
            person_id=person_id,
            about=about,
            at=now,
            state=outcome,
            changed_at=now,
        )
    )


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
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(message)
        .values(
            town=town, direction="out", key=key, person_id=person_id, send_key=send_key, about=about or None, at=now,
            state=state, changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["town", "direction", "key"])
    )  # fmt: skip
    connection.execute(statement)


def find(connection: Connection, town: str, direction: str, key: str) -> str:
    """What that message is about (a reference or ``draft:<id>``), "" when unknown."""
    found = connection.execute(
        select(message.c.about).where(
            message.c.town == town, message.c.direction == direction, message.c.key == key
        )
    ).first()
    return str(found.about) if found is not None and found.about else ""


def advance(
    connection: Connection,
    *,
    town: str,
    key: str,
    send_key: str | None,
    state: str,
    error: str | None,
    now: float,
) -> bool:
    """A status arrived: states only move forward. False when the message is not known."""
    which = message.c.key == key
    if send_key:
        which = or_(which, message.c.send_key == send_key)
    row = connection.execute(
        select(message.c.id, message.c.state).where(
            message.c.town == town, message.c.direction == "out", which
        )
    ).first()
    if row is None:
        return False
    if _RANK.get(state, 0) > _RANK.get(row.state, 0):
        connection.execute(
            update(message).where(message.c.id == row.id).values(state=state, changed_at=now, error=error)
        )
    return True
