"""The work table: put, claim, end.

A row is open until ``ended_at`` is set. A claimed row has a lease; there is no status «doing», so a crash leaves
a row whose lease runs out and that is taken up again. A lane is carried out in the order of the ids, one row at
a time: only the first open row of a lane can be claimed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connector.toolkit.privacy import Sealer

from .tables import work


class LeaseLost(Exception):
    """Somebody else took the row over; what was about to be written for it must not be."""


def _news(connection: Connection) -> None:
    """Something may be claimed now that could not before: tell the workers once this is committed."""
    connection.info["news"] = True


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed row. ``payload`` is decrypted; ``tried_at`` is set once an outward call was about to be made."""

    id: int
    town: str
    lane: str
    kind: str
    key: str | None
    payload: dict[str, Any]
    created_at: float
    due_at: float
    attempts: int
    tried_at: float | None
    lease_by: str


def put(
    connection: Connection,
    sealer: Sealer,
    *,
    town: str,
    lane: str,
    kind: str,
    payload: dict[str, Any],
    now: float,
    due_at: float | None = None,
    key: str | None = None,
) -> bool:
    """Add a row. With a ``key`` that was ever used, nothing happens and False comes back."""
    _news(connection)
    values = {
        "town": town,
        "lane": lane,
        "kind": kind,
        "key": key,
        "payload": sealer.seal(payload),
        "created_at": now,
        "due_at": now if due_at is None else due_at,
        "attempts": 0,
    }
    if key is None:
        connection.execute(work.insert().values(values))
        return True
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(work).values(values).on_conflict_do_nothing(index_elements=["key"])
    return bool(connection.execute(statement).rowcount)


def put_or_move(
    connection: Connection,
    sealer: Sealer,
    *,
    town: str,
    lane: str,
    kind: str,
    payload: dict[str, Any],
    now: float,
    due_at: float,
    key: str,
) -> None:
    """Add a row, or move the open one of that key to ``due_at`` with the new payload (an alarm that is set anew)."""
    _news(connection)
    moved = connection.execute(
        update(work)
        .where(work.c.key == key, work.c.ended_at.is_(None))
        .values(payload=sealer.seal(payload), due_at=due_at)
    )
    if moved.rowcount:
        return
    connection.execute(update(work).where(work.c.key == key).values(key=None))
    put(connection, sealer, town=town, lane=lane, kind=kind, payload=payload, now=now, due_at=due_at, key=key)


