"""Erases everything about one person in one transaction: rows that wait end with an explained outcome, what must stay
for the books (that a message came, that a ticket was made) stays without anything that leads back to anybody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from connector.core.state import State
from connector.toolkit.privacy import Sealer

from . import consents, ledger, recipients, subjects, subscriptions
from .consents import Terms
from .subjects import Subject
from .tables import bucket, erasure, media, media_part, message, person, ticket, work
from .work import ERASED

ANONYMOUS = "erased"
"""Lane of rows that ended, instead of one that names a person; and the receipt of a request that never got one."""
_OURS = frozenset({"create", "attach", "receipt", "media", "send", "inbound", "quiet"})
"""Kinds that carry what a person sent, or speak to them. The others tell staff something on a ticket that is there."""


@dataclass(slots=True)
class Counts:
    """What was erased, in numbers."""

    people: int = 0
    requests: int = 0
    files: int = 0
    messages: int = 0
    waiting: int = 0
    """Rows of work that were ended."""
    news: int = 0
    """Subscriptions, and links from what was sent to many."""
    evidence: int = 0
    """Decisions about consent that stay, and whose own time begins."""

    def data(self) -> dict[str, int]:
        return {name: n for name, n in asdict(self).items() if n}


def busy(connection: Connection, who: Subject, now: float) -> bool:
    """Whether anything of the person is being carried out at this moment."""
    return any(
        row.ended_at is None and (row.lease_until or 0) >= now for row in subjects.work_of(connection, who)
    )


def erase(connection: Connection, sealer: Sealer, who: Subject, now: float, *, wish: bool) -> Counts:
    """Erase the person. ``wish``: they asked for it, which withdraws what they had agreed to.

    Evidence of consent stays, by a rule of its own; the row of the person stays, empty, as tickets point at it.
    """
    counts = Counts()
    rows = subjects.work_of(connection, who)
    for row in rows:
        counts.waiting += _end(connection, who, row, now)
    if who.id is None:
        return counts
    known = person.c.user_key.is_not(None) | person.c.phone_key.is_not(None) | person.c.contact.is_not(None)
    counts.people = len(connection.execute(select(person.c.id).where(person.c.id == who.id, known)).all())
    counts.evidence = _consent(connection, sealer, who, who.id, now, wish)
    counts.files = _files(connection, who.id)
    counts.requests = _requests(connection, who.id, now)
    mine = message.c.person_id == who.id
    counts.messages = int(
        connection.execute(update(message).where(mine).values(person_id=None, about=None)).rowcount
    )
    if wish:
        # what ended long ago names nobody any more (storage/retention.py)
        lanes = {row.lane for row in rows} | set(who.lanes())
        personal = work.c.lane.in_([lane for lane in lanes if not lane.startswith(_TICKETS)])
        connection.execute(update(work).where(personal, work.c.ended_at.is_not(None)).values(lane=ANONYMOUS))
    paces = [f"pair:{who.town}:{who.id}", *(name for lane in who.lanes() for name in (lane, f"told:{lane}"))]
    connection.execute(delete(bucket).where(bucket.c.name.in_(paces)))
    counts.news = subscriptions.leave(connection, who.id) + recipients.part(connection, who.id, now)
    empty = {
        "user_key": None, "phone_key": None, "contact": None, "window_until": 0.0, "created_at": now, "stopped_at": None,
    }  # fmt: skip
    state = sealer.seal(State().model_dump(mode="json", exclude_defaults=True))
    connection.execute(
        update(person).where(person.c.id == who.id).values(state=state, updated_at=now, **empty)
    )
    return counts


_TICKETS = ("t:", "w:", "r:", "a:", "look:", "report:")
"""Lanes that name a ticket."""


def log(connection: Connection, town: str, rule: str, counts: dict[str, int], now: float) -> int:
    """Write down that something was erased, and whose it was nowhere; the number of the entry."""
    made = connection.execute(
        erasure.insert().values(town=town, at=now, rule=rule, counts=json.dumps(counts))
    )
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log; ``at`` in Unix seconds."""

    number: int
    town: str
    at: float
    rule: str
    counts: dict[str, int]


def entries(connection: Connection, town: str) -> list[Entry]:
    """The log of a town, oldest first."""
    query = select(erasure).where(erasure.c.town == town).order_by(erasure.c.id)
    return [Entry(r.id, r.town, r.at, r.rule, json.loads(r.counts)) for r in connection.execute(query)]


def _end(connection: Connection, who: Subject, row: Any, now: float) -> int:
    """End what waits or failed; what was sent only loses its content."""
    if row.ended_at is not None and row.outcome != "failed":
        connection.execute(update(work).where(work.c.id == row.id).values(payload=None))
        return 0
    if row.lane in who.ticket_lanes() and row.kind not in _OURS and row.ended_at is None:
        return 0
    gone = {"payload": None, "error": None, "lease_until": None, "lease_by": None, "key": row.key}
    if row.kind == "quiet":
        gone["key"] = None
    ended = now if row.ended_at is None else row.ended_at
    connection.execute(update(work).where(work.c.id == row.id).values(ended_at=ended, outcome=ERASED, **gone))
    if row.kind == "inbound" and row.key:
        ledger.note_in(
            connection, town=who.town, key=row.key.rsplit(":", 1)[1], person_id=None, outcome=ERASED, about=None,
            now=now,
        )  # fmt: skip
    return 1


def _consent(
    connection: Connection, sealer: Sealer, who: Subject, person_id: int, now: float, wish: bool
) -> int:
    sealed = connection.execute(select(person.c.state).where(person.c.id == person_id)).scalar_one()
    state = State.model_validate(sealer.open(sealed))
    consents.catch_up(connection, who.town, person_id, state)
    terms = Terms(state.consent_version, state.language, state.consent_digest)
    if wish:
        for purpose in ("service", "news"):
            consents.withdraw(connection, who.town, person_id, terms, now, purpose=purpose)
    return consents.part(connection, person_id, now)


def _files(connection: Connection, person_id: int) -> int:
    theirs = select(media.c.id).where(media.c.person_id == person_id)
    connection.execute(delete(media_part).where(media_part.c.media_id.in_(theirs)))
    return int(connection.execute(delete(media).where(media.c.person_id == person_id)).rowcount)


def _requests(connection: Connection, person_id: int, now: float) -> int:
    theirs = ticket.c.person_id == person_id
    done = connection.execute(
        update(ticket).where(theirs, ticket.c.content.is_not(None)).values(content=None)
    )
    connection.execute(update(ticket).where(theirs, ticket.c.receipt == "none").values(receipt=ANONYMOUS))
    never = update(ticket).where(theirs, ticket.c.tracker_id.is_(None), ticket.c.closed_at.is_(None))
    connection.execute(never.values(closed_at=now))
    return int(done.rowcount)
