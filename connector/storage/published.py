"""Requests that may be published, as far as our own tables know them. Nobody else is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from connector.core.open_data import Facts
from connector.toolkit.privacy import Pseudonyms, Sealer, WrongKey

from .tables import journal, person, ticket
from .tickets import HIDDEN


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of a request's content. It stays good as long as the content is the same."""

    code: int
    place: tuple[float, float] | None
    words: str
    private: bool


def facts(
    connection: Connection,
    sealer: Sealer,
    pseudonyms: Pseudonyms,
    town: str,
    options: Collection[str],
    *,
    before: int | None,
    most: int,
    known: Mapping[int, Known],
    words: bool,
) -> tuple[list[Facts], dict[int, Known], int | None]:
    """The next ``most`` requests with a row id under ``before``, the newest first; what was read of their contents,
    where ``known`` did not have it; and where to go on, None at the end.

    Only what is in the tracker, where it was made, whose content is held and whose person stands by their consent: what
    was forgotten, erased or withdrawn is published no more. The public id is a pseudonym of the row: neither the reference, which whoever knows it
    can quote, nor a number that counts requests.
    """
    query = (
        select(
            ticket.c.id, ticket.c.option, ticket.c.status, ticket.c.created_at, ticket.c.closed_at, ticket.c.content
        )
        .join(person, person.c.id == ticket.c.person_id)
        .where(
            person.c.contact.is_not(None), ticket.c.town == town, ticket.c.option.in_(list(options)), ticket.c.tracker_id.is_not(None),
            ticket.c.gone.is_(None), ticket.c.content.is_not(None),
        )
        .order_by(ticket.c.id.desc())
        .limit(most)
    )  # fmt: skip
    if before is not None:
        query = query.where(ticket.c.id < before)
    rows = connection.execute(query).all()
    answered = _answered(connection, [row.id for row in rows])
    found, read = [], {}
    for row in rows:
        code = hash(bytes(row.content))
        content = known.get(row.id)
        if content is None or content.code != code:
            try:
                content = _content(sealer.open(row.content), code, words)
            except WrongKey:
                continue  # while a key is being changed: it is back in a moment
        read[row.id] = content
        found.append(
            Facts(
                id=pseudonyms.of(f"open-data:{town}", str(row.id))[:16],
                option=row.option,
                status=row.status,
                created_at=row.created_at,
                closed_at=row.closed_at,
                answered_at=answered.get(row.id),
                place=content.place,
                words=content.words,
                private=content.private,
            )
        )
    return found, read, rows[-1].id if len(rows) == most else None


def _content(content: Mapping[str, Any], code: int, words: bool) -> Known:
    place = next(((p[0], p[1]) for p in content.get("places", ())), None)
    # what does not say that it is public is private
    private = content.get("routing", {}).get("private", True) is not False or bool(content.get(HIDDEN))
    return Known(code, place, str(content.get("words", "")) if words else "", private)


def _answered(connection: Connection, ids: list[int]) -> dict[int, float]:
    query = (
        select(journal.c.ticket_id, func.max(journal.c.seen_at).label("at"))
        .where(journal.c.ticket_id.in_(ids), journal.c.outcome.startswith("sent:"))
        .group_by(journal.c.ticket_id)
    )
    return {row.ticket_id: row.at for row in connection.execute(query)}
