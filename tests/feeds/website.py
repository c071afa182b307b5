"""A small website on the loopback address that does what a test says, well or badly."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Website:
    """``pages`` by path: bytes (with ETag), or a function that answers by itself."""

    url: str
    pages: dict[str, bytes | Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of every request."""
    kind: str = "application/rss+xml"

    def seen(self, path: str) -> int:
        return sum(p == path for p, _ in self.asked)


@contextmanager
def website() -> Iterator[Website]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            page = site.pages.get(self.path)
            if page is None:
                answer(self, 404)
            elif callable(page):
                page(self)
            else:
                etag = f'"{hashlib.sha256(page).hexdigest()[:8]}"'
                if self.headers.get("If-None-Match") == etag:
                    answer(self, 304, headers={"ETag": etag})
                else:
                    answer(self, 200, page, {"ETag": etag, "Content-Type": site.kind})

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Website(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def answer(
    handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> None:
    """One answer with its length."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if status != 304:
        handler.wfile.write(body)


def status(code: int, **headers: str) -> Answer:
    """Always this status."""
    return lambda handler: answer(handler, code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def redirect(to: str, code: int = 302) -> Answer:
    return status(code, Location=to)


def zipped(body: bytes) -> Answer:
    return lambda handler: answer(handler, 200, gzip.compress(body), {"Content-Encoding": "gzip"})


def endless(piece: bytes, pause: float = 0.0) -> Answer:
    """Sends ``piece`` for ever: fast, or a little now and then."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(piece)
                handler.wfile.flush()
                time.sleep(pause)
        except OSError:
            return

    return send
