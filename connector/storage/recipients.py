"""The outbox of a broadcast: one row a person, unique. Small batches of it are sent; what became of each stays here.

``waiting`` is sent when its turn comes; ``trying``: the call was about to be made, so it may have been. ``accepted``,
``sent``, ``delivered``, ``read`` and ``failed`` are WhatsApp's words; ``left`` had left the topic, ``stopped`` wants no
marketing messages, ``cancelled`` and ``unknown`` are the rest of one that was called off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from connector.core.address import Address
from connector.core.state import State
from connector.toolkit.privacy import Sealer

from . import subscriptions
from .dialect import insert
from .tables import broadcast, person, recipient, subscription

KEY = "bc:"
"""Beginning of the keys of messages of broadcasts: ``bc:<recipient>:<attempt>``."""
_RANK = {
    "unknown": 0,
    "trying": 0,
    "waiting": 0,
    "accepted": 1,
    "sent": 2,
    "delivered": 3,
    "read": 4,
    "played": 4,
}
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose turn has come. ``address`` is None when they withdrew; ``subscribed``: still, to one of the topics."""

    id: int
    person_id: int
    attempts: int
    address: Address | None
    language: str
    window_until: float
    stopped: bool
    subscribed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient as a status finds it."""

    id: int
    broadcast_id: int
    person_id: int | None
    town: str
    state: str
    attempts: int
    how: str


def key_of(recipient_id: int, attempt: int) -> str:
    """The key under which a try is sent (``biz_opaque_callback_data``)."""
    return f"{KEY}{recipient_id}:{attempt}"


def parsed(key: str) -> tuple[int, int] | None:
    """Recipient and attempt of a key of ``key_of``, None for another one."""
    number, _, attempt = key.removeprefix(KEY).partition(":")
    known = key.startswith(KEY) and number.isdecimal() and attempt.isdecimal()
    return (int(number), int(attempt)) if known else None


def gather(
    connection: Connection,
    town: str,
    broadcast_id: int,
    topics: Sequence[str],
    after: int,
    most: int,
    now: float,
) -> int | None:
    """Write recipients of a broadcast for up to ``most`` people after ``after``; the last one, None when there are no
    more."""
    query = (
        select(subscription.c.person_id)
        .where(
            subscription.c.town == town,
            subscription.c.topic.in_(list(topics)),
            subscription.c.person_id > after,
        )
        .distinct()
        .order_by(subscription.c.person_id)
        .limit(most)
    )
    people = [int(p) for p in connection.execute(query).scalars()]
    if not people:
        return None
    rows = [
        {"broadcast_id": broadcast_id, "person_id": who, "state": "waiting", "changed_at": now}
        for who in people
    ]
    once = insert(connection, recipient).on_conflict_do_nothing(index_elements=["broadcast_id", "person_id"])
    connection.execute(once, rows)
    return people[-1]


def turns(
    connection: Connection, sealer: Sealer, broadcast_id: int, topics: Sequence[str], most: int, now: float
) -> list[Candidate]:
    """Up to ``most`` of those who wait and are due, in order."""
    theirs = (person.c.contact, person.c.state.label("talk"), person.c.window_until, person.c.stopped_at)
    query = (
        select(recipient, *theirs)
        .join_from(recipient, person, person.c.id == recipient.c.person_id, isouter=True)
        .where(
            recipient.c.broadcast_id == broadcast_id,
            recipient.c.ended_at.is_(None),
            recipient.c.state == "waiting",
            recipient.c.due_at <= now,
        )
        .order_by(recipient.c.id)
        .limit(most)
    )
    rows = connection.execute(query).all()
    there = subscriptions.still(connection, [r.person_id for r in rows if r.person_id is not None], topics)
    return [_candidate(sealer, r, r.person_id in there) for r in rows]


def _candidate(sealer: Sealer, r: Any, subscribed: bool) -> Candidate:
    contact = sealer.open(r.contact) if r.contact is not None else None
    talk = State.model_validate(sealer.open(r.talk)) if r.talk is not None else State()
    return Candidate(
        r.id,
        r.person_id or 0,
        r.attempts,
        Address(contact["user_id"], contact["phone"]) if contact else None,
        talk.language,
        r.window_until or 0.0,
        r.stopped_at is not None,
        subscribed,
    )


def trying(connection: Connection, recipient_id: int, how: str, attempt: int, now: float) -> bool:
    """Store that the call is about to be made; False when it is not this recipient's turn any more."""
    mine = connection.execute(
        update(recipient)
        .where(recipient.c.id == recipient_id, recipient.c.state == "waiting")
        .values(state="trying", how=how, tried_at=now, changed_at=now, attempts=attempt)
    )
    return bool(mine.rowcount)


