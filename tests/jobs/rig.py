"""The product between the stand-ins, carried out step by step: a test says when something happens, nothing waits.

Store, jobs, HTTP clients, both stand-ins and signed webhooks are the real ones, in one thread on the virtual time of
``tests/sim``. Only the worker's loops do not run: ``work`` does what is due now until nothing is, and ``later`` moves
the clock of the connector and of WhatsApp. ``rig_on_sockets`` is the same over real sockets and with the real clock,
for what asks others than the stand-ins.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import func, select
from starlette.applications import Starlette

from connector import worker as worker_module
from connector.commands.demo import Demo
from connector.jobs.runtime import Pace, Runtime
from connector.storage import tables
from connector.storage.store import Connection
from tests.e2e.way import KEYS, Staff, ids, option, port, reference_in, words
from tests.sim.stage import virtual_demo

PACE = Pace(settle=90, silence=120, first=2, longest=600, attempts=4, any_hour=True)


def pdf(words: str) -> bytes:
    """A document, as much of one as it takes."""
    return b"%PDF-1.4\n" + words.encode() + b"\n%%EOF\n"


@dataclass
class Citizen:
    """A citizen's phone, in this process."""

    rig: Rig
    person: Any
    seen: int = 0

    def send(self, **action: Any) -> str:
        """Something of any kind, taken in and carried out."""
        wamid = str(self.rig.demo.meta.send(self.person, action))
        self.rig.work()
        return wamid

    def type(self, text: str) -> str:
        return self.send(type="text", body=text)

    def file(self, content: bytes, mime: str, **options: Any) -> None:
        self.rig.demo.meta.send_file(self.person, content, mime, **options)
        self.rig.work()

    def got(self) -> list[dict[str, Any]]:
        """What the town hall sent, oldest first."""
        return [m for m in self.rig.demo.meta.transcript(self.person) if m["direction"] == "out"]

    def new(self) -> list[dict[str, Any]]:
        """What came since this was last asked."""
        found = self.got()[self.seen :]
        self.seen += len(found)
        return found

    def said(self) -> list[str]:
        """The words of ``new``."""
        return [words(m) for m in self.new()]

    def tap(self, choice: str) -> str:
        """Tap the option with that id in the newest message that has it."""
        for message in reversed(self.got()):
            kind, title = option(message, choice)
            if kind:
                return self.send(type=kind, id=choice, title=title, context=message["id"])
        raise AssertionError(f"no message offers {choice}")

    def accept(self) -> Citizen:
        self.type("Hola")
        self.tap("consent:yes")
        return self

    def write(self, text: str) -> Citizen:
        """A request that is ready to be sent."""
        self.accept().tap("menu:mayor")
        self.type(text)
        self.rig.later(30)
        assert "draft:send" in ids(self.got()[-1])
        self.new()
        return self

    def request(self, text: str = "Hi ha un fanal trencat") -> tuple[str, int]:
        """A request on its ticket: the reference and the ticket's number."""
        self.write(text).tap("draft:send")
        reference = reference_in(self.new()[-1])
        self.rig.later(1)
        return reference, self.rig.ticket(reference)["id"]


@dataclass
class Rig:
    """Everything, with a clock that only moves when a test moves it."""

    demo: Demo
    url: str
    loop: asyncio.AbstractEventLoop
    people: int = 0
    ahead: float = 0.0
    rounds: list[str] = field(default_factory=list)
    """Kinds of the rows carried out since ``work`` was last called."""
    _news: int = 0

    def __post_init__(self) -> None:
        self.demo.service.store.on_commit(self._committed)

    def _committed(self, kinds: Set[str]) -> None:
        self._news += 1

    def now(self) -> float:
        return time.time() + self.ahead

    @property
    def town(self) -> Runtime:
        return next(iter(self.demo.service.towns.values()))

    # --- time and work

    def work(self) -> None:
        """Carry out what is due, and take in what comes of it, until nothing is due and nothing on its way."""
        self.rounds.clear()
        self.loop.run_until_complete(self._work())

    async def _work(self) -> None:
        worker, store, delivery = self.demo.service.worker, self.demo.service.store, self.demo.meta.delivery
        quiet, known, first = 0, -1, {}
        for _ in range(2000):
            if known != self._news or quiet == 2:  # somebody else may have written
                known, first = self._news, await store.read(_first_due)
            due = {kind for kind, at in first.items() if at <= self.now()}
            done = await store.write(worker._batch) if due & worker_module.STEPS.keys() else 0
            for name, errands in worker_module.ERRANDS.items():
                if not due & errands.keys():
                    continue
                rows = await store.write(lambda c, name=name: worker._claim(c, name, 8))  # type: ignore[misc]
                self.rounds += [row.kind for row in rows]
                await asyncio.gather(*(worker._errand(name, errands[row.kind], row) for row in rows))
                done += len(rows)
            if done or delivery.waiting > len(delivery._held):  # what is held back comes when a test says so
                quiet = 0
            else:
                quiet += 1
                if quiet == 3:
                    return
            await asyncio.sleep(0.002)
        raise AssertionError(f"the work does not come to an end: {self.rounds[-20:]}")

    def later(self, seconds: float) -> None:
        """Time passes, and what became due is carried out."""
        self.ahead += seconds
        self.demo.meta.clock_offset = self.ahead
        self.work()

    def tracker_later(self, seconds: float) -> None:
        """Time passes in the tracker."""
        redmine = self.demo.redmine
        assert redmine is not None
        before = redmine.clock
        redmine.clock = lambda: before() + seconds

    def poll(self) -> None:
        """Read the tracker now."""
        self.ahead += 1
        self.loop.run_until_complete(self.demo.service.worker.poll_soon(self.town))
        self.work()

    # --- the two sides

    def citizen(self, hidden: bool = False) -> Citizen:
        self.people += 1
        return Citizen(self, self.demo.meta.add_person(f"Persona {self.people}", self.number(), hidden))

    def number(self) -> str:
        """A number nobody has."""
        return f"346000{len(self.demo.meta.state.people) + self.people + 100:05}"

    def staff(self, login: str = "alcalde") -> Staff:
        return Staff(f"{self.url}/tracker", KEYS[login])

    def tickets(self, reference: str) -> list[dict[str, Any]]:
        return self.staff("oac").tickets(reference)

    def ticket(self, reference: str) -> dict[str, Any]:
        """The one ticket with that reference, whole."""
        (found,) = self.tickets(reference)
        return self.staff("oac").ticket(found["id"])

    def notes(self, reference: str) -> list[str]:
        """Notes on the ticket, private ones with «🔒» in front."""
        journals = self.ticket(reference)["journals"]
        return [("🔒" if j["private_notes"] else "") + j["notes"] for j in journals if j["notes"]]

    def whatsapp_fault(self, **fault: Any) -> None:
        self.demo.meta.add_fault(fault)

    def tracker_fault(self, **fault: Any) -> None:
        assert self.demo.redmine is not None
        self.demo.redmine.faults.add(fault)

    def faults_left(self) -> int:
        assert self.demo.redmine is not None
        return len(self.demo.meta.faults.waiting) + len(self.demo.redmine.faults.left())

    # --- the database

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT whose parameters are written as ``?``."""

        def ask(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(r) for r in self._run(connection, statement, values)]

        return self.demo.service.store.read_now(ask)

    def change(self, statement: str, *values: Any) -> None:
        self.demo.service.store.write_now(lambda c: self._run(c, statement, values))

    def _run(self, connection: Connection, statement: str, values: tuple[Any, ...]) -> Any:
        if not self.demo.service.store.sqlite:
            statement = statement.replace("%", "%%").replace("?", "%s")
        return connection.exec_driver_sql(statement, values)

    def person_id(self, citizen: Citizen) -> int:
        """Whose row in ``person`` it is: the one the last message was taken in for."""
        return int(
            self.sql("SELECT person_id FROM message WHERE direction = 'in' ORDER BY id DESC LIMIT 1")[0][0]
        )

    def paused(self) -> list[str]:
        return [p[0] for p in self.sql("SELECT destination FROM pause WHERE until > since")]

    def failed(self) -> list[tuple[Any, ...]]:
        return self.sql("SELECT id, kind, error FROM work WHERE outcome = 'failed'")

    def decided(self, reference: str) -> list[str]:
        """What was decided about the journal entries of a ticket."""
        statement = "SELECT j.outcome FROM journal j JOIN ticket t ON t.id = j.ticket_id WHERE t.reference = ? ORDER BY j.seen_at, j.entry"
        return [d[0] for d in self.sql(statement, reference)]


_FIRST_DUE = (
    select(tables.work.c.kind, func.min(tables.work.c.due_at).label("at"))
    .where(tables.work.c.ended_at.is_(None))
    .group_by(tables.work.c.kind)
)


def _first_due(connection: Connection) -> dict[str, float]:
    """Of each kind when the first row is due, whether it can be claimed or not."""
    return {row.kind: row.at for row in connection.execute(_FIRST_DUE)}


@contextmanager
def rig_on_sockets(folder: Path, database: str = "", mapping: Path | None = None) -> Iterator[Rig]:
    """Start everything in ``folder``, behind a web server."""
    number = port()
    demo = Demo(number, folder, database=database, mapping=mapping)
    for town in demo.service.towns.values():
        town.pace = PACE

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        await demo.meta.start()
        yield
        await demo.meta.stop()

    app = Starlette(lifespan=lifespan)
    app.mount("/", demo._dispatch)
    server = uvicorn.Server(uvicorn.Config(app, port=number, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    loop = asyncio.new_event_loop()
    made = Rig(demo, f"http://127.0.0.1:{number}", loop)
    demo.service.worker.clock = made.now
    demo._templates()
    made.poll()
    try:
        yield made
    finally:
        for town in demo.service.towns.values():
            loop.run_until_complete(town.whatsapp.aclose())
            loop.run_until_complete(town.bulk.aclose())
        loop.close()
        server.should_exit = True
        thread.join(15)
        demo.service.store.close()


@contextmanager
def rig(folder: Path, database: str = "", mapping: Path | None = None) -> Iterator[Rig]:
    """Start everything in ``folder``, on virtual time."""
    with virtual_demo(folder, database, mapping) as stage:
        made = VirtualRig(stage.demo, stage.demo.url, stage.loop)
        stage.demo.service.worker.clock = stage.loop.wall
        stage.demo.meta._clock = lambda: stage.loop.wall() - made.ahead
        stage.network.date = lambda: stage.loop.wall() - made.ahead
        stage.demo.meta.check_webhooks = False  # tests/demo checks each kind of them
        stage.demo.meta.statuses_together = True  # half as many notifications
        assert stage.demo.redmine is not None
        stage.demo.redmine.clock = lambda: stage.loop.wall() - made.ahead
        for town in stage.demo.service.towns.values():
            town.pace = PACE
            tracker: Any = town.tracker
            tracker.feed._clock = lambda: stage.loop.monotonic() - made.ahead  # as long as on the tracker
        stage.loop.run_until_complete(stage.demo.meta.start())
        stage.demo._templates()
        made.poll()
        yield made
        stage.loop.run_until_complete(stage.demo.meta.stop())


class VirtualRig(Rig):
    """Its clock is the event loop's."""

    _ahead = 0.0

    def now(self) -> float:
        return self.loop.wall()  # type: ignore[attr-defined,no-any-return]

    @property
    def ahead(self) -> float:  # type: ignore[override]
        """Seconds that a test let pass; the tracker's clock does not know of them."""
        return self._ahead

    @ahead.setter
    def ahead(self, seconds: float) -> None:
        if "loop" in self.__dict__:
            self.loop.now += seconds - self._ahead  # type: ignore[attr-defined]
        self._ahead = seconds
