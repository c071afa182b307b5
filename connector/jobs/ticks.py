"""What the clock sets off: polls, the nightly sweep, looks at number and templates, figures, signs of life, tidying up.

A tick only writes rows of work, under a key that names its slot of time: replicas tick together and make one row.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from connector.storage import broadcasts, buckets, feeds, in_lane, listening, overview, processes, sent, work
from connector.storage.store import Connection, Store
from connector.toolkit.observe import Metrics

from . import account, broadcasting, retention, sweep, templating
from . import feeds as feed_jobs
from .runtime import DAY, Runtime

_BEAT = 30.0
"""Seconds between two signs of life in the database; what a crash takes off the silence of a message at most."""
_KEYS = 5.0
"""Seconds between two looks at what ``privacy.key`` is set to."""
_ACCOUNT, _SWEEP, _FEEDS, _BROADCASTS = 3600, 600, 60, 5
_UNLISTED = 60 * DAY
"""An item that comes back to its feed so long after it left is news again."""
_UNDELIVERED = 31 * DAY
"""WhatsApp tries to deliver for 30 days (CLOUD-API.md 5): after that nothing more is said of a message."""
_TIDIED = (
    "poll", "read", "quiet", "look", "status", "templates", "number", "recheck", "feed", "retention", "broadcast",
)  # fmt: skip


class Ticks:
    """The ticks of one process, for all towns of its database."""

    def __init__(
        self, store: Store, towns: Mapping[str, Runtime], metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self.store = store
        self.towns = towns
        self.metrics = metrics
        self.clock = clock
        self._name = secrets.token_hex(8)
        self._scheduler = AsyncIOScheduler(job_defaults={"coalesce": True, "max_instances": 1})

    async def start(self) -> None:
        """Begin to tick; the first poll and the first look at number and templates are due at once."""
        add = self._scheduler.add_job
        for town in self.towns.values():
            add(self._poll_tick, "interval", args=[town], seconds=town.poll_every)
        add(self._gauges, "interval", seconds=10)
        add(self._beat, "interval", seconds=_BEAT)
        add(self._keys, "interval", seconds=_KEYS)
        add(self._tidy, "interval", hours=1)
        add(self._account_tick, "interval", seconds=_ACCOUNT)
        add(self._sweep_tick, "interval", seconds=_SWEEP)
        add(self._feeds_tick, "interval", seconds=_FEEDS)
        add(self._broadcasts_tick, "interval", seconds=_BROADCASTS)
        self._scheduler.start()
        await self._sign()
        for town in self.towns.values():
            await self._poll_tick(town)
        await self._account_tick()
        await self._feeds_tick()
        await self._broadcasts_tick()

    def stop(self) -> None:
        """No more ticks."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            # nobody waits for it: without it the process counts as gone after a while
            self.store.submit(lambda connection: processes.leave(connection, self._name))

    async def poll_soon(self, town: Runtime) -> None:
        """Poll the tracker now (a push arrived)."""
        await self._poll(town, f"push:{int(self.clock() * 10)}")

    async def _poll_tick(self, town: Runtime) -> None:
        await self._poll(town, str(int(self.clock() // town.poll_every)))

    async def _poll(self, town: Runtime, slot: str) -> None:
        now = self.clock()
        lane = f"poll:{town.name}"

        def tick(connection: Connection) -> None:
            # replicas tick together: one row a slot, and none while another waits
            if not in_lane.is_open(connection, lane):
                town.put(connection, lane=lane, kind="poll", payload={}, now=now, key=f"{lane}:{slot}")

        await self.store.keep(tick, kind="tick")

    async def _account_tick(self) -> None:
        now = self.clock()

        def tick(connection: Connection) -> None:
            for town in self.towns.values():
                templating.soon(connection, town, now, int(now // _ACCOUNT))
                account.soon(connection, town, now, int(now // _ACCOUNT))

        await self.store.keep(tick, kind="tick")

    async def _sweep_tick(self) -> None:
        now = self.clock()

        def tick(connection: Connection) -> None:
            for town in self.towns.values():
                sweep.tick(connection, town, now)
                retention.tick(connection, town, now)

        await self.store.keep(tick, kind="tick")

    async def _feeds_tick(self) -> None:
        now = self.clock()

        def tick(connection: Connection) -> None:
            for town in self.towns.values():
                feed_jobs.tick(connection, town, now)

        await self.store.keep(tick, kind="tick")

    async def _broadcasts_tick(self) -> None:
        now = self.clock()

        def due(connection: Connection) -> list[Runtime]:
            each = ((town, broadcasts.next_due(connection, town.name)) for town in self.towns.values())
            return [town for town, at in each if at is not None and at <= now]

        def tick(connection: Connection) -> None:
            for town in due(connection):
                broadcasting.soon(connection, town, now)

        if await self.store.read(due):
            await self.store.keep(tick, kind="tick")

    async def feeds_soon(self, town: Runtime) -> None:
        """Look at the town's sources now (something was published)."""
        now = self.clock()
        await self.store.keep(lambda connection: feed_jobs.soon(connection, town, now), kind="tick")

    async def _gauges(self) -> None:
        now = self.clock()
        metrics = self.metrics
        found = await self.store.read(lambda connection: overview.look(connection, now))
        for gauge, counts in ((metrics.waiting, found.waiting_count), (metrics.failed, found.failed_count)):
            gauge.clear()
            for kind, n in counts.items():
                gauge.labels(kind).set(n)
        metrics.oldest.set(found.oldest)
        for gauge in (
            metrics.paused, metrics.templates, metrics.signs, metrics.limit, metrics.left, metrics.halted,
        ):  # fmt: skip
            gauge.clear()
        for pause in found.paused:
            metrics.paused.labels(pause.town, pause.destination).set(now - pause.since)
        for broadcast in found.broadcasts:
            metrics.left.labels(broadcast.town).inc(found.left[broadcast.id])
        for broadcast in found.halted:
            metrics.halted.labels(broadcast.town, str(broadcast.id)).set(now - broadcast.changed_at)
        for one in found.alarms:
            metrics.templates.labels(one.town, one.name, one.language).set(now - one.since)
        for town, signs in found.signs.items():
            for name, at in signs.items():
                metrics.signs.labels(town, name).set(now - at)
        for town, number in found.numbers.items():
            metrics.token.labels(town).set(not number.problem)
            metrics.quality.labels(town).set(number.grade)
            if number.people is not None:
                metrics.limit.labels(town).set(number.people)

    async def _beat(self) -> None:
        now = self.clock()
        await self.store.write(lambda connection: listening.beat(connection, now))
        await self._sign()

    async def _sign(self) -> None:
        """Say that this process runs, and which key it encrypts with."""
        now, key = self.clock(), self.store.sealer.fingerprint
        sign = partial(
            processes.sign, name=self._name, host=socket.gethostname(), pid=os.getpid(), key=key, now=now
        )
        await self.store.write(sign)

    async def _keys(self) -> None:
        if await asyncio.to_thread(self.store.look_for_keys):
            await self._sign()

    async def _tidy(self) -> None:
        now = self.clock()

        def tidy(connection: Connection) -> None:
            work.tidy(connection, _TIDIED, now - DAY)
            buckets.full_before(connection, now - DAY)
            sent.forget(connection, now - _UNDELIVERED)
            feeds.forget(connection, now - _UNLISTED)

        await self.store.write(tidy)
