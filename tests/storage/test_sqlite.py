"""Which SQLite opens an embedded database: never one that can damage it, and everybody is told which one it is."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector import wiring
from connector.core.errors import Misconfigured
from connector.storage import sqlite
from connector.storage.inspect import inspect
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer
from tests.config.sides import lay_out, run

from .conftest import KEY

DAMAGES = ["3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.46.1", "3.50.6", "3.51.0", "3.51.2"]
GOOD = ["3.6.23", "3.44.6", "3.44.7", "3.50.7", "3.50.10", "3.51.3", "3.52.0", "3.53.4", "4.0.0"]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@pytest.mark.parametrize(("version", "damages"), [*((v, True) for v in DAMAGES), *((v, False) for v in GOOD)])
def test_versions(version: str, damages: bool) -> None:
    assert sqlite.affected(numbers(version)) is damages


def module(name: str, version: str) -> Any:
    return SimpleNamespace(
        __name__=f"{name}.dbapi2", sqlite_version=version, sqlite_version_info=numbers(version)
    )


@pytest.mark.parametrize(
    ("brought", "pythons", "taken"),
    [
        ("3.53.4", "3.40.1", "3.53.4 (pysqlite3)"),
        ("3.53.4", "3.53.4", "3.53.4 (pysqlite3)"),
        ("3.53.4", "3.60.0", "3.60.0 (sqlite3)"),
        ("3.44.6", "3.51.2", "3.44.6 (pysqlite3)"),
        ("3.51.1", "3.50.7", "3.50.7 (sqlite3)"),
        ("", "3.51.3", "3.51.3 (sqlite3)"),
        ("3.53.4", "", "3.53.4 (pysqlite3)"),
    ],
)
def test_the_one_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, brought: str, pythons: str, taken: str
) -> None:
    there = {"pysqlite3.dbapi2": brought, "sqlite3.dbapi2": pythons}

    def load(name: str) -> Any:
        if not there[name]:
            raise ImportError(name)
        return module(name.partition(".")[0], there[name])

    monkeypatch.setattr(sqlite, "import_module", load)
    monkeypatch.setattr(sqlite, "driver", sqlite.driver.__wrapped__)
    assert sqlite.version() == f"SQLite {taken}"


def test_the_store_opens_its_file_with_it_and_with_nothing_else(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/connector.db", Sealer(KEY))
    try:
        for engine in (store._writer, store._reader):
            with engine.connect() as connection:
                assert isinstance(connection.connection.driver_connection, sqlite.driver().Connection)
        said = store.read_now(lambda c: c.exec_driver_sql("SELECT sqlite_version()").scalar())
        assert said == sqlite.driver().sqlite_version and not sqlite.unfit()
    finally:
        store.close()


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where nothing but Debian 12's is to be had."""
    taken = SimpleNamespace(
        **{**vars(sqlite3.dbapi2), **vars(module("sqlite3", "3.40.1"))}  # opens files all the same
    )
    monkeypatch.setattr(sqlite, "driver", lambda: taken)


@pytest.mark.usefixtures("old")
def test_one_that_damages_the_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    config = lay_out(tmp_path, {}, "http://127.0.0.1:1", 8080)
    with pytest.raises(Misconfigured) as refused:
        wiring.Service(wiring.read([config]))
    (finding,) = refused.value.findings
    assert (finding.severity, finding.key) == ("error", "database")
    assert "SQLite 3.40.1 (sqlite3) can damage the database" in finding.problem
    assert "make install" in finding.mend and "PostgreSQL" in finding.mend and "3.51.3" in finding.mend
    assert not list(tmp_path.rglob("*.db"))
    for command in (["status"], ["failed", "retry", "1"], ["check", "--offline"]):
        done = run(*command, "--config", str(config))
        assert done.returncode == 1 and "can damage the database" in done.stdout, (command, done)
        assert not list(tmp_path.rglob("*.db"))


@pytest.mark.usefixtures("old")
def test_a_town_on_postgresql_is_not_bothered() -> None:
    found = inspect("postgresql+psycopg://connector@127.0.0.1:1/connector", Sealer(KEY))
    assert ["cannot be opened" in one.problem for one in found] == [True]


def test_check_and_status_say_which_one_it_is(tmp_path: Path) -> None:
    config = lay_out(tmp_path, {}, "http://127.0.0.1:1", 8080)
    checked = run("check", "--offline", "--config", str(config))
    assert checked.stderr.splitlines()[0] == sqlite.version()
    (settings,) = (one.settings for one in wiring.read([config]))
    wiring.open_store(settings).close()
    said = json.loads(run("status", "--json", "--config", str(config)).stdout)
    assert (said["database"], said["database_version"]) == ("sqlite", sqlite.driver().sqlite_version)
    assert f"sqlite {sqlite.driver().sqlite_version}" in run("status", "--config", str(config)).stdout
