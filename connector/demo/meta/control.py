"""The ``/_phone`` API: people's phones for the demo page and for black-box tests, as JSON.

    GET  /_phone/people                    POST /_phone/people {name, phone?, hidden?}
    GET  /_phone/people/{pid}/messages     POST /_phone/people/{pid}/send   (JSON, or multipart with ``file``)
    POST /_phone/people/{pid}/read         GET  /_phone/events              (server-sent events)
    GET  /_phone/media/{media_id}          POST /_phone/webhook {payload} or {body}
    GET, POST, DELETE /_phone/faults       POST /_phone/clock {offset}
    GET  /_phone/templates                 POST /_phone/templates {name, language, status, reason?}
    POST /_phone/verify                    GET  /_phone/queue

Errors are ``{"error": "<a sentence>"}`` with status 400 or 404. There is no password:
never put it on the internet.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connector.demo.meta import phone, webhooks
from connector.demo.meta.errors import GraphError
from connector.demo.meta.service import Service
from connector.demo.meta.state import Json, Person

Handler = Callable[[Request], Awaitable[Response]]


def routes(service: Service) -> list[Route]:
    """The routes of the control API."""
    api = Control(service)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "people", api.people),
        ("POST", "people", api.add_person),
        ("GET", "people/{pid}/messages", api.messages),
        ("POST", "people/{pid}/send", api.send),
        ("POST", "people/{pid}/read", api.read),
        ("GET", "media/{media_id}", api.media),
        ("GET", "events", api.events),
        ("GET", "faults", api.faults),
        ("POST", "faults", api.add_faults),
        ("DELETE", "faults", api.clear_faults),
        ("POST", "webhook", api.webhook),
        ("POST", "clock", api.clock),
        ("GET", "templates", api.templates),
        ("POST", "templates", api.review),
        ("POST", "verify", api.verify),
        ("GET", "queue", api.queue),
    ]
    return [Route(f"/_phone/{path}", _guarded(handler), methods=[method]) for method, path, handler in table]


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except HTTPException as error:
            return JSONResponse({"error": error.detail}, status_code=error.status_code)
        except KeyError as error:
            return JSONResponse({"error": f"«{error.args[0]}» is missing."}, status_code=400)
        except (TypeError, ValueError, GraphError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return guarded


async def _object(request: Request) -> Json:
    body = json.loads(await request.body() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("The body is a JSON object.")
    return body


class Control:
    """Requests of the demo page and of tests."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def _person(self, request: Request) -> Person:
        person = self.service.state.people.get(request.path_params["pid"])
        if person is None:
            raise HTTPException(404, "There is no such person; GET /_phone/people lists them.")
        return person

    async def people(self, request: Request) -> Response:
        """Everybody, in the order in which they were added."""
        return JSONResponse([p.as_json() for p in self.service.state.people.values()])

    async def add_person(self, request: Request) -> Response:
        """Somebody new."""
        body = await _object(request)
        person = self.service.add_person(str(body["name"]), body.get("phone"), bool(body.get("hidden")))
        return JSONResponse(person.as_json(), status_code=201)

    async def messages(self, request: Request) -> Response:
        """A person's chat, oldest first."""
        return JSONResponse(self.service.transcript(self._person(request)))

    async def send(self, request: Request) -> Response:
        """The person writes, taps or sends a file; the answer is ``{"id": wamid}``."""
        person = self._person(request)
        if "multipart/form-data" not in request.headers.get("content-type", ""):
            return JSONResponse({"id": phone.send(self.service, person, await _object(request))})
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise ValueError("The form has no part «file».")
            data = await file.read()
            options = {k: str(form[k]) for k in ("kind", "caption", "context") if form.get(k)}
        mime_type = file.content_type or "application/octet-stream"
        return JSONResponse(
            {"id": phone.send_file(self.service, person, data, mime_type, file.filename, **options)}
        )

    async def read(self, request: Request) -> Response:
        """The person opens the chat; the answer lists what is reported as read."""
        return JSONResponse({"read": phone.open_chat(self.service, self._person(request))})

    async def media(self, request: Request) -> Response:
        """A file, without token, for the demo page."""
        media = self.service.media.get(request.path_params["media_id"])
        if media is None:
            raise HTTPException(404, "There is no such file, or its id has expired.")
        # The demo page shows it in its own origin: nothing in it may run.
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return Response(media.data, media_type=media.mime_type, headers=headers)

    async def events(self, request: Request) -> Response:
        """New messages, changed statuses and typing, as server-sent events until the client goes."""

        async def stream() -> AsyncIterator[bytes]:
            with self.service.listening() as queue:
                yield b": listening\n\n"
                while event := await queue.get():
                    yield b"data: " + json.dumps(event).encode() + b"\n\n"

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def faults(self, request: Request) -> Response:
        """The faults that still wait for a call."""
        return JSONResponse([f.as_json() for f in self.service.faults.waiting])

    async def add_faults(self, request: Request) -> Response:
        """Add one fault, or a list of them."""
        body: Any = json.loads(await request.body())
        for fault in body if isinstance(body, list) else [body]:
            self.service.add_fault(fault)
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Response:
        """Nothing goes wrong any more; held webhooks go out."""
        self.service.faults.waiting.clear()
        self.service.delivery.release()
        return JSONResponse([])

    async def webhook(self, request: Request) -> Response:
        """POST a payload (or the exact string ``body``) to the webhook once, signed; gives the status."""
        body = await _object(request)
        raw = body["body"].encode() if "body" in body else webhooks.encode(body["payload"])
        return JSONResponse({"status": await self.service.post_raw(raw)})

    async def clock(self, request: Request) -> Response:
        """Shift the clock: ``offset`` seconds from the real time, not from the last offset."""
        self.service.clock_offset = float((await _object(request))["offset"])
        return JSONResponse({"offset": self.service.clock_offset, "now": self.service.now()})

    async def templates(self, request: Request) -> Response:
        """All templates with their status."""
        return JSONResponse([t.fields(None) for t in self.service.templates.all])

    async def review(self, request: Request) -> Response:
        """Meta changes the status of a template and says so by webhook."""
        body = await _object(request)
        template = self.service.templates.find(body["name"], body["language"])
        if template is None:
            raise HTTPException(404, "There is no template of this name in this language.")
        self.service.review_template(template, str(body["status"]), str(body.get("reason", "NONE")))
        return JSONResponse(template.fields(None))

    async def verify(self, request: Request) -> Response:
        """The verification handshake with the connector."""
        return JSONResponse({"verified": await self.service.verify()})

    async def queue(self, request: Request) -> Response:
        """How many webhooks wait for a 200."""
        return JSONResponse({"waiting": self.service.delivery.waiting})
