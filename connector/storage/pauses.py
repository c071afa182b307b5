"""Destinations that are left alone for a while, and why: kept in the database so that every replica knows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from .tables import pause


@dataclass(frozen=True, slots=True)
class Pause:
    """``destination`` is ``whatsapp`` or ``tracker``; times are Unix seconds."""

    town: str
    destination: str
    since: float
    until: float
    failures: int
    reason: str


def begin(
    connection: Connection, town: str, destination: str, reason: str, now: float, first: float, longest: float
) -> Pause:
    """Leave a destination alone; each time again, twice as long."""
    where = (pause.c.town == town, pause.c.destination == destination)
    old = connection.execute(select(pause).where(*where)).first()
    since, failures = (old.since, old.failures + 1) if old is not None else (now, 1)
    if old is not None and old.until > now:
        # several calls failed at the same moment: that is one failure
        failures = old.failures
    until = now + min(first * 2 ** (failures - 1), longest)
    values = {"since": since, "until": until, "failures": failures, "reason": reason}
    if old is None:
        connection.execute(pause.insert().values(town=town, destination=destination, **values))
    else:
        connection.execute(pause.update().where(*where).values(**values))
    return Pause(town, destination, since, until, failures, reason)


def lift(connection: Connection, town: str, destination: str) -> bool:
    """It works again. True when it was paused."""
    gone = connection.execute(delete(pause).where(pause.c.town == town, pause.c.destination == destination))
    return bool(gone.rowcount)


def every(connection: Connection) -> list[Pause]:
    """All destinations that are paused, or were until they are tried again."""
    rows = connection.execute(select(pause).order_by(pause.c.town, pause.c.destination))
    return [Pause(r.town, r.destination, r.since, r.until, r.failures, r.reason) for r in rows]
