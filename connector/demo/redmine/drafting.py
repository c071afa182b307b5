"""An issue as somebody wants it to be: attributes are taken as far as the person's rights go, then checked.

What may not be set is dropped without a word, as Redmine does: a tracker that does not exist becomes the
project's first one, a status outside the workflow is ignored, a private note without the right is public.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import casting, rights, texts
from .model import Attachment, Database, Issue, Principal, Project

SUBJECT_MAX = 255


class NoSuchRecord(Exception):
    """A watcher id that does not exist: Redmine answers 404 to the whole request."""


class Malformed(Exception):
    """A body Redmine fails on with 500 (``{"issue": "text"}``)."""


@dataclass(slots=True)
class Person:
    """Who acts, when (UTC), and in which language errors are worded."""

    user: Principal | None
    now: datetime
    language: str


@dataclass(slots=True)
class Draft:
    """``issue`` is a copy; ``before`` the stored one, None for a new issue."""

    db: Database
    by: Person
    issue: Issue
    before: Issue | None
    notes: str | None = ""
    private_notes: bool = False
    files: list[Attachment] = field(default_factory=list)
    renames: dict[int, dict[str, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    _unreadable: set[str] = field(default_factory=set)
    _failed_files: int = 0
    _fields_changed: bool = False

    @property
    def project(self) -> Project | None:
        return self.db.projects.get(self.issue.project_id or 0)

    # --- taking -----------------------------------------------------------------------------------

    def take(self, attributes: Any) -> None:
        """Take over what may be set of ``attributes`` (the ``issue`` part of a body)."""
        if isinstance(attributes, str) and attributes:
            raise Malformed
        given: dict[str, Any] = dict(attributes) if isinstance(attributes, dict) else {}
        if self.before is not None:
            given = {k: ("" if v == "none" else v) for k, v in given.items()}
        editable = self.before is None or self._may("edit_issues")
        if self.before is None or editable:
            self._take_project(given.pop("project_id", None))
        if editable:
            self._take_tracker(given.pop("tracker_id", None))
            self._take_status(given.pop("status_id", None))
            self._take_plain(given)
            self._take_fields(given)
        elif self.before is None:
            self._take_status(None)
        self._take_by_permission(given)
        self._take_files(given.get("uploads"))

    def _may(self, permission: str) -> bool:
        return rights.may(self.db, self.by.user, permission, self.project)

    def _take_project(self, value: Any) -> None:
        if value is None:
            return
        wanted = self.db.project(value if isinstance(value, str) and value else casting.integer(value))
        if wanted is None or wanted is self.project:
            return
        if wanted in rights.target_projects(self.db, self.by.user, self.project if self.before else None):
            self.issue.project_id = wanted.id
            if self.before is not None:
                self._moved(wanted)

    def _moved(self, project: Project) -> None:
        old = self.db.categories.get(self.issue.category_id or 0)
        same = [
            c.id
            for c in self.db.categories.values()
            if old and c.project_id == project.id and c.name == old.name
        ]
        self.issue.category_id = same[0] if same else None
        if self.issue.tracker_id not in project.tracker_ids:
            self.issue.tracker_id = project.tracker_ids[0]
        self._reassign_fields()

    def _reassign_fields(self) -> None:
        """After another project or tracker, fields that had no value have an empty one."""
        for custom_field in self.db.fields_of(self.issue):
            if self.issue.values.get(custom_field.id) is None:
                self.issue.values[custom_field.id] = ""

    def _take_tracker(self, value: Any) -> None:
        current = self.before.tracker_id if self.before else None
        allowed = rights.target_trackers(self.db, self.by.user, self.project, current)
        wanted = casting.integer(value)
        if value is not None and wanted in allowed and wanted != self.issue.tracker_id:
            was = self.db.trackers.get(self.issue.tracker_id or 0)
            self.issue.tracker_id = wanted
            if was and self.issue.status_id == was.default_status_id:
                self.issue.status_id = self.db.trackers[wanted].default_status_id
            if self.before is not None:
                self._reassign_fields()
        if self.issue.tracker_id is None and allowed:
            self.issue.tracker_id = allowed[0]

    def _take_status(self, value: Any) -> None:
        initial = self.before.status_id if self.before else None
        allowed = [s.id for s in rights.allowed_statuses(self.db, self.by.user, self.issue, initial)]
        if value is not None and casting.integer(value) in allowed:
            self.issue.status_id = casting.integer(value)
        if self.before is None and self.issue.status_id not in allowed:
            self.issue.status_id = allowed[0] if allowed else None

    def _take_plain(self, given: dict[str, Any]) -> None:
        issue = self.issue
        if given.get("assigned_to_id", ...) is not ...:
            value = given["assigned_to_id"]
            issue.assigned_to_id = (
                self.by.user.id if value == "me" and self.by.user else casting.reference(value)
            )
        for name in ("category_id", "priority_id"):
            if name in given:
                setattr(issue, name, casting.reference(given[name]))
        if "subject" in given:
            issue.subject = casting.text(given["subject"])
        if "description" in given:
            issue.description = casting.newlines(casting.text(given["description"]))
        if "done_ratio" in given:
            issue.done_ratio = casting.integer(given["done_ratio"])
        for name, read in (
            ("start_date", casting.day),
            ("due_date", casting.day),
            ("estimated_hours", casting.hours),
        ):
            if name in given:
                try:
                    setattr(issue, name, read(given[name]))
                except ValueError:
                    setattr(issue, name, None)
                    self._unreadable.add(name)
        if "lock_version" in given and not casting.blank(given["lock_version"]):
            issue.lock_version = casting.integer(given["lock_version"])

    def _take_fields(self, given: dict[str, Any]) -> None:
        pairs: list[tuple[Any, Any]] = []
        by_id = given.get("custom_field_values")
        if isinstance(by_id, dict):
            pairs += by_id.items()
        listed = given.get("custom_fields")
        if isinstance(listed, list):
            pairs += [(c.get("id"), c.get("value")) for c in listed if isinstance(c, dict)]
        editable = {f.id for f in self.db.fields_of(self.issue) if self._sees(f.id)}
        for number, value in pairs:
            if casting.integer(number) in editable:
                self.issue.values[casting.integer(number)] = casting.field_value(value)
                self._fields_changed = True

    def _sees(self, field_id: int) -> bool:
        return rights.sees_field(self.db, self.by.user, self.db.fields[field_id], self.project)

    def _take_by_permission(self, given: dict[str, Any]) -> None:
        if "notes" in given and self.before is not None and self._may("add_issue_notes"):
            self.notes = casting.text(given["notes"])
        if self.before is not None and self._may("set_notes_private"):
            self.private_notes = casting.true(given.get("private_notes"))
        if "is_private" in given and self._may("set_issues_private"):
            self.issue.is_private = casting.true(given["is_private"])
        if "parent_issue_id" in given and self._may("manage_subtasks"):
            self._take_parent(given["parent_issue_id"])
        if self.before is None and "watcher_user_ids" in given and self._may("add_issue_watchers"):
            ids = [casting.integer(i) for i in given["watcher_user_ids"] or [] if not casting.blank(i)]
            if any(i not in self.db.principals and i > 4 for i in ids):
                raise NoSuchRecord
            self.issue.watchers = list(dict.fromkeys(ids))

    def _take_parent(self, value: Any) -> None:
        number = casting.reference(str(value).lstrip("#") if value is not None else None)
        if number is None:
            self.issue.parent_id = None
            return
        parent = self.db.issues.get(number)
        own = (
            {self.issue.id, *(i.id for i in self.db.descendants_of(self.issue.id))} if self.before else set()
        )
        if parent is None or number in own or not rights.sees_issue(self.db, self.by.user, parent):
            self._unreadable.add("parent_issue")
        else:
            self.issue.parent_id = number

    def _take_files(self, uploads: Any) -> None:
        for upload in uploads.values() if isinstance(uploads, dict) else uploads or []:
            if not isinstance(upload, dict) or casting.blank(upload.get("token")):
                continue
            number, _, digest = str(upload["token"]).partition(".")
            file = self.db.attachments.get(casting.integer(number))
            if file is None or file.digest != digest or file.issue_id is not None:
                self._failed_files += 1
                continue
            changed = {
                k: str(upload[k]) for k in ("filename", "content_type") if not casting.blank(upload.get(k))
            }
            changed["description"] = str(upload.get("description") or "").strip()
            name = changed.get("filename", file.filename)
            if not self._denied(name) and len(name) <= SUBJECT_MAX:
                self.files.append(file)
                self.renames[file.id] = changed

    def _denied(self, filename: str) -> bool:
        return filename.rpartition(".")[2].lower() in self.db.settings.extensions_denied and "." in filename

    # --- checking ---------------------------------------------------------------------------------

    def valid(self) -> bool:
        """Check everything; what is wrong stands in ``errors``, in Redmine's order and words."""
        self._default_assignee()
        if self._failed_files:
            self.errors.append(texts.sentence("attachments_not_saved", self.by.language, self._failed_files))
        self._check_fields()
        self._check_watchers()
        self._check_presence()
        self._check_numbers_and_dates()
        self._check_relations()
        return not self.errors

    def stale(self) -> bool:
        """Whether a ``lock_version`` was sent that is not the stored one."""
        return self.before is not None and self.issue.lock_version != self.before.lock_version

    def _wrong(self, attribute: str, what: str, value: object = "", named: str = "") -> None:
        self.errors.append(texts.problem(attribute, what, self.by.language, value, named=named))

    def _changed(self, attribute: str) -> bool:
        return self.before is None or getattr(self.before, attribute) != getattr(self.issue, attribute)

    def _default_assignee(self) -> None:
        category = self.db.categories.get(self.issue.category_id or 0)
        if self.before is None and self.issue.assigned_to_id is None and category:
            self.issue.assigned_to_id = category.assigned_to_id

    def _check_fields(self) -> None:
        if self.before is not None and not self._fields_changed:
            return
        for custom_field in self.db.fields_of(self.issue):
            value = self.issue.values.get(custom_field.id) or ""
            name = texts.humanized(custom_field.name)
            if not value and custom_field.is_required:
                self._wrong("", "blank", named=name)
            if not value or not self._sees(custom_field.id):
                continue
            if custom_field.field_format == "list" and value not in custom_field.possible_values:
                self._wrong("", "inclusion", named=name)
            if custom_field.max_length and len(value) > custom_field.max_length:
                self._wrong("", "too_long", custom_field.max_length, named=name)
            if custom_field.field_format == "float":
                try:
                    float(value)
                except ValueError:
                    self._wrong("", "invalid", named=name)

    def _check_watchers(self) -> None:
        if self.before is None and any(i not in self.db.principals for i in self.issue.watchers):
            self._wrong("watchers", "invalid")

    def _check_presence(self) -> None:
        issue = self.issue
        if casting.blank(issue.subject):
            self._wrong("subject", "blank")
        if self.project is None:
            self._wrong("project", "blank")
        if issue.tracker_id is None:
            self._wrong("tracker", "blank")
        if self._changed("priority_id") and issue.priority_id not in {p.id for p in self.db.priorities()}:
            self._wrong("priority", "blank")
        if self._changed("status_id") and issue.status_id is None:
            self._wrong("status", "blank")
        if len(issue.subject or "") > SUBJECT_MAX:
            self._wrong("subject", "too_long", SUBJECT_MAX)

    def _check_numbers_and_dates(self) -> None:
        issue = self.issue
        if issue.done_ratio is None or not 0 <= issue.done_ratio <= 100:
            self._wrong("done_ratio", "inclusion")
        if "estimated_hours" in self._unreadable or (issue.estimated_hours or 0) < 0:
            self._wrong("estimated_hours", "invalid")
        for name in ("start_date", "due_date"):
            if name in self._unreadable:
                self._wrong(name, "not_a_date")
        moved = self._changed("start_date") or self._changed("due_date")
        if issue.start_date and issue.due_date and moved and issue.due_date < issue.start_date:
            self._wrong("due_date", "greater_than_start_date")

    def _check_relations(self) -> None:
        issue, project = self.issue, self.project
        if project is None:
            return
        if issue.category_id is not None:
            category = self.db.categories.get(issue.category_id)
            if category is None or category.project_id != project.id:
                self._wrong("category", "inclusion")
        if self._changed("assigned_to_id") and issue.assigned_to_id is not None:
            possible = rights.assignable(self.db, project) | {issue.author_id}
            if self.before is not None and self.before.assigned_to_id:
                possible.add(self.before.assigned_to_id)
            if issue.assigned_to_id not in possible:
                self._wrong("assigned_to", "invalid")
        if "parent_issue" in self._unreadable:
            self._wrong("parent_issue", "invalid")


def new_draft(db: Database, by: Person, project: Project | None) -> Draft:
    """The draft of a new issue, by default in ``project``, starting today."""
    author = by.user.id if by.user else 0
    issue = Issue(0, project.id if project else None, None, author, by.now, by.now, start_date=by.now.date())
    return Draft(db, by, issue, None)


def changing(db: Database, by: Person, issue: Issue) -> Draft:
    """The draft of a change to a stored issue."""
    return Draft(db, by, copy.deepcopy(issue), issue)
