"""The demo (product and both stand-ins) in this process, on virtual time and without sockets, for tests that say what happens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from connector import wiring
from connector.commands.demo import Demo
from connector.config.settings import Settings
from connector.feeds import reading
from connector.toolkit.privacy import Sealer

from .clock import Loop, virtual
from .inline import InlineStore
from .network import Answer, App, AsyncWire, Fate, Network, ask, through
from .threads import Local

PORT = 8000
CALL = 0.02
"""Seconds that pass with each call of a test."""


@dataclass
class Stage:
    demo: Demo
    loop: Loop
    network: Network


class _Outside(httpx.BaseTransport):
    """For clients of a test: the loop runs until they have their answer."""

    def __init__(self, network: Network, loop: Loop) -> None:
        self._network, self._loop = network, loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        _, app, _ = self._network.route(request)
        if app is None:
            raise httpx.ConnectError("connection refused", request=request)
        self._loop.now += CALL
        asked = ask(app, request, body)
        answer = _at_once(asked) if self._loop.is_running() else self._loop.run_until_complete(asked)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body), request=request
        )


def _at_once(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Of an application that waits for nothing, while the loop is in the middle of something."""
    try:
        asked.send(None)
    except StopIteration as ended:
        answer: Answer = ended.value
        return answer
    raise AssertionError("the stand-in would have to wait")


async def _read_here(
    what: str, content: bytes, *, kind: str, url: str, zone: str, now: float, seconds: float = 0
) -> Any:
    return reading.document({"what": what, "kind": kind, "url": url, "zone": zone, "now": now}, content)


@contextmanager
def virtual_demo(
    folder: Path, database: str = "", mapping: Path | None = None, seed: int = 0
) -> Iterator[Stage]:
    """The demo, not started. While it lasts this process lives on its time."""
    loop = Loop()
    stage: Stage

    def opened(settings: Settings, **_: Any) -> InlineStore:
        sealer = Sealer(settings.privacy.key.get_secret_value())
        return InlineStore(loop, settings.database_url, sealer, lambda when: None)

    def route(request: httpx.Request) -> tuple[str, App | None, Context]:
        here = request.url.host == "127.0.0.1" and request.url.port == PORT
        return "demo", stage.demo._dispatch if here else None, network.outside.copy()

    network = Network(loop, lambda name, request: Fate(0.004, 0.004), lambda line: None, lambda: None, route)
    with ExitStack() as stack:
        stack.enter_context(virtual(loop, random.Random(f"stage {seed}")))
        stack.enter_context(through(network))
        stack.enter_context(mock.patch.object(wiring, "open_store", opened))
        stack.enter_context(mock.patch.object(reading, "read", _read_here))
        stack.enter_context(mock.patch("httpx._client.HTTPTransport", lambda **_: _Outside(network, loop)))
        demo = Demo(PORT, folder, database=database, mapping=mapping)
        demo.meta.delivery._transport = AsyncWire(network)
        demo.meta._clock = loop.world
        assert demo.redmine is not None
        demo.redmine.clock = loop.world
        for town in demo.service.towns.values():
            tracker: Any = town.tracker
            tracker.http._local = Local()
            tracker.feed._clock = loop.monotonic
        stage = Stage(demo, loop, network)
        yield stage
        for town in demo.service.towns.values():
            loop.run_until_complete(town.whatsapp.aclose())
            loop.run_until_complete(town.bulk.aclose())
        demo.service.store.close()
        loop.run_until_complete(asyncio.sleep(0))
