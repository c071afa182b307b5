"""Everything that is about one person, found: ids, pseudonyms, requests, files, and the lanes their work waits in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from connector.core.address import Address
from connector.toolkit.privacy import Pseudonyms

from .people import keys_of
from .tables import media, message, person, ticket, work


@dataclass(frozen=True, slots=True)
class Subject:
    """A person of one town, known (``id``) or not: then ``keys`` may still have evidence, or a message that waits."""

    town: str
    id: int | None
    keys: tuple[str | None, str | None]
    """Pseudonyms of user id and number."""
    under_way: tuple[str, ...] = ()
    """References of requests that are not in the tracker, as far as is known here."""
    there: tuple[str, ...] = ()
    """References of requests that are."""
    files: tuple[str, ...] = ()

    def lanes(self) -> tuple[str, ...]:
        """Where work waits that is about the person alone."""
        own = tuple(f"in:{self.town}:{key}" for key in self.keys if key)
        if self.id is None:
            return own
        return (*own, *(f"{name}:{self.id}" for name in ("out", "held", "recheck", "quiet")))

    def request_lanes(self) -> tuple[str, ...]:
        """Where work waits that is about requests which are not in the tracker."""
        return tuple(f"{name}:{r}" for r in self.under_way for name in ("t", "w", "r", "a", "look", "report"))

    def ticket_lanes(self) -> tuple[str, ...]:
        """Where work waits that is about requests which are."""
        return tuple(f"{name}:{r}" for r in self.there for name in ("t", "w", "r", "a", "look", "report"))


def by_address(connection: Connection, pseudonyms: Pseudonyms, town: str, address: Address) -> Subject:
    """Whose number or user id it is."""
    user, phone = keys_of(pseudonyms, town, address)
    where = person.c.user_key == user if user is not None else person.c.phone_key == phone
    found = connection.execute(select(person.c.id).where(person.c.town == town, where)).scalar()
    return Subject(town, None, (user, phone)) if found is None else by_id(connection, int(found))


def by_reference(connection: Connection, town: str, reference: str) -> Subject | None:
    """Whose request it is; None when there is no such request."""
    query = select(ticket.c.person_id).where(ticket.c.town == town, ticket.c.reference == reference)
    found = connection.execute(query).scalar()
    return None if found is None else by_id(connection, int(found))


def by_id(connection: Connection, person_id: int) -> Subject:
    """The person, locked until the transaction ends when it writes."""
    who = connection.execute(select(person).where(person.c.id == person_id).with_for_update()).one()
    tickets = connection.execute(
        select(ticket.c.reference, ticket.c.tracker_id)
        .where(ticket.c.person_id == person_id)
        .order_by(ticket.c.id)
    ).all()
    files = connection.execute(select(media.c.ref).where(media.c.person_id == person_id).order_by(media.c.id))
    return Subject(
        who.town, person_id, (who.user_key, who.phone_key),
        tuple(t.reference for t in tickets if t.tracker_id is None),
        tuple(t.reference for t in tickets if t.tracker_id is not None),
        tuple(f.ref for f in files),
    )  # fmt: skip


def work_of(connection: Connection, who: Subject) -> list[Row[Any]]:
    """Rows of work about the person that are open, failed for good, or still hold what was sent, oldest first."""
    lanes = (*who.lanes(), *who.request_lanes(), *who.ticket_lanes(), *(f"media:{ref}" for ref in who.files))
    found = {row.id: row for query in _queries(who, lanes) for row in connection.execute(query)}
    return [found[key] for key in sorted(found)]


def _queries(who: Subject, lanes: tuple[str, ...]) -> Iterator[Select[Any]]:
    waits, failed = work.c.ended_at.is_(None), and_(work.c.town == who.town, work.c.outcome == "failed")
    for start in range(0, len(lanes), 500):
        some = work.c.lane.in_(lanes[start : start + 500])
        yield select(work).where(waits, some)
        yield select(work).where(failed, some)
    if who.id is None:
        return
    # «template:<town>:<name>:<person>»
    template = work.c.lane.startswith(f"template:{who.town}:", autoescape=True)
    theirs = work.c.lane.endswith(f":{who.id}", autoescape=True)
    yield select(work).where(waits, template, theirs)
    yield select(work).where(failed, template, theirs)
    sent = select(message.c.send_key).where(message.c.person_id == who.id, message.c.direction == "out")
    yield select(work).where(work.c.key.in_(sent), work.c.payload.is_not(None))
