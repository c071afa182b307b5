"""What is measured, as processes: the connector, and the servers it is measured against. Each in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench._load import Spec
from tests.databases import database
from tests.e2e.way import ROOT, Process, Way, configure, mapping, port, way

SECRET = "secret-of-the-benchmarks"
KEY = "a-key-of-the-tests-with-forty-characters"
"""``privacy.key`` of ``configure``."""
POSTGRES = "DATABASE_URL" in os.environ


@dataclass
class Server:
    """A process that takes webhooks."""

    name: str
    port: int
    process: Process
    api_port: int = 0
    """Where it sends its messages to."""
    url: str = ""
    """Its database."""
    secret: str = SECRET
    waited: float = 0.0
    """Seconds that other parts took to start before it."""
    used: int = field(default=0)

    @property
    def pid(self) -> int:
        assert self.process.process is not None
        return self.process.process.pid

    def cpu(self) -> float:
        """Seconds of processor time it has used so far."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str = "Rss") -> float:
        """Resident memory, MB; or another line of ``/proc/PID/smaps_rollup``."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024

    def load(self, **given: Any) -> dict[str, Any]:
        """Let a load run against it and return what that saw, with ``server_cpu`` seconds used meanwhile.

        People and ids are new with each load, unless ``first_person`` is given.
        """
        self.used += 1
        people = int(given.get("people", 1000))
        given.setdefault("first_person", self.used * 1_000_000 % 90_000_000)
        given = {"ports": [self.port], "api_port": self.api_port, **given}
        spec = Spec(secret=self.secret, salt=f"{self.used:03d}", **given)
        spec.people = people
        before = self.cpu()
        seen = run_load(spec)
        return {**seen, "server_cpu": self.cpu() - before}


def run_load(spec: Spec) -> dict[str, Any]:
    """A load in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench._load"], input=json.dumps(asdict(spec)), capture_output=True, text=True,
        cwd=ROOT, timeout=spec.seconds + 120, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the load failed:\n{done.stderr[-3000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder on a real disk: /tmp may be memory, and what is measured is on disk before it is answered."""
    with tempfile.TemporaryDirectory(prefix="connector-bench-", dir=os.environ.get("BENCH_DIR")) as made:
        yield Path(made)


@contextmanager
def running(process: Process) -> Iterator[Process]:
    process.start()
    try:
        yield process
    finally:
        process.kill()  # what is measured here is not how it stops


@contextmanager
def baseline(app: str) -> Iterator[Server]:
    """An application of ``bench/_baselines.py`` on uvicorn, with the settings of the connector's own server."""
    with folder() as place:
        web = port()
        command = [sys.executable, "-m", "uvicorn", f"bench._baselines:{app}", "--port", str(web), "--no-access-log",
                   "--no-server-header", "--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]  # fmt: skip
        if app == "pywa":
            command.append("--factory")
        process = Process(app, command, f"http://127.0.0.1:{web}/", place / "log", {"BENCH_SECRET": SECRET})
        with running(process):
            yield Server(app, web, process)


@contextmanager
def redmine() -> Iterator[str]:
    """Redmine's stand-in; its address."""
    with folder() as place:
        at = port()
        command = [sys.executable, "-m", "connector.demo.redmine", "--port", str(at)]
        with running(
            Process("Redmine's stand-in", command, f"http://127.0.0.1:{at}/issues.json", place / "log")
        ):
            yield f"http://127.0.0.1:{at}"


@contextmanager
def whatsapp(webhooks: int = 0) -> Iterator[int]:
    """WhatsApp's stand-in that takes every message at once; its port. With that of a connector it reports them there."""
    with folder() as place:
        at = port()
        command = [
            sys.executable,
            "-m",
            "bench._whatsapp",
            str(at),
            *([str(webhooks), SECRET] if webhooks else []),
        ]
        with running(Process("WhatsApp's stand-in", command, f"http://127.0.0.1:{at}/", place / "log")):
            yield at


@dataclass
class Redmine:
    """A real one."""

    url: str
    keys: dict[str, str]
    database: Path = Path()


@contextmanager
def redmine_of_its_own() -> Iterator[Redmine | None]:
    """A real Redmine that nobody else uses, with the seeded database; None where none was installed."""
    like = os.environ.get("REDMINE_HOME_DIR")
    if like is None:
        yield None
        return
    with folder() as place:
        up = [str(ROOT / "tests/servers/redmine-up")]
        env = {**os.environ, "REDMINE_HOME_DIR": str(place), "REDMINE_PORT": str(port())}
        told = subprocess.run(
            [*up, "--like", like], env=env, check=True, capture_output=True, text=True
        ).stdout
        said = {
            name.removeprefix("export "): value.strip("'\"")
            for name, _, value in (line.partition("=") for line in told.splitlines())
        }
        try:
            keys = {
                name.removeprefix("REDMINE_KEY_").lower().replace("_", "."): value
                for name, value in said.items()
                if name.startswith("REDMINE_KEY_")
            }
            yield Redmine(said["REDMINE_URL"], keys, place / "redmine.sqlite3")
        finally:
            subprocess.run([*up, "--stop"], env=env, check=False, capture_output=True)


@contextmanager
def connector(
    tracker: str,
    kind: str = "sqlite",
    *,
    idle: bool = False,
    replicas: int = 1,
    statuses: bool = False,
    ready: str = "/health/live",
    prepare: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
    receipt: float = 6,
) -> Iterator[list[Server]]:
    """The connector on a new database of that kind (``prepare`` fills it); WhatsApp takes its messages at once, and reports
    them as delivered where ``statuses`` are asked for. A receipt waits ``receipt`` seconds for its ticket's number."""
    began = time.monotonic()
    with folder() as place, database(kind, place) as url, ExitStack() as stack:
        if prepare is not None:
            prepare(url)
        ports, servers = [port() for _ in range(replicas)], []
        api = stack.enter_context(whatsapp(ports[0] if statuses else 0))
        for n, web in enumerate(ports):
            home = place / str(n)
            home.mkdir()
            config = configure(
                home, port=web, meta=f"http://127.0.0.1:{api}", redmine=tracker, token="token-of-the-benchmarks",
                app_secret=SECRET, verify="word", database=url, mapping_file=mapping(home, receipt=receipt),
            )  # fmt: skip
            command = [sys.executable, "-m", "bench._launch", str(config), *(["--idle"] if idle else [])]
            settings = {"CONNECTOR_TRACKER__POLL_EVERY": "30", "CONNECTOR_LOG__FORMAT": "json", **(env or {})}
            process = Process(
                "the connector", command, f"http://127.0.0.1:{web}{ready}", home / "log", settings
            )
            waited = time.monotonic() - began
            stack.enter_context(running(process))
            servers.append(Server(f"connector on {kind}", web, process, api, url, waited=waited))
        yield servers


@contextmanager
def whole_way(place: Path, redmine: str = "") -> Iterator[tuple[Way, Server]]:
    """The program with both sides as its end-to-end tests have them, and the program as a server for a load."""
    with way(place, redmine) as whole:
        said = re.search(r'app_secret = "(.*)"', (place / "config.toml").read_text())
        assert said is not None
        web = int(whole.connector.ready.split(":")[2].split("/")[0])
        yield whole, Server("the connector", web, whole.connector, secret=said[1])
