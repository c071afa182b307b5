"""``MetaStandIn``: Meta's WhatsApp Cloud API as one object and one Starlette application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

from starlette.applications import Starlette

from connector.demo.meta import control, graph, phone
from connector.demo.meta.service import Service
from connector.demo.meta.state import Json, Person


class MetaStandIn(Service):
    """The service, what people do on their phones, and ``app``.

    ``app`` serves the Graph API under ``/vNN.N/``, media under ``/_media/`` and the phones under ``/_phone/``; it
    starts and stops the delivery of webhooks itself when served.
    """

    @cached_property
    def app(self) -> Starlette:
        """The service as an application."""
        return Starlette(routes=[*control.routes(self), *graph.routes(self)], lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await self.start()
        yield
        await self.stop()

    def send(self, person: Person, action: Json) -> str:
        """The person sends something (see ``phone.send``); returns the message's id."""
        return phone.send(self, person, action)

    def send_file(self, person: Person, data: bytes, mime_type: str, **options: Any) -> str:
        """The person sends a file (``filename``, ``kind``, ``caption``, ``context``); returns its id."""
        return phone.send_file(self, person, data, mime_type, options.pop("filename", None), **options)

    def open_chat(self, person: Person) -> list[str]:
        """The person reads what has come; returns the ids now reported as read."""
        return phone.open_chat(self, person)
