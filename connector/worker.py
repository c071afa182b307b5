"""Claims rows, carries them out, ends them; and the ticks. One worker a process, any number of processes.

Steps (database only) run in batches inside one transaction. Errands (calls to WhatsApp or the tracker) run side
by side up to a limit a destination; what they have to write is written in the transaction that ends their row,
so that a crash at any point leaves a row whose lease runs out and that is taken up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.jobs import answers, inbound, outbound, requests
from connector.jobs.runtime import DAY, Ending, Later, Runtime, Step
from connector.storage import pauses, work
from connector.storage.store import Connection, Store
from connector.storage.work import LeaseLost, Row
from connector.toolkit.observe import Metrics, get_logger
from connector.whatsapp.errors import Action, WhatsAppError

log = get_logger(__name__)

Errand = Callable[[Runtime, Row, float], Awaitable[Ending]]

STEPS: Mapping[str, Step] = {
    "inbound": inbound.inbound,
    "quiet": inbound.quiet,
    "receipt": requests.receipt,
    "status": outbound.status,
    "notice": outbound.notice,
}
ERRANDS: Mapping[str, Mapping[str, Errand]] = {
    "whatsapp": {"send": outbound.send, "media": outbound.media, "read": outbound.read},
    "tracker": {
        "create": requests.create,
        "attach": requests.attach,
        "note": requests.note,
        "poll": answers.poll,
        "look": answers.look,
        "answer": answers.answer,
    },
}
_ABREAST = {"whatsapp": 16, "tracker": 4}
_WHOLE = frozenset({"poll", "create"})
"""Kinds in which «forbidden» speaks of the whole tracker; in the others it may be one ticket out of sight."""
_KEPT = frozenset({"notice"})
"""Kinds whose content stays after they ended."""
_BATCH = 64
_LEASE = 30.0
_IDLE = 1.0
_PAUSE = (15.0, 900.0)
_TIDIED = ("poll", "read", "quiet", "look", "status")


@dataclass(slots=True)
class _Running:
    row: Row
    task: asyncio.Task[None]


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
        self.ticks = AsyncIOScheduler(job_defaults={"coalesce": True, "max_instances": 1})
        self._news: dict[str, asyncio.Event] = {}
        self._running: dict[str, dict[int, _Running]] = {name: {} for name in ERRANDS}
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False
        self.alive = False

    async def start(self) -> None:
        """Begin to work. Returns at once."""
        loop = asyncio.get_running_loop()
        self._news = {name: asyncio.Event() for name in ("steps", *ERRANDS)}

        def wake() -> None:
            for event in self._news.values():
                event.set()

        def committed() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake)

        self.store.on_commit(committed)
        self._loops = [asyncio.create_task(self._guard("steps", self._steps), name="steps")]
        self._loops += [asyncio.create_task(self._guard(name, self._errands), name=name) for name in ERRANDS]
        self._loops.append(asyncio.create_task(self._renew(), name="renew"))
        for town in self.towns.values():
            self.ticks.add_job(self._poll_tick, "interval", args=[town], seconds=town.poll_every)
        self.ticks.add_job(self._gauges, "interval", seconds=10)
        self.ticks.add_job(self._tidy, "interval", hours=1)
        self.ticks.start()
        for town in self.towns.values():
            await self._poll_tick(town)
        self.alive = True

    async def stop(self, patience: float = 8.0) -> None:
        """Take nothing new; what runs may finish for ``patience`` seconds, the rest goes back."""
        self._stopping = True
        self.alive = False
        if self.ticks.running:
            self.ticks.shutdown(wait=False)
        for event in self._news.values():
            event.set()
        running = [r for group in self._running.values() for r in group.values()]
        if running:
            await asyncio.wait([r.task for r in running], timeout=patience)
        left = [r for group in self._running.values() for r in group.values()]
        for task in [*self._loops, *(r.task for r in left)]:
            task.cancel()
        await asyncio.gather(*self._loops, *(r.task for r in left), return_exceptions=True)
        if left:
            await self.store.write(lambda connection: work.release(connection, [r.row for r in left]))

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

    async def _wait(self, name: str) -> None:
        event = self._news[name]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout=_IDLE)
        event.clear()

    async def _steps(self, name: str) -> None:
        while not self._stopping:
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
            town = self.towns.get(row.town)
            try:
                with connection.begin_nested():
                    if town is None:
                        raise Rejected(f"no municipality called {row.town} is configured")
                    outcome = STEPS[row.kind](connection, town, row, now)
                    work.end(connection, row, outcome, now, keep=row.kind in _KEPT)
                self.metrics.work.labels(row.kind, "done").inc()
                log.info("done", kind=row.kind, work=row.id, outcome=outcome, town=row.town)
            except Exception as error:
                if connection.invalidated:
                    raise
                self._step_failed(connection, row, town, error, now)
        return len(rows)

    def _step_failed(
        self, connection: Connection, row: Row, town: Runtime | None, error: Exception, now: float
    ) -> None:
        self.metrics.work.labels(row.kind, "error").inc()
        reason = _reason(error)
        log.error("step failed", kind=row.kind, work=row.id, town=row.town, attempts=row.attempts, error=reason,
                  exception=_trace(error))  # fmt: skip
        if town is None or row.attempts >= town.pace.attempts:
            work.fail(connection, row, reason, now)
        else:
            work.later(connection, self.store.sealer, row, now + town.pace.backoff(row.attempts), reason)

    async def _errands(self, name: str) -> None:
        kinds = ERRANDS[name]
        running = self._running[name]
        while not self._stopping:
            self._news[name].clear()
            free = _ABREAST[name] - len(running)
            rows: list[Row] = []
            if free > 0:
                rows = await self.store.write(partial(self._claim, name=name, limit=free))
            for row in rows:
                task = asyncio.create_task(
                    self._errand(name, kinds[row.kind], row), name=f"{row.kind} {row.id}"
                )
                running[row.id] = _Running(row, task)
                task.add_done_callback(partial(self._finished, name, row.id))
            if not rows:
                await self._wait(name)

    def _finished(self, name: str, row_id: int, _: asyncio.Task[None]) -> None:
        self._running[name].pop(row_id, None)
        self._news[name].set()

    def _claim(self, connection: Connection, name: str, limit: int) -> list[Row]:
        now = self.clock()
        skip = [
            (p.town, kind)
            for p in pauses.every(connection)
            if p.destination == name and p.until > now
            for kind in ERRANDS[name]
        ]
        return work.claim(
            connection, self.store.sealer, kinds=ERRANDS[name], now=now, lease=_LEASE, limit=limit, skip=skip
        )

    async def _errand(self, name: str, errand: Errand, row: Row) -> None:
        town = self.towns.get(row.town)
        began = time.monotonic()
        try:
            if town is None:
                raise Rejected(f"no municipality called {row.town} is configured")
            ending = await errand(town, row, self.clock())
            outcome = await self.store.write(lambda connection: self._end(connection, name, row, ending))
            self.metrics.work.labels(row.kind, "done").inc()
            self.metrics.seconds.labels(row.kind).observe(time.monotonic() - began)
            log.info("done", kind=row.kind, work=row.id, outcome=outcome or "waits for the person", town=row.town,
                     reference=row.payload.get("reference"))  # fmt: skip
        except asyncio.CancelledError:
            raise
        except LeaseLost:
            log.warning("lease lost: somebody else carries it on", kind=row.kind, work=row.id)
        except Exception as error:
            failed = partial(self._failed, name=name, row=row, town=town, error=error)
            with contextlib.suppress(LeaseLost):
                await self.store.write(failed)

    def _end(self, connection: Connection, name: str, row: Row, ending: Ending) -> str:
        now = self.clock()
        outcome = ending(connection, now)
        if outcome:
            work.end(connection, row, outcome, now)
        if pauses.lift(connection, row.town, name):
            log.warning("works again", destination=name, town=row.town)
        return outcome

    def _failed(
        self, connection: Connection, *, name: str, row: Row, town: Runtime | None, error: Exception
    ) -> None:
        now = self.clock()
        sealer = self.store.sealer
        if isinstance(error, Later):
            work.later(connection, sealer, row, error.due_at, error.why, counted=False)
            return
        reason = _reason(error)
        self.metrics.work.labels(row.kind, "error").inc()
        if town is None:
            work.fail(connection, row, reason, now)
            return
        wait = town.pace.backoff(row.attempts)
        if isinstance(error, ConnectorError) and error.retry_after:
            wait = max(wait, error.retry_after)
        log.warning("not done", kind=row.kind, work=row.id, town=row.town, attempts=row.attempts, error=reason,
                    code=getattr(error, "code", None), reference=row.payload.get("reference"))  # fmt: skip
        actions = error.actions if isinstance(error, WhatsAppError) else frozenset()
        if Action.PAUSE_NUMBER in actions or (
            isinstance(error, Forbidden) and (name == "whatsapp" or row.kind in _WHOLE)
        ):
            pause = pauses.begin(connection, row.town, name, reason, now, *_PAUSE)
            log.error(
                "paused", destination=name, town=row.town, reason=reason, seconds=round(pause.until - now)
            )
            work.later(connection, sealer, row, now + wait, reason, untried=True, counted=False)
        elif isinstance(error, Ambiguous):
            work.later(connection, sealer, row, now + wait, reason)
        elif isinstance(error, Unavailable):
            work.later(connection, sealer, row, now + wait, reason, untried=True)
        elif isinstance(error, Rejected | Gone | ValueError) or row.attempts >= town.pace.attempts:
            work.fail(connection, row, reason, now)
            log.error("failed for good", kind=row.kind, work=row.id, town=row.town, error=reason,
                      reference=row.payload.get("reference"))  # fmt: skip
        else:
            # an error of ours may come after the call was made: what was tried stays tried
            work.later(connection, sealer, row, now + wait, reason)

    async def _renew(self) -> None:
        while not self._stopping:
            await asyncio.sleep(_LEASE / 3)
            rows = [r.row for group in self._running.values() for r in group.values()]
            if rows:
                hold = partial(work.renew, rows=rows, until=self.clock() + _LEASE)
                with contextlib.suppress(Exception):
                    await self.store.write(hold)

    # --- ticks -------------------------------------------------------------------------------------

    async def poll_soon(self, town: Runtime) -> None:
        """Poll the tracker now (a push arrived)."""
        await self._poll_tick(town)

    async def _poll_tick(self, town: Runtime) -> None:
        now = self.clock()
        lane = f"poll:{town.name}"

        def tick(connection: Connection) -> None:
            # replicas tick together: one row a slot, and none while another waits
            if not work.is_open(connection, lane):
                town.put(
                    connection, lane=lane, kind="poll", payload={}, now=now, key=f"{lane}:{int(now * 10)}"
                )

        await self.store.write(tick)

    async def _gauges(self) -> None:
        now = self.clock()
        found = await self.store.read(lambda connection: work.counts(connection, now))
        for gauge, part in ((self.metrics.waiting, "waiting"), (self.metrics.failed, "failed")):
            gauge.clear()
            for kind, n in found[part].items():
                gauge.labels(kind).set(n)
        self.metrics.oldest.set(found["oldest"])

    async def _tidy(self) -> None:
        before = self.clock() - DAY
        await self.store.write(lambda connection: work.tidy(connection, _TIDIED, before))


def _reason(error: Exception) -> str:
    """What is stored and shown of an error: our own sentences; of foreign ones only the type and where."""
    if isinstance(error, ConnectorError):
        return str(error)
    where = _trace(error)
    return f"{type(error).__name__} at {where}" if where else type(error).__name__


def _trace(error: Exception) -> str:
    """File and line where it happened, without values: a traceback's message may hold a citizen's words."""
    trace = error.__traceback__
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-4:]))
