"""Faults on demand: what goes wrong with the next matching calls, and with the next webhooks.

A fault is a JSON object, consumed after ``count`` (default 1) matching calls, in the order in which it was
given:

    {"match": "messages", "error": 131056, "http": 429, "retry_after": 5}  refuse with Meta's error body
    {"match": "messages", "http": 502}                               a proxy's HTML page instead of JSON
    {"match": "messages", "drop": "before" | "after"}                hang up before or after doing the work
    {"match": "messages", "failed": 131049}                          accept, then report failed by webhook
    {"match": "media", "delay": 2.0}                                 answer after so many seconds
    {"webhook": "duplicate" | "reorder" | "hold" | "batch", "count": n}   to the next n webhooks

``match`` is messages (sending), read (mark as read, typing), media (upload), media_url, download, templates
or any. ``delay`` combines with the others. Held webhooks go out after ``seconds`` if given, else on
{"webhook": "release"}.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MATCHES = ("messages", "read", "media", "media_url", "download", "templates", "any")
WEBHOOKS = ("duplicate", "reorder", "hold", "batch", "release")
_KEYS = {"match", "error", "http", "retry_after", "drop", "delay", "failed", "webhook", "count", "seconds"}
_NUMBERS = ("error", "http", "retry_after", "delay", "failed", "seconds")


@dataclass
class Fault:
    """One fault; see the module for the meaning of the fields."""

    match: str | None = None
    error: int | None = None
    http: int | None = None
    retry_after: float | None = None
    drop: str | None = None
    delay: float = 0.0
    failed: int | None = None
    webhook: str | None = None
    seconds: float | None = None
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """The fault with what is set."""
        return {k: v for k, v in vars(self).items() if v not in (None, 0.0)}


def parse(data: Any) -> Fault:
    """One fault from JSON. Raises ``ValueError`` with a sentence when it is none."""
    if not isinstance(data, dict):
        raise ValueError("A fault is a JSON object.")
    if unknown := set(data) - _KEYS:
        raise ValueError(
            f"Unknown key in a fault: {sorted(unknown)[0]}. Known are {', '.join(sorted(_KEYS))}."
        )
    if ("match" in data) == ("webhook" in data):
        raise ValueError("A fault has either «match» or «webhook».")
    if "match" in data and data["match"] not in MATCHES:
        raise ValueError(f"«match» is one of {', '.join(MATCHES)}.")
    if "webhook" in data and data["webhook"] not in WEBHOOKS:
        raise ValueError(f"«webhook» is one of {', '.join(WEBHOOKS)}.")
    if data.get("drop") not in (None, "before", "after"):
        raise ValueError("«drop» is before or after.")
    for key in _NUMBERS:
        if isinstance(data.get(key, 0), bool) or not isinstance(data.get(key, 0), int | float):
            raise ValueError(f"«{key}» is a number.")
    default = 2 if data.get("webhook") in ("reorder", "batch") else 1
    if not isinstance(data.get("count", default), int) or data.get("count", default) < 1:
        raise ValueError("«count» is a whole number from 1 on.")
    return Fault(**{"count": default, **data})


@dataclass
class Faults:
    """The faults that wait for a call."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, match: str) -> Fault | None:
        """The fault for a call of this kind, consumed once; None when nothing goes wrong."""
        return self._consume(lambda f: f.match in (match, "any"))

    def take_webhook(self) -> Fault | None:
        """The fault for the next webhook; ``reorder`` and ``batch`` are taken whole."""
        return self._consume(lambda f: f.webhook is not None)

    def _consume(self, wanted: Any) -> Fault | None:
        for fault in self.waiting:
            if wanted(fault):
                if fault.webhook not in ("reorder", "batch"):
                    fault.count -= 1
                if fault.count < 1 or fault.webhook in ("reorder", "batch"):
                    self.waiting.remove(fault)
                return fault
        return None
