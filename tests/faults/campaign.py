"""One campaign from beginning to end, with a line of progress and the figures."""

from __future__ import annotations

import asyncio
import contextlib
import random
import string
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .books import Books, Ledger, audit
from .citizens import Citizen, Hand, Phones, citizen
from .helpdesk import HelpdeskStaff
from .killer import Killer, meddle
from .roundup import RoundupStaff
from .rt import RTStaff
from .staff import Staff
from .stage import POLL_EVERY, SILENCE, Stage, stage

STAFF: dict[str, type[Staff]] = {
    "": Staff,
    "redmine": Staff,
    "rt": RTStaff,
    "helpdesk": HelpdeskStaff,
    "roundup": RoundupStaff,
}
"""Who writes the notes, by kind of tracker."""
QUIET = 3 * SILENCE + 60.0
"""Seconds without a new message on a phone after which no more are waited for, once nobody writes, kills or
disturbs any more."""
_LIFE = 3.5
"""Seconds a kill takes about, restart included: people arrive over all of them."""


@dataclass
class Plan:
    """What to play. ``tracker`` is the kind of a real one (``tests/e2e/desks.py``), "" for Redmine's stand-in; ``rate``
    the share of disturbed requests; at most ``abreast`` people write at once."""

    people: int
    kills: int
    seed: int
    rate: float = 0.12
    tracker: str = ""
    postgres: bool = False
    replicas: int = 1
    abreast: int = 40
    say: Callable[[str], None] = lambda line: None


@dataclass
class Report:
    """What came of it."""

    books: Books
    kills: int
    seconds: float
    faults: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    restarts: int = 0
    unreachable: int = 0
    calm: float = 0.0
    """Seconds from the last citizen, note and kill until nothing was left to do."""

    def lines(self) -> list[str]:
        """The figures, for people."""
        found = [f"{name:40} {n:8}" for name, n in self.books.figures.items()]
        found += [f"{'SIGKILL':40} {self.kills:8}", f"{'restarts of the database':40} {self.restarts:8}"]
        found += [f"{'calls through the network':40} {self.requests:8}"]
        found += [f"{'faults: ' + name:40} {n:8}" for name, n in sorted(self.faults.items())]
        found += [f"{'calls while the program was down':40} {self.unreachable:8}"]
        found += [
            f"{'seconds':40} {self.seconds:8.0f}",
            f"{'of those until all was done':40} {self.calm:8.0f}",
        ]
        found += [f"{'DIFFERENCES':40} {len(self.books.differences):8}"]
        return [*found, *(f"  {d}" for d in self.books.differences)]


async def run(plan: Plan, folder: Path) -> Report:
    """Play ``plan``, everything it leaves behind in ``folder``."""
    began = time.monotonic()
    # marks this run's words in a Redmine that others use too; nothing else depends on it
    mark = "".join(random.SystemRandom().choices(string.ascii_uppercase, k=4)) + "X"
    async with stage(
        folder,
        plan.seed,
        rate=plan.rate,
        tracker=plan.tracker,
        postgres=plan.postgres,
        replicas=plan.replicas,
    ) as parts:
        phones = Phones(parts.meta)
        staff = STAFF[plan.tracker](parts.redmine, plan.seed, mark)
        ledger = Ledger(parts.database)
        await phones.start()
        await staff.begin()
        people = [citizen(plan.seed, n, mark) for n in range(plan.people)]
        show = Show(plan, people, staff, phones, parts)
        telling = asyncio.create_task(show.tell())
        played: Counter[str] = Counter()
        meddling = asyncio.create_task(meddle(plan.seed, phones, played))
        killer = show.killer = Killer(plan.seed, parts.replicas, plan.kills, parts.postgres)
        try:
            done = Done(people, staff)
            working = asyncio.create_task(staff.work(done))
            # the first failure of one of them ends the campaign
            async with asyncio.TaskGroup() as group:
                group.create_task(killer.work())
                group.create_task(_everybody(plan, people, phones, parts))
            done.begin()
            await working
            calm = time.monotonic()
            meddling.cancel()
            await asyncio.gather(meddling, return_exceptions=True)
            await phones.http.delete("/_phone/faults")
            parts.calm()
            await _rest(phones, ledger)
            quiet = time.monotonic()
            logs = [replica.log for replica in parts.replicas]
            books = await audit(people, phones, staff, ledger, logs)
            ways = parts.ways.values()
            return Report(
                books, killer.done, quiet - began, played + _sum(w.played for w in ways),
                sum(w.kinds.total() for w in ways), parts.postgres.restarts if parts.postgres else 0,
                sum(w.unreachable for w in ways), quiet - calm,
            )  # fmt: skip
        finally:
            for task in (telling, meddling):
                task.cancel()
            await asyncio.gather(telling, meddling, return_exceptions=True)
            await staff.stop()
            await phones.stop()
            ledger.close()


