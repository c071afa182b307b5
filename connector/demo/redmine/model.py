"""What a Redmine holds: plain records in dictionaries by id, and the counters that number them.

Nothing here decides who may do what (``rights.py``) or how it looks outside (``render.py``). Times are aware
datetimes in UTC with microseconds, as in Redmine's database; JSON shows whole seconds only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

ACTIVE, LOCKED = 1, 3
"""States of a user."""
PROJECT_ACTIVE, PROJECT_CLOSED, PROJECT_ARCHIVED = 1, 5, 9
"""States of a project."""
NON_MEMBER, ANONYMOUS = 1, 2
"""Ids of the two built-in roles."""


@dataclass(slots=True)
class Principal:
    """A user or a group (``kind``); ``groups`` holds the ids of the groups a user is in."""

    id: int
    kind: str
    lastname: str
    created_on: datetime
    updated_on: datetime
    login: str = ""
    firstname: str = ""
    mail: str = ""
    api_key: str = ""
    password: str = ""
    admin: bool = False
    status: int = ACTIVE
    language: str = "ca"
    passwd_changed_on: datetime | None = None
    groups: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}".strip()


@dataclass(slots=True)
class Role:
    id: int
    name: str
    permissions: list[str]
    assignable: bool = True
    builtin: bool = False
    issues_visibility: str = "all"
    transitions: set[tuple[int, int]] = field(default_factory=set)
    """Allowed status changes (old id, new id), the same for every tracker."""


@dataclass(slots=True)
class Tracker:
    id: int
    name: str
    default_status_id: int = 1


@dataclass(slots=True)
class Status:
    id: int
    name: str
    is_closed: bool = False


@dataclass(slots=True)
class Enumeration:
    """An entry of one of the enumerations; ``kind`` is its name in addresses (``issue_priorities``)."""

    id: int
    kind: str
    name: str
    is_default: bool = False


@dataclass(slots=True)
class CustomField:
    id: int
    name: str
    field_format: str
    tracker_ids: list[int]
    possible_values: list[str] = field(default_factory=list)
    visible: bool = True
    role_ids: list[int] = field(default_factory=list)
    """Roles that see it, where it is not visible to all."""
    max_length: int | None = None
    is_required: bool = False
    searchable: bool = False


@dataclass(slots=True)
class Project:
    id: int
    identifier: str
    name: str
    created_on: datetime
    updated_on: datetime
    tracker_ids: list[int]
    modules: list[tuple[int, str]]
    description: str | None = None
    status: int = PROJECT_ACTIVE
    is_public: bool = False


@dataclass(slots=True)
class Member:
    """``roles`` maps a role id to the membership (of a group) it comes from, or None."""

    id: int
    project_id: int
    principal_id: int
    roles: dict[int, int | None]


@dataclass(slots=True)
class Category:
    id: int
    project_id: int
    name: str
    assigned_to_id: int | None = None


@dataclass(slots=True)
class News:
    id: int
    project_id: int
    author_id: int
    title: str
    summary: str
    description: str
    created_on: datetime


@dataclass(slots=True)
class WikiPage:
    project_id: int
    title: str
    text: str
    author_id: int
    created_on: datetime


@dataclass(slots=True)
class Issue:
    id: int
    project_id: int | None
    tracker_id: int | None
    author_id: int
    created_on: datetime
    updated_on: datetime
    subject: str | None = None
    description: str | None = None
    status_id: int | None = None
    priority_id: int | None = 2
    category_id: int | None = None
    assigned_to_id: int | None = None
    start_date: date | None = None
    due_date: date | None = None
    done_ratio: int | None = 0
    estimated_hours: float | None = None
    is_private: bool = False
    parent_id: int | None = None
    closed_on: datetime | None = None
    lock_version: int = 1
    values: dict[int, str | None] = field(default_factory=dict)
    """Custom field id -> value; None or missing where it was never set."""
    watchers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Detail:
    """One change in a journal: ``property`` is attr, cf, attachment or relation."""

    property: str
    name: str
    old_value: str | None
    new_value: str | None


@dataclass(slots=True)
class Journal:
    id: int
    issue_id: int
    user_id: int
    created_on: datetime
    notes: str | None = ""
    private_notes: bool = False
    details: list[Detail] = field(default_factory=list)


@dataclass(slots=True)
class Attachment:
    """A file; ``issue_id`` is None until its token was used."""

    id: int
    filename: str
    content: bytes
    content_type: str | None
    digest: str
    author_id: int
    created_on: datetime
    issue_id: int | None = None
    description: str | None = None

    @property
    def token(self) -> str:
        return f"{self.id}.{self.digest}"


@dataclass(slots=True)
class Relation:
    id: int
    issue_id: int
    issue_to_id: int
    relation_type: str
    delay: int | None = None


@dataclass(slots=True)
class Settings:
    """Of Redmine's settings those that show outside."""

    public_url: str
    attachment_max_kb: int = 5120
    text_formatting: str = "textile"
    extensions_denied: tuple[str, ...] = ("exe", "bat", "sh")
    default_language: str = "ca"


