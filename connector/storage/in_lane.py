"""What waits: whether something does in a lane, to set it aside, bring it back, hasten, wake or end it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, null, or_, select, update

from .tables import work
from .work import _IN_TIME, Row, _leave, _news

_OPEN_IN = select(work.c.id).where(work.c.lane == bindparam("of"), work.c.ended_at.is_(None)).limit(1)


def is_open(connection: Connection, lane: str) -> bool:
    """Whether anything waits in that lane."""
    return connection.execute(_OPEN_IN, {"of": lane}).first() is not None


def hasten(connection: Connection, lane: str, now: float) -> bool:
    """What waits in that lane is due now, unless somebody has it in hand. Whether anything is there."""
    _news(connection)
    free = or_(work.c.lease_until.is_(None), work.c.lease_until < now)
    waits = and_(work.c.lane == lane, work.c.ended_at.is_(None))
    connection.execute(update(work).where(waits, free, work.c.due_at > now).values(due_at=now))
    return is_open(connection, lane)


def is_untouched(connection: Connection, lane: str) -> bool:
    """Whether something waits in that lane that nobody has in hand: it will see what happened until now."""
    query = select(work.c.id).where(
        work.c.lane == lane, work.c.ended_at.is_(None), work.c.lease_until.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None


def others(connection: Connection, row: Row) -> bool:
    """Whether more of the row's kind waits in its lane."""
    query = select(work.c.id).where(
        work.c.lane == row.lane, work.c.kind == row.kind, work.c.ended_at.is_(None), work.c.id != row.id
    )
    return connection.execute(query.limit(1)).first() is not None


def set_aside(
    connection: Connection,
    row: Row,
    lane: str,
    until: float,
    *,
    untried: bool = False,
    sealed: bytes | None = None,
) -> None:
    """Let the row wait in another lane, so that those behind it are not held up. Raises ``LeaseLost``.

    ``untried`` takes back this attempt's ``trying``: its call surely was not carried out. ``sealed`` replaces its
    payload.
    """
    values: dict[str, Any] = {"tried_at": row.tried_at} if untried else {}
    if sealed is not None:
        values["payload"] = sealed
    _leave(
        connection, row, lane=lane, due_at=until, lease_until=None, lease_by=None, attempts=max(0, row.attempts - 1),
        **values,
    )  # fmt: skip


def lanes(connection: Connection, prefix: str) -> list[str]:
    """Lanes beginning with ``prefix`` in which something waits."""
    query = (
        select(work.c.lane)
        .where(work.c.ended_at.is_(None), work.c.lane.startswith(prefix, autoescape=True))
        .distinct()
        .order_by(work.c.lane)
    )
    return [str(found.lane) for found in connection.execute(query)]


_IN_LANE = update(work).where(work.c.lane == bindparam("of"), work.c.ended_at.is_(None))


_END_LANE = _IN_LANE.values(ended_at=bindparam("at"), outcome=bindparam("what"), payload=null())


_BRING_BACK = _IN_LANE.values(lane=bindparam("into"), due_at=bindparam("at"))


def end_lane(connection: Connection, lane: str, outcome: str, now: float) -> int:
    """End everything that waits in a lane, with its one explained outcome; the number of rows."""
    return int(connection.execute(_END_LANE, {"of": lane, "at": now, "what": outcome}).rowcount)


def bring_back(connection: Connection, lane: str, into: str, now: float) -> int:
    """Rows that were set aside go on, in their old order; their number."""
    moved = int(connection.execute(_BRING_BACK, {"of": lane, "into": into, "at": now}).rowcount)
    if moved:
        _news(connection)
    return moved


def wake(connection: Connection, town: str, kinds: Collection[str], now: float, *, before: float) -> None:
    """Rows of these kinds that failed and wait to be tried again before ``before`` are due now."""
    _news(connection)
    waits = (
        work.c.town == town,
        work.c.kind.in_(sorted(kinds)),
        work.c.ended_at.is_(None),
        work.c.lease_until.is_(None),
        work.c.attempts > 0,
        work.c.error.is_not(None),
        work.c.due_at > now,
        work.c.due_at <= before,
    )
    connection.execute(update(work).where(*waits).values(due_at=now))


def next_due(connection: Connection, kinds: Collection[str]) -> float | None:
    """When the next open row of these kinds is due, or None."""
    found = connection.execute(
        select(func.min(work.c.due_at)).where(
            work.c.ended_at.is_(None), _IN_TIME, work.c.kind.in_(list(kinds))
        )
    ).scalar()
    return None if found is None else float(found)
