"""Claims rows, carries them out, ends them. One worker a process, any number of processes.

Steps (database only) run in batches inside one transaction. Errands (calls to WhatsApp or the tracker) run side
by side up to a limit a destination; what they have to write is written in the transaction that ends their row,
so that a crash at any point leaves a row whose lease runs out and that is taken up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from functools import partial

from connector.core.errors import ConnectorError, LeaseLost, Rejected, Settled, Unavailable
from connector.jobs import failures, sending
from connector.jobs.kinds import ERRANDS, STEPS, Errand
from connector.jobs.runtime import Ending, Later, Runtime
from connector.storage import listening, pauses, work
from connector.storage.dialect import beyond, savepoint
from connector.storage.sent import ACCEPTED
from connector.storage.store import Connection, Store
from connector.storage.work import Row
from connector.toolkit import crash, transports
from connector.toolkit.observe import Metrics, following, get_logger, places

from .jobs.ticks import Ticks

log = get_logger(__name__)

_LOOPS: Mapping[str, Set[str]] = {
    "steps": STEPS.keys(),
    **{name: kinds.keys() for name, kinds in ERRANDS.items()},
}
"""Who carries out which kinds."""
_ABREAST = {"whatsapp": 16, "tracker": 4, "feeds": 2, "broadcasts": 4, "clamd": 2}
"""Calls side by side to a destination."""
_AHEAD = {"tracker": 4}
"""Rows claimed beyond those, which begin as soon as a call is over. A tracker takes long and gives the answers to calls
that came together together: it would be idle while their ends are stored and others are claimed."""
_FEW = {"media": 3}
"""Kinds of which fewer run side by side than their destination would bear: whole files are in memory."""
_KEPT = frozenset({"notice"})
"""Kinds whose content stays after they ended."""
_BATCH = 64
_LEASE = 30.0
_IDLE = 1.0
_BEFORE = 0.3
"""Seconds between «it is about to be written», as stored, and the write, that the wait after a crash need not know of."""
_PATIENCE, _GIVING_BACK = 6.0, 1.5
"""Seconds that running errands get when the program stops, and that the database gets to take the rest back."""


@dataclass(slots=True)
class _Lease:
    """Until when a row is ours, by our clock, which others compare with theirs."""

    until: float


@dataclass(slots=True)
class _Running:
    row: Row
    task: asyncio.Task[None]
    lease: _Lease


class Worker:
    """Carries out the work of all towns of one database. ``start``, and ``stop`` within ten seconds."""

    def __init__(
        self,
        store: Store,
        towns: Mapping[str, Runtime],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.towns = dict(towns)
        self.metrics = metrics
        self.clock = clock
        self.ticks = Ticks(store, self.towns, metrics, lambda: self.clock())  # noqa: PLW0108  tests replace it
        self._news: dict[str, asyncio.Event] = {}
        self._running: dict[str, dict[int, _Running]] = {name: {} for name in ERRANDS}
        self._slots = {name: asyncio.Semaphore(_ABREAST[name]) for name in ERRANDS}
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False
        self._until = math.inf
        self._beats: dict[str, float] = {}
        self.alive = False

    async def start(self) -> None:
        """Begin to work. Returns at once."""
        loop = asyncio.get_running_loop()
        self._news = {name: asyncio.Event() for name in _LOOPS}

        def committed(kinds: Set[str]) -> None:
            for name, does in _LOOPS.items():
                if work.ANY in kinds or not does.isdisjoint(kinds):
                    loop.call_soon_threadsafe(self._news[name].set)

        await self._listen()
        self.store.on_commit(committed)
        self._loops = [asyncio.create_task(self._guard("steps", self._steps), name="steps")]
        self._loops += [asyncio.create_task(self._guard(name, self._errands), name=name) for name in ERRANDS]
        self._loops.append(asyncio.create_task(self._renew(), name="renew"))
        await self.ticks.start()
        self.alive = True

    def drain(self, hurry: bool = False) -> None:
        """Take nothing new from now on; ``stop`` is to follow. May be called from a signal handler, and again to hurry."""
        now = time.monotonic()
        self._until = now if hurry else min(self._until, now + _PATIENCE)
        self._stopping = True
        self.alive = False

    async def stop(self, patience: float = _PATIENCE) -> None:
        """Take nothing new; what runs may finish until ``patience`` seconds from now at most, the rest goes back."""
        self.drain()
        self._until = min(self._until, time.monotonic() + patience)
        self.ticks.stop()
        for event in self._news.values():
            event.set()
        # loops end by themselves: one that is cancelled while it claims would leave rows leased to nobody
        renewing, loops = self._loops[-1:], self._loops[:-1]
        while time.monotonic() < self._until:
            busy = {t for t in (*loops, *(r.task for r in self._in_hand())) if not t.done()}
            if not busy:
                break
            await asyncio.wait(busy, timeout=0.1)
        left = self._in_hand()
        for task in (tasks := [*loops, *renewing, *(r.task for r in left)]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if left:
            crash.point("errand.stopped")
            await self._give_back([r.row for r in left])

    def _in_hand(self) -> list[_Running]:
        return [running for group in self._running.values() for running in group.values()]

    async def _give_back(self, rows: list[Row]) -> None:
        """Rows can be claimed by others at once; where the database does not take that, when their lease runs out."""
        with contextlib.suppress(Unavailable, TimeoutError):
            await asyncio.wait_for(self.store.write(partial(work.release, rows=rows)), timeout=_GIVING_BACK)

    async def poll_soon(self, town: Runtime) -> None:
        """Poll the tracker now (a push arrived)."""
        await self.ticks.poll_soon(town)

    async def feeds_soon(self, town: Runtime) -> None:
        """Look at the town's sources now (something was published)."""
        await self.ticks.feeds_soon(town)

    # --- loops -------------------------------------------------------------------------------------

    async def _guard(self, name: str, loop: Callable[[str], Awaitable[None]]) -> None:
        """A loop that meets an error waits and goes on: nothing may stop the work for good."""
        while not self._stopping:
            try:
                await loop(name)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.error(
                    "worker loop failed, going on",
                    kind=name,
                    error=type(error).__name__,
                    reason=str(error)[:200],
                )
                await asyncio.sleep(1)

    def stuck(self, seconds: float) -> list[str]:
        """Loops that gave no sign for so long."""
        now = time.monotonic()
        return sorted(name for name, at in self._beats.items() if now - at > seconds)

    async def _wait(self, name: str) -> None:
        event = self._news[name]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout=_IDLE)
        event.clear()

    async def _steps(self, name: str) -> None:
        while not self._stopping:
            self._beats[name] = time.monotonic()
            self._news[name].clear()
            done = await self.store.write(self._batch)
            if done < _BATCH:
                await self._wait(name)

    def _batch(self, connection: Connection) -> int:
        """Claim and carry out steps, each in a savepoint: one that fails takes none with it."""
        now = self.clock()
        sealer = self.store.sealer
        rows = work.claim(connection, sealer, kinds=STEPS, now=now, lease=_LEASE, limit=_BATCH)
        for row in rows:
            with following(row.trace, row.reference):
                self._step(connection, row, now)
        return len(rows)

    def _step(self, connection: Connection, row: Row, now: float) -> None:
        town = self.towns.get(row.town)
        try:
            with savepoint(connection):
                if town is None:
                    raise Rejected(f"no municipality called {row.town} is configured")
                outcome = STEPS[row.kind](connection, town, row, now)
                work.end(connection, row, outcome, now, keep=row.kind in _KEPT)
                crash.point("step.done", row.kind)
            self.metrics.work.labels(row.kind, "done").inc()
            log.info("done", kind=row.kind, work=row.id, outcome=outcome, town=row.town)
        except LeaseLost:
            # a step before it in this batch set it anew: it is due another time
            log.info("set anew", kind=row.kind, work=row.id, town=row.town)
        except Exception as error:
            if beyond(connection, error):
                raise
            self._step_failed(connection, row, town, error, now)

    def _step_failed(
        self, connection: Connection, row: Row, town: Runtime | None, error: Exception, now: float
    ) -> None:
        self.metrics.work.labels(row.kind, "error").inc()
        reason = _reason(error)
        log.error("step failed", kind=row.kind, work=row.id, town=row.town, attempts=row.attempts, error=reason,
                  raised=places(error.__traceback__))  # fmt: skip
        if town is None or row.attempts >= town.pace.attempts:
            work.fail(connection, row, reason, now)
        else:
            work.later(connection, self.store.sealer, row, now + town.pace.backoff(row.attempts), reason)

    async def _errands(self, name: str) -> None:
        kinds = ERRANDS[name]
        running = self._running[name]
        while not self._stopping:
            self._beats[name] = time.monotonic()
            self._news[name].clear()
            free = _ABREAST[name] + _AHEAD.get(name, 0) - len(running)
            rows: list[Row] = []
            if free > 0:
                rows = await self.store.write(partial(self._claim, name=name, limit=free))
            if rows and self._stopping:
                await self._give_back(rows)
                return
            for row in rows:
                lease = _Lease(row.lease_until)
                errand = self._errand(name, kinds[row.kind], row, lease)
                task = asyncio.create_task(errand, name=f"{row.kind} {row.id}")
                running[row.id] = _Running(row, task, lease)
                task.add_done_callback(partial(self._finished, name, row.id))
            if not rows:
                await self._wait(name)

    def _finished(self, name: str, row_id: int, _: asyncio.Task[None]) -> None:
        self._running[name].pop(row_id, None)
        self._news[name].set()

    def _claim(self, connection: Connection, name: str, limit: int) -> list[Row]:
        now = self.clock()
        take = partial(work.claim, connection, self.store.sealer, now=now, lease=_LEASE)
        paused = [p for p in pauses.every(connection) if p.destination == name]
        skip = [p.town for p in paused]
        rows: list[Row] = []
        for kind in _FEW.keys() & ERRANDS[name].keys():
            room = _FEW[kind] - sum(running.row.kind == kind for running in self._running[name].values())
            if room > 0:
                rows += take(kinds=[kind], limit=min(room, limit), skip=skip)
        if len(rows) < limit:
            rows += take(kinds=ERRANDS[name].keys() - _FEW.keys(), limit=limit - len(rows), skip=skip)
        busy = {running.row.town for running in self._running[name].values()}
        for pause in paused:
            if pause.until <= now and pause.town not in busy:
                # it may work again: one call finds out
                rows += take(kinds=failures.PROBES & ERRANDS[name].keys(), limit=1, town=pause.town)
        return rows

    async def _errand(self, name: str, errand: Errand, row: Row, lease: _Lease | None = None) -> None:
        with following(row.trace, row.reference):
            await self._carry_out(name, errand, row, lease or _Lease(row.lease_until))

    async def _carry_out(self, name: str, errand: Errand, row: Row, lease: _Lease) -> None:
        tried = self.clock()

        def ours() -> None:
            nonlocal tried
            now = self.clock()
            if now >= lease.until:
                raise LeaseLost("we stood still for so long that somebody else may be at it")
            if name == "tracker" and now - tried > _BEFORE:
                # it was read and uploaded for a while before this write: from now on it may be carried out late.
                # Calls of a tracker run in threads of their own, so this may wait for the commit.
                self.store.write_now(partial(work.trying, row=row, now=now))
                tried = now

        transports.fence(ours)
        town = self.towns.get(row.town)
        began = time.monotonic()
        try:
            if town is None:
                raise Rejected(f"no municipality called {row.town} is configured")
            crash.point("errand.claimed", row.kind)
            async with self._slots[name]:
                if self._stopping:
                    await self._give_back([row])
                    return
                began, tried = time.monotonic(), self.clock()
                ending = await errand(town, row, self.clock())
            crash.point("errand.called", row.kind)
            # while the database takes nothing this waits: a call that was made stays made
            end = partial(self._end, name=name, row=row, ending=ending)
            outcome = await self.store.keep(end, kind=row.kind, work=row.id)
            self.metrics.work.labels(row.kind, "done").inc()
            self.metrics.seconds.labels(row.kind).observe(time.monotonic() - began)
            log.info("done", kind=row.kind, work=row.id, outcome=outcome or "waits", town=row.town)
        except asyncio.CancelledError:
            raise
        except Settled:  # WhatsApp told of a message before it answered the call that sent it
            log.info("done", kind=row.kind, work=row.id, outcome="settled meanwhile", town=row.town)
        except LeaseLost as error:
            log.warning("lease lost", kind=row.kind, work=row.id, town=row.town, reason=str(error))
        except Exception as error:
            # that the last call went wrong does not say that the destination is away
            answered = name == "tracker" and town is not None and town.tracker.answered_at > began
            failed = partial(self._failed, name=name, row=row, town=town, error=error, answered=answered)
            with contextlib.suppress(LeaseLost):
                await self.store.keep(failed, kind=row.kind, work=row.id)

    def _end(self, connection: Connection, name: str, row: Row, ending: Ending) -> str:
        now = self.clock()
        town = self.towns[row.town]
        outcome = ending(connection, now)
        if outcome:
            work.end(
                connection,
                row,
                outcome,
                now,
                keep=outcome == ACCEPTED and sending.keeps(connection, town, row),
            )
            failures.proven(connection, town, name, row.kind, ERRANDS[name].keys(), now)
        crash.point("errand.ending", row.kind)
        return outcome

    def _failed(
        self,
        connection: Connection,
        *,
        name: str,
        row: Row,
        town: Runtime | None,
        error: Exception,
        answered: bool,
    ) -> None:
        now = self.clock()
        if isinstance(error, Later):
            log.debug("not yet", kind=row.kind, work=row.id, town=row.town, reason=error.why,
                      due_in=round(error.due_at - now))  # fmt: skip
            work.later(connection, self.store.sealer, row, error.due_at, error.why, counted=False)
            return
        self.metrics.work.labels(row.kind, "error").inc()
        reason = _reason(error)
        if town is None:
            work.fail(connection, row, reason, now)
        else:
            failures.after(connection, town, failures.Failed(row, name, error, reason, answered), now)
        crash.point("errand.failed", row.kind)

    async def _renew(self) -> None:
        while not self._stopping:
            await asyncio.sleep(_LEASE / 3)
            in_hand, until = self._in_hand(), self.clock() + _LEASE
            if in_hand:
                hold = partial(work.renew, rows=[r.row for r in in_hand], until=until)
                with contextlib.suppress(Exception):
                    held = await self.store.write(hold)
                    for running in in_hand:
                        if running.row.id in held:
                            running.lease.until = until

    async def _listen(self) -> None:
        """From now on webhooks come in. Since when they did not is remembered: no status came, and that proves nothing."""
        now = self.clock()
        deaf = await self.store.keep(lambda connection: listening.begin(connection, now), kind="start")
        for town in self.towns.values():
            town.deaf = deaf


def _reason(error: Exception) -> str:
    """What is stored and shown of an error: our own sentences; of foreign ones only the type and where."""
    if isinstance(error, ConnectorError):
        return str(error)
    where = places(error.__traceback__)
    return f"{type(error).__name__} at {where}" if where else type(error).__name__
