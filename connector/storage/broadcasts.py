"""What is sent to many: one row each, with its state. Its recipients are in ``recipients``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, or_, select, update

from connector.core.bulletin import Bulletin

from .dialect import insert_once
from .tables import broadcast, recipient

PROPOSED, PLANNED, RUNNING, PAUSED = "proposed", "planned", "running", "paused"
DONE, CANCELLED = "done", "cancelled"
OPEN = (PROPOSED, PLANNED, RUNNING, PAUSED)
"""States in which something of it may still be sent."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """``state`` is one of those above; ``why`` says why it waits or stands still. Times are Unix seconds."""

    id: int
    town: str
    source: str
    """What it was made of by itself (``<page>/<item>``), "" when a person made it."""
    bulletin: Bulletin
    topics: tuple[str, ...]
    alert: bool
    state: str
    why: str
    made_by: str
    agreed_by: str
    created_at: float
    due_at: float
    """Not before; of one that waits, when it is looked at again."""
    began_at: float | None
    changed_at: float
    ended_at: float | None
    quality: int
    """The number's quality when it began (``Number.grade``)."""
    gathered: int | None
    """The person up to whom recipients are written; None when all are."""
    counts: dict[str, int]
    """What became of it, once its recipients are forgotten."""


def _broadcast(r: Any) -> Broadcast:
    return Broadcast(
        r.id,
        r.town,
        r.source or "",
        Bulletin.of(json.loads(r.content)),
        tuple(json.loads(r.topics)),
        bool(r.alert),
        r.state,
        r.why or "",
        r.made_by,
        r.agreed_by or "",
        r.created_at,
        r.due_at,
        r.began_at,
        r.changed_at,
        r.ended_at,
        r.quality or 0,
        r.gathered,
        json.loads(r.counts) if r.counts else {},
    )


def create(
    connection: Connection,
    town: str,
    bulletin: Bulletin,
    topics: Sequence[str],
    *,
    alert: bool,
    made_by: str,
    agreed: bool,
    now: float,
    due_at: float,
    source: str = "",
) -> int | None:
    """Something to send, not before ``due_at``; unless ``agreed`` a second person is waited for. Its number, or None
    when there is one of that ``source`` already."""
    values = {
        "town": town, "source": source or None, "content": json.dumps(bulletin.data(), ensure_ascii=False),
        "topics": json.dumps(list(topics)), "alert": int(alert), "state": PLANNED if agreed else PROPOSED,
        "made_by": made_by, "created_at": now, "due_at": due_at, "changed_at": now, "gathered": 0,
    }  # fmt: skip
    if source and not insert_once(connection, broadcast, ["town", "source"], values):
        return None
    if not source:
        made = connection.execute(broadcast.insert().values(**values)).inserted_primary_key
        assert made is not None
        return int(made[0])
    found = select(broadcast.c.id).where(broadcast.c.town == town, broadcast.c.source == source)
    return int(connection.execute(found).scalar_one())


def get(connection: Connection, broadcast_id: int, town: str = "") -> Broadcast | None:
    """One of them, locked until the transaction ends; with ``town`` only when it is that town's."""
    r = connection.execute(select(broadcast).where(broadcast.c.id == broadcast_id).with_for_update()).first()
    return None if r is None or town not in ("", r.town) else _broadcast(r)


def every(connection: Connection, town: str | None = None, most: int = 50) -> list[Broadcast]:
    """The newest of a town or of all, the newest first."""
    query = select(broadcast).order_by(broadcast.c.id.desc()).limit(most)
    if town is not None:
        query = query.where(broadcast.c.town == town)
    return [_broadcast(r) for r in connection.execute(query)]


def unfinished(connection: Connection, town: str | None = None) -> list[Broadcast]:
    """Those of which something may still be sent, the most urgent first: alerts, what began, what is due first."""
    query = select(broadcast).where(broadcast.c.state.in_(OPEN))
    if town is not None:
        query = query.where(broadcast.c.town == town)
    order = (
        broadcast.c.alert.desc(),
        (broadcast.c.began_at.is_(None)).asc(),
        broadcast.c.due_at,
        broadcast.c.id,
    )
    return [_broadcast(r) for r in connection.execute(query.order_by(*order))]


def next_due(connection: Connection, town: str) -> float | None:
    """When the next one that may be sent is due, None for never."""
    query = select(func.min(broadcast.c.due_at)).where(
        broadcast.c.town == town, broadcast.c.state.in_((PLANNED, RUNNING))
    )
    return connection.execute(query).scalar()


def alerted(connection: Connection, town: str, now: float) -> bool:
    """Whether an alert is to be sent now: everything else of the town lets it go first."""
    query = select(broadcast.c.id).where(
        broadcast.c.town == town, broadcast.c.alert == 1, broadcast.c.state.in_((PLANNED, RUNNING)),
        broadcast.c.due_at <= now,
    )  # fmt: skip
    return connection.execute(query.limit(1)).first() is not None


def began_since(connection: Connection, town: str, since: float) -> int:
    """How many that are no alerts began since then."""
    query = select(func.count()).where(
        broadcast.c.town == town, broadcast.c.alert == 0, broadcast.c.began_at >= since
    )
    return int(connection.execute(query).scalar_one())


def recent(connection: Connection, town: str, now: float) -> list[int]:
    """Numbers of those that may have sent something within a day."""
    query = select(broadcast.c.id).where(
        broadcast.c.town == town, broadcast.c.began_at.is_not(None),
        or_(broadcast.c.ended_at.is_(None), broadcast.c.ended_at > now - _DAY),
    )  # fmt: skip
    return [int(i) for i in connection.execute(query).scalars()]


def change(connection: Connection, broadcast_id: int, now: float, **values: Any) -> None:
    """Set columns of one; ``why`` goes when it is not given."""
    known = {"why": None, "changed_at": now, **values}
    connection.execute(update(broadcast).where(broadcast.c.id == broadcast_id).values(**known))


def moved(connection: Connection, broadcast_id: int, gathered: int | None) -> None:
    """Recipients are written up to that person; None: all of them are."""
    connection.execute(update(broadcast).where(broadcast.c.id == broadcast_id).values(gathered=gathered))


def over(connection: Connection, town: str, before: float) -> list[Broadcast]:
    """Those that ended before then and still have recipients, the oldest first."""
    there = exists().where(recipient.c.broadcast_id == broadcast.c.id)
    query = select(broadcast).where(broadcast.c.town == town, broadcast.c.ended_at < before, there)
    return [_broadcast(r) for r in connection.execute(query.order_by(broadcast.c.id))]


def fold(connection: Connection, one: Broadcast, counts: Mapping[str, int]) -> None:
    """Recipients are forgotten: what became of them stays, as numbers added to those there are."""
    both = Counter(one.counts) + Counter(counts)
    connection.execute(update(broadcast).where(broadcast.c.id == one.id).values(counts=json.dumps(both)))
