"""Fetches a public document: conditionally, bounded in time and size, through few redirects, from public addresses.

A feed is somebody else's: whoever can change it, or what its name resolves to, must neither keep us busy nor have us
read what only this machine can reach.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from connector.core.errors import ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.toolkit import http

MOST = 10 * 1024 * 1024
"""Bytes of a document, unpacked. A year of a regional calendar has two million."""
SECONDS = 30.0
"""For one call, from asking for a connection to the last byte."""
_REDIRECTS = 4
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, text/calendar, text/html;q=0.8, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, or that it is still the one that is known (``content`` is None)."""

    content: bytes | None
    url: str
    """Where it was in the end."""
    kind: str = ""
    """The ``Content-Type`` header."""
    etag: str = ""
    modified: str = ""
    """The ``Last-Modified`` header, as it came."""


class Fetcher:
    """Fetches documents; ``private_hosts`` may be at addresses that are not public."""

    def __init__(
        self, private_hosts: Collection[str] = (), *, seconds: float = SECONDS, most: int = MOST
    ) -> None:
        self.private_hosts = tuple(private_hosts)
        self.seconds = seconds
        self.most = most

    async def get(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        """The document at ``url``; ``etag`` and ``modified`` as they came with the copy at hand.

        Raises ``Unavailable`` (``Throttled`` with how long), ``Gone``, ``Forbidden``, or ``Rejected`` when it is too
        large or leads to where we don't follow.
        """
        headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip"}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": modified} if modified else {}
        for _ in range(_REDIRECTS + 1):
            found = await self._once(url, headers)
            if isinstance(found, Fetched):
                return found
            url = _next(url, found)
        raise Rejected(f"{_host(url)} redirects again and again")

    async def _once(self, url: str, headers: dict[str, str]) -> Fetched | str:
        """The document, or the address to go on to."""
        who = _host(url)
        try:
            async with (
                http.async_client(
                    url, timeout=self.seconds, headers=headers, private_hosts=self.private_hosts
                ) as client,
                client.stream("GET", url) as response,
            ):
                if response.status_code == 304:
                    return Fetched(None, url)
                if response.status_code in (301, 302, 303, 307, 308):
                    return str(response.headers.get("location", ""))
                if response.status_code != 200:
                    raise _refused(response, who)
                given = response.headers
                return Fetched(
                    await self._body(response, who),
                    url,
                    given.get("content-type", ""),
                    given.get("etag", ""),
                    given.get("last-modified", ""),
                )
        except ConnectorError:
            raise
        except Exception as error:
            raise http.translate(error, wrote=False, who=who) from error

    async def _body(self, response: http.Response, who: str) -> bytes:
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
            raise Rejected(f"{who} packs its answer in a way nobody asked for ({packing[:20]})")
        unpack = None if packing in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
        found = bytearray()
        # the bytes as they come: a library that unpacks them first would make a gigabyte of a megabyte
        async for piece in response.aiter_raw():
            try:
                found += unpack.decompress(piece, self.most + 1) if unpack else piece
            except zlib.error as error:
                raise Unavailable(f"what {who} sent cannot be unpacked") from error
            if len(found) > self.most:
                raise Rejected(f"what {who} sends has more than {self.most // (1024 * 1024)} MB")
        return bytes(found)


def _next(url: str, location: str) -> str:
    """Where a redirect leads. Never from https to http: what comes could be anybody's."""
    try:
        found = urljoin(url, location)
        parts = urlsplit(found)
        sound = bool(location) and bool(parts.hostname) and parts.username is None
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("http", "https"):
        raise Rejected(f"{_host(url)} redirects to no web address")
    if urlsplit(url).scheme == "https" and parts.scheme != "https":
        raise Rejected(f"{_host(url)} redirects from https to http")
    return found


def _refused(response: http.Response, who: str) -> ConnectorError:
    status = response.status_code
    if status == 429 or (status == 503 and "retry-after" in response.headers):
        return http.throttled(response.headers, who=who)
    if status in (404, 410):
        return Gone(f"{who} says that there is nothing at this address ({status})")
    if status in (401, 403):
        return Forbidden(f"{who} does not let us read this address ({status})")
    return Unavailable(f"{who} answered with an error ({status})")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"
