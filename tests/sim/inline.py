"""The store without its threads: writes that queue up are committed together by the event loop, a moment later.

Each commit is a place where the program can die, before it or after it, and where the disk can be full.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from connector.core.errors import NotKept
from connector.storage.store import Connection, Store, _Job
from connector.toolkit.privacy import Sealer

from . import threads
from .clock import Killed, Loop

T = TypeVar("T")
COMMIT = 0.001
"""Seconds that writes take to be committed; what comes meanwhile goes along."""


class InlineStore(Store):
    """``commit`` is asked before and after each: it may raise ``Killed`` or ``NotKept``."""

    def __init__(self, loop: Loop, url: str, sealer: Sealer, commit: Callable[[str], None]) -> None:
        self._loop = loop
        self._hook = commit
        self._waiting: list[_Job] = []
        super().__init__(url, sealer)

    def _begin_writing(self) -> None:
        pass

    def _put(self, job: _Job) -> None:
        super()._put(job)
        item = self._queue.get_nowait()
        assert item is not None
        if not self._waiting:
            self._loop.call_later(COMMIT, self._drain)
        self._waiting.append(item)

    def _drain(self) -> None:
        group, self._waiting = self._waiting, []
        if group:
            self._commit(group)

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._hook("before")
        except NotKept as error:
            self.trouble = str(error)
            for job in group:
                job.error = NotKept(str(error))
            self._settle(group)
            return
        super()._commit(group)
        self._hook("after")

    def write_now(self, job: Callable[[Connection], T]) -> T:
        if threads.in_thread():
            result: T = threads.wait_for(self.write(job))
            return result
        self._drain()
        future: Future[Any] = Future()
        from contextvars import copy_context

        self._commit([_Job(job, copy_context(), future)])
        return future.result()

    def close(self) -> None:
        if not self._closed:
            self._drain()
        self._closed = True
        self.leave()

    def leave(self) -> None:
        """What the system does with a process that is gone: its files are closed."""
        self._writer.dispose()
        self._reader.dispose()
        if self._lock is not None:
            self._lock.close()


__all__ = ["COMMIT", "InlineStore", "Killed"]
