"""Server-sent events: every change, so that a page can refresh (``GET /_redmine/events``)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS = 15.0


class Events:
    """Passes changes on to all who listen, from any thread."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[str], asyncio.AbstractEventLoop] = {}

    def publish(self, issue: int, kind: str) -> None:
        """Tell that an issue changed; ``kind`` is created, updated, note_edited, file_deleted, watched or deleted."""
        line = json.dumps({"issue": issue, "kind": kind})
        for queue, loop in list(self._listeners.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, line)

    def stream(self) -> StreamingResponse:
        """An endless answer of ``data: {"issue": 7, "kind": "updated"}``."""
        return StreamingResponse(
            self._lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _lines(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._listeners[queue] = asyncio.get_running_loop()
        try:
            yield ": connected\n\n"
            while True:
                try:
                    yield f"data: {await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)}\n\n"
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            del self._listeners[queue]
