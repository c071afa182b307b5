"""The contract on what a real Request Tracker once answered; no server, no network. How to record: ``../recording.py``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..contract import TrackerContract
from ..recording import RECORDING, cassette
from ..system import System
from . import support

_PASSWORD = re.compile(rb"(?<=pass=)[^&]*")


def without_links(value: Any) -> Any:
    """RT's JSON without the addresses that are half of it and that nobody follows."""
    if isinstance(value, dict):
        return {k: without_links(v) for k, v in value.items() if k != "_url"}
    return [without_links(v) for v in value] if isinstance(value, list) else value


def scrub(body: bytes) -> bytes:
    if body.lstrip().startswith(b"<"):
        return b""  # the login page
    try:
        return json.dumps(without_links(json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:
        return body


class TestRecordedRequestTracker(TrackerContract):
    @pytest.fixture
    def system(self, request: pytest.FixtureRequest) -> Iterator[System]:
        name = request.node.name
        with cassette(
            Path(__file__).parent / "cassettes",
            name,
            address="RT_URL",
            known_as="http://rt.test",
            secrets=["authorization"],
            scrub=scrub,
            scrub_request=lambda body: _PASSWORD.sub(b"x", body),
            keep=["etag"],
        ) as url:
            support.at_work.cache_clear()
            yield support.system(url, live=RECORDING, salt=f"cassette {name}")
