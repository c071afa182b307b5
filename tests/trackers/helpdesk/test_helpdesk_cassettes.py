"""The contract on what a real django-helpdesk once answered; no server, no network. How to record: ``../recording.py``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..contract import TrackerContract
from ..recording import RECORDING, cassette
from ..system import System
from . import support

_NEVER_READ = ("help_text", "time_spent", "on_hold", "due_date", "renders", "parses")
SEEDED = 5


def without_what_nobody_reads(value: Any) -> Any:
    if isinstance(value, dict):
        left = {k: v for k, v in value.items() if k not in _NEVER_READ}
        if left.get("type") == "nested object":
            left = {}
        return {k: without_what_nobody_reads(v) for k, v in left.items()}
    return [without_what_nobody_reads(v) for v in value] if isinstance(value, list) else value


def scrub(body: bytes) -> bytes:
    try:
        said = without_what_nobody_reads(json.loads(body))
    except ValueError:
        return body
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def forget(url: str) -> None:
    """Delete the tickets of the test before: each list would hold them."""
    with httpx.Client(
        base_url=f"{url}/api", headers={"Authorization": f"Token {support.KEYS['admin']}"}
    ) as http:
        rows = http.get("/tickets/", params={"page_size": 100_000}).json()["results"]
        for row in rows:
            if row["id"] > SEEDED:
                http.delete(f"/tickets/{row['id']}/").raise_for_status()


class TestRecordedHelpdesk(TrackerContract):
    @pytest.fixture
    def system(self, request: pytest.FixtureRequest) -> Iterator[System]:
        name = request.node.name
        if RECORDING:
            forget(os.environ["HELPDESK_URL"])
        with cassette(
            Path(__file__).parent / "cassettes",
            name,
            address="HELPDESK_URL",
            known_as="http://helpdesk.test",
            secrets=["authorization"],
            scrub=scrub,
        ) as url:
            support.at_work.cache_clear()
            yield support.system(url, live=RECORDING, salt=f"cassette {name}")
