"""HTTP clients that cannot hang, and what their errors mean.

A call has a deadline for everything it does, from asking for a connection to the last byte of the answer, and a write
whose turn has passed is not begun: ``transports.py`` sees to both. Redirects are never followed: an API that redirects
is misconfigured, and a followed redirect would carry the token to another host.

Proxies are taken from the environment (``HTTPS_PROXY``, ``NO_PROXY``) for the host of ``base_url``.
"""

from __future__ import annotations

import email.utils
import time
import urllib.request
from collections.abc import Collection, Mapping
from importlib import metadata
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Finding, Misconfigured, Throttled, Unavailable

from .lean import without
from .transports import CONNECTIONS, PRIVATE, AsyncDeadlineTransport, DeadlineTransport

with without("httpx._main"):
    import httpx

# What the clients are made of, for who handles them: httpx itself is imported here and in transports.py only.
Client = httpx.Client
AsyncClient = httpx.AsyncClient
Response = httpx.Response
URL = httpx.URL
InvalidURL = httpx.InvalidURL
HTTPError = httpx.HTTPError
"""Base of the errors of a call; ``translate`` turns one into the connector's."""

CONNECT_SECONDS = 5.0
"""Longest wait for a connection or for a free one of the pool."""
MOST_BYTES = 32 << 20
"""An answer that is read whole, unpacked, is no larger: who answers with more is broken, or wants our memory."""
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_OUR_FAULT = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)


def user_agent() -> str:
    """``whatsapp-connector/<version>``."""
    try:
        return f"whatsapp-connector/{metadata.version('connector')}"
    except metadata.PackageNotFoundError:
        return "whatsapp-connector/0"


# --- clients ---------------------------------------------------------------------------------------


def sync_client(base_url: str, *, timeout: float, headers: dict[str, str] | None = None) -> httpx.Client:
    """A blocking client whose calls end after ``timeout`` seconds, whatever the server does.

    A single call can have another deadline: ``extensions={"deadline": seconds}`` on its request. One client
    per thread. The look-up of the host's name is bounded by the system's resolver, not by us.
    """
    return _Client(
        base_url=base_url,
        headers=_headers(headers),
        timeout=waits(timeout),
        transport=DeadlineTransport(timeout, _proxy(base_url)),
        follow_redirects=False,
    )


def async_client(
    base_url: str,
    *,
    timeout: float,
    headers: dict[str, str] | None = None,
    private_hosts: Collection[str] | None = None,
    connections: int = CONNECTIONS,
) -> httpx.AsyncClient:
    """The same for asyncio: calls end after ``timeout`` seconds, or their own ``deadline`` extension; with so many
    ``connections`` at most.

    With ``private_hosts`` only these hosts may be at addresses that are not public; every other one is left before
    a byte was sent. It is the address of the connection that counts: what a name means can change between two
    look-ups. Behind a proxy the proxy decides.
    """
    return _AsyncClient(
        base_url=base_url,
        headers=_headers(headers),
        timeout=waits(timeout),
        transport=AsyncDeadlineTransport(timeout, _proxy(base_url), private_hosts, connections),
        follow_redirects=False,
    )


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"User-Agent": user_agent(), **(headers or {})}


def waits(seconds: float) -> httpx.Timeout:
    """The longest single waits of a call with a deadline of ``seconds`` (httpx's own ``timeout=``)."""
    short = min(seconds, CONNECT_SECONDS)
    return httpx.Timeout(connect=short, pool=short, read=seconds, write=seconds)


def _proxy(base_url: str) -> str | None:
    url = httpx.URL(base_url)
    if not url.host or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


# --- how much is read ------------------------------------------------------------------------------


class TooLarge(httpx.RequestError):
    """An answer that does not end where answers do."""


def whole(response: httpx.Response) -> httpx.Response:
    """``response`` with all of its content, of which there is no more than ``MOST_BYTES``. Raises ``TooLarge``."""
    content = bytearray()
    try:
        for piece in response.iter_bytes():
            content += piece
            _check(response, content)
    finally:
        response.close()
    response._content = bytes(content)  # what its own read() sets, which has no limit
    return response


