"""What became of an answer, told to staff on the ticket: one private note an answer, and one more when it fails later.

A report is a row that waits: until every message of the answer was read, until one failed for good, or until
enough time has passed to say what is known. Answers on one ticket that are due together share a note.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.core.errors import Forbidden, Gone, Rejected
from connector.storage import ledger, tickets, waiting
from connector.storage.ledger import Delivery
from connector.storage.store import Connection
from connector.storage.waiting import Waiting
from connector.storage.work import Row
from connector.toolkit.observe import get_logger

from .runtime import Ending, Runtime
from .unsent import PREFIX, key_of

log = get_logger(__name__)

GATHER = 60.0
"""Seconds a report that is complete waits for others of its ticket: several answers, one note."""
_REASONS = {
    "131026": "staff.reason_unreachable",
    "131049": "staff.reason_limited",
    "131047": "staff.reason_window",
    "131053": "staff.reason_file",
}
_LANE = "report:{}"


@dataclass(frozen=True, slots=True)
class _Part:
    """One message of an answer: what WhatsApp says of it, or where it waits."""

    state: str
    at: float
    reason: str = ""


def begin(connection: Connection, rt: Runtime, reference: str, entry: str, parts: int, now: float) -> None:
    """An answer was handed to the sender, as ``parts`` messages: what becomes of it will be told."""
    rt.put(
        connection, lane=_LANE.format(reference), kind="report", now=now,
        due_at=now + rt.town.timing.report_hours * 3600, key=f"report:{reference}:{entry}",
        payload={"reference": reference, "entry": entry, "parts": parts, "at": now},
    )  # fmt: skip


def change(connection: Connection, rt: Runtime, reference: str, entry: str, parts: int, now: float) -> None:
    """An answer that was handed to the sender is another now: it has ``parts`` messages, or was withdrawn (0)."""
    row = waiting.by_key(connection, rt.store.sealer, f"report:{reference}:{entry}")
    if row is None:
        return
    if parts:
        waiting.rewrite(connection, rt.store.sealer, row.id, {**row.payload, "parts": parts}, row.lane, None)
    else:
        waiting.discard(connection, row.id, "not needed: the answer was withdrawn before it went", now)


def heard(connection: Connection, rt: Runtime, send_key: str, state: str, now: float) -> None:
    """A message of ours got further: a report that is complete now is due soon."""
    found = _split(send_key)
    if found is None or state not in ("read", "played"):
        return
    reference, entry = found
    row = waiting.by_key(connection, rt.store.sealer, f"report:{reference}:{entry}")
    if row is None:
        return
    parts = _parts(connection, rt, reference, entry, int(row.payload["parts"]))
    if all(part.state == "read" for part in parts):
        waiting.move(connection, row.id, now + GATHER)


def send_failed(
    connection: Connection, rt: Runtime, *, key: str, about: str, reason: str, now: float
) -> None:
    """A message to a citizen failed for good: staff of its ticket are told, and it is put where they look."""
    if not about or about.startswith("draft:"):
        return
    if tickets.by_reference(connection, rt.store.sealer, about) is None:
        return
    found = _split(key)
    if found is None:
        text = rt.texts(rt.town.languages[0], "staff.message_failed", reason=reason_words(rt, reason))
        rt.note(connection, about, text, key=f"note:failed:{key}", now=now)
    else:
        reference, entry = found
        row = waiting.by_key(connection, rt.store.sealer, f"report:{reference}:{entry}")
        if row is not None:
            waiting.move(connection, row.id, now)
        else:
            # it was reported before, as delivered or as still on its way
            parts = waiting.count(connection, f"{PREFIX}{reference}:{entry}:")
            rt.put(
                connection, lane=_LANE.format(reference), kind="report", now=now, key=f"report:{reference}:{entry}:failed",
                payload={"reference": reference, "entry": entry, "parts": parts, "at": now},
            )  # fmt: skip
    wanted = rt.town.answers.on_failed
    if wanted.status or wanted.watchers:
        payload: dict[str, object] = {
            "reference": about,
            "status": wanted.status,
            "watchers": list(wanted.watchers),
        }
        rt.put(connection, lane=f"t:{about}", kind="flag", payload=payload, now=now, key=f"flag:{key}")


def report(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
    """Step: one note about this answer, and about the others of its ticket that are due as well."""
    reference = str(row.payload["reference"])
    together = [
        other
        for other in waiting.in_lane(connection, rt.store.sealer, row.lane, now + GATHER)
        if other.id != row.id
    ]
    lines = [_line(connection, rt, payload) for payload in (row.payload, *(o.payload for o in together))]
    rt.note(connection, reference, "\n\n".join(lines), key=f"note:report:{row.id}", now=now)
    for other in together:
        waiting.end(connection, other.id, "reported with another answer", now)
    return "told to staff"


async def flag(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: a ticket whose answer failed gets the status and the watchers the mapping says."""
    reference = str(row.payload["reference"])
    ticket = await rt.store.read(lambda c: tickets.by_reference(c, rt.store.sealer, reference))
    if ticket is None or ticket.tracker_id is None or ticket.gone == tickets.DELETED:
        return lambda connection, at: "no ticket"
    tracker_id = ticket.tracker_id
    watchers = [str(w) for w in row.payload["watchers"]]
    try:
        left = await asyncio.to_thread(
            rt.tracker.flag, tracker_id, status=str(row.payload["status"]), watchers=watchers
        )
    except (Forbidden, Gone, Rejected) as error:
        log.error("a failed answer could not be shown on its ticket", town=rt.name, reference=reference, error=str(error))  # fmt: skip
        return lambda connection, at: "could not be shown on the ticket: told to the operator"
    if left:
        log.error("a failed answer is only partly shown on its ticket", town=rt.name, reference=reference, missing="; ".join(left))  # fmt: skip
        return lambda connection, at: f"shown on the ticket, without {'; '.join(left)}"
    return lambda connection, at: "shown on the ticket"


