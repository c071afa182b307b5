"""What an administrator does by the API: users, projects and memberships that come and go.

Tests use it to take sight and rights away from somebody, on the real server and here alike.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from . import casting, issues, render, texts
from .model import (
    PROJECT_ACTIVE,
    PROJECT_ARCHIVED,
    PROJECT_CLOSED,
    Database,
    Member,
    Principal,
    Project,
)
from .web import Call, done, empty, refused, shown


def create_user(call: Call) -> Response:
    admin = call.require_admin()
    given = call.part("user")
    login = str(given.get("login") or "")
    if not login or call.db.user_by(login=login):
        return refused([texts.problem("login", "taken" if login else "blank", admin.language)])
    number = call.db.number("principal")
    made = Principal(number, "user", str(given.get("lastname") or ""), call.now, call.now, login)
    made.passwd_changed_on, made.api_key = call.now, call.new_key()
    call.db.principals[number] = made
    _set_user(made, given)
    location = f"{call.db.settings.public_url}/users/{number}"
    return shown({"user": render.user(call.db, made, admin, ())}, 201, location)


def _set_user(user: Principal, given: dict[str, Any]) -> None:
    for name in ("firstname", "lastname", "mail", "password", "language"):
        if given.get(name):
            setattr(user, name, str(given[name]))
    if "status" in given:
        user.status = casting.integer(given["status"])


def update_user(call: Call) -> Response:
    call.require_admin()
    user = call.db.principals.get(call.number())
    if user is None or user.kind != "user":
        return empty(404)
    _set_user(user, call.part("user"))
    return done()


def delete_user(call: Call) -> Response:
    call.require_admin()
    user = call.db.principals.pop(call.number(), None)
    if user is None:
        return empty(404)
    for member in [m for m in call.db.members.values() if m.principal_id == user.id]:
        del call.db.members[member.id]
    return done()


def create_project(call: Call) -> Response:
    admin = call.require_admin()
    given = call.part("project")
    identifier = str(given.get("identifier") or "")
    if not identifier or call.db.project(identifier):
        return refused([texts.problem("identifier", "taken" if identifier else "blank", admin.language)])
    number = call.db.number("project")
    modules = [
        (call.db.number("module"), str(m)) for m in given.get("enabled_module_names") or ["issue_tracking"]
    ]
    trackers = [
        t for t in map(casting.integer, given.get("tracker_ids") or call.db.trackers) if t in call.db.trackers
    ]
    made = Project(number, identifier, str(given.get("name") or ""), call.now, call.now, trackers, modules)
    made.is_public = casting.true(given.get("is_public"))
    made.description = casting.text(given.get("description"))
    call.db.projects[number] = made
    body = {"project": render.project(call.db, made, (), single=True)}
    return shown(body, 201, f"{call.db.settings.public_url}/projects/{number}")


def delete_project(call: Call) -> Response:
    call.require_admin()
    project = call.db.project(call.request.path_params["id"])
    if project is None:
        return empty(404)
    for issue in [i for i in call.db.issues.values() if i.project_id == project.id]:
        issues.delete(call.db, call.by, issue)
        call.events.publish(issue.id, "deleted")
    for member in [m for m in call.db.members.values() if m.project_id == project.id]:
        del call.db.members[member.id]
    del call.db.projects[project.id]
    return done()


def close_project(call: Call) -> Response:
    return _set_state(call, PROJECT_CLOSED)


def reopen_project(call: Call) -> Response:
    """Also undoes archiving."""
    return _set_state(call, PROJECT_ACTIVE)


def archive_project(call: Call) -> Response:
    return _set_state(call, PROJECT_ARCHIVED)


def _set_state(call: Call, state: int) -> Response:
    call.require_admin()
    project = call.db.project(call.request.path_params["id"])
    if project is None:
        return empty(404)
    project.status = state
    return done()


def add_member(db: Database, project: Project, person: Principal, roles: list[int]) -> Member:
    """Make somebody a member; the users of a group become members with it."""
    member = Member(db.number("member"), project.id, person.id, dict.fromkeys(roles))
    db.members[member.id] = member
    for user in [p for p in db.principals.values() if person.id in p.groups]:
        number = db.number("member")
        db.members[number] = Member(number, project.id, user.id, dict.fromkeys(roles, member.id))
    return member


def drop_member(db: Database, member: Member) -> None:
    """End a membership, and those inherited from it."""
    db.members.pop(member.id, None)
    for other in list(db.members.values()):
        if member.id in other.roles.values():
            db.members.pop(other.id)


def create_membership(call: Call) -> Response:
    project = call.project(call.request.path_params["project_id"])
    call.need(call.may("manage_members", project))
    given = call.part("membership")
    person = call.db.principals.get(casting.integer(given.get("user_id")))
    roles = [r for r in map(casting.integer, given.get("role_ids") or []) if r in call.db.roles]
    language = call.by.language
    if person is None:
        return refused([texts.problem("user", "blank", language)])
    if any(m.principal_id == person.id and m.project_id == project.id for m in call.db.members.values()):
        return refused([texts.problem("user", "taken", language)])
    if not roles:
        return refused([texts.problem("role", "empty", language)])
    member = add_member(call.db, project, person, roles)
    body = {"membership": render.membership(call.db, member)}
    return shown(body, 201, f"{call.db.settings.public_url}/memberships/{member.id}")


def _member(call: Call) -> Member:
    member = call.db.members.get(call.number())
    if member is None:
        call.missing()
    call.need(call.may("manage_members", call.db.projects[member.project_id]))
    return member


def update_membership(call: Call) -> Response:
    member = _member(call)
    roles = [casting.integer(r) for r in call.part("membership").get("role_ids") or []]
    member.roles = {r: None for r in roles if r in call.db.roles}
    return done()


def delete_membership(call: Call) -> Response:
    drop_member(call.db, _member(call))
    return done()
