"""A GeoReport v2 server of ours: it refuses whatever the specification does not allow, and checks its own answers
against the public schemas. It stands for no real one; that none was met is said in docs/trackers/open311.md.

With mySociety's extension for updates, tokens that are numbered later, and what servers differ in as switches.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.e2e.way import port
from tests.open311 import schema

KEY = "clau-de-prova-open311"
JURISDICTION = "santcebria.example"
_TEXTS = {
    "api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "email", "device_id",
    "account_id", "first_name", "last_name", "phone", "description", "media_url",
}  # fmt: skip
_NAMES = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "service_request_updates": "request_update", "errors": "error",
}  # fmt: skip


class Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def service(code: str, name: str, kind: str = "realtime", attributes: Any = ()) -> dict[str, Any]:
    return {"code": code, "name": name, "type": kind, "attributes": list(attributes)}


def attribute(code: str, datatype: str, *, required: bool = False, values: Any = ()) -> dict[str, Any]:
    found = {"variable": True, "code": code, "datatype": datatype, "required": required, "order": 1}
    return {**found, "datatype_description": None, "description": code, "values": list(values)}


SERVICES = (
    service("VIA", "Via pública", attributes=[
        attribute("BARRI", "singlevaluelist", values=[{"key": "c", "name": "Centre"}, {"key": "p", "name": "Platja"}]),
        attribute("MATERIAL", "multivaluelist", values=[{"key": "1", "name": "Asfalt"}]),
        attribute("REF", "string"),
        attribute("ALTURA", "number"),
    ]),
    *(service(code, code.capitalize()) for code in ("BUSTIA", "ALCALDIA", "REG-CENTRE", "REG-PLATJA", "REG-MUNTANYA")),
    service("ENLLUM", "Enllumenat"),
    service("LOT", "Per lots", "batch"),
    service("FOSCA", "Caixa negra", "blackbox"),
    service("ARBRES", "Arbres", attributes=[attribute("ESPECIE", "string", required=True)]),
)  # fmt: skip


@dataclass
class Standin:
    """The server, and somebody at it. Its clock can be moved, and stands still otherwise."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    """What was sent in, as it came."""
    updates: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    hold_tokens: bool = True
    """Requests of a batch service have no number yet."""
    extension: bool = True
    lists: bool = True
    """Whether several ids can be asked for at once."""
    wrapped: bool = False
    """JSON lists in an object, as some servers have them; and ids as numbers, as the specification's own examples."""
    broken: set[str] = field(default_factory=set)
    """Requests that are answered with 500."""
    away: bool = False
    asked: list[str] = field(default_factory=list)
    """Paths with what was asked, in order."""

    # --- somebody at the server ---

    def say(self, number: str, text: str, status: str = "") -> None:
        """An answer in ``status_notes``, perhaps with a status."""
        self._touch(number, status_notes=text, **({"status": status} if status else {}))

    def update(self, number: str, text: str, status: str = "OPEN", *, ago: float = 0, media: str = "") -> str:
        """An answer as an update, which became visible only now when it is older."""
        at = self.now - timedelta(seconds=ago)
        found = {"update_id": f"{len(self.updates) + 1}", "service_request_id": number, "status": status}
        self.updates.append(
            {**found, "updated_datetime": w3c(at), "description": text, "media_url": media or None}
        )
        if status.casefold() in ("closed", "fixed"):
            self._touch(number, status="closed")
        return found["update_id"]

    def close(self, number: str) -> None:
        self._touch(number, status="closed")

    def delete(self, number: str) -> None:
        del self.requests[number]

    def number(self, token: str) -> str:
        """Give the request of a token its number."""
        self.tokens[token] = self._store(self.requests.pop(token))
        return self.tokens[token]

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _touch(self, number: str, **changes: Any) -> None:
        self.wait(1)
        self.requests[number] |= {**changes, "updated_datetime": w3c(self.now)}

    def _store(self, row: dict[str, Any]) -> str:
        number = str(293_944 + len(self.requests) + len(self.tokens))
        self.requests[number] = {**row, "service_request_id": number}
        return number

    # --- what is asked of it ---

    def _jurisdiction(self, given: str) -> None:
        if given and given != JURISDICTION:
            raise Refused(404, "jurisdiction_id was not found")

    def _service(self, code: str) -> dict[str, Any]:
        if not code:
            raise Refused(400, "service_code was not provided")
        found = next((s for s in SERVICES if s["code"] == code), None)
        if found is None:
            raise Refused(404, f"service_code {code} was not found")
        return found

    def get_services(self, request: Request) -> tuple[str, str, Any]:
        rows = [
            {"service_code": s["code"], "service_name": s["name"], "description": None, "keywords": None,
             "metadata": bool(s["attributes"]), "type": s["type"], "group": None}
            for s in SERVICES
        ]  # fmt: skip
        return "services", "services", rows

    def get_definition(self, request: Request) -> tuple[str, str, Any]:
        found = self._service(request.path_params["code"])
        content = {"service_code": found["code"], "attributes": found["attributes"]}
        return "service_definition", "service_definition", content

    def get_requests(self, request: Request) -> tuple[str, str, Any]:
        wanted = request.query_params.get("service_request_id", "")
        rows = [r for r in self.requests.values() if "service_request_id" in r]
        if wanted:
            ids = wanted.split(",") if self.lists else [wanted]
            rows = [r for r in rows if r["service_request_id"] in ids]
        return "requests", "service_requests", rows

    def get_request(self, request: Request) -> tuple[str, str, Any]:
        number = request.path_params["number"]
        if number in self.broken:
            raise Refused(500, "out of order")
        if number not in self.requests:
            raise Refused(404, "service_request_id was not found")
        return "requests", "service_requests", [self.requests[number]]

    def get_token(self, request: Request) -> tuple[str, str, Any]:
        token = request.path_params["token"]
        if token in self.tokens:
            found = {"service_request_id": self.tokens[token], "token": token}
        elif token in self.requests:
            found = {"token": token}
        else:
            raise Refused(404, "token was not found")
        return "token", "service_requests", [found]

    def get_updates(self, request: Request) -> tuple[str, str, Any]:
        if not self.extension:
            raise Refused(404, "no such method")
        since, until = (_time(request.query_params[name]) for name in ("start_date", "end_date"))
        rows = [u for u in self.updates if since <= _time(u["updated_datetime"]) <= until]
        return "updates", "service_request_updates", rows

    async def post_request(self, request: Request) -> tuple[str, str, Any]:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "a form is wanted")
        form: dict[str, list[str]] = {}
        for name, value in (await request.form()).multi_items():
            form.setdefault(name, []).append(str(value))
        self.forms.append(form)
        one = {name: values[0] for name, values in form.items()}
        if one.get("api_key") != KEY:
            raise Refused(403, "the api_key is missing or wrong")
        self._jurisdiction(one.get("jurisdiction_id", ""))
        kind = self._service(one.get("service_code", ""))
        self._allowed(form, kind)
        row = {
            "status": "open", "status_notes": None, "service_code": kind["code"], "service_name": kind["name"],
            "description": one.get("description"), "requested_datetime": w3c(self.now),
            "updated_datetime": w3c(self.now), "address": one.get("address_string"), "address_id": None, "zipcode": None,
            "lat": float(one["lat"]) if "lat" in one else None, "long": float(one["long"]) if "long" in one else None,
            "media_url": None, "agency_responsible": None, "service_notice": None, "expected_datetime": None,
        }  # fmt: skip
        if kind["type"] == "blackbox":
            return "created", "service_requests", [{"service_notice": None}]
        if kind["type"] == "batch":
            token = f"t{len(self.forms)}"
            self.requests[token] = row
            if not self.hold_tokens:
                self.number(token)
            return "created", "service_requests", [{"token": token}]
        return "created", "service_requests", [{"service_request_id": self._store(row), "account_id": None}]

    def _allowed(self, form: dict[str, list[str]], kind: dict[str, Any]) -> None:
        one = {name: values[0] for name, values in form.items()}
        if not ({"lat", "long"} <= one.keys() or one.keys() & {"address_string", "address_id"}):
            raise Refused(400, "a full location parameter must be submitted")
        if not (-90 <= float(one.get("lat", 0)) <= 90 and -180 <= float(one.get("long", 0)) <= 180):
            raise Refused(400, "this is nowhere")
        if len(one.get("description", "")) > 4000 or re.search(r"<[a-z/!]", one.get("description", ""), re.I):
            raise Refused(400, "description is too long, or holds html")
        attributes = {a["code"]: a for a in kind["attributes"]}
        for name, values in form.items():
            if name in _TEXTS:
                if len(values) > 1:
                    raise Refused(400, f"{name} is there twice")
                continue
            match = re.fullmatch(r"attribute\[(\w+)\](\[\])?", name)
            found = attributes.get(match[1]) if match else None
            if match is None or found is None or (found["datatype"] == "multivaluelist") != bool(match[2]):
                raise Refused(400, f"{name} is not known")
            keys = {v["key"] for v in found["values"]}
            if keys and not set(values) <= keys:
                raise Refused(400, f"{name} has no such value")
            if found["datatype"] == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", values[0]):
                raise Refused(400, f"{name} is no number")
        for code, found in attributes.items():
            if found["required"] and not any(name.startswith(f"attribute[{code}]") for name in form):
                raise Refused(400, f"attribute {code} was not provided")

    # --- how it answers ---

    def app(self) -> Starlette:
        def served(handle: Any) -> Any:
            async def answer(request: Request) -> Response:
                form = request.path_params["form"]
                path = request.url.path.removeprefix("/open311/v2/")
                self.asked.append(f"{request.method} {path}?{request.url.query}".rstrip("?"))
                try:
                    if self.away:
                        raise Refused(404, "moved")
                    if "api_key" in request.query_params:
                        raise Refused(400, "a key has no place in an address")
                    if request.method == "GET":
                        self._jurisdiction(request.query_params.get("jurisdiction_id", ""))
                    found = handle(request)
                    what, root, content = found if isinstance(found, tuple) else await found
                    status = 200
                except Refused as refused:
                    what, root, status = "errors", "errors", refused.status
                    content = [{"code": status, "description": str(refused)}]
                schema.check(what, content)
                return self._response(form, root, content, status)

            return answer

        routes = [
            Route("/open311/v2/services.{form}", served(self.get_services)),
            Route("/open311/v2/services/{code}.{form}", served(self.get_definition)),
            Route("/open311/v2/requests.{form}", served(self.get_requests), methods=["GET"]),
            Route("/open311/v2/requests.{form}", served(self.post_request), methods=["POST"]),
            Route("/open311/v2/requests/{number}.{form}", served(self.get_request)),
            Route("/open311/v2/tokens/{token}.{form}", served(self.get_token)),
            Route("/open311/v2/servicerequestupdates.{form}", served(self.get_updates)),
        ]
        return Starlette(routes=routes)

    def _response(self, form: str, root: str, content: Any, status: int) -> Response:
        date = {"Date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if form == "xml":
            body = ElementTree.tostring(_element(root, content), encoding="utf-8", xml_declaration=True)
            return Response(body, status, date, "text/xml; charset=utf-8")
        if form != "json":
            return Response("no such format", 404)
        import json

        if self.wrapped and isinstance(content, list):
            numbers = [
                {k: int(v) if k == "service_request_id" and str(v).isdigit() else v for k, v in row.items()}
                for row in content
            ]
            content = {root: numbers}
        return Response(json.dumps(content), status, date, "application/json; charset=utf-8")


def _element(name: str, content: Any) -> ElementTree.Element:
    found = ElementTree.Element(name)
    if isinstance(content, dict):
        found.extend(_element(key, value) for key, value in content.items())
    elif isinstance(content, list):
        found.extend(_element(_NAMES[name], value) for value in content)
    elif content is not None:
        found.text = str(content).lower() if isinstance(content, bool) else str(content)
    return found


def w3c(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text):
        raise Refused(400, "this is no date and time in W3C format")
    return datetime.fromisoformat(text)


@contextmanager
def serving(standin: Standin) -> Iterator[str]:
    """The endpoint's address while it runs."""
    number = port()
    config = uvicorn.Config(
        standin.app(), port=number, log_config=None, date_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{number}/open311/v2"
    finally:
        server.should_exit = True
        thread.join(5)