def claim(
    connection: Connection,
    sealer: Sealer,
    *,
    kinds: Collection[str],
    now: float,
    lease: float,
    limit: int,
    skip: Collection[tuple[str, str]] = (),
) -> list[Row]:
    """Take up to ``limit`` due rows that stand first in their lane, for ``lease`` seconds.

    ``skip`` holds (town, kind) pairs that are left alone now (their destination is paused).
    """
    earlier = work.alias()
    free = or_(work.c.lease_until.is_(None), work.c.lease_until < now)
    query = (
        select(work)
        .where(
            work.c.ended_at.is_(None),
            work.c.due_at <= now,
            work.c.kind.in_(list(kinds)),
            free,
            ~exists().where(
                and_(earlier.c.lane == work.c.lane, earlier.c.ended_at.is_(None), earlier.c.id < work.c.id)
            ),
        )
        .order_by(work.c.due_at, work.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for town, kind in skip:
        query = query.where(or_(work.c.town != town, work.c.kind != kind))
    token = secrets.token_hex(8)
    rows = []
    for found in connection.execute(query).all():
        taken = connection.execute(
            update(work)
            .where(work.c.id == found.id, work.c.ended_at.is_(None), free)
            .values(lease_until=now + lease, lease_by=token, attempts=work.c.attempts + 1)
        )
        if not taken.rowcount:
            continue
        rows.append(
            Row(
                id=found.id,
                town=found.town,
                lane=found.lane,
                kind=found.kind,
                key=found.key,
                payload=sealer.open(found.payload) if found.payload is not None else {},
                created_at=found.created_at,
                due_at=found.due_at,
                attempts=found.attempts + 1,
                tried_at=found.tried_at,
                lease_by=token,
            )
        )
    return rows


def _touch(connection: Connection, row: Row, **values: Any) -> None:
    _news(connection)
    changed = connection.execute(
        update(work)
        .where(work.c.id == row.id, work.c.lease_by == row.lease_by, work.c.ended_at.is_(None))
        .values(**values)
    )
    if not changed.rowcount:
        raise LeaseLost(f"work {row.id}")


def trying(connection: Connection, row: Row, now: float) -> None:
    """Store that an outward call is about to be made: after a crash it may or may not have been."""
    _touch(connection, row, tried_at=now)


def end(connection: Connection, row: Row, outcome: str, now: float, *, keep: bool = False) -> None:
    """The row is done, with its one explained outcome. Its payload is erased unless ``keep``. Raises ``LeaseLost``."""
    values: dict[str, Any] = {} if keep else {"payload": None}
    _touch(connection, row, ended_at=now, outcome=outcome, lease_until=None, error=None, **values)


def renew(connection: Connection, rows: Collection[Row], until: float) -> None:
    """Hold the leases of rows that are still being carried out. A lease that was lost stays lost."""
    for row in rows:
        connection.execute(
            update(work)
            .where(work.c.id == row.id, work.c.lease_by == row.lease_by, work.c.ended_at.is_(None))
            .values(lease_until=until)
        )


def release(connection: Connection, rows: Collection[Row]) -> None:
    """Give rows back at once (a graceful stop)."""
    for row in rows:
        connection.execute(
            update(work)
            .where(work.c.id == row.id, work.c.lease_by == row.lease_by, work.c.ended_at.is_(None))
            .values(lease_until=None, lease_by=None)
        )


def release_all(connection: Connection) -> int:
    """Give back every lease: the process that held them is gone (an embedded database has only one)."""
    _news(connection)
    freed = connection.execute(
        update(work)
        .where(work.c.ended_at.is_(None), work.c.lease_until.is_not(None))
        .values(lease_until=None, lease_by=None)
    )
    return int(freed.rowcount)


def is_open(connection: Connection, lane: str) -> bool:
    """Whether anything waits in that lane."""
    query = select(work.c.id).where(work.c.lane == lane, work.c.ended_at.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def tidy(connection: Connection, kinds: Collection[str], before: float) -> int:
    """Remove rows of these kinds that ended well before ``before``; the number of those."""
    gone = connection.execute(
        delete(work).where(work.c.kind.in_(list(kinds)), work.c.ended_at < before, work.c.outcome != "failed")
    )
    return int(gone.rowcount)


def fail(connection: Connection, row: Row, error: str, now: float) -> None:
    """The row failed for good: it leaves its lane, stays whole, is counted and shown. Raises ``LeaseLost``."""
    _touch(connection, row, ended_at=now, outcome="failed", error=error, lease_until=None)


def later(
    connection: Connection,
    sealer: Sealer,
    row: Row,
    due_at: float,
    error: str = "",
    *,
    payload: dict[str, Any] | None = None,
    untried: bool = False,
    counted: bool = True,
) -> None:
    """Put the row back until ``due_at``. Raises ``LeaseLost``.

    ``untried`` takes back ``trying``: the call surely was not carried out. ``counted=False`` takes back the
    attempt: the row was not at fault.
    """
    values: dict[str, Any] = {"due_at": due_at, "lease_until": None, "lease_by": None, "error": error or None}
    if payload is not None:
        values["payload"] = sealer.seal(payload)
    if untried:
        values["tried_at"] = None
    if not counted:
        values["attempts"] = row.attempts - 1
    _touch(connection, row, **values)


def settle(connection: Connection, key: str, outcome: str, now: float) -> bool:
    """End the open row of ``key`` from outside: another proof arrived that it happened. True when it was open."""
    _news(connection)
    changed = connection.execute(
        update(work)
        .where(work.c.key == key, work.c.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome, payload=None, lease_until=None, lease_by=None)
    )
    return bool(changed.rowcount)


def next_due(connection: Connection, kinds: Collection[str]) -> float | None:
    """When the next open row of these kinds is due, or None."""
    found = connection.execute(
        select(func.min(work.c.due_at)).where(work.c.ended_at.is_(None), work.c.kind.in_(list(kinds)))
    ).scalar()
    return None if found is None else float(found)


def counts(connection: Connection, now: float) -> dict[str, Any]:
    """What waits and what failed: ``{"waiting": {kind: n}, "failed": {kind: n}, "oldest": seconds}``."""
    waiting = connection.execute(
        select(work.c.kind, func.count()).where(work.c.ended_at.is_(None)).group_by(work.c.kind)
    ).all()
    failed = connection.execute(
        select(work.c.kind, func.count()).where(work.c.outcome == "failed").group_by(work.c.kind)
    ).all()
    oldest = connection.execute(
        select(func.min(work.c.due_at)).where(work.c.ended_at.is_(None), work.c.due_at <= now)
    ).scalar()
    return {
        "waiting": {found.kind: found[1] for found in waiting},
        "failed": {found.kind: found[1] for found in failed},
        "oldest": 0.0 if oldest is None else max(0.0, now - float(oldest)),
    }


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


def drop(connection: Connection, row_id: int) -> bool:
    """Give a row up that failed for good: a person's decision, kept as its outcome. True when there was one."""
    changed = connection.execute(
        update(work)
        .where(work.c.id == row_id, work.c.outcome == "failed")
        .values(outcome="dropped by operator", payload=None)
    )
    return bool(changed.rowcount)


def open_payload(
    connection: Connection, sealer: Sealer, town: str, kind: str, key: str
) -> dict[str, Any] | None:
    """The content of the open row of that key, or None when there is none."""
    found = connection.execute(
        select(work.c.payload).where(
            work.c.key == key, work.c.kind == kind, work.c.town == town, work.c.ended_at.is_(None)
        )
    ).first()
    if found is None or found.payload is None:
        return None
    payload: dict[str, Any] = sealer.open(found.payload)
    return payload


def set_aside(connection: Connection, row: Row, lane: str, until: float) -> None:
    """Let the row wait in another lane, so that those behind it are not held up. Raises ``LeaseLost``."""
    _touch(
        connection, row, lane=lane, due_at=until, lease_until=None, lease_by=None, attempts=row.attempts - 1
    )


def bring_back(connection: Connection, lane: str, into: str, now: float) -> int:
    """Rows that were set aside go on, in their old order; their number."""
    _news(connection)
    moved = connection.execute(
        update(work).where(work.c.lane == lane, work.c.ended_at.is_(None)).values(lane=into, due_at=now)
    )
    return int(moved.rowcount)
