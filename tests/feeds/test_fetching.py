"""Fetching from websites that answer well, badly, slowly, for ever, or from where they should not."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from connector.core.errors import ConnectorError, Forbidden, Gone, Rejected, Throttled, Unavailable
from connector.feeds.fetching import Fetched, Fetcher
from connector.toolkit.transports import public

from .website import Website, answer, endless, redirect, status, website, zipped


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as made:
        yield made


def fetcher(**more: object) -> Fetcher:
    return Fetcher(("127.0.0.1",), **more)  # type: ignore[arg-type]


async def get(site: Website, path: str, **more: object) -> Fetched:
    return await fetcher(**more).get(site.url + path)


async def test_a_document_and_later_that_it_is_the_same(site: Website) -> None:
    site.pages["/a.rss"] = b"<rss/>"
    first = await get(site, "/a.rss")
    assert (first.content, first.kind) == (b"<rss/>", "application/rss+xml") and first.etag
    again = await fetcher().get(site.url + "/a.rss", first.etag, "Tue, 24 Nov 2026 10:00:00 GMT")
    assert again.content is None
    assert site.asked[-1][1]["if-none-match"] == first.etag and site.asked[-1][1]["if-modified-since"]


async def test_packed_answers_are_unpacked(site: Website) -> None:
    site.pages["/a"] = zipped(b"content " * 100)
    assert (await get(site, "/a")).content == b"content " * 100


@pytest.mark.parametrize(
    ("code", "error"),
    [(404, Gone), (410, Gone), (401, Forbidden), (403, Forbidden), (500, Unavailable), (503, Unavailable), (418, Unavailable), (204, Unavailable)],
)  # fmt: skip
async def test_errors_are_said_in_words(site: Website, code: int, error: type[ConnectorError]) -> None:
    site.pages["/a"] = status(code)
    with pytest.raises(error, match=r"127\.0\.0\.1"):
        await get(site, "/a")


async def test_a_site_may_ask_us_to_come_later(site: Website) -> None:
    site.pages["/a"] = status(503, Retry_After="7200")
    with pytest.raises(Throttled) as caught:
        await get(site, "/a")
    assert caught.value.retry_after == 3600, "never longer than an hour at a time"


async def test_a_few_redirects_are_followed_and_no_circle(site: Website) -> None:
    site.pages |= {
        "/a": redirect("b"),
        "/b": redirect(f"{site.url}/c?x=1", 301),
        "/c?x=1": b"here",
        "/round": redirect("/round"),
    }
    found = await get(site, "/a")
    assert (found.content, found.url) == (b"here", f"{site.url}/c?x=1")
    with pytest.raises(Rejected, match="again and again"):
        await get(site, "/round")
    assert site.seen("/round") == 5


@pytest.mark.parametrize(
    "to", ["", "file:///etc/passwd", "ftp://www.example.org/", "//[", "https://user:word@www.example.org/"]
)
async def test_redirects_that_lead_nowhere(site: Website, to: str) -> None:
    site.pages["/a"] = redirect(to)
    with pytest.raises(Rejected, match="no web address"):
        await get(site, "/a")


def test_never_from_https_to_http() -> None:
    from connector.feeds.fetching import _next

    assert _next("http://www.example.org/a", "https://www.example.org/b") == "https://www.example.org/b"
    with pytest.raises(Rejected, match="https to http"):
        _next("https://www.example.org/a", "http://www.example.org/a")


async def test_private_addresses_only_where_the_settings_say_so(site: Website) -> None:
    """By the address of the connection: «localhost» is a name like any other that may lead inside."""
    site.pages |= {"/a": b"secret", "/out": redirect(site.url.replace("127.0.0.1", "localhost") + "/a")}
    for private in ((), ("intranet.example.org",)):
        with pytest.raises(Unavailable, match="private address"):
            await Fetcher(private).get(site.url + "/a")
    with pytest.raises(Unavailable, match="private address"):
        await get(site, "/out")
    assert site.asked == [("/out", site.asked[0][1])], "not a byte was sent to where we must not go"
    assert (await Fetcher(("localhost", "127.0.0.1")).get(site.url + "/out")).content == b"secret"


@pytest.mark.parametrize(
    ("address", "is_public"),
    [("93.184.216.34", True), ("2606:2800:220:1::1", True), ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
     ("192.168.1.1", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False), ("fd00::1", False), ("fe80::1%eth0", False),
     ("::ffff:10.0.0.1", False), ("::ffff:93.184.216.34", True), ("224.0.0.1", False), ("255.255.255.255", False)],
)  # fmt: skip
def test_which_addresses_are_public(address: str, is_public: bool) -> None:
    assert public(address) is is_public


async def test_too_large_too_long_and_for_ever(site: Website) -> None:
    site.pages |= {
        "/fast": endless(b"x" * 65536),
        "/slow": endless(b"x", 0.05),
        "/big": b"x" * 3_000_000,
        "/bomb": zipped(b"\0" * 40_000_000),
    }
    for path in ("/fast", "/big", "/bomb"):
        with pytest.raises(Rejected, match="more than 2 MB"):
            await get(site, path, most=2 * 1024 * 1024)
    with pytest.raises(Unavailable, match="did not answer in time"):
        await get(site, "/slow", seconds=0.5)


async def test_a_small_answer_does_not_unpack_into_our_memory(site: Website) -> None:
    site.pages["/bomb"] = zipped(b"\0" * 60_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Rejected):
            await get(site, "/bomb", most=1024 * 1024)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


async def test_torn_and_wrongly_packed_answers(site: Website) -> None:
    site.pages["/torn"] = lambda h: answer(h, 200, b"short", {"Content-Length": "500"})
    site.pages["/packed"] = lambda h: answer(
        h, 200, zlib.compress(b"x")[:-6] + b"!!!!!!", {"Content-Encoding": "gzip"}
    )
    site.pages["/brotli"] = lambda h: answer(h, 200, b"x", {"Content-Encoding": "br"})
    with pytest.raises(Unavailable):
        async with asyncio.timeout(20):
            await get(site, "/torn", seconds=0.5)
    for path in ("/packed", "/brotli"):
        with pytest.raises(ConnectorError):
            await get(site, path)


async def test_nobody_there() -> None:
    for url in (
        "http://127.0.0.1:9/x",
        "http://no-such-host.invalid/x",
        "http://127.0.0.1:99999/",
        "nonsense",
    ):
        with pytest.raises(ConnectorError):
            await fetcher().get(url)
