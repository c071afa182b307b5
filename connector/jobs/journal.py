"""What a ticket's journal says now, against what was decided before: nothing is sent twice, nothing hidden is sent,
and what staff change after it went out is told to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import dropwhile

from connector.core.answers import digest, judge
from connector.core.ticket import Entry, EntryKind, TicketView
from connector.storage import tickets
from connector.storage.store import Connection
from connector.storage.tickets import DELETED, Seen, Ticket
from connector.toolkit.observe import following, get_logger

from . import births, snapshots, unsent
from .runtime import Runtime

log = get_logger(__name__)

MOVED = "moved to "
"""How ``ticket.gone`` begins for a ticket that is still in sight, in a project the mapping does not name."""
WAITS = "to send"


def take(connection: Connection, rt: Runtime, view: TicketView, now: float) -> int:
    """Decide about every entry of a ticket that is new, or is another than it was; the number of those."""
    ticket = tickets.by_tracker_id(connection, rt.store.sealer, rt.name, view.ticket_id)
    if ticket is None:
        return 0
    if births.is_another(ticket, view):
        lost(connection, rt, ticket, DELETED)
        return 0
    with following(ticket.trace, ticket.reference):
        return _take(connection, rt, ticket, view, now)


def _take(connection: Connection, rt: Runtime, ticket: Ticket, view: TicketView, now: float) -> int:
    seen = tickets.seen_entries(connection, ticket.id)
    entries = (*births.entries(view, seen), *snapshots.changed(rt, view, ticket, seen))
    decided = sum(_entry(connection, rt, ticket, entry, seen.get(entry.key), now) for entry in entries)
    there = {entry.key for entry in entries}
    for key, before in seen.items():
        if key not in there and before.sent and before.digest != "" and not snapshots.is_status(key):
            # a note that is emptied leaves the journal
            if unsent.any_left(connection, ticket.reference, key):
                unsent.look(connection, rt, ticket.reference, key, now)
                continue
            tickets.decide_entry(connection, ticket.id, key, before.outcome, digest="")
            _changed_after(connection, rt, ticket, key, "", now)
    where = _where(connection, rt, ticket, view, now)
    closed_at = (ticket.closed_at or now) if view.closed else None
    tickets.update_ticket(
        connection, ticket.id, status=view.status, closed_at=closed_at, gone=where, mark=view.mark or None,
        birth=view.birth or ticket.birth,
    )  # fmt: skip
    tickets.hide(connection, rt.store.sealer, ticket, view.private)
    return decided


def lost(connection: Connection, rt: Runtime, ticket: Ticket, why: str) -> None:
    """A ticket cannot be read any more: said once, aloud."""
    if ticket.gone != why:
        log.error("ticket cannot be reached: its citizen gets no answer any more", town=rt.name,
                  reference=ticket.reference, state=why, mend="see docs/operating.md, «A ticket is gone»")  # fmt: skip
        tickets.update_ticket(connection, ticket.id, gone=why)


def _where(connection: Connection, rt: Runtime, ticket: Ticket, view: TicketView, now: float) -> str | None:
    """Where the ticket is, when it is not where it was made. Staff of one it was merged into are told once."""
    if view.merged_into:
        text = rt.texts(rt.town.languages[0], "staff.merged", reference=ticket.reference)
        rt.note(connection, ticket.reference, text, key=f"note:merged:{ticket.reference}:{view.merged_into}", now=now)  # fmt: skip
        return f"{snapshots.MERGED}{view.merged_into}"
    projects = {routing.project for _, routing in rt.town.routings()}
    return None if view.project in projects else f"{MOVED}{view.project}"


def along(
    rt: Runtime, entries: Sequence[Entry], note: str, seen: Mapping[str, Seen], *, gone: bool = False
) -> tuple[Entry, ...]:
    """Changes of status right behind a note that wait as it does: they go in one message. With ``gone`` those that
    did."""
    _, *behind = [*dropwhile(lambda e: e.key != note, entries)]
    found = []
    for entry in behind:
        if entry.kind is EntryKind.PUBLIC_NOTE:
            break
        before = seen[entry.key].outcome if entry.key in seen else WAITS
        wanted = before == with_note(note) if gone else before == WAITS
        if entry.kind is EntryKind.STATUS and wanted and judge(entry, rt.town).sends:
            found.append(entry)
    return tuple(found)


def with_note(note: str) -> str:
    """The outcome of an entry that went in the message of the note before it."""
    return f"sent: with note {note}"


def alone_again(connection: Connection, rt: Runtime, ticket: Ticket, note: str, now: float) -> None:
    """A note was taken back: what was to go along with it goes by itself."""
    for key, before in tickets.seen_entries(connection, ticket.id).items():
        if before.outcome == with_note(note):
            tickets.decide_entry(connection, ticket.id, key, WAITS)
            _send(connection, rt, ticket, key, ":alone", now)


def _entry(
    connection: Connection, rt: Runtime, ticket: Ticket, entry: Entry, before: Seen | None, now: float
) -> int:
    verdict, code = judge(entry, rt.town), digest(entry)
    outcome = WAITS if verdict.sends else f"stays: {verdict.reason}"
    if before is None:
        if not tickets.see_entry(
            connection, ticket.id, entry.key, outcome, now, digest=code, birth=entry.birth
        ):
            return 0
        if verdict.sends:
            _send(connection, rt, ticket, entry.key, "", now)
        return 1
    if before.digest == code or before.outcome == WAITS:
        return 0  # what waits is read again just before it goes out
    if before.sent and unsent.any_left(connection, ticket.reference, entry.key):
        unsent.look(connection, rt, ticket.reference, entry.key, now)
        return 0
    tickets.decide_entry(connection, ticket.id, entry.key, before.outcome, digest=code)
    if before.sent:
        if before.digest is not None:
            _changed_after(connection, rt, ticket, entry.key, code, now)
        return 0
    if verdict.sends:
        # it was private, or empty, and is an answer now
        tickets.decide_entry(connection, ticket.id, entry.key, outcome, digest=code)
        _send(connection, rt, ticket, entry.key, f":{code}", now)
        return 1
    return 0


def _send(connection: Connection, rt: Runtime, ticket: Ticket, key: str, again: str, now: float) -> None:
    log.info("staff answered", town=rt.name)
    rt.put(
        connection, lane=f"a:{ticket.reference}", kind="answer", now=now,
        payload={"reference": ticket.reference, "entry": key},
        key=f"answer:{ticket.reference}:{key}{again}",
    )  # fmt: skip


def _changed_after(
    connection: Connection, rt: Runtime, ticket: Ticket, entry: str, code: str, now: float
) -> None:
    """The citizen has the former words: staff decide whether that needs a new note."""
    text = rt.texts(rt.town.languages[0], "staff.changed_after")
    rt.note(
        connection, ticket.reference, text, key=f"note:changed:{ticket.reference}:{entry}:{code}", now=now
    )
