"""The page between the real parts: Meta's stand-in, a Redmine, and a town hall that a test plays itself."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from connector.demo.desk import desk_routes
from connector.demo.meta.app import MetaStandIn
from connector.demo.page import page_routes
from connector.demo.redmine.app import RedmineStandIn
from connector.demo.site import Site

PROJECT = "atencio-ciutadana"
TOWN = "Ajuntament de prova"
STAFF = ("alcalde", "oac", "operari.brigada")
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQ"
    "CgwSExIQEw8QEBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8A"
    "VN//2Q=="
)
"""One grey pixel."""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
T = TypeVar("T")


def until(what: str, look: Callable[[], T], seconds: float = 20) -> T:
    """The first true value of ``look``; fails with ``what`` when none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@contextmanager
def served(app: Any, listener: socket.socket) -> Iterator[None]:
    """An application on an open socket, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until("the server started", lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


class TownHall:
    """What the connector is in the demo, played by a test: it gets webhooks and calls the Graph API."""

    def __init__(self, url: str, meta: MetaStandIn) -> None:
        self.status = 200
        """What the webhook answers."""
        self.polls = 0
        """How often the desk asked for a poll."""
        self._meta = meta
        self._http = httpx.Client(base_url=f"{url}/v23.0/{meta.number.phone_number_id}", timeout=20)
        self._http.headers["Authorization"] = f"Bearer {meta.access_token}"

    async def webhook(self, request: Request) -> Response:
        await request.body()
        return Response(status_code=self.status)

    async def poll(self, request: Request) -> Response:
        self.polls += 1
        return Response(status_code=202)

    def send(self, person: str, kind: str, content: Any) -> str:
        """A message to the person with that id; the answer is its wamid."""
        to = self._meta.state.people[person]
        address = {"recipient": to.user_id} if to.hidden else {"to": f"+{to.phone}"}
        answer = self._post({**address, "type": kind, kind: content})
        return str(answer["messages"][0]["id"])

    def text(self, person: str, words: str) -> str:
        return self.send(person, "text", {"body": words})

    def mark_read(self, wamid: str, *, typing: bool = False) -> None:
        """Say that a message was read, and perhaps that an answer is being written."""
        more = {"typing_indicator": {"type": "text"}} if typing else {}
        self._post({"status": "read", "message_id": wamid, **more})

    def _post(self, body: dict[str, Any]) -> Any:
        answer = self._http.post("/messages", json={"messaging_product": "whatsapp", **body})
        assert answer.is_success, answer.text
        return answer.json()


class Tickets:
    """The Redmine behind the desk, as the bot and as others see it."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self.url = url
        self.keys = keys
        self._http = httpx.Client(base_url=url, timeout=20)

    def call(self, method: str, path: str, login: str = "whatsapp-bot", **more: Any) -> Any:
        headers = {"X-Redmine-API-Key": self.keys[login], **more.pop("headers", {})}
        answer = self._http.request(method, path, headers=headers, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text.strip() else None

    def create(self, subject: str, description: str = "", **more: Any) -> int:
        """A new incident; its number."""
        words = {"subject": subject, "description": description}
        issue = {"project_id": PROJECT, "tracker_id": 6, **words, **more}
        return int(self.call("POST", "/issues.json", json={"issue": issue})["issue"]["id"])

    def upload(self, data: bytes, name: str, mime: str) -> dict[str, str]:
        """A file for ``create``'s ``uploads``."""
        path = f"/uploads.json?filename={quote(name)}"
        made = self.call("POST", path, content=data, headers={"Content-Type": "application/octet-stream"})
        return {"token": made["upload"]["token"], "filename": name, "content_type": mime}

    def issue(self, number: int, login: str = "whatsapp-bot") -> Any:
        return self.call("GET", f"/issues/{number}.json?include=journals,attachments", login)["issue"]

    def notes(self, number: int) -> list[tuple[str, bool]]:
        """The journal's notes with their privacy, oldest first."""
        return [(j["notes"], j["private_notes"]) for j in self.issue(number)["journals"] if j["notes"]]


class Stage:
    """Everything that a test of the page needs, on one address."""

    def __init__(self, tickets: Tickets | None = None) -> None:
        """``tickets`` is a real Redmine; without it there is a stand-in."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.meta = MetaStandIn(
            webhook_url=f"{self.url}/webhook/whatsapp",
            public_url=self.url,
            app_secret="synthetic-app-secret-0001",
            access_token="synthetic-access-token",
            verify_token="synthetic-verify-token",
        )
        self.town = TownHall(self.url, self.meta)
        redmine = None if tickets else RedmineStandIn(public_url=f"{self.url}/tracker")
        self.tickets = tickets or Tickets(f"{self.url}/tracker", redmine.keys if redmine else {})
        for name, phone, hidden in (
            ("Maria Puig", "34600000001", False),
            ("Joan Ferrer", "34600000002", False),
            ("Núria Soler", "34600000003", True),
        ):
            self.meta.add_person(name, phone, hidden=hidden)
        keys = {login: self.tickets.keys[login] for login in STAFF}
        self.published = 0
        """How often something was published at the desk."""
        self.site = Site(STAFF, self._published)
        routes = [
            *page_routes(),
            *desk_routes(
                self.tickets.url, keys, poll_url=f"{self.url}/poll", project=PROJECT, town=TOWN, publish=True
            ),
            *self.site.routes,
            Route("/webhook/whatsapp", self.town.webhook, methods=["POST"]),
            Route("/poll", self.town.poll, methods=["POST"]),
            *([Mount("/tracker", app=redmine.app)] if redmine else []),
            Mount("/", app=self.meta.app),
        ]
        self.app = Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        # That of a mounted application does not run by itself.
        await self.meta.start()
        yield
        await self.meta.stop()

    async def _published(self) -> None:
        self.published += 1

    def transcript(self, person: str = "p1") -> list[dict[str, Any]]:
        return self.meta.transcript(self.meta.state.people[person])

    def sent(self, person: str = "p1") -> list[dict[str, Any]]:
        """What the person wrote, oldest first."""
        return [m for m in self.transcript(person) if m["direction"] == "in"]

    @contextmanager
    def open(self) -> Iterator[Stage]:
        """Served until the end of the block."""
        with served(self.app, self.listener):
            yield self
