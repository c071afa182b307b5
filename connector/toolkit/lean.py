"""Libraries load what they can use, wanted or not; a service keeps in memory for ever what nobody needs there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Within it these modules cannot be imported, as if they were not installed; those that are loaded stay.

    Only for what a library does without: httpx brings a command line of its own, with click, rich and pygments, and
    structlog draws tracebacks with rich (5 MB together).
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


class _Later(ModuleType):
    """Stands for a module, and fetches it when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def later(name: str) -> Iterator[None]:
    """Who imports ``name`` within it loads it only when they use something of it; one that is loaded stays.

    The library of a ticket system imports requests (4 MB) for an engine that ours replaces. (A module of importlib's
    LazyLoader is loaded by the import statement itself in Python 3.11.)
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _Later(name)
    try:
        yield
    finally:
        del sys.modules[name]
