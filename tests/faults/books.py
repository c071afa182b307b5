"""The books: what was asked against what came of it, in Redmine, on the phones and in the connector's own tables."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from connector.storage.sqlite import engine_options
from tests.e2e.way import REFERENCE, field_of, words

from .citizens import Citizen, Phones, Request, pixels
from .staff import SECRET, Note, Staff

TICKS = ("poll", "sweep", "templates", "report")
"""Kinds of work that come by themselves, or long after: they may wait."""
_READ_AGAIN = 5.0
"""Seconds: a note is read again when its message waited for longer than two (``launch.py``), and is on the phone so
much later at most."""
_ABREAST = 8
_INVISIBLE = re.compile("[\u200b\u2060\ufeff]")


@dataclass
class Books:
    """What was counted, and every difference in words."""

    differences: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def differ(self, what: str) -> None:
        self.differences.append(what)

    def same(self, what: str, expected: int, found: int) -> None:
        """Two numbers that must be the same."""
        if expected != found:
            self.differ(f"{what}: {expected} expected, {found} found")


class Ledger:
    """The connector's tables, read from outside."""

    def __init__(self, database: str) -> None:
        url = make_url(database)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        self._engine: Engine = create_engine(url, hide_parameters=True, **engine_options(url))

    def close(self) -> None:
        self._engine.dispose()

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(r._mapping) for r in connection.execute(text(query))]

    def open(self) -> Counter[str]:
        """Work that has not ended, by kind, without the ticks."""
        rows = self.rows("SELECT kind, count(*) AS n FROM work WHERE ended_at IS NULL GROUP BY kind")
        return Counter({r["kind"]: r["n"] for r in rows if r["kind"] not in TICKS})


async def audit(
    citizens: Sequence[Citizen], phones: Phones, staff: Staff, ledger: Ledger, logs: Iterable[Path]
) -> Books:
    """Compare everything with everything."""
    books = Books()
    gate = asyncio.Semaphore(_ABREAST)

    async def phone(citizen: Citizen) -> list[dict[str, Any]]:
        async with gate:
            return await phones.transcript(citizen.pid) if citizen.pid else []

    async def ticket(number: int) -> dict[str, Any]:
        async with gate:
            return await staff.ticket(number)

    chats = dict(zip((c.n for c in citizens), await asyncio.gather(*map(phone, citizens)), strict=True))
    numbers = sorted({n for found in staff.tickets.values() for n in found})
    issues = dict(zip(numbers, await asyncio.gather(*map(ticket, numbers)), strict=True))
    by_request: dict[str, list[Note]] = defaultdict(list)
    for note in staff.notes:
        by_request[note.request].append(note)
    for citizen in citizens:
        if citizen.trouble:
            books.differ(f"citizen {citizen.n} is stuck: {citizen.trouble}")
        sent = [m for m in chats[citizen.n] if m["direction"] == "out"]
        _nothing_twice(books, citizen, sent)
        for request in citizen.requests:
            if request.sent:
                found = [issues[n] for n in staff.tickets.get(request.token, ())]
                await _request(books, staff, request, found, sent)
        await _answers(books, phones, citizen, by_request, sent)
        if any(SECRET in str(m["content"]) for m in sent):
            books.differ(f"citizen {citizen.n} has a private note on the phone")
    _count(books, citizens, chats, staff)
    await asyncio.to_thread(_tables, books, ledger, chats)
    _logs(books, logs, citizens)
    return books


def _nothing_twice(books: Books, citizen: Citizen, sent: list[dict[str, Any]]) -> None:
    """Each message of ours carries its key; no key is on the phone twice."""
    keys: dict[str, list[float]] = defaultdict(list)
    for message in sent:
        keys[str(message["callback"])].append(message["at"])
    for key, times in keys.items():
        if len(times) > 1:
            later = ", ".join(f"{t - times[0]:.1f} s later" for t in times[1:])
            books.differ(f"citizen {citizen.n} got message {key} {len(times)} times ({later})")


