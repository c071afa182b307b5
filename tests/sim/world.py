"""One history: the product, two stand-ins, citizens and staff in one thread, on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import shutil
from contextvars import Context
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from connector import mapping as mapping_file
from connector.config.settings import Privacy, Server, Settings, Tracker, WhatsApp
from connector.core.texts import Texts
from connector.core.town import Town
from connector.demo.meta.app import MetaStandIn
from connector.demo.redmine.app import RedmineStandIn
from connector.jobs.runtime import Pace
from connector.storage.store import Store
from connector.texts import catalogues
from connector.toolkit.observe import configure_logging
from connector.toolkit.privacy import Sealer
from connector.whatsapp.templates import needed
from connector.wiring import Municipality

from . import invariants
from .citizens import Citizen
from .clock import EPOCH, Loop, virtual
from .life import Life
from .network import App, AsyncWire, Network, through
from .plan import Plan
from .staff import Staff

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 43
TOKEN, SECRET, VERIFY = "t" * 32, "s" * 32, "v" * 32
META, REDMINE, CONNECTOR = "http://meta.sim", "http://redmine.sim", "http://connector.sim"


@cache
def town() -> Town:
    """Sant Cebrià without pages that are fetched: its website is no part of these histories."""
    found = mapping_file.load(ROOT / "mappings/sant-cebria.toml")
    pages = tuple(p for p in found.pages if p.source in ("text", "hours"))
    return found.model_copy(
        update={"pages": pages, "topics": (), "menu": tuple(o for o in found.menu if o.kind != "topics")}
    )


@cache
def template(folder: Path) -> Path:
    """A database with this program's schema, made once and copied for each history."""
    made = folder / "empty.db"
    # pseudonyms are part of the history
    with mock.patch("connector.storage.store.new_pepper", lambda: b"p" * 32):
        store = Store(f"sqlite:///{made}", Sealer(KEY))
    store.close()
    return made


@dataclass
class Result:
    """What a history came to."""

    name: str
    differences: list[str]
    digest: str
    calls: int
    commits: int
    lives: int
    seconds: float
    seen: dict[str, int]
    transcript: list[str]


