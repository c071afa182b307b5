"""Clients that are slow, silent or without an end are left; meanwhile a notification gets its 200."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import uvicorn

from connector.web.connections import Limits, limited
from connector.wiring import Service
from tests.e2e.way import until

from .test_webhook import SECRET, count, envelope, message
from .test_webhook import service as _service

LIMITS = Limits(head=2, body=3, answer=30, head_bytes=8192, most=16)


@dataclass
class Server:
    """A service on a loopback port."""

    service: Service
    port: int

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port))
        client.settimeout(20)
        return client

    def notify(self, n: int) -> int:
        """A notification as WhatsApp sends it, over a connection of its own; the status of the answer."""
        with self.connect() as client:
            client.sendall(notification(n))
            return status(client)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = _service.__wrapped__(tmp_path_factory.mktemp("slow"))  # type: ignore[attr-defined]
    service = next(made)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        service.app,
        lifespan="off",
        log_config=None,
        http=limited(LIMITS),
        ws="none",
        timeout_graceful_shutdown=1,
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until("it is served", lambda: running.started)
    yield Server(service, listener.getsockname()[1])
    running.should_exit = True
    thread.join(10)
    service.store.close()


def notification(n: int) -> bytes:
    body = envelope([message(n)])
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return (
        f"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def status(client: socket.socket) -> int:
    """Of the next answer, 0 when the connection is over without one."""
    try:
        head = client.recv(65536)
    except ConnectionError:
        return 0
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0


def over(client: socket.socket, piece: bytes = b"") -> bool:
    """Wait for the end of the connection, sending ``piece`` now and then."""
    client.settimeout(0.05)
    for _ in range(400):
        try:
            if piece:
                client.sendall(piece)
            if client.recv(65536) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


HEAD = b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\n"
SLOW = {
    "silent": (b"", b""),
    "a head by the byte": (HEAD + b"X-A: ", b"a"),
    "empty lines": (b"\r\n", b"\r\n"),
    "a silent body": (HEAD + b"Content-Length: 1000\r\n\r\n", b""),
    "a body by the byte": (HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "pieces without an end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a body nobody reads": (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n", b"x"),
    "empty lines after an answer": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
    "headers without an end": (HEAD, b"X-A: " + b"a" * 500 + b"\r\n"),
    "one header without an end": (HEAD + b"X-A: ", b"a" * 500),
    "an address without an end": (b"GET /", b"a" * 500),
}


def test_who_does_not_get_on_is_left(server: Server) -> None:
    def left(name: str) -> bool:
        first, then = SLOW[name]
        with server.connect() as client:
            client.sendall(first)
            return over(client, then)

    assert len(SLOW) < LIMITS.most
    with ThreadPoolExecutor(len(SLOW)) as together:
        assert dict(zip(SLOW, together.map(left, SLOW), strict=True)) == dict.fromkeys(SLOW, True)


def test_meanwhile_notifications_are_kept(server: Server) -> None:
    before = count(server.service)
    slow = [server.connect() for _ in range(60)]
    try:
        for n, client in enumerate(slow):
            with contextlib.suppress(ConnectionError):
                client.sendall(HEAD[: n + 1] if n % 2 else HEAD + b"Content-Length: 99\r\n\r\nx")
            if n % 6 == 5:
                assert server.notify(1000 + n) == 200
    finally:
        for client in slow:
            client.close()
    assert count(server.service) == before + 10


def test_who_is_answered_is_not_thrown_out_for_others(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a notification is written to disk, any number of connections come and say nothing."""
    begun, go_on = threading.Event(), threading.Event()
    keep = server.service.webhooks.intake._keep

    def slowly(*given: object) -> object:
        begun.set()
        assert go_on.wait(20)
        return keep(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(server.service.webhooks.intake, "_keep", slowly)
    with server.connect() as client:
        client.sendall(notification(2000))
        assert begun.wait(20)
        crowd = [server.connect() for _ in range(3 * LIMITS.most)]
        until("the crowd is thinned", lambda: sum(map(gone, crowd)) >= 2 * LIMITS.most)
        go_on.set()
        assert status(client) == 200
        for each in crowd:
            each.close()


def gone(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_requests_sent_together_are_answered_in_order(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 200 + notification(3000))
        got = b""
        while got.count(b"HTTP/1.1 200") < 201:
            got += client.recv(65536)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /ops HTTP/1.1\r\n\r\n",
        b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nxxxxx",
        b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_hurts_nobody(server: Server, raw: bytes) -> None:
    with server.connect() as client:
        client.sendall(raw)
        assert over(client)
    assert server.notify(4000) == 200
