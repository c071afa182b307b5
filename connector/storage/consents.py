"""Consent as evidence: who accepted, refused or withdrew what text, in which message and when, for each purpose.

A row is never changed. It finds its person by id as long as the person is known, and by pseudonym after that: who
has a number or a user id can look its evidence up, who has only the database cannot tell whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from connector.core.state import State

from .dialect import insert_once
from .tables import consent, consent_text, person

Action = Literal["given", "refused", "withdrawn"]
Purpose = Literal["service", "news"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody decided about: version and language of the text, and the SHA-256 of its exact words ("" when an
    older release did not note it). ``message_key`` is the pseudonym of the message they said it in, None for none."""

    version: str
    language: str
    digest: str
    message_key: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One decision. ``text`` is what was shown, word for word, "" when it was not kept; times are Unix seconds."""

    purpose: str
    action: str
    version: str
    language: str
    digest: str
    message_key: str | None
    at: float
    ended_at: float | None
    text: str


def show(
    connection: Connection, town: str, version: str, language: str, digest: str, text: str, now: float
) -> None:
    """Keep the words of a data-protection message that goes out now; once."""
    values = {
        "town": town,
        "digest": digest,
        "version": version,
        "language": language,
        "body": text,
        "since": now,
    }
    insert_once(connection, consent_text, ["town", "digest", "version"], values)


def note(
    connection: Connection,
    town: str,
    person_id: int,
    purpose: Purpose,
    action: Action,
    terms: Terms,
    now: float,
) -> None:
    """Keep what a person decided."""
    keys = select(person.c.user_key, person.c.phone_key).where(person.c.id == person_id)
    who = connection.execute(keys).one()
    connection.execute(
        consent.insert().values(
            town=town, person_id=person_id, user_key=who.user_key, phone_key=who.phone_key, purpose=purpose,
            action=action, version=terms.version, language=terms.language, digest=terms.digest,
            message_key=terms.message_key, at=now,
        )
    )  # fmt: skip


def standing(connection: Connection, town: str, person_id: int, purpose: Purpose) -> bool:
    """Whether the last thing this person decided about that purpose was yes."""
    query = (
        select(consent.c.action)
        .where(consent.c.town == town, consent.c.person_id == person_id, consent.c.purpose == purpose)
        .order_by(consent.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar() == "given"


def give(
    connection: Connection, town: str, person_id: int, terms: Terms, now: float, *, purpose: Purpose = "news"
) -> bool:
    """A person agrees to something besides the service. False, and nothing is kept, when they had already."""
    if standing(connection, town, person_id, purpose):
        return False
    note(connection, town, person_id, purpose, "given", terms, now)
    return True


def withdraw(
    connection: Connection, town: str, person_id: int, terms: Terms, now: float, *, purpose: Purpose = "news"
) -> bool:
    """A person no longer agrees to it. False when they had not."""
    if not standing(connection, town, person_id, purpose):
        return False
    note(connection, town, person_id, purpose, "withdrawn", terms, now)
    return True


def catch_up(connection: Connection, town: str, person_id: int, state: State) -> None:
    """Keep what a release before this table noted in the conversation's state alone."""
    if state.consent not in ("yes", "no") or not state.consent_message:
        return
    known = select(consent.c.id).where(
        consent.c.town == town, consent.c.person_id == person_id, consent.c.purpose == "service",
        consent.c.at >= state.consent_at,
    )  # fmt: skip
    if connection.execute(known.limit(1)).first() is None:
        action: Action = "given" if state.consent == "yes" else "refused"
        terms = Terms(state.consent_version, state.language, state.consent_digest, state.consent_message)
        note(connection, town, person_id, "service", action, terms, state.consent_at)


def of(
    connection: Connection, town: str, person_id: int | None, keys: Sequence[str | None] = ()
) -> list[Evidence]:
    """Everything a person decided, oldest first; with ``keys`` (user, phone) also what is left of somebody forgotten.

    A number may have been somebody else's before: what was said under another user id is not this person's.
    """
    user, phone = (*keys, None, None)[:2]
    left = consent.c.person_id.is_(None)
    whose = []
    if person_id is not None:
        whose.append(consent.c.person_id == person_id)
    if user is not None:
        whose.append(and_(left, consent.c.user_key == user))
    if phone is not None:
        theirs = and_(left, consent.c.phone_key == phone)
        if user is not None:
            theirs = and_(theirs, or_(consent.c.user_key.is_(None), consent.c.user_key == user))
        whose.append(theirs)
    if not whose:
        return []
    text = and_(
        consent_text.c.town == consent.c.town, consent_text.c.digest == consent.c.digest,
        consent_text.c.version == consent.c.version,
    )  # fmt: skip
    query = (
        select(consent, consent_text.c.body)
        .select_from(consent.outerjoin(consent_text, text))
        .where(consent.c.town == town, or_(*whose))
        .order_by(consent.c.id)
    )
    return [
        Evidence(
            r.purpose,
            r.action,
            r.version,
            r.language,
            r.digest,
            r.message_key,
            r.at,
            r.ended_at,
            r.body or "",
        )
        for r in connection.execute(query)
    ]


def part(connection: Connection, person_id: int, now: float) -> int:
    """The person is forgotten: their evidence stays under its pseudonyms, and its own time begins. Its number."""
    done = connection.execute(
        update(consent).where(consent.c.person_id == person_id).values(person_id=None, ended_at=now)
    )
    return int(done.rowcount)


def outdated(connection: Connection, town: str, before: float) -> int:
    """How much evidence is about people forgotten before then."""
    query = select(func.count()).select_from(consent).where(*_outdated(town, before))
    return int(connection.execute(query).scalar_one())


def drop(connection: Connection, town: str, before: float) -> int:
    """Remove evidence about people forgotten before then; its number."""
    return int(connection.execute(delete(consent).where(*_outdated(town, before))).rowcount)


def _outdated(town: str, before: float) -> tuple[Any, ...]:
    return (consent.c.town == town, consent.c.person_id.is_(None), consent.c.ended_at < before)
