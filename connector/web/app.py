"""The web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
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
    return Starlette(routes=routes, lifespan=lifespan)
