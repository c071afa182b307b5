"""Rows looked at from outside their own turn: what waits under a key or in a lane, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, update
from sqlalchemy import Row as Found

from connector.toolkit.privacy import Sealer

from .tables import work
from .work import _news


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of work; ``outcome`` is None while it is open. Times are Unix seconds."""

    id: int
    lane: str
    created_at: float
    ended_at: float | None
    outcome: str | None
    error: str
    payload: dict[str, Any]
    key: str = ""
    tried_at: float | None = None


_COLUMNS = (
    work.c.id, work.c.lane, work.c.created_at, work.c.ended_at, work.c.outcome, work.c.error, work.c.key,
    work.c.tried_at,
)  # fmt: skip


def _row(sealer: Sealer | None, found: Found[Any]) -> Waiting:
    sealed = found.payload if sealer is not None else None
    payload = sealer.open(sealed) if sealer is not None and sealed is not None else {}
    return Waiting(
        found.id, found.lane, found.created_at, found.ended_at, found.outcome, found.error or "", payload,
        found.key or "", found.tried_at,
    )  # fmt: skip


def _open() -> Select[Any]:
    return select(*_COLUMNS, work.c.payload).where(work.c.ended_at.is_(None))


def by_key(connection: Connection, sealer: Sealer, key: str, *, lock: bool = False) -> Waiting | None:
    """The open row of that key. With ``lock`` nobody else ends it until this transaction is over."""
    query = _open().where(work.c.key == key)
    found = connection.execute(query.with_for_update() if lock else query).first()
    return None if found is None else _row(sealer, found)


def in_lane(connection: Connection, sealer: Sealer, lane: str, before: float) -> list[Waiting]:
    """The open rows of a lane that are due before then, in order."""
    query = _open().where(work.c.lane == lane, work.c.due_at <= before).order_by(work.c.id)
    return [_row(sealer, found) for found in connection.execute(query)]


def state_of(connection: Connection, key: str) -> Waiting | None:
    """The row of that key, open or ended, without its content."""
    found = connection.execute(select(*_COLUMNS).where(work.c.key == key)).first()
    return None if found is None else _row(None, found)


def count(connection: Connection, prefix: str) -> int:
    """How many rows have a key that begins like this (it holds no ``%`` and no ``_``)."""
    query = select(func.count()).select_from(work).where(work.c.key.startswith(prefix, autoescape=True))
    return int(connection.execute(query).scalar_one())


def under(connection: Connection, sealer: Sealer, prefix: str, now: float) -> list[Waiting]:
    """The open rows whose key begins like this and that nobody has in hand, in order."""
    free = or_(work.c.lease_until.is_(None), work.c.lease_until < now)
    query = _open().where(work.c.key.startswith(prefix, autoescape=True), free).order_by(work.c.id)
    return [_row(sealer, found) for found in connection.execute(query)]


def any_under(connection: Connection, prefix: str) -> bool:
    """Whether a row whose key begins like this is open."""
    key = work.c.key.startswith(prefix, autoescape=True)
    query = select(work.c.id).where(key, work.c.ended_at.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def any_before(connection: Connection, lane: str, prefix: str, row_id: int) -> bool:
    """Whether a row of that lane is open that is older than this one and whose key begins like this."""
    query = select(work.c.id).where(
        work.c.lane == lane, work.c.ended_at.is_(None), work.c.id < row_id,
        work.c.key.startswith(prefix, autoescape=True),
    )  # fmt: skip
    return connection.execute(query.limit(1)).first() is not None


def rewrite(
    connection: Connection,
    sealer: Sealer,
    row_id: int,
    payload: dict[str, Any],
    lane: str,
    due_at: float | None,
) -> None:
    """Give an open row that nobody has in hand another content, lane and, unless None, time."""
    _news(connection)
    values: dict[str, Any] = {"payload": sealer.seal(payload), "lane": lane}
    if due_at is not None:
        values["due_at"] = due_at
    connection.execute(update(work).where(work.c.id == row_id, work.c.ended_at.is_(None)).values(values))


def move(connection: Connection, row_id: int, due_at: float) -> None:
    """Let an open row be due then."""
    _news(connection)
    connection.execute(
        update(work).where(work.c.id == row_id, work.c.ended_at.is_(None)).values(due_at=due_at)
    )


def discard(connection: Connection, row_id: int, outcome: str, now: float) -> None:
    """End an open row that nobody has in hand without its having been done; its key may be used again."""
    end(connection, row_id, outcome, now)
    connection.execute(update(work).where(work.c.id == row_id, work.c.outcome == outcome).values(key=None))


def end(connection: Connection, row_id: int, outcome: str, now: float) -> None:
    """End an open row that another one of its lane has done as well (the other holds the lane's lease)."""
    _news(connection)
    connection.execute(
        update(work)
        .where(work.c.id == row_id, work.c.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome, payload=None, lease_until=None, lease_by=None)
    )