def accepted(connection: Connection, recipient_id: int, tried_at: float, now: float) -> None:
    """WhatsApp took it."""
    _settle(connection, recipient_id, tried_at, state="accepted", changed_at=now, ended_at=now, error=None)


def back(
    connection: Connection, recipient_id: int, tried_at: float, due_at: float, error: str, now: float
) -> None:
    """It surely was not sent: its turn comes again."""
    _settle(connection, recipient_id, tried_at, state="waiting", due_at=due_at, changed_at=now, error=error)


def failed(
    connection: Connection,
    recipient_id: int,
    tried_at: float,
    error: str,
    now: float,
    *,
    state: str = "failed",
) -> None:
    """WhatsApp refused it for good."""
    _settle(connection, recipient_id, tried_at, state=state, changed_at=now, ended_at=now, error=error)


def _settle(connection: Connection, recipient_id: int, tried_at: float, **values: Any) -> None:
    """Only while it is the same try: a status may have been faster, or another process."""
    connection.execute(
        update(recipient)
        .where(
            recipient.c.id == recipient_id, recipient.c.state == "trying", recipient.c.tried_at == tried_at
        )
        .values(**values)
    )


def skip(connection: Connection, recipient_id: int, state: str, now: float, error: str | None = None) -> None:
    """It is not sent: who it was for has left, or WhatsApp would not deliver it, or (``failed``) it cannot be sent."""
    connection.execute(
        update(recipient)
        .where(recipient.c.id == recipient_id, recipient.c.state == "waiting")
        .values(state=state, changed_at=now, ended_at=now, error=error)
    )


def doubtful(connection: Connection, broadcast_id: int) -> list[tuple[int, float]]:
    """Recipient and time of every call of which nobody knows whether it was made."""
    query = select(recipient.c.id, recipient.c.tried_at).where(
        recipient.c.broadcast_id == broadcast_id,
        recipient.c.ended_at.is_(None),
        recipient.c.state == "trying",
    )
    return [(int(r.id), float(r.tried_at)) for r in connection.execute(query)]


def next_due(connection: Connection, broadcast_id: int) -> float | None:
    """When the next who waits is due; None when nobody waits."""
    query = select(func.min(recipient.c.due_at)).where(
        recipient.c.broadcast_id == broadcast_id,
        recipient.c.ended_at.is_(None),
        recipient.c.state == "waiting",
    )
    return connection.execute(query).scalar()


def told(connection: Connection, recipient_id: int) -> Told | None:
    """The recipient a status speaks of, locked; None when it is forgotten."""
    query = (
        select(recipient, broadcast.c.town)
        .join_from(recipient, broadcast)
        .where(recipient.c.id == recipient_id)
        .with_for_update(of=recipient)
    )
    r = connection.execute(query).first()
    if r is None:
        return None
    return Told(r.id, r.broadcast_id, r.person_id, r.town, r.state, r.attempts, r.how or "")


def advance(connection: Connection, town: str, recipient_id: int, state: str, now: float) -> bool:
    """WhatsApp says that it was sent, delivered or read: states only move forward. False when nothing changed."""
    lower = [name for name, rank in _RANK.items() if rank < _RANK[state]]
    if state in ("delivered", "read", "played"):
        lower.append("failed")
    ours = select(broadcast.c.id).where(broadcast.c.town == town)
    moved = connection.execute(
        update(recipient)
        .where(
            recipient.c.id == recipient_id, recipient.c.state.in_(lower), recipient.c.broadcast_id.in_(ours)
        )
        .values(state="read" if state == "played" else state, changed_at=now, error=None,
                ended_at=func.coalesce(recipient.c.ended_at, now))
    )  # fmt: skip
    return bool(moved.rowcount)


