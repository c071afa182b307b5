"""Rows that failed for good: listed, put back to work or dropped by a person. They stay whole until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, or_, select, update

from connector.toolkit.privacy import Sealer

from .tables import work
from .work import DROPPED, _news


def failed_rows(connection: Connection) -> list[dict[str, Any]]:
    """Rows that failed for good, oldest first, without their payload."""
    columns = (
        work.c.id,
        work.c.town,
        work.c.kind,
        work.c.lane,
        work.c.created_at,
        work.c.ended_at,
        work.c.attempts,
        work.c.error,
    )
    query = select(*columns).where(work.c.outcome == "failed").order_by(work.c.id)
    return [dict(found._mapping) for found in connection.execute(query)]


def of_lane(connection: Connection, lane: str, error: str, keys: Sequence[str]) -> list[int]:
    """Ids of the rows of a lane that failed for good with ``error`` in their reason, are still whole, and whose key begins
    with one of ``keys``, oldest first."""
    query = select(work.c.id).where(
        work.c.lane == lane,
        work.c.outcome == "failed",
        work.c.payload.is_not(None),
        work.c.error.contains(error, autoescape=True),
        or_(*(work.c.key.startswith(key, autoescape=True) for key in keys)),
    )
    return [int(found.id) for found in connection.execute(query.order_by(work.c.id))]


def reopen(connection: Connection, row_id: int, now: float) -> bool:
    """Put a row that failed for good back to work. True when there was one."""
    _news(connection)
    changed = connection.execute(
        update(work)
        .where(work.c.id == row_id, work.c.outcome == "failed")
        .values(ended_at=None, outcome=None, due_at=now, attempts=0, lease_until=None, lease_by=None)
    )
    return bool(changed.rowcount)


def reopen_with(
    connection: Connection,
    sealer: Sealer,
    row_id: int,
    kind: str,
    now: float,
    *,
    untried: bool = False,
    **known: Any,
) -> bool:
    """Put a failed row of that kind back to work, with what was found out since put into its payload.

    ``untried``: its call surely was not carried out.
    """
    failed = (work.c.id == row_id, work.c.outcome == "failed", work.c.kind == kind)
    found = connection.execute(select(work.c.payload).where(*failed)).first()
    if found is None or found.payload is None:
        return False
    values: dict[str, Any] = {"payload": sealer.seal({**sealer.open(found.payload), **known})}
    if untried:
        values["tried_at"] = None
    connection.execute(update(work).where(*failed).values(values))
    return reopen(connection, row_id, now)


def drop(connection: Connection, row_id: int) -> bool:
    """Give a row up that failed for good: a person's decision, kept as its outcome. True when there was one."""
    changed = connection.execute(
        update(work)
        .where(work.c.id == row_id, work.c.outcome == "failed")
        .values(outcome=DROPPED, payload=None)
    )
    return bool(changed.rowcount)
