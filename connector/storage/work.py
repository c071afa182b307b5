"""The work table: put, claim, end.

A row is open until ``ended_at`` is set. A claimed row has a lease; there is no status «doing», so a crash leaves
a row whose lease runs out and that is taken up again. A lane is carried out in the order of the ids, one row at
a time: only the first open row of a lane can be claimed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, literal_column, or_, select, update

from connector.core.errors import LeaseLost, Settled
from connector.toolkit.observe import current_trace
from connector.toolkit.privacy import Sealer, WrongKey

from .dialect import alone, insert_all, insert_once
from .tables import work

DROPPED = "dropped by operator"
ERASED = "dropped: the person's data was erased"
OUTDATED = "dropped: what it held is kept no longer"
GIVEN_UP = (DROPPED, ERASED, OUTDATED)
"""Outcomes of what was not done and will not be."""
_UNREADABLE = 30.0
"""Seconds until a row is looked at again that was encrypted with a key that is not known here."""


ANY = ""
"""Instead of a kind: rows of any kind."""


def _news(connection: Connection, kind: str = ANY) -> None:
    """A row of that kind may be claimed now that could not before: tell the workers once this is committed."""
    connection.info.setdefault("news", set()).add(kind)


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed row. ``payload`` is decrypted; ``tried_at``: when an outward call was about to be made that may have been, before this claim."""

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
    lease_until: float

    @property
    def trace(self) -> str:
        """Of the citizen's message it is done for, "" when for none."""
        return str(self.payload.get("trace") or "")

    @property
    def reference(self) -> str:
        """Of the request it concerns, "" when none."""
        found = str(self.payload.get("reference") or self.payload.get("about") or "")
        return "" if found.startswith("draft:") else found


def _seal(sealer: Sealer, payload: dict[str, Any]) -> bytes:
    """What is put while a message is followed goes on being followed."""
    trace = current_trace()
    return sealer.seal({**payload, "trace": trace} if trace else payload)


_INSERT = work.insert().inline()


def new(
    sealer: Sealer,
    *,
    town: str,
    lane: str,
    kind: str,
    payload: dict[str, Any],
    now: float,
    due_at: float | None = None,
    key: str | None = None,
) -> dict[str, Any]:
    """A row for ``put_all``."""
    return {
        "town": town,
        "lane": lane,
        "kind": kind,
        "key": key,
        "payload": _seal(sealer, payload),
        "created_at": now,
        "due_at": now if due_at is None else due_at,
        "attempts": 0,
    }


def put(connection: Connection, sealer: Sealer, **row: Any) -> bool:
    """Add a row, as ``new`` takes it. With a ``key`` that was ever used, nothing happens and False comes back."""
    values = new(sealer, **row)
    _news(connection, values["kind"])
    if values["key"] is None:
        connection.execute(_INSERT, values)
        return True
    return insert_once(connection, work, ["key"], values)


def put_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
    """As ``put``, for many rows that have keys: the keys of those that were added. Ids are in the order of ``rows``."""
    for kind in {row["kind"] for row in rows}:
        _news(connection, kind)
    return insert_all(connection, work, "key", rows)


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
    """Add a row, or move the open one of that key to ``due_at`` with the new payload (an alarm that is set anew).

    Who holds the row loses its lease: it was claimed for what it said before, and must not end what it says now.
    """
    _news(connection, kind)
    moved = connection.execute(
        update(work)
        .where(work.c.key == key, work.c.ended_at.is_(None))
        .values(payload=_seal(sealer, payload), due_at=due_at, lease_until=None, lease_by=None, attempts=0)
    )
    if moved.rowcount:
        return
    connection.execute(update(work).where(work.c.key == key).values(key=None))
    put(connection, sealer, town=town, lane=lane, kind=kind, payload=payload, now=now, due_at=due_at, key=key)


