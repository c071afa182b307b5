"""Sends a broadcast: a few people at a time, no faster than the number may, each exactly once.

Before a call it is committed that it is about to be made (``trying``). What was called and not settled, after a crash or
an answer that was lost, is settled by a status that carries its key, and tried again only after two quiet minutes: the
same rule as for every message (``sending``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from connector.core.errors import Ambiguous, ConnectorError, LeaseLost, Unavailable
from connector.core.outgoing import Outgoing, TemplateOut
from connector.storage import broadcasts, buckets, listening, pauses, people, recipients, templates
from connector.storage.broadcasts import Broadcast
from connector.storage.buckets import Rate
from connector.storage.recipients import Candidate
from connector.storage.store import Connection
from connector.toolkit import crash
from connector.toolkit.observe import get_logger, places
from connector.whatsapp import bulletins
from connector.whatsapp.errors import Action, WhatsAppError, actions, explain
from connector.whatsapp.payloads import build

from . import failures
from .allowance import Allowance
from .halting import stop
from .runtime import Runtime

log = get_logger(__name__)

SECONDS = 4.0
"""How long a slice lasts at most: what is more urgent, and a program that stops, need not wait longer."""
_PAUSE = 0.1
"""Seconds between two looks at what may be sent, at least: several go in one transaction."""
_GATHER = 2000
"""Recipients that are written at once."""
_MARGIN = 300.0
"""Seconds a customer service window must still be open: what is sent arrives later than it is sent."""
_SPARE = 0.25
"""So much of what the number may send at once is left to answers."""
_MOST = 4
"""Tries of one message."""
STOPPED = 131050
"""The person wants no marketing messages of ours (CLOUD-API.md 10)."""
_NO_TEMPLATE = "the mapping names no template for it, and the person did not write within 24 hours"


def template_name(rt: Runtime, one: Broadcast) -> str:
    """The template it needs, "" when the mapping has none."""
    own = rt.town.templates
    return own.news if one.bulletin.category == "marketing" else own.notice


@dataclass(frozen=True, slots=True)
class _Call:
    """A message about to be sent. ``tried_at`` names the try."""

    id: int
    person_id: int
    attempt: int
    tried_at: float
    language: str
    body: dict[str, object]


@dataclass(slots=True)
class _Drawn:
    """What may be sent at once. ``over``: nothing more in this slice; ``until``: when there may be more."""

    calls: list[_Call] = field(default_factory=list)
    over: bool = False
    until: float = 0.0


_Result = tuple[_Call, Exception | None]


class _Job(Protocol):
    """What is done in a transaction with the calls that ended."""

    def __call__(self, connection: Connection, *, done: Sequence[_Result]) -> _Drawn: ...


class Slice:
    """A few seconds of one broadcast. ``now`` is when it begins, by the worker's clock."""

    def __init__(self, rt: Runtime, one: Broadcast, now: float) -> None:
        self.rt = rt
        self.one = one
        self._began = now
        self._at = time.monotonic()
        self._done: list[_Result] = []
        self._running: set[asyncio.Task[None]] = set()
        self._allowance = Allowance(one)
        # what was missed for a moment may follow, and still no second holds more than the number may send
        burst = max(1.0, min(rt.crowd / 3, rt.rate.per_second - rt.crowd))
        self._rates = {
            f"number:{rt.channel}": (rt.rate, rt.rate.burst * _SPARE),
            f"broadcast:{rt.channel}": (Rate(rt.crowd, burst), 0.0),
        }

    def now(self) -> float:
        """The time by the worker's clock."""
        return self._began + time.monotonic() - self._at

    async def send(self) -> float:
        """Send for a few seconds; when there is more to do, by the worker's clock."""
        store = self.rt.store
        while await store.write(self._gather):
            pass
        await store.write(self._settle_doubts)
        end = self._at + SECONDS
        drawn = _Drawn()
        try:
            while time.monotonic() < end:
                drawn = await self._write(self._turn)
                if drawn.calls:
                    crash.point("broadcast.trying")
                for call in drawn.calls:
                    task = asyncio.create_task(self._call(call))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
                wait = drawn.until - self.now()
                if drawn.over or time.monotonic() + wait > end:
                    break
                await self._pause(max(_PAUSE, wait))
            if self._running:
                await asyncio.wait(self._running)
        finally:
            for task in self._running:
                task.cancel()
        await self._write(self._finish)
        return self.now() if drawn.over else max(self.now(), drawn.until)

    async def _write(self, job: _Job) -> _Drawn:
        """``job`` in the transaction that writes what became of the calls that ended."""
        done = self._done[:]
        drawn = await self.rt.store.keep(partial(job, done=done), kind="broadcast", work=self.one.id)
        del self._done[: len(done)]
        return drawn

    async def _pause(self, seconds: float) -> None:
        full = len(self._running) >= self.rt.abreast
        if full:
            await asyncio.wait(self._running, timeout=max(seconds, 1.0), return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(max(0.0, seconds))

    # --- who ------------------------------------------------------------------------------------------

    def _gather(self, connection: Connection) -> bool:
        """Write a few more recipients; whether there may be more."""
        one = broadcasts.get(connection, self.one.id)
        if one is None or one.gathered is None:
            return False
        last = recipients.gather(connection, one.town, one.id, one.topics, one.gathered, _GATHER, self.now())
        broadcasts.moved(connection, one.id, last)
        crash.point("broadcast.gathered")
        return last is not None

    def _settle_doubts(self, connection: Connection) -> None:
        """Calls of earlier slices that nobody answered and no status proved are made again after two quiet minutes."""
        now = self.now()
        for one, tried_at in recipients.doubtful(connection, self.one.id):
            if listening.heard(self.rt.deaf, tried_at, now) >= self.rt.pace.silence:
                recipients.back(connection, one, tried_at, now, "no answer, and no status of it", now)

    def _turn(self, connection: Connection, *, done: Sequence[_Result]) -> _Drawn:
        """Write what became of calls, and take the next ones, as many as may be sent now."""
        now = self.now()
        self._settle(connection, done, now)
        one = broadcasts.get(connection, self.one.id)
        if one is None or one.state != broadcasts.RUNNING or one.due_at > now:
            return _Drawn(over=True)
        if _left_alone(connection, one.town, now) or (
            not one.alert and broadcasts.alerted(connection, one.town, now)
        ):
            return _Drawn(over=True)
        many, wait = buckets.ready(connection, self._rates, now)
        many = min(many, self.rt.abreast - len(self._running))
        if many <= 0:
            return _Drawn(until=now + wait)
        found = recipients.turns(connection, self.rt.store.sealer, one.id, one.topics, many, now)
        calls, over = self._calls(connection, found, now)
        buckets.spend(connection, self._rates, len(calls), now)
        return _Drawn(calls, over or not found, now + wait)

    def _calls(self, connection: Connection, found: list[Candidate], now: float) -> tuple[list[_Call], bool]:
        """Calls for those who get a message; who left meanwhile gets none. True when nobody else can get one now."""
        rt = self.rt
        calls: list[_Call] = []
        states = {t.language: t.state for t in templates.every(connection, rt.name) if t.name == self._name}
        for who in found:
            if who.address is None or not who.subscribed:
                recipients.skip(connection, who.id, "left", now)
                continue
            if who.stopped and self.one.bulletin.category == "marketing":
                recipients.skip(connection, who.id, "stopped", now)
                continue
            language = who.language or rt.town.languages[0]
            how, message = "message", self._message(who, language, now)
            if message is None:
                if not self._name:
                    recipients.skip(connection, who.id, "failed", now, _NO_TEMPLATE)
                    continue
                if not self._allowance.spend(connection, self._name, states, now):
                    return calls, True
                how, message = "template", self._template(states, language)
            attempt = who.attempts + 1
            try:
                body = build(message, who.address, key=recipients.key_of(who.id, attempt))
            except ValueError as error:
                recipients.skip(connection, who.id, "failed", now, f"it cannot be written: {error}")
                continue
            if recipients.trying(connection, who.id, how, attempt, now):
                said_in = message.language if isinstance(message, TemplateOut) else ""
                calls.append(_Call(who.id, who.person_id, attempt, now, said_in, body))
        return calls, False

    @property
    def _name(self) -> str:
        return template_name(self.rt, self.one)

    def _message(self, who: Candidate, language: str, now: float) -> Outgoing | None:
        """Inside the customer service window no template is needed: it costs what a utility template does, or less."""
        if who.window_until <= now + _MARGIN:
            return None
        return bulletins.message(self.one.bulletin, language, self.rt.texts)

    def _template(self, states: dict[str, str], language: str) -> TemplateOut:
        """In the person's language, or in another of the town's that may be sent."""
        usable = [x for x in (language, *self.rt.town.languages) if states.get(x) == templates.APPROVED]
        return bulletins.template(self.one.bulletin, self._name, next(iter(usable), language), self.rt.texts)

    # --- the calls, and what became of them -----------------------------------------------------------

    async def _call(self, call: _Call) -> None:
        problem: Exception | None = None
        try:
            await self.rt.bulk.send(call.body)
        except Exception as error:
            problem = error
        crash.point("broadcast.called")
        self._done.append((call, problem))

    def _settle(self, connection: Connection, done: Sequence[_Result], now: float) -> None:
        for call, problem in sorted(done, key=lambda result: result[0].id):
            if problem is None:
                recipients.accepted(connection, call.id, call.tried_at, now)
            else:
                self._failed(connection, call, problem, now)
        if any(problem is None for _, problem in done):
            failures.proven(connection, self.rt, "whatsapp", "send", (), now)

    def _failed(self, connection: Connection, call: _Call, error: Exception, now: float) -> None:
        rt = self.rt
        acts: frozenset[Action] = error.actions if isinstance(error, WhatsAppError) else frozenset()
        reason = str(error) if isinstance(error, ConnectorError) else type(error).__name__
        log.warning("not sent", town=rt.name, work=self.one.id, error=reason, raised=places(error.__traceback__),
                    code=getattr(error, "code", None))  # fmt: skip
        if isinstance(error, Ambiguous) or not isinstance(error, ConnectorError):
            # it may have been taken: it stays as it is until a status or a silence says more
            failures.stumble(connection, rt, "whatsapp", reason, now)
            return
        again, wait = now, max(rt.pace.backoff(call.attempt), error.retry_after or 0.0)
        if isinstance(error, LeaseLost):
            pass
        elif Action.TEMPLATE in acts:
            people.shut_window(connection, call.person_id, now)
        elif Action.STOP_TEMPLATE in acts:
            code = getattr(error, "code", "")
            templates.save(connection, rt.name, self._name, call.language, f"REFUSED {code}", reason, now)
            stop(connection, self.one, reason, now)
        elif Action.PAUSE_NUMBER in acts:
            again = now + wait
            failures.halt(connection, rt, acts, reason, wait, now)
            if Action.OPERATOR in acts:
                stop(connection, self.one, reason, now)
        elif Action.FIX in acts:
            # whatever is wrong with it is wrong for everybody
            stop(connection, self.one, reason, now)
        elif call.attempt < _MOST and (
            isinstance(error, Unavailable) or acts & {Action.RETRY, Action.LATER, Action.PAUSE_USER}
        ):
            if isinstance(error, Unavailable) and not acts:
                failures.stumble(connection, rt, "whatsapp", reason, now)
            again = now + wait
        else:
            self._refused(connection, call, error, reason, now)
            return
        recipients.back(connection, call.id, call.tried_at, again, reason, now)

    def _refused(
        self, connection: Connection, call: _Call, error: ConnectorError, reason: str, now: float
    ) -> None:
        state = "failed"
        if error.code == str(STOPPED):
            people.stop_marketing(connection, call.person_id, now)
            state = "stopped"
        recipients.failed(connection, call.id, call.tried_at, reason, now, state=state)

    def _finish(self, connection: Connection, *, done: Sequence[_Result]) -> _Drawn:
        """What became of the last calls; the broadcast is over when nobody waits, or is looked at when somebody is due."""
        now = self.now()
        self._settle(connection, done, now)
        one = broadcasts.get(connection, self.one.id)
        if one is None or one.state != broadcasts.RUNNING or one.gathered is not None:
            return _Drawn()
        due = recipients.next_due(connection, one.id)
        doubts = [
            max(0.0, self.rt.pace.silence - listening.heard(self.rt.deaf, tried_at, now))
            for _, tried_at in recipients.doubtful(connection, one.id)
        ]
        waits = [*(now + wait for wait in doubts), *([due] if due is not None else [])]
        if not waits:
            broadcasts.change(connection, one.id, now, state=broadcasts.DONE, ended_at=now)
            counts = recipients.counts(connection, one.id)
            log.info("broadcast over", town=one.town, work=one.id, count=counts.total())
        elif min(waits) > max(now, one.due_at):
            broadcasts.change(connection, one.id, now, due_at=min(waits), why=one.why or None)
        return _Drawn()


def _left_alone(connection: Connection, town: str, now: float) -> bool:
    return any(
        p.until > now for p in pauses.every(connection) if (p.town, p.destination) == (town, "whatsapp")
    )


def heard(
    connection: Connection, rt: Runtime, key: tuple[int, int], state: str, code: int | None, now: float
) -> str:
    """A status with the ``key`` (recipient, attempt) of a message of a broadcast; what it said, in words."""
    if state == "failed":
        return f"status failed: {_undelivered(connection, rt, *key, code, now)}"
    moved = recipients.advance(connection, rt.name, key[0], state, now)
    return f"status {state}" if moved else f"status {state}: known"


def _undelivered(
    connection: Connection, rt: Runtime, recipient_id: int, attempt: int, code: int | None, now: float
) -> str:
    """WhatsApp took a message and says later that it failed: what its code asks for is done."""
    one = recipients.told(connection, recipient_id)
    if one is None or one.town != rt.name:
        return "of nobody who is known"
    if one.attempts != attempt or one.state in ("delivered", "read", "failed", "stopped"):
        return "known, or of another try, or it was delivered after all"
    acts, reason = actions(code), f"WhatsApp took it and did not deliver it ({explain(code)})"
    of = broadcasts.get(connection, one.broadcast_id)
    assert of is not None
    again = bool(acts & {Action.TEMPLATE, Action.STOP_TEMPLATE, Action.PAUSE_NUMBER}) and attempt < _MOST
    again = again and of.state != broadcasts.CANCELLED
    if Action.TEMPLATE in acts and one.person_id is not None:
        people.shut_window(connection, one.person_id, now)
    if code == STOPPED and one.person_id is not None:
        people.stop_marketing(connection, one.person_id, now)
    state = "stopped" if code == STOPPED else "failed"
    recipients.undelivered(connection, one, reason, now, again=again, state=state)
    if again and of.state == broadcasts.DONE:
        broadcasts.change(connection, of.id, now, state=broadcasts.RUNNING, ended_at=None, due_at=now)
    if acts & {Action.STOP_TEMPLATE, Action.FIX} or acts >= {Action.PAUSE_NUMBER, Action.OPERATOR}:
        stop(connection, of, reason, now)
    return "again" if again else state
