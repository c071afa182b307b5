"""Where commands print. Made with the first line: a service prints none, and need not load what draws tables (5 MB)."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_OBEYED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Signs that JSON does not escape by itself and that a terminal obeys."""


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


def as_json(found: Any) -> str:
    """The data, with nothing in it that moves the cursor of whoever reads it, or turns its direction."""
    text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
    return _OBEYED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