async def _request(
    books: Books, staff: Staff, request: Request, issues: list[dict[str, Any]], sent: list[dict[str, Any]]
) -> None:
    name = f"request {request.token}"
    if len(issues) != 1:
        books.differ(f"{name}: {len(issues)} tickets ({[i['id'] for i in issues]})")
        return
    issue = issues[0]
    reference = field_of(issue, 2)
    if request.receipt != reference:
        books.differ(f"{name}: the receipt says {request.receipt}, ticket {issue['id']} has {reference}")
    description = _plain(issue["description"])
    for piece in request.pieces:
        if piece.lasting and _plain(piece.lasting) not in description:
            books.differ(f"{name}: ticket {issue['id']} lacks «{piece.lasting}»")
        if piece.edit and _plain(piece.text) in description:
            books.differ(f"{name}: ticket {issue['id']} has words that were edited before it was sent")
        if piece.kind == "place" and f"{piece.place[0]:.8f}" not in description:
            books.differ(f"{name}: ticket {issue['id']} lacks the place")
    photos = Counter(pixels(p.photo) for p in request.pieces if p.photo)
    files = [a for a in issue["attachments"] if request.token not in a["filename"]]
    there = Counter([pixels(await staff.content(a)) for a in files])
    if photos != there:
        books.differ(
            f"{name}: ticket {issue['id']} lacks {(photos - there).total()} photos and has {(there - photos).total()} "
            f"too many, of {photos.total()}"
        )
    ours = Counter(
        j["notes"] for j in issue["journals"] if j["user"]["name"] == "Robot WhatsApp" and j["notes"]
    )
    books.differences += [
        f"{name}: ticket {issue['id']} has a note of ours {n} times" for n in ours.values() if n > 1
    ]
    public = [
        j
        for j in issue["journals"]
        if j["user"]["name"] == "Robot WhatsApp" and j["notes"] and not j["private_notes"]
    ]
    if public:
        books.differ(f"{name}: ticket {issue['id']} has {len(public)} public notes of ours")
    said = [words(m) for m in sent if reference in words(m)]
    books.same(f"{name}: receipts", 1, sum(w.startswith("Rebut, gràcies!") for w in said))
    numbered = [w for w in said if f"*{issue['id']}*" in w and ("Rebut" in w or "número de tiquet" in w)]
    books.same(f"{name}: messages with the ticket's number", 1, len(numbered))


async def _answers(
    books: Books,
    phones: Phones,
    citizen: Citizen,
    by_request: dict[str, list[Note]],
    sent: list[dict[str, Any]],
) -> None:
    everything = [(m, words(m)) for m in sent]
    for request in citizen.requests:
        notes = by_request[request.token]
        order = []
        for note in notes:
            hits = [(i, m) for i, (m, w) in enumerate(everything) if f"{note.token} " in f"{w} "]
            order += [i for i, _ in hits[:1]]
            expected = {"private": (0,), "hidden": (0, 1)}.get(note.kind, (1,))
            if len(hits) not in expected:
                books.differ(
                    f"note {note.token} ({note.kind}) on ticket {note.ticket}: {len(hits)} times on the phone"
                )
                continue
            for _, message in hits:
                _as_it_was(books, note, message)
            if note.file:
                books.same(f"file of note {note.token}", 1, await _files(phones, sent, note))
        if order != sorted(order):
            books.differ(f"request {request.token}: answers out of order: {order}")
    foreign = [w for _, w in everything for t in re.findall(r"P(\d{5})R\d", w) if int(t) != citizen.n]
    if foreign:
        books.differ(f"citizen {citizen.n} has {len(foreign)} messages about somebody else's request")


def _as_it_was(books: Books, note: Note, message: dict[str, Any]) -> None:
    """A note changed or hidden must not be on the phone as it was before, well after that."""
    late = message["at"] - (note.hidden or note.edited or message["at"])
    if note.hidden and late > _READ_AGAIN:
        books.differ(f"note {note.token}: on the phone {late:.1f} s after it was made private")
    if note.edited and late > _READ_AGAIN and "versió dos" not in words(message):
        books.differ(f"note {note.token}: the old words on the phone {late:.1f} s after they were changed")


