"""Virtual threads: blocking code in one real thread, others going on while it waits for the network or a commit."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from greenlet import getcurrent, greenlet

from .clock import LIFE, SEAT

__all__ = ["Local", "asleep", "in_thread", "to_thread", "wait_for"]

_taken: set[tuple[int, int]] = set()


class _Thread(greenlet):
    """A thread that hands what it waits for to whoever drives it."""

    def __init__(self, func: Callable[[], Any]) -> None:
        driver = getcurrent()
        super().__init__(func, driver)
        self.gr_context = driver.gr_context


async def _driven(func: Callable[[], Any]) -> Any:
    thread = _Thread(func)
    said = thread.switch()
    while not thread.dead:
        try:
            value = await said
        except BaseException:
            said = thread.throw(*sys.exc_info())
        else:
            said = thread.switch(value)
    return said


def in_thread() -> bool:
    """Whether this is a virtual thread, which may wait."""
    return isinstance(getcurrent(), _Thread)


async def to_thread(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """``asyncio.to_thread``: as with a real thread, what was begun goes on though its waiter was cancelled."""
    work = asyncio.get_running_loop().create_task(_seated(partial(func, *args, **kwargs)))
    return await asyncio.shield(work)


async def _seated(func: Callable[[], Any]) -> Any:
    life = LIFE.get()
    seat = next(n for n in range(1, 10_000) if (life, n) not in _taken)
    _taken.add((life, seat))
    SEAT.set(seat)
    try:
        return await _driven(func)
    finally:
        _taken.discard((life, seat))


def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Block this virtual thread until that is done."""
    if in_thread():
        return getcurrent().parent.switch(coroutine)
    loop = asyncio.get_event_loop_policy().get_event_loop()
    if loop.is_running():
        coroutine.close()
        raise AssertionError("a blocking call outside of a thread would stop the event loop")
    return loop.run_until_complete(coroutine)


_sleep = time.sleep


def asleep(loop: asyncio.AbstractEventLoop) -> Callable[[float], None]:
    """``time.sleep``: of a virtual thread, of a test (the loop runs for so long), or of a thread that has no part here."""
    here = threading.current_thread()

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not here:
            _sleep(seconds)
        elif in_thread():
            wait_for(asyncio.sleep(seconds))
        else:
            loop.run_until_complete(asyncio.sleep(seconds))

    return sleep


class Local:
    """``threading.local()`` for virtual threads, which take turns on seats as real ones in a pool do."""

    def __init__(self) -> None:
        object.__setattr__(self, "_seats", {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self._seats[SEAT.get()][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._seats.setdefault(SEAT.get(), {})[name] = value
