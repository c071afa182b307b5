"""The network between the product and the stand-ins: every call has a fate, and takes virtual time.

The product's clients get transports that lead here (``through``); the other side is an ASGI application called in the
world's own context, so that what was sent is carried out though its sender died.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from unittest import mock

import httpx

from connector.demo.meta.errors import GraphError
from connector.toolkit import http, transports

from . import threads
from .clock import Loop

App = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one call. Times in seconds."""

    before: float = 0.02
    """Until it arrives."""
    after: float = 0.02
    """From there to the answer."""
    refused: bool = False
    """No connection: nothing arrives."""
    lost: str = ""
    """«before» or «after» its effect the connection breaks."""
    status: int = 0
    """Answered with this, by something in front of it."""
    effect: bool = True
    """Carried out all the same, though ``status`` says otherwise."""
    error: int = 0
    """Refused by WhatsApp with this code: not carried out."""
    retry_after: int = 0
    dies: str = ""
    """The program dies when it is about to be made («before»), or when it has been carried out («after»)."""


@dataclass(slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Cut(Exception):
    """The other side hung up."""


async def ask(app: App, request: httpx.Request, body: bytes) -> Answer:
    """One request to an ASGI application. Raises ``Cut``."""
    url = request.url
    answer = Answer(0, [], b"")
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    path, _, query = url.raw_path.partition(b"?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
        "scheme": url.scheme, "path": url.path, "raw_path": path, "query_string": query, "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1), "server": (url.host, url.port or 80),
    }  # fmt: skip
    try:
        await app(scope, receive, send)
    except (httpx.HTTPError, ConnectionError) as error:
        raise Cut from error
    if not answer.status:
        raise Cut
    return answer


class Network:
    """Between everybody. ``fate`` decides about a call when it is made; ``trace`` is told of each and what became of it."""

    def __init__(
        self,
        loop: Loop,
        fate: Callable[[str, httpx.Request], Fate],
        trace: Callable[[str], None],
        die: Callable[[], None],
        route: Callable[[httpx.Request], tuple[str, App | None, Context]],
    ) -> None:
        self.loop = loop
        self.fate = fate
        self.trace = trace
        self.die = die
        self.route = route
        self.date: Callable[[], float] = loop.world
        """What servers say the time is."""
        self.outside = copy_context()
        self.calls = 0

    async def call(self, request: httpx.Request, seconds: float) -> httpx.Response:
        """Carry out one call of a client that waits for ``seconds`` at most."""
        check = transports._fence.get()
        body = await request.aread()
        if check is not None and request.method not in ("GET", "HEAD"):
            check()
        self.calls += 1
        answered: asyncio.Future[Answer] = self.loop.create_future()
        self.loop.create_task(self._carry(request, body, answered, self.calls), context=self.outside.copy())
        try:
            async with asyncio.timeout(float(request.extensions.get("deadline", seconds))):
                answer = await answered
        except TimeoutError:
            raise httpx.ReadTimeout("deadline of the whole call", request=request) from None
        stream = httpx.ByteStream(answer.body)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream, request=request)

    async def _carry(
        self, request: httpx.Request, body: bytes, answered: asyncio.Future[Answer], number: int
    ) -> None:
        try:
            answer = await self._done(request, body, number)
        except httpx.HTTPError as error:
            if not answered.done():
                answered.set_exception(error)
            return
        if not answered.done():
            answered.set_result(answer)

    async def _done(self, request: httpx.Request, body: bytes, number: int) -> Answer:
        name, app, context = self.route(request)
        what = f"{number} {name} {request.method} {request.url.path}"
        fate = self.fate(name, request)
        self.trace(f"call {what}")
        if fate.dies == "before":
            self.die()
            await asyncio.Event().wait()
        await asyncio.sleep(fate.before)
        if fate.refused or app is None:
            self.trace(f"  {number} refused")
            raise httpx.ConnectError("connection refused", request=request)
        if fate.lost == "before":
            self.trace(f"  {number} lost before")
            raise httpx.ReadError("connection reset", request=request)
        answer = None
        if fate.error:
            refusal = json.dumps(GraphError(fate.error).body()).encode()
            answer = Answer(400, [(b"content-type", b"application/json")], refusal)
        elif fate.effect:
            try:
                answer = await self.loop.create_task(ask(app, request, body), context=context)
            except Cut:
                self.trace(f"  {number} cut")
                raise httpx.RemoteProtocolError("the server hung up", request=request) from None
        if fate.dies == "after":
            self.die()
            await asyncio.Event().wait()
        await asyncio.sleep(fate.after)
        if fate.lost == "after":
            self.trace(f"  {number} lost after")
            raise httpx.ReadError("connection reset", request=request)
        if fate.status or answer is None:
            headers = [(b"retry-after", str(fate.retry_after).encode())] if fate.retry_after else []
            answer = Answer(fate.status, headers, b"")
        if not any(name == b"date" for name, _ in answer.headers):
            answer.headers.append((b"date", formatdate(self.date(), usegmt=True).encode()))
        self.trace(f"  {number} {answer.status}{' (carried out)' if fate.status and fate.effect else ''}")
        return answer


class AsyncWire(httpx.AsyncBaseTransport):
    """For clients of asyncio."""

    def __init__(self, network: Network, seconds: float = 20) -> None:
        self._network, self._seconds = network, seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._network.call(request, self._seconds)


class Wire(httpx.BaseTransport):
    """For clients in virtual threads."""

    def __init__(self, network: Network, seconds: float) -> None:
        self._network, self._seconds = network, seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = threads.wait_for(self._network.call(request, self._seconds))
        assert isinstance(response, httpx.Response)
        return response


@contextmanager
def through(network: Network) -> Iterator[None]:
    """The product's clients call through this network."""

    def wire(seconds: float, *_: Any) -> Wire:
        return Wire(network, seconds)

    def async_wire(seconds: float, *_: Any) -> AsyncWire:
        return AsyncWire(network, seconds)

    with mock.patch.multiple(http, DeadlineTransport=wire, AsyncDeadlineTransport=async_wire):
        yield
