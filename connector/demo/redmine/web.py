"""One request as Redmine sees it: who asks, which parameters, and the answers with their empty bodies."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import Response

from . import rights
from .casting import blank, integer
from .drafting import Person
from .events import Events
from .model import Database, Issue, Principal, Project

JSON_TYPE = "application/json; charset=utf-8"
PAGE = "<!DOCTYPE html><title>Redmine</title><p>{}</p>"


class Answered(Exception):
    """Ends a handler early with an answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def shown(body: Any, status: int = 200, location: str = "") -> Response:
    """A JSON answer."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"location": location} if location else {}
    return Response(content, status, headers | {"content-type": JSON_TYPE})


def done() -> Response:
    """204, what a successful write is answered with."""
    return Response(None, 204)


def refused(errors: list[str]) -> Response:
    """422 with its messages."""
    return shown({"errors": errors}, 422)


def empty(status: int, *, challenge: bool = False) -> Response:
    """401, 403, 404, 406, 412: no body at all."""
    headers = {"content-type": "application/json"}
    if challenge:
        headers["www-authenticate"] = 'Basic realm="Redmine API"'
    return Response(b"", status, headers)


def page(status: int, text: str = "") -> Response:
    return Response(PAGE.format(text or status), status, media_type="text/html")


def failed(status: int, reason: str) -> Response:
    """What Rails answers where nobody caught the error."""
    return shown({"status": status, "error": reason}, status)


def bad_request() -> Response:
    return Response(b"", 400, media_type="text/html")


@dataclass(slots=True)
class Call:
    """One request. ``body`` is the parsed JSON or form; raw bytes are in ``raw``."""

    db: Database
    events: Events
    request: Request
    raw: bytes
    now: datetime
    new_key: Callable[[], str]
    body: dict[str, Any] = field(default_factory=dict)
    user: Principal | None = None

    @property
    def by(self) -> Person:
        language = self.user.language if self.user else self.db.settings.default_language
        return Person(self.user, self.now, language)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return self.request.query_params.multi_items()

    def parameter(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    @property
    def include(self) -> set[str]:
        return set(self.parameter("include").replace(" ", "").split(","))

    def part(self, name: str) -> dict[str, Any]:
        """An object in the body, or an empty one."""
        found = self.body.get(name)
        return found if isinstance(found, dict) else {}

    def number(self, name: str = "id") -> int:
        """An id in the address; 0 (nobody's id) where it is no number."""
        return integer(self.request.path_params[name])

    # --- who and whether --------------------------------------------------------------------------

    def log_in(self) -> None:
        """Find the person by key or password; anybody else is anonymous, without an error."""
        self.user = self._from_key() or self._from_basic()
        other = self.request.headers.get("x-redmine-switch-user")
        if self.user is not None and self.user.admin and other:
            self.user = self.db.user_by(login=other)
            if self.user is None:
                raise Answered(empty(412))

    def _from_key(self) -> Principal | None:
        key = self.parameter("key") or self.request.headers.get("x-redmine-api-key", "")
        return self.db.user_by(key=key) if key else None

    def _from_basic(self) -> Principal | None:
        scheme, _, value = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        person = self.db.user_by(login=name) if name else None
        if person is not None and person.password and person.password == password:
            return person
        return self.db.user_by(key=name) if name else None

    def deny(self) -> NoReturn:
        """403 to who is known, 401 to who is not."""
        raise Answered(empty(403) if self.user else empty(401, challenge=True))

    def missing(self) -> NoReturn:
        raise Answered(empty(404))

    def need(self, allowed: bool) -> None:
        if not allowed:
            self.deny()

    def require_user(self) -> Principal:
        if self.user is None:
            self.deny()
        return self.user

    def require_admin(self) -> Principal:
        user = self.require_user()
        self.need(user.admin)
        return user

    def may(self, permission: str, project: Project | None) -> bool:
        return rights.may(self.db, self.user, permission, project)

    # --- what it is about -------------------------------------------------------------------------

    def project(self, name: str | int, permission: str = "") -> Project:
        """A project by id or identifier: 404, then 403 or 401 without ``permission`` (or out of sight)."""
        found = self.db.project(name)
        if found is None:
            self.missing()
        self.need(
            self.may(permission, found) if permission else rights.sees_project(self.db, self.user, found)
        )
        return found

    def optional_project(self, permission: str) -> Project | None:
        """The project a list or a new issue is in, by address, query or body."""
        name = self.request.path_params.get("project_id") or self.parameter("project_id")
        name = name or self.body.get("project_id")
        if blank(name):
            return None
        return self.project(str(name), permission)

    def issue(self, permission: str = "") -> Issue:
        """The issue in the address: 404 when there is none, 403 or 401 when it is out of sight."""
        found = self.db.issues.get(self.number())
        if found is None:
            self.missing()
        self.need(rights.sees_issue(self.db, self.user, found))
        self.need(not permission or self.may(permission, self.db.projects[found.project_id or 0]))
        return found

    # --- lists ------------------------------------------------------------------------------------

    def paged(self, name: str, records: list[Any], show: Callable[[Any], Any]) -> Response:
        """A page of a list: 25 by default, never more than 100; ``nometa`` drops the counts."""
        given = integer(self.parameter("limit"))
        limit = 25 if given < 1 else min(given, 100)
        offset = max(integer(self.parameter("offset")), 0)
        if not self.parameter("offset") and self.parameter("page"):
            offset = max((integer(self.parameter("page")) - 1) * limit, 0)
        body: dict[str, Any] = {name: [show(r) for r in records[offset : offset + limit]]}
        if not (self.parameter("nometa") or self.request.headers.get("x-redmine-nometa")):
            body |= {"total_count": len(records), "offset": offset, "limit": limit}
        return shown(body)

    def login_page(self) -> Response:
        """Where a browser is sent for a file it may not have."""
        back = quote(self.db.settings.public_url + _raw_path(self.request), safe="")
        return Response(
            PAGE.format("login"), 302,
            {"location": f"{self.db.settings.public_url}/login?back_url={back}", "content-type": "text/html; charset=utf-8"},
        )  # fmt: skip


def _raw_path(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.partition(b"?")[0].decode()


def read_body(request: Request, raw: bytes) -> dict[str, Any]:
    """The parameters in a body; raises ``Answered`` with 400 for JSON that is none or text that is not UTF-8.

    A body of another type, or without one, is not looked at: the request then simply lacks its parameters.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _form(raw)
    if kind != "application/json" or not raw.strip():
        return {}
    try:
        parsed = json.loads(raw.decode())
        json.dumps(parsed, ensure_ascii=False).encode()  # lone surrogates
    except ValueError:
        raise Answered(bad_request()) from None
    return parsed if isinstance(parsed, dict) else {}


def _form(raw: bytes) -> dict[str, Any]:
    """``issue[subject]=…`` and ``issue[watcher_user_ids][]=…``."""
    out: dict[str, Any] = {}
    for name, value in parse_qsl(raw.decode(errors="replace"), keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+", name)
        inner = out
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        if name.endswith("[]"):
            inner.setdefault(keys[-1], []).append(value)
        else:
            inner[keys[-1]] = value
    return out
