"""Messages WhatsApp took: their content stays until they are delivered, as WhatsApp may say later that they failed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from connector.toolkit.privacy import Sealer

from .tables import message, work
from .work import Row, _news

ACCEPTED = "accepted by WhatsApp"
"""Outcome of a row whose message was taken; also the beginning of it where a status was the proof."""


# Asked for each status that WhatsApp tells, so built once.
_KEY_OF = select(message.c.send_key).where(
    message.c.town == bindparam("of"), message.c.direction == "out", message.c.key == bindparam("code")
)
_DELIVERED = (
    update(work)
    .where(
        work.c.key == bindparam("sent"), work.c.town == bindparam("of"), work.c.kind == "send",
        work.c.ended_at.is_not(None), work.c.outcome.startswith(ACCEPTED),
    )
    .values(payload=None)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A send that ended. ``whole``: its content is still there, so it can be repeated."""

    id: int
    key: str
    attempts: int
    whole: bool


def find(connection: Connection, town: str, key: str) -> Sent | None:
    """The send of that key, if it ended with WhatsApp having taken it."""
    r = connection.execute(
        select(work.c.id, work.c.attempts, work.c.payload.is_not(None).label("whole")).where(
            work.c.key == key, work.c.town == town, work.c.kind == "send",
            work.c.ended_at.is_not(None), work.c.outcome.startswith(ACCEPTED),
        )
    ).first()  # fmt: skip
    return None if r is None else Sent(int(r.id), key, int(r.attempts), bool(r.whole))


def content(connection: Connection, sealer: Sealer, row: Sent) -> dict[str, Any]:
    """What a whole one holds."""
    found: dict[str, Any] = sealer.open(
        connection.execute(select(work.c.payload).where(work.c.id == row.id)).scalar_one()
    )
    return found


def again(
    connection: Connection, sealer: Sealer, row: Sent, due_at: float, error: str = "", **known: Any
) -> Row:
    """Open it again with what it held, and with what is ``known`` since: it failed after all, and surely was not delivered.
    First in its lane."""
    if known:
        sealed = sealer.seal({**content(connection, sealer, row), **known})
        connection.execute(update(work).where(work.c.id == row.id).values(payload=sealed))
    _news(connection)
    token = secrets.token_hex(8)
    connection.execute(
        update(work).where(work.c.id == row.id).values(
            ended_at=None, outcome=None, due_at=due_at, tried_at=None, error=error or None,
            lease_until=None, lease_by=token,
        )
    )  # fmt: skip
    found = connection.execute(select(work).where(work.c.id == row.id)).one()
    payload: dict[str, Any] = sealer.open(found.payload)
    return Row(
        id=found.id, town=found.town, lane=found.lane, kind=found.kind, key=found.key, payload=payload,
        created_at=found.created_at, due_at=found.due_at, attempts=found.attempts, tried_at=None, lease_by=token,
        lease_until=0,
    )  # fmt: skip


def failed(connection: Connection, row: Sent, error: str) -> None:
    """It failed for good: listed with the rows that did."""
    connection.execute(update(work).where(work.c.id == row.id).values(outcome="failed", error=error))


def delivered(connection: Connection, town: str, key: str) -> None:
    """It is on the phone: what it said is no longer needed."""
    connection.execute(_DELIVERED, {"sent": key, "of": town})


def forget(connection: Connection, before: float) -> int:
    """Erase the content of what WhatsApp took before then and said no more about; the number of those."""
    done = connection.execute(
        update(work)
        .where(work.c.kind == "send", work.c.ended_at < before, work.c.payload.is_not(None),
               work.c.outcome.startswith(ACCEPTED))
        .values(payload=None)
    )  # fmt: skip
    return int(done.rowcount)


def forget_person(connection: Connection, person_id: int) -> int:
    """Erase the content of what WhatsApp took for this person and did not deliver yet; the number of those.

    Should WhatsApp say that it failed it cannot be repeated any more: it failed for good.
    """
    keys = select(message.c.send_key).where(
        message.c.person_id == person_id,
        message.c.direction == "out",
        message.c.state.in_(("accepted", "sent")),
    )
    done = connection.execute(
        update(work)
        .where(work.c.key.in_(keys), work.c.kind == "send", work.c.ended_at.is_not(None),
               work.c.outcome.startswith(ACCEPTED))
        .values(payload=None)
    )  # fmt: skip
    return int(done.rowcount)


def key_of(connection: Connection, town: str, code: str) -> str:
    """The key of the send whose message has that pseudonym, "" when there is none."""
    found = connection.execute(_KEY_OF, {"of": town, "code": code}).first()
    return str(found.send_key) if found is not None and found.send_key else ""
