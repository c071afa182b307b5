"""How a call goes over the network: until its deadline, not after its turn has passed, and to public addresses only.

httpx bounds each wait on the socket, never the call: a server that sends one byte every few seconds keeps a client for
ever. Here a call also has a deadline for everything it does, from asking for a connection to the last byte of the
answer; and a write whose turn has passed is not begun (``fence``). The clients are in ``http.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, cast

import httpcore

from .lean import without

with without("httpx._main"):
    import httpx

CONNECTIONS = 20
"""So many a client has at most, unless it is made with another number."""
PRIVATE = "it is at a private address"
"""In the error of a connection to an address that is not public."""
_PIECE = 16 * 1024

_deadline: ContextVar[float | None] = ContextVar("http_deadline", default=None)

_fence: ContextVar[Callable[[], None] | None] = ContextVar("http_fence", default=None)


def _limits(connections: int) -> httpx.Limits:
    return httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections // 2, keepalive_expiry=15.0
    )


@functools.cache
def tls() -> ssl.SSLContext:
    """What all connections are made with: one takes about a megabyte, and reading the authorities 20 ms."""
    return httpx.create_ssl_context()


# --- the fence -------------------------------------------------------------------------------------


def fence(check: Callable[[], None]) -> None:
    """From now on, in this task and the threads it starts, ``check`` is called right before each write is handed
    to the network: it raises when the write must not be made any more.

    A process can be stopped for minutes anywhere (SIGSTOP, a virtual machine that is moved, swapping). Only a look
    at the clock after the connection stands keeps it from then doing what somebody else did meanwhile.
    """
    _fence.set(check)


_SENDING = frozenset(
    f"{protocol}.send_request_{part}.started"
    for protocol in ("http11", "http2")
    for part in ("headers", "body")
)
"""httpcore's names of the moments right before bytes go out (https://www.encode.io/httpcore/extensions/#trace)."""


def _trace(request: httpx.Request) -> Callable[[str, Any], None] | None:
    check = _fence.get()
    if check is None or request.method in ("GET", "HEAD"):
        return None

    def watch(event: str, _: Any) -> None:
        if event in _SENDING:
            check()

    return watch


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


class DeadlineTransport(httpx.HTTPTransport):
    """For a blocking client: a call ends after ``seconds``, or after its own ``deadline`` extension."""

    def __init__(self, seconds: float, proxy: str | None) -> None:
        super().__init__(verify=tls(), limits=_limits(CONNECTIONS), proxy=proxy)
        self._seconds = seconds
        # httpcore takes a network backend, httpx has no parameter to hand it on. The tests with a silent and
        # a dripping server fail when these names change.
        pool = cast(Any, self._pool)
        pool._network_backend = _DeadlineBackend(pool._network_backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        end = time.monotonic() + float(request.extensions.get("deadline", self._seconds))
        watch = _trace(request)
        if watch is not None:
            request.extensions = {**request.extensions, "trace": watch}
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


class AsyncDeadlineTransport(httpx.AsyncHTTPTransport):
    """The same for asyncio; with ``private_hosts`` only these may be at addresses that are not public."""

    def __init__(
        self,
        seconds: float,
        proxy: str | None,
        private_hosts: Collection[str] | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(verify=tls(), limits=_limits(connections), proxy=proxy)
        self._seconds = seconds
        if private_hosts is not None and proxy is None:
            pool = cast(Any, self._pool)
            pool._network_backend = _PublicBackend(pool._network_backend, private_hosts)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        end = asyncio.get_running_loop().time() + float(request.extensions.get("deadline", self._seconds))
        watch = _trace(request)
        if watch is not None:

            async def watched(event: str, info: Any) -> None:
                watch(event, info)

            request.extensions = {**request.extensions, "trace": watched}
        try:
            async with asyncio.timeout_at(end):
                response = await super().handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("deadline of the whole call", request=request) from None
        response.stream = _AsyncDeadlineBody(cast(httpx.AsyncByteStream, response.stream), end)
        return response


# --- public addresses only -------------------------------------------------------------------------


class _PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, and to the hosts that may be elsewhere."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, private_hosts: Collection[str]) -> None:
        self._backend = backend
        self._private = {host.casefold() for host in private_hosts}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        address = str(stream.get_extra_info("server_addr")[0])
        if host.casefold() not in self._private and not public(address):
            await stream.aclose()
            raise httpcore.ConnectError(PRIVATE)
        return stream

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def public(address: str) -> bool:
    """Whether an IP address is one of the open internet."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast
