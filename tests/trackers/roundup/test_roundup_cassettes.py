"""The contract on what a real Roundup once answered; no server, no network. How to record: ``../recording.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..contract import TrackerContract
from ..recording import RECORDING, cassette
from ..system import System
from . import support


def without_links(value: Any) -> Any:
    """Roundup's JSON without the addresses of linked items, which nobody follows; those that are read for themselves stay."""
    if isinstance(value, dict):
        return {k: without_links(v) for k, v in value.items() if k != "link" or "id" not in value}
    return [without_links(v) for v in value] if isinstance(value, list) else value


def scrub(body: bytes) -> bytes:
    try:
        return json.dumps(without_links(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:
        return body


class TestRecordedRoundup(TrackerContract):
    @pytest.fixture
    def system(self, request: pytest.FixtureRequest) -> Iterator[System]:
        name = request.node.name
        with cassette(
            Path(__file__).parent / "cassettes",
            name,
            address="ROUNDUP_URL",
            known_as="http://roundup.test",
            secrets=["authorization", "origin", "accept"],
            scrub=scrub,
        ) as url:
            support.staff.cache_clear()
            yield support.system(url, live=RECORDING, salt=f"cassette {name}")