class Database:
    """Everything one stand-in holds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.principals: dict[int, Principal] = {}
        self.roles: dict[int, Role] = {}
        self.trackers: dict[int, Tracker] = {}
        self.statuses: dict[int, Status] = {}
        self.enumerations: dict[int, Enumeration] = {}
        self.fields: dict[int, CustomField] = {}
        self.projects: dict[int, Project] = {}
        self.members: dict[int, Member] = {}
        self.categories: dict[int, Category] = {}
        self.news: dict[int, News] = {}
        self.pages: list[WikiPage] = []
        self.issues: dict[int, Issue] = {}
        self.journals: dict[int, Journal] = {}
        self.attachments: dict[int, Attachment] = {}
        self.relations: dict[int, Relation] = {}
        self._last: Counter[str] = Counter()
        self._reused: dict[str, dict[int, Any]] = {
            "issue": self.issues,
            "journal": self.journals,
            "attachment": self.attachments,
        }

    def number(self, kind: str) -> int:
        """The next id of a kind of record. On SQLite, Redmine gives those of issues, journals and files that were
        deleted again, as here: these tables are made without AUTOINCREMENT there."""
        if kind in self._reused:
            return next(reversed(self._reused[kind]), 0) + 1  # the highest: they are added in order
        self._last[kind] += 1
        return self._last[kind]

    def person(self, principal_id: int | None) -> Principal | None:
        return None if principal_id is None else self.principals.get(principal_id)

    def user_by(self, *, key: str = "", login: str = "") -> Principal | None:
        """The active user with that API key or login."""
        for person in self.principals.values():
            if person.kind == "user" and person.status == ACTIVE:
                if key and person.api_key == key:
                    return person
                if login and person.login.lower() == login.lower():
                    return person
        return None

    def project(self, name: str | int) -> Project | None:
        """A project by id or identifier, as addresses take them."""
        text = str(name)
        if text.isdigit():
            return self.projects.get(int(text))
        return next((p for p in self.projects.values() if p.identifier == text), None)

    def priorities(self) -> list[Enumeration]:
        return [e for e in self.enumerations.values() if e.kind == "issue_priorities"]

    def journals_of(self, issue_id: int) -> list[Journal]:
        """Of one issue, oldest first."""
        return sorted(
            (j for j in self.journals.values() if j.issue_id == issue_id), key=lambda j: (j.created_on, j.id)
        )

    def attachments_of(self, issue_id: int) -> list[Attachment]:
        return [a for a in self.attachments.values() if a.issue_id == issue_id]

    def relations_of(self, issue_id: int) -> list[Relation]:
        return [r for r in self.relations.values() if issue_id in (r.issue_id, r.issue_to_id)]

    def children_of(self, issue_id: int) -> list[Issue]:
        return [i for i in self.issues.values() if i.parent_id == issue_id]

    def descendants_of(self, issue_id: int) -> Iterator[Issue]:
        for child in self.children_of(issue_id):
            yield child
            yield from self.descendants_of(child.id)

    def fields_of(self, issue: Issue) -> list[CustomField]:
        """The custom fields an issue has by its tracker."""
        if issue.project_id is None or issue.tracker_id is None:
            return []
        return [f for f in self.fields.values() if issue.tracker_id in f.tracker_ids]
