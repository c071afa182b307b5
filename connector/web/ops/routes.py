"""The addresses of the operations page. Every POST brings the token of its browser's visit."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from connector.jobs.runtime import Runtime
from connector.storage import given_up
from connector.storage.store import Store
from connector.toolkit.observe import get_logger, mask
from connector.worker import Worker

from . import board
from .session import COOKIE, PATH, Sessions, Visit, give
from .words import Words, asked_for

log = get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}
_MOST = 4096
"""Bytes of a form."""
_STUCK = 60.0
_DONE = ("retried", "dropped", "too_late")

Page = Callable[[Request, Visit], Awaitable[Response]]


class Ops:
    """``/ops`` and what is under it. ``clock`` gives Unix seconds."""

    def __init__(
        self,
        store: Store,
        towns: Mapping[str, Runtime],
        worker: Worker,
        password: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.towns = towns
        self.worker = worker
        self.clock = clock
        self.sessions = Sessions(store, password, clock)
        self._zone = ZoneInfo(next(iter(towns.values())).town.channel.time_zone)
        self._pages = Environment(
            loader=PackageLoader(__package__, "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals |= {
            "version": version("connector"),
            "tone": board.tone,
            "mask": mask,
            "path": PATH,
        }

    def routes(self) -> list[BaseRoute]:
        """To be added to the application."""
        row = f"{PATH}/failed/{{row:int}}"
        return [
            Route(PATH, self._only(self._board)),
            Route(f"{PATH}/style.css", _file("ops.css", "text/css")),
            Route(f"{PATH}/icon.svg", _file("icon.svg", "image/svg+xml")),
            Route(f"{PATH}/login", self._ask, methods=["GET"]),
            Route(f"{PATH}/login", self._log_in, methods=["POST"]),
            Route(f"{PATH}/logout", self._only(self._log_out), methods=["POST"]),
            Route(f"{row}/retry", self._only(self._retry), methods=["POST"]),
            Route(f"{row}/drop", self._only(self._confirm), methods=["GET"]),
            Route(f"{row}/drop", self._only(self._drop), methods=["POST"]),
        ]

    # --- who may ---

    def _only(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """``page`` for who has logged in; a form only with the token of its visit."""

        async def guarded(request: Request) -> Response:
            if not _safe(request):
                return self._unsafe(request)
            visit = await self.sessions.known(request)
            if visit is None or not visit.logged_in:
                return _to("/login")
            if request.method == "POST" and not visit.brought(await _form(request)):
                return self._message(request, 403, "foreign")
            return await page(request, visit)

        return guarded

    def _unsafe(self, request: Request) -> Response:
        return self._message(request, 403, "unsafe")

    async def _ask(self, request: Request, problem: str = "", code: int = 200) -> Response:
        if not _safe(request):
            return self._unsafe(request)
        visit = await self.sessions.known(request)
        if visit is not None and visit.logged_in:
            return _to("")
        visit = visit or await self.sessions.begin()
        response = self._page(request, "login.html", code, problem=problem, token=visit.token)
        give(response, visit, request)
        return response

    async def _log_in(self, request: Request) -> Response:
        if not _safe(request):
            return self._unsafe(request)
        visit, form = await self.sessions.known(request), await _form(request)
        if visit is None or not visit.brought(form):
            return await self._ask(request, "login.again", 403)
        wait = await self.sessions.wait(request)
        if wait:
            log.warning("too many tries to log in", path=f"{PATH}/login", seconds=round(wait))
            response = await self._ask(request, "login.wait", 429)
            response.headers["Retry-After"] = str(round(wait) + 1)
            return response
        if not self.sessions.right(form.get("password", "")):
            log.warning("wrong password", path=f"{PATH}/login")
            return await self._ask(request, "login.wrong", 403)
        log.info("an operator logged in", path=f"{PATH}/login")
        response = _to("")
        give(response, await self.sessions.begin(logged_in=True), request)
        return response

    async def _log_out(self, request: Request, visit: Visit) -> Response:
        await self.sessions.end()
        log.info("an operator logged out", path=f"{PATH}/logout")
        response = _to("/login")
        response.delete_cookie(COOKIE, path=PATH)
        return response

    # --- what there is to see and to do ---

    async def _board(self, request: Request, visit: Visit) -> Response:
        words, now = _words(request), self.clock()
        towns = await self.store.read(lambda c: board.gather(c, self.towns, words, now))
        done = request.query_params.get("done", "")
        return self._page(
            request, "board.html", towns=towns, token=visit.token, database=self._trouble(words),
            done=done if done in _DONE else "", now=datetime.fromtimestamp(now, self._zone),
        )  # fmt: skip

    def _trouble(self, words: Words) -> str:
        """Why this process does not work, "" when it does."""
        if self.store.trouble:
            return words("alarm.database", why=self.store.trouble)
        if not self.worker.alive or self.worker.stuck(_STUCK):
            return words("alarm.workers")
        return ""

    async def _retry(self, request: Request, visit: Visit) -> Response:
        row, now = int(request.path_params["row"]), self.clock()
        done = await self.store.write(lambda c: given_up.reopen(c, row, now))
        if done:
            log.info("put back by an operator", work=row)
        return _to(f"?done={'retried' if done else 'too_late'}")

    async def _confirm(self, request: Request, visit: Visit) -> Response:
        row = int(request.path_params["row"])
        found = await self.store.read(lambda c: board.failure(c, row))
        if found is None:
            return _to("?done=too_late")
        return self._page(request, "drop.html", row=found, token=visit.token)

    async def _drop(self, request: Request, visit: Visit) -> Response:
        row = int(request.path_params["row"])
        done = await self.store.write(lambda c: given_up.drop(c, row))
        if done:
            log.warning("dropped by an operator", work=row)
        return _to(f"?done={'dropped' if done else 'too_late'}")

    # --- pages ---

    def _page(self, request: Request, name: str, code: int = 200, **values: Any) -> HTMLResponse:
        page = self._pages.get_template(name).render(words=_words(request), **values)
        return HTMLResponse(page, status_code=code, headers=HEADERS)

    def _message(self, request: Request, code: int, what: str) -> Response:
        return self._page(request, "message.html", code, what=what)


def _file(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = (files(__package__) / "pages" / name).read_text(encoding="utf-8")

    async def served(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={**HEADERS, "Cache-Control": "no-cache"})

    return served


def _safe(request: Request) -> bool:
    """Whether nobody on the way can read along: on this machine, or behind a proxy that speaks HTTPS.

    Which proxy is believed, uvicorn decides: one on this machine, or of FORWARDED_ALLOW_IPS.
    """
    if request.url.scheme == "https" or request.client is None:
        return True
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, each once; an empty one when it is larger than any of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _words(request: Request) -> Words:
    return asked_for(request.headers.get("accept-language", ""))


def _to(where: str) -> Response:
    return RedirectResponse(f"{PATH}{where}", status_code=303, headers=HEADERS)
