"""The Graph API routes: ``/{version}/{node}`` and ``/{version}/{node}/{edge}``, and the media host."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connector.demo.meta import account, outgoing
from connector.demo.meta.errors import GraphError
from connector.demo.meta.faults import Fault
from connector.demo.meta.service import Service
from connector.demo.meta.state import Json
from connector.demo.meta.templates import MOST_TEMPLATES

Work = Callable[[Fault | None], Awaitable[Response]]
_VERSION = re.compile(r"v\d{2}\.\d")
_NO_SUCH_OBJECT = (
    "Unsupported {method} request. Object with ID '{node}' does not exist, cannot be loaded due to missing "
    "permissions, or does not support this operation"
)


class HungUp(Response):
    """No answer at all: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Uvicorn's receive is a method of the object that knows the connection.
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        transport.abort()
        await asyncio.sleep(0.01)


def routes(service: Service) -> list[Route]:
    """The routes of the Graph API and of the media host."""
    api = GraphApi(service)
    methods = ["GET", "POST", "DELETE"]
    return [
        Route("/_media/{media_id}", api.download, methods=["GET"]),
        Route("/{version}/{node}", api.node, methods=methods),
        Route("/{version}/{node}/{edge}", api.edge, methods=methods),
    ]


class GraphApi:
    """Requests in, Meta's answers out."""

    def __init__(self, service: Service) -> None:
        self.service = service

    # ------------------------------------------------------------------ what every call goes through

    async def _answer(self, request: Request, match: str, work: Work) -> Response:
        """Token, faults and errors around one call."""
        try:
            self._check_version(request)
            if request.path_params.get("node") == self.service.application.id:
                self._check_app_token(request)
            else:
                self._check_token(request)
            fault = self.service.faults.take(match)
            if fault is not None and fault.delay:
                await asyncio.sleep(fault.delay)
            if fault is not None and fault.drop == "before":
                return HungUp()
            if fault is not None and fault.error is not None:
                raise GraphError(fault.error, http=fault.http, retry_after=fault.retry_after)
            if fault is not None and fault.http is not None:
                headers = GraphError(1, retry_after=fault.retry_after).headers()
                return HTMLResponse(
                    "<html><body>Bad Gateway</body></html>", status_code=fault.http, headers=headers
                )
            response = await work(fault)
            return HungUp() if fault is not None and fault.drop == "after" else response
        except GraphError as error:
            return JSONResponse(error.body(), status_code=error.http, headers=error.headers())

    def _check_version(self, request: Request) -> None:
        version = request.path_params.get("version")
        if version is not None and not _VERSION.fullmatch(version):
            raise GraphError(
                2500, message=f"Unknown path components: /{request.path_params['node']}", http=400
            )

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = ""
        if not hmac.compare_digest(token.encode(), self.service.access_token.encode()):
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")

    def _check_app_token(self, request: Request) -> None:
        """An app's own edges want ``<app id>|<app secret>`` and take nobody else's token."""
        app_id, bar, secret = request.headers.get("authorization", "").removeprefix("Bearer ").partition("|")
        if not bar:
            raise GraphError(
                15, message="(#15) This method must be called with an app access_token.", http=400
            )
        if (app_id, secret) != (self.service.application.id, self.service.delivery.app_secret):
            raise GraphError(190, message="Invalid OAuth access token signature.")

    def _no_such_object(self, request: Request, node: str) -> GraphError:
        message = _NO_SUCH_OBJECT.format(method=request.method.lower(), node=node)
        return GraphError(100, subcode=33, message=message)

    async def _json(self, request: Request) -> Any:
        if "application/json" not in request.headers.get("content-type", ""):
            raise GraphError(100, "The body must be application/json.")
        try:
            return json.loads(await request.body())
        except ValueError as error:
            raise GraphError(100, "The body is not valid JSON.") from error

    def _phone_node(self, node: str) -> bool:
        return node == self.service.number.phone_number_id

    def _account_node(self, node: str) -> bool:
        return node == self.service.number.business_account_id

    # ------------------------------------------------------------------ nodes

    async def node(self, request: Request) -> Response:
        """``/{version}/{id}``: a phone number, an account, a media file or a template."""
        node, method = request.path_params["node"], request.method
        service = self.service
        media = service.media.get(node)
        template = service.templates.by_id(node)

        async def work(_: Fault | None) -> Response:
            if media is not None and method in ("GET", "DELETE"):
                asked = request.query_params.get("phone_number_id", service.number.phone_number_id)
                if not self._phone_node(asked):
                    raise self._no_such_object(request, node)
                if method == "GET":
                    return JSONResponse(service.media.described(media))
                service.media.delete(node)
                return JSONResponse({"success": True})
            if template is not None and method == "GET":
                return JSONResponse(template.fields(self._fields(request)))
            if template is not None and method == "POST":
                with service.state.lock:
                    service.templates.edit(template, await self._json(request))
                    service.created_template(template)
                return JSONResponse({"success": True})
            if method == "GET" and node == "debug_token":
                return JSONResponse(account.debug_token(service, request.query_params.get("input_token", "")))
            if method == "GET" and node == "me":
                return JSONResponse({"id": "400000000000001", "name": "connector"})
            if method == "GET" and self._phone_node(node):
                return JSONResponse(
                    self._select(request, account.phone_fields(self.service), "WhatsAppBusinessPhoneNumber")
                )
            if method == "GET" and self._account_node(node):
                return JSONResponse(
                    self._select(request, account.account_fields(self.service), "WhatsAppBusinessAccount")
                )
            raise self._no_such_object(request, node)

        known = template is not None or self._phone_node(node) or self._account_node(node)
        match = (
            "templates" if template is not None else "other" if known or not node.isdigit() else "media_url"
        )
        return await self._answer(request, match, work)

    async def edge(self, request: Request) -> Response:
        """``/{version}/{id}/{edge}``: messages, media, templates, subscriptions."""
        node, edge, method = request.path_params["node"], request.path_params["edge"], request.method
        phone_edges: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("POST", "media"): self._upload,
        }
        account_edges: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("GET", "message_templates"): self._list_templates,
            ("POST", "message_templates"): self._create_template,
            ("DELETE", "message_templates"): self._delete_template,
            ("GET", "subscribed_apps"): self._subscriptions,
            ("POST", "subscribed_apps"): self._subscribe,
            ("DELETE", "subscribed_apps"): self._unsubscribe,
            ("GET", "phone_numbers"): self._phone_numbers,
        }
        match = {"media": "media", "message_templates": "templates"}.get(edge, "other")
        if (method, edge) == ("POST", "messages"):
            with contextlib.suppress(ValueError, UnicodeDecodeError):
                body = json.loads(await request.body())
                match = "read" if isinstance(body, dict) and "status" in body else "messages"

        async def work(fault: Fault | None) -> Response:
            if node == self.service.application.id and (method, edge) == ("GET", "subscriptions"):
                return JSONResponse(account.subscriptions(self.service))
            if self._phone_node(node) and (method, edge) == ("POST", "messages"):
                failed = fault.failed if fault is not None else None
                sent = outgoing.post_message(self.service, await self._json(request), failed)
                return JSONResponse(sent)
            edges = (
                phone_edges if self._phone_node(node) else account_edges if self._account_node(node) else {}
            )
            handler = edges.get((method, edge))
            if handler is None:
                raise self._no_such_object(request, node)
            return await handler(request)

        return await self._answer(request, match, work)

    # ------------------------------------------------------------------ media

    async def _upload(self, request: Request) -> Response:
        if "multipart/form-data" not in request.headers.get("content-type", ""):
            raise GraphError(100, "The body must be multipart/form-data.")
        async with request.form() as form:
            if form.get("messaging_product") != "whatsapp":
                raise GraphError(100, message="(#100) The parameter messaging_product is required.")
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise GraphError(100, message="(#100) The parameter file is required.")
            data = await file.read()
        media = self.service.media.upload(data, file.content_type or "", file.filename)
        return JSONResponse({"id": media.id})

    async def download(self, request: Request) -> Response:
        """The media host: needs the bearer token; 404 when the link is wrong or too old."""

        async def work(_: Fault | None) -> Response:
            secret = request.query_params.get("hash", "")
            media = self.service.media.by_link(request.path_params["media_id"], secret)
            if media is None:
                return Response(status_code=404)
            return Response(media.data, media_type=media.mime_type)

        return await self._answer(request, "download", work)

    # ------------------------------------------------------------------ numbers and accounts

    def _fields(self, request: Request) -> list[str] | None:
        wanted = request.query_params.get("fields", "")
        # Sub-selections such as throughput{level} give the whole field.
        return [f.strip() for f in re.sub(r"\{[^{}]*\}", "", wanted).split(",") if f.strip()] or None

    def _select(self, request: Request, everything: account.Fields, kind: str) -> Json:
        """``everything`` is name -> (given when no fields are named, value)."""
        wanted = self._fields(request)
        for name in wanted or ():
            if name not in everything:
                raise GraphError(
                    100, message=f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})"
                )
        return {
            name: value
            for name, (default, value) in everything.items()
            if value is not None and (name in wanted or name == "id" if wanted else default)
        }

    async def _phone_numbers(self, request: Request) -> Response:
        return JSONResponse(
            {
                "data": [
                    self._select(request, account.phone_fields(self.service), "WhatsAppBusinessPhoneNumber")
                ]
            }
        )

    async def _subscriptions(self, request: Request) -> Response:
        app = {"id": self.service.application.id, "link": "https://example.org/", "name": "connector"}
        data = [{"whatsapp_business_api_data": app}] if self.service.delivery.subscribed else []
        return JSONResponse({"data": data})

    async def _subscribe(self, request: Request) -> Response:
        body = await self._json(request) if await request.body() else {}
        override = body.get("override_callback_uri") if isinstance(body, dict) else None
        if override:
            if not await self.service.verify(str(override), str(body.get("verify_token", ""))):
                raise GraphError(100, "The callback URL did not give the challenge back.")
            self.service.webhook_url = str(override)
        self.service.delivery.subscribed = True
        return JSONResponse({"success": True})

    async def _unsubscribe(self, request: Request) -> Response:
        self.service.delivery.subscribed = False
        return JSONResponse({"success": True})

    # ------------------------------------------------------------------ templates

    async def _list_templates(self, request: Request) -> Response:
        query = request.query_params
        found = [
            t
            for t in self.service.templates.all
            if query.get("name", "") in t.name
            and all(
                getattr(t, k) in query.get(k, getattr(t, k)).split(",")
                for k in ("status", "language", "category")
            )
        ]
        try:
            limit, start = int(query.get("limit", "25")), int(query.get("after", "0"))
        except ValueError as error:
            raise GraphError(100, "Params limit and after: limit is a number, after a cursor.") from error
        page, wanted = found[start : start + limit], self._fields(request)
        answer: Json = {"data": [t.fields(wanted) for t in page]}
        if page:
            answer["paging"] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
            if start + len(page) < len(found):
                following = request.url.include_query_params(after=start + len(page))
                answer["paging"]["next"] = (
                    self.service.public_url.rstrip("/") + f"{following.path}?{following.query}"
                )
        if "summary" in query:
            total = len(self.service.templates.all)
            answer["summary"] = {
                "total_count": len(found),
                "message_template_count": total,
                "message_template_limit": MOST_TEMPLATES,
                "are_translations_complete": True,
            }
        return JSONResponse(answer)

    async def _create_template(self, request: Request) -> Response:
        body = await self._json(request)
        with self.service.state.lock:
            template = self.service.templates.create(body)
            created = {"id": template.id, "status": template.status, "category": template.category}
            self.service.created_template(template)
        return JSONResponse(created)

    async def _delete_template(self, request: Request) -> Response:
        name = request.query_params.get("name")
        if not name:
            raise GraphError(100, message="(#100) The parameter name is required.")
        with self.service.state.lock:
            for template in self.service.templates.delete(name, request.query_params.get("hsm_id")):
                self.service.review_template(template, "PENDING_DELETION")
        return JSONResponse({"success": True})
