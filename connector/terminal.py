"""Where commands print. Made with the first line: a service prints none, and need not load what draws tables (5 MB)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> Console:
    """What was asked for."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def err() -> Console:
    """What is said beside it."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)
