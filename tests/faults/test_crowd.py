"""A broadcast through a kill, small: everybody gets it exactly once. ``tests/faults/crowd.py`` plays it large, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .crowd import parse, play


@pytest.mark.long
def test_killed_while_it_sends_everybody_gets_it_exactly_once(tmp_path: Path) -> None:
    line = "--people 120 --kills 1 --rate 120 --lost 30 --took 0.05 --talkers 0 --quiet 0 --hasty"
    found = play(parse(line.split()), tmp_path, f"sqlite:///{tmp_path / 'connector.db'}")
    assert (found.missed, found.twice, found.counts) == (0, 0, {"delivered": 120})
