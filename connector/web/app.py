"""The web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .health import Health
from .webhook import Webhooks


def build_app(
    webhooks: Webhooks,
    health: Health,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """All addresses of the contract; ``more`` are those of the demo."""
    routes: list[BaseRoute] = [
        Route("/webhook/whatsapp", webhooks.verification, methods=["GET"]),
        Route("/webhook/whatsapp", webhooks.notification, methods=["POST"]),
        Route("/webhook/tracker", webhooks.tracker, methods=["POST"]),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route("/metrics", health.prometheus),
        *more,
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={ClientDisconnect: _left})


async def _left(request: Request, error: Exception) -> Response:
    """Who asked is gone before the request was whole: nobody reads this, and it is no error of ours."""
    return Response(status_code=400)