def _check(response: httpx.Response, content: bytearray) -> None:
    if len(content) > MOST_BYTES:
        raise TooLarge(f"more than {MOST_BYTES} bytes", request=response.request)


class _Client(httpx.Client):
    """Reads no answer whole that is larger than ``MOST_BYTES``; who streams counts by themselves."""

    def send(self, request: httpx.Request, *, stream: bool = False, **how: Any) -> httpx.Response:
        response = super().send(request, stream=True, **how)
        return response if stream else whole(response)


class _AsyncClient(httpx.AsyncClient):
    """The same for asyncio."""

    async def send(self, request: httpx.Request, *, stream: bool = False, **how: Any) -> httpx.Response:
        response = await super().send(request, stream=True, **how)
        if stream:
            return response
        content = bytearray()
        try:
            async for piece in response.aiter_bytes():
                content += piece
                _check(response, content)
        finally:
            await response.aclose()
        response._content = bytes(content)
        return response


# --- what an error means ---------------------------------------------------------------------------


def translate(error: Exception, *, wrote: bool, who: str) -> ConnectorError:
    """The connector's error for an error of an HTTP call to ``who`` («WhatsApp», the tracker's name).

    ``wrote`` says that the call was to change something there. Never sent (no connection, no name, no free
    connection) is ``Unavailable`` even then; lost later is ``Ambiguous`` for a write, ``Unavailable`` for a
    read. The sentence never holds the address called or what was sent.
    """
    if isinstance(error, ConnectorError):
        return error
    kind = type(error).__name__
    if isinstance(error, _OUR_FAULT):
        problem = f"the address or a header for {who} cannot be used ({kind})"
        return Misconfigured(
            [Finding("error", problem, mend="check the url and the token for stray characters")]
        )
    if isinstance(error, _NEVER_SENT):
        hint = " (its TLS certificate was not accepted)" if "CERTIFICATE_VERIFY" in str(error) else ""
        hint = f" ({PRIVATE})" if PRIVATE in str(error) else hint
        return Unavailable(
            f"{who} could not be reached{hint}; nothing was sent. It is tried again later", code=kind
        )
    what = "broke the connection off"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        what = "did not answer in time"
    elif isinstance(error, TooLarge | httpx.DecodingError):
        what = (
            "gave an answer that is too large"
            if isinstance(error, TooLarge)
            else "gave an answer that is damaged"
        )
    if wrote:
        return Ambiguous(
            f"{who} {what}: whether it took what was sent is not known. It is looked up", code=kind
        )
    return Unavailable(f"{who} {what}. It is tried again later", code=kind)


def retry_after(headers: Mapping[str, str], *, longest: float = 3600.0) -> float | None:
    """Seconds from a ``Retry-After`` header (RFC 9110 10.2.3: seconds or a date), at most ``longest``.

    A date counts from the answer's own ``Date`` header if there is one: a wrong clock here does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value) if value.isascii() and value.isdigit() else _date(value) - _now(headers)
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), longest)


def throttled(headers: Mapping[str, str], *, who: str) -> Throttled:
    """The error for an answer 429, or 503 with ``Retry-After``."""
    wait = retry_after(headers)
    when = f"in {wait:.0f} s" if wait is not None else "later"
    return Throttled(
        f"{who} asks us to slow down; it is tried again {when}", code="throttled", retry_after=wait
    )


def _date(value: str) -> float:
    return email.utils.parsedate_to_datetime(value).timestamp()


def served_at(headers: Mapping[str, str]) -> float | None:
    """The server's own time when it answered (``Date`` header, whole seconds), Unix seconds; None when it said none."""
    try:
        return _date(headers.get("date", ""))
    except (TypeError, ValueError):
        return None


def _now(headers: Mapping[str, str]) -> float:
    at = served_at(headers)
    return time.time() if at is None else at
