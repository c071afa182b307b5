"""A PostgreSQL that is stopped: while nobody runs, while the service starts, and while an operator asks."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Postgres

from .way import ROOT, Process, configure, mapping, port, until


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def service(postgres: Postgres, tmp_path: Path) -> Iterator[Process]:
    """The program, not started. Neither WhatsApp nor the tracker is there: it waits for both."""
    web, nobody = port(), f"http://127.0.0.1:{port()}"
    config = configure(
        tmp_path, port=web, meta=nobody, redmine=nobody, database=postgres.url, mapping_file=mapping(tmp_path),
        app_secret=secrets.token_hex(8), token=secrets.token_hex(8), verify="v",
    )  # fmt: skip
    command = [sys.executable, "-m", "connector", "run", "--config", str(config)]
    made = Process("the service", command, f"http://127.0.0.1:{web}/health/live", tmp_path / "log")
    yield made
    made.stop()


@pytest.mark.real
def test_a_service_that_starts_waits_for_its_database(postgres: Postgres, service: Process) -> None:
    postgres.halt()
    started = threading.Thread(target=service.start)
    started.start()
    try:
        until("it says what it waits for", lambda: "waiting for the database" in service.tail())
    finally:
        postgres.resume()
    started.join(60)
    assert service.process is not None and service.process.poll() is None, service.tail()


@pytest.mark.real
def test_an_operator_is_told_so_in_a_sentence(postgres: Postgres, service: Process) -> None:
    postgres.halt()
    try:
        config = service.command[-1]
        asked = subprocess.run(
            [sys.executable, "-m", "connector", "status", "--config", config],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        postgres.resume()
    assert asked.returncode == 1 and asked.stdout == ""
    assert asked.stderr.startswith("connector: the database cannot be opened: "), asked.stderr
    assert asked.stderr.count("\n") == 1
