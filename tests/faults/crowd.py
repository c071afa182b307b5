"""A broadcast to very many, by hand: ``python -m tests.faults.crowd --people 100000 --kills 3``.

The real program on an embedded database (or PostgreSQL: ``--postgres``) and a WhatsApp that counts instead of keeping
chats. It is killed with SIGKILL while it sends, loses answers (``--lost``, in a thousand), and while news go out an alert
is sent and a few people write (``--talkers``). At the end: everybody got it exactly once, the rate while it ran as a share
of what was allowed, how soon the alert was out, and how long answers took with and without news in the queue.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.commands.broadcast.newsroom import Newsroom
from connector.config import load
from connector.core.address import Address
from connector.core.state import State
from connector.core.texts import Texts
from connector.demo.meta import webhooks
from connector.mapping import load as load_mapping
from connector.storage import consents, people, subscriptions
from connector.storage.consents import Terms
from connector.storage.store import Connection, Store
from connector.texts import catalogues
from connector.whatsapp.templates import needed
from connector.wiring import open_store
from tests.databases import database
from tests.e2e.way import ROOT, configure, mapping, port

NUMBER, ACCOUNT = "100000000000001", "200000000000001"
SECRETS = {name: "s" * 24 + name for name in ("token", "app_secret", "verify")}
_STATUSES = ("sent", "delivered")


@dataclass
class Counting:
    """WhatsApp, as far as a broadcast needs it: every message taken is counted by who gets it and what it is."""

    webhook: str
    lost: float
    took: float
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: list[tuple[float, str]] = field(default_factory=list)
    """When each template was taken, and its name."""
    answers: dict[str, list[float]] = field(default_factory=dict)
    """When each talker got an answer."""
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    templates_known: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0
    made: int = 0

    def app(self) -> Starlette:
        one = f"/v23.0/{NUMBER}"
        return Starlette(
            routes=[
                Route(f"{one}/messages", self.messages, methods=["POST"]),
                Route(one, self.number),
                Route(f"/v23.0/{ACCOUNT}/message_templates", self.templates),
            ],
            lifespan=self.lifespan,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> Any:
        tasks = [asyncio.create_task(self.tell()) for _ in range(4)]
        yield
        for task in tasks:
            task.cancel()

    async def number(self, request: Request) -> Response:
        return JSONResponse(
            {
                "id": NUMBER,
                "quality_rating": "GREEN",
                "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
            }
        )

    async def templates(self, request: Request) -> Response:
        return JSONResponse({"data": [{**one, "status": "APPROVED"} for one in self.templates_known]})

    async def messages(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if "status" in body:
            return JSONResponse({"success": True})
        await asyncio.sleep(random.uniform(0.5, 1.5) * self.took)
        to = str(body.get("recipient") or body["to"])
        if body["type"] == "template":
            name, what = body["template"]["name"], body["template"]["components"][0]["parameters"][0]["text"]
            self.taken[to, what] += 1
            self.times.append((time.time(), name))
        else:
            self.answers.setdefault(to, []).append(time.time())
        self.made += 1
        wamid = f"wamid.{self.made}x{random.getrandbits(64):x}"
        for state in _STATUSES:
            self.queue.put_nowait(
                {"id": wamid, "status": state, "timestamp": str(int(time.time())), "recipient_user_id": to,
                 "biz_opaque_callback_data": body["biz_opaque_callback_data"]}
            )  # fmt: skip
        if random.random() < self.lost:
            self.dropped += 1
            return Response("<html>Bad Gateway</html>", status_code=502)
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [], "messages": [{"id": wamid}]})

    async def tell(self) -> None:
        """Statuses, a few dozen in a notification, again until it is answered with 200."""
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            while True:
                some = [await self.queue.get()]
                await asyncio.sleep(0.2)
                while len(some) < 100 and not self.queue.empty():
                    some.append(self.queue.get_nowait())
                await self.post(http, {"statuses": some})

    async def post(self, http: httpx.AsyncClient, value: dict[str, Any]) -> None:
        body = json.dumps(notification(value)).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": webhooks.sign(body, SECRETS["app_secret"]),
        }
        wait = 0.2
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.post(self.webhook, content=body, headers=headers)).status_code == 200:
                    return
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)


def notification(value: dict[str, Any]) -> dict[str, Any]:
    whole = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": ACCOUNT, "changes": [{"field": "messages", "value": whole}]}],
    }


def user(n: int) -> str:
    return f"ES.{10**15 + n}"


def settle_in(store: Store, town: str, version: str, many: int) -> None:
    """``many`` people who accepted and subscribed to the news; every tenth to the notices, too."""

    def some(connection: Connection, first: int, last: int) -> None:
        now = time.time()
        state = State(language="ca", consent="yes", consent_version=version, consent_at=now, since=now)
        for n in range(first, last):
            address = Address(user_id=user(n))
            who = people.create(connection, store.pseudonyms, store.sealer, town, address, now)
            people.save_state(connection, store.sealer, who.id, state, now)
            people.save_contact(connection, store.sealer, who.id, address)
            consents.note(connection, town, who.id, "news", "given", Terms(version, "ca", "x"), now)
            for topic in ("news", "notices")[: 1 + (n % 10 == 0)]:
                subscriptions.join(connection, town, who.id, topic, None, now)

    for first in range(0, many, 1000):
        store.write_now(lambda c, first=first: some(c, first, min(first + 1000, many)))  # type: ignore[misc]


class Program:
    """The connector, killed and started again."""

    def __init__(self, config: Path, log: Path, *, hasty: bool) -> None:
        self.log = log
        service = ["connector", "run", "--config"] if not hasty else ["tests.e2e.launch"]
        self.command = [sys.executable, "-m", *service, str(config)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdout=out, stderr=out, cwd=ROOT, env={**os.environ, "CONNECTOR_LOG__LEVEL": "warning"},
            )  # fmt: skip

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)


class Talkers:
    """A few people who write every few seconds; how long each answer takes."""

    def __init__(self, meta: Counting, first: int, many: int) -> None:
        self.meta = meta
        self.who = [user(n) for n in range(first, first + many)]
        self.waits: list[tuple[float, float]] = []
        self._n = 0
        self.over = threading.Event()

    def talk(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as http:
            while not self.over.is_set():
                for who in self.who:
                    self._write(http, who)
                    if self.over.wait(1.0):
                        return

    def _write(self, http: httpx.Client, who: str) -> None:
        self._n += 1
        before, began = len(self.meta.answers.get(who, ())), time.time()
        message = {"from_user_id": who, "id": f"wamid.in{self._n}", "timestamp": str(int(began)), "type": "text",
                   "text": {"body": "menú"}}  # fmt: skip
        body = json.dumps(notification({"contacts": [], "messages": [message]})).encode()
        signature = webhooks.sign(body, SECRETS["app_secret"])
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        try:
            if http.post(self.meta.webhook, content=body, headers=headers).status_code != 200:
                return
        except httpx.HTTPError:
            return  # it is down at the moment: nothing is measured
        while len(self.meta.answers.get(who, ())) == before and time.time() - began < 30:
            time.sleep(0.01)
        self.waits.append((began, time.time() - began))

    def between(self, since: float, until: float) -> list[float]:
        return sorted(wait for at, wait in self.waits if since <= at < until)


def quantile(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))] if waits else math.nan


@dataclass
class Found:
    """What came of it."""

    missed: int
    twice: int
    share: float
    alert_after: float
    quiet: list[float]
    busy: list[float]
    counts: dict[str, int]
    seconds: float


def play(arguments: argparse.Namespace, folder: Path, address: str) -> Found:
    web, meta_port = port(), port()
    meta = Counting(f"http://127.0.0.1:{web}/webhook/whatsapp", arguments.lost / 1000, arguments.took)
    server = uvicorn.Server(uvicorn.Config(meta.app(), port=meta_port, log_config=None, access_log=False))
    threading.Thread(target=server.run, daemon=True).start()
    config = configure(
        folder, port=web, meta=f"http://127.0.0.1:{meta_port}", redmine="http://127.0.0.1:9",
        mapping_file=mapping(folder), database=address, **SECRETS,
    )  # fmt: skip
    text = config.read_text(encoding="utf-8").replace(
        f'verify_token = "{SECRETS["verify"]}"',
        f'verify_token = "{SECRETS["verify"]}"\nmessages_per_second = {arguments.rate}',
    )
    config.write_text(text, encoding="utf-8")
    town_file = folder / "sant-cebria.toml"
    whole = re.sub(
        r'(?m)^hours = "8:00-21:00".*$', 'hours = "0:00-24:00"', town_file.read_text(encoding="utf-8")
    )
    town_file.write_text(whole, encoding="utf-8")
    program = Program(config, folder / "connector.log", hasty=arguments.hasty)
    settings, town = load(config), load_mapping(town_file)
    meta.templates_known = needed(town, Texts(catalogues(town.languages, town.texts)))
    store = open_store(settings)
    began = time.time()
    talkers = Talkers(meta, arguments.people, arguments.talkers)
    settle_in(store, "sant-cebria", town.consent.version, arguments.people + arguments.talkers)
    store.write_now(lambda c: c.exec_driver_sql(
        "DELETE FROM subscription WHERE person_id IN (SELECT id FROM person ORDER BY id DESC LIMIT "
        f"{arguments.talkers})"
    ) if arguments.talkers else None)  # fmt: skip
    print(f"{arguments.people} subscribers made in {time.time() - began:.0f} s", flush=True)
    store.close()
    try:
        program.start()
        _ready(web)
        threading.Thread(target=talkers.talk, daemon=True).start()
        quiet_from = time.time()
        time.sleep(arguments.quiet)
        quiet_until = time.time()
        with Newsroom.open(config) as room:
            news = room.send(room.draft(["news"], title="Notícia", text="Per a tothom."), "anna")
            started = time.time()
            downs = _disturb(program, room, arguments, meta, web)
            alert_after = downs.alert_after
            _until_over(room, [news.id, *downs.alerts])
            ended = time.time()
            talkers.over.set()
            counts = _told(room, news.id)
    finally:
        talkers.over.set()
        program.stop()
    server.should_exit = True
    got = {who: n for (who, what), n in meta.taken.items() if what == "Notícia"}
    expected = {user(n) for n in range(arguments.people)}
    allowed = arguments.rate * settings.whatsapp.broadcast_percent / 100
    return Found(
        missed=len(expected - set(got)) + len(set(got) - expected),
        twice=sum(n > 1 for n in got.values()),
        share=_share([at for at, _ in meta.times], downs.spans, allowed),
        alert_after=alert_after,
        quiet=talkers.between(quiet_from, quiet_until),
        busy=[
            wait
            for at, wait in talkers.waits
            if started <= at < ended and not any(a - 1 <= at < b for a, b in downs.spans)
        ],
        counts=counts,
        seconds=ended - started,
    )


@dataclass
class Downs:
    spans: list[tuple[float, float]] = field(default_factory=list)
    """From each kill to the first message after it."""
    alerts: list[int] = field(default_factory=list)
    alert_after: float = math.nan


def _disturb(
    program: Program, room: Newsroom, arguments: argparse.Namespace, meta: Counting, web: int
) -> Downs:
    downs = Downs()
    marks = [(n + 1) / (arguments.kills + 2) for n in range(arguments.kills + 1)]
    for n, mark in enumerate(marks):
        while len(meta.taken) < mark * arguments.people:
            time.sleep(0.1)
        if n == arguments.kills:
            began = time.time()
            alert = room.send(room.draft(["notices"], title="Alerta", text="Ara mateix.", alert=True), "anna")
            while not any(name == "avis_municipal" for _, name in meta.times):
                time.sleep(0.02)
            downs.alert_after = time.time() - began
            downs.alerts.append(alert.id)
            continue
        program.kill()
        down, before = time.time(), len(meta.times)
        print(f"killed after {len(meta.taken)}", flush=True)
        program.start()
        _ready(web)
        while len(meta.times) <= before:
            time.sleep(0.02)
        downs.spans.append((down, time.time()))
    return downs


def _until_over(room: Newsroom, numbers: list[int]) -> None:
    last = 0.0
    while any((standing := room.standing(n)).one.state not in ("done", "cancelled") for n in numbers):
        if time.time() - last > 30:
            last = time.time()
            print(
                f"{standing.one.id} {standing.one.state} {standing.one.why} {dict(standing.counts)}",
                flush=True,
            )
        time.sleep(1)


def _told(room: Newsroom, number: int) -> dict[str, int]:
    """How it ended, once WhatsApp has said what became of everything."""
    end = time.time() + 30
    while (
        (counts := room.standing(number).counts) and time.time() < end and counts["accepted"] + counts["sent"]
    ):
        time.sleep(0.1)
    return dict(+counts)


def _share(times: list[float], downs: list[tuple[float, float]], allowed: float) -> float:
    """The messages a second while the program ran and had enough to send, as a share of what was allowed."""
    times = sorted(times)
    # the last of them wait for a silence, if an answer was lost
    end = times[int(len(times) * 0.99) - 1]
    some = [t for t in times if t <= end]
    down = sum(until - since for since, until in downs if until <= end)
    return len(some) / (end - times[0] - down) / allowed


def _ready(web: int) -> None:
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{web}/health/ready", timeout=5).status_code < 500:
                return
        time.sleep(0.1)


def parse(line: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for on the command line, or in ``line``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--rate", type=int, default=80, help="messages_per_second of config.toml")
    parser.add_argument("--lost", type=float, default=1.0, help="answers lost, in a thousand")
    parser.add_argument(
        "--took", type=float, default=0.15, help="seconds a call takes, half to half as much again"
    )
    parser.add_argument("--talkers", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=20.0, help="seconds of talk before the news")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--hasty", action="store_true", help="with the shorter waits of the tests")
    return parser.parse_args(line)


def main() -> int:
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="crowd-") as name:
        folder = Path(name)
        with database("postgresql" if arguments.postgres else "sqlite", folder) as address:
            found = play(arguments, folder, address)
    print(f"sent in {found.seconds:.0f} s: {found.counts}")
    print(f"missed {found.missed}, twice {found.twice}")
    print(f"rate while it ran: {found.share:.1%} of what is allowed")
    print(f"the alert was out after {found.alert_after:.1f} s")
    for what, waits in (("without news in the queue", found.quiet), ("with news", sorted(found.busy))):
        if waits:
            print(
                f"answers {what}: {len(waits)}, median {statistics.median(waits) * 1000:.0f} ms, "
                f"95 of 100 within {quantile(waits, 0.95) * 1000:.0f} ms"
            )
    return 0 if not found.missed and not found.twice else 1


if __name__ == "__main__":
    sys.exit(main())
