"""Everything that is held about one person, in the clear, as plain dictionaries and lists: what, where, since when."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from connector.toolkit.privacy import Sealer

from . import consents, files, notices, subjects, subscriptions, tickets
from .subjects import Subject
from .tables import broadcast, journal, media, message, person, recipient, ticket


def when(at: float | None) -> str | None:
    """A time as RFC 3339, UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def addresses(connection: Connection, sealer: Sealer, who: Subject) -> tuple[str, ...]:
    """Number and user id that are kept, none when consent was never given or was withdrawn."""
    if who.id is None:
        return ()
    sealed = connection.execute(select(person.c.contact).where(person.c.id == who.id)).scalar_one()
    contact = sealer.open(sealed) if sealed is not None else {}
    return tuple(str(v) for name in ("phone", "user_id") if (v := contact.get(name)))


def of(
    connection: Connection, sealer: Sealer, who: Subject, words: Collection[str], now: float
) -> dict[str, Any]:
    """All of it. ``words`` are number and user id, to be looked for in WhatsApp's own notifications."""
    return {
        "person": _person(connection, sealer, who),
        "consent": _consent(connection, sealer, who),
        "subscriptions": _subscriptions(connection, who),
        "broadcasts": _broadcasts(connection, who),
        "requests": [_request(connection, sealer, reference) for reference in (*who.under_way, *who.there)],
        "files": [_file(connection, sealer, ref) for ref in who.files],
        "messages": _messages(connection, who),
        "work": _work(connection, sealer, who),
        "notifications": [
            {"kept_in": "work, encrypted", "since": when(n.at), "content": n.payload}
            for n in notices.naming(connection, sealer, who.town, words, now)
        ],
    }


def _person(connection: Connection, sealer: Sealer, who: Subject) -> dict[str, Any] | None:
    if who.id is None:
        return None
    row = connection.execute(select(person).where(person.c.id == who.id)).one()
    contact = sealer.open(row.contact) if row.contact is not None else {}
    return {
        "kept_in": "person: contact and conversation encrypted, found by pseudonym",
        "since": when(row.created_at),
        "last_change": when(row.updated_at),
        "no_marketing_messages_since": when(row.stopped_at),
        "may_be_answered_freely_until": when(row.window_until or None),
        "phone": contact.get("phone"),
        "user_id": contact.get("user_id"),
        "name": contact.get("name"),
        "pseudonyms": [key for key in (row.user_key, row.phone_key) if key],
        "conversation": sealer.open(row.state),
    }


def _consent(connection: Connection, sealer: Sealer, who: Subject) -> list[dict[str, Any]]:
    found = []
    for one in consents.of(connection, who.town, who.id, who.keys):
        plain = asdict(one)
        plain["at"], plain["ended_at"] = when(one.at), when(one.ended_at)
        found.append({"kept_in": "consent", **plain})
    return found


def _subscriptions(connection: Connection, who: Subject) -> list[dict[str, Any]]:
    found = subscriptions.of(connection, who.id) if who.id is not None else []
    return [{"kept_in": "subscription", "topic": one.topic, "since": when(one.since)} for one in found]


def _broadcasts(connection: Connection, who: Subject) -> list[dict[str, Any]]:
    if who.id is None:
        return []
    query = (
        select(recipient, broadcast.c.content)
        .join_from(recipient, broadcast)
        .where(recipient.c.person_id == who.id)
    )
    return [
        {
            "kept_in": "recipient", "broadcast": r.broadcast_id, "content": json.loads(r.content), "outcome": r.state,
            "since": when(r.changed_at), "error": r.error,
        }
        for r in connection.execute(query.order_by(recipient.c.id))
    ]  # fmt: skip


def _request(connection: Connection, sealer: Sealer, reference: str) -> dict[str, Any]:
    found = tickets.by_reference(connection, sealer, reference)
    assert found is not None
    entries = select(journal).where(journal.c.ticket_id == found.id).order_by(journal.c.seen_at)
    return {
        "kept_in": "ticket, content encrypted; and in the tracker, where the ticket is",
        "reference": reference,
        "ticket": found.tracker_id,
        "url": found.url,
        "since": when(found.created_at),
        "option": found.option,
        "language": found.language,
        "status": found.status,
        "closed": when(found.closed_at),
        "gone": found.gone,
        "content": found.content or None,
        "answers": [
            {"entry": e.entry, "seen": when(e.seen_at), "outcome": e.outcome}
            for e in connection.execute(entries)
        ],
    }


def _file(connection: Connection, sealer: Sealer, ref: str) -> dict[str, Any]:
    file = files.get(connection, sealer, ref)
    assert file is not None
    query = select(ticket.c.reference).join_from(media, ticket).where(media.c.ref == ref)
    content = files.content(connection, sealer, file) if file.state == "here" else b""
    return {
        "kept_in": "media, encrypted; its content only until it is on the ticket",
        "since": when(file.created_at),
        "request": connection.execute(query).scalar(),
        "state": file.state,
        "facts": file.facts,
        "size": file.size,
        "sha256": file.digest,
        "content_base64": base64.b64encode(content).decode() if content else None,
    }


def _messages(connection: Connection, who: Subject) -> list[dict[str, Any]]:
    if who.id is None:
        return []  # and not those that are nobody's
    query = select(message).where(message.c.person_id == who.id).order_by(message.c.id)
    return [
        {
            "kept_in": "message", "direction": m.direction, "at": when(m.at), "pseudonym": m.key, "about": m.about,
            "outcome": m.state, "since": when(m.changed_at), "error": m.error,
        }
        for m in connection.execute(query)
    ]  # fmt: skip


def _work(connection: Connection, sealer: Sealer, who: Subject) -> list[dict[str, Any]]:
    return [
        {
            "kept_in": "work, encrypted",
            "kind": row.kind,
            "since": when(row.created_at),
            "state": "waits" if row.ended_at is None else row.outcome,
            "why": row.error,
            "content": sealer.open(row.payload) if row.payload is not None else None,
        }
        for row in subjects.work_of(connection, who)
    ]
