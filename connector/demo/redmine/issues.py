"""What happens to issues: created, updated with a journal, noted, deleted; and what that moves.

Every update moves ``updated_on``, even one that changes nothing; editing or blanking a note, deleting a file,
watchers and relations do not.
"""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date, datetime

from . import rights
from .drafting import Draft, Person
from .model import Attachment, Database, Detail, Issue, Journal, Relation

_JOURNALIZED = (
    "tracker_id", "project_id", "subject", "description", "due_date", "category_id", "status_id",
    "assigned_to_id", "priority_id", "start_date", "done_ratio", "estimated_hours", "parent_id", "is_private",
)  # fmt: skip
"""Attributes whose change is recorded, in the order of Redmine's table."""


def create(draft: Draft) -> Issue:
    """Store a valid draft as a new issue."""
    db, issue = draft.db, draft.issue
    issue.id = db.number("issue")
    issue.created_on = issue.updated_on = draft.by.now
    if issue.status_id and db.statuses[issue.status_id].is_closed:
        issue.closed_on = draft.by.now
    db.issues[issue.id] = issue
    _attach(draft)
    _parent_changed(db, draft.by, None, issue.parent_id, issue.id)
    return issue


def update(draft: Draft) -> Journal | None:
    """Store a valid draft of a change; returns the last entry written, None when there was nothing to record."""
    db, issue, before = draft.db, draft.issue, draft.before
    if before is None:
        raise ValueError("a new issue is created, not updated")
    if _is_closed(db, issue) and not _is_closed(db, before):
        issue.closed_on = draft.by.now
    details = _differences(before, issue)
    details[:0] = [
        Detail("attachment", str(f.id), None, draft.renames[f.id].get("filename", f.filename))
        for f in draft.files
    ]
    issue.updated_on = draft.by.now
    issue.lock_version = before.lock_version + 1
    parent = before.parent_id
    for name in (f.name for f in fields(Issue)):
        setattr(before, name, getattr(issue, name))
    _attach(draft)
    journal = _journal(db, draft.by, before, draft.notes, draft.private_notes, details)
    if parent != before.parent_id:
        _parent_changed(db, draft.by, parent, before.parent_id, before.id)
    return journal


def _is_closed(db: Database, issue: Issue) -> bool:
    return issue.status_id is not None and db.statuses[issue.status_id].is_closed


def _shown(value: object) -> str | None:
    """A value as journal details hold it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _differences(before: Issue, after: Issue) -> list[Detail]:
    found = []
    for name in _JOURNALIZED:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and not (old in (None, "") and new in (None, "")):
            found.append(Detail("attr", name, _shown(old), _shown(new)))
    for number in sorted(before.values.keys() | after.values.keys()):
        was, now = before.values.get(number), after.values.get(number)
        if was != now and (was or now):
            found.append(Detail("cf", str(number), was, now))
    return found


def _journal(
    db: Database, by: Person, issue: Issue, notes: str | None, private: bool, details: list[Detail]
) -> Journal | None:
    """Write what is to be recorded. A private note with changes becomes two entries, the changes public."""
    written = bool(notes and notes.strip())
    if not written and not details:
        return None
    private = private and written
    if private and details:
        _entry(db, by, issue, None, False, details)
        details = []
    return _entry(db, by, issue, notes, private, details)


def _entry(
    db: Database, by: Person, issue: Issue, notes: str | None, private: bool, details: list[Detail]
) -> Journal:
    user = by.user.id if by.user else 0
    journal = Journal(db.number("journal"), issue.id, user, by.now, notes, private, details)
    db.journals[journal.id] = journal
    # who contributes watches from then on, as new users' preferences have it
    may_watch = rights.may(db, by.user, "add_issue_watchers", db.projects[issue.project_id or 0])
    if may_watch and user not in issue.watchers:
        issue.watchers.append(user)
    return journal


def _attach(draft: Draft) -> None:
    for file in draft.files:
        file.issue_id = draft.issue.id
        for name, value in draft.renames[file.id].items():
            setattr(file, name, clean_filename(value) if name == "filename" else value)


def clean_filename(name: str) -> str:
    """A file name without its folders and without characters Redmine replaces."""
    return re.sub(r'[/?%*:|"\'<>\n\r]+', "_", re.sub(r"\A.*[\\/]", "", name, flags=re.DOTALL))


def _parent_changed(db: Database, by: Person, old: int | None, new: int | None, child: int) -> None:
    for number, removed in ((old, True), (new, False)):
        parent = db.issues.get(number or 0)
        if parent is not None and old != new:
            parent.updated_on = by.now
            parent.lock_version += 1
            value = str(child)
            detail = Detail("attr", "child_id", value if removed else None, None if removed else value)
            _entry(db, by, parent, "", False, [detail])


def edit_note(db: Database, by: Person, journal: Journal, notes: str | None, private: bool | None) -> None:
    """Change a note; an entry left with neither note nor change vanishes. ``None`` leaves a part as it is."""
    if notes is not None:
        journal.notes = notes
    project = db.projects[db.issues[journal.issue_id].project_id or 0]
    if private is not None and rights.may(db, by.user, "set_notes_private", project):
        journal.private_notes = private
    if not journal.details and not (journal.notes or "").strip():
        del db.journals[journal.id]


def delete(db: Database, by: Person, issue: Issue) -> None:
    """Remove an issue with its subtasks, journals, files and relations."""
    for child in db.children_of(issue.id):
        delete(db, by, child)
    for journal in db.journals_of(issue.id):
        del db.journals[journal.id]
    for file in db.attachments_of(issue.id):
        del db.attachments[file.id]
    for relation in db.relations_of(issue.id):
        del db.relations[relation.id]
    db.issues.pop(issue.id, None)
    _parent_changed(db, by, issue.parent_id, None, issue.id)


def delete_file(db: Database, by: Person, file: Attachment) -> None:
    """Remove a file; its issue gets an entry, but its ``updated_on`` does not move."""
    del db.attachments[file.id]
    issue = db.issues.get(file.issue_id or 0)
    if issue is not None:
        _entry(db, by, issue, "", False, [Detail("attachment", str(file.id), file.filename, None)])


def relate(db: Database, by: Person, issue: Issue, other: Issue, kind: str) -> int:
    """Relate two issues; both get an entry. Returns the relation's id."""
    relation = Relation(db.number("relation"), issue.id, other.id, kind)
    db.relations[relation.id] = relation
    _entry(db, by, issue, "", False, [Detail("relation", kind, None, str(other.id))])
    _entry(db, by, other, "", False, [Detail("relation", kind, None, str(issue.id))])
    return relation.id
