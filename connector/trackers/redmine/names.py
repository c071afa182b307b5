"""Redmine's names and ids: what the mapping says, looked up once and again on a miss.

An ordinary bot may not list users, custom fields or categories (403). It sees people through the memberships
of a project (display names and ids, groups too), and trackers and categories through the project itself.
Custom fields are visible by name on the project (where it enables them itself) and on issues; else by id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connector.core.errors import Forbidden, Gone
from connector.trackers import rest
from connector.trackers.similar import norm, pick

from .http import MOST_PAGES, PAGE, WHO, Connection

ALL_RIGHTS = frozenset(
    {
        "view_issues",
        "add_issues",
        "edit_issues",
        "add_issue_notes",
        "view_private_notes",
        "set_notes_private",
        "set_issues_private",
        "view_issue_watchers",
        "add_issue_watchers",
    }
)
"""What the connector may need; an administrator has them without a role."""
KEEP_SECONDS = 300.0
"""So long what was looked up is believed; rights withdrawn in the meantime show as errors anyway."""


@dataclass(frozen=True)
class Project:
    """One project as our account sees it. ``people`` are members, persons and groups, by id."""

    id: int
    identifier: str
    name: str
    active: bool
    trackers: Mapping[int, str]
    categories: Mapping[int, str]
    fields: Mapping[int, str]
    people: Mapping[int, str]
    assignable: frozenset[int]
    """Members with a role that issues can be assigned to."""
    modules: frozenset[str] | None


@dataclass(frozen=True)
class Me:
    """Our own account: its id, whether it is an administrator, and its role ids by project id."""

    id: str
    admin: bool
    locked: bool
    roles: Mapping[int, tuple[int, ...]]


@dataclass
class _Kept:
    value: Any
    at: float


class Names:
    """Looks names up over one connection, for all threads."""

    def __init__(self, connection: Connection, reference_field: str = "") -> None:
        self._http = connection
        self._reference_field = reference_field
        self._reference_id: int | None = None
        self._kept: dict[tuple[str, str], _Kept] = {}

    def _keep(self, kind: str, key: str, load: Callable[[], Any], fresh: bool = False) -> Any:
        held = self._kept.get((kind, key))
        if held is None or fresh or time.monotonic() - held.at > KEEP_SECONDS:
            held = self._kept[(kind, key)] = _Kept(load(), time.monotonic())
        return held.value

    # --- who we are --------------------------------------------------------------------------------

    def me(self) -> Me:
        """Our account, always asked: it is also the proof that the key still opens anything."""
        user = self._http.get("/users/current.json", [("include", "memberships")])["user"]
        roles = {
            int(m["project"]["id"]): tuple(int(r["id"]) for r in m.get("roles", ()))
            for m in user.get("memberships", ())
        }
        me = Me(str(user["id"]), bool(user.get("admin")), user.get("status", 1) != 1, roles)
        self._kept[("me", "")] = _Kept(me, time.monotonic())
        return me

    def me_lately(self) -> Me:
        """Our account as it was asked lately."""
        held = self._kept.get(("me", ""))
        if held is not None and time.monotonic() - held.at <= KEEP_SECONDS:
            return held.value  # type: ignore[no-any-return]
        return self.me()

    def rights(self, project_id: int, *, fresh: bool = False) -> frozenset[str] | None:
        """Permissions our account has in a project by its roles; None when it may not be seen."""
        me = self.me() if fresh else self.me_lately()
        if me.admin:
            return ALL_RIGHTS
        found: set[str] = set()
        for role in me.roles.get(project_id, ()):
            permissions = self._role(role, fresh).get("permissions")
            if permissions is None:
                return None
            found.update(permissions)
        return frozenset(found)

    def _role(self, role_id: int, fresh: bool = False) -> dict[str, Any]:
        def load() -> dict[str, Any]:
            try:
                return dict(self._http.get(f"/roles/{role_id}.json")["role"])
            except (Forbidden, Gone):
                return {}

        return self._keep("role", str(role_id), load, fresh)  # type: ignore[no-any-return]

    # --- what there is -----------------------------------------------------------------------------

    def statuses(self, *, fresh: bool = False) -> dict[int, tuple[str, bool]]:
        """By id: name, and whether tickets in it are closed."""

        def load() -> dict[int, tuple[str, bool]]:
            rows = self._http.get("/issue_statuses.json")["issue_statuses"]
            return {int(s["id"]): (str(s["name"]), bool(s.get("is_closed"))) for s in rows}

        return self._keep("statuses", "", load, fresh)  # type: ignore[no-any-return]

    def priorities(self, *, fresh: bool = False) -> dict[int, str]:
        """Active priorities by id."""

        def load() -> dict[int, str]:
            rows = self._http.get("/enumerations/issue_priorities.json")["issue_priorities"]
            return {int(p["id"]): str(p["name"]) for p in rows if p.get("active", True)}

        return self._keep("priorities", "", load, fresh)  # type: ignore[no-any-return]

    def project(self, name: str, *, fresh: bool = False) -> Project:
        """A project by id, identifier or name. Raises ``Forbidden`` when our account does not see it."""
        found: Project = self._keep("project", norm(name), lambda: self._load_project(name), fresh)
        return found

    def seen(self) -> list[Project]:
        """The projects looked up before, each once."""
        held = [kept.value for (kind, _), kept in list(self._kept.items()) if kind == "project"]
        return list({p.id: p for p in held}.values())

    def project_by_id(self, project_id: int) -> Project | None:
        """One that was looked up before, else asked for now; None when our account does not see it."""
        found = next((p for p in self.seen() if p.id == project_id), None)
        if found is not None:
            return found
        try:
            return self.project(str(project_id))
        except (Forbidden, Gone) as error:
            if error.code == "http_401":
                raise
            return None

    def _load_project(self, name: str) -> Project:
        include = [("include", "trackers,issue_categories,issue_custom_fields,enabled_modules")]
        row: dict[str, Any] | None = None
        try:
            row = self._http.get(f"/projects/{quote(name, safe='')}.json", include)["project"]
        except (Forbidden, Gone) as error:
            if error.code == "http_401":
                raise
            ids = [
                p["id"] for p in self._pages("/projects.json", "projects") if norm(p["name"]) == norm(name)
            ]
            if len(ids) == 1:
                row = self._http.get(f"/projects/{ids[0]}.json", include)["project"]
        if row is None:
            raise Forbidden(
                f"Redmine does not show the project «{name}» to us: wrong name, archived, or not a member",
                code="project",
            )
        project_id = int(row["id"])
        people, assignable = self._people(project_id)
        return Project(
            id=project_id,
            identifier=str(row["identifier"]),
            name=str(row["name"]),
            active=int(row.get("status", 1)) == 1,
            trackers=_named(row.get("trackers")),
            categories=_named(row.get("issue_categories")),
            fields={**_named(row.get("issue_custom_fields")), **self._fields_seen(project_id)},
            people=people,
            assignable=assignable,
            modules=frozenset(m["name"] for m in row["enabled_modules"])
            if "enabled_modules" in row
            else None,
        )

    def resolve(self, project: Project, where: str, name: str, *, again: bool = True) -> int | None:
        """The id behind a name or id of the mapping, asking the server once more on a miss; None: unknown.

        ``where`` is ``tracker``, ``person``, ``category``, ``priority``, ``status`` or ``field``. The id of a
        custom field is believed: an ordinary account may not list them.
        """
        known: Mapping[int, str]
        if where == "status":
            known = {i: n for i, (n, _) in self.statuses().items()}
        elif where == "priority":
            known = self.priorities()
        else:
            known = {
                "tracker": project.trackers,
                "person": project.people,
                "category": project.categories,
                "field": project.fields,
            }[where]
        found = pick(name, known)
        if found is not None:
            return found
        if where == "field" and name.isascii() and name.isdigit():
            return int(name)
        if not again:
            return None
        if where == "status":
            self.statuses(fresh=True)
        elif where == "priority":
            self.priorities(fresh=True)
        else:
            project = self.project(str(project.id), fresh=True)
        return self.resolve(project, where, name, again=False)

    def reference_id(self, project: Project | None = None) -> int | None:
        """Id of the custom field that holds our reference; None when it is not known."""
        if self._reference_id is None and self._reference_field:
            if self._reference_field.isdigit():
                self._reference_id = int(self._reference_field)
            else:
                names = [project] if project else self.seen()
                found = (self.resolve(p, "field", self._reference_field) for p in names)
                self._reference_id = next((f for f in found if f is not None), None)
        return self._reference_id

    def projects(self) -> list[dict[str, Any]]:
        """All projects our account sees, as Redmine lists them."""
        return self._pages("/projects.json", "projects")

    def project_names(self) -> list[str]:
        """Identifiers of all projects our account sees, for «did you mean»."""
        return [str(p["identifier"]) for p in self.projects()]

    def _people(self, project_id: int) -> tuple[dict[int, str], frozenset[int]]:
        people: dict[int, str] = {}
        assignable: set[int] = set()
        for member in self._pages(f"/projects/{project_id}/memberships.json", "memberships"):
            who = member.get("user") or member.get("group")
            if who is None:
                continue
            people[int(who["id"])] = str(who["name"])
            if any(self._role(int(r["id"])).get("assignable", True) for r in member.get("roles", ())):
                assignable.add(int(who["id"]))
        return people, frozenset(assignable)

    def _fields_seen(self, project_id: int) -> dict[int, str]:
        """Custom fields that the latest issues show, and all of them where our account may list them."""
        try:
            return _named(
                self._keep("fields", "", lambda: self._http.get("/custom_fields.json"))["custom_fields"]
            )
        except (Forbidden, Gone):
            params = [
                ("project_id", str(project_id)),
                ("status_id", "*"),
                ("limit", "5"),
                ("sort", "id:desc"),
            ]
            rows = self._http.get("/issues.json", params).get("issues", ())
            return {i: n for row in rows for i, n in _named(row.get("custom_fields")).items()}

    def _pages(self, path: str, container: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            answer = self._http.get(path, [("limit", str(PAGE)), ("offset", str(len(rows)))])
            page = answer.get(container) or []
            rows += page
            if not page or len(rows) >= int(answer.get("total_count", len(rows))):
                return rows
        raise rest.garbled(who=WHO, wrote=False)


def _named(rows: Iterable[Mapping[str, Any]] | None) -> dict[int, str]:
    return {int(r["id"]): str(r["name"]) for r in rows or ()}
