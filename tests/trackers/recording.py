"""What a real tracker once answered, recorded by vcrpy: the contract without a server.

To record anew: start the fresh server (``tests/servers/``), remove the folder ``cassettes/`` of the tracker and run its
``test_*_cassettes.py`` with ``RECORD_CASSETTES=1`` and ``-n0``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vcr

RECORDING = bool(os.environ.get("RECORD_CASSETTES"))
_DROPPED = (
    "x-request-id", "x-runtime", "etag", "set-cookie", "cache-control", "referrer-policy", "location", "server",
    "connection", "allow", "vary",
)  # fmt: skip
_DROPPED_KINDS = ("x-", "access-control-")
_BOUNDARY = re.compile(rb"(?<=--)[0-9a-f]{32}(?=\r|--)")


@contextmanager
def cassette(
    folder: Path,
    name: str,
    *,
    address: str,
    known_as: str,
    secrets: Sequence[str],
    scrub: Callable[[bytes], bytes],
    scrub_request: Callable[[bytes], bytes] = lambda body: body,
    keep: Sequence[str] = (),
) -> Iterator[str]:
    """The address to ask while the cassette plays, or is recorded from the server whose address is in the environment
    variable ``address``; in the cassette it is ``known_as``.

    ``secrets`` are request headers that are left out; ``scrub`` takes out of an answer what is secret or never read, and
    ``scrub_request`` out of what is sent; ``keep`` names headers of answers that the adapter reads, of those that are
    dropped otherwise.
    """
    server = os.environ[address] if RECORDING else known_as

    def request(asked: Any) -> Any:
        if RECORDING:
            asked.uri = asked.uri.replace(server, known_as)
        if isinstance(asked.body, bytes):
            # a part's boundary is made by chance
            asked.body = scrub_request(_BOUNDARY.sub(b"boundary", asked.body))
        return asked

    def response(got: dict[str, Any]) -> dict[str, Any]:
        body = scrub(got["body"]["string"].replace(server.encode(), known_as.encode()))
        dropped = set(_DROPPED) - set(keep)
        headers = {
            name: value
            for name, value in got["headers"].items()
            if name.lower() not in dropped and not name.lower().startswith(_DROPPED_KINDS)
        }
        return {**got, "body": {"string": body}, "headers": headers}

    recorder = vcr.VCR(
        cassette_library_dir=str(folder),
        record_mode="all" if RECORDING else "none",
        match_on=("method", "uri", "body"),
        filter_headers=[*secrets, "cookie", "user-agent", "host", "content-type"],
        before_record_request=request,
        before_record_response=response,
        decode_compressed_response=True,
    )
    with recorder.use_cassette(f"{name}.yaml") as played:
        yield server
        if not RECORDING:
            assert played.all_played, "the adapter asked for less than was recorded: record anew"