class Done:
    """Whether staff may go home: nobody writes any more, and every request is a ticket, or never will be."""

    def __init__(self, people: list[Citizen], staff: Staff) -> None:
        self.people, self.staff, self.since = people, staff, 0.0

    def begin(self) -> None:
        """Nobody writes any more."""
        self.since = time.monotonic()

    def __call__(self) -> bool:
        if not self.since:
            return False
        missing = any(r.sent and r.token not in self.staff.tickets for c in self.people for r in c.requests)
        return not missing or time.monotonic() - self.since > QUIET


def _sum(counters: object) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:  # type: ignore[attr-defined]
        total += counter
    return total


async def _everybody(plan: Plan, people: list[Citizen], phones: Phones, parts: Stage) -> None:
    """All citizens, arriving over the time the kills take."""
    gate = asyncio.Semaphore(plan.abreast)
    apart = plan.kills * _LIFE / max(1, len(parts.replicas)) / max(1, len(people))

    async def night() -> None:
        """Until the program is down, if that comes soon."""
        for _ in range(50):
            if not any(r.up.is_set() for r in parts.replicas):
                return
            await asyncio.sleep(0.1)

    async def one(person: Citizen) -> None:
        async with gate:
            await Hand(person, phones, night).live()

    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(one(person))
            await asyncio.sleep(apart)


async def _rest(phones: Phones, ledger: Ledger) -> None:
    """Until no webhook waits and no work is open, and the tracker has been asked for news since. The books say
    what is left when that does not come: nothing arrives on any phone any more, and yet work is open."""
    since = moved = time.monotonic()
    arrived = phones.arrived
    while time.monotonic() - moved < QUIET:
        if phones.arrived != arrived:
            arrived, moved = phones.arrived, time.monotonic()
        waiting = (await phones.http.get("/_phone/queue")).json()["waiting"]
        if waiting or await asyncio.to_thread(ledger.open):
            since = time.monotonic()
        elif time.monotonic() - since > 2.5 * POLL_EVERY:
            return
        await asyncio.sleep(0.5)


class Show:
    """One line of progress every few seconds."""

    def __init__(self, plan: Plan, people: list[Citizen], staff: Staff, phones: Phones, parts: Stage) -> None:
        self.plan, self.people, self.staff, self.phones, self.parts = plan, people, staff, phones, parts
        self.killer: Killer | None = None
        self.began = time.monotonic()

    async def tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            with contextlib.suppress(ValueError):
                self.plan.say(self.line())

    def line(self) -> str:
        requests = [r for c in self.people for r in c.requests]
        asked, done = sum(r.sent for r in requests), sum(bool(r.receipt) for r in requests)
        kills = self.killer.done if self.killer else 0
        faults = sum(w.played.total() for w in self.parts.ways.values())
        return (
            f"{time.monotonic() - self.began:5.0f} s  people {sum(bool(c.pid) for c in self.people)}/{len(self.people)}"
            f"  requests {asked}/{len(requests)}  receipts {done}  tickets {len(self.staff.tickets)}"
            f"  notes {len(self.staff.notes)}  messages {self.phones.arrived}  kills {kills}/{self.plan.kills}"
            f"  faults {faults}"
        )


def say(line: str) -> None:
    """To stderr, so that the figures alone are on stdout."""
    print(line, file=sys.stderr, flush=True)
