"""The addresses that tell what there is: projects, people, names of things, news, wiki."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from . import render, rights
from .model import ACTIVE, News, WikiPage
from .web import Call, empty, shown


def projects(call: Call) -> Response:
    seen = [p for p in call.db.projects.values() if rights.sees_project(call.db, call.user, p)]
    seen.sort(key=lambda p: p.name)
    return call.paged("projects", seen, lambda p: render.project(call.db, p, call.include, single=False))


def project(call: Call) -> Response:
    found = call.project(call.request.path_params["id"])
    return shown({"project": render.project(call.db, found, call.include, single=True)})


def memberships(call: Call) -> Response:
    found = call.project(call.request.path_params["project_id"])
    members = [m for m in call.db.members.values() if m.project_id == found.id]
    return call.paged("memberships", members, lambda m: render.membership(call.db, m))


def membership(call: Call) -> Response:
    member = call.db.members.get(call.number())
    if member is None:
        return empty(404)
    call.need(rights.sees_project(call.db, call.user, call.db.projects[member.project_id]))
    return shown({"membership": render.membership(call.db, member)})


def trackers(call: Call) -> Response:
    return shown({"trackers": [render.tracker(call.db, t) for t in call.db.trackers]})


def statuses(call: Call) -> Response:
    return shown({"issue_statuses": [render.status(call.db, s) for s in call.db.statuses]})


def enumeration(call: Call) -> Response:
    kind = call.request.path_params["kind"]
    found = [e for e in call.db.enumerations.values() if e.kind == kind]
    if not found:
        return empty(404)
    entries = [{"id": e.id, "name": e.name, "is_default": e.is_default, "active": True} for e in found]
    return shown({kind: entries})


def roles(call: Call) -> Response:
    given = [r for r in call.db.roles.values() if not r.builtin]
    return shown({"roles": [{"id": r.id, "name": r.name} for r in given]})


def role(call: Call) -> Response:
    found = call.db.roles.get(call.number())
    if found is None:
        return empty(404)
    body: dict[str, Any] = {
        "id": found.id, "name": found.name, "assignable": found.assignable,
        "issues_visibility": found.issues_visibility, "time_entries_visibility": "all", "users_visibility": "all",
        "permissions": found.permissions,
    }  # fmt: skip
    return shown({"role": body})


def custom_fields(call: Call) -> Response:
    call.require_admin()
    return shown({"custom_fields": [render.custom_field(call.db, f) for f in call.db.fields.values()]})


def _category(call: Call, number: int) -> dict[str, Any]:
    found = call.db.categories[number]
    place, person = call.db.projects[found.project_id], call.db.person(found.assigned_to_id)
    body: dict[str, Any] = {
        "id": found.id,
        "project": {"id": place.id, "name": place.name},
        "name": found.name,
    }
    return body | ({"assigned_to": {"id": person.id, "name": person.name}} if person else {})


def categories(call: Call) -> Response:
    place = call.project(call.request.path_params["project_id"], "manage_categories")
    found = sorted((c for c in call.db.categories.values() if c.project_id == place.id), key=lambda c: c.name)
    return shown({"issue_categories": [_category(call, c.id) for c in found], "total_count": len(found)})


def category(call: Call) -> Response:
    found = call.db.categories.get(call.number())
    if found is None:
        return empty(404)
    call.project(found.project_id, "manage_categories")
    return shown({"issue_category": _category(call, found.id)})


def versions(call: Call) -> Response:
    call.project(call.request.path_params["project_id"], "view_issues")
    return shown({"versions": [], "total_count": 0})


def time_entries(call: Call) -> Response:
    call.need(rights.may_somewhere(call.db, call.user, "view_time_entries"))
    return call.paged("time_entries", [], lambda entry: entry)


def users(call: Call) -> Response:
    admin = call.require_admin()
    found = [p for p in call.db.principals.values() if p.kind == "user" and p.status == ACTIVE]
    return call.paged("users", found, lambda u: render.user(call.db, u, admin, ()))


def groups(call: Call) -> Response:
    call.require_admin()
    found = [p for p in call.db.principals.values() if p.kind == "group"]
    return shown({"groups": [{"id": g.id, "name": g.name} for g in found]})


def user(call: Call) -> Response:
    reader = call.require_user()
    found = call.db.principals.get(call.number())
    if found is None or found.kind != "user" or (found.status != ACTIVE and not reader.admin):
        return empty(404)
    return shown({"user": render.user(call.db, found, reader, call.include)})


def current_user(call: Call) -> Response:
    reader = call.require_user()
    return shown({"user": render.user(call.db, reader, reader, call.include)})


def account(call: Call) -> Response:
    return shown({"user": render.account(call.require_user())})


def _news(call: Call, it: News) -> dict[str, Any]:
    place, author = call.db.projects[it.project_id], call.db.principals[it.author_id]
    return {
        "id": it.id, "project": {"id": place.id, "name": place.name}, "author": {"id": author.id, "name": author.name},
        "title": it.title, "summary": it.summary, "description": it.description,
        "created_on": render.time(it.created_on),
    }  # fmt: skip


def news(call: Call) -> Response:
    place = call.optional_project("view_news")
    found = [
        n
        for n in call.db.news.values()
        if n.project_id == (place.id if place else n.project_id)
        and rights.may(call.db, call.user, "view_news", call.db.projects[n.project_id])
    ]
    found.sort(key=lambda n: -n.id)
    return call.paged("news", found, lambda n: _news(call, n))


def one_news(call: Call) -> Response:
    found = call.db.news.get(call.number())
    if found is None:
        return empty(404)
    call.project(found.project_id, "view_news")
    parts: dict[str, list[Any]] = {name: [] for name in ("attachments", "comments") if name in call.include}
    return shown({"news": _news(call, found) | parts})


def _pages(call: Call) -> list[WikiPage]:
    place = call.project(call.request.path_params["project_id"], "view_wiki_pages")
    return [p for p in call.db.pages if p.project_id == place.id]


def wiki_index(call: Call) -> Response:
    shown_pages = [
        {
            "title": p.title,
            "version": 1,
            "created_on": render.time(p.created_on),
            "updated_on": render.time(p.created_on),
        }
        for p in _pages(call)
    ]
    return shown({"wiki_pages": shown_pages})


def wiki_page(call: Call) -> Response:
    title = call.request.path_params.get("title", "Wiki")
    found = next((p for p in _pages(call) if p.title.lower() == title.lower()), None)
    if found is None:
        return empty(404)
    author = call.db.principals[found.author_id]
    body: dict[str, Any] = {
        "title": found.title, "text": found.text, "version": 1, "author": {"id": author.id, "name": author.name},
        "comments": "", "created_on": render.time(found.created_on), "updated_on": render.time(found.created_on),
    }  # fmt: skip
    return shown({"wiki_page": body | ({"attachments": []} if "attachments" in call.include else {})})
