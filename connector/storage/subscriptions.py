"""Who receives what: a row a person and topic. The evidence of having agreed to it is in ``consents``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from .dialect import insert_once
from .tables import person, recipient, subscription


@dataclass(frozen=True, slots=True)
class Subscription:
    """``topic`` is ``<topic>`` or ``<topic>/<area>``; times are Unix seconds."""

    topic: str
    since: float
    reached_at: float | None


_OF = (
    select(subscription.c.topic, subscription.c.since, subscription.c.reached_at)
    .where(subscription.c.person_id == bindparam("who"))
    .order_by(subscription.c.since, subscription.c.topic)
)


def of(connection: Connection, person_id: int) -> list[Subscription]:
    """What a person is subscribed to, in the order in which they were."""
    rows = connection.execute(_OF, {"who": person_id})
    return [Subscription(r.topic, r.since, r.reached_at) for r in rows]


def join(
    connection: Connection, town: str, person_id: int, topic: str, message_key: str | None, now: float
) -> bool:
    """A person subscribes, in the message of that pseudonym. False when they were subscribed already."""
    values = {
        "town": town, "person_id": person_id, "topic": topic, "since": now, "message_key": message_key,
    }  # fmt: skip
    return insert_once(connection, subscription, ["person_id", "topic"], values)


def leave(connection: Connection, person_id: int, topics: Collection[str] | None = None) -> int:
    """A person leaves these topics, or all of them; the number of those."""
    mine = subscription.c.person_id == person_id
    where = mine if topics is None else and_(mine, subscription.c.topic.in_(list(topics)))
    return int(connection.execute(delete(subscription).where(where)).rowcount)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a broadcast would reach now: all of them, of those the ones who wrote within 24 hours, and (besides) those
    who stopped marketing messages in WhatsApp."""

    people: int
    open: int
    stopped: int


def reach(
    connection: Connection, town: str, topics: Sequence[str], *, marketing: bool, until: float
) -> Reach:
    """How many people it goes to. Their customer service window counts as open when it is until ``until``."""
    theirs = select(subscription.c.person_id).where(
        subscription.c.town == town, subscription.c.topic.in_(list(topics))
    )
    there = and_(person.c.id.in_(theirs), person.c.contact.is_not(None))
    stopped = person.c.stopped_at.is_not(None)
    free = and_(there, ~stopped) if marketing else there

    def count(*where: object) -> int:
        return int(connection.execute(select(func.count()).select_from(person).where(*where)).scalar_one())  # type: ignore[arg-type]

    return Reach(
        count(free), count(free, person.c.window_until > until), count(there, stopped) if marketing else 0
    )


def still(connection: Connection, people: Collection[int], topics: Sequence[str]) -> set[int]:
    """Those of ``people`` who are subscribed to one of ``topics`` now."""
    query = select(subscription.c.person_id).where(
        subscription.c.person_id.in_(list(people)), subscription.c.topic.in_(list(topics))
    )
    return set(connection.execute(query.distinct()).scalars())


def reached(connection: Connection, recipients: Collection[int], at: float) -> None:
    """A broadcast that is over had arrived at these recipients: their subscriptions live on from then."""
    theirs = select(recipient.c.person_id).where(
        recipient.c.id.in_(list(recipients)), recipient.c.state.in_(("delivered", "read"))
    )
    older = or_(subscription.c.reached_at.is_(None), subscription.c.reached_at < at)
    connection.execute(
        update(subscription).where(subscription.c.person_id.in_(theirs), older).values(reached_at=at)
    )
