"""The addresses of GeoReport v2, without those that write.

Nothing here may delay a webhook: the database is read once a minute at most, in small steps, whatever is asked; an
answer is put together of pieces that are written already; and who asks too much is sent away. The process has one
budget for all: who reads much keeps a copy, and asks with the ETag.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connector.jobs.runtime import Runtime
from connector.toolkit.observe import get_logger

from . import formats, shelf
from .shelf import Item, Shelf

log = get_logger(__name__)

PATH = "/open311/v2"
SPAN = timedelta(days=90)
MOST = 1000
"""Requests in one answer."""
RATE, BURST = 5.0, 20.0
"""Answers a second that the process gives, and how many at once."""
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
HEADERS = {
    "Cache-Control": f"public, max-age={int(shelf.FRESH)}",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}
_KEYLESS = "No key is needed: requests can be read here, and nothing can be sent in."


class Refused(Exception):
    """What is answered with an error: its status, and a sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class _Budget:
    """A token bucket in memory: it is this process that must not be kept busy."""

    tokens: float = BURST
    at: float = 0.0

    def take(self, now: float) -> float:
        """0 when there was one, else the seconds until there is."""
        self.tokens = min(BURST, self.tokens + (now - self.at) * RATE) if self.at else BURST
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / RATE
        self.tokens -= 1
        return 0.0


Handle = Callable[[Request, str], Awaitable[bytes]]


