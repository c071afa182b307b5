"""The staff desk's way to Redmine: a narrow proxy that adds the chosen person's API key.

The page asks ``/desk/redmine/…`` with ``X-Desk-User: <login>``; the key never reaches the browser. Only what
the desk needs passes (``_ALLOWED``). The header does a second job: a foreign web page cannot set it without a
CORS preflight, which nobody here answers, so it cannot write to Redmine in a visitor's name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import quote, urlsplit

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

PROJECT = "atencio-ciutadana"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
MAX_BODY_BYTES = 100 * 1024 * 1024

_READ = (
    r"issues\.json",
    r"issues/\d+\.json",
    r"issue_statuses\.json",
    r"projects/[a-z0-9_-]+/memberships\.json",
    r"users/current\.json",
    r"attachments/\d+\.json",
    r"attachments/(?:download|thumbnail)/\d+(?:/[^/]+)?",
)
_ALLOWED = {
    "GET": re.compile("|".join(_READ)),
    "POST": re.compile(r"issues\.json|uploads\.json"),
    "PUT": re.compile(r"issues/\d+\.json"),
    "DELETE": re.compile(r"(?:issues|attachments)/\d+\.json"),
}
_FILE_HEADERS = {
    # A citizen's file is only ever shown as an image by the page or saved: never opened as a page of ours.
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def desk_routes(
    redmine_url: str,
    keys: dict[str, str],
    *,
    poll_url: str | None = None,
    project: str = PROJECT,
    town: str = "Ajuntament",
    publish: bool = False,
) -> list[BaseRoute]:
    """Routes under ``/desk``: ``config``, ``events`` and the proxy ``redmine/…``.

    ``keys`` maps a staff member's login to its Redmine API key, in the order they are offered. ``poll_url``
    gets an empty POST after every successful write, so that the connector looks at once, not at its next poll
    (it may fail: the poll then comes by itself). ``project`` is the Redmine project shown, ``town`` who
    the phone says it is talking to. ``publish`` says that /desk/publish is there (see site.py).
    """
    desk = _Desk(redmine_url.rstrip("/"), dict(keys), poll_url, project, town, publish)
    return [
        Route("/desk/config", desk.config, methods=["GET"]),
        Route("/desk/events", desk.events, methods=["GET"]),
        Route("/desk/redmine/{path:path}", desk.forward, methods=list(_ALLOWED)),
    ]


class _Desk:
    def __init__(
        self, url: str, keys: dict[str, str], poll_url: str | None, project: str, town: str, publish: bool
    ) -> None:
        self._url = url
        self._keys = keys
        self._poll_url = poll_url
        self._project = project
        self._town = town
        self._publish = publish
        self._names: dict[str, str] = {}
        self._tls = ssl.create_default_context()

    def _client(self, url: str, timeout: httpx.Timeout = TIMEOUT) -> httpx.AsyncClient:
        """A client for one request: the routes have no life cycle of their own to close a shared one in."""
        # A proxy from the environment is for the outside world, never for a server on this machine.
        return httpx.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            trust_env=not _loopback(urlsplit(url).hostname or ""),
            verify=self._tls,
        )

    # ------------------------------------------------------------------ what the page asks first

    async def config(self, request: Request) -> Response:
        """Who can sit at the desk, which Redmine and project it shows, and whether it has an event stream."""
        names, events = await asyncio.gather(self._staff(), self._has_events())
        return JSONResponse(
            {
                "staff": [{"login": login, "name": names.get(login, login)} for login in self._keys],
                "redmine_url": self._url,
                "project": self._project,
                "town": self._town,
                "events": "/desk/events" if events else None,
                "publish": self._publish,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def _staff(self) -> dict[str, str]:
        missing = [login for login in self._keys if login not in self._names]
        url = f"{self._url}/users/current.json"
        if missing:
            async with self._client(url) as client:
                await asyncio.gather(*(self._name(client, url, login) for login in missing))
        return self._names

    async def _name(self, client: httpx.AsyncClient, url: str, login: str) -> None:
        try:
            answer = await client.get(url, headers=self._auth(login))
            user = answer.json()["user"] if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError, KeyError):
            return  # Redmine is still starting: the login stands for the name, and the next call asks again.
        name = f"{user.get('firstname', '')} {user.get('lastname', '')}".strip()
        if name:
            self._names[login] = name

    async def _has_events(self) -> bool:
        """The Redmine stand-in announces changes as server-sent events; a real Redmine does not."""
        url = f"{self._url}/_redmine/events"
        try:
            async with self._client(url, httpx.Timeout(2.0)) as client, client.stream("GET", url) as answer:
                return answer.status_code == 200 and _is_event_stream(answer)
        except httpx.HTTPError:
            return False

    async def events(self, request: Request) -> Response:
        """The stand-in's server-sent events, passed on; 404 where there are none."""
        url = f"{self._url}/_redmine/events"
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(self._client(url, httpx.Timeout(5.0, read=None)))
                answer = await stack.enter_async_context(client.stream("GET", url))
            except httpx.HTTPError:
                return _sentence(502, "Redmine's event stream does not answer.")
            if answer.status_code != 200 or not _is_event_stream(answer):
                return _sentence(404, "This Redmine has no event stream.")
            closing = stack.pop_all()
        return StreamingResponse(
            _quietly(answer.aiter_raw(), closing),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    # ------------------------------------------------------------------ the proxy

    async def forward(self, request: Request) -> Response:
        """One request to Redmine as the person in ``X-Desk-User``; its answer as it came, without keys."""
        path = request.path_params["path"]
        allowed = _ALLOWED.get(request.method)
        if allowed is None or not allowed.fullmatch(path):
            return _sentence(404, "The desk does not pass this address on to Redmine.")
        login = request.headers.get("X-Desk-User", "")
        if login not in self._keys:
            return _sentence(403, "The desk does not know this person: choose one from the list of staff.")
        body = await _body(request)
        if body is None:
            return _sentence(413, "The file is larger than the desk passes on (100 MB).")
        headers = self._auth(login)
        if request.method in ("POST", "PUT"):
            upload = path == "uploads.json"
            headers["Content-Type"] = "application/octet-stream" if upload else "application/json"
        url = httpx.URL(f"{self._url}/{quote(path)}").copy_with(query=request.url.query.encode() or None)
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(self._client(self._url))
                answer = await stack.enter_async_context(
                    client.stream(request.method, url, headers=headers, content=body or None)
                )
                if path.startswith("attachments/") and not path.endswith(".json"):
                    return _file(answer, stack)
                content = await answer.aread()
            except httpx.HTTPError:
                return _sentence(502, "Redmine does not answer. Is it running, and is its address right?")
        if path == "users/current.json":
            content = _without_key(content)
        written = request.method != "GET" and answer.is_success and path != "uploads.json"
        return Response(
            content,
            answer.status_code,
            {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
            media_type="application/json" if content.strip() else None,
            background=BackgroundTask(self._hasten) if written and self._poll_url else None,
        )

    async def _hasten(self) -> None:
        url = self._poll_url or ""
        try:
            async with self._client(url, httpx.Timeout(2.0)) as client:
                await client.post(url)
        except httpx.HTTPError:
            return  # only a hint: the poll comes by itself

    def _auth(self, login: str) -> dict[str, str]:
        return {"X-Redmine-API-Key": self._keys[login], "Accept-Encoding": "identity"}


async def _body(request: Request) -> bytes | None:
    """The request's body, or None when it is larger than ``MAX_BODY_BYTES``."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MAX_BODY_BYTES:
            return None
    return bytes(found)


def _file(answer: httpx.Response, stack: AsyncExitStack) -> Response:
    """A file's content, streamed; anything but 200 (a redirect to the login page, say) as 404."""
    if answer.status_code != 200:
        return _sentence(404, "Redmine does not give this file to this person.")
    headers = {**_FILE_HEADERS, "Cache-Control": "private, max-age=3600"}
    kind = answer.headers.get("Content-Type", "application/octet-stream")
    return StreamingResponse(_quietly(answer.aiter_raw(), stack.pop_all()), headers=headers, media_type=kind)


async def _quietly(chunks: AsyncIterator[bytes], closing: AsyncExitStack) -> AsyncIterator[bytes]:
    """The chunks until either side goes away; then the connection to Redmine is closed."""
    async with closing:
        try:
            async for chunk in chunks:
                yield chunk
        except httpx.HTTPError:
            return


def _without_key(content: bytes) -> bytes:
    """``users/current.json`` without the API key that Redmine puts into it."""
    try:
        answer = json.loads(content)
        answer["user"].pop("api_key", None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return b""
    return json.dumps(answer).encode()


def _is_event_stream(answer: httpx.Response) -> bool:
    return str(answer.headers.get("Content-Type", "")).startswith("text/event-stream")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sentence(status: int, text: str) -> JSONResponse:
    """An error in Redmine's own form, so that the page shows both alike."""
    return JSONResponse({"errors": [text]}, status)
