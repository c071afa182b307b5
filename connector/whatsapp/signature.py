"""Is this request Meta's? Signature of notifications, and the verification handshake (CLOUD-API.md 1)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from .limits import CHALLENGE

_HEADER = re.compile(rb"sha256=([0-9a-f]{64})")


def verify(body: bytes, header: str | bytes | None, secrets: Sequence[str]) -> bool:
    """Whether ``header`` (``X-Hub-Signature-256``) is the HMAC-SHA256 of raw ``body`` under an app secret.

    Several ``secrets`` are tried, in constant time: while one is rotated, Meta signs with the old or the new
    one. Empty secrets fit nothing. Call it on the bytes as they came, before anything parses them.
    """
    raw = header.encode("utf-8", "replace") if isinstance(header, str) else header or b""
    found = _HEADER.fullmatch(raw)
    given = found[1] if found else b""
    fits = False
    for secret in secrets:
        wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        fits |= hmac.compare_digest(wanted, given) and bool(secret)
    return fits


def handshake(query: Mapping[str, str], verify_tokens: Sequence[str]) -> str | None:
    """The challenge to answer (200, text/plain, exactly this) to Meta's ``GET``, or None to answer 403.

    ``query`` has ``hub.mode``, ``hub.challenge`` and ``hub.verify_token``. A challenge is never sent back
    for a wrong token, nor one that is too long or not plain printable ASCII.
    """
    token = query.get("hub.verify_token", "").encode("utf-8", "replace")
    fits = False
    for wanted in verify_tokens:
        fits |= hmac.compare_digest(wanted.encode("utf-8", "replace"), token) and bool(wanted)
    challenge = query.get("hub.challenge", "")
    plain = 0 < len(challenge) <= CHALLENGE and challenge.isascii() and challenge.isprintable()
    return challenge if fits and plain and query.get("hub.mode") == "subscribe" else None
