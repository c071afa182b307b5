"""The Cloud API over HTTP: messages, media, templates, and what ``check`` asks for (CLOUD-API.md 3, 4 and 6).

One client a business number. Nothing here tries twice: workers do. Errors are those of ``core/errors.py`` and
hold no token, number or text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from connector.core.errors import (
    ConnectorError,
    Finding,
    Gone,
    Misconfigured,
    Rejected,
    Throttled,
    Unavailable,
)
from connector.toolkit.http import (
    URL,
    HTTPError,
    InvalidURL,
    Response,
    async_client,
    retry_after,
    served_at,
    translate,
)

from .content import hex_digest, items, media_type, number, obj, text
from .errors import classify
from .outgoing import mark_read

WHO = "WhatsApp"
MEDIA_HOSTS = ("*.fbcdn.net", "*.facebook.com", "*.whatsapp.net", "lookaside.fbsbx.com")
"""Where media may be fetched from, and the token sent to, besides the host of ``api_url``."""
PHONE_FIELDS = (
    "id,display_phone_number,verified_name,quality_rating,name_status,throughput,webhook_configuration,"
    "whatsapp_business_manager_messaging_limit"
)
TEMPLATE_FIELDS = "name,language,status,category,rejected_reason,quality_score,components"
_TEMPLATE_PAGES = 50
_DOWNLOAD_SECONDS = 300.0
_SEGMENT = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_ACCEPTED = (None, "accepted")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message Meta has accepted, which is not yet delivered."""

    id: str
    """wamid"""
    held: bool = False
    """A template that Meta holds back to watch its quality first; it may still be dropped (132015)."""


@dataclass(frozen=True, slots=True)
class MediaLink:
    """Where a file of Meta can be fetched for 5 minutes. ``size`` is in bytes, None when Meta gave none."""

    url: str
    mime: str
    sha256: str = ""
    """Lower-case hex, or "" when Meta gave none."""
    size: int | None = None


