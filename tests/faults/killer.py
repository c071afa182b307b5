"""SIGKILL with a seed: each process lives one to three seconds, again and again; and a meddler with Meta's webhooks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from tests.databases import Postgres

from .citizens import Phones
from .stage import Program

LIFE = (1.0, 3.0)
"""Seconds from ready to SIGKILL."""
_EARLY = 0.1
"""Share of the kills that come while the program is starting."""
_MEDDLE = 1.5


class Killer:
    """Kills ``kills`` times in all, the replicas in parallel. ``done`` counts."""

    def __init__(
        self, seed: int, replicas: list[Program], kills: int, postgres: Postgres | None = None
    ) -> None:
        self.seed, self.replicas, self.kills, self.postgres = seed, replicas, kills, postgres
        self.done = 0
        self._half = asyncio.Event()

    async def work(self) -> None:
        """Kill and restart until enough; afterwards every replica is up."""
        shares = [len(range(i, self.kills, len(self.replicas))) for i in range(len(self.replicas))]
        jobs = [
            self._haunt(n, r, share) for n, (r, share) in enumerate(zip(self.replicas, shares, strict=True))
        ]
        if self.postgres is not None:
            jobs.append(self._restart(self.postgres))
        await asyncio.gather(*jobs)

    async def _haunt(self, n: int, replica: Program, kills: int) -> None:
        dice = random.Random(f"{self.seed}/killer/{n}")
        for _ in range(kills):
            early, life = dice.random() < _EARLY, dice.uniform(*LIFE)
            if early:
                await asyncio.sleep(life / 3)
            elif await replica.wait_ready():
                await asyncio.sleep(life)
            await replica.kill()
            self.done += 1
            if self.done >= self.kills // 2:
                self._half.set()
            await replica.start()
        await replica.wait_ready()

    async def _restart(self, postgres: Postgres) -> None:
        await self._half.wait()
        await asyncio.to_thread(postgres.restart)


async def meddle(seed: int, phones: Phones, played: Counter[str]) -> None:
    """Let Meta repeat, reorder, hold back and batch its webhooks, until cancelled; never for long."""
    dice = random.Random(f"{seed}/meddler")
    while True:
        what = dice.choice(("duplicate", "reorder", "hold", "batch"))
        fault: dict[str, Any] = {"webhook": what, "count": dice.randint(2, 6)}
        if what == "hold":
            fault |= {"seconds": dice.uniform(0.2, 2.0), "count": 1}
        await phones.post("faults", json=[fault])
        await asyncio.sleep(_MEDDLE)
        # what still waits for more webhooks goes out now: nothing is kept back for longer than this
        left = await phones.post("faults", json=[{"webhook": "release"}])
        played[f"webhooks: {what}"] += 0 if fault in left else 1
