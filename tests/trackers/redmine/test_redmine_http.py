"""The engine: no call hangs, and every failure says whether something may have been written."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.core.errors import (
    Ambiguous,
    ConnectorError,
    Forbidden,
    Gone,
    LeaseLost,
    Misconfigured,
    Rejected,
    Throttled,
    Unavailable,
)
from connector.core.ticket import FileRef, NewTicket, Upload
from connector.toolkit import http, transports
from connector.trackers.redmine import Config
from connector.trackers.redmine.http import Connection, Refused

from . import support
from .servers import answering, dripping, not_reading, response, serving, silent

SHORT = 0.6
"""Deadline of a call in these tests, in seconds."""
PATIENCE = 10.0
"""So long a hanging call would be waited for."""
HEADERS = b"HTTP/1.1 200 OK\r\nX-Slow: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
TICKET = NewTicket("SCV-7K3F-9Q", support.ROUTING, "Forat", "Forat")


def connection(url: str, timeout: float = SHORT) -> Connection:
    return Connection(url, "k" * 40, timeout)


def write(url: str, content: bytes = b"x") -> Any:
    return connection(url).redmine.engine.request("post", f"{url}/uploads.json", data=content)


def in_time(call: Any) -> ConnectorError:
    """The error of a call that must not hang."""
    began = time.monotonic()
    with pytest.raises(ConnectorError) as caught:
        call()
    assert time.monotonic() - began < PATIENCE
    return caught.value


@pytest.mark.parametrize(
    "handle", [silent, dripping(HEADERS), dripping(BODY)], ids=["silent", "head", "body"]
)
def test_no_call_hangs(handle: Any) -> None:
    with serving(handle) as url:
        assert type(in_time(lambda: connection(url).get("/issues.json"))) is Unavailable
        assert type(in_time(lambda: write(url))) is Ambiguous
        assert type(in_time(lambda: list(connection(url).stream("/x", 10_000, "large")))) is Unavailable


def test_a_server_that_takes_nothing_hangs_nobody() -> None:
    with serving(not_reading) as url:
        error = in_time(lambda: _big(url))
        assert type(error) is Ambiguous


def _big(url: str) -> Any:
    client = http.sync_client(url, timeout=SHORT)
    try:
        return client.post("/uploads.json", content=b"x" * 30_000_000)
    except httpx.HTTPError as error:
        raise http.translate(error, wrote=True, who="Redmine") from error


@pytest.mark.parametrize(
    "call", ["verify", "find", "create", "attach", "note", "start", "changes", "read", "file"]
)
def test_no_port_call_hangs(call: str) -> None:
    with serving(silent) as url:
        tracker = support.tracker(url, timeout=SHORT)
        calls = {
            "verify": lambda: tracker.verify([("menu[0].route", support.ROUTING)]),
            "find": lambda: tracker.find("SCV-7K3F-9Q"),
            "create": lambda: tracker.create(TICKET),
            "attach": lambda: tracker.attach("1", Upload("a.txt", "text/plain", b"a")),
            "note": lambda: tracker.add_internal_note("1", "a", "k"),
            "start": tracker.start_cursor,
            "changes": lambda: tracker.changes(
                '{"v":1,"start":"2026-01-01T00:00:00Z","marks":{}}', ["1"], []
            ),
            "read": lambda: tracker.read("1"),
            "file": lambda: list(tracker.download(FileRef("1", "a", "text/plain", 1), 10)),
        }
        assert type(in_time(calls[call])) is Unavailable


async def test_async_calls_do_not_hang_either() -> None:
    for handle in (silent, dripping(HEADERS), dripping(BODY)):
        with serving(handle) as url:
            async with http.async_client(url, timeout=SHORT) as client, asyncio.timeout(PATIENCE):
                with pytest.raises(httpx.TimeoutException) as caught:
                    await client.post("/messages", json={})
                assert isinstance(http.translate(caught.value, wrote=True, who="WhatsApp"), Ambiguous)


@pytest.mark.parametrize("looks", [0, 1], ids=["before the head", "before the body"])
async def test_a_write_whose_turn_has_passed_is_not_handed_over(looks: int) -> None:
    """The look is taken when the connection stands already: nothing that takes long comes after it."""
    seen = []

    def check() -> None:
        seen.append(time.monotonic())
        if len(seen) > looks:
            raise LeaseLost("too late")

    with serving(answering(response("200 OK", b"{}"))) as url:
        for method in ("post", "get"):
            seen.clear()
            transports.fence(check)
            client = http.async_client(url, timeout=PATIENCE)
            calls = [
                lambda m=method: asyncio.to_thread(connection(url).redmine.engine.request, m, url, data=b"x"),
                lambda m=method, c=client: c.request(m, url, content=b"x"),
            ]
            for call in calls:
                seen.clear()
                if method == "get":
                    await call()
                    assert not seen, "reading does no harm"
                else:
                    with pytest.raises(LeaseLost):
                        await call()
            await client.aclose()


def test_what_was_never_sent_is_unavailable_even_for_a_write(free_port: int) -> None:
    error = in_time(lambda: write(f"http://127.0.0.1:{free_port}"))
    assert type(error) is Unavailable
    assert type(in_time(lambda: write("http://no-such-host.invalid"))) is Unavailable


def test_a_connection_closed_without_an_answer() -> None:
    with serving(answering(b"")) as url:
        assert type(in_time(lambda: write(url))) is Ambiguous
        assert type(in_time(lambda: connection(url).get("/x.json"))) is Unavailable


HTML = b"<html>Iniciar sessi\xc3\xb3</html>"
ANSWERS = [
    ("401 Unauthorized", b"", "", Forbidden, Forbidden),
    ("403 Forbidden", b"", "", Forbidden, Forbidden),
    ("404 Not Found", b"", "", Gone, Gone),
    ("413 Payload Too Large", HTML, "", Rejected, Rejected),
    ("422 Unprocessable Entity", b'{"errors":["Massa gran"]}', "", Refused, Refused),
    ("422 Unprocessable Entity", b'{"errors":[["a","b"]]}', "", Refused, Refused),
    ("422 Unprocessable Entity", HTML, "", Refused, Refused),
    ("406 Not Acceptable", b"", "", Rejected, Rejected),
    ("429 Too Many Requests", b"", "Retry-After: 7\r\n", Throttled, Throttled),
    ("503 Service Unavailable", b"", "Retry-After: 7\r\n", Throttled, Throttled),
    ("503 Service Unavailable", b"", "", Unavailable, Ambiguous),
    ("500 Internal Server Error", HTML, "", Unavailable, Ambiguous),
    ("502 Bad Gateway", HTML, "", Unavailable, Ambiguous),
    ("302 Found", b"", "Location: https://elsewhere.invalid/\r\n", Unavailable, Unavailable),
    ("200 OK", HTML, "", Unavailable, Ambiguous),
    ("200 OK", b'{"issue":', "", Unavailable, Ambiguous),
    ("200 OK", b"[]", "", Unavailable, None),
]


@pytest.mark.parametrize(("status", "body", "headers", "reading", "writing"), ANSWERS)
def test_what_each_answer_means(status: str, body: bytes, headers: str, reading: Any, writing: Any) -> None:
    with serving(answering(response(status, body, headers))) as url:
        read = in_time(lambda: connection(url, 5).get("/issues.json"))
        assert type(read) is reading
        if writing:
            wrote = in_time(lambda: write(url))
            assert type(wrote) is writing
            assert wrote.retry_after == (7 if "Retry-After" in headers else None)


def test_a_disabled_api_is_told_from_a_wrong_key() -> None:
    for status, key in (("401 Unauthorized", "tracker.api_key"), ("403 Forbidden", "tracker.url")):
        with serving(answering(response(status))) as url:
            (finding,) = support.tracker(url, timeout=5).verify([("menu[0].route", support.ROUTING)])
            assert (finding.severity, finding.key) == ("error", key)


def test_the_servers_reason_is_passed_on_and_the_key_is_not() -> None:
    raw = response("422 Unprocessable Entity", '{"errors":["L\'extensió .exe no està permesa"]}'.encode())
    with serving(answering(raw)) as url:
        error = in_time(lambda: write(url))
        assert "L'extensió .exe no està permesa" in str(error)
        assert "kkkk" not in f"{error!r} {error.__cause__!r}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "99999999"}, 3600.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "aviat"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert http.retry_after(headers) == seconds


@given(st.text(max_size=40))
def test_retry_after_takes_anything(value: str) -> None:
    wait = http.retry_after({"retry-after": value})
    assert wait is None or 0 <= wait <= 3600


def test_an_unusable_address_is_misconfigured() -> None:
    error = http.translate(httpx.UnsupportedProtocol("no"), wrote=True, who="WhatsApp")
    assert isinstance(error, Misconfigured)


def test_our_own_errors_pass_through() -> None:
    error = Rejected("no")
    assert http.translate(error, wrote=True, who="WhatsApp") is error


@pytest.mark.parametrize("key", ["dues paraules", "clau\n", "clàu", ""])
def test_a_key_that_is_no_header_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValidationError):
        Config(url="https://tiquets.exemple.cat", api_key=key)  # type: ignore[arg-type]


def test_the_user_agent_names_us() -> None:
    assert http.sync_client("http://x", timeout=1).headers["user-agent"].startswith("whatsapp-connector/")
