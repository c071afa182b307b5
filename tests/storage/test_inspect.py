"""What the check says of a database before the service uses it; looking changes nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from connector.core.errors import Finding
from connector.storage.inspect import inspect
from connector.storage.migrate import revision
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer
from tests.databases import database

from .conftest import KEY
from .test_migrations import REVISIONS, engine_of, step


def told(url: str, key: str = KEY) -> list[tuple[str, str]]:
    return [(f.severity, f.key) for f in inspect(url, Sealer(key))]


def only(url: str) -> Finding:
    (finding,) = inspect(url, Sealer(KEY))
    return finding


def test_an_empty_database_stays_empty(url: str) -> None:
    assert told(url) == []
    assert not (url.startswith("sqlite") and Path(url.removeprefix("sqlite:///")).exists())
    assert revision(engine_of(url)) is None


def test_one_of_this_release(url: str) -> None:
    Store(url, Sealer(KEY)).close()
    assert told(url) == []
    assert told(url, "another-key-of-the-tests-with-many-characters") == [("error", "privacy.key")]


def test_one_of_an_older_release_is_brought_up_to_date_by_the_start(url: str) -> None:
    step(engine_of(url), REVISIONS[0])
    finding = only(url)
    assert (finding.severity, finding.key) == ("warning", "database")
    assert "older release" in finding.problem and "backup" in finding.mend
    assert revision(engine_of(url)) == REVISIONS[0]


def test_one_of_a_newer_release_is_refused(url: str) -> None:
    Store(url, Sealer(KEY)).close()
    with engine_of(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    finding = only(url)
    assert finding.severity == "error" and "newer release" in finding.problem


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "connector.db").write_text("un full de càlcul, per exemple" * 100)
    finding = only(f"sqlite:///{tmp_path}/connector.db")
    assert finding.severity == "error" and "no database" in finding.problem


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    assert told(f"sqlite:///{tmp_path}/var/connector.db") == [("error", "database")]


def test_a_server_that_is_not_there() -> None:
    finding = only("postgresql://connector:hunter22@127.0.0.1:1/connector")
    assert finding.severity == "error" and "cannot be opened" in finding.problem
    assert "hunter22" not in str(finding)


@pytest.mark.real
def test_an_account_that_may_make_no_tables(tmp_path: Path) -> None:
    """As it is with everybody but the owner since PostgreSQL 15."""
    with database("postgresql", tmp_path) as url:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("CREATE ROLE only_reads LOGIN")
        try:
            finding = only(make_url(url).set(username="only_reads").render_as_string(hide_password=False))
            assert finding.severity == "error" and "GRANT CREATE ON SCHEMA public" in finding.mend
        finally:
            with psycopg.connect(url, autocommit=True) as server:
                server.execute("DROP ROLE only_reads")
