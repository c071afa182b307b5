"""What a claim reads when very many rows are open: about as much as there are, whatever the database believes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from connector.storage import work
from connector.storage.store import Connection, Store
from connector.toolkit.privacy import Sealer
from tests.databases import database

from .conftest import KEY

OPEN = 1200


def _read(plan: dict[str, Any]) -> float:
    """Rows that a plan's nodes looked at."""
    own = sum(
        plan.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    )
    return float(own * plan["Actual Loops"]) + sum(_read(part) for part in plan.get("Plans", ()))


def _explained(connection: Connection) -> dict[str, Any]:
    query = work._claimable(("k",), False, False).params(at=10.0, most=32)
    made = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {made}", made.params).scalar_one()
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


@pytest.mark.real
def test_a_burst_after_a_night_without_open_rows(tmp_path: Path) -> None:
    """Statistics taken when nothing was open say that nothing ever is: 3 000 open rows took seconds for each claim."""
    columns = "INSERT INTO work (town, lane, kind, created_at, due_at, attempts, ended_at, outcome)"
    with database("postgresql", tmp_path) as url, closing(Store(url, Sealer(KEY))) as store:
        engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            many = "FROM generate_series(1, 30000) AS n"
            connection.exec_driver_sql(f"{columns} SELECT 't', 'l' || n, 'k', 0, 0, 1, 1, 'done' {many}")
            connection.exec_driver_sql("VACUUM (ANALYZE) work")
            many = f"FROM generate_series(1, {OPEN}) AS n"
            connection.exec_driver_sql(f"{columns} SELECT 't', 'l' || n, 'k', 0, 1, 0, NULL, NULL {many}")
        engine.dispose()
        plan = store.read_now(_explained)
    assert _read(plan) < 20 * OPEN, plan
