"""A database of its own for each test: a file, a database on the PostgreSQL that ``tests/servers`` starts, or a whole
PostgreSQL that a test may stop."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import server_setting

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)]
"""Parameters of a fixture whose tests hold for either."""


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a fresh, empty database, as ``config.toml`` names it; it is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'connector.db'}"
        return
    shared = server_setting("DATABASE_URL")
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(shared, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield make_url(shared).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


class Postgres:
    """A PostgreSQL of one test's own, as it is stopped and restarted under everybody's feet."""

    def __init__(self) -> None:
        # not below pytest's folders: PostgreSQL's own user may not enter those
        self._folder = tempfile.TemporaryDirectory(prefix="connector-postgres-")
        Path(self._folder.name).chmod(0o755)
        self.restarts = 0
        self.url = ""

    def _run(self, *arguments: str, **env: str) -> str:
        done = subprocess.run(
            [Path(__file__).parent / "servers/postgres-up", *arguments],
            env={**os.environ, "CONNECTOR_SERVERS_DIR": self._folder.name, **env},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Make it and start it; ``url`` is its address from now on."""
        self.url = self._run().strip().removeprefix("export DATABASE_URL=")

    def halt(self) -> None:
        """Stop at once, without asking anybody."""
        self._run("--stop")

    def resume(self) -> None:
        """Start it again at its address."""
        self._run(POSTGRES_PORT=str(make_url(self.url).port))

    def restart(self) -> None:
        """Stopped at once and started again."""
        self.halt()
        self.resume()
        self.restarts += 1

    def stop(self) -> None:
        """Stop it and remove what is left of it."""
        self._run("--stop")
        self._folder.cleanup()
