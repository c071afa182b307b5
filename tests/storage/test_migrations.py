"""Schema steps: the release before each still writes afterwards, and replicas that start together make one schema."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, LargeBinary, MetaData, Numeric, Table, create_engine, text
from sqlalchemy.engine import make_url

from connector.core.errors import Misconfigured
from connector.storage.migrate import alembic_config, upgrade
from connector.storage.sqlite import engine_options
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer

from .conftest import KEY

REVISIONS = [
    r.revision for r in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]


def engine_of(url: str) -> Engine:
    parsed = make_url(url)
    if url.startswith("postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, **engine_options(parsed))


def step(engine: Engine, revision: str) -> None:
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def row(table: Table, n: int) -> dict[str, Any]:
    """Something in every column a release knew of."""
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys:
            made[column.name] = n
        elif isinstance(column.type, LargeBinary):
            made[column.name] = b"x"
        elif isinstance(column.type, Numeric) or column.type.python_type in (int, float):
            made[column.name] = n
        else:
            made[column.name] = f"{column.name} {n}"
    return made


@pytest.mark.parametrize("before", REVISIONS[:-1])
def test_the_release_before_goes_on_writing(url: str, before: str) -> None:
    """During an upgrade both run: what a new step adds may be left out by who does not know it."""
    engine = engine_of(url)
    step(engine, before)
    known = MetaData()
    known.reflect(engine)
    tables = [t for t in known.sorted_tables if t.name != "alembic_version"]
    with engine.begin() as connection:
        for table in tables:
            connection.execute(table.insert().values(row(table, 1)))
    upgrade(engine)
    with engine.begin() as connection:
        for table in tables:
            connection.execute(table.insert().values(row(table, 2)))
            assert connection.execute(table.select()).fetchall()
    engine.dispose()


def test_replicas_that_start_together_make_one_schema_and_one_pepper(url: str) -> None:
    if not url.startswith("postgres"):
        return  # an embedded database has one service
    program = f"""
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer
store = Store("{url}", Sealer("{KEY}"))
print(store.pseudonyms.of("phone:t", "34600000001"))
store.close()
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 4, ended
    assert len({out for out, _ in ended}) == 1, "one pepper: everybody is known by the same name everywhere"


def test_a_look_from_outside_changes_no_schema(url: str) -> None:
    with pytest.raises(Misconfigured, match="is empty"):
        Store(url, Sealer(KEY), migrate=False)
    engine = engine_of(url)
    step(engine, REVISIONS[0])
    with pytest.raises(Misconfigured, match="older release"):
        Store(url, Sealer(KEY), migrate=False)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISIONS[0]
    engine.dispose()
