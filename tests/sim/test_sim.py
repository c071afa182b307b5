"""Histories of the whole product: some from seeds, one by hand for each fault that was ever found.

``make simulate SEEDS=1..5000`` plays as many as wanted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import run
from .plan import Plan, brief
from .plans import PLANS
from .world import ROOT, Result

SEEDS = range(1, 31)


@pytest.fixture(scope="module")
def where() -> Iterator[Path]:
    made = run.folder()
    yield made
    run.forget(made)


def green(plan: Plan, where: Path, again: str) -> Result:
    result = run.play(plan, where)
    if result.differences:
        tail = "\n".join(result.transcript[-40:])
        listed = "\n  ".join(result.differences)
        pytest.fail(f"{result.name}:\n  {listed}\nthe whole of it: {again}\n{tail}", pytrace=False)
    return result


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history(seed: int, where: Path) -> None:
    green(brief(seed), where, f".venv/bin/python -m tests.sim.run --brief {seed}")


@pytest.mark.parametrize("name", PLANS)
def test_a_plan(name: str, where: Path) -> None:
    result = green(PLANS[name](), where, f".venv/bin/python -m tests.sim.run {name}")
    assert result.seen, "what was planned did not happen"


def test_one_seed_is_one_history(where: Path) -> None:
    """To the byte, in another process with another order of sets."""
    first = run.play(brief(15), where)
    code = "from tests.sim import run; from tests.sim.plan import brief; print(run.play(brief(15), run.folder()).digest)"
    env = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == first.digest
