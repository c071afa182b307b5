"""Loopback servers that misbehave in one way each."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(handle: Handler) -> Iterator[str]:
    """A TCP server on a free port; ``handle`` gets each connection in a thread of its own. Yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=_quietly, args=(handle, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for each in (listener, *held):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _quietly(handle: Handler, connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle(connection)


def silent(connection: socket.socket) -> None:
    """Accepts and never says a word."""
    while connection.recv(65536):
        pass


def dripping(head: bytes) -> Handler:
    """Sends ``head`` and then a byte every 50 ms, for ever."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    return handle


def answering(raw: bytes) -> Handler:
    """Gives every request the same answer and closes."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)
        connection.close()

    return handle


def not_reading(connection: socket.socket) -> None:
    """Never takes what is sent."""
    time.sleep(30)


def response(status: str, body: bytes = b"", headers: str = "Content-Type: application/json\r\n") -> bytes:
    """The bytes of an HTTP answer."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def losing_answers(url: str, losing: Callable[[], bool]) -> Handler:
    """Passes everything on to ``url``; while ``losing()``, waits for the whole answer and then keeps it."""
    host, port = url.removeprefix("http://").split(":")

    def handle(connection: socket.socket) -> None:
        with socket.create_connection((host, int(port))) as server:
            done = threading.Event()

            def back() -> None:
                while data := server.recv(65536):
                    if losing():
                        done.wait(20)
                        return
                    connection.sendall(data)

            threading.Thread(target=_suppressed, args=(back,), daemon=True).start()
            while data := connection.recv(65536):
                server.sendall(data)
            done.set()

    return handle


def _suppressed(run: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        run()
