"""Redmine's JSON: which keys, in which order, and which are left out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import quote

from . import rights
from .model import (
    Attachment,
    CustomField,
    Database,
    Detail,
    Issue,
    Journal,
    Member,
    Principal,
    Project,
    Relation,
)

Json = dict[str, Any]
_STANDARD_FIELDS = [
    "assigned_to_id", "category_id", "fixed_version_id", "parent_issue_id", "start_date", "due_date",
    "estimated_hours", "done_ratio", "description",
]  # fmt: skip
_PICTURES = (".bmp", ".gif", ".jpg", ".jpe", ".jpeg", ".png", ".webp")


def time(at: datetime | None) -> str | None:
    """Whole seconds in UTC; the microseconds stay hidden."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _ref(record: Any) -> Json:
    return {"id": record.id, "name": record.name}


def project(db: Database, it: Project, include: Collection[str], *, single: bool) -> Json:
    out: Json = {"id": it.id, "name": it.name, "identifier": it.identifier, "description": it.description}
    if single:
        out["homepage"] = ""
    out |= {"status": it.status, "is_public": it.is_public, "inherit_members": False}
    if "trackers" in include:
        out["trackers"] = [_ref(db.trackers[t]) for t in it.tracker_ids]
    if "issue_categories" in include:
        found = [c for c in db.categories.values() if c.project_id == it.id]
        out["issue_categories"] = [_ref(c) for c in sorted(found, key=lambda c: c.name)]
    if "time_entry_activities" in include:
        out["time_entry_activities"] = [
            _ref(e) for e in db.enumerations.values() if e.kind == "time_entry_activities"
        ]
    if "enabled_modules" in include:
        out["enabled_modules"] = [{"id": number, "name": name} for number, name in it.modules]
    if "issue_custom_fields" in include:
        out["issue_custom_fields"] = []  # only fields that are not for all projects
    return out | {"created_on": time(it.created_on), "updated_on": time(it.updated_on)}


def membership(db: Database, it: Member, *, of_user: bool = False) -> Json:
    out: Json = {"id": it.id, "project": _ref(db.projects[it.project_id])}
    if not of_user:
        principal = db.principals[it.principal_id]
        out[principal.kind] = _ref(principal)
    out["roles"] = [
        _ref(db.roles[role]) | ({"inherited": True} if source is not None else {})
        for role, source in it.roles.items()
    ]
    return out


def user(db: Database, it: Principal, reader: Principal, include: Collection[str]) -> Json:
    """A user as ``reader`` sees it: key and state only for oneself and administrators."""
    own = reader.admin or reader is it
    out: Json = {"id": it.id, "login": it.login}
    if own:
        out["admin"] = it.admin
    out |= {"firstname": it.firstname, "lastname": it.lastname}
    if reader.admin:
        out["mail"] = it.mail
    out |= {"created_on": time(it.created_on), "updated_on": time(it.updated_on), "last_login_on": None}
    out["passwd_changed_on"] = time(it.passwd_changed_on)
    if own:
        out |= {"twofa_scheme": None, "api_key": it.api_key}
    if reader.admin:
        out["status"] = it.status
        if "groups" in include:
            out["groups"] = [_ref(db.principals[g]) for g in it.groups]
    if "memberships" in include:
        out["memberships"] = [
            membership(db, m, of_user=True)
            for m in db.members.values()
            if m.principal_id == it.id and rights.sees_project(db, reader, db.projects[m.project_id])
        ]
    return out


def account(it: Principal) -> Json:
    return {
        "id": it.id, "login": it.login, "admin": it.admin, "firstname": it.firstname, "lastname": it.lastname,
        "mail": it.mail, "created_on": time(it.created_on), "last_login_on": None, "api_key": it.api_key,
    }  # fmt: skip


def tracker(db: Database, number: int) -> Json:
    it = db.trackers[number]
    status = _ref(db.statuses[it.default_status_id])
    return _ref(it) | {
        "default_status": status,
        "description": None,
        "enabled_standard_fields": _STANDARD_FIELDS,
    }


def status(db: Database, number: int | None) -> Json:
    it = db.statuses[number or 0]
    return _ref(it) | {"is_closed": it.is_closed}


def custom_field(db: Database, it: CustomField) -> Json:
    out: Json = _ref(it) | {
        "customized_type": "issue", "field_format": it.field_format, "regexp": "", "min_length": None,
        "max_length": it.max_length, "is_required": it.is_required, "is_filter": True, "searchable": it.searchable,
        "multiple": False, "default_value": None, "visible": it.visible,
    }  # fmt: skip
    if it.possible_values:
        out["possible_values"] = [{"value": v, "label": v} for v in it.possible_values]
    out["trackers"] = [_ref(db.trackers[t]) for t in it.tracker_ids]
    return out | {"roles": [_ref(db.roles[r]) for r in it.role_ids]}


def attachment(db: Database, it: Attachment) -> Json:
    url = db.settings.public_url
    out: Json = {
        "id": it.id, "filename": it.filename, "filesize": len(it.content), "content_type": it.content_type,
        "description": it.description,
        "content_url": f"{url}/attachments/download/{it.id}/{quote(it.filename, safe='~!$&()*+,;=:@')}",
    }  # fmt: skip
    if it.filename.lower().endswith(_PICTURES):
        out["thumbnail_url"] = f"{url}/attachments/thumbnail/{it.id}"
    author = db.person(it.author_id)
    if author:
        out["author"] = _ref(author)
    return out | {"created_on": time(it.created_on)}


