"""A bad network with a seed: an HTTP/1.1 proxy that delays, loses, refuses, repeats and reorders.

Each request gets a fate. It depends on the seed, the way, the kind of request and how many of that kind went
before, and on nothing else: the same seed plays the same script. One connection carries one request.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

CLEAN = "pass"
DELAY = "delay"
BEFORE = "dropped before"
AFTER = "dropped after"
LATE = "dropped, arrives late"
TWICE = "twice"
CUT = "answer cut short"
THROTTLED = "429"
REFUSED = "5xx before"
LOST = "5xx after"

LONGEST_DELAY = 1.0
"""Seconds a request is held back at most before the server sees it."""
LONGEST_LATE = 2.5
"""Seconds after which a request whose sender was cut off still reaches the server, at most."""

_HEAD_LIMIT = 64 * 1024
_REASONS = {
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_ID = re.compile(r"(?<=/)[0-9A-Za-z_.-]*\d{3,}[0-9A-Za-z_.-]*|(?<=/)\d+(?=[./]|$)")


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one request."""

    kind: str = CLEAN
    seconds: float = 0.0
    status: int = 0
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole."""

    method: str
    target: str
    head: bytes
    body: bytes

    @property
    def kind(self) -> str:
        """``POST /issues.json``, ``PUT /issues/N``: the method and the path without ids and query."""
        path = self.target.partition("?")[0]
        return f"{self.method} {_ID.sub('N', path)}"


class Script:
    """The faults of one way: ``rate`` of all requests suffer one of those that can happen to their kind."""

    def __init__(self, seed: int, name: str, rate: float) -> None:
        self.seed, self.name, self.rate = seed, name, rate
        self._count: Counter[str] = Counter()
        self.calm = False

    def next(self, kind: str) -> Fate:
        """The fate of the next request of that kind."""
        self._count[kind] += 1
        return CALM if self.calm else self.fate(kind, self._count[kind])

    def fate(self, kind: str, n: int) -> Fate:
        """The fate of the ``n``-th request of that kind."""
        dice = random.Random(f"{self.seed}/{self.name}/{kind}/{n}")
        if dice.random() >= self.rate:
            return CALM
        chosen = dice.choice(self.possible(kind))
        return Fate(
            chosen,
            dice.uniform(0.05, LONGEST_LATE if chosen in (LATE, TWICE) else LONGEST_DELAY),
            dice.choice((500, 502, 503)) if chosen in (REFUSED, LOST) else 429,
            dice.choice((1, 1, 2)),
        )

    def possible(self, kind: str) -> Sequence[str]:
        """What a network, a gateway or an overloaded server can do to a request of that kind."""
        if self.name == "webhook":
            # Meta repeats what was not answered with 200, and promises no order
            return (DELAY, BEFORE, AFTER, LATE, TWICE, REFUSED, LOST)
        if kind.startswith("GET "):
            return (DELAY, BEFORE, AFTER, CUT, TWICE, THROTTLED, REFUSED)
        return (DELAY, BEFORE, AFTER, LATE, CUT, THROTTLED, REFUSED, LOST)


CALM = Fate()


@dataclass
class Proxy:
    """Listens on a loopback port and passes to the first of ``servers()`` that can be reached.

    ``servers`` are ports, tried in turn, as a load balancer does. ``played`` counts what really happened.
    """

    script: Script
    servers: Callable[[], Sequence[int]]
    port: int = 0
    played: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unreachable: int = 0
    _turn: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, limit=_HEAD_LIMIT, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            request = await read_request(reader)
            if request is not None:
                await self._suffer(request, self.script.next(request.kind), writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # who asked has gone: killed, or out of patience
        except asyncio.CancelledError:
            if self._server is not None and self._server.is_serving():
                raise
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _suffer(self, request: Request, fate: Fate, writer: asyncio.StreamWriter) -> None:
        self.kinds[request.kind] += 1
        if fate.kind == BEFORE:
            self._count(fate)
            return _abort(writer)
        if fate.kind in (THROTTLED, REFUSED):
            self._count(fate)
            return await _send(writer, self._refusal(fate))
        if fate.kind == LATE:
            self._count(fate)
            _abort(writer)
            await asyncio.sleep(fate.seconds)
            await self._pass(request)
            return None
        if fate.kind == DELAY:
            await asyncio.sleep(fate.seconds)
        answer = await self._pass(request)
        if answer is None:
            return await _send(writer, _plain(502))
        if fate.kind is not CLEAN:
            self._count(fate)
        if fate.kind == AFTER:
            return _abort(writer)
        if fate.kind == LOST:
            return await _send(writer, _plain(fate.status))
        if fate.kind == CUT:
            await _send(writer, answer[: max(1, len(answer) * 2 // 3)])
            return _abort(writer)
        await _send(writer, answer)
        if fate.kind == TWICE:
            await asyncio.sleep(fate.seconds)
            await self._pass(request)
        return None

    def _count(self, fate: Fate) -> None:
        self.played[fate.kind] += 1

    def _refusal(self, fate: Fate) -> bytes:
        if fate.kind == THROTTLED and self.script.name == "meta":
            # Meta says with a code of its own which limit it was (CLOUD-API.md 10)
            error = {"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
            body = json.dumps({"error": {**error, "fbtrace_id": "campaign"}}).encode()
            return _answer(429, body, "application/json", fate.retry_after)
        return _plain(fate.status, fate.retry_after if fate.kind == THROTTLED else 0)

    async def _pass(self, request: Request) -> bytes | None:
        """The whole answer of the server, None when none can be reached or it went away."""
        ports = list(self.servers())
        self._turn += 1
        for i in range(len(ports)):
            port = ports[(self._turn + i) % len(ports)]
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            try:
                writer.write(request.head + request.body)
                await writer.drain()
                answer = await reader.read(-1)
            except OSError:
                answer = b""
            finally:
                writer.close()
            if not answer:
                break  # it went away with the request in hand: nobody knows what it did
            return answer
        self.unreachable += 1
        return None


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request, changed to ask for the end of the connection after the answer; None at the end."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = raw[:-4].split(b"\r\n")
    method, target, _ = lines[0].decode("latin-1").split(" ", 2)
    length, kept = 0, [lines[0]]
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        match name.strip().lower():
            case b"content-length":
                length = int(value)
            case b"transfer-encoding":
                raise ConnectionError("a request in chunks: not expected of these clients")
            case b"connection" | b"keep-alive":
                continue
        kept.append(line)
    head = b"\r\n".join([*kept, b"Connection: close", b"", b""])
    return Request(method, target, head, await reader.readexactly(length))


def _answer(status: int, body: bytes, kind: str, retry_after: int = 0) -> bytes:
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    if retry_after:
        head += f"Retry-After: {retry_after}\r\n"
    return (head + "Connection: close\r\n\r\n").encode() + body


def _plain(status: int, retry_after: int = 0) -> bytes:
    return _answer(status, b"<html><body>the network of the campaign</body></html>", "text/html", retry_after)


async def _send(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.abort()