async def _files(phones: Phones, sent: list[dict[str, Any]], note: Note) -> int:
    found = 0
    for message in sent:
        if message["type"] == "image":
            got = await phones.http.get(f"/_phone/media/{message['content']['id']}")
            found += pixels(got.content) == pixels(note.file)
    return found


def _count(
    books: Books, citizens: Sequence[Citizen], chats: dict[int, list[dict[str, Any]]], staff: Staff
) -> None:
    requests = [r for c in citizens for r in c.requests]
    receipts = sum(
        words(m).startswith("Rebut, gràcies!")
        for chat in chats.values()
        for m in chat
        if m["direction"] == "out"
    )
    tickets = sum(map(len, staff.tickets.values()))
    sent = sum(r.sent for r in requests)
    books.same("requests that could be sent", len(requests), sent)
    books.same("tickets for requests sent", sent, tickets)
    books.same("receipts for requests sent", sent, receipts)
    directions = Counter(m["direction"] for chat in chats.values() for m in chat)
    kinds = Counter(note.kind for note in staff.notes)
    books.figures = {
        "people": len(citizens), "requests": sent, "tickets": tickets, "receipts": receipts,
        "photos": sum(bool(p.photo) for r in requests for p in r.pieces),
        "messages from people": directions["in"], "messages to people": directions["out"],
        "public notes": len(staff.notes) - kinds["private"], "private notes": kinds["private"],
        "notes changed after they were written": kinds["edited"] + kinds["hidden"],
    }  # fmt: skip


def _tables(books: Books, ledger: Ledger, chats: dict[int, list[dict[str, Any]]]) -> None:
    """Every message in the ledger with one outcome, nothing left to do, nothing given up."""
    for kind, n in ledger.open().items():
        books.differ(f"{n} rows of work left open: {kind}")
    for row in ledger.rows("SELECT id, kind, error FROM work WHERE outcome = 'failed' ORDER BY id"):
        books.differ(f"work {row['id']} ({row['kind']}) failed for good: {row['error']}")
    heard = ledger.rows("SELECT state FROM message WHERE direction = 'in'")
    wrote = sum(m["direction"] == "in" for chat in chats.values() for m in chat)
    books.same("messages of people in the ledger", wrote, len(heard))
    if silent := sum(not row["state"] for row in heard):
        books.differ(f"{silent} messages of people without an outcome")
    said = ledger.rows("SELECT state, send_key FROM message WHERE direction = 'out'")
    arrived = sum(m["direction"] == "out" for chat in chats.values() for m in chat)
    books.same("messages to people in the ledger", arrived, len(said))
    states = Counter(row["state"] for row in said)
    for state in set(states) - {"delivered", "read"}:
        books.differ(
            f"{states[state]} messages to people are «{state}» in the ledger, on the phones they are delivered"
        )
    undecided = ledger.rows("SELECT count(*) AS n FROM journal WHERE outcome = 'to send'")[0]["n"]
    books.same("answers still «to send»", 0, undecided)


def _logs(books: Books, logs: Iterable[Path], citizens: Sequence[Citizen]) -> None:
    """No number, no word of anybody, no private note in what the program logs."""
    said = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)
    for what, hit in (
        ("a phone number", re.search(r"34600\d{6}", said)),
        ("a citizen's words", re.search(r"P\d{5}R\d[TF]", said)),
        ("a private note", re.search(SECRET, said)),
        ("an access token", re.search(r"Bearer \w", said)),
        ("a traceback", re.search(r"Traceback \(most recent", said)),
    ):
        if hit:
            books.differ(f"the log holds {what}: {said[max(0, hit.start() - 120) : hit.end() + 40]!r}")


def _plain(words: str) -> str:
    """Words without what the connector puts around them to make them inert, on one line."""
    text = _INVISIBLE.sub("", words.replace("\u00a0", " "))
    text = re.sub(r"(?m)^bq\. |</?code>", "", text)
    return " ".join(text.split())


__all__ = ["REFERENCE", "Books", "Ledger", "audit"]
