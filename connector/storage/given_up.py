"""Rows that failed for good: listed, put back to work or dropped by a person. They stay whole until then."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

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
    connection: Connection, sealer: Sealer, row_id: int, kind: str, now: float, **known: Any
) -> bool:
    """Put a failed row of that kind back to work, with what a person found out put into its payload."""
    failed = (work.c.id == row_id, work.c.outcome == "failed", work.c.kind == kind)
    found = connection.execute(select(work.c.payload).where(*failed)).first()
    if found is None or found.payload is None:
        return False
    sealed = sealer.seal({**sealer.open(found.payload), **known})
    connection.execute(update(work).where(*failed).values(payload=sealed))
    return reopen(connection, row_id, now)


def drop(connection: Connection, row_id: int) -> bool:
    """Give a row up that failed for good: a person's decision, kept as its outcome. True when there was one."""
    changed = connection.execute(
        update(work)
        .where(work.c.id == row_id, work.c.outcome == "failed")
        .values(outcome=DROPPED, payload=None)
    )
    return bool(changed.rowcount)
