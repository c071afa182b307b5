"""The stand-in itself: routes, the clock, what tests may do from inside, and faults.

Behaviour follows a real Redmine 5.0.4; ``tests/demo/redmine`` asks both the same and compares every answer.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from . import admin_calls, file_calls, issue_calls, issues, reference_calls, seed
from .drafting import Person, changing
from .events import Events
from .faults import CONTROL, Faults
from .model import (
    ACTIVE,
    LOCKED,
    PROJECT_ACTIVE,
    PROJECT_CLOSED,
    Database,
    Issue,
    Principal,
    Project,
    Role,
    Settings,
)
from .web import Answered, Call, empty, page, read_body

Handler = Callable[[Call], Response]
T = TypeVar("T")

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/issues.json", issue_calls.index),
    ("POST", "/issues.json", issue_calls.create),
    ("GET", "/projects/{project_id}/issues.json", issue_calls.index),
    ("POST", "/projects/{project_id}/issues.json", issue_calls.create),
    ("GET", "/issues/{id}.json", issue_calls.show),
    ("PUT", "/issues/{id}.json", issue_calls.update),
    ("PATCH", "/issues/{id}.json", issue_calls.update),
    ("DELETE", "/issues/{id}.json", issue_calls.destroy),
    ("POST", "/issues/{id}/watchers.json", issue_calls.add_watchers),
    ("DELETE", "/issues/{id}/watchers/{user_id}.json", issue_calls.remove_watcher),
    ("GET", "/issues/{id}/relations.json", issue_calls.relations),
    ("POST", "/issues/{id}/relations.json", issue_calls.relate),
    ("PUT", "/journals/{id}.json", issue_calls.edit_journal),
    ("POST", "/uploads.json", file_calls.upload),
    ("GET", "/attachments/{id}.json", file_calls.show),
    ("PATCH", "/attachments/{id}.json", file_calls.change),
    ("PUT", "/attachments/{id}.json", file_calls.change),
    ("DELETE", "/attachments/{id}.json", file_calls.destroy),
    ("GET", "/attachments/download/{id}", file_calls.download),
    ("GET", "/attachments/download/{id}/{name}", file_calls.download),
    ("GET", "/attachments/thumbnail/{id}", file_calls.thumbnail),
    ("GET", "/attachments/{id}", file_calls.view),
    ("GET", "/attachments/{id}/{name}", file_calls.view),
    ("GET", "/users/current.json", reference_calls.current_user),
    ("GET", "/my/account.json", reference_calls.account),
    ("GET", "/users.json", reference_calls.users),
    ("POST", "/users.json", admin_calls.create_user),
    ("GET", "/users/{id}.json", reference_calls.user),
    ("PUT", "/users/{id}.json", admin_calls.update_user),
    ("DELETE", "/users/{id}.json", admin_calls.delete_user),
    ("GET", "/groups.json", reference_calls.groups),
    ("GET", "/projects.json", reference_calls.projects),
    ("POST", "/projects.json", admin_calls.create_project),
    ("GET", "/projects/{id}.json", reference_calls.project),
    ("DELETE", "/projects/{id}.json", admin_calls.delete_project),
    ("PUT", "/projects/{id}/close.json", admin_calls.close_project),
    ("PUT", "/projects/{id}/reopen.json", admin_calls.reopen_project),
    ("PUT", "/projects/{id}/archive.json", admin_calls.archive_project),
    ("PUT", "/projects/{id}/unarchive.json", admin_calls.reopen_project),
    ("GET", "/projects/{project_id}/memberships.json", reference_calls.memberships),
    ("POST", "/projects/{project_id}/memberships.json", admin_calls.create_membership),
    ("GET", "/memberships/{id}.json", reference_calls.membership),
    ("PUT", "/memberships/{id}.json", admin_calls.update_membership),
    ("DELETE", "/memberships/{id}.json", admin_calls.delete_membership),
    ("GET", "/projects/{project_id}/issue_categories.json", reference_calls.categories),
    ("GET", "/issue_categories/{id}.json", reference_calls.category),
    ("GET", "/projects/{project_id}/versions.json", reference_calls.versions),
    ("GET", "/projects/{project_id}/news.json", reference_calls.news),
    ("GET", "/projects/{project_id}/wiki/index.json", reference_calls.wiki_index),
    ("GET", "/projects/{project_id}/wiki.json", reference_calls.wiki_page),
    ("GET", "/projects/{project_id}/wiki/{title}.json", reference_calls.wiki_page),
    ("GET", "/news.json", reference_calls.news),
    ("GET", "/news/{id}.json", reference_calls.one_news),
    ("GET", "/trackers.json", reference_calls.trackers),
    ("GET", "/issue_statuses.json", reference_calls.statuses),
    ("GET", "/enumerations/{kind}.json", reference_calls.enumeration),
    ("GET", "/roles.json", reference_calls.roles),
    ("GET", "/roles/{id}.json", reference_calls.role),
    ("GET", "/custom_fields.json", reference_calls.custom_fields),
    ("GET", "/time_entries.json", reference_calls.time_entries),
)


class _App(Starlette):
    """Starlette with the faults in front of everything, where the connection can still be cut."""

    def __init__(self, routes: list[Route], faults: Faults, clock: Callable[[], datetime]) -> None:
        super().__init__(routes=routes)
        self._faults, self._clock = faults, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["redmine.clock"] = self._clock
        await self._faults.serve(super().__call__, scope, receive, send)


class RedmineStandIn:
    """A Redmine in memory. ``app`` is served by any ASGI server; the methods change things from inside.

    ``public_url`` is the address in ``content_url`` and ``Location``; ``clock`` gives seconds since 1970.
    ``seeded=False`` leaves out the town hall: only Redmine's own default data and ``admin``.
    The methods may be called from any thread, also while the app is being served.
    """

    def __init__(
        self,
        *,
        public_url: str,
        clock: Callable[[], float] = time.time,
        attachment_max_kb: int = 5120,
        text_formatting: str = "textile",
        seeded: bool = True,
    ) -> None:
        self.settings = Settings(public_url.rstrip("/"), attachment_max_kb, text_formatting)
        self.faults = Faults()
        self.events = Events()
        self.clock, self._seeded = clock, seeded
        self._lock = threading.RLock()
        self.db = Database(self.settings)
        self.reset()
        control = [
            Route(f"{CONTROL}/faults", self._serve_faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{CONTROL}/events", self._serve_events, methods=["GET"]),
            Route(f"{CONTROL}/reset", self._serve_reset, methods=["POST"]),
        ]
        self.app: Starlette = _App([*control, *self._routes()], self.faults, self._now)

    @property
    def keys(self) -> dict[str, str]:
        """API key by login, of everybody who has one."""
        with self._lock:
            return {p.login: p.api_key for p in self.db.principals.values() if p.api_key}

    # --- serving ----------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def _routes(self) -> list[Route]:
        by_path: dict[str, dict[str, Handler]] = {}
        for method, path, handler in _ROUTES:
            by_path.setdefault(path, {})[method] = handler
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        routes = [Route(path, self._serve(handlers), methods=every) for path, handlers in by_path.items()]
        known = {path.removesuffix(".json") for path in by_path if "{" not in path}

        async def nothing(request: Request) -> Response:
            other_format = request.url.path.rpartition(".")[0] in known
            return Response(b"", 406, media_type="text/html") if other_format else page(404)

        return [*routes, Route("/{path:path}", nothing, methods=every)]

    def _serve(self, handlers: dict[str, Handler]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            handler = handlers.get("GET" if request.method == "HEAD" else request.method)
            if handler is None:
                return page(404)
            return self.answer(handler, request, await request.body())

        return endpoint

    def answer(self, handler: Handler, request: Request, raw: bytes) -> Response:
        """Carry out one request; everything in it happens at one moment, nothing in between."""
        with self._lock:
            now = request.scope.get("redmine.now") or self._now()
            call = Call(self.db, self.events, request, raw, now, lambda: secrets.token_hex(20))
            try:
                call.body = read_body(request, raw)
                call.log_in()
                return handler(call)
            except Answered as early:
                return early.answer

    async def _serve_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                wanted = json.loads(await request.body())
                self.faults.add(*(wanted if isinstance(wanted, list) else [wanted]))
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self.faults.left())

    async def _serve_events(self, request: Request) -> Response:
        return self.events.stream()

    async def _serve_reset(self, request: Request) -> Response:
        self.reset()
        return empty(204)

    # --- from inside ------------------------------------------------------------------------------

    def reset(self) -> None:
        """Back to the starting data, without faults."""
        with self._lock:
            self.db = Database(self.settings)
            seed.defaults(self.db, self._now())
            if self._seeded:
                seed.town(self.db, self._now())
            self.faults.clear()

    def set_permission(self, role: str | int, permission: str, on: bool) -> None:
        """Give a role a permission («set_notes_private») or take it away."""
        with self._lock:
            held = self._role(role).permissions
            if on and permission not in held:
                held.append(permission)
            elif not on and permission in held:
                held.remove(permission)

    def move(self, issue: int, project: str | int) -> None:
        """Move an issue to another project, as staff would."""
        with self._lock:
            draft = changing(self.db, self._admin(), self._issue(issue))
            draft.take({"project_id": self._project(project).id})
            issues.update(draft)
            self.events.publish(issue, "updated")

    def delete(self, issue: int) -> None:
        with self._lock:
            issues.delete(self.db, self._admin(), self._issue(issue))
            self.events.publish(issue, "deleted")

    def lock_user(self, login: str, locked: bool = True) -> None:
        """Lock somebody out: reading lists then is 200 and empty, everything else 401."""
        with self._lock:
            self._user(login).status = LOCKED if locked else ACTIVE

    def add_member(self, project: str | int, login: str, role: str | int) -> None:
        with self._lock:
            admin_calls.add_member(self.db, self._project(project), self._user(login), [self._role(role).id])

    def remove_member(self, project: str | int, login: str) -> None:
        """End somebody's membership in a project."""
        with self._lock:
            place, person = self._project(project), self._user(login)
            for member in list(self.db.members.values()):
                if (member.project_id, member.principal_id) == (place.id, person.id):
                    admin_calls.drop_member(self.db, member)

    def close_project(self, project: str | int, closed: bool = True) -> None:
        """Close a project (everything can be read, nothing written) or open it again."""
        with self._lock:
            self._project(project).status = PROJECT_CLOSED if closed else PROJECT_ACTIVE

    def _admin(self) -> Person:
        return Person(self.db.user_by(login="admin"), self._now(), "ca")

    def _issue(self, number: int) -> Issue:
        return _known(self.db.issues.get(number), f"issue {number}")

    def _project(self, name: str | int) -> Project:
        return _known(self.db.project(name), f"project {name}")

    def _role(self, name: str | int) -> Role:
        found = next((r for r in self.db.roles.values() if name in (r.id, r.name)), None)
        return _known(found, f"role {name}")

    def _user(self, login: str) -> Principal:
        return _known(
            next((p for p in self.db.principals.values() if p.login == login), None), f"user {login}"
        )


def _known(found: T | None, what: str) -> T:
    if found is None:
        raise LookupError(f"the stand-in has no {what}")
    return found
