"""The contract on what a real Redmine once answered, recorded by vcrpy; no server, no network.

To record anew: start a fresh Redmine (``tests/servers/up``), remove ``cassettes/`` and run this file with
``RECORD_CASSETTES=1``. Keys are taken out, the address becomes ``http://redmine.test``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr

from ..contract import TrackerContract
from ..system import System
from . import support

URL = "http://redmine.test"
CASSETTES = Path(__file__).parent / "cassettes"
RECORDING = bool(os.environ.get("RECORD_CASSETTES"))
_KEY = re.compile(rb'("api_key":")[0-9a-f]+(")')
_DROPPED = ("x-request-id", "x-runtime", "etag", "set-cookie", "cache-control", "referrer-policy", "location")


def _request(request: Any) -> Any:
    if RECORDING:
        request.uri = request.uri.replace(os.environ["REDMINE_URL"], URL)
    return request


def _response(response: dict[str, Any]) -> dict[str, Any]:
    body = _KEY.sub(rb"\1\2", response["body"]["string"])
    if RECORDING:
        body = body.replace(os.environ["REDMINE_URL"].encode(), URL.encode())
    headers = {k: v for k, v in response["headers"].items() if k.lower() not in _DROPPED and k[:2] != "x-"}
    return {**response, "body": {"string": body}, "headers": headers}


class TestRecordedRedmine(TrackerContract):
    @pytest.fixture
    def system(self, request: pytest.FixtureRequest) -> Iterator[System]:
        recorder = vcr.VCR(
            cassette_library_dir=str(CASSETTES),
            record_mode="all" if RECORDING else "none",
            match_on=("method", "uri", "body"),
            filter_headers=["x-redmine-api-key", "cookie", "user-agent", "host"],
            before_record_request=_request,
            before_record_response=_response,
            decode_compressed_response=True,
        )
        name = request.node.name
        url = os.environ["REDMINE_URL"] if RECORDING else URL
        with recorder.use_cassette(f"{name}.yaml") as cassette:
            yield support.system(url, live=RECORDING, salt=f"cassette {name}")
            if not RECORDING:
                assert cassette.all_played, "the adapter asked for less than was recorded: record anew"
