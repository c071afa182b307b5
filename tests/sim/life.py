"""One run of the product after the other on the same database: started, stopped, killed anywhere, started again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from connector.core.errors import NotKept
from connector.jobs.runtime import Runtime
from connector.storage import pauses, tables
from connector.toolkit.privacy import Sealer
from connector.wiring import Service

from .clock import LIFE, Killed
from .inline import InlineStore
from .threads import Local

if TYPE_CHECKING:
    from .world import World

_IDLE = 3600.0
_LEAST = 1.0
"""What is due and cannot be claimed is looked at again as the product does it."""
_TICKS = ("_poll_tick", "_beat", "_tidy", "_account_tick", "_sweep_tick")
"""What the clock sets off here; figures, keys, feeds and broadcasts have no part in these histories."""


class Scheduler:
    """APScheduler's interface, as far as the ticks use it, by the event loop's clock."""

    def __init__(self, least: float = 0.0) -> None:
        """No job more often than every ``least`` seconds: days would be full of signs of life."""
        self.running = False
        self._least = least
        self._jobs: list[tuple[Callable[..., Awaitable[None]], list[Any], float]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def add_job(self, func: Any, trigger: str, args: Any = (), seconds: float = 0, hours: float = 0) -> None:
        if func.__name__ in _TICKS:
            self._jobs.append((func, list(args), max(seconds + 3600 * hours, self._least)))

    def start(self) -> None:
        self.running = True
        self._tasks = [asyncio.create_task(self._tick(*job)) for job in self._jobs]

    async def _tick(self, func: Callable[..., Awaitable[None]], args: list[Any], every: float) -> None:
        while True:
            await asyncio.sleep(every)
            with contextlib.suppress(Exception):  # APScheduler logs it and goes on
                await func(*args)

    def shutdown(self, wait: bool = True) -> None:
        self.running = False
        for task in self._tasks:
            task.cancel()


class Life:
    """One process. ``service`` is None until it has started."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.context = copy_context()
        self.context.run(LIFE.set, number)
        self.service: Service | None = None
        self.store: InlineStore | None = None
        self.listening = False
        self.over = False
        """Whether the world knows that it has ended."""
        self.commits = 0
        self._stop: asyncio.Event | None = None
        self._due: dict[str, tuple[int, float | None]] = {}
        """When the next row of each of the worker's loops can be claimed, as of that many commits."""

    # --- its course

    def begin(self) -> None:
        """Start the process; what becomes of it, the world is told."""
        self.world.loop.create_task(self._run(), context=self.context)

    async def _run(self) -> None:
        try:
            await self._live()
        except Killed:
            return
        except Exception as error:
            # it could not start, or ended: whoever keeps services running starts it again
            self.world.trace(f"life {self.number} ended: {type(error).__name__}: {error}")
            if self.store is not None:
                self.store.leave()
        self.world.ended(self)

    async def _live(self) -> None:
        self.store = InlineStore(self.world.loop, self.world.database, Sealer(self.world.key), self._commit)
        service = Service([self.world.municipality], store=self.store, pace=self.world.pace)
        service.worker.clock = self.world.loop.wall
        service.worker.ticks._scheduler = Scheduler(600 if self.world.plan.days else 0)  # type: ignore[assignment]
        service._reloading.watch = self._nothing  # type: ignore[method-assign]
        for town in service.towns.values():
            tracker: Any = town.tracker
            tracker.http._local = Local()
            tracker.feed._clock = self.world.loop.monotonic
        worker: Any = service.worker
        worker._wait = self._wait
        self._stop = asyncio.Event()
        self.service = service
        async with service.lifespan():
            self.listening = True
            self.world.trace(f"life {self.number} listens")
            await self._stop.wait()
            self.listening = False
        self.world.trace(f"life {self.number} stopped")

    def terminate(self) -> None:
        """SIGTERM."""
        self.listening = False
        if self._stop is not None and self.service is not None:
            self.context.run(self.service.worker.drain)
            self.context.run(self._stop.set)

    def kill(self) -> None:
        """SIGKILL."""
        self.listening = False
        self.world.loop.kill(self.number)
        if self.store is not None:
            self.store.leave()
        self.world.trace(f"life {self.number} killed")
        self.world.ended(self)

    # --- in the place of what waits

    async def _nothing(self) -> None:
        await asyncio.Event().wait()

    async def _wait(self, name: str) -> None:
        """A worker's loop sleeps until something is committed for it, or the next of its rows can be claimed."""
        from connector.worker import _LOOPS

        assert self.service is not None and self.store is not None
        worker = self.service.worker
        now = self.world.loop.wall()
        kinds = _LOOPS[name]
        known, due = self._due.get(name, (-1, None))
        if known != self.commits:
            due = self.store.read_now(lambda c: next_claim(c, name, kinds))
            self._due[name] = (self.commits, due)
        wait = _IDLE if due is None else min(max(due - now, _LEAST), _IDLE)
        event = worker._news[name]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout=wait)
        event.clear()

    def _commit(self, when: str) -> None:
        if self.number in self.world.loop.dead:
            raise Killed
        if when == "before":
            self.commits += 1
            self.world.commits += 1
        fate = self.world.plan.commit(self.world.commits, when)
        if fate == "full":
            raise NotKept("the database could not keep it: the disk is full")
        if fate == "die":
            self.world.trace(f"dies {when} commit {self.world.commits}")
            self.kill()
            raise Killed

    # --- from outside

    @property
    def town(self) -> Runtime:
        assert self.service is not None
        return next(iter(self.service.towns.values()))

    def answering(self) -> tuple[Any, Context]:
        """Who takes requests, None when nobody listens; and in which context."""
        app = self.service.app if self.service is not None and self.listening else None
        return app, self.context.copy()


_OPEN = (
    select(tables.work.c.due_at, tables.work.c.lease_until, tables.work.c.lane)
    .where(tables.work.c.ended_at.is_(None), tables.work.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(tables.work.c.id)
)


def next_claim(connection: Connection, destination: str, kinds: Collection[str]) -> float | None:
    """When a row of these kinds can be claimed next: due, no lease in the way, and its destination not paused."""
    first: dict[str, float] = {}
    for row in connection.execute(_OPEN, {"kinds": sorted(kinds)}):
        if row.lane not in first:
            first[row.lane] = max(row.due_at, row.lease_until or 0.0)
    if not first:
        return None
    paused = [p.until for p in pauses.every(connection) if p.destination == destination]
    return max(min(first.values()), *paused, 0.0)
