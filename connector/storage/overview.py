"""How everything stands, in one reading of the database: for ``status``, ``/health/ready``, ``/metrics`` and ``/ops``.

No content of messages, no person: kinds, counts, times and our own sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from . import broadcasts, cursors, feeds, numbers, pauses, recipients, templates, tickets
from .broadcasts import Broadcast
from .feeds import Feed
from .numbers import Number
from .pauses import Pause
from .tables import work
from .templates import Template

_POLLS = 5
_FAILED_SHOWN = 200
_AWAY = 24 * 3600
"""Seconds after which a source that fails needs a person."""
_SIGNS = ("poll", "webhook", "mapping")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind that wait for the same; ``why`` is the oldest one's last error, "" for none.

    ``state``: ``due`` (now), ``again`` (tried and put back), ``planned`` (its time has not come), ``person`` (for the
    citizen to write), ``template`` (until WhatsApp lets it be sent), ``note`` (its note is being read), ``ticket`` (for
    a ticket whose creation failed).
    """

    town: str
    kind: str
    state: str
    count: int
    since: float
    why: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that failed for good."""

    id: int
    town: str
    kind: str
    attempts: int
    created_at: float
    ended_at: float
    error: str


@dataclass(frozen=True, slots=True)
class Poll:
    """A reading of the tracker that ended."""

    at: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Times are Unix seconds, ``oldest`` is the age of the oldest due row in seconds."""

    waiting: list[Group]
    failed: list[Failure]
    failed_count: dict[str, int]
    oldest: float
    paused: list[Pause]
    templates: list[Template]
    signs: dict[str, dict[str, float]]
    """By town: when the tracker was last read (``poll``), WhatsApp last heard (``webhook``), a mapping last taken."""
    numbers: dict[str, Number]
    gone: dict[str, str]
    """Tickets that are not where they should be, and why."""
    sources: list[Feed]
    """Sources of information that a person has to look at."""
    broadcasts: list[Broadcast]
    """What is being sent to many, or is to be."""
    left: dict[int, int]
    """By broadcast: how many people still wait for it."""

    @property
    def waiting_count(self) -> dict[str, int]:
        """How many rows of each kind wait, whatever for."""
        found: dict[str, int] = {}
        for group in self.waiting:
            found[group.kind] = found.get(group.kind, 0) + group.count
        return found

    @property
    def halted(self) -> list[Broadcast]:
        """Broadcasts that stand still until a person lets them go on."""
        return [one for one in self.broadcasts if one.state == broadcasts.PAUSED]

    @property
    def alarms(self) -> list[Template]:
        """Templates that cannot be relied on."""
        return [template for template in self.templates if template.reason]


def look(connection: Connection, now: float) -> Overview:
    """Everything as it is ``now``."""
    signs = cursors.signs(connection)
    counts = select(work.c.kind, func.count()).where(work.c.outcome == "failed").group_by(work.c.kind)
    oldest = select(func.min(work.c.due_at)).where(work.c.ended_at.is_(None), work.c.due_at <= now)
    due = connection.execute(oldest).scalar()
    sent = broadcasts.unfinished(connection)
    return Overview(
        waiting=_waiting(connection, now),
        failed=_failed(connection),
        failed_count={row.kind: row[1] for row in connection.execute(counts)},
        oldest=0.0 if due is None else max(0.0, now - float(due)),
        paused=pauses.every(connection),
        templates=templates.every(connection),
        signs={
            town: {name: at for name, at in found.items() if name in _SIGNS} for town, found in signs.items()
        },
        numbers={town: told for town in signs if (told := numbers.get(connection, town)) is not None},
        gone=tickets.gone(connection),
        sources=feeds.away(connection, now - _AWAY),
        broadcasts=sent,
        left={one.id: recipients.left(connection, one.id) for one in sent},
    )


_LANES = (("held:", "person"), ("template:", "template"), ("recheck:", "note"), ("w:", "ticket"))


def _waiting(connection: Connection, now: float) -> list[Group]:
    state = case(
        *((work.c.lane.startswith(prefix), name) for prefix, name in _LANES),
        (work.c.due_at <= now, "due"),
        (work.c.error.is_not(None), "again"),
        else_="planned",
    ).label("state")
    open_rows = (
        select(work.c.town, work.c.kind, state, func.count().label("n"), func.min(work.c.id).label("first"))
        .where(work.c.ended_at.is_(None))
        .group_by(work.c.town, work.c.kind, state)
        .subquery()
    )
    query = (
        select(open_rows, work.c.created_at, work.c.error)
        .join(work, work.c.id == open_rows.c.first)
        .order_by(open_rows.c.town, work.c.created_at)
    )
    return [
        Group(r.town, r.kind, r.state, r.n, r.created_at, r.error or "") for r in connection.execute(query)
    ]


def _failed(connection: Connection) -> list[Failure]:
    columns: tuple[Any, ...] = (
        work.c.id, work.c.town, work.c.kind, work.c.attempts, work.c.created_at, work.c.ended_at, work.c.error,
    )  # fmt: skip
    query = select(*columns).where(work.c.outcome == "failed").order_by(work.c.id).limit(_FAILED_SHOWN)
    return [
        Failure(r.id, r.town, r.kind, r.attempts, r.created_at, r.ended_at, r.error or "")
        for r in connection.execute(query)
    ]


def polls(connection: Connection, town: str) -> list[Poll]:
    """The last readings of a town's tracker, the newest first."""
    query = (
        select(work.c.ended_at, work.c.outcome)
        .where(work.c.kind == "poll", work.c.town == town, work.c.ended_at.is_not(None))
        .order_by(work.c.id.desc())
        .limit(_POLLS)
    )
    return [Poll(r.ended_at, r.outcome or "") for r in connection.execute(query)]
