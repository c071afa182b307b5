"""From the tracker to the citizen: polling, and every answer read again just before it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from connector.core.answers import Verdict, digest, files_of, judge, words_of
from connector.core.errors import Forbidden, Gone, Misconfigured, Rejected
from connector.core.incoming import MediaKind
from connector.core.outgoing import MediaOut, Outgoing, TextOut
from connector.core.ticket import Changes, Entry
from connector.storage import cursors, people, tickets
from connector.storage.store import Connection
from connector.storage.tickets import DELETED, Ticket
from connector.storage.work import Row
from connector.toolkit.observe import get_logger
from connector.whatsapp.limits import split
from connector.whatsapp.markup import to_whatsapp

from . import births, enclosures, journal, reports, snapshots, sweep, unsent
from .enclosures import NotSent
from .runtime import Ending, Runtime

log = get_logger(__name__)

NO_ADDRESS = "no address is kept: the person withdrew consent, or was erased"
_CAPTION, _TEXT = 1024, 4096


async def poll(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: what moved in the tracker since the cursor; what follows and the new cursor are stored together."""
    cursor = await rt.store.read(lambda connection: cursors.get(connection, rt.name, "poll"))
    if cursor is None:
        return await _begin(rt, "begun")
    projects = sorted({routing.project for _, routing in rt.town.routings()})
    moved = await rt.store.read(lambda connection: tickets.moved_to(connection, rt.name, journal.MOVED))
    try:
        changes = await _changes(rt, cursor, projects, sorted(moved - set(projects)), now)
    except Misconfigured as error:
        log.error(
            "the tracker's cursor cannot be read: everything is looked at again",
            town=rt.name,
            error=str(error),
        )
        return await _begin(rt, "begun again: the cursor could not be read")

    def end(connection: Connection, at: float) -> str:
        found = sum(journal.take(connection, rt, view, at) for view in changes.tickets)
        for view in changes.tickets:
            for reference in tickets.gone_to(connection, rt.name, f"{snapshots.MERGED}{view.ticket_id}"):
                look_at(connection, rt, reference, at)
        for reference, ticket_id in changes.strangers:
            _stranger(connection, rt, reference, ticket_id, at)
        cursors.save(connection, rt.name, "poll", changes.cursor, at)
        if changes.more:
            rt.put(connection, lane=row.lane, kind="poll", payload={}, now=at)
        return f"{found} new entries" if found else "nothing new"

    return end


async def _begin(rt: Runtime, how: str) -> Ending:
    """A cursor from the oldest ticket that may still be answered, else from now: nothing lies before it."""
    oldest = await rt.store.read(lambda connection: tickets.oldest_open(connection, rt.name))
    begun = await asyncio.to_thread(rt.tracker.start_cursor, oldest)

    def end(connection: Connection, at: float) -> str:
        cursors.save(connection, rt.name, "poll", begun, at)
        return f"{how}: from now on" if oldest is None else f"{how}: from the oldest open ticket on"

    return end


async def _changes(rt: Runtime, cursor: str, projects: list[str], moved: list[str], now: float) -> Changes:
    """Also in the projects our tickets were moved to, as long as we see those."""
    ours = snapshots.Ours(rt, now)
    if moved:
        try:
            return await asyncio.to_thread(rt.tracker.changes, cursor, [*projects, *moved], ours)
        except (Forbidden, Gone, Rejected):
            log.warning("a project that tickets were moved to is not in sight", town=rt.name)
    return await asyncio.to_thread(rt.tracker.changes, cursor, projects, ours)


def _stranger(connection: Connection, rt: Runtime, reference: str, ticket_id: str, now: float) -> None:
    """A ticket we did not make carries a reference of ours: a copy, or one the tracker made after we gave up on it."""
    ticket = tickets.by_reference(connection, rt.store.sealer, reference)
    if ticket is None or ticket.town != rt.name or ticket.tracker_id in (None, ticket_id):
        return
    text = rt.texts(rt.town.languages[0], "staff.duplicate", tickets=ticket_id)
    rt.note(connection, reference, text, key=f"note:duplicate:{reference}:{ticket_id}", now=now)


def look_at(connection: Connection, rt: Runtime, reference: str, now: float) -> None:
    """Have one ticket read whole, soon."""
    payload: dict[str, object] = {"reference": reference}
    rt.put(connection, lane=f"look:{reference}", kind="look", payload=payload, now=now)


