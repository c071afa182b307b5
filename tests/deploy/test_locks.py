"""What a server installs is what was tested, without what only tests need."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PIN = re.compile(r"(?m)^([a-z0-9._-]+(?:\[[a-z,]+\])?)==(\S+)")


def pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / name).read_text(encoding="utf-8")))


def test_a_server_installs_the_versions_that_are_tested_and_no_tools() -> None:
    tested, run = pins("requirements.lock"), pins("requirements-run.lock")
    assert len(run) > 30 and run.items() <= tested.items(), run.items() - tested.items()
    assert not {"pytest", "playwright", "axe-playwright-python", "mypy", "ruff", "pywa"} & run.keys()
    assert "hatchling" in run, "its own build needs it"
