"""The client against a server on loopback: what it asks for, what it makes of every answer."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from connector.core.address import Address
from connector.core.errors import (
    Ambiguous,
    ConnectorError,
    Forbidden,
    Gone,
    Misconfigured,
    Rejected,
    Throttled,
    Unavailable,
)
from connector.core.outgoing import TextOut
from connector.whatsapp import account
from connector.whatsapp.client import MediaLink, Sent, WhatsAppClient
from connector.whatsapp.outgoing import build

from .samples import load

TOKEN = "EAAsynthetictoken0001"
PHONE, ACCOUNT = "100000000000001", "200000000000001"
BODY = build(TextOut("text privat"), Address(phone="34600000001"), key="out:1")
PHOTO = b"\xff\xd8" + b"photo" * 5000


@dataclass
class Meta:
    """A server that answers what it is told to; None is silence, b"" an end without an answer."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]] | bytes | None] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def say(self, status: int, body: object, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, raw, headers))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ")
                headers = {}
                while (header := (await reader.readline()).decode().strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append((method, path, headers, body))
                answer = self.answers.pop(0)
                if answer is None:
                    await asyncio.sleep(30)
                if not isinstance(answer, tuple):
                    writer.write(answer or b"")
                    break
                status, raw, more = answer
                lines = {"content-length": str(len(raw)), **{k.replace("_", "-"): v for k, v in more.items()}}
                head = "".join(f"{k}: {v}\r\n" for k, v in lines.items())
                writer.write(f"HTTP/1.1 {status} x\r\n{head}\r\n".encode() + raw)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def meta() -> AsyncIterator[Meta]:
    found = Meta()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()


@pytest_asyncio.fixture
async def client(meta: Meta) -> AsyncIterator[WhatsAppClient]:
    async with WhatsAppClient(meta.url, "v23.0", PHONE, ACCOUNT, TOKEN, timeout=0.5) as found:
        yield found


def sample(name: str) -> object:
    return load("responses", name)["body"]


# --- messages -------------------------------------------------------------------------------------


async def test_send(meta: Meta, client: WhatsAppClient) -> None:
    for name in ("01", "02", "03", "04"):
        meta.say(200, sample(name))
    sent = [await client.send(BODY) for _ in range(4)]
    assert [s.held for s in sent] == [False, False, False, True]
    assert sent[0] == Sent("wamid.HBgLMzQ2MDAwMDAwMDEVAgARGBRCRUQ3QTMxODk4MDRGODc1QkE1RAA=")
    method, path, headers, body = meta.seen[0]
    assert (method, path) == ("POST", f"/v23.0/{PHONE}/messages")
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == BODY


async def test_send_with_an_api_url_that_has_a_path(meta: Meta) -> None:
    meta.say(200, sample("01"))
    async with WhatsAppClient(meta.url + "/proxy/", "v23.0", PHONE, ACCOUNT, TOKEN) as client:
        await client.send(BODY)
    assert meta.seen[0][1] == f"/proxy/v23.0/{PHONE}/messages"


@pytest.mark.parametrize("name", [f"{n:02}" for n in range(5, 15)])
async def test_refused(meta: Meta, client: WhatsAppClient, name: str) -> None:
    answer = load("responses", name)
    body = answer["body"] if isinstance(answer["body"], dict) else answer["body"].encode()
    meta.say(answer["http_status"], body)
    with pytest.raises(ConnectorError) as caught:
        await client.send(BODY)
    clean(caught.value)
    assert len(meta.seen) == 1


def clean(error: ConnectorError) -> None:
    """No token, number or text, not even in what a traceback shows."""
    shown = "".join(traceback.format_exception(error))
    shown += str(error) + repr(error)
    lines = [line for line in shown.splitlines() if not line.startswith("    ")]
    assert not any(secret in "\n".join(lines) for secret in (TOKEN, "34600000001", "text privat", PHONE))


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (None, Ambiguous),
        (b"", Ambiguous),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", Ambiguous),
        (b"what?\r\n\r\n", Ambiguous),
        ((200, b"<html>", {}), Ambiguous),
        ((200, b"{}", {}), Ambiguous),
        ((200, b'{"messages":[{}]}', {}), Ambiguous),
        ((502, b"<html>Bad Gateway</html>", {}), Ambiguous),
        ((307, b"", {"location": "https://evil.example.org"}), Forbidden),
        ((400, b'{"error":{"code":131047}}', {}), Rejected),
        ((200, b'{"error":{"code":190}}', {}), Forbidden),
    ],
)
async def test_was_it_sent(
    meta: Meta, client: WhatsAppClient, answer: object, wanted: type[Exception]
) -> None:
    meta.answers.append(answer)  # type: ignore[arg-type]
    with pytest.raises(wanted) as caught:
        await client.send(BODY)
    clean(caught.value)  # type: ignore[arg-type]
    assert len(meta.seen) == 1, "a send is never tried twice here"


