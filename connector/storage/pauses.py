"""Destinations that are left alone for a while, and why: kept in the database so that every replica knows.

A row begins as a count of failures in a row; it is a pause once its ``until`` lies after its ``since``. When that
has passed, single calls probe the destination, and the first success removes the row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, select

from .dialect import upsert
from .tables import pause

_FOR_GOOD = 3650 * 86_400.0
"""Seconds that no time of its own ends."""


@dataclass(frozen=True, slots=True)
class Pause:
    """``destination`` is ``whatsapp``, ``tracker``, ``clamd`` or ``mapping``, ``cause`` ``refused`` or ``outage``; times are Unix
    seconds."""

    town: str
    destination: str
    since: float
    until: float
    failures: int
    reason: str
    cause: str


def _save(connection: Connection, new: Pause) -> None:
    values = asdict(new)
    where = {name: values.pop(name) for name in ("town", "destination")}
    upsert(connection, pause, where, values)


_ONE = (
    select(pause)
    .where(pause.c.town == bindparam("of"), pause.c.destination == bindparam("to"))
    .with_for_update()
)
_EVERY = select(pause).where(pause.c.until > pause.c.since).order_by(pause.c.town, pause.c.destination)


def _get(connection: Connection, town: str, destination: str) -> Pause | None:
    r = connection.execute(_ONE, {"of": town, "to": destination}).first()
    return (
        None if r is None else Pause(r.town, r.destination, r.since, r.until, r.failures, r.reason, r.cause)
    )


def begin(
    connection: Connection,
    town: str,
    destination: str,
    reason: str,
    now: float,
    pace: tuple[float, float],
    cause: str,
    seconds: float | None = None,
) -> Pause:
    """Leave a destination alone: for ``seconds``, or for the first of ``pace`` and each time again twice as long.

    Never longer than the second of ``pace``, except when ``seconds`` says so.
    """
    old = _get(connection, town, destination)
    paused = old is not None and old.until > old.since
    since = old.since if old is not None and paused else now
    failures = old.failures + 1 if old is not None and paused else 1
    if old is not None and old.until > now:
        # several calls failed at the same moment: that is one failure
        failures = old.failures
    until = now + (min(pace[0] * 2 ** (failures - 1), pace[1]) if seconds is None else seconds)
    if old is not None and paused:
        until = max(until, old.until)
    # a microsecond at least: a pause is told from a count by its length
    new = Pause(town, destination, since, max(until, since + 1e-3), failures, reason, cause)
    _save(connection, new)
    return new


def stumble(
    connection: Connection,
    town: str,
    destination: str,
    reason: str,
    now: float,
    most: int,
    paces: Mapping[str, tuple[float, float]],
    cause: str,
) -> Pause | None:
    """Count a failure; from ``most`` in a row on (or when a probe failed) it is a pause, which is returned.

    ``paces``: as ``begin`` takes one, for each cause.
    """
    old = _get(connection, town, destination)
    if old is not None and old.until > old.since:
        if old.until > now:
            return None  # a call that was under way when the pause began
        return begin(connection, town, destination, reason, now, paces[old.cause], old.cause)
    failures = 1 if old is None else old.failures + 1
    if failures >= most:
        return begin(connection, town, destination, reason, now, paces[cause], cause)
    _save(connection, Pause(town, destination, now, now, failures, reason, cause))
    return None


def lift(
    connection: Connection, town: str, destination: str, causes: Collection[str], now: float
) -> Pause | None:
    """It works again, as far as ``causes`` go. Returns the pause, or the count of failures, that this ends.

    A pause that has not passed stays: what succeeds now was under way when it began.
    """
    old = _get(connection, town, destination)
    if old is None or old.cause not in causes or (old.until > old.since and old.until > now):
        return None
    connection.execute(delete(pause).where(pause.c.town == town, pause.c.destination == destination))
    return old


def refuse(connection: Connection, town: str, destination: str, reason: str, now: float) -> None:
    """Something of ours is not taken until a person has mended it; ``since`` stays when that was so before."""
    old = _get(connection, town, destination)
    since = now if old is None else old.since
    _save(connection, Pause(town, destination, since, since + _FOR_GOOD, 1, reason, "refused"))


def accept(connection: Connection, town: str, destination: str) -> None:
    """What was refused is mended."""
    connection.execute(delete(pause).where(pause.c.town == town, pause.c.destination == destination))


def every(connection: Connection) -> list[Pause]:
    """All destinations that are paused, or were until they are tried again."""
    rows = connection.execute(_EVERY)
    return [Pause(r.town, r.destination, r.since, r.until, r.failures, r.reason, r.cause) for r in rows]
