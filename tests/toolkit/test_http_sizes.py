"""Answers without an end, and small ones that unfold to large ones: an error, and never our memory."""

from __future__ import annotations

import gzip
import socket
import tracemalloc

import httpx
import pytest

from connector.core.errors import Ambiguous, Unavailable
from connector.toolkit import http
from connector.trackers.redmine.http import Connection
from tests.trackers.redmine.servers import Handler, answering, response, serving

MOST = 1 << 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = response("200 OK", gzip.compress(bytes(120 << 20), 1), "Content-Encoding: gzip\r\n")


def endless(head: bytes, piece: bytes) -> Handler:
    """Sends as fast as it is read, for ever."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return handle


HOSTILE = {
    "to the end of the connection": endless(HEAD + b"\r\n", b"x" * 65536),
    "announced": endless(HEAD + b"Content-Length: 99999999999999\r\n\r\n", b"x" * 65536),
    "in pieces": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "folded": answering(BOMB),
    "an endless refusal": endless(HEAD.replace(b"200 OK", b"422 No") + b"\r\n", b"x" * 65536),
}


@pytest.fixture(autouse=True)
def _less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", MOST)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_without_an_end(name: str) -> None:
    tracemalloc.start()
    with serving(HOSTILE[name]) as url:
        tracker = Connection(url, "k" * 40, 20)
        with pytest.raises(Unavailable, match="too large"):
            tracker.get("/issues.json")
        with pytest.raises(Ambiguous, match="too large"):
            tracker.redmine.engine.request("post", f"{url}/issues.json", data={})
        if name == "an endless refusal":
            with pytest.raises(Unavailable, match="too large"):
                list(tracker.stream("/attachments/1", 1000, "too large"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # one piece of a folded answer, as it comes from the network, unfolds to a thousand times as much at most
    assert peak < (100 << 20 if name == "folded" else 16 << 20)


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_same_for_asyncio(name: str) -> None:
    with serving(HOSTILE[name]) as url:
        async with http.async_client(url, timeout=20) as client:
            with pytest.raises(httpx.RequestError) as caught:
                await client.get("/messages")
    error = http.translate(caught.value, wrote=False, who="WhatsApp")
    assert type(error) is Unavailable and "too large" in str(error)


def test_a_damaged_answer_is_said_to_be_damaged() -> None:
    damaged = answering(response("200 OK", b"no gzip", "Content-Encoding: gzip\r\n"))
    with serving(damaged) as url, pytest.raises(Unavailable, match="damaged"):
        Connection(url, "k" * 40, 20).get("/issues.json")
