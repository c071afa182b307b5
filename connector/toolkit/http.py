"""HTTP clients that cannot hang, and what their errors mean.

The only place that knows httpx. httpx bounds each wait on the socket, never the call: a server that sends one
byte every few seconds keeps a client for ever. Here a call also has a deadline for everything it does, from
asking for a connection to the last byte of the answer. Redirects are never followed: an API that redirects is
misconfigured, and a followed redirect would carry the token to another host.

Proxies are taken from the environment (``HTTPS_PROXY``, ``NO_PROXY``) for the host of ``base_url``.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextvars import ContextVar
from importlib import metadata
from typing import Any, cast

import httpcore
import httpx

from connector.core.errors import Ambiguous, ConnectorError, Finding, Misconfigured, Throttled, Unavailable

# What the clients are made of, for who handles them: httpx itself is imported here only.
Client = httpx.Client
AsyncClient = httpx.AsyncClient
Response = httpx.Response
URL = httpx.URL
InvalidURL = httpx.InvalidURL
HTTPError = httpx.HTTPError
"""Base of the errors of a call; ``translate`` turns one into the connector's."""

CONNECT_SECONDS = 5.0
"""Longest wait for a connection or for a free one of the pool."""
_PIECE = 16 * 1024
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=15.0)
_deadline: ContextVar[float | None] = ContextVar("http_deadline", default=None)

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
    return httpx.Client(
        base_url=base_url,
        headers=_headers(headers),
        timeout=waits(timeout),
        transport=_DeadlineTransport(timeout, _proxy(base_url)),
        follow_redirects=False,
    )


def async_client(
    base_url: str, *, timeout: float, headers: dict[str, str] | None = None
) -> httpx.AsyncClient:
    """The same for asyncio: calls end after ``timeout`` seconds, or their own ``deadline`` extension."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers=_headers(headers),
        timeout=waits(timeout),
        transport=_AsyncDeadlineTransport(timeout, _proxy(base_url)),
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


# --- what an error means ---------------------------------------------------------------------------


def translate(error: Exception, *, wrote: bool, who: str) -> ConnectorError:
    """The connector's error for an error of an HTTP call to ``who`` («Redmine», «WhatsApp»).

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
        return Unavailable(
            f"{who} could not be reached{hint}; nothing was sent. It is tried again later", code=kind
        )
    slow = isinstance(error, httpx.TimeoutException | TimeoutError)
    what = "did not answer in time" if slow else "broke the connection off"
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


def _now(headers: Mapping[str, str]) -> float:
    try:
        return _date(headers.get("date", ""))
    except (TypeError, ValueError):
        return time.time()


# --- the deadline, blocking ------------------------------------------------------------------------


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """The smaller of ``timeout`` and what is left until the deadline; raises ``late`` when nothing is."""
    end = _deadline.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise late("deadline of the whole call")
    return left if timeout is None else min(timeout, left)


class _DeadlineStream(httpcore.NetworkStream):
    """A connection on which each wait ends at the deadline of the call that uses it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces: the stream below bounds each send, not the sum of a large body's sends.
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._backend.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _DeadlineBody(httpx.SyncByteStream):
    def __init__(self, body: httpx.SyncByteStream, deadline: float) -> None:
        self._body = body
        self._end = deadline

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._body)
        while True:
            with _until(self._end):
                piece = next(pieces, None)
            if piece is None:
                return
            if time.monotonic() >= self._end:  # bytes that are there already never wait on the socket
                raise httpx.ReadTimeout("deadline of the whole call")
            yield piece

    def close(self) -> None:
        self._body.close()


class _DeadlineTransport(httpx.HTTPTransport):
    def __init__(self, seconds: float, proxy: str | None) -> None:
        super().__init__(limits=_LIMITS, proxy=proxy)
        self._seconds = seconds
        # httpcore takes a network backend, httpx has no parameter to hand it on. The tests with a silent and
        # a dripping server fail when these names change.
        pool = cast(Any, self._pool)
        pool._network_backend = _DeadlineBackend(pool._network_backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        end = time.monotonic() + float(request.extensions.get("deadline", self._seconds))
        with _until(end):
            response = super().handle_request(request)
        response.stream = _DeadlineBody(cast(httpx.SyncByteStream, response.stream), end)
        return response


@contextlib.contextmanager
def _until(end: float) -> Iterator[None]:
    token = _deadline.set(end)
    try:
        yield
    finally:
        _deadline.reset(token)


# --- the deadline, asyncio -------------------------------------------------------------------------


class _AsyncDeadlineBody(httpx.AsyncByteStream):
    def __init__(self, body: httpx.AsyncByteStream, deadline: float) -> None:
        self._body = body
        self._end = deadline

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        while True:
            try:
                async with asyncio.timeout_at(self._end):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise httpx.ReadTimeout("deadline of the whole call") from None
            if piece is None:
                return
            if asyncio.get_running_loop().time() >= self._end:
                raise httpx.ReadTimeout("deadline of the whole call")
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


class _AsyncDeadlineTransport(httpx.AsyncHTTPTransport):
    def __init__(self, seconds: float, proxy: str | None) -> None:
        super().__init__(limits=_LIMITS, proxy=proxy)
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        end = asyncio.get_running_loop().time() + float(request.extensions.get("deadline", self._seconds))
        try:
            async with asyncio.timeout_at(end):
                response = await super().handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("deadline of the whole call", request=request) from None
        response.stream = _AsyncDeadlineBody(cast(httpx.AsyncByteStream, response.stream), end)
        return response
