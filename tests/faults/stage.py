"""What a campaign runs on: Meta's stand-in, a Redmine, a database, the proxies, and the program's processes."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import server_setting
from tests.databases import Postgres
from tests.e2e.desks import REDMINE, TRACKERS, Tracker
from tests.e2e.way import ROOT, mapping, port

from .proxy import Proxy, Script

SETTLE, SILENCE = 8.0, 20.0
"""Seconds of ``Pace``: more than the network of the campaign can keep anything back."""
META_RETRY = 1.0
"""Seconds after which Meta's stand-in delivers a webhook again, at most: it has to get through within ``SILENCE``."""
POLL_EVERY = 5


class Program:
    """A process that is started, killed without warning and started again."""

    def __init__(self, name: str, command: list[str], ready: str, log: Path) -> None:
        self.name, self.command, self.ready, self.log = name, command, ready, log
        self.process: asyncio.subprocess.Process | None = None
        self.up = asyncio.Event()

    async def start(self) -> None:
        """Start, and return at once; ``up`` is set when it answers."""
        with self.log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdout=out, stderr=out, cwd=ROOT
            )

    async def wait_ready(self, seconds: float = 90) -> bool:
        """Until it answers; False when it was killed meanwhile. Raises when it ended by itself."""
        mine, end = self.process, time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            while time.monotonic() < end:
                if self.process is not mine or mine is None:
                    return False
                if mine.returncode is not None:
                    if mine.returncode == -signal.SIGKILL:
                        return False
                    raise AssertionError(f"{self.name} ended with {mine.returncode}:\n{self.tail()}")
                try:
                    if (await http.get(self.ready)).status_code == 200:
                        self.up.set()
                        return True
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"{self.name} does not answer within {seconds:.0f} s:\n{self.tail()}")

    async def kill(self) -> None:
        """SIGKILL."""
        self.up.clear()
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        self.up.clear()
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except TimeoutError:
            await self.kill()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


@dataclass
class Stage:
    """Everything, running."""

    meta: str
    redmine: str
    replicas: list[Program]
    ways: dict[str, Proxy]
    database: str
    folder: Path
    postgres: Postgres | None = None
    redmine_is_real: bool = False
    others: list[Program] = field(default_factory=list)

    def calm(self) -> None:
        """The network behaves from now on."""
        for way in self.ways.values():
            way.script.calm = True


def _config(
    folder: Path, web: int, meta: str, tracker: Tracker, url: str, database: str, secret: dict[str, str]
) -> Path:
    made = folder / "config.toml"
    made.write_text(
        f"""
mapping = "{mapping(folder, source=tracker.mapping)}"
database = "{database}"
[server]
port = {web}
[whatsapp]
api_url = "{meta}"
phone_number_id = "100000000000001"
business_account_id = "200000000000001"
access_token = "{secret["token"]}"
app_secret = "{secret["app"]}"
verify_token = "{secret["verify"]}"
[tracker]
{tracker.settings(url)}
poll_every = {POLL_EVERY}
[privacy]
key = "a-key-of-the-tests-with-forty-characters"
""",
        encoding="utf-8",
    )
    made.chmod(0o600)
    return made


def _scripts(seed: int, rate: float) -> dict[str, Script]:
    return {name: Script(seed, name, rate) for name in ("meta", "redmine", "webhook")}


@asynccontextmanager
async def stage(
    folder: Path, seed: int, *, rate: float, tracker: str = "", postgres: bool = False,
    replicas: int = 1,
) -> AsyncIterator[Stage]:  # fmt: skip
    """Start everything in ``folder``. ``tracker`` is the kind of a real one, "" for Redmine's stand-in."""
    kind = TRACKERS.get(tracker, REDMINE)
    real = server_setting(kind.address) if tracker else ""
    python, local = sys.executable, "http://127.0.0.1"
    meta_port, webs = port(), [port() for _ in range(replicas)]
    secret = {name: secrets.token_hex(12) for name in ("app", "token", "verify")}
    database = Postgres() if postgres else None
    if database is not None:
        await asyncio.to_thread(database.start)
    scripts = _scripts(seed, rate)
    others: list[Program] = []
    tracker_port = int(real.rsplit(":", 1)[1].rstrip("/")) if real else port()
    ups: list[Program] = []
    ways = {
        "meta": Proxy(scripts["meta"], lambda: [meta_port]),
        "redmine": Proxy(scripts["redmine"], lambda: [tracker_port]),
        "webhook": Proxy(
            scripts["webhook"], lambda: [w for w, r in zip(webs, ups, strict=True) if r.up.is_set()]
        ),
    }
    for way in ways.values():
        await way.start()
    at = {name: f"{local}:{way.port}" for name, way in ways.items()}
    others.append(Program(
        "Meta's stand-in",
        [python, "-m", "connector.demo.meta", "--port", str(meta_port), "--public-url", at["meta"],
         "--webhook", f"{at['webhook']}/webhook/whatsapp", "--app-secret", secret["app"],
         "--access-token", secret["token"], "--verify-token", secret["verify"], "--seed", str(seed),
         "--longest-retry", str(META_RETRY)],
        f"{local}:{meta_port}/_phone/queue", folder / "meta.log",
    ))  # fmt: skip
    if not real:
        others.append(Program(
            "Redmine's stand-in",
            [python, "-m", "connector.demo.redmine", "--port", str(tracker_port)],
            f"{local}:{tracker_port}/issues.json", folder / "redmine.log",
        ))  # fmt: skip
    url = database.url if database is not None else "sqlite:///connector.db"
    config = _config(folder, webs[0], at["meta"], kind, at["redmine"], url, secret)
    for n, web in enumerate(webs):
        command = [python, "-m", "tests.faults.launch", str(config), "--port", str(web),
                   "--settle", str(SETTLE), "--silence", str(SILENCE)]  # fmt: skip
        # ready or not: a paused destination is no reason to be taken out of the balance
        ups.append(
            Program(f"replica {n}", command, f"{local}:{web}/health/live", folder / f"connector-{n}.log")
        )
    file = folder / "connector.db"
    made = Stage(
        f"{local}:{meta_port}", real or f"{local}:{tracker_port}", ups, ways,
        url if database is not None else f"sqlite:///{file}", folder, database, bool(real), others,
    )  # fmt: skip
    try:
        for program in [*others, *ups]:
            await program.start()
        for program in [*others, *ups]:
            await program.wait_ready()
        yield made
    finally:
        for program in [*ups, *others]:
            await program.stop()
        for way in ways.values():
            await way.stop()
        if database is not None:
            await asyncio.to_thread(database.stop)