async def test_no_connection_is_surely_not_sent() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with WhatsAppClient(f"http://127.0.0.1:{port}", "v23.0", PHONE, ACCOUNT, TOKEN) as client:
        with pytest.raises(Unavailable) as caught:
            await client.send(BODY)
    clean(caught.value)


async def test_retry_after(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(429, b"", retry_after="17")
    with pytest.raises(Throttled) as caught:
        await client.send(BODY)
    assert caught.value.retry_after == 17


async def test_mark_read(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(200, {"success": True})
    await client.mark_read("wamid.X", typing=True)
    assert json.loads(meta.seen[0][3])["typing_indicator"] == {"type": "text"}
    meta.answers.append(None)
    with pytest.raises(Unavailable):
        await client.mark_read("wamid.X")


@pytest.mark.parametrize(
    "wrong",
    [{"access_token": "a\nb"}, {"access_token": ""}, {"api_url": "graph"}, {"phone_number_id": "1/2"}],
)
def test_values_that_fit_into_no_request(wrong: dict[str, str]) -> None:
    right = {
        "api_url": "https://graph.facebook.com",
        "api_version": "v23.0",
        "phone_number_id": PHONE,
        "business_account_id": ACCOUNT,
        "access_token": TOKEN,
    }
    with pytest.raises(Misconfigured) as caught:
        WhatsAppClient(**{**right, **wrong})
    (finding,) = caught.value.findings
    assert finding.key == f"whatsapp.{next(iter(wrong))}"


# --- media ----------------------------------------------------------------------------------------


async def test_upload(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(200, sample("16"))
    assert await client.upload(PHOTO, "image/jpeg", 'fo"to\r\n.jpg') == "1037543291543636"
    _, path, headers, body = meta.seen[0]
    assert path == f"/v23.0/{PHONE}/media"
    assert headers["content-type"].startswith("multipart/form-data")
    assert PHOTO in body
    assert b'name="messaging_product"\r\n\r\nwhatsapp\r\n' in body
    assert b"Content-Type: image/jpeg" in body


async def test_media_url(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(200, sample("15"))
    link = await client.media_url("1003383421387256")
    digest = "b29814cf5792e684cd75d6a7fce7a67a11887e312f87ca2ac2496d81f365ff72"
    assert link == MediaLink(link.url, "image/jpeg", digest, 303833)
    assert meta.seen[0][1] == f"/v23.0/1003383421387256?phone_number_id={PHONE}"


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (400, {"error": {"code": 100, "error_subcode": 33}}, Gone),
        (404, b"", Gone),
        (401, {"error": {"code": 190}}, Forbidden),
        (200, {}, Unavailable),
        (500, b"", Unavailable),
    ],
)
async def test_media_url_errors(
    meta: Meta, client: WhatsAppClient, status: int, body: object, wanted: type[Exception]
) -> None:
    meta.say(status, body)
    with pytest.raises(wanted):
        await client.media_url("1")


async def test_a_media_id_is_no_path(client: WhatsAppClient, meta: Meta) -> None:
    with pytest.raises(Rejected):
        await client.media_url("../me?x=")
    assert not meta.seen


def link(meta: Meta) -> MediaLink:
    return MediaLink(meta.url + "/file?x=1", "image/jpeg", hashlib.sha256(PHOTO).hexdigest(), len(PHOTO))


async def test_download(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(200, PHOTO)
    assert await client.download(link(meta), len(PHOTO)) == PHOTO
    assert meta.seen[0][2]["authorization"] == f"Bearer {TOKEN}"


async def test_a_file_that_is_too_large_is_not_read(meta: Meta, client: WhatsAppClient) -> None:
    for given in (link(meta), replace(link(meta), size=None)):
        meta.say(200, PHOTO)
        with pytest.raises(Rejected, match="larger"):
            await client.download(given, len(PHOTO) - 1)
    assert len(meta.seen) == 1, "the first one was refused by its announced size"
    chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4000\r\n" + b"x" * 0x4000 + b"\r\n"
    meta.answers[:] = [chunk]
    with pytest.raises(Rejected, match="larger"):
        await client.download(replace(link(meta), size=None), 1000)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ((200, PHOTO[:-1], {}), Unavailable),
        ((404, b"", {}), Unavailable),
        ((401, b"", {}), Forbidden),
        ((429, b"", {}), Throttled),
        ((302, b"", {"location": "http://127.0.0.1/"}), Rejected),
        ((307, PHOTO, {"location": "https://lookaside.fbsbx.com/"}), Rejected),
        ((206, PHOTO[:9], {"content_range": "bytes 0-8/25002"}), Unavailable),
        ((200, gzip.compress(PHOTO), {"content_encoding": "gzip"}), Unavailable),
        ((200, PHOTO + b"more", {}), Unavailable),
        ((200, PHOTO[::-1], {}), Unavailable),
        ((500, b"", {}), Unavailable),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nxx", Unavailable),
    ],
)
async def test_download_errors(
    meta: Meta, client: WhatsAppClient, answer: object, wanted: type[Exception]
) -> None:
    meta.answers.append(answer)  # type: ignore[arg-type]
    with pytest.raises(wanted):
        await client.download(link(meta), 10**6)


@pytest.mark.parametrize("known", ["size", "digest", "neither"])
async def test_a_file_of_another_length_or_content_is_not_taken(
    meta: Meta, client: WhatsAppClient, known: str
) -> None:
    given = link(meta)
    given = replace(
        given, sha256=given.sha256 * (known == "digest"), size=given.size if known == "size" else None
    )
    meta.say(200, PHOTO[:-1] + b"xy")
    if known == "neither":
        assert await client.download(given, 10**6) == PHOTO[:-1] + b"xy"
    else:
        with pytest.raises(Unavailable):
            await client.download(given, 10**6)


@pytest.mark.parametrize(
    "head",
    [
        b"transfer-encoding: chunked",
        b"content-length: 9999999999",
        b"connection: close",
        b"content-encoding: gzip",
    ],
)
async def test_an_endless_answer_ends(meta: Meta, client: WhatsAppClient, head: bytes) -> None:
    """It is read as far as is accepted and no further; an answer in drips has its deadline."""
    heard = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        piece = b"x" * 0x10000
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"10000\r\n" + piece + b"\r\n" if b"chunked" in head else piece)
                heard += len(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with WhatsAppClient(url, "v23.0", PHONE, ACCOUNT, TOKEN, timeout=2) as other:
        with pytest.raises((Rejected, Unavailable)) as caught:
            await other.download(MediaLink(f"{url}/file", "image/jpeg"), 1_000_000)
    assert isinstance(caught.value, Unavailable) or caught.value.code == "size"
    assert heard < 20_000_000
    server.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/file",
        "https://fbcdn.net.example.org/",
        "https://evilfbcdn.net/",
        "https://user@lookaside.fbsbx.com/",
        "http://lookaside.fbsbx.com/",
        "https://lookaside.fbsbx.com:8443/",
        "https://169.254.169.254/",
        "https://lookaside.fbsbx.com.evil.example.org/",
        "https://lookaside.fbsbx.com@evil.example.org/",
        "https://evil.example.org\\@lookaside.fbsbx.com/",
        "https://evil.example.org#.fbcdn.net",
        "https://evil.example.org?.fbcdn.net",
        "https://.fbcdn.net/",
        "https://fbcdn.net/",
        "https://lookaside.fbsbx.com./",
        "https://lookaside.fbsbx.c\u043em/",
        "https://xlookaside.fbsbx.com/",
        "ftp://lookaside.fbsbx.com/",
        "HTTP://LOOKASIDE.FBSBX.COM/",
        "https://lookaside.fbsbx.com:80/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "//x",
        "",
        "https://[",
    ],
)
async def test_the_token_goes_to_metas_hosts_only(client: WhatsAppClient, url: str) -> None:
    with pytest.raises(Rejected) as caught:
        await client.download(MediaLink(url, "image/jpeg"), 10)
    assert caught.value.code in ("media-host", "media-url")


