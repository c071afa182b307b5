"""What the operations page shows, taken from the database and put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from connector.jobs.runtime import DAY, Runtime
from connector.storage import overview
from connector.storage.numbers import Number
from connector.storage.overview import Failure, Group, Overview, Poll
from connector.storage.store import Connection
from connector.storage.templates import APPROVED, Template
from connector.toolkit.observe import mask

from .words import Words

_LATE = 10
"""Times ``poll_every`` without a reading of the tracker: that is worth a word."""
_SHOWN = 20
"""Failed rows of a municipality that are listed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: for machines, for people, and how long ago."""

    iso: str
    shown: str
    ago: str


@dataclass(slots=True)
class TownBoard:
    """One municipality."""

    name: str
    title: str
    alarms: list[tuple[str, str]] = field(default_factory=list)
    """A sentence in the reader's language, and our own one in English, or ""."""
    read: Moment | None = None
    heard: Moment | None = None
    paused: dict[str, Moment] = field(default_factory=dict)
    number: Number | None = None
    asked: Moment | None = None
    templates: list[tuple[Template, Moment]] = field(default_factory=list)
    waiting: list[tuple[Group, Moment]] = field(default_factory=list)
    failed: list[tuple[Failure, Moment]] = field(default_factory=list)
    polls: list[tuple[Poll, Moment]] = field(default_factory=list)


def failure(connection: Connection, row: int) -> Failure | None:
    """One row that failed for good, None when it is none (any more)."""
    return next((f for f in overview.look(connection, 0.0).failed if f.id == row), None)


def gather(connection: Connection, towns: Mapping[str, Runtime], words: Words, now: float) -> list[TownBoard]:
    """Every municipality of this service, and what the database still holds of others."""
    found = overview.look(connection, now)
    others = {g.town for g in found.waiting} | {f.town for f in found.failed}
    names = [*towns, *sorted(others - towns.keys())]
    return [_town(connection, found, towns.get(name), name, words, now) for name in names]


def _town(
    connection: Connection, found: Overview, runtime: Runtime | None, name: str, words: Words, now: float
) -> TownBoard:
    zone = ZoneInfo(runtime.town.channel.time_zone) if runtime else UTC

    def moment(at: float) -> Moment:
        local = datetime.fromtimestamp(at, zone)
        return Moment(
            local.isoformat(timespec="seconds"), local.strftime("%d/%m/%Y %H:%M"), words.ago(now - at)
        )

    board = TownBoard(name, runtime.town.channel.name if runtime else name)
    signs = found.signs.get(name, {})
    board.read = moment(signs["poll"]) if "poll" in signs else None
    board.heard = moment(signs["webhook"]) if "webhook" in signs else None
    board.paused = {p.destination: moment(p.since) for p in found.paused if p.town == name}
    board.number = found.numbers.get(name)
    board.asked = moment(board.number.at) if board.number else None
    board.templates = [(t, moment(t.since)) for t in found.templates if t.town == name]
    board.waiting = [(g, moment(g.since)) for g in found.waiting if g.town == name]
    board.failed = [(f, moment(f.ended_at)) for f in found.failed if f.town == name][:_SHOWN]
    board.polls = [(p, moment(p.at)) for p in overview.polls(connection, name)] if runtime else []
    board.alarms = [*_alarms(found, board, words), *_silences(signs, runtime, words, now)]
    if runtime is not None:
        ours = f"{runtime.town.channel.prefix}-"
        board.alarms += [
            (words("alarm.gone", reference=r), why) for r, why in found.gone.items() if r.startswith(ours)
        ]
    return board


def _alarms(found: Overview, board: TownBoard, words: Words) -> list[tuple[str, str]]:
    alarms = [
        (words(f"alarm.paused.{p.destination}", since=board.paused[p.destination].ago), mask(p.reason))
        for p in found.paused
        if p.town == board.name
    ]
    if board.number is not None and board.number.problem and "whatsapp" not in board.paused:
        alarms.append((words("alarm.token"), mask(board.number.problem)))
    if board.number is not None and board.number.quality in ("YELLOW", "RED"):
        alarms.append((words("alarm.quality", quality=words.named("quality", board.number.quality)), ""))
    alarms += [
        (words("alarm.template", name=t.name, language=t.language, state=words.named("template", t.state)), mask(t.reason))
        for t, _ in board.templates
        if t.reason
    ]  # fmt: skip
    alarms += [
        (words("alarm.source", page=s.name), mask(s.problem)) for s in found.sources if s.town == board.name
    ]
    alarms += [
        (words("alarm.broadcast", number=b.id), mask(b.why)) for b in found.halted if b.town == board.name
    ]
    failed = sum(f.town == board.name for f in found.failed)
    if failed:
        alarms.append((words("alarm.failed", count=failed), ""))
    if found.oldest > 600 and any(g.state == "due" for g, _ in board.waiting):
        alarms.append((words("alarm.oldest", length=words.length(found.oldest)), ""))
    return alarms


def _silences(
    signs: Mapping[str, float], runtime: Runtime | None, words: Words, now: float
) -> Sequence[tuple[str, str]]:
    if runtime is None:
        return [(words("alarm.unknown_town"), "")]
    silent = []
    if now - signs.get("poll", now) > _LATE * runtime.poll_every:
        silent.append((words("alarm.poll", length=words.length(now - signs["poll"])), ""))
    if now - signs.get("webhook", now) > DAY:
        silent.append((words("alarm.webhook", length=words.length(now - signs["webhook"])), ""))
    return silent


def tone(template: Template) -> str:
    """How a template's state is coloured."""
    return "bad" if template.reason else "good" if template.state == APPROVED else ""
