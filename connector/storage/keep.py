"""Values that are made once for the whole database and shared by all replicas, each sealed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from connector.toolkit.privacy import Sealer, WrongKey

from .dialect import insert_once, upsert
from .tables import keep


def find(connection: Connection, sealer: Sealer, name: str) -> bytes | None:
    """The value, None when there is none or when the key it was sealed with is gone."""
    row = connection.execute(select(keep.c.value).where(keep.c.name == name)).first()
    try:
        return None if row is None else sealer.open_bytes(row.value, name)
    except WrongKey:
        return None


def make(connection: Connection, sealer: Sealer, name: str, value: Callable[[], bytes]) -> bytes:
    """The value, made now where there is none; another replica may be faster, then it is theirs."""
    insert_once(connection, keep, ["name"], {"name": name, "value": sealer.seal_bytes(value(), name)})
    found = find(connection, sealer, name)
    if found is not None:
        return found
    return replace(connection, sealer, name, value())


def replace(connection: Connection, sealer: Sealer, name: str, value: bytes) -> bytes:
    """Put another value in its place."""
    upsert(connection, keep, {"name": name}, {"value": sealer.seal_bytes(value, name)})
    return value
