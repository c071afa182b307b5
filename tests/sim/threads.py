"""Virtual threads: blocking code in one real thread, others going on while it waits for the network or a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sqlalchemy.util import await_only, greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from .clock import LIFE, SEAT

__all__ = ["Local", "to_thread", "wait_for"]

_taken: set[tuple[int, int]] = set()


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
        return await greenlet_spawn(func)
    finally:
        _taken.discard((life, seat))


def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Block this virtual thread until that is done."""
    if not in_greenlet():
        coroutine.close()
        raise AssertionError("a blocking call outside of a thread would stop the event loop")
    return await_only(coroutine)


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
