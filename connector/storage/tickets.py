"""Tickets as we know them: our reference, the tracker's id, and what was seen of their journals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connector.toolkit.privacy import Sealer

from .tables import journal, ticket


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
    """The ticket with that id in the town's tracker."""
    row = connection.execute(
        select(ticket).where(ticket.c.town == town, ticket.c.tracker_id == tracker_id)
    ).first()
    return None if row is None else _ticket(sealer, row)


def is_known(connection: Connection, town: str, tracker_id: str) -> bool:
    """Whether that ticket of the tracker is one of ours."""
    query = select(ticket.c.id).where(ticket.c.town == town, ticket.c.tracker_id == tracker_id)
    return connection.execute(query).first() is not None


def of_person(connection: Connection, person_id: int) -> list[str]:
    """References of a person's open tickets."""
    query = select(ticket.c.reference).where(ticket.c.person_id == person_id, ticket.c.closed_at.is_(None))
    return [found.reference for found in connection.execute(query.order_by(ticket.c.id))]


def update_ticket(connection: Connection, ticket_id: int, **values: Any) -> None:
    """Change columns of a ticket."""
    connection.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))


def advance_receipt(connection: Connection, ticket_id: int, before: Iterable[str], after: str) -> bool:
    """Move the receipt on from one of ``before``; False when somebody else was faster."""
    changed = connection.execute(
        update(ticket)
        .where(ticket.c.id == ticket_id, ticket.c.receipt.in_(list(before)))
        .values(receipt=after)
    )
    return bool(changed.rowcount)


def see_entry(connection: Connection, ticket_id: int, entry: str, outcome: str, now: float) -> bool:
    """Note what was decided about a journal entry; False when it was decided before."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(journal)
        .values(ticket_id=ticket_id, entry=entry, outcome=outcome, seen_at=now)
        .on_conflict_do_nothing(index_elements=["ticket_id", "entry"])
    )
    return bool(connection.execute(statement).rowcount)


def seen_entries(connection: Connection, ticket_id: int) -> set[str]:
    """Keys of the journal entries that were seen."""
    return {
        found.entry
        for found in connection.execute(select(journal.c.entry).where(journal.c.ticket_id == ticket_id))
    }


def decide_entry(connection: Connection, ticket_id: int, entry: str, outcome: str) -> None:
    """Change what was decided about an entry (it was withdrawn before it went out, or it went)."""
    connection.execute(
        update(journal)
        .where(journal.c.ticket_id == ticket_id, journal.c.entry == entry)
        .values(outcome=outcome)
    )
