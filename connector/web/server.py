"""The web server of ``connector run``: serves until it is told to stop, and is gone within ten seconds."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from connector.toolkit.observe import get_logger

from .connections import Limits, limited

log = get_logger(__name__)

_REQUESTS = 3
"""Seconds that requests which are being answered get; who sends them does so again."""
_KEPT = 130
"""Seconds that a connection is kept after an answer: longer than proxies keep theirs (nginx 60, Caddy 120), or one would hand a
notification to a connection that is just being closed, and tell WhatsApp that it failed."""
_LONGEST = 9.5
"""Seconds after which the process ends whatever still hangs. What is on disk by then is whole."""
_STARTUP_FAILED = 3
"""Uvicorn's exit code for a port that is taken and an application that does not start."""


def serve(app: Starlette, host: str, port: int, stopping: Callable[[bool], None]) -> None:
    """Serve ``app`` until SIGTERM or SIGINT, then return; a second signal makes it hurry.

    ``stopping`` is called from the signal handler at once, with True when it is to hurry: the application's own
    shutdown comes only after requests were answered. Exits with 1 when the server does not start, or does not stop.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        http=limited(Limits()),
        ws="none",
        timeout_graceful_shutdown=_REQUESTS,
        timeout_keep_alive=_KEPT,
    )
    # uvicorn stops gracefully and then raises the signals again: this makes that a clean exit
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: sys.exit(0))
    code: int | str | None = 0
    try:
        _Server(config, stopping).run()
    except SystemExit as leaving:
        code = 1 if leaving.code == _STARTUP_FAILED else leaving.code
    if any(not t.daemon for t in threading.enumerate() if t is not threading.main_thread()):
        # A thread that waits for a tracker cannot be ended and would be waited for. Its row was given back.
        _leave(code if isinstance(code, int) else 1)
    sys.exit(code)


@asynccontextmanager
async def threads() -> AsyncIterator[None]:
    """Calls in threads (``asyncio.to_thread``) are waited for as long as they are wanted, and not any longer."""
    asyncio.get_running_loop().set_default_executor(_Threads(thread_name_prefix="call"))
    yield


class _Threads(ThreadPoolExecutor):
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The event loop's end would wait here for a call that hangs until its own timeout."""
        super().shutdown(wait=False, cancel_futures=True)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, stopping: Callable[[bool], None]) -> None:
        super().__init__(config)
        self._told = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        again = self.should_exit
        self._captured_signals.append(sig)
        self.should_exit = True
        self.force_exit = again  # requests are not waited for any longer
        self._told(again)
        if not again:
            watch = threading.Timer(_LONGEST, _too_long)
            watch.daemon = True
            watch.start()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup()
        # What a start leaves stays for good. Looked through for garbage with each round it cost a tenth of the processor,
        # and one webhook in a hundred waited three times as long.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().shutdown()
        if self.force_exit:
            await self.lifespan.shutdown()  # uvicorn would leave it out, and with it what gives rows back


def _too_long() -> None:
    log.error("the service did not stop in time and ends now; what it had in hand is taken up again")
    _leave(1)


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
