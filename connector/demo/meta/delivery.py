"""Delivering notifications to the connector: one queue a person, retried until it answers 200.

Meta retries at once, then "with decreasing frequency" for up to 7 days, and takes nothing but 200 as an
answer. Unlike Meta, which promises no order, the stand-in keeps the order per person unless a fault says
otherwise, so that a test can ask for disorder when it wants it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from connector.demo.meta import webhooks
from connector.demo.meta.faults import Fault, Faults
from connector.demo.meta.state import Json

RETRY_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
GIVE_UP_SECONDS = 7 * 24 * 3600
TIMEOUT_SECONDS = 20.0
AT_ONCE = 32


@dataclass
class Notification:
    """One webhook on its way. ``key`` keeps the order (a person's id); ``done`` is called after the 200."""

    key: str
    payload: Json
    done: Callable[[], None] | None = None
    attempts: int = 0
    born: float = field(default_factory=time.monotonic)


class Delivery:
    """The way from the stand-in to the connector's webhook.

    ``emitted`` holds the last payloads made (whether delivered or not), ``answers`` the last HTTP answers, 0
    for none. Everything may be called from any thread.
    """

    def __init__(
        self,
        url: str,
        app_secret: str,
        faults: Faults,
        transport: httpx.AsyncBaseTransport | None,
        longest_retry: float = RETRY_SECONDS[-1],
    ) -> None:
        self.url = url
        self.longest_retry = longest_retry
        self.app_secret = app_secret
        self.subscribed = True
        self.emitted: deque[Json] = deque(maxlen=10_000)
        self.answers: deque[int] = deque(maxlen=10_000)
        self._faults = faults
        self._transport = transport
        self._queues: dict[str, deque[Notification]] = {}
        self._early: list[Notification] = []
        self._held: list[Notification] = []
        self._crossing: deque[Callable[..., None]] = deque()  # on the way from another thread
        self._collecting: tuple[Fault, list[Notification]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Start delivering; what was emitted before goes out now. A second call does nothing."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._client = httpx.AsyncClient(
            transport=self._transport, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        )
        early, self._early = self._early, []
        for notification in early:
            self._accept(notification)

    async def stop(self) -> None:
        """Stop delivering. What is still queued stays queued and goes out after another ``start``."""
        if self._loop is None:
            return
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        left = [n for queue in self._queues.values() for n in queue]
        self._queues.clear()
        self._early = left + self._early
        if self._client is not None:
            await self._client.aclose()
        self._loop = self._client = None

    @property
    def waiting(self) -> int:
        """How many notifications have not been answered with 200 yet, held ones included."""
        collecting = len(self._collecting[1]) if self._collecting else 0
        queued = sum(len(q) for q in self._queues.values())
        return queued + len(self._crossing) + len(self._early) + len(self._held) + collecting

    # ------------------------------------------------------------------ in

    def emit(self, notification: Notification) -> None:
        """Queue a notification. Not subscribed to the account: nobody gets it, as with Meta."""
        if not self.subscribed:
            return
        self.emitted.append(notification.payload)
        self._in_loop(self._accept, notification)

    def release(self) -> None:
        """Send what faults have held back or are still collecting."""
        self._in_loop(self._release)

    def _in_loop(self, call: Callable[..., None], *args: Any) -> None:
        """Run in the delivery's own loop, at once when called in it; kept when there is none yet."""
        loop = self._loop
        if loop is None:
            self._early.extend(args)
            return
        try:
            here = asyncio.get_running_loop() is loop
        except RuntimeError:
            here = False
        if here:
            call(*args)
        else:
            self._crossing.append(call)

            def arrive() -> None:
                call(*args)
                self._crossing.popleft()

            loop.call_soon_threadsafe(arrive)

    def _accept(self, notification: Notification) -> None:
        if self._collecting is None:
            fault = self._faults.take_webhook()
            if fault is None:
                return self._queue(notification)
            if fault.webhook == "duplicate":
                self._queue(notification)
                return self._queue(Notification(notification.key, notification.payload))
            if fault.webhook == "hold":
                self._held.append(notification)
                if fault.seconds is not None and self._loop is not None:
                    self._loop.call_later(fault.seconds, self._let_go, notification)
                return None
            self._collecting = (fault, [])
        fault, collected = self._collecting
        collected.append(notification)
        if len(collected) >= fault.count:
            self._finish_collecting()
        return None

    def _finish_collecting(self) -> None:
        if self._collecting is None:
            return
        (fault, collected), self._collecting = self._collecting, None
        if not collected:
            return
        if fault.webhook == "reorder":
            for notification in reversed(collected):
                self._queue(notification)
            return
        entries = [entry for n in collected for entry in n.payload["entry"]]
        callbacks = [n.done for n in collected if n.done is not None]

        def done() -> None:
            for callback in callbacks:
                callback()

        merged = {"object": "whatsapp_business_account", "entry": entries}
        self._queue(Notification(collected[0].key, merged, done))

    def _let_go(self, notification: Notification) -> None:
        if notification in self._held:
            self._held.remove(notification)
            self._queue(notification)

    def _release(self) -> None:
        self._finish_collecting()
        held, self._held = self._held, []
        for notification in held:
            self._queue(notification)

    def _queue(self, notification: Notification) -> None:
        queue = self._queues.setdefault(notification.key, deque())
        queue.append(notification)
        if len(queue) == 1 and self._loop is not None:
            task = self._loop.create_task(self._drain(notification.key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ out

    async def _drain(self, key: str) -> None:
        queue = self._queues[key]
        while queue:
            notification = queue[0]
            if await self._attempt(notification) or time.monotonic() - notification.born > GIVE_UP_SECONDS:
                queue.popleft()
                continue
            pause = RETRY_SECONDS[min(notification.attempts, len(RETRY_SECONDS)) - 1]
            await asyncio.sleep(min(pause, self.longest_retry))
        del self._queues[key]

    async def _attempt(self, notification: Notification) -> bool:
        notification.attempts += 1
        async with self._slots:
            answer = await self.post(webhooks.encode(notification.payload))
        if answer == 200 and notification.done is not None:
            notification.done()
        return answer == 200

    async def post(self, body: bytes) -> int:
        """One signed POST of exactly these bytes. Returns the HTTP status, 0 when there was no answer."""
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": webhooks.sign(body, self.app_secret),
            "User-Agent": "facebookexternalua",
        }
        answer = 0
        with contextlib.suppress(httpx.HTTPError):
            async with self._http() as client:
                answer = (await client.post(self.url, content=body, headers=headers)).status_code
        self.answers.append(answer)
        return answer

    async def get(self, url: str, params: dict[str, str]) -> tuple[int, str]:
        """The verification handshake's GET. Returns HTTP status and body; 0 when there was no answer."""
        with contextlib.suppress(httpx.HTTPError):
            async with self._http() as client:
                response = await client.get(url, params=params)
                return response.status_code, response.text
        return 0, ""

    @contextlib.asynccontextmanager
    async def _http(self) -> Any:
        if self._client is not None and asyncio.get_running_loop() is self._loop:
            yield self._client
            return
        async with httpx.AsyncClient(
            transport=self._transport, timeout=TIMEOUT_SECONDS, trust_env=False
        ) as client:
            yield client
