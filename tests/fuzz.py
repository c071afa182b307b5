"""How long the tests that make up their own input look: a little in the gate, longer with ``FUZZ`` (``make fuzz``)."""

from __future__ import annotations

import os

_FACTOR = max(1, int(os.environ.get("FUZZ") or 1))


def examples(gate: int) -> int:
    """So many in the gate, where they are the same every time; ``FUZZ=10`` takes ten times as many, and others."""
    return gate * _FACTOR