def undelivered(
    connection: Connection, one: Told, error: str, now: float, *, again: bool, state: str = "failed"
) -> None:
    """WhatsApp took it and could not deliver it: it ends as ``state``, or its turn comes ``again``."""
    values: dict[str, Any] = {"state": state, "ended_at": now, "error": error}
    if again:
        values = {"state": "waiting", "ended_at": None, "due_at": now, "error": error}
    connection.execute(update(recipient).where(recipient.c.id == one.id).values(changed_at=now, **values))


def written_to(connection: Connection, broadcasts: Sequence[int], now: float) -> tuple[int, float | None]:
    """How many people got a template within 24 hours, and when the first of them did."""
    query = select(func.count(recipient.c.person_id.distinct()), func.min(recipient.c.tried_at)).where(
        recipient.c.broadcast_id.in_(list(broadcasts)), recipient.c.how == "template",
        recipient.c.tried_at > now - _DAY, recipient.c.state.not_in(("waiting", "left", "cancelled", "stopped")),
    )  # fmt: skip
    n, first = connection.execute(query).one()
    return int(n), first


def call_off(connection: Connection, broadcast_id: int, now: float) -> int:
    """Nobody else gets it; the number of those who waited."""
    mine = and_(recipient.c.broadcast_id == broadcast_id, recipient.c.ended_at.is_(None))
    for state, then in (("waiting", "cancelled"), ("trying", "unknown")):
        done = connection.execute(
            update(recipient)
            .where(mine, recipient.c.state == state)
            .values(state=then, changed_at=now, ended_at=now)
        )
        if state == "waiting":
            waited = int(done.rowcount)
    return waited


def left(connection: Connection, broadcast_id: int) -> int:
    """How many people still wait for it, as far as they are written."""
    query = select(func.count()).where(
        recipient.c.broadcast_id == broadcast_id, recipient.c.ended_at.is_(None)
    )
    return int(connection.execute(query).scalar_one())


def counts(connection: Connection, broadcast_id: int) -> Counter[str]:
    """How many recipients are in each state, failures by their reason (``said``)."""
    query = (
        select(recipient.c.state, recipient.c.error, func.count())
        .where(recipient.c.broadcast_id == broadcast_id)
        .group_by(recipient.c.state, recipient.c.error)
    )
    found: Counter[str] = Counter()
    for state, error, many in connection.execute(query):
        found[said(state, error or "")] += many
    return found


def part(connection: Connection, person_id: int, now: float) -> int:
    """The person is forgotten: what waits for them is not sent, and of what was nobody knows whose it was."""
    waits = and_(recipient.c.person_id == person_id, recipient.c.ended_at.is_(None))
    connection.execute(update(recipient).where(waits).values(state="left", ended_at=now, changed_at=now))
    done = connection.execute(
        update(recipient).where(recipient.c.person_id == person_id).values(person_id=None)
    )
    return int(done.rowcount)


def first(connection: Connection, broadcast_id: int, most: int) -> list[tuple[int, str, str]]:
    """The first ``most`` recipients of a broadcast: id, state and reason."""
    query = (
        select(recipient.c.id, recipient.c.state, recipient.c.error)
        .where(recipient.c.broadcast_id == broadcast_id)
        .order_by(recipient.c.id)
        .limit(most)
    )
    return [(int(r.id), r.state, r.error or "") for r in connection.execute(query)]


def said(state: str, error: str) -> str:
    """How an outcome is counted: failures by their reason."""
    return f"failed: {error}" if state == "failed" and error else state


def remove(connection: Connection, ids: Collection[int]) -> None:
    """Remove recipients."""
    connection.execute(delete(recipient).where(recipient.c.id.in_(list(ids))))
