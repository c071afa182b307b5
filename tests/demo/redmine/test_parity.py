"""The stand-in and a real Redmine give the same answers: both are held against the one recording."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Served
from .record import REAL
from .recorder import run
from .scenarios import SCENARIOS

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(REAL.read_text())


def test_the_recording_is_of_these_scenarios() -> None:
    assert list(RECORDED) == list(SCENARIOS), "record anew: python -m tests.demo.redmine.record URL"


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_stand_in_answers_as_recorded(served: Served, name: str) -> None:
    assert run(SCENARIOS[name], served.url, served.clock.wait) == RECORDED[name]


@pytest.mark.real
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_server_answers_as_recorded(redmine: Any, name: str) -> None:
    assert run(SCENARIOS[name], redmine.url) == RECORDED[name]
