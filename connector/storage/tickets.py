"""Tickets as we know them: our reference, the tracker's id, and what was seen of their journals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, update

from connector.toolkit.privacy import Sealer

from .dialect import insert_once
from .tables import journal, ticket

DELETED = "deleted in the tracker"
"""How ``Ticket.gone`` says that nothing will ever come of it."""
HIDDEN = "hidden"
"""Key in ``Ticket.content``: whether staff made it private."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request on its way to, or in, the tracker. ``content`` is what ``jobs/requests.py`` stored."""

    id: int
    town: str
    reference: str
    person_id: int
    option: str
    language: str
    content: dict[str, Any]
    tried_at: float | None
    tracker_id: str | None
    url: str | None
    receipt: str
    status: str | None
    created_at: float
    closed_at: float | None
    birth: str | None
    """See ``TicketView.birth``; None as long as it was not seen."""
    gone: str | None
    """Why it cannot be read, or where it is now; None when it is where it should be."""

    @property
    def trace(self) -> str:
        """Of the first message it was made of; "" when its content is erased."""
        return str(self.content.get("trace") or "")


def _ticket(sealer: Sealer, row: Row[tuple[object, ...]]) -> Ticket:
    return Ticket(
        id=row.id,
        town=row.town,
        reference=row.reference,
        person_id=row.person_id,
        option=row.option,
        language=row.language,
        content=sealer.open(row.content) if row.content is not None else {},
        tried_at=row.tried_at,
        tracker_id=row.tracker_id,
        url=row.url,
        receipt=row.receipt,
        status=row.status,
        created_at=row.created_at,
        closed_at=row.closed_at,
        birth=row.birth,
        gone=row.gone,
    )


def taken(connection: Connection, reference: str) -> bool:
    """Whether that reference was ever used."""
    return connection.execute(select(ticket.c.id).where(ticket.c.reference == reference)).first() is not None


def create(
    connection: Connection, sealer: Sealer, *, town: str, reference: str, person_id: int, option: str, language: str,
    content: dict[str, Any], now: float,
) -> int:  # fmt: skip
    """Store a request; its row id."""
    created = connection.execute(
        ticket.insert().values(
            town=town, reference=reference, person_id=person_id, option=option, language=language,
            content=sealer.seal(content), created_at=now, receipt="none",
        )
    )  # fmt: skip
    key = created.inserted_primary_key
    assert key is not None
    return int(key[0])


def by_reference(connection: Connection, sealer: Sealer, reference: str) -> Ticket | None:
    """The ticket with that reference, locked until the transaction ends when it writes."""
    row = connection.execute(select(ticket).where(ticket.c.reference == reference).with_for_update()).first()
    return None if row is None else _ticket(sealer, row)


def by_tracker_id(connection: Connection, sealer: Sealer, town: str, tracker_id: str) -> Ticket | None:
    """The ticket with that id in the town's tracker; the newest one, where ids of deleted tickets are given again."""
    row = connection.execute(
        select(ticket)
        .where(ticket.c.town == town, ticket.c.tracker_id == tracker_id)
        .order_by(ticket.c.id.desc())
    ).first()
    return None if row is None else _ticket(sealer, row)


def before(connection: Connection, sealer: Sealer, tracker_id: str, now: Ticket) -> list[Ticket]:
    """Those that had this id in the tracker before ``now`` has it: they were deleted there."""
    query = select(ticket).where(
        ticket.c.town == now.town, ticket.c.tracker_id == tracker_id, ticket.c.id != now.id
    )
    return [_ticket(sealer, row) for row in connection.execute(query)]


def is_known(connection: Connection, town: str, tracker_id: str) -> bool:
    """Whether that ticket of the tracker is one of ours."""
    query = select(ticket.c.id).where(ticket.c.town == town, ticket.c.tracker_id == tracker_id)
    return connection.execute(query).first() is not None


_OPEN_OF = (
    select(ticket.c.reference)
    .where(ticket.c.person_id == bindparam("who"), ticket.c.closed_at.is_(None))
    .order_by(ticket.c.id)
)


def of_person(connection: Connection, person_id: int) -> list[str]:
    """References of a person's open tickets."""
    return [found.reference for found in connection.execute(_OPEN_OF, {"who": person_id})]


_SENT_SINCE = (
    select(func.count())
    .select_from(ticket)
    .where(ticket.c.person_id == bindparam("who"), ticket.c.created_at > bindparam("since"))
)


def sent_since(connection: Connection, person_id: int, since: float) -> int:
    """How many requests a person has sent since then."""
    return int(connection.execute(_SENT_SINCE, {"who": person_id, "since": since}).scalar_one())


def update_ticket(connection: Connection, ticket_id: int, **values: Any) -> None:
    """Change columns of a ticket."""
    connection.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))


def hide(connection: Connection, sealer: Sealer, known: Ticket, private: bool) -> None:
    """Remember whether staff made a ticket private, with its content: without that nothing of it is published."""
    if bool(known.content.get(HIDDEN)) == private:
        return
    # locked: content that is erased at this moment must not come back
    row = connection.execute(
        select(ticket.c.content).where(ticket.c.id == known.id).with_for_update()
    ).first()
    if row is not None and row.content is not None:
        sealed = sealer.seal({**sealer.open(row.content), HIDDEN: private})
        connection.execute(update(ticket).where(ticket.c.id == known.id).values(content=sealed))


