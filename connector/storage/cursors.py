"""Where reading a source has got to, by town and name."""

from __future__ import annotations

from sqlalchemy import Connection, select

from .tables import cursor


def get(connection: Connection, town: str, name: str) -> str | None:
    """The cursor, or None before the first time."""
    found = connection.execute(
        select(cursor.c.value).where(cursor.c.town == town, cursor.c.name == name)
    ).first()
    return None if found is None else str(found.value)


def age(connection: Connection, town: str, name: str) -> float | None:
    """When the cursor was last written (Unix seconds)."""
    found = connection.execute(
        select(cursor.c.at).where(cursor.c.town == town, cursor.c.name == name)
    ).first()
    return None if found is None else float(found.at)


def save(connection: Connection, town: str, name: str, value: str, now: float) -> None:
    """Store the cursor, in the transaction of what was read with it."""
    where = (cursor.c.town == town, cursor.c.name == name)
    if not connection.execute(cursor.update().where(*where).values(value=value, at=now)).rowcount:
        connection.execute(cursor.insert().values(town=town, name=name, value=value, at=now))
