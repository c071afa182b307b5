"""Where reading a source has got to, by town and name."""

from __future__ import annotations

from sqlalchemy import Connection, select

from .dialect import upsert
from .tables import cursor

EVERYWHERE = "*"
"""Instead of a town: what concerns the whole database."""


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
    upsert(connection, cursor, {"town": town, "name": name}, {"value": value, "at": now})


def signs(connection: Connection) -> dict[str, dict[str, float]]:
    """When each cursor of each town was last written (Unix seconds): ``{town: {"poll": …, "webhook": …}}``."""
    found: dict[str, dict[str, float]] = {}
    query = select(cursor.c.town, cursor.c.name, cursor.c.at).where(cursor.c.town != EVERYWHERE)
    for row in connection.execute(query):
        found.setdefault(row.town, {})[row.name] = float(row.at)
    return found
