"""The contract on what a real Redmine once answered; no server, no network. How to record: ``../recording.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..contract import TrackerContract
from ..recording import RECORDING, cassette
from ..system import System
from . import support

_KEY = re.compile(rb'("api_key":")[0-9a-f]+(")')


class TestRecordedRedmine(TrackerContract):
    @pytest.fixture
    def system(self, request: pytest.FixtureRequest) -> Iterator[System]:
        name = request.node.name
        with cassette(
            Path(__file__).parent / "cassettes",
            name,
            address="REDMINE_URL",
            known_as="http://redmine.test",
            secrets=["x-redmine-api-key"],
            scrub=lambda body: _KEY.sub(rb"\1\2", body),
        ) as url:
            yield support.system(url, live=RECORDING, salt=f"cassette {name}")
