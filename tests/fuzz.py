"""How long the tests that make up their own input look: a little in the gate, longer with ``FUZZ`` (``make fuzz``)."""

from __future__ import annotations

import os

_ROUND = int(os.environ.get("FUZZ") or 0)
_LEAST = 10


def examples(usual: int) -> int:
    """In the gate, where they are the same every time, a quarter of ``usual`` and ten at least, of ``usual`` if that is less;
    ``FUZZ=5`` takes five times ``usual``, and others every time."""
    return usual * _ROUND if _ROUND else max(usual // 4, min(usual, _LEAST))