def _split(send_key: str) -> tuple[str, str] | None:
    parts = send_key.removeprefix(PREFIX).split(":")
    return (parts[0], parts[1]) if send_key.startswith(PREFIX) and len(parts) == 3 else None


def _parts(connection: Connection, rt: Runtime, reference: str, entry: str, count: int) -> list[_Part]:
    found = []
    for n in range(max(1, count)):
        key = key_of(reference, entry, n)
        found.append(_part(ledger.delivery(connection, rt.name, key), waiting.state_of(connection, key)))
    return found


def _part(delivery: Delivery | None, row: Waiting | None) -> _Part:
    """A row that failed or waits says more than what WhatsApp said of an earlier try."""
    if row is not None and row.outcome is None:
        if row.lane.startswith("held:"):
            return _Part("held", row.created_at)
        return _Part("waiting", row.created_at, row.error)
    if row is not None and row.outcome == "failed":
        return _Part("failed", row.ended_at or row.created_at, row.error)
    if row is not None and row.outcome and row.outcome.startswith("dropped"):
        return _Part("dropped", row.ended_at or row.created_at)
    if delivery is None:
        return _Part("waiting", row.created_at if row else 0.0)
    return _Part("read" if delivery.state == "played" else delivery.state, delivery.at, delivery.error)


_ORDER: Sequence[str] = ("failed", "dropped", "waiting", "held", "accepted", "sent", "delivered", "read")


def _line(connection: Connection, rt: Runtime, payload: dict[str, object]) -> str:
    """One sentence on an answer: what became of the part that got least far."""
    lang = rt.town.languages[0]
    parts = _parts(
        connection, rt, str(payload["reference"]), str(payload["entry"]), int(str(payload["parts"]))
    )
    worst = min(parts, key=lambda part: (_ORDER.index(part.state) if part.state in _ORDER else 0, -part.at))
    answer = _when(rt, float(str(payload["at"])))
    when = _when(rt, worst.at)
    match worst.state:
        case "failed":
            whole = len({part.state for part in parts}) == 1
            name = "staff.report_failed" if whole else "staff.report_failed_part"
            return rt.texts(lang, name, answer=answer, reason=reason_words(rt, worst.reason))
        case "dropped":
            return rt.texts(lang, "staff.report_dropped", answer=answer)
        case "held":
            return rt.texts(lang, "staff.report_held", answer=answer)
        case "waiting":
            return rt.texts(lang, "staff.report_waiting", answer=answer)
        case "accepted" | "sent":
            return rt.texts(lang, "staff.report_sent", answer=answer, when=when)
        case "delivered":
            return rt.texts(lang, "staff.report_delivered", answer=answer, when=when)
        case _:
            return rt.texts(lang, "staff.report_read", answer=answer, when=when)


def reason_words(rt: Runtime, reason: str) -> str:
    """Why a message failed, in the words of staff; Meta's code stays visible for who looks after the connector."""
    code = next((word for word in reason.replace("(", " ").split() if word.isdigit()), "")
    lang = rt.town.languages[0]
    name = _REASONS.get(code)
    if name:
        return rt.texts(lang, name, code=code)
    return rt.texts(lang, "staff.reason_other", reason=reason)


def _when(rt: Runtime, at: float) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(rt.town.channel.time_zone)).strftime("%d/%m/%Y %H:%M")