class Open311:
    """``/open311/v2`` and what is under it. ``urls``: of each town that publishes, the address seen from outside."""

    def __init__(
        self,
        towns: Mapping[str, Runtime],
        urls: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelves = {name: Shelf(towns[name], clock) for name in urls}
        self._urls = urls
        self._clock, self._monotonic = clock, monotonic
        self._budget = _Budget()

    def routes(self) -> list[BaseRoute]:
        """To be added to the application."""
        paths: Sequence[tuple[str, Handle]] = (
            ("/discovery", self._discovery),
            ("/services", self._services),
            ("/services/{code}", self._definition),
            ("/requests", self._requests),
            ("/requests/{number}", self._request),
        )
        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route(f"{PATH}{path}.{{form}}", self._served(handle), methods=every)
            for path, handle in paths
        ]  # fmt: skip

    def _served(self, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            form = request.path_params["form"]
            if form not in formats.MEDIA_TYPES:
                return _error("json", Refused(404, "the formats are .json and .xml"))
            if wait := self._budget.take(self._monotonic()):
                refused = Refused(429, "this is asked too often; keep a copy, and ask with its ETag")
                return _error(form, refused, {"Retry-After": str(int(wait) + 1)})
            try:
                if request.method not in ("GET", "HEAD"):
                    raise Refused(405, _KEYLESS)
                body = await handle(request, form)
            except Refused as refused:
                return _error(form, refused, {"Allow": "GET, HEAD"} if refused.status == 405 else {})
            except Exception as error:
                # what was read before is not shown any longer: some of it may be erased since
                log.error("open data cannot be read", path=PATH, error=type(error).__name__)
                return _error(form, Refused(503, "try again in a minute"), {"Retry-After": "60"})
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers = {**HEADERS, "ETag": tag}
            if tag in (
                one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
            ):
                return Response(status_code=304, headers=headers)
            return Response(body, media_type=formats.MEDIA_TYPES[form], headers=headers)

        return answer

    # --- who and what ---

    def _publishing(self) -> dict[str, Shelf]:
        """By jurisdiction: the towns that publish anything at all."""
        found = {}
        for one in self._shelves.values():
            rules = one.rt.town.open_data
            if rules.options:
                found[rules.jurisdiction] = one
        return found

    def _shelf(self, request: Request) -> Shelf:
        asked, there = _asked(request, "jurisdiction_id"), self._publishing()
        if asked:
            if asked not in there:
                raise Refused(404, "jurisdiction_id was not found")
            return there[asked]
        if len(there) == 1:
            return next(iter(there.values()))
        if there:
            raise Refused(400, f"jurisdiction_id was not provided: one of {', '.join(sorted(there))}")
        raise Refused(404, "nothing is published here")

    async def _discovery(self, request: Request, form: str) -> bytes:
        there = self._publishing()
        for one in there.values():
            await one.items()  # since when the services are what they are
        if not there:
            raise Refused(404, "nothing is published here")
        changed = max(one.changeset for one in there.values())
        contacts = [f"{one.rt.town.channel.name}: {one.rt.town.open_data.contact}" for one in there.values()]
        endpoints = [
            {
                "specification": SPECIFICATION,
                "url": url,
                "changeset": changed,
                "type": "production",
                "formats": [kind.split(";")[0] for kind in formats.MEDIA_TYPES.values()],
            }
            for url in dict.fromkeys(self._urls[one.rt.name] for one in there.values())
        ]
        content = {
            "changeset": changed,
            "contact": "; ".join(contacts),
            "key_service": _KEYLESS,
            "endpoints": endpoints,
        }
        return formats.document(form, "discovery", content)

    async def _services(self, request: Request, form: str) -> bytes:
        return formats.document(form, "services", shelf.services(self._shelf(request).rt.town))

    async def _definition(self, request: Request, form: str) -> bytes:
        code = request.path_params["code"]
        if code not in self._shelf(request).rt.town.open_data.options:
            raise Refused(404, "service_code was not found")
        return formats.document(form, "service_definition", {"service_code": code, "attributes": []})

    # --- requests ---

    async def _request(self, request: Request, form: str) -> bytes:
        found = await self._shelf(request).get([request.path_params["number"]])
        if not found:
            raise Refused(404, "service_request_id was not found")
        return _list(form, found)

    async def _requests(self, request: Request, form: str) -> bytes:
        place = self._shelf(request)
        if ids := _listed(request, "service_request_id"):
            return _list(form, (await place.get(ids))[:MOST])
        first, last = self._span(request, place)
        statuses, codes = _listed(request, "status"), _listed(request, "service_code")
        if wrong := set(statuses) - {"open", "closed"}:
            raise Refused(400, f"status is open or closed, not {', '.join(sorted(wrong))[:40]}")
        if set(codes) - set(place.rt.town.open_data.options):
            raise Refused(404, "service_code was not found")
        found = [
            item
            for item in await place.items()
            if first <= item.at <= last
            and (not codes or item.about.option in codes)
            and (len(set(statuses)) != 1 or item.about.closed == (statuses[0] == "closed"))
        ]
        size, page = _number(request, "page_size", MOST, MOST), _number(request, "page", 1, 10_000)
        return _list(form, found[(page - 1) * size : page * size])

    def _span(self, request: Request, place: Shelf) -> tuple[float, float]:
        """In Unix seconds, from the beginning of a day to a moment: days are all that is published, so an hour asks for its day."""
        here = shelf.zone(place.rt.town)
        start, end = (_time(request, name) for name in ("start_date", "end_date"))
        if start and end and end - start > SPAN:
            raise Refused(400, "start_date and end_date may not span more than 90 days")
        if start is None:
            end = end or datetime.fromtimestamp(self._clock(), here)
            start = end - SPAN
        elif end is None:
            end = start + SPAN
        first = start.astimezone(here).replace(hour=0, minute=0, second=0, microsecond=0)
        return first.timestamp(), end.timestamp()


def _list(form: str, items: Sequence[Item]) -> bytes:
    return formats.whole(form, shelf.ROOT, (item.piece(form) for item in items))


def _error(form: str, refused: Refused, more: Mapping[str, str] | None = None) -> Response:
    told: list[dict[str, Any]] = [{"code": refused.status, "description": str(refused)}]
    body = formats.document(form, "errors", told)
    headers = {**HEADERS, "Cache-Control": "no-store", **(more or {})}
    return Response(body, refused.status, headers, formats.MEDIA_TYPES[form])


def _asked(request: Request, name: str) -> str:
    """A parameter; what is empty was not given."""
    return request.query_params.get(name, "").strip()


def _listed(request: Request, name: str) -> list[str]:
    return [one for part in _asked(request, name).split(",") if (one := part.strip())]


def _time(request: Request, name: str) -> datetime | None:
    given = _asked(request, name)
    if not given:
        return None
    try:
        # «+» of a time zone becomes a space where nobody wrote it as %2B
        found = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(400, f"{name} is no date and time with its zone: 2026-11-20T00:00:00Z")
    return found


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = _asked(request, name)
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= most):
        raise Refused(400, f"{name} is a number from 1 to {most}")
    return int(given)
