"""From the tracker to the citizen: polling, and every answer read again just before it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Container

from connector.core.answers import Verdict, files_of, judge, words_of
from connector.core.errors import Gone, Rejected
from connector.core.model import Entry, FileRef, MediaKind, MediaOut, Outgoing, TextOut, TicketView
from connector.storage import cursors, people, tickets
from connector.storage.store import Connection
from connector.storage.tickets import Ticket
from connector.storage.work import Row
from connector.whatsapp.limits import split
from connector.whatsapp.markup import to_whatsapp

from .runtime import Ending, Runtime

_CAPTION, _TEXT = 1024, 4096
_MB = 1024 * 1024
# What WhatsApp sends, by kind (CLOUD-API.md 4): types and bytes; everything else may go as a document or not at all
_SENDABLE: tuple[tuple[MediaKind, frozenset[str], int], ...] = (
    (MediaKind.IMAGE, frozenset({"image/jpeg", "image/png"}), 5 * _MB),
    (MediaKind.VIDEO, frozenset({"video/mp4", "video/3gpp"}), 16 * _MB),
    (
        MediaKind.AUDIO,
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
        16 * _MB,
    ),
    (
        MediaKind.DOCUMENT,
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.ms-excel",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
        100 * _MB,
    ),
)


class _Known(Container[str]):
    """Our tickets, asked one by one: no list of all of them is ever made."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def __contains__(self, ticket_id: object) -> bool:
        rt = self._rt
        return rt.store.read_now(lambda connection: tickets.is_known(connection, rt.name, str(ticket_id)))


async def poll(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: what moved in the tracker since the cursor; what follows and the new cursor are stored together."""
    cursor = await rt.store.read(lambda connection: cursors.get(connection, rt.name, "poll"))
    if cursor is None:
        begun = await asyncio.to_thread(rt.tracker.start_cursor)

        def begin(connection: Connection, at: float) -> str:
            cursors.save(connection, rt.name, "poll", begun, at)
            return "begun: from now on"

        return begin
    projects = sorted({routing.project for _, routing in rt.town.routings()})
    changes = await asyncio.to_thread(rt.tracker.changes, cursor, projects, _Known(rt))

    def end(connection: Connection, at: float) -> str:
        found = sum(_take(connection, rt, view, at) for view in changes.tickets)
        cursors.save(connection, rt.name, "poll", changes.cursor, at)
        if changes.more:
            rt.put(connection, lane=row.lane, kind="poll", payload={}, now=at)
        return f"{found} new entries" if found else "nothing new"

    return end


async def look(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: read one ticket whole, whatever the cursor says."""
    ticket = await _ticket(rt, row.payload["reference"])
    if ticket is None or ticket.tracker_id is None:
        return lambda connection, at: "no ticket"
    try:
        view = await asyncio.to_thread(rt.tracker.read, ticket.tracker_id)
    except Gone:
        return lambda connection, at: _gone(connection, ticket)
    return lambda connection, at: f"{_take(connection, rt, view, at)} new entries"


def _gone(connection: Connection, ticket: Ticket) -> str:
    tickets.update_ticket(connection, ticket.id, gone="deleted in the tracker")
    return "deleted in the tracker"


def _take(connection: Connection, rt: Runtime, view: TicketView, now: float) -> int:
    """Decide about every journal entry not seen before; the number of those."""
    ticket = tickets.by_tracker_id(connection, rt.store.sealer, rt.name, view.ticket_id)
    if ticket is None:
        return 0
    seen = tickets.seen_entries(connection, ticket.id)
    fresh = [entry for entry in view.entries if entry.key not in seen]
    for entry in fresh:
        verdict = judge(entry, rt.town)
        if not tickets.see_entry(
            connection, ticket.id, entry.key, "to send" if verdict.sends else f"stays: {verdict.reason}", now
        ):
            continue
        if verdict.sends:
            rt.put(
                connection, lane=f"a:{ticket.reference}", kind="answer", now=now,
                payload={"reference": ticket.reference, "entry": entry.key},
                key=f"answer:{ticket.reference}:{entry.key}",
            )  # fmt: skip
    tickets.update_ticket(connection, ticket.id, status=view.status, closed_at=(now if view.closed else None))
    return len(fresh)


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
    tracker_id = ticket.tracker_id
    try:
        view = await asyncio.to_thread(rt.tracker.read, tracker_id)
    except Gone:
        return lambda connection, at: _withdrawn(connection, ticket, key, "the ticket was deleted")
    entry = next((e for e in view.entries if e.key == key), None)
    verdict = judge(entry, rt.town) if entry is not None else Verdict(False, False, "the note was deleted")
    if entry is None or not verdict.sends:
        return lambda connection, at: _withdrawn(connection, ticket, key, verdict.reason)
    messages = await _messages(rt, ticket, entry, verdict)

    def end(connection: Connection, at: float) -> str:
        person = people.get(connection, rt.store.sealer, ticket.person_id)
        told = [
            rt.tell(
                connection,
                person,
                m,
                key=f"say:answer:{ticket.reference}:{key}:{n}",
                about=ticket.reference,
                now=at,
            )
            for n, m in enumerate(messages)
        ]
        if not any(told):
            return _withdrawn(connection, ticket, key, "the person withdrew consent: no address is kept")
        tickets.decide_entry(connection, ticket.id, key, f"sent: {verdict.reason}")
        return "handed to the sender"

    return end


def _withdrawn(connection: Connection, ticket: Ticket, entry: str, why: str) -> str:
    tickets.decide_entry(connection, ticket.id, entry, f"not sent: {why}")
    return f"not sent: {why}"


async def _messages(rt: Runtime, ticket: Ticket, entry: Entry, verdict: Verdict) -> list[Outgoing]:
    """The fewest messages that carry the answer: words as a caption of the first file where they fit."""
    markup = rt.tracker.capabilities.markup
    # in a thread: a long hostile note takes Textile seconds
    note = await asyncio.to_thread(to_whatsapp, entry.text, markup) if verdict.note else ""  # type: ignore[arg-type]
    text = words_of(entry, verdict, ticket.reference, note, rt.town, rt.texts, ticket.language)
    sent: list[MediaOut] = []
    for file in files_of(entry, verdict, rt.town):
        uploaded = await _upload(rt, file)
        if uploaded is None:
            text += "\n\n" + rt.texts(ticket.language, "answer.file_left", filename=file.filename)
        else:
            sent.append(uploaded)
    if sent and len(text) <= _CAPTION and sent[0].kind is not MediaKind.AUDIO:
        first = MediaOut(sent[0].kind, sent[0].media_id, caption=text, filename=sent[0].filename)
        return [first, *sent[1:]]
    return [*(TextOut(part) for part in split(text, _TEXT)), *sent]


async def _upload(rt: Runtime, file: FileRef) -> MediaOut | None:
    """The file at Meta, or None when WhatsApp does not send such a file."""
    kind, limit = next(((k, most) for k, types, most in _SENDABLE if file.media_type in types), (None, 0))
    if kind is None or not 0 < file.size <= 100 * _MB:
        return None
    if file.size > limit:
        return None
    try:
        content = await asyncio.to_thread(lambda: b"".join(rt.tracker.download(file, limit)))
        media_id = await rt.whatsapp.upload(content, file.media_type, file.filename)
    except (Gone, Rejected):
        return None
    return MediaOut(kind, media_id, filename=file.filename if kind is MediaKind.DOCUMENT else None)
