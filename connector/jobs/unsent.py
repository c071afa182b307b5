"""Answers that are with the sender and not sent: what waits is read again before it goes.

A message may wait for minutes (rates, a paused number, a send whose answer was lost) or for days (the customer service
window, a template). What staff change, hide or delete meanwhile must not go out as it was. So every message of an
answer says when its note was read; one that is due later than ``Pace.fresh`` after that asks for a new look.
"""

from __future__ import annotations

from typing import Any

from connector.storage import in_lane, listening, waiting, work
from connector.storage.store import Connection
from connector.storage.waiting import Waiting
from connector.storage.work import Row

from .runtime import FAR, Runtime

NOT_SENT = "not sent"
"""How the outcome of an answer, and of a message of one, begins that was withdrawn before it went."""
PREFIX = "say:answer:"
_LANE = "recheck:"


def key_of(reference: str, entry: str, n: int) -> str:
    """The key under which message ``n`` of an answer is sent."""
    return f"{PREFIX}{reference}:{entry}:{n}"


def mark(reference: str, entry: str, digest: str, now: float, made: float | None = None) -> dict[str, object]:
    """What a message of an answer carries: which note it is from, as it was when it was read just ``now``.

    ``made``: when its files were handed to WhatsApp, which keeps them for 30 days.
    """
    made = now if made is None else made
    return {"reference": reference, "entry": entry, "digest": digest, "read": now, "made": made}


def parts(connection: Connection, rt: Runtime, reference: str, entry: str, now: float) -> list[Waiting]:
    """The messages of an answer that surely were not sent and are not being sent, in order."""
    rows = waiting.under(connection, rt.store.sealer, f"{PREFIX}{reference}:{entry}:", now)
    return [
        row
        for row in rows
        if row.tried_at is None or listening.heard(rt.deaf, row.tried_at, now) >= rt.pace.silence
    ]


def any_left(connection: Connection, reference: str, entry: str) -> bool:
    """Whether a message of this answer is still with us."""
    return waiting.any_under(connection, f"{PREFIX}{reference}:{entry}:")


def back(connection: Connection, rt: Runtime, part: Waiting, payload: dict[str, Any]) -> None:
    """The message may go, as ``payload`` has it now: before those that came after it, unless it waits for the person."""
    lane = part.lane
    if lane.startswith(_LANE):
        lane = f"out:{lane.removeprefix(_LANE)}"
    due_at = part.created_at if lane.startswith("out:") else None
    waiting.rewrite(connection, rt.store.sealer, part.id, payload, lane, due_at)


def must_wait(connection: Connection, rt: Runtime, row: Row, now: float) -> bool:
    """Whether the note of this message was read too long ago, or an earlier answer on its ticket let others go first:
    answers on one ticket keep their order."""
    note = row.payload.get("note")
    if note is None:
        return False
    return now - float(note["read"]) > rt.pace.fresh or _behind(connection, row)


def _behind(connection: Connection, row: Row) -> bool:
    """Whether an earlier answer on the same ticket is aside and will be back: what was given up holds up nothing."""
    reference = str(row.payload["note"]["reference"])
    aside = f"{_LANE}{row.payload['person']}"
    before = waiting.any_before(connection, aside, f"{PREFIX}{reference}:", row.id)
    return before and waiting.any_under(connection, _recheck(reference, ""))


def wait(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Instead of sending: the message keeps its place while its note is read again, and when that takes long (the
    tracker is away) lets others go first, but for the later answers on its ticket."""
    note = row.payload["note"]
    begun = look(connection, rt, str(note["reference"]), str(note["entry"]), now)
    if begun and not _behind(connection, row):
        why = "its note is read again before it goes out"
        work.later(connection, rt.store.sealer, row, now + rt.pace.aside, why, counted=False)
    else:
        in_lane.set_aside(connection, row, f"{_LANE}{row.payload['person']}", now + FAR)
    return ""


def _recheck(reference: str, entry: str) -> str:
    return f"recheck:{reference}:{entry}"


def under_way(connection: Connection, rt: Runtime, reference: str, entry: str) -> bool:
    """Whether the note is being read again. Until this transaction ends that stays so: what relies on it to be brought
    back and what brings back do not pass each other."""
    return waiting.by_key(connection, rt.store.sealer, _recheck(reference, entry), lock=True) is not None


def look(connection: Connection, rt: Runtime, reference: str, entry: str, now: float) -> bool:
    """Have the note of an answer that is not sent read again; False when that is under way."""
    if under_way(connection, rt, reference, entry):
        return False
    key = _recheck(reference, entry)
    work.put_or_move(
        connection, rt.store.sealer, town=rt.name, lane=f"a:{reference}", kind="recheck",
        payload={"reference": reference, "entry": entry}, now=now, due_at=now, key=key,
    )  # fmt: skip
    return True
