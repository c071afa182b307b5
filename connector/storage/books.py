"""The books: every message, in or out, with what became of it; and whatever has no explanation, by name.

What is counted is what was promised: rows of work of the kinds ``inbound`` and ``send`` are never removed.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, exists, func, literal, or_, select

from .sent import ACCEPTED
from .tables import broadcast, journal, media, message, recipient, ticket, work
from .work import DROPPED, GIVEN_UP

_FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """Something without an outcome. ``what`` says what is missing; no content, no person."""

    what: str
    id: str
    town: str
    since: float
    reason: str = ""


@dataclass(slots=True)
class Books:
    """Counts by outcome. ``waiting`` is on its way; ``unexplained`` should never hold anything."""

    received: int = 0
    inbound: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    outbound: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    news: Counter[str] = field(default_factory=Counter)
    """What was sent to many, a person each."""
    waiting: list[Line] = field(default_factory=list)
    unexplained: list[Line] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether everything adds up."""
        return (
            not self.unexplained
            and self.received == self.inbound.total()
            and self.sent == self.outbound.total()
        )

    def data(self) -> dict[str, Any]:
        """The same as plain dictionaries and lists."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {k: dict(v) if isinstance(v, Counter) else v for k, v in own.items()}
        lines = {k: [asdict(line) for line in plain[k]] for k in ("waiting", "unexplained")}
        return {**plain, **lines, "balanced": self.balanced}


def balance(connection: Connection) -> Books:
    """All books of a database, as they are now."""
    books = Books()
    _inbound(connection, books)
    _outbound(connection, books)
    _requests(connection, books)
    _answers(connection, books)
    _news(connection, books)
    for found in connection.execute(select(media.c.state, func.count()).group_by(media.c.state)):
        books.files[found.state] = found[1]
    return books


def _line(what: str, row: Any, reason: str = "") -> Line:
    return Line(what, str(row.id), row.town, row.created_at, reason or row.error or "")


_WORK = (
    work.c.id,
    work.c.town,
    work.c.lane,
    work.c.created_at,
    work.c.ended_at,
    work.c.outcome,
    work.c.error,
)


def _inbound(connection: Connection, books: Books) -> None:
    mine = and_(
        message.c.direction == "in", message.c.town == work.c.town,
        work.c.key == literal("in:") + message.c.town + literal(":") + message.c.key,
    )  # fmt: skip
    # a conversation writes its row of the ledger in the transaction that ends its row of work
    query = select(*_WORK, exists().where(mine).label("noted")).where(work.c.kind == "inbound")
    for row in connection.execute(query):
        books.received += 1
        if row.ended_at is None:
            books.inbound["waiting"] += 1
            books.waiting.append(_line("a citizen's message waits to be taken in", row))
        elif row.outcome in (_FAILED, DROPPED):
            books.inbound[row.outcome] += 1
            if row.outcome == _FAILED:
                books.waiting.append(
                    _line("a citizen's message could not be taken in: connector failed", row)
                )
        elif not row.noted:
            books.inbound["unexplained"] += 1
            books.unexplained.append(_line("a citizen's message ended without an outcome", row))
        else:
            books.inbound[row.outcome] += 1


def _outbound(connection: Connection, books: Books) -> None:
    newest = (
        select(message.c.town, message.c.send_key, func.max(message.c.id).label("id"))
        .where(message.c.direction == "out")
        .group_by(message.c.town, message.c.send_key)
        .subquery()
    )
    joined = work.outerjoin(
        newest,
        and_(
            newest.c.town == work.c.town,
            newest.c.send_key == func.coalesce(work.c.key, literal("work:") + cast(work.c.id, Text)),
        ),
    ).outerjoin(message, message.c.id == newest.c.id)
    query = select(*_WORK, message.c.state, message.c.error.label("why")).select_from(joined)
    for row in connection.execute(query.where(work.c.kind == "send")):
        books.sent += 1
        if row.ended_at is None:
            held = row.lane.startswith(("held:", "template:"))
            books.outbound["held until the person writes or a template may go" if held else "waiting"] += 1
            if not held:
                books.waiting.append(_line("a message to a citizen waits", row))
        elif row.outcome == _FAILED:
            books.outbound[_FAILED] += 1
            books.waiting.append(_line("a message to a citizen failed: connector failed", row))
        elif not row.outcome.startswith(ACCEPTED):
            books.outbound[row.outcome] += 1
        elif row.state is None:
            books.outbound["unexplained"] += 1
            books.unexplained.append(_line("a message WhatsApp took stands in no ledger", row))
        else:
            books.outbound[row.state] += 1


def _news(connection: Connection, books: Books) -> None:
    columns = (
        broadcast.c.id,
        broadcast.c.town,
        broadcast.c.created_at,
        broadcast.c.state,
        recipient.c.ended_at.is_(None),
    )
    query = (
        select(*columns, recipient.c.state, func.count())
        .join_from(broadcast, recipient)
        .group_by(*columns, recipient.c.state)
    )
    for number, town, since, state, waits, outcome, many in connection.execute(query):
        books.news[outcome] += many
        line = Line("", str(number), town, since)
        if waits and state in ("done", "cancelled"):
            books.unexplained.append(
                Line(f"{many} of a broadcast that is over have no outcome", *_rest(line))
            )
        elif waits:
            books.waiting.append(Line(f"{many} of a broadcast ({state}) wait", *_rest(line)))
    for (counts,) in connection.execute(select(broadcast.c.counts).where(broadcast.c.counts.is_not(None))):
        for outcome, many in json.loads(counts).items():
            books.news[outcome.partition(":")[0]] += many


def _open_or_failed(kind: str, key: Any) -> Any:
    return exists().where(
        work.c.kind == kind,
        work.c.key.startswith(key),
        or_(work.c.ended_at.is_(None), work.c.outcome == _FAILED),
    )


def _requests(connection: Connection, books: Books) -> None:
    columns = (ticket.c.reference, ticket.c.town, ticket.c.created_at, ticket.c.tracker_id, ticket.c.receipt,
               ticket.c.gone, ticket.c.closed_at)  # fmt: skip
    under_way = _open_or_failed("create", literal("create:") + ticket.c.reference)
    given_up = (
        select(work.c.outcome)
        .where(
            work.c.kind == "create",
            work.c.key == literal("create:") + ticket.c.reference,
            work.c.outcome.in_(GIVEN_UP),
        )
        .scalar_subquery()
    )
    query = select(*columns, under_way.label("under_way"), given_up.label("given_up"))
    for row in connection.execute(query):
        if row.gone:
            books.requests[row.gone.split(" to ")[0]] += 1
        elif row.tracker_id:
            books.requests["closed" if row.closed_at else "open"] += 1
        else:
            books.requests[row.given_up or "not in the tracker yet"] += 1
        line = Line("", row.reference, row.town, row.created_at)
        if not row.tracker_id and not row.under_way and not row.given_up:
            books.unexplained.append(
                Line("a request is not in the tracker and nothing will put it there", *_rest(line))
            )
        elif not row.tracker_id and not row.given_up:
            books.waiting.append(Line("a request is not in the tracker yet", *_rest(line)))
        elif row.tracker_id and row.receipt == "none":
            books.unexplained.append(Line("a request in the tracker has no receipt", *_rest(line)))


def _rest(line: Line) -> tuple[str, str, float]:
    return line.id, line.town, line.since


def _answers(connection: Connection, books: Books) -> None:
    joined = journal.join(ticket, ticket.c.id == journal.c.ticket_id)
    coming = _open_or_failed(
        "answer", literal("answer:") + ticket.c.reference + literal(":") + journal.c.entry
    )
    query = select(journal.c.entry, journal.c.outcome, journal.c.seen_at, ticket.c.reference, ticket.c.town,
                   coming.label("coming")).select_from(joined)  # fmt: skip
    for row in connection.execute(query):
        books.answers[row.outcome.split(":")[0]] += 1
        if row.outcome != "to send":
            continue
        line = (f"{row.reference}:{row.entry}", row.town, row.seen_at)
        if row.coming:
            books.waiting.append(Line("an answer is not with the sender yet", *line))
        else:
            books.unexplained.append(Line("an answer is to be sent and nothing will send it", *line))