_IN_TIME = work.c.due_at >= literal_column("0")
"""True of every row, and said so that ``ix_work_due_open`` can be read for it."""
_first, _held = work.alias(), work.alias()
# Values, not EXISTS: PostgreSQL makes joins of those, and when its statistics come from a moment without open rows it
# reads all open rows for each of them. A value is looked up in its lane's index, whatever it believes.
_FREE = and_(
    work.c.ended_at.is_(None),
    or_(work.c.lease_until.is_(None), work.c.lease_until < bindparam("at")),
    work.c.id
    == select(_first.c.id)
    .where(_first.c.lane == work.c.lane, _first.c.ended_at.is_(None))
    .order_by(_first.c.id)
    .limit(literal_column("1"))
    .scalar_subquery(),
    # not the first any more: one before it came back, or was committed late
    select(_held.c.id)
    .where(_held.c.lane == work.c.lane, _held.c.ended_at.is_(None), _held.c.lease_until >= bindparam("at"))
    .limit(literal_column("1"))
    .scalar_subquery()
    .is_(None),
)


@cache
def _claimable(kinds: tuple[str, ...], skips: bool, one_town: bool) -> Any:
    query = (
        select(work)
        .where(_FREE, _IN_TIME, work.c.due_at <= bindparam("at"), work.c.kind.in_(kinds))
        .order_by(work.c.due_at, work.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    if skips:
        query = query.where(work.c.town.not_in(bindparam("skip", expanding=True)))
    if one_town:
        query = query.where(work.c.town == bindparam("one"))
    return query


_TAKE = (
    update(work)
    .where(work.c.id.in_(bindparam("ids", expanding=True)), _FREE)
    .values(lease_until=bindparam("until"), lease_by=bindparam("by"), attempts=work.c.attempts + 1)
    .returning(work.c.id)
)


def claim(
    connection: Connection,
    sealer: Sealer,
    *,
    kinds: Collection[str],
    now: float,
    lease: float,
    limit: int,
    skip: Collection[str] = (),
    town: str | None = None,
) -> list[Row]:
    """Take up to ``limit`` due rows that stand first in their lane, for ``lease`` seconds.

    ``skip`` are towns that are left alone now (their destination is paused); ``town`` asks for one only.
    """
    query = _claimable(tuple(sorted(kinds)), bool(skip), town is not None)
    given = {"at": now, "most": limit, "skip": list(skip), "one": town}
    found = {row.id: row for row in connection.execute(query, given)}
    if not found:
        return []
    # nobody else claims in these lanes until we commit, and what they committed before is seen by the update
    ours = alone(connection, {f"lane:{row.lane}" for row in found.values()})
    ids = [row.id for row in found.values() if f"lane:{row.lane}" in ours]
    if not ids:
        return []
    token, until = secrets.token_hex(8), now + lease
    taken = {
        row.id for row in connection.execute(_TAKE, {"ids": ids, "at": now, "until": until, "by": token})
    }
    rows = []
    for row in found.values():
        if row.id not in taken:
            continue
        try:
            payload = sealer.open(row.payload) if row.payload is not None else {}
        except WrongKey as error:
            # while a key is being changed another replica may know it already: one row must not hold up all others
            left = {
                "due_at": now + _UNREADABLE,
                "attempts": row.attempts,
                "lease_until": None,
                "lease_by": None,
            }
            connection.execute(update(work).where(work.c.id == row.id).values(error=str(error), **left))
            continue
        rows.append(
            Row(
                id=row.id,
                town=row.town,
                lane=row.lane,
                kind=row.kind,
                key=row.key,
                payload=payload,
                created_at=row.created_at,
                due_at=row.due_at,
                attempts=row.attempts + 1,
                tried_at=row.tried_at,
                lease_by=token,
                lease_until=until,
            )
        )
    return rows


@cache
def _changing(columns: tuple[str, ...]) -> Any:
    ours = (work.c.id == bindparam("row"), work.c.lease_by == bindparam("by"), work.c.ended_at.is_(None))
    return update(work).where(*ours).values({name: bindparam(f"new_{name}") for name in columns})


def _change(connection: Connection, row: Row, values: dict[str, Any]) -> bool:
    """Change a row whose lease is still ours."""
    given = {"row": row.id, "by": row.lease_by, **{f"new_{name}": value for name, value in values.items()}}
    return bool(connection.execute(_changing(tuple(values)), given).rowcount)


def _touch(connection: Connection, row: Row, **values: Any) -> None:
    if not _change(connection, row, values):
        ended = connection.execute(select(work.c.ended_at).where(work.c.id == row.id)).scalar()
        if ended is not None:
            raise Settled(f"work {row.id} has ended")
        raise LeaseLost(f"somebody else carries on work {row.id}")


def _leave(connection: Connection, row: Row, **values: Any) -> None:
    """As ``_touch``, when the next row of its lane may be claimed after this, or this one again."""
    _news(connection, row.kind)
    _touch(connection, row, **values)


def trying(connection: Connection, row: Row, now: float) -> None:
    """Store that an outward call is about to be made: after a crash it may or may not have been."""
    _touch(connection, row, tried_at=now)


def end(connection: Connection, row: Row, outcome: str, now: float, *, keep: bool = False) -> None:
    """The row is done, with its one explained outcome. Its payload is erased unless ``keep``. Raises ``LeaseLost``."""
    values: dict[str, Any] = {} if keep else {"payload": None}
    _leave(connection, row, ended_at=now, outcome=outcome, lease_until=None, error=None, **values)


def renew(connection: Connection, rows: Collection[Row], until: float) -> set[int]:
    """Hold the leases of rows that are still being carried out. A lease that was lost stays lost: the ids of the
    others come back."""
    return {row.id for row in rows if _change(connection, row, {"lease_until": until})}


def release(connection: Connection, rows: Collection[Row]) -> None:
    """Give rows back at once (a graceful stop)."""
    for row in rows:
        _change(connection, row, {"lease_until": None, "lease_by": None})


def release_all(connection: Connection) -> int:
    """Give back every lease: the process that held them is gone (an embedded database has only one)."""
    _news(connection)
    freed = connection.execute(
        update(work)
        .where(work.c.ended_at.is_(None), work.c.lease_until.is_not(None))
        .values(lease_until=None, lease_by=None)
    )
    return int(freed.rowcount)


def tried(connection: Connection, key: str) -> bool:
    """Whether the call that the row of that key is for was ever about to be made."""
    query = select(work.c.id).where(work.c.key == key, work.c.tried_at.is_not(None))
    return connection.execute(query).first() is not None


def tidy(connection: Connection, kinds: Collection[str], before: float) -> int:
    """Remove rows of these kinds that ended well before ``before``; the number of those."""
    gone = connection.execute(
        delete(work).where(work.c.kind.in_(list(kinds)), work.c.ended_at < before, work.c.outcome != "failed")
    )
    return int(gone.rowcount)


def fail(connection: Connection, row: Row, error: str, now: float, *, forget: bool = False) -> None:
    """The row failed for good: it leaves its lane, stays whole, is counted and shown. Raises ``LeaseLost``.

    With ``forget`` it is as if it had never been tried: who puts it back knows that it did not happen.
    """
    values: dict[str, Any] = {"tried_at": None} if forget else {}
    _leave(connection, row, ended_at=now, outcome="failed", error=error, lease_until=None, **values)


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

    ``untried`` takes back this attempt's ``trying``: its call surely was not carried out. What an attempt before
    may have done stays: an answer that was lost is not made known by one that failed. ``counted=False`` takes back
    the attempt: the row was not at fault.
    """
    values: dict[str, Any] = {"due_at": due_at, "lease_until": None, "lease_by": None, "error": error or None}
    if payload is not None:
        values["payload"] = sealer.seal(payload)
    if untried:
        values["tried_at"] = row.tried_at
    if not counted:
        values["attempts"] = row.attempts - 1
    _leave(connection, row, **values)


def settle(connection: Connection, key: str, outcome: str, now: float, *, keep: bool = False) -> bool:
    """End the open row of ``key`` from outside: another proof arrived that it happened. True when it was open."""
    _news(connection)
    values: dict[str, Any] = {} if keep else {"payload": None}
    changed = connection.execute(
        update(work)
        .where(work.c.key == key, work.c.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome, lease_until=None, lease_by=None, **values)
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