async def test_a_redirect_of_a_file_is_not_followed(meta: Meta, client: WhatsAppClient) -> None:
    for _ in range(2):
        meta.say(302, b"", location=f"{meta.url}/elsewhere")
    with pytest.raises(Rejected) as caught:
        await client.download(link(meta), 10**6)
    assert caught.value.code == "media-redirect" and len(meta.seen) == 1


@pytest.mark.parametrize("host", ["lookaside.fbsbx.com", "scontent.xx.fbcdn.net", "mmg.whatsapp.net"])
def test_metas_hosts_are_allowed(host: str) -> None:
    client = WhatsAppClient("https://graph.facebook.com", "v23.0", PHONE, ACCOUNT, TOKEN)
    assert client._media_address(f"https://{host}/x").host == host


# --- the account ----------------------------------------------------------------------------------


async def test_account(meta: Meta, client: WhatsAppClient) -> None:
    meta.say(200, {"id": PHONE, "quality_rating": "GREEN"})
    assert (await client.phone())["quality_rating"] == "GREEN"
    meta.say(200, {"data": [{"whatsapp_business_api_data": {"id": "300000000000001"}}]})
    meta.say(200, {"data": []})
    assert [await account.subscribers(client), await account.subscribers(client)] == [["300000000000001"], []]
    meta.say(200, sample("17"))
    assert (await client.create_template({"name": "x"}))["status"] == "PENDING"
    assert [path.partition("?")[0] for _, path, _, _ in meta.seen] == [
        f"/v23.0/{PHONE}",
        f"/v23.0/{ACCOUNT}/subscribed_apps",
        f"/v23.0/{ACCOUNT}/subscribed_apps",
        f"/v23.0/{ACCOUNT}/message_templates",
    ]


async def test_templates_of_all_pages(meta: Meta, client: WhatsAppClient) -> None:
    after = {"cursors": {"after": "b&x"}, "next": "https://evil.example.org/?access_token=x"}
    meta.say(200, {"data": [{"name": "a"}, 5], "paging": after})
    meta.say(200, sample("18"))
    assert [t["name"] for t in await client.templates()] == ["a", "incidencia_actualitzada"]
    assert "after=b%26x" in meta.seen[1][1]


CALLS: list[Callable[[WhatsAppClient], Awaitable[object]]] = [
    lambda c: c.phone(),
    lambda c: c.templates(),
    account.subscribers,
    account.numbers,
    lambda c: c.media_url("1"),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
async def test_reading_is_never_ambiguous(meta: Meta, client: WhatsAppClient, number: int) -> None:
    for answer in (None, b"", (502, b"", {}), (200, b"x", {})):
        meta.answers[:] = [answer]  # type: ignore[list-item]
        with pytest.raises(Unavailable):
            await CALLS[number](client)
