"""What the connector is measured against, each an ASGI application that uvicorn serves with the same settings."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connector.whatsapp.signature import verify

SECRET = os.environ.get("BENCH_SECRET", "")


async def _checked(request: Request) -> Response:
    body = await request.body()
    if not verify(body, request.headers.get("x-hub-signature-256"), (SECRET,)):
        return PlainTextResponse("", status_code=401)
    return PlainTextResponse("")


plain = Starlette(routes=[Route("/webhook/whatsapp", _checked, methods=["POST"])])
"""The signature is checked, nothing is stored: no service on this server can be faster."""


def pywa() -> Any:
    """pywa on FastAPI in its default way: a handler for messages, which does nothing."""
    from fastapi import FastAPI
    from pywa_async import WhatsApp
    from pywa_async.types import Message

    app = FastAPI()
    wa = WhatsApp(
        phone_id="100000000000001", token="not-used", server=app, verify_token="word", app_secret=SECRET,
        webhook_endpoint="/webhook/whatsapp",
    )  # fmt: skip

    @wa.on_message
    async def taken(_: WhatsApp, message: Message) -> None:
        await asyncio.sleep(0)

    return app