class World:
    """Joins everything. ``play`` runs one history to its end."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.loop = Loop()
        self.dice = random.Random(f"product {plan.seed}")
        self.people = random.Random(f"people {plan.seed}")
        self.pace = Pace(any_hour=True)
        self.key = KEY
        self.began = EPOCH
        self.commits = 0
        self.transcript: list[str] = []
        self.lives: list[Life] = []
        self.citizens: list[Citizen] = []
        self._closing = False
        self.restless = ""
        plan.now = self.loop.time
        self.database = f"sqlite:///{folder / 'connector.db'}"
        shutil.copy(template(folder.parent), folder / "connector.db")
        self.network = Network(self.loop, self.plan.fate, self.trace, self._die, self._route)
        self.redmine = RedmineStandIn(public_url=REDMINE, clock=self.loop.world)
        self.bot = next(p.id for p in self.redmine.db.principals.values() if p.api_key == "b0" * 20)
        self.meta = MetaStandIn(
            webhook_url=f"{CONNECTOR}/webhook/whatsapp", public_url=META, app_secret=SECRET, access_token=TOKEN,
            verify_token=VERIFY, clock=self.loop.world, seed=plan.seed, check_webhooks=False,
            transport=AsyncWire(self.network),
        )  # fmt: skip
        here = town()
        settings = Settings(
            mapping=ROOT / "mappings/sant-cebria.toml",
            database=self.database,
            server=Server(port=8080),
            whatsapp=WhatsApp(
                api_url=META, phone_number_id="100000000000001", business_account_id="200000000000001",
                access_token=TOKEN, app_secret=SECRET, verify_token=VERIFY,
            ),
            tracker=Tracker(url=REDMINE, api_key="b0" * 20, poll_every=plan.poll_every),
            privacy=Privacy(key=KEY),
        )  # fmt: skip
        self.municipality = Municipality("sant-cebria", settings, here)
        for body in needed(here, Texts(catalogues(here.languages, here.texts))):
            self.meta.add_template(body)
        self.staff = Staff(self, random.Random(f"staff {plan.seed}"))
        self._news: dict[str, asyncio.Event] = {}
        self.meta.publish = self._published  # type: ignore[method-assign]

    def trace(self, what: str) -> None:
        """One line of the transcript."""
        self.transcript.append(f"{self.loop.now:12.4f} {what}")

    # --- phones

    def _published(self, event: dict[str, Any]) -> None:
        if event.get("person") in self._news:
            self._news[event["person"]].set()

    async def news(self, person: str, until: float) -> None:
        """Wait for something new on a phone."""
        event = self._news.setdefault(person, asyncio.Event())
        event.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout=max(until - self.loop.now, 0.1))
        await asyncio.sleep(0.5)

    # --- the network

    def _route(self, request: httpx.Request) -> tuple[str, App | None, Context]:
        host = request.url.host
        if host == "meta.sim":
            return "meta", self.meta.app, self.network.outside.copy()
        if host == "redmine.sim":
            return "redmine", self.redmine.app, self.network.outside.copy()
        if host == "connector.sim":
            app, context = self.lives[-1].answering() if self.lives else (None, self.network.outside.copy())
            return "webhook", app, context
        return "nowhere", None, self.network.outside.copy()

    def _die(self) -> None:
        if self.lives and self.lives[-1].number not in self.loop.dead:
            self.lives[-1].kill()

    # --- lives

    def ended(self, life: Life) -> None:
        """A process is gone: it is started again after a while."""
        if self._closing or life.over:
            return
        life.over = True
        wait = self.plan.dice.uniform(*self.plan.away)
        self.loop.call_later(wait, self._start, context=self.network.outside.copy())

    def _start(self) -> None:
        life = Life(self, len(self.lives) + 1)
        self.lives.append(life)
        self.trace(f"life {life.number} begins")
        life.begin()

    async def _weather(self) -> None:
        """What comes by the clock: SIGTERM, a machine's clock that is set."""
        jumps = sorted(self.plan.jumps)
        while not self.plan.calm():
            await asyncio.sleep(60)
            while jumps and jumps[0][0] <= self.loop.now:
                self.loop.skew += jumps.pop(0)[1]
                self.trace(f"the machine's clock is set: {self.loop.skew:+.0f} s")
            if self.plan.dice.random() < self.plan.terminate and self.lives[-1].listening:
                self.trace("SIGTERM")
                self.lives[-1].terminate()
        self.loop.skew = 0.0

    # --- a history

    def play(self) -> Result:
        """From the first «Hola» until everything has come to rest."""
        configure_logging("critical")
        with virtual(self.loop, self.dice), through(self.network):
            try:
                self.loop.run_until_complete(self._history())
                found = invariants.differences(self)
                self._rows()
            except AssertionError as error:
                found = [f"{type(error).__name__}: {error}"]
        digest = hashlib.sha256("\n".join(self.transcript).encode()).hexdigest()
        return Result(
            self.plan.name or f"seed {self.plan.seed}", found, digest, self.network.calls, self.commits, len(self.lives),
            self.loop.now, dict(self.plan.seen), self.transcript,
        )  # fmt: skip

    async def _history(self) -> None:
        await self.meta.start()
        self._start()
        tasks = [asyncio.create_task(self._weather()), asyncio.create_task(self.staff.live())]
        for n in range(self.plan.people):
            hidden = self.people.random() < 0.3
            person = self.meta.add_person(f"Persona {n}", f"346000{n:05}", hidden=hidden)
            citizen = Citizen(self, n, person, random.Random(f"citizen {n} {self.plan.seed}"))
            self.citizens.append(citizen)
            tasks.append(asyncio.create_task(citizen.live(self.people.randint(1, self.plan.requests))))
            tasks.append(asyncio.create_task(citizen.read()))
        end, rested = None, False
        while end is None or self.loop.now < end:
            await asyncio.sleep(120)
            if self.staff.trouble or any(c.trouble for c in self.citizens):
                break  # it gets no better
            if self.staff.busy or not self.plan.calm() or not all(c.done for c in self.citizens):
                end = None
            elif end is None:
                end = self.loop.now + self.plan.patience
                self.trace("everybody has what they wanted: quiet time")
            if end is not None and (rested := self._rests()):
                break
        if end is not None and not rested:
            waiting = self.meta.delivery.waiting
            self.restless = f"it did not come to rest; {waiting} notifications of WhatsApp are not answered"
        self._closing = True
        for task in tasks:
            task.cancel()

    def _rests(self) -> bool:
        if self.staff.busy or not self.lives[-1].listening or self.meta.delivery.waiting:
            return False
        seen = {
            t for c in self.citizens for r in c.requests for i in self.staff.tickets(r.token) for t in [i.id]
        }
        return seen <= self.staff.seen and not invariants.differences(self)

    def _rows(self) -> None:
        """What the database holds at the end is part of the history."""
        for row in invariants.rows(
            self, "SELECT id, kind, lane, outcome, attempts, tried_at, due_at, error FROM work ORDER BY id"
        ):
            self.transcript.append(str(row))


__all__ = ["Result", "World"]
