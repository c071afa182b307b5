"""The benchmarks still run. No figure is looked at; ``make bench QUICK=1`` runs all of each."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bench import _stage
from bench.__main__ import BY_NAME
from bench._report import Section, write
from bench.conversation import STORY, steps
from bench.crowd import fill
from bench.webhooks import NOWHERE
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer


@pytest.mark.parametrize("name", BY_NAME)
def test_each_can_be_asked_for(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").measure)


def test_a_conversation_is_carried_out_under_load() -> None:
    with _stage.connector(NOWHERE) as servers:
        assert steps(servers, 3) > 0
        seen = servers[0].load(count=3 * len(STORY), people=3, rate=200, connections=2, seconds=20)
    assert seen["codes"] == {"200": 3 * len(STORY)}


def test_a_full_database_fits_the_tables(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'connector.db'}"
    fill(url, 20)
    store = Store(url, Sealer(_stage.KEY))
    counts = {
        table: store.read_now(
            lambda c, table=table: c.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
        )  # type: ignore[misc]
        for table in ("person", "ticket", "message", "work")
    }
    store.close()
    assert counts == {"person": 20, "ticket": 20, "message": 40, "work": 40 + 6}, "six: the nights are over"


def test_a_section_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for speed in (100.0, 300.0):
        for title in ("One", "Two"):
            section = Section(title)
            section.versus("rows/s", [speed, speed + 20, speed + 10], "/s", "bare", [200.0] * 3, 0.9)
            write(section, "a machine", page)
    text = page.read_text()
    assert text.count("## One\n") == text.count("## Two\n") == text.count("# What was measured") == 1
    assert "| rows/s | 310 (300–320) /s | bare: 200 (200–200) | 1.55 (1.50–1.60) | ≥ 0.9 × | yes |" in text
    assert "110" not in text