def relation(it: Relation) -> Json:
    return {
        "id": it.id, "issue_id": it.issue_id, "issue_to_id": it.issue_to_id, "relation_type": it.relation_type,
        "delay": it.delay,
    }  # fmt: skip


def _values(db: Database, it: Issue, reader: Principal | None) -> list[Json]:
    place = db.projects[it.project_id or 0]
    return [
        _ref(f) | {"value": it.values.get(f.id)}
        for f in db.fields_of(it)
        if rights.sees_field(db, reader, f, place)
    ]


def issue(
    db: Database, it: Issue, reader: Principal | None, include: Collection[str], *, single: bool
) -> Json:
    """An issue; ``include`` adds parts, of which a list knows only attachments and relations."""
    place = db.projects[it.project_id or 0]
    out: Json = {
        "id": it.id, "project": _ref(place), "tracker": _ref(db.trackers[it.tracker_id or 0]),
        "status": status(db, it.status_id), "priority": _ref(db.enumerations[it.priority_id or 0]),
    }  # fmt: skip
    for name, record in (
        ("author", db.person(it.author_id)),
        ("assigned_to", db.person(it.assigned_to_id)),
        ("category", db.categories.get(it.category_id or 0)),
    ):
        if record is not None:
            out[name] = _ref(record)
    if it.parent_id is not None:
        out["parent"] = {"id": it.parent_id}
    children = [i.estimated_hours for i in db.descendants_of(it.id) if i.estimated_hours]
    total = sum(children) + (it.estimated_hours or 0) if children else it.estimated_hours
    out |= {
        "subject": it.subject, "description": it.description,
        "start_date": it.start_date.isoformat() if it.start_date else None,
        "due_date": it.due_date.isoformat() if it.due_date else None,
        "done_ratio": it.done_ratio, "is_private": it.is_private, "estimated_hours": it.estimated_hours,
        "total_estimated_hours": total,
    }  # fmt: skip
    if rights.may(db, reader, "view_time_entries", place):
        out |= {"spent_hours": 0.0, "total_spent_hours": 0.0}
    values = _values(db, it, reader)
    if values:
        out["custom_fields"] = values
    out |= {
        "created_on": time(it.created_on),
        "updated_on": time(it.updated_on),
        "closed_on": time(it.closed_on),
    }
    return out | _included(db, it, reader, include, single)


def _included(
    db: Database, it: Issue, reader: Principal | None, include: Collection[str], single: bool
) -> Json:
    out: Json = {}
    if single and "children" in include and db.children_of(it.id):
        out["children"] = _children(db, it)
    if "attachments" in include:
        out["attachments"] = [attachment(db, a) for a in db.attachments_of(it.id)]
    relations = [relation(r) for r in db.relations_of(it.id)]
    if "relations" in include and (relations or not single):
        out["relations"] = relations
    if not single:
        return out
    if "changesets" in include:
        out["changesets"] = []
    if "journals" in include:
        out["journals"] = journals(db, it, reader)
    if "watchers" in include and rights.may(
        db, reader, "view_issue_watchers", db.projects[it.project_id or 0]
    ):
        out["watchers"] = [_ref(db.principals[w]) for w in it.watchers if w in db.principals]
    if "allowed_statuses" in include:
        out["allowed_statuses"] = [
            status(db, s.id) for s in rights.allowed_statuses(db, reader, it, it.status_id)
        ]
    return out


def _children(db: Database, it: Issue) -> list[Json]:
    out = []
    for child in db.children_of(it.id):
        entry: Json = {
            "id": child.id,
            "tracker": _ref(db.trackers[child.tracker_id or 0]),
            "subject": child.subject,
        }
        if db.children_of(child.id):
            entry["children"] = _children(db, child)
        out.append(entry)
    return out


def journals(db: Database, it: Issue, reader: Principal | None) -> list[Json]:
    """The entries a person sees, oldest first; one with nothing left to show is left out."""
    out = []
    for entry in db.journals_of(it.id):
        if not rights.sees_journal(db, reader, entry):
            continue
        details = [_detail(d) for d in entry.details if _sees_detail(db, reader, it, d)]
        if details or (entry.notes or "").strip():
            out.append(_journal(db, entry, details))
    return out


def _sees_detail(db: Database, reader: Principal | None, it: Issue, detail: Detail) -> bool:
    if detail.property == "cf":
        found = db.fields.get(int(detail.name))
        return found is not None and rights.sees_field(db, reader, found, db.projects[it.project_id or 0])
    if detail.property == "relation":
        other = db.issues.get(int(detail.new_value or detail.old_value or 0))
        return other is not None and rights.sees_issue(db, reader, other)
    return True


def _detail(it: Detail) -> Json:
    return {"property": it.property, "name": it.name, "old_value": it.old_value, "new_value": it.new_value}


def _journal(db: Database, it: Journal, details: list[Json]) -> Json:
    out: Json = {"id": it.id}
    author = db.person(it.user_id)
    if author:
        out["user"] = _ref(author)
    return out | {
        "notes": it.notes,
        "created_on": time(it.created_on),
        "private_notes": it.private_notes,
        "details": details,
    }