def advance_receipt(connection: Connection, ticket_id: int, before: Iterable[str], after: str) -> bool:
    """Move the receipt on from one of ``before``; False when somebody else was faster."""
    changed = connection.execute(
        update(ticket)
        .where(ticket.c.id == ticket_id, ticket.c.receipt.in_(list(before)))
        .values(receipt=after)
    )
    return bool(changed.rowcount)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was decided about a journal entry, and the code of what it was then (None: seen by an older release).
    ``birth``: see ``Entry.birth``; "" where it was not known."""

    outcome: str
    digest: str | None
    birth: str = ""

    @property
    def sent(self) -> bool:
        """Whether it went to the citizen."""
        return self.outcome.startswith("sent:")


def see_entry(
    connection: Connection, ticket_id: int, entry: str, outcome: str, now: float, *, digest: str | None = None,
    birth: str = "",
) -> bool:  # fmt: skip
    """Note what was decided about a journal entry; False when it was decided before."""
    values = {
        "ticket_id": ticket_id, "entry": entry, "outcome": outcome, "seen_at": now, "digest": digest,
        "birth": birth or None,
    }  # fmt: skip
    return insert_once(connection, journal, ["ticket_id", "entry"], values)


def seen_entries(connection: Connection, ticket_id: int) -> dict[str, Seen]:
    """The journal entries that were seen, by key."""
    columns = (journal.c.entry, journal.c.outcome, journal.c.digest, journal.c.birth)
    query = select(*columns).where(journal.c.ticket_id == ticket_id)
    return {
        found.entry: Seen(found.outcome, found.digest, found.birth or "")
        for found in connection.execute(query)
    }


def decide_entry(
    connection: Connection, ticket_id: int, entry: str, outcome: str, *, digest: str | None = None
) -> None:
    """Change what was decided about an entry (it was withdrawn before it went out, or it went)."""
    values = {"outcome": outcome, **({} if digest is None else {"digest": digest})}
    connection.execute(
        update(journal).where(journal.c.ticket_id == ticket_id, journal.c.entry == entry).values(**values)
    )


def withdrawn(connection: Connection, ticket_id: int) -> bool:
    """Whether the last answer that was on its way was taken back before it went."""
    on_its_way = or_(journal.c.outcome.startswith("sent:"), journal.c.outcome.startswith("not sent:"))
    query = (
        select(journal.c.outcome)
        .where(journal.c.ticket_id == ticket_id, on_its_way)
        .order_by(journal.c.seen_at.desc())
        .limit(1)
    )
    outcome = connection.execute(query).scalar()
    return outcome is not None and outcome.startswith("not sent:")


def in_conversation(
    connection: Connection, sealer: Sealer, town: str, after: int, closed_since: float, most: int
) -> list[Ticket]:
    """The next ``most`` tickets in the tracker, by row id, that are open or were closed after ``closed_since``."""
    query = (
        select(ticket)
        .where(
            ticket.c.town == town, ticket.c.id > after, ticket.c.tracker_id.is_not(None),
            or_(ticket.c.closed_at.is_(None), ticket.c.closed_at > closed_since),
        )
        .order_by(ticket.c.id)
        .limit(most)
    )  # fmt: skip
    return [_ticket(sealer, row) for row in connection.execute(query)]


def oldest_open(connection: Connection, town: str) -> float | None:
    """When the oldest ticket was made that is not closed (Unix seconds, our clock), None when there is none."""
    found = connection.execute(
        select(func.min(ticket.c.created_at)).where(ticket.c.town == town, ticket.c.closed_at.is_(None))
    ).scalar()
    return None if found is None else float(found)


def gone_to(connection: Connection, town: str, where: str) -> list[str]:
    """References of the tickets of which ``gone`` says exactly that."""
    query = select(ticket.c.reference).where(ticket.c.town == town, ticket.c.gone == where)
    return [found.reference for found in connection.execute(query.order_by(ticket.c.id))]


def marks(connection: Connection, town: str, closed_since: float) -> dict[str, str]:
    """By the tracker's id: the mark last taken of tickets that are open or were closed after ``closed_since``."""
    query = select(ticket.c.tracker_id, ticket.c.mark).where(
        ticket.c.town == town, ticket.c.tracker_id.is_not(None),
        or_(ticket.c.closed_at.is_(None), ticket.c.closed_at > closed_since),
    )  # fmt: skip
    return {found.tracker_id: found.mark or "" for found in connection.execute(query.order_by(ticket.c.id))}


def moved_to(connection: Connection, town: str, prefix: str) -> set[str]:
    """Projects that tickets of ours were moved to; ``prefix`` is how ``gone`` says so."""
    # more than nothing: the index is read from there on, and not for every ticket of the town
    named = and_(ticket.c.gone > "", ticket.c.gone.startswith(prefix))
    query = select(ticket.c.gone).where(ticket.c.town == town, named).distinct()
    return {str(found.gone).removeprefix(prefix) for found in connection.execute(query)}


def gone(connection: Connection) -> dict[str, str]:
    """References of tickets that are not where they should be, and why; closed ones left out."""
    query = select(ticket.c.reference, ticket.c.gone).where(
        ticket.c.gone.is_not(None), ticket.c.closed_at.is_(None)
    )
    return {found.reference: found.gone for found in connection.execute(query.order_by(ticket.c.id))}
