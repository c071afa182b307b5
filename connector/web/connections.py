"""What one connection may take of the server: time, bytes, and a place among others.

uvicorn limits none of that: a client that sends nothing, a byte a minute or headers without an end is kept for ever.
A proxy in front (deploy/proxy) does the same better; this holds without one, too.
"""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector.toolkit.observe import get_logger

log = get_logger(__name__)

_SAID = 60.0
"""Closed connections are spoken of once in so many seconds: who opens them must not fill the log as well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds and bytes."""

    head: float = 10
    """From the connection, or the end of the last answer, to the end of the request's head."""
    body: float = 30
    """From there to the end of its body. WhatsApp needs less than a second."""
    answer: float = 60
    """From there to the end of the answer, also for a client that does not take it."""
    head_bytes: int = 65_536
    most: int = 0
    """Connections at a time; 0: half of the files that the process may open, 1000 at most."""

    def connections(self) -> int:
        """How many at a time."""
        return self.most or min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


def limited(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with these limits, for one server (``Config(http=…)``)."""
    most = limits.connections()
    waiting: dict[Any, None] = {}
    told = _Told()

    class Limited(HttpToolsProtocol):
        """A connection that gets on, or is closed."""

        _due: asyncio.TimerHandle | None = None
        _reading_head = True
        _head = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            waiting[self] = None
            self._within(limits.head)
            if len(self.connections) > most:
                # Whoever has been asked longest to say what they want goes. A request that came is answered.
                next(iter(waiting), self)._leave("there were too many connections")

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            self._within(None)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._due is None and (self.cycle is None or self.cycle.response_complete):
                self._within(limits.head)
            if self._reading_head:
                self._head += len(data)
            super().data_received(data)
            if self._reading_head and self._head > limits.head_bytes:
                self._leave("the head of a request was too large")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._reading_head = True
            if self._due is None:
                self._within(limits.head)

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._reading_head, self._head = False, 0
            self._within(limits.body)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            waiting.pop(self, None)
            self._within(None if self.cycle.response_complete else limits.answer)

        def on_response_complete(self) -> None:
            queued = bool(self.pipeline)
            super().on_response_complete()
            if queued:
                self._within(limits.answer)
                return
            waiting[self] = None
            if not self.cycle.more_body:
                self._within(None)

        def _within(self, seconds: float | None) -> None:
            """Something has to be done so soon; None: nothing has."""
            if self._due is not None:
                self._due.cancel()
            self._due = (
                None if seconds is None else self.loop.call_later(seconds, self._leave, "it took too long")
            )

        def _leave(self, why: str) -> None:
            if self.transport is not None and not self.transport.is_closing():
                told.of(why)
                # not closed: that would wait for a client that takes nothing
                self.transport.abort()

    return Limited


class _Told:
    """Counts what was closed, and says so now and then."""

    def __init__(self) -> None:
        self.count = 0
        self.at = 0.0

    def of(self, why: str) -> None:
        self.count += 1
        now = time.monotonic()
        if not self.at or now - self.at > _SAID:
            log.warning("connections were closed", reason=why, count=self.count)
            self.count, self.at = 0, now
