"""What is forgotten by rule, in small steps: each is a transaction of its own, and says where the next one begins.

The rules, in their order, are in ``RULES``; docs/privacy.md explains them to a data-protection officer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from connector.core.state import State
from connector.toolkit.privacy import Sealer

from . import broadcasts, consents, erasing, notices, recipients, subjects, subscriptions
from .erasing import ANONYMOUS
from .tables import media, media_part, message, person, recipient, subscription, ticket, work
from .tickets import DELETED
from .work import GIVEN_UP, OUTDATED

DAY = 86_400.0
_FEW, _MANY = 20, 2000
"""People or requests a step, and rows a step: it holds the writer for moments only."""
_PERSONAL = ("in:", "out:", "held:", "recheck:", "quiet:", "template:", "media:")
"""Beginnings of lanes that name a person or a message of theirs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what is kept, in seconds: content after its ticket closed, people after they last wrote, evidence of
    consent after the person was forgotten."""

    content: float = 30 * DAY
    people: float = 365 * DAY
    evidence: float = 1095 * DAY


@dataclass(slots=True)
class Progress:
    """Where a run has got to: the rule (its place in ``RULES``), the id after which it goes on, what was forgotten."""

    rule: int = 0
    after: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """What the rules of one town need."""

    connection: Connection
    sealer: Sealer
    town: str
    limits: Limits
    now: float


Step = Callable[[Run, int], tuple[int, int | None]]
"""Forget a few after an id: how many, and the id the next step begins after (None: the rule is through)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``what`` is said to people; ``count`` says how much there is to forget now."""

    what: str
    count: Callable[[Run], int]
    step: Step


def count(run: Run) -> dict[str, int]:
    """How much each rule would forget now."""
    return {name: rule.count(run) for name, rule in RULES.items()}


def step(run: Run, progress: Progress) -> Progress | None:
    """Forget a little, and say where to go on; None when nothing is left to do, and what was forgotten is logged."""
    name, rule = list(RULES.items())[progress.rule]
    done, after = rule.step(run, progress.after)
    counts = dict(progress.counts)
    if done:
        counts[name] = counts.get(name, 0) + done
    if after is not None:
        return Progress(progress.rule, after, counts)
    if progress.rule + 1 < len(RULES):
        return Progress(progress.rule + 1, 0, counts)
    for name, n in counts.items():
        erasing.log(run.connection, run.town, name, {name: n}, run.now)
    return None


def _number(run: Run, query: Select[Any]) -> int:
    return int(run.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _ids(run: Run, query: Select[Any], most: int) -> tuple[list[int], int | None]:
    found = [int(r[0]) for r in run.connection.execute(query.limit(most))]
    return found, found[-1] if len(found) == most else None


def _over(before: float) -> ColumnElement[bool]:
    """Whether a request was over before then: closed, deleted in the tracker, or given up before it got there."""
    given_up = exists().where(
        work.c.key == literal("create:") + ticket.c.reference, work.c.outcome.in_(GIVEN_UP)
    )
    # never NULL: this is also asked the other way round
    return or_(
        and_(ticket.c.closed_at.is_not(None), ticket.c.closed_at < before),
        and_(ticket.c.gone.is_not(None), ticket.c.gone == DELETED, ticket.c.created_at < before),
        and_(ticket.c.tracker_id.is_(None), ticket.c.created_at < before, given_up),
    )


# --- what people wrote -----------------------------------------------------------------------------


def _contents(run: Run, after: int) -> Select[Any]:
    over = _over(run.now - run.limits.content)
    query = select(ticket.c.id).where(ticket.c.town == run.town, ticket.c.content.is_not(None), over)
    return query.where(ticket.c.id > after).order_by(ticket.c.id)


def _content(run: Run, after: int) -> tuple[int, int | None]:
    ids, then = _ids(run, _contents(run, after), _FEW)
    if not ids:
        return 0, None
    theirs = select(media.c.id).where(media.c.ticket_id.in_(ids))
    run.connection.execute(delete(media_part).where(media_part.c.media_id.in_(theirs)))
    run.connection.execute(delete(media).where(media.c.ticket_id.in_(ids)))
    run.connection.execute(update(ticket).where(ticket.c.id.in_(ids)).values(content=None))
    _outdate(run, ids)
    return len(ids), then


def _outdate(run: Run, ids: list[int]) -> None:
    """What failed for good about these requests, and answers nobody came for, are dropped: their time is over too."""
    found = run.connection.execute(
        select(ticket.c.reference, ticket.c.person_id).where(ticket.c.id.in_(ids))
    ).all()
    references, held = {r.reference for r in found}, [f"held:{r.person_id}" for r in found]
    failed = and_(work.c.town == run.town, work.c.outcome == "failed")
    waits = and_(work.c.ended_at.is_(None), work.c.lane.in_(held))
    for where in (failed, waits):
        for row in run.connection.execute(
            select(work.c.id, work.c.payload, work.c.ended_at).where(where)
        ).all():
            payload = run.sealer.open(row.payload) if row.payload is not None else {}
            if {str(payload.get("reference")), str(payload.get("about"))} & references:
                values = {
                    "outcome": OUTDATED,
                    "ended_at": row.ended_at or run.now,
                    "payload": None,
                    "error": None,
                }
                run.connection.execute(update(work).where(work.c.id == row.id).values(values))


def _lying(run: Run, after: int) -> Select[Any]:
    old = person.c.updated_at < run.now - run.limits.content
    query = select(person.c.id, person.c.state).where(
        person.c.town == run.town, person.c.contact.is_not(None), old
    )
    return query.where(person.c.id > after).order_by(person.c.id)


def _drafted(run: Run, sealed: bytes) -> State | None:
    state = State.model_validate(run.sealer.open(sealed))
    return state if state.draft is not None or state.held else None


def _drafts(run: Run, after: int) -> tuple[int, int | None]:
    rows = run.connection.execute(_lying(run, after).limit(_FEW)).all()
    done = 0
    for row in rows:
        if (state := _drafted(run, row.state)) is None:
            continue
        theirs = and_(media.c.person_id == row.id, media.c.ticket_id.is_(None))
        parts = media_part.c.media_id.in_(select(media.c.id).where(theirs))
        run.connection.execute(delete(media_part).where(parts))
        run.connection.execute(delete(media).where(theirs))
        state = state.model_copy(update={"draft": None, "held": (), "shown": (), "turns": ("", "")})
        sealed = run.sealer.seal(state.model_dump(mode="json", exclude_defaults=True))
        # nobody was active: when they last were stays as it is
        run.connection.execute(update(person).where(person.c.id == row.id).values(state=sealed))
        done += 1
    return done, rows[-1].id if len(rows) == _FEW else None


def _notices(run: Run, after: int) -> tuple[int, int | None]:
    return notices.forget(run.connection, run.town, run.now - run.limits.content), None


# --- who they are ----------------------------------------------------------------------------------


def _inactive(run: Run, after: int, *, accepted: bool) -> Select[Any]:
    """People who wrote nothing for long enough and whose requests are over as long."""
    before = run.now - (run.limits.people if accepted else run.limits.content)
    unfinished = exists().where(ticket.c.person_id == person.c.id, ~_over(before))
    # whom news reach is there, though they write nothing
    reached = exists().where(
        subscription.c.person_id == person.c.id,
        or_(subscription.c.since >= before, subscription.c.reached_at >= before),
    )
    query = select(person.c.id).where(
        person.c.town == run.town,
        person.c.contact.is_not(None) if accepted else person.c.contact.is_(None),
        or_(person.c.user_key.is_not(None), person.c.phone_key.is_not(None), person.c.contact.is_not(None)),
        # a window ends a day after the last message
        person.c.updated_at < before, person.c.window_until - DAY < before,
        ~unfinished, ~reached,
    )  # fmt: skip
    return query.where(person.c.id > after).order_by(person.c.id)


def _forget(run: Run, after: int, *, accepted: bool) -> tuple[int, int | None]:
    ids, then = _ids(run, _inactive(run, after, accepted=accepted), _FEW)
    for one in ids:
        who = subjects.by_id(run.connection, one)
        erasing.erase(run.connection, run.sealer, who, run.now, wish=False)
    return len(ids), then


def _shells(run: Run, after: int) -> Select[Any]:
    """Empty rows of people to which nothing points. The newest stays: its number must not be given to somebody else."""
    newest = select(func.max(person.c.id)).scalar_subquery()
    pointed = (exists().where(t.c.person_id == person.c.id) for t in (ticket, media))
    nobody = (person.c.user_key.is_(None), person.c.phone_key.is_(None), person.c.contact.is_(None))
    query = select(person.c.id).where(person.c.town == run.town, *nobody, *(~p for p in pointed))
    return query.where(person.c.updated_at < run.now - 2 * DAY, person.c.id < newest, person.c.id > after)


def _empty(run: Run, after: int) -> tuple[int, int | None]:
    ids, then = _ids(run, _shells(run, after).order_by(person.c.id), _MANY)
    run.connection.execute(delete(person).where(person.c.id.in_(ids)))
    return len(ids), then


# --- what leads back to them -----------------------------------------------------------------------


def _traced(run: Run, after: int) -> Select[Any]:
    personal = or_(*(work.c.lane.startswith(lane, autoescape=True) for lane in _PERSONAL))
    ended = (work.c.ended_at < run.now - run.limits.content, work.c.outcome != "failed")
    query = select(work.c.id).where(work.c.id > after, work.c.town == run.town, *ended, personal)
    return query.order_by(work.c.id)


def _traces(run: Run, after: int) -> tuple[int, int | None]:
    ids, then = _ids(run, _traced(run, after), _MANY)
    run.connection.execute(update(work).where(work.c.id.in_(ids)).values(lane=ANONYMOUS))
    return len(ids), then


def _sent(run: Run, after: int) -> Select[Any]:
    """Recipients of broadcasts that are over."""
    ended = [one.id for one in broadcasts.over(run.connection, run.town, run.now - run.limits.content)]
    return select(recipient.c.id).where(recipient.c.broadcast_id.in_(ended))


def _recipients(run: Run, after: int) -> tuple[int, int | None]:
    over = broadcasts.over(run.connection, run.town, run.now - run.limits.content)
    if not over:
        return 0, None
    one = over[0]
    found = recipients.first(run.connection, one.id, _MANY)
    ids = [row[0] for row in found]
    subscriptions.reached(run.connection, ids, one.ended_at or run.now)
    broadcasts.fold(run.connection, one, Counter(recipients.said(state, error) for _, state, error in found))
    recipients.remove(run.connection, ids)
    return len(ids), after + 1


def _entered(run: Run, after: int) -> Select[Any]:
    old = (message.c.person_id.is_not(None), message.c.at < run.now - run.limits.people)
    query = select(message.c.id).where(message.c.id > after, message.c.town == run.town, *old)
    return query.order_by(message.c.id)


def _ledger(run: Run, after: int) -> tuple[int, int | None]:
    ids, then = _ids(run, _entered(run, after), _MANY)
    run.connection.execute(update(message).where(message.c.id.in_(ids)).values(person_id=None, about=None))
    return len(ids), then


RULES: Mapping[str, Rule] = {
    "content": Rule(
        "requests whose words, places and files go: closed longer ago than keep_days",
        lambda run: _number(run, _contents(run, 0)), _content,
    ),
    "drafts": Rule(
        "requests that were begun and not sent, untouched for keep_days",
        lambda run: sum(_drafted(run, r.state) is not None for r in run.connection.execute(_lying(run, 0))), _drafts,
    ),
    "notices": Rule(
        "notifications of WhatsApp about account and numbers, older than keep_days",
        lambda run: notices.count(run.connection, run.town, run.now - run.limits.content), _notices,
    ),
    "recipients": Rule(
        "who got which news, over longer ago than keep_days: the numbers stay",
        lambda run: _number(run, _sent(run, 0)), _recipients,
    ),
    "strangers": Rule(
        "people without consent who wrote nothing for keep_days",
        lambda run: _number(run, _inactive(run, 0, accepted=False)),
        lambda run, after: _forget(run, after, accepted=False),
    ),
    "people": Rule(
        "people who wrote nothing for forget_people_days and have no request that is younger",
        lambda run: _number(run, _inactive(run, 0, accepted=True)),
        lambda run, after: _forget(run, after, accepted=True),
    ),
    "shells": Rule("empty rows of people who were forgotten", lambda run: _number(run, _shells(run, 0)), _empty),
    "traces": Rule(
        "finished work that still says whose it was, older than keep_days",
        lambda run: _number(run, _traced(run, 0)), _traces,
    ),
    "ledger": Rule(
        "messages in the ledger that still say whose they were, older than forget_people_days",
        lambda run: _number(run, _entered(run, 0)), _ledger,
    ),
    "evidence": Rule(
        "evidence of the consent of people forgotten longer ago than evidence_days",
        lambda run: consents.outdated(run.connection, run.town, run.now - run.limits.evidence),
        lambda run, after: (consents.drop(run.connection, run.town, run.now - run.limits.evidence), None),
    ),
}  # fmt: skip
"""By name, in the order in which they are applied."""
