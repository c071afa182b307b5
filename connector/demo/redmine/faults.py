"""Faults on demand: a server that is down, slow, or hangs up before or after it has done the work.

``POST /_redmine/faults`` takes a list of them, in JSON:

    {"match": "POST /issues.json", "http": 503, "retry_after": 5}      answer this instead, nothing is done
    {"match": "POST /issues.json", "http": 500, "commit": "before"}    do the work, then answer this
    {"match": "PUT /issues/*", "drop": "before"}                       hang up, nothing is done
    {"match": "PUT /issues/*", "drop": "after"}                        do the work, then hang up
    {"match": "*", "delay": 2.5, "commit": "before"}                   do the work, answer 2.5 seconds later
    {"match": "*", "delay": 2.5, "commit": "after"}                    do the work 2.5 seconds later (default)
    {"match": "*", "delay": 2.5, "stamp": "before"}                    the same, with the times of the arrival

``match`` is «METHOD /path» without the query, with ``*`` and ``?`` as wild cards, or ``*``; each fault serves one matching
request, or ``times`` of them. ``GET`` lists those left, ``DELETE`` drops them. The last form is a slow
transaction: it becomes visible with an older ``updated_on``, which a poll without overlap misses.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTROL = "/_redmine"
"""Addresses of the stand-in itself, where no fault applies."""


@dataclass(slots=True)
class Fault:
    """One fault; ``delay`` and ``retry_after`` are in seconds."""

    match: str = "*"
    http: int | None = None
    retry_after: int | None = None
    drop: str | None = None
    delay: float = 0.0
    commit: str = "after"
    stamp: str = "after"
    times: int = 1

    def __post_init__(self) -> None:
        for name, allowed in (("drop", (None, "before", "after")), ("commit", ("before", "after"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"fault: {name} is «before» or «after», not {getattr(self, name)!r}")

    def fits(self, request: str) -> bool:
        return self.match == "*" or fnmatchcase(request, self.match)


class Faults:
    """The faults waiting to happen, in order."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault | dict[str, Any]) -> None:
        """Add faults; raises TypeError or ValueError for one that is not understood."""
        self._waiting += [f if isinstance(f, Fault) else Fault(**f) for f in faults]

    def clear(self) -> None:
        self._waiting.clear()

    def left(self) -> list[dict[str, Any]]:
        return [asdict(f) for f in self._waiting]

    def take(self, request: str) -> Fault | None:
        """The first fault that fits «METHOD /path»; it is used up by that."""
        for fault in self._waiting:
            if fault.fits(request):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to ``app``, with the fault that fits it."""
        path = scope.get("path", "")
        fault = None
        if scope["type"] == "http" and not path.startswith(CONTROL):
            fault = self.take(f"{scope['method']} {path}")
        if fault is None:
            await app(scope, receive, send)
            return
        await _suffer(fault, app, scope, await _whole(receive), receive, send)


async def _suffer(
    fault: Fault, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    if fault.stamp == "before":
        scope["redmine.now"] = scope["redmine.clock"]()
    answer: list[Message] = []
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def keep(message: Message) -> None:
        answer.append(message)

    early = fault.commit == "before" or fault.drop == "after"
    if early:
        await app(scope, replay, keep)
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.drop:
        _hang_up(send)
        return
    if fault.http is not None:
        answer = _error(fault)
    elif not early:
        await app(scope, replay, keep)
    for message in answer:
        await send(message)


async def _whole(receive: Receive) -> bytes:
    """The whole body, so that a request can be carried out after its client has gone."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return b"".join(parts)


def _error(fault: Fault) -> list[Message]:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"0")]
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    start: Message = {"type": "http.response.start", "status": fault.http, "headers": headers}
    return [start, {"type": "http.response.body", "body": b""}]


def _hang_up(send: Send) -> None:
    """Cut the connection without an answer. Uvicorn's ``send`` belongs to the object that has the transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("fault: the connection ends here")
    transport.abort()
