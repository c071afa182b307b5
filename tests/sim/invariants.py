"""What must hold at the end of every history: each difference in one sentence."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from connector.storage.store import Connection
from tests.e2e.way import words

from .citizens import Citizen, Request
from .staff import Note

if TYPE_CHECKING:
    from .world import World

TICKS = frozenset({"poll", "sweep", "templates", "number", "retention", "report"})
"""Kinds that come by themselves or long after: they may wait."""
GRACE = 90.0
"""A note that was hidden or changed may be on the phone as it was when its message was handed over so short a time
after: nobody reads it again within seconds."""


def rows(world: World, query: str) -> list[dict[str, Any]]:
    """Of the product's database."""

    def ask(connection: Connection) -> list[dict[str, Any]]:
        return [dict(r._mapping) for r in connection.execute(text(query))]

    life = world.lives[-1]
    assert life.store is not None
    return life.store.read_now(ask)


def waiting(world: World) -> Counter[str]:
    """Work that has not ended and will go on by itself, by kind."""
    found = rows(world, "SELECT kind, lane FROM work WHERE ended_at IS NULL")
    return Counter(r["kind"] for r in found if r["kind"] not in TICKS and not r["lane"].startswith("held:"))


def differences(world: World) -> list[str]:
    """Everything that is not as it must be."""
    found: list[str] = []
    if not world.lives[-1].listening:
        return ["the service does not run"]
    if world.staff.trouble:
        found.append(f"staff are stuck: {world.staff.trouble}")
    for citizen in world.citizens:
        found += _citizen(world, citizen)
    found += _tables(world)
    if world.restless:
        found.append(world.restless)
    if world.plan.also is not None:
        found += world.plan.also(world)
    return found


def _citizen(world: World, citizen: Citizen) -> list[str]:
    found = []
    who = f"citizen {citizen.n}"
    chat = citizen.chat()
    if citizen.trouble:
        found.append(f"{who} {citizen.trouble}")
    keys = Counter(str(m["callback"]) for m in chat if m["status"] != "failed")
    found += [f"{who} got message {key} {n} times" for key, n in keys.items() if n > 1]
    for request in citizen.requests:
        if request.sent:
            found += _request(world, citizen, request, chat)
    found += _notes(world, citizen, chat)
    foreign = [t for m in chat for t in re.findall(r"[PN](\d\d)R\d", _all(m)) if int(t) != citizen.n]
    if foreign:
        found.append(f"{who} got words of citizen {foreign[0]}")
    return found


def _all(message: dict[str, Any]) -> str:
    return f"{words(message)} {message['content']}"


def _request(world: World, citizen: Citizen, request: Request, chat: list[dict[str, Any]]) -> list[str]:
    name = f"request {request.token}"
    tickets = world.staff.tickets(request.token)
    if len(tickets) != 1:
        return [f"{name}: {len(tickets)} tickets"]
    found = []
    ticket = tickets[0]
    for piece in request.pieces:
        if piece.split()[0] not in ticket.description:
            found.append(f"{name}: ticket {ticket.id} lacks «{piece}»")
    files = [a for a in world.redmine.db.attachments.values() if a.issue_id == ticket.id]
    photos = sum(not a.filename.endswith(".txt") for a in files)
    if photos != request.photos:
        found.append(f"{name}: ticket {ticket.id} has {photos} photos of {request.photos}")
    receipts = [m for m in chat if words(m).startswith("Rebut") and request.receipt in words(m)]
    if not request.receipt or len(receipts) != 1:
        found.append(f"{name}: {len(receipts)} receipts")
    elif receipts[0]["callback"] != f"receipt-say:{request.receipt}":
        found.append(
            f"{name}: its receipt is called {receipts[0]['callback']}, which is not the same in each try"
        )
    elif ticket.values.get(2) != request.receipt:
        found.append(f"{name}: ticket {ticket.id} has not the reference {request.receipt}")
    numbered = [
        m for m in chat if request.receipt and request.receipt in words(m) and f"*{ticket.id}*" in words(m)
    ]
    if len(numbered) > 1 or (not numbered and citizen.left is None):
        found.append(f"{name}: its number was told {len(numbered)} times")
    ours = Counter(
        j.notes
        for j in world.redmine.db.journals.values()
        if j.issue_id == ticket.id and j.notes and j.user_id == world.bot
    )
    found += [
        f"{name}: ticket {ticket.id} has a note of ours {n} times: {note[:60]}"
        for note, n in ours.items()
        if n > 1
    ]
    public = [
        j
        for j in world.redmine.db.journals.values()
        if j.issue_id == ticket.id and j.notes and j.user_id == world.bot and not j.private_notes
    ]
    if public:
        found.append(f"{name}: ticket {ticket.id} has public notes of ours")
    return found


