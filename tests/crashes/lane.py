"""A lane: both stand-ins and a connector as processes, kept for many stories; each story has a database of its own.

The processes are forked from one that has imported everything (``multiprocessing``'s fork server): a program that
is killed a hundred times must start in a moment.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx

from tests.clamd import clamd
from tests.e2e.way import KEYS, Phone, Staff, configure, mapping, port, until

FLAG = "Comentaris"
"""The status that a ticket gets when its answer does not arrive."""

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["tests.crashes.lane", "tests.crashes.preload"])


def _begin(log: str) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)


def _meta(log: str, arguments: list[str]) -> None:
    from connector.demo.meta.__main__ import main

    _begin(log)
    main(arguments)


def _redmine(log: str, arguments: list[str]) -> None:
    from connector.demo.redmine.__main__ import main

    _begin(log)
    sys.argv[1:] = arguments
    main()


def _connector(log: str, config: Path, crash_at: str, sweep: bool) -> None:
    from connector.toolkit import crash
    from tests.e2e.launch import main

    _begin(log)
    crash.arm(crash_at)
    main(config, sweep)


class Program:
    """One forked program; ``crash_at`` as in ``CONNECTOR_CRASH``."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self.process: ForkServerProcess = _fork.Process(target=target, args=arguments, daemon=True)
        self.process.start()

    @property
    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.process.exitcode

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 15) -> int | None:
        """SIGTERM, and the exit code; SIGKILL and an error when that takes too long."""
        if self.ended is None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGTERM)
        self.process.join(seconds)
        if self.ended is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"it did not stop within {seconds:.0f} s")
        return self.ended


@dataclass
class Connector:
    """A connector that a thread starts again whenever it is killed, as a service manager would."""

    config: Path
    log: Path
    deaths: list[int] = field(default_factory=list)
    """Exit codes of the ends that nobody asked for."""
    _program: Program | None = None
    _leaving: bool = False
    _watch: threading.Thread | None = None

    def start(self, crash_at: str = "", *, sweep: bool = False) -> None:
        """Start it armed; after its death it goes on unarmed."""
        self._leaving = False
        self._program = Program(_connector, str(self.log), self.config, crash_at, sweep)
        self._watch = threading.Thread(target=self._keep, daemon=True)
        self._watch.start()

    def _keep(self) -> None:
        while True:
            assert self._program is not None
            self._program.process.join()
            if self._leaving:
                return
            self.deaths.append(self._program.ended or 0)
            if len(self.deaths) > 3:
                return
            self._program = Program(_connector, str(self.log), self.config, "", False)

    def kill(self) -> None:
        self._end(lambda program: program.process.kill())

    def terminate(self) -> None:
        """SIGTERM, and nobody waits; what becomes of it counts among the deaths."""
        assert self._program is not None
        self._program.signal(signal.SIGTERM)

    def stop(self) -> None:
        self._end(lambda program: program.end())

    def _end(self, how: Callable[[Program], object]) -> None:
        self._leaving = True
        if self._program is not None:
            how(self._program)
        if self._watch is not None:
            self._watch.join(20)

    def tail(self) -> str:
        """The end of its log, without the polls."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(line for line in lines if '"poll"' not in line)[-6000:]


class Lane:
    """Stand-ins on ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        meta_port, tracker_port, self.web = port(), port(), port()
        self.meta, self.redmine = f"http://127.0.0.1:{meta_port}", f"http://127.0.0.1:{tracker_port}"
        self.secrets = {name: secrets.token_hex(12) for name in ("token", "app_secret", "verify")}
        webhook = f"http://127.0.0.1:{self.web}/webhook/whatsapp"
        self.parts = [
            Program(_meta, str(folder / "meta.log"),
                    ["--port", str(meta_port), "--webhook", webhook, "--access-token", self.secrets["token"],
                     "--app-secret", self.secrets["app_secret"], "--verify-token", self.secrets["verify"],
                     "--longest-retry", "1"]),
            Program(_redmine, str(folder / "redmine.log"), ["--port", str(tracker_port)]),
        ]  # fmt: skip
        self._leave = contextlib.ExitStack()
        self.clamd = self._leave.enter_context(clamd())
        self.http = httpx.Client(timeout=30, trust_env=False)
        for address in (f"{self.meta}/_phone/people", f"{self.redmine}/issues.json"):
            until(f"{address} answers", lambda address=address: _answers(address))  # type: ignore[misc]
        self.oac = Staff(self.redmine, KEYS["oac"])
        self.stories = 0

    def connector(self, receipt: float) -> Connector:
        """A connector with an empty database in a folder of its own; not started."""
        self.stories += 1
        place = self.folder / f"story-{self.stories}"
        place.mkdir()
        config = configure(
            place, port=self.web, meta=self.meta, redmine=self.redmine,
            mapping_file=mapping(place, quiet=0.5, receipt=receipt, report=1, failed=FLAG),
            clamd=self.clamd.address, **self.secrets,
        )  # fmt: skip
        return Connector(config, place / "connector.log")

    def phone(self, number: int) -> Phone:
        return Phone(self.meta, "Veïna de prova", f"34600{number:06}")

    def faults(self, meta: list[dict[str, Any]], redmine: list[dict[str, Any]]) -> None:
        """Only these faults from now on."""
        self.http.delete(f"{self.meta}/_phone/faults").raise_for_status()
        self.http.delete(f"{self.redmine}/_redmine/faults").raise_for_status()
        if meta:
            self.http.post(f"{self.meta}/_phone/faults", json=meta).raise_for_status()
        if redmine:
            self.http.post(f"{self.redmine}/_redmine/faults", json=redmine).raise_for_status()

    def undelivered(self) -> int:
        """Notifications that Meta's stand-in still has to deliver."""
        return int(self.http.get(f"{self.meta}/_phone/queue").json()["waiting"])

    def close(self) -> None:
        self._leave.close()
        for part in self.parts:
            with contextlib.suppress(AssertionError):
                part.end()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What is in the connector's database, read from outside; nothing while there is none."""
    if not database.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []
