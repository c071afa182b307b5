"""An answer that waited is compared with its note as it is now, just before it goes out."""

from __future__ import annotations

from collections.abc import Sequence

from connector.core.answers import digest, judge
from connector.core.errors import Gone
from connector.core.outgoing import Outgoing, TextOut
from connector.core.ticket import Entry
from connector.storage import people, tickets, waiting
from connector.storage.store import Connection
from connector.storage.tickets import Ticket
from connector.storage.waiting import Waiting
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.observe import get_logger
from connector.whatsapp.payloads import to_json

from . import answers, births, enclosures, journal, reports, snapshots, unsent
from .runtime import DAY, Ending, Runtime

log = get_logger(__name__)

_MEDIA_KEPT = 25 * DAY
"""WhatsApp keeps a file that was handed to it for 30 days (CLOUD-API.md 4): after so long it gets it again."""


async def recheck(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: read the note of an answer again; its messages go on, are made anew, or are withdrawn."""
    reference, key = str(row.payload["reference"]), str(row.payload["entry"])
    ticket = await rt.store.read(lambda c: tickets.by_reference(c, rt.store.sealer, reference))
    if ticket is None or ticket.tracker_id is None:
        return lambda connection, at: "no ticket"
    try:
        view = await births.read(rt, ticket)
    except Gone:
        return lambda connection, at: _withdraw(connection, rt, ticket, key, "the ticket was deleted", at)
    seen = await rt.store.read(lambda c: tickets.seen_entries(c, ticket.id))
    entries = snapshots.entries(rt, view, seen)
    entry = next((e for e in entries if e.key == key), None)
    if entry is None:
        why = "the status is another by now" if snapshots.is_status(key) else "the note was deleted"
        return lambda connection, at: _withdraw(connection, rt, ticket, key, why, at)
    verdict = judge(entry, rt.town)
    if not verdict.sends:
        return lambda connection, at: _withdraw(connection, rt, ticket, key, verdict.reason, at)
    person = await rt.store.read(lambda c: people.get(c, rt.store.sealer, ticket.person_id))
    if person.address is None:
        return lambda connection, at: _unwanted(connection, rt, ticket, key, at)
    code = digest(entry)
    there = await rt.store.read(lambda c: unsent.parts(c, rt, reference, key, now))
    if all(_as_it_is(part, code, now) for part in there):
        return lambda connection, at: _let_go(connection, rt, ticket, entry, (), now, at)
    statuses = journal.along(rt, entries, key, seen, gone=True)
    messages, left = await answers.messages_of(rt, ticket, entry, verdict, statuses)

    def end(connection: Connection, at: float) -> str:
        enclosures.tell_staff(connection, rt, ticket, key, left, at)
        return _let_go(connection, rt, ticket, entry, messages, now, at)

    return end


def _unwanted(connection: Connection, rt: Runtime, ticket: Ticket, key: str, now: float) -> str:
    answers.tell_staff_it_stays(connection, rt, ticket, key, now)
    return _withdraw(connection, rt, ticket, key, answers.NO_ADDRESS, now)


def _as_it_is(part: Waiting, code: str, now: float) -> bool:
    note = part.payload["note"]
    return bool(note["digest"] == code and now - float(note["made"]) < _MEDIA_KEPT)


def _let_go(
    connection: Connection, rt: Runtime, ticket: Ticket, entry: Entry, messages: Sequence[Outgoing], read: float, now: float
) -> str:  # fmt: skip
    """The messages of an answer go on; as ``messages`` when there are any and none of the former ones went."""
    reference, key, code = ticket.reference, entry.key, digest(entry)
    unsent.under_way(connection, rt, reference, key)
    there = unsent.parts(connection, rt, reference, key, now)
    whole = len(there) == waiting.count(connection, f"{unsent.PREFIX}{reference}:{key}:")
    if messages and there and whole:
        return _anew(connection, rt, ticket, key, code, there, messages, read, now)
    for part in there:
        note = part.payload["note"]
        # half of it went: the rest is the rest of that, and the nightly look tells staff that it was changed
        if note["digest"] == code or not whole:
            note = unsent.mark(reference, key, note["digest"], read, note["made"])
        # else it was in hand when the note was read: it goes back as it is, and asks anew
        unsent.back(connection, rt, part, {**part.payload, "note": note})
    return "as it was"


def _anew(
    connection: Connection, rt: Runtime, ticket: Ticket, key: str, code: str, there: Sequence[Waiting],
    messages: Sequence[Outgoing], read: float, now: float,
) -> str:  # fmt: skip
    note = unsent.mark(ticket.reference, key, code, read)
    for part, message in zip(there, messages, strict=False):
        unsent.back(connection, rt, part, {**part.payload, "message": to_json(message), "note": note})
    person = people.get(connection, rt.store.sealer, ticket.person_id)
    for n, message in enumerate(messages[len(there) :], start=len(there)):
        name = unsent.key_of(ticket.reference, key, n)
        rt.tell(connection, person, message, key=name, about=ticket.reference, now=now, note=note)
    for part in there[len(messages) :]:
        waiting.discard(connection, part.id, f"{unsent.NOT_SENT}: the note was changed and is shorter", now)
    reports.change(connection, rt, ticket.reference, key, len(messages), now)
    tickets.decide_entry(connection, ticket.id, key, "sent: changed before it went", digest=code)
    crash.point("recheck.anew")
    return "made anew: the note was changed"


def _withdraw(connection: Connection, rt: Runtime, ticket: Ticket, key: str, why: str, now: float) -> str:
    outcome = f"{unsent.NOT_SENT}: {why}"
    unsent.under_way(connection, rt, ticket.reference, key)
    there = unsent.parts(connection, rt, ticket.reference, key, now)
    for part in there:
        waiting.discard(connection, part.id, outcome, now)
    if not there or waiting.count(connection, f"{unsent.PREFIX}{ticket.reference}:{key}:"):
        return f"{outcome}: what was left of it"
    tickets.decide_entry(connection, ticket.id, key, outcome, digest="")
    journal.alone_again(connection, rt, ticket, key, now)
    reports.change(connection, rt, ticket.reference, key, 0, now)
    log.info("withdrawn before it went", town=rt.name, reference=ticket.reference)
    asked = any(part.payload.get("announced") and not part.lane.startswith("held:") for part in there)
    if asked:
        # a template said that there is an answer, and the person has just asked for it
        person = people.get(connection, rt.store.sealer, ticket.person_id)
        text = TextOut(rt.texts(ticket.language, "answer.withdrawn"))
        say = f"say:withdrawn:{ticket.reference}:{key}"
        rt.tell(connection, person, text, key=say, about=ticket.reference, now=now)
    crash.point("recheck.withdrawn")
    return outcome