def _notes(world: World, citizen: Citizen, chat: list[dict[str, Any]]) -> list[str]:
    found = []
    for request in citizen.requests:
        order = []
        for note in (n for n in world.staff.notes if n.request == request.token):
            hits = [(i, m) for i, m in enumerate(chat) if note.token in words(m) and m["type"] != "template"]
            found += _note(world, citizen, note, [m for _, m in hits])
            if note.kind != "published":  # its place is where it was made public
                order += [i for i, _ in hits[:1]]
        if order != sorted(order):
            found.append(f"request {request.token}: answers out of order")
    return found


def _note(world: World, citizen: Citizen, note: Note, hits: list[dict[str, Any]]) -> list[str]:
    expected = {"private": (0,), "hidden": (0, 1), "deleted": (0, 1)}.get(note.kind, (1,))
    refused = world.plan.judged.get(note.token, False)
    if citizen.left is not None:
        expected = (0,) if note.written > citizen.left else (0, *expected)
    if refused:
        expected = (0,)
    name = f"{note.kind} note {note.token} on ticket {note.ticket}"
    if len(hits) not in expected:
        return [f"{name}: {len(hits)} times on the phone"]
    found = []
    if not hits and note.kind in ("public", "edited", "solved", "file") and not _told(world, note):
        found.append(f"{name}: it did not go out, and staff were not told")
    for message in hits:
        at = message["at"] - world.began
        if note.kind in ("hidden", "deleted") and at > note.changed + GRACE:
            found.append(f"{name}: on the phone {at - note.changed:.0f} s after it was {note.kind}")
        if note.kind == "edited" and at > note.changed + GRACE and "avui" not in words(message):
            found.append(
                f"{name}: its old words on the phone {at - note.changed:.0f} s after they were changed"
            )
        if note.kind == "published" and at < note.changed:
            found.append(f"{name}: on the phone while it was private")
    if note.kind == "file" and hits:
        files = [m for m in citizen.chat() if m["type"] == "document" and note.token in str(m["content"])]
        if len(files) != 1:
            found.append(f"{name}: its file is {len(files)} times on the phone")
    return found


def _told(world: World, note: Note) -> bool:
    """Whether staff were told on the ticket what became of an answer after it was written."""
    since = world.began + note.written
    return any(
        j.issue_id == note.ticket
        and j.private_notes
        and j.user_id == world.bot
        and j.created_on.timestamp() >= since - 1
        for j in world.redmine.db.journals.values()
    )


def _tables(world: World) -> list[str]:
    found = [f"{n} rows of work are left open: {kind}" for kind, n in sorted(waiting(world).items())]
    failed = rows(world, "SELECT id, kind, error FROM work WHERE outcome = 'failed' ORDER BY id")
    refused = any(world.plan.judged.values())
    found += [
        f"work {r['id']} ({r['kind']}) failed for good: {r['error']}"
        for r in failed
        if not (refused and r["kind"] == "send" and "131026" in str(r["error"]))
    ]
    held = rows(world, "SELECT id, kind FROM work WHERE ended_at IS NULL AND lane LIKE 'held:%'")
    found += [f"work {r['id']} ({r['kind']}) is held, and nobody asked the person" for r in held]
    silent = rows(
        world, "SELECT count(*) AS n FROM message WHERE direction = 'in' AND (state IS NULL OR state = '')"
    )
    if silent[0]["n"]:
        found.append(f"{silent[0]['n']} messages of people have no outcome")
    wrote = sum(m["direction"] == "in" for c in world.citizens for m in world.meta.transcript(c.person))
    heard = rows(world, "SELECT count(*) AS n FROM message WHERE direction = 'in'")[0]["n"]
    if wrote != heard:
        found.append(f"people wrote {wrote} messages, the ledger has {heard}")
    undecided = rows(world, "SELECT count(*) AS n FROM journal WHERE outcome = 'to send'")[0]["n"]
    if undecided:
        found.append(f"{undecided} answers are still «to send»")
    return found
