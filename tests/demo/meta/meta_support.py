"""Helpers for the stand-in's tests: a clock, a town hall, an API client, servers on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connector.demo.meta import MetaStandIn

SECRET, TOKEN, VERIFY = "synthetic-app-secret-0001", "synthetic-access-token", "synthetic-verify-token"
SAMPLES = Path(__file__).parents[2] / "whatsapp" / "contract_data" / "samples"
PHONE, WABA = "100000000000001", "200000000000001"
JPEG = b"\xff\xd8\xff\xe0" + b"synthetic" * 20
PDF = b"%PDF-1.4 synthetic"


class Clock:
    """Unix seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1_795_426_800.0

    def __call__(self) -> float:
        return self.now


class Town:
    """A town hall's webhook: keeps what it gets; answers with the next of ``answers``, then 200."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.answers: list[int] = []
        self.verify_token = VERIFY
        self.app = Starlette(routes=[Route("/webhook/whatsapp", self.webhook, methods=["GET", "POST"])])

    async def webhook(self, request: Request) -> Response:
        if request.method == "GET":
            if request.query_params["hub.verify_token"] != self.verify_token:
                return PlainTextResponse("no", status_code=403)
            return PlainTextResponse(request.query_params["hub.challenge"])
        self.bodies.append(await request.body())
        self.signatures.append(request.headers["x-hub-signature-256"])
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(b) for b in self.bodies]

    def values(self, part: str) -> list[dict[str, Any]]:
        """All ``messages`` or ``statuses`` received, in order."""
        changes = [c for p in self.payloads for e in p["entry"] for c in e["changes"]]
        return [x for c in changes for x in c["value"].get(part, [])]


class Api:
    """The Graph API and the control API of a stand-in in this process."""

    def __init__(self, service: MetaStandIn) -> None:
        self.service = service
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app),
            base_url="http://meta.invalid",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    async def send(self, body: Any) -> httpx.Response:
        return await self.http.post(f"/v23.0/{PHONE}/messages", json=body)

    async def text(self, to: str = "+34600000001", **extra: Any) -> httpx.Response:
        address = {"to": to} if to.startswith("+") else {"recipient": to}
        text = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Bon dia"}}
        return await self.send({**text, **address, **extra})

    async def upload(self, data: bytes, mime_type: str, name: str = "f") -> httpx.Response:
        return await self.http.post(
            f"/v23.0/{PHONE}/media",
            data={"messaging_product": "whatsapp"},
            files={"file": (name, data, mime_type)},
        )


async def settle(service: MetaStandIn) -> None:
    """Wait until every webhook that is not held back has been answered with 200."""
    for _ in range(500):
        await asyncio.sleep(0.005)
        if not service.delivery.waiting:
            return
    raise AssertionError("webhooks are still waiting")


class Served:
    """A Starlette application on a free loopback port, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Served:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()


def sample(name: str) -> Any:
    """A contract sample, by its path below ``samples``."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


TEMPLATES = [
    {
        "name": "incidencia_actualitzada",
        "language": "ca",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [
            {
                "type": "BODY",
                "text": "La teva incidència {{1}} ha passat a l'estat {{2}}. Respon-nos si tens dubtes.",
                "example": {"body_text": [["42", "En curs"]]},
            },
            {"type": "FOOTER", "text": "Ajuntament"},
        ],
    },
    {
        "name": "incidencia_resolta",
        "language": "es",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": "Hemos resuelto la incidencia {{num}}. Puede valorarla con el botón.",
                "example": {"body_text_named_params": [{"param_name": "num", "example": "42"}]},
            },
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Muy bien"}]},
        ],
    },
]
