"""Which services run on a database, and which key each of them encrypts with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from .dialect import upsert
from .tables import process

GONE = 90.0
"""Seconds without a sign after which a service counts as gone; it gives one every thirty."""


@dataclass(frozen=True, slots=True)
class Process:
    """A service: the machine's name, its process id there, the fingerprint of its key, its last sign (Unix seconds)."""

    host: str
    pid: int
    key: str
    at: float


def sign(connection: Connection, name: str, host: str, pid: int, key: str, now: float) -> None:
    """The service ``name`` runs, and encrypts with the key of that fingerprint."""
    connection.execute(delete(process).where(process.c.at < now - GONE))
    upsert(connection, process, {"id": name}, {"host": host, "pid": pid, "key": key, "at": now})


def leave(connection: Connection, name: str) -> None:
    """The service stops."""
    connection.execute(delete(process).where(process.c.id == name))


def running(connection: Connection, now: float) -> list[Process]:
    """The services that gave a sign lately."""
    query = select(process).where(process.c.at >= now - GONE).order_by(process.c.host, process.c.pid)
    return [Process(r.host, r.pid, r.key, r.at) for r in connection.execute(query)]
