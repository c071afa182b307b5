"""Virtual time, dice and lives: an event loop whose clock jumps to what is due next, and programs that end anywhere.

Nothing waits. When nothing is runnable the loop's clock is moved to the next timer, so that hours take milliseconds.
Whatever belongs to one run of the product carries its number in its context (``LIFE``); a SIGKILL cancels what that
life has in the loop and refuses what it would add, and keeps its tasks, so that no ``finally`` of it ever runs.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any
from unittest import mock

EPOCH = 1_791_964_800.0
"""Unix seconds at which every history begins: Wednesday, 14 October 2026, 8:00 UTC."""

LIFE: ContextVar[int] = ContextVar("life", default=0)
"""Which run of the product code belongs to; 0 is the world outside, which survives all of them."""
SEAT: ContextVar[int] = ContextVar("seat", default=0)
"""Which virtual thread code runs in."""


class Killed(BaseException):
    """The program ends here. No ``except Exception`` takes it."""


class Stalled(AssertionError):
    """Nothing is runnable and nothing is due: somebody waits for what never comes."""


class _Jumping:
    """In the place of a selector: where a real one would sleep, time passes."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stalled("nothing is runnable and nothing is due")
        if timeout > 0:
            self._loop.now += timeout
        return []

    def close(self) -> None:
        pass


class Loop(asyncio.BaseEventLoop):
    """One thread, one virtual clock that begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.skew = 0.0
        """Seconds that the machine's wall clock is off."""
        self.dead: set[int] = set()
        self.graves: list[Any] = []
        self._selector = _Jumping(self)
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda loop, context: None)

    # --- what BaseEventLoop asks of its kinds

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def time(self) -> float:
        return self.now

    def wall(self) -> float:
        """Unix seconds by the machine's clock."""
        return EPOCH + self.now + self.skew

    def world(self) -> float:
        """Unix seconds as everybody else has them."""
        return EPOCH + self.now

    def monotonic(self) -> float:
        """Seconds that passed; no clock that is set moves them."""
        return 1000.0 + self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """A look into the database takes no time."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    # --- lives

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        context = context if context is not None else copy_context()
        if context.get(LIFE, 0) in self.dead:
            handle = asyncio.Handle(callback, args, self, context)
            handle.cancel()
            return handle
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = context if context is not None else copy_context()
        handle = super().call_at(when, callback, *args, context=context)
        if context.get(LIFE, 0) in self.dead:
            handle.cancel()
        return handle

    def kill(self, life: int) -> None:
        """SIGKILL: nothing of that life runs any more, not even what would tidy up."""
        self.dead.add(life)
        self.graves.append(asyncio.all_tasks(self))
        for handle in [*self._ready, *self._scheduled]:  # type: ignore[attr-defined]
            if handle._context.get(LIFE, 0) == life:
                self.graves.append((handle._callback, handle._args))
                handle.cancel()


@contextmanager
def virtual(loop: Loop, dice: random.Random) -> Iterator[None]:
    """The product's clocks, dice and threads are the loop's for as long as this lasts.

    As libfaketime does it, for the whole process: nothing that the product or a library of it asks can slip by. What
    was bound when a module was loaded (a default argument) has to be given another way.
    """
    from .threads import asleep, to_thread

    def token_bytes(n: int | None = None) -> bytes:
        return dice.randbytes(32 if n is None else n)

    changes = (
        (time, {"time": loop.wall, "monotonic": loop.monotonic, "sleep": asleep(loop)}),
        (secrets, {
            "token_bytes": token_bytes,
            "token_hex": lambda n=None: token_bytes(n).hex(),
            "token_urlsafe": lambda n=None: token_bytes(n).hex(),
            "randbelow": dice.randrange,
        }),
        (random, {"uniform": dice.uniform, "randbytes": dice.randbytes, "random": dice.random}),
        (asyncio, {"to_thread": to_thread}),
    )  # fmt: skip
    patches = [mock.patch.multiple(module, **names) for module, names in changes]
    for patch in patches:
        patch.start()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        for patch in reversed(patches):
            patch.stop()