async def look(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: read one ticket whole, whatever the cursor says."""
    ticket = await _ticket(rt, row.payload["reference"])
    if ticket is None or ticket.tracker_id is None:
        return lambda connection, at: "no ticket"
    try:
        view = await births.read(rt, ticket)
    except Gone:
        return lambda connection, at: _gone(connection, rt, ticket, at)
    return lambda connection, at: f"{journal.take(connection, rt, view, at)} new entries"


def _gone(connection: Connection, rt: Runtime, ticket: Ticket, now: float) -> str:
    sweep.settle(connection, rt, ticket, DELETED, now)
    return DELETED


async def _ticket(rt: Runtime, reference: str) -> Ticket | None:
    return await rt.store.read(
        lambda connection: tickets.by_reference(connection, rt.store.sealer, reference)
    )


async def answer(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one journal entry to the citizen. It is read again now: it may have been changed or hidden since."""
    ticket = await _ticket(rt, row.payload["reference"])
    key = str(row.payload["entry"])
    if ticket is None or ticket.tracker_id is None:
        return lambda connection, at: "no ticket"
    read = now
    seen = await rt.store.read(lambda c: tickets.seen_entries(c, ticket.id))
    if key in seen and seen[key].outcome.startswith(journal.with_note("")):
        return lambda connection, at: "went in the message of the note before it"
    try:
        view = await births.read(rt, ticket)
    except Gone:
        return lambda connection, at: _withdrawn(connection, ticket, key, "the ticket was deleted")
    entries = snapshots.entries(rt, view, seen)
    entry = next((e for e in entries if e.key == key), None)
    if entry is None:
        why = "the status is another by now" if snapshots.is_status(key) else "the note was deleted"
        return lambda connection, at: _withdrawn(connection, ticket, key, why)
    verdict = judge(entry, rt.town)
    if not verdict.sends:
        return lambda connection, at: _withdrawn(connection, ticket, key, verdict.reason)
    statuses = journal.along(rt, entries, key, seen) if verdict.note else ()
    messages, left = await messages_of(rt, ticket, entry, verdict, statuses)

    def end(connection: Connection, at: float) -> str:
        person = people.get(connection, rt.store.sealer, ticket.person_id)
        told = [
            rt.tell(
                connection,
                person,
                m,
                key=unsent.key_of(ticket.reference, key, n),
                about=ticket.reference,
                now=at,
                note=unsent.mark(ticket.reference, key, digest(entry), read),
            )
            for n, m in enumerate(messages)
        ]
        if not any(told):
            tell_staff_it_stays(connection, rt, ticket, key, at)
            return _withdrawn(connection, ticket, key, NO_ADDRESS, anew=False)
        tickets.decide_entry(connection, ticket.id, key, f"sent: {verdict.reason}", digest=digest(entry))
        for status in statuses:
            outcome, code = journal.with_note(key), digest(status)
            if not tickets.see_entry(
                connection, ticket.id, status.key, outcome, at, digest=code, birth=status.birth
            ):
                tickets.decide_entry(connection, ticket.id, status.key, outcome, digest=code)
        reports.begin(connection, rt, ticket.reference, key, len(messages), at)
        enclosures.tell_staff(connection, rt, ticket, key, left, at)
        return "handed to the sender"

    return end


def tell_staff_it_stays(connection: Connection, rt: Runtime, ticket: Ticket, entry: str, now: float) -> None:
    text = rt.texts(rt.town.languages[0], "staff.report_no_address")
    rt.note(connection, ticket.reference, text, key=f"note:no-address:{ticket.reference}:{entry}", now=now)


def _withdrawn(connection: Connection, ticket: Ticket, entry: str, why: str, *, anew: bool = True) -> str:
    outcome = f"{unsent.NOT_SENT}: {why}"
    # without a code: should it be made public again, it is new
    tickets.decide_entry(connection, ticket.id, entry, outcome, digest="" if anew else None)
    return outcome


async def messages_of(
    rt: Runtime, ticket: Ticket, entry: Entry, verdict: Verdict, statuses: Sequence[Entry] = ()
) -> tuple[list[Outgoing], list[NotSent]]:
    """The fewest messages that carry the answer: words as a caption of the first file where they fit; and the files
    that cannot go along. The last of ``statuses``, which came right behind the note, is told with it."""
    if statuses:
        entry, verdict = replace(entry, status=statuses[-1].status), replace(verdict, status=True)
    # in a thread: a long hostile note takes Textile seconds
    note = await asyncio.to_thread(to_whatsapp, entry.text, entry.markup) if verdict.note else ""
    text = words_of(entry, verdict, ticket.reference, note, rt.town, rt.texts, ticket.language)
    sent: list[MediaOut] = []
    left: list[NotSent] = []
    for file in files_of(entry, verdict, rt.town):
        uploaded = await enclosures.upload(rt, file)
        if isinstance(uploaded, NotSent):
            text += "\n\n" + rt.texts(ticket.language, "answer.file_left", filename=file.filename)
            left.append(uploaded)
        else:
            sent.append(uploaded)
    if sent and len(text) <= _CAPTION and sent[0].kind is not MediaKind.AUDIO:
        first = MediaOut(sent[0].kind, sent[0].media_id, caption=text, filename=sent[0].filename)
        return [first, *sent[1:]], left
    return [*(TextOut(part) for part in split(text, _TEXT)), *sent], left