class WhatsAppClient:
    """The API of one business number. ``timeout`` is the deadline of a call in seconds.

    Use it as ``async with``, or ``aclose()`` it. Raises ``Misconfigured`` when a value fits into no request.
    """

    def __init__(
        self,
        api_url: str,
        api_version: str,
        phone_number_id: str,
        business_account_id: str,
        access_token: str,
        *,
        timeout: float = 20,
        media_hosts: tuple[str, ...] = MEDIA_HOSTS,
        connections: int = 20,
    ) -> None:
        _check(api_url, api_version, phone_number_id, business_account_id, access_token)
        self._api = URL(api_url)
        self._version = api_version
        self._number = phone_number_id
        self._account = business_account_id
        self._timeout = timeout
        self._media_hosts = tuple(host.lower() for host in media_hosts)
        # Not a default of the client: media come from other hosts, and each call decides who gets the token.
        self._bearer = {"Authorization": f"Bearer {access_token.strip()}"}
        self._http = async_client(api_url.rstrip("/"), timeout=timeout, connections=connections)
        self.served_at: float | None = None
        """WhatsApp's own time at its last answer (``Date`` header), Unix seconds."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # --- messages ---

    async def send(self, body: Mapping[str, Any]) -> Sent:
        """Send a body of ``outgoing.build``. Raises ``Ambiguous`` when Meta may or may not have taken it."""
        status, answer = await self._call("POST", f"{self._number}/messages", wrote=True, body=body)
        message = obj(next(iter(items(answer.get("messages"))), None))
        wamid = text(message.get("id"))
        if wamid is None:
            raise classify(status, {}, wrote=True)
        return Sent(wamid, held=text(message.get("message_status")) not in _ACCEPTED)

    async def mark_read(self, wamid: str, typing: bool = False) -> None:
        """Show a message of the citizen as read, and with ``typing`` that an answer is on its way."""
        await self._call("POST", f"{self._number}/messages", body=mark_read(wamid, typing))

    # --- media ---

    async def upload(self, content: bytes, media_type: str, filename: str) -> str:
        """Give Meta a file; its media id is good for 30 days. A second upload does no harm."""
        status, answer = await self._call(
            "POST",
            f"{self._number}/media",
            form={"messaging_product": "whatsapp", "type": media_type},
            files={"file": (filename, content, media_type)},
            deadline=max(self._timeout, _DOWNLOAD_SECONDS),
        )
        media_id = text(answer.get("id"))
        if media_id is None:
            raise classify(status, {})
        return media_id

    async def media_url(self, media_id: str) -> MediaLink:
        """Where the bytes of a media id are, for 5 minutes. Raises ``Gone`` when Meta has them no more."""
        if not _SEGMENT.fullmatch(media_id):
            raise Rejected("a file's id at WhatsApp has characters that no id has; it was not fetched")
        try:
            _, answer = await self._call("GET", media_id, params={"phone_number_id": self._number})
        except ConnectorError as error:
            # Graph says «object does not exist» (100, subcode 33) or 404 for what is past its 7 days.
            if error.code in ("100", "http-404", "http-410"):
                raise Gone("the file is no longer at WhatsApp (kept for 7 days)", code=error.code) from None
            raise
        url = text(answer.get("url"))
        if url is None:
            raise Unavailable("WhatsApp gave no address for a file. It is tried again later", code="no-url")
        size = number(answer.get("file_size"))
        return MediaLink(
            url=url,
            mime=media_type(answer.get("mime_type")),
            sha256=hex_digest(answer.get("sha256")),
            size=int(size) if size is not None and size >= 0 else None,
        )

    async def download(self, link: MediaLink, max_bytes: int) -> bytes:
        """The bytes of a file, checked against size and SHA-256 of ``link``.

        Raises ``Rejected`` when it is larger than ``max_bytes`` (code «size»), at a host that is not allowed or
        somewhere else than at its link; and ``Unavailable`` when the link is old (ask ``media_url`` again) or the
        bytes are not the right ones.
        """
        too_large = Rejected(f"the file is larger than the {max_bytes} bytes that are accepted", code="size")
        if link.size is not None and link.size > max_bytes:
            raise too_large
        url = self._media_address(link.url)
        # Compressed answers could be far larger than they look; a photo does not shrink anyway. Nothing is unpacked.
        headers = {**self._bearer, "Accept-Encoding": "identity"}
        extensions = {"deadline": max(self._timeout, _DOWNLOAD_SECONDS)}
        content, digest = bytearray(), hashlib.sha256()
        try:
            async with self._http.stream("GET", url, headers=headers, extensions=extensions) as response:
                if response.status_code != 200:
                    raise _no_file(response)
                announced = number(response.headers.get("content-length"))
                if announced is not None and announced > max_bytes:
                    raise too_large
                async for piece in response.aiter_raw():
                    content += piece
                    digest.update(piece)
                    if len(content) > max_bytes:
                        raise too_large
        except HTTPError as error:
            raise translate(error, wrote=False, who=WHO) from None
        if link.sha256 not in ("", digest.hexdigest()) or link.size not in (None, len(content)):
            raise Unavailable("a file came damaged from WhatsApp. It is fetched again later", code="digest")
        return bytes(content)

    def _media_address(self, address: str) -> URL:
        try:
            url = URL(address)
        except (InvalidURL, ValueError):
            raise Rejected("WhatsApp gave an address of a file that is none", code="media-url") from None
        same = (url.scheme, url.host, url.port) == (self._api.scheme, self._api.host, self._api.port)
        plain = url.scheme == "https" and url.port is None
        if not url.userinfo and (same or (plain and self._allowed(url.host))):
            return url
        raise Rejected(
            "WhatsApp gave an address of a file at a host that is not on the list of Meta's hosts; "
            "nothing was fetched and the token not sent",
            code="media-host",
        )

    def _allowed(self, host: str) -> bool:
        return any(
            host.endswith(allowed[1:]) and host[0] != "." if allowed.startswith("*.") else host == allowed
            for allowed in self._media_hosts
        )

    # --- the account ---

    async def phone(self) -> dict[str, Any]:
        """What Meta says of the number (``PHONE_FIELDS``)."""
        _, answer = await self._call("GET", self._number, params={"fields": PHONE_FIELDS})
        return answer

    async def templates(self) -> list[dict[str, Any]]:
        """All message templates of the account (``TEMPLATE_FIELDS``)."""
        found: list[dict[str, Any]] = []
        params = {"fields": TEMPLATE_FIELDS, "limit": "100"}
        for _ in range(_TEMPLATE_PAGES):
            _, answer = await self._call("GET", f"{self._account}/message_templates", params=params)
            found += [t for t in items(answer.get("data")) if isinstance(t, dict)]
            # Not ``paging.next``: that is a whole address, with the token in it.
            after = text(obj(obj(answer.get("paging")).get("cursors")).get("after"))
            if after is None or not obj(answer.get("paging")).get("next"):
                break
            params["after"] = after
        return found

    async def ask(
        self, edge: str, params: Mapping[str, str] | None = None, *, bearer: str = ""
    ) -> dict[str, Any]:
        """What Meta says of the account (``edge`` begins with «/») or of something else, asked with another token."""
        path = self._account + edge if edge.startswith("/") else edge
        _, answer = await self._call("GET", path, params=dict(params or {}), bearer=bearer)
        return answer

    @property
    def token(self) -> str:
        """The access token, which Meta is asked about with itself."""
        return self._bearer["Authorization"].removeprefix("Bearer ")

    async def create_template(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hand in a template for approval (CLOUD-API.md 6); returns ``id``, ``status`` and ``category``."""
        _, answer = await self._call("POST", f"{self._account}/message_templates", wrote=True, body=body)
        return answer

    # --- one call ---

    async def _call(
        self,
        method: str,
        path: str,
        *,
        wrote: bool = False,
        body: Mapping[str, Any] | None = None,
        form: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
        params: dict[str, str] | None = None,
        deadline: float | None = None,
        bearer: str = "",
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else dict(self._bearer)
        content = None
        if body is not None:
            # As ASCII: a lone surrogate in a text of ours is then no error here.
            content = json.dumps(body).encode("ascii")
            headers["Content-Type"] = "application/json"
        try:
            response = await self._http.request(
                method,
                f"/{self._version}/{path}",
                headers=headers,
                content=content,
                data=form,
                files=files,
                params=params,
                extensions={} if deadline is None else {"deadline": deadline},
            )
        except (HTTPError, InvalidURL) as error:
            raise translate(error, wrote=wrote, who=WHO) from None
        status = response.status_code
        self.served_at = served_at(response.headers)
        answer = _object(response.content)
        if not 200 <= status < 300 or answer is None or "error" in answer:
            wait = retry_after(response.headers)
            raise classify(status, response.content, wrote=wrote, retry_after=wait)
        return status, answer


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_file(response: Response) -> ConnectorError:
    status = response.status_code
    if 300 <= status < 400:
        return Rejected(
            "WhatsApp's link to a file leads somewhere else, where neither we nor the token go",
            code="media-redirect",
        )
    if status in (404, 410):
        # CLOUD-API.md 4: the link lives 5 minutes; a new one first, then a new token.
        return Unavailable(
            "WhatsApp's link to a file has run out. A new one is asked for", code="link-expired"
        )
    if status == 429:
        wait = retry_after(response.headers)
        return Throttled("WhatsApp asks us to fetch files slower", code="http-429", retry_after=wait)
    return classify(status, b"")


def _check(api_url: str, version: str, number: str, account: str, token: str) -> None:
    """What would break a request, or say a secret in an error of a library further down."""
    findings = []
    try:
        good = URL(api_url).scheme in ("http", "https") and bool(URL(api_url).host)
    except (InvalidURL, ValueError):
        good = False
    if not good:
        findings.append(
            Finding("error", "no web address", "https://graph.facebook.com", key="whatsapp.api_url")
        )
    for key, value in (
        ("api_version", version),
        ("phone_number_id", number),
        ("business_account_id", account),
    ):
        if not _SEGMENT.fullmatch(value):
            findings.append(
                Finding("error", "has other characters than letters and digits", key=f"whatsapp.{key}")
            )
    if not re.fullmatch(r"[!-~]+", token.strip()):
        mend = "copy the system user's token again, without spaces or line ends"
        findings.append(Finding("error", "empty or with stray characters", mend, key="whatsapp.access_token"))
    if findings:
        raise Misconfigured(findings)
