"""What an answer of a tracker's HTTP API means, in the words of ``core/errors.py``; the same for every adapter."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from connector.core.errors import Ambiguous, ConnectorError, Finding, Forbidden, Gone, Rejected, Unavailable
from connector.toolkit import http
from connector.toolkit.observe import get_logger, places

log = get_logger(__name__)

_Adapter = TypeVar("_Adapter", bound=type)
_READS = ("verify", "rehearse", "find", "start_cursor", "changes", "read", "news", "wiki")
_WRITES = ("create", "attach", "add_internal_note", "flag")
_SLOW_BYTES_PER_SECOND = 50_000
"""What the slowest line is trusted with: a transfer gets so much more time for its size."""
_SKEW = 30.0
"""Seconds by which clocks may differ: less than anything that is measured with both."""
LONGEST_WORDS = 400
"""Characters of the server's own words that go into an error."""


def seconds_for(seconds: float, size: int) -> float:
    """The deadline of a call that carries ``size`` bytes, where one without gets ``seconds``."""
    return seconds + size / _SLOW_BYTES_PER_SECOND


def failed(response: http.Response, *, who: str, wrote: bool, words: str = "") -> ConnectorError | None:
    """The error an answer of ``who`` (the tracker's name) means, or None. ``words`` are the server's own about our data."""
    status = response.status_code
    if status in (200, 201, 204):
        return None
    code = f"http_{status}"
    if status == 429 or (status == 503 and response.headers.get("retry-after")):
        return http.throttled(response.headers, who=who)
    if status >= 500:
        if wrote:
            return Ambiguous(
                f"{who} failed ({status}) and may have kept what was sent. It is looked up", code=code
            )
        return Unavailable(f"{who} failed ({status}). It is tried again later", code=code)
    if status == 401:
        return Forbidden(
            f"{who} does not accept our API key: the key is wrong or was withdrawn, or the account is locked. "
            "Check tracker.api_key and the account",
            code=code,
        )
    if status == 403:
        return Forbidden(
            f"{who} does not let our account do this: give it the right, or make it a member there", code=code
        )
    if status == 404:
        return Gone(f"{who} does not have this (any more): deleted, or the address is wrong", code=code)
    if status in (400, 415, 422):
        said = words[:LONGEST_WORDS] or "it gave no reason"
        return Rejected(f"{who} refuses the data: {said}", code=code)
    if status == 413:
        return Rejected(f"What was sent is too large for {who} or the proxy before it", code=code)
    if 300 <= status < 400:
        return Unavailable(
            f"{who} sends us to another address; check tracker.url (https, no www…)", code=code
        )
    if status in (408, 425):
        return Unavailable(f"{who} did not take the request ({status}). It is tried again later", code=code)
    return Rejected(f"{who} does not understand the request ({status})", code=code)


def garbled(*, who: str, wrote: bool) -> ConnectorError:
    """The error for an answer that is not JSON, or not the JSON it should be."""
    if wrote:
        return Ambiguous(
            f"{who} answered with something that is no answer of it. It is looked up", code="garbled"
        )
    return Unavailable(
        f"{who} answered with something that is no answer of it; is tracker.url right?", code="garbled"
    )


def guarded(who: str) -> Callable[[_Adapter], _Adapter]:
    """For the class of an adapter: what its calls stumble over in an answer (a field that is missing, a number where
    an object should be, a list without an end of nesting) is a garbled answer of ``who``, and nothing else."""

    def guard(call: Callable[..., Any], wrote: bool) -> Callable[..., Any]:
        @functools.wraps(call)
        def within(*given: Any, **named: Any) -> Any:
            try:
                return call(*given, **named)
            except ConnectorError:
                raise
            except Exception as error:
                log.error(
                    "an answer of the tracker was not understood",
                    kind=call.__name__,
                    error=type(error).__name__,
                    raised=places(error.__traceback__),
                )
                raise garbled(who=who, wrote=wrote) from error

        return within

    def on(adapter: _Adapter) -> _Adapter:
        for names, wrote in ((_READS, False), (_WRITES, True)):
            for name in names:
                if name in vars(adapter):
                    setattr(adapter, name, guard(vars(adapter)[name], wrote))
        return adapter

    return on


def served_at(response: http.Response) -> datetime | None:
    """The server's own time (``Date`` header), UTC, whole seconds."""
    at = http.served_at(response.headers)
    return None if at is None else datetime.fromtimestamp(at, UTC)


def clocks(served: datetime | None, *, who: str) -> list[Finding]:
    """What there is to say of the server's clock, as its last answer had it, and ours."""
    ahead = 0.0 if served is None else time.time() - served.timestamp()
    if abs(ahead) <= _SKEW:
        return []
    problem = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {who}'s"
    return [Finding("warning", problem, "let both be set by NTP", key="clock")]
