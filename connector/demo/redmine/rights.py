"""Who may see and do what: roles, permissions, visibility of issues, notes and custom fields, the workflow."""

from __future__ import annotations

from .model import (
    ACTIVE,
    ANONYMOUS,
    NON_MEMBER,
    PROJECT_ACTIVE,
    PROJECT_ARCHIVED,
    PROJECT_CLOSED,
    CustomField,
    Database,
    Issue,
    Journal,
    Principal,
    Project,
    Role,
    Status,
)

Person = Principal | None
"""Who asks; None is the anonymous user."""

_MODULES = {"news": "news", "wiki": "wiki", "files": "files", "time": "time_tracking"}
_ISSUES = "issue_tracking"


def _module(permission: str) -> str:
    """The project module a permission belongs to."""
    return next((module for word, module in _MODULES.items() if word in permission), _ISSUES)


def roles_in(db: Database, user: Person, project: Project) -> list[Role]:
    """The roles of a person in a project; on a public one those who are not members have a built-in role."""
    if user is not None:
        held: set[int] = set()
        for member in db.members.values():
            if member.project_id == project.id and member.principal_id == user.id:
                held.update(member.roles)
        if held:
            return [db.roles[i] for i in sorted(held)]
    if not project.is_public:
        return []
    return [db.roles[ANONYMOUS if user is None else NON_MEMBER]]


def may(db: Database, user: Person, permission: str, project: Project | None) -> bool:
    """Whether a permission holds in a project. A closed one only lets read, an archived one nothing."""
    if project is None or project.status == PROJECT_ARCHIVED:
        return False
    if project.status == PROJECT_CLOSED and not permission.startswith("view_"):
        return False
    if _module(permission) not in {name for _, name in project.modules}:
        return False
    if user is not None and user.admin:
        return True
    return any(permission in role.permissions for role in roles_in(db, user, project))


def may_somewhere(db: Database, user: Person, permission: str) -> bool:
    """Whether any role the person has, also the built-in one, holds a permission."""
    if user is None:
        return permission in db.roles[ANONYMOUS].permissions
    if user.admin or permission in db.roles[NON_MEMBER].permissions:
        return True
    return any(
        permission in db.roles[role].permissions
        for member in db.members.values()
        if member.principal_id == user.id
        for role in member.roles
    )


def sees_project(db: Database, user: Person, project: Project) -> bool:
    if project.status == PROJECT_ARCHIVED:
        return False
    return project.is_public or (user is not None and (user.admin or bool(roles_in(db, user, project))))


def sees_issue(db: Database, user: Person, issue: Issue) -> bool:
    """Whether an issue is in a person's sight, by permission and by the ``issues_visibility`` of the roles."""
    project = db.projects[issue.project_id or 0]
    if not may(db, user, "view_issues", project):
        return False
    if user is not None and user.admin:
        return True
    own = user is not None and (issue.author_id == user.id or issue.assigned_to_id in (user.id, *user.groups))
    for role in roles_in(db, user, project):
        if "view_issues" not in role.permissions:
            continue
        if user is None:
            return not issue.is_private
        if role.issues_visibility == "all" or own:
            return True
        if role.issues_visibility == "default" and not issue.is_private:
            return True
    return False


def sees_field(db: Database, user: Person, custom_field: CustomField, project: Project | None) -> bool:
    """Whether a custom field is shown; without a project: in any of the person's."""
    if custom_field.visible or (user is not None and user.admin):
        return True
    if user is None:
        return False
    projects = [project] if project is not None else list(db.projects.values())
    return any(role.id in custom_field.role_ids for p in projects for role in roles_in(db, user, p))


def sees_journal(db: Database, user: Person, journal: Journal) -> bool:
    """Whether a person may read an entry: private notes need the permission, one's own excepted."""
    if not journal.private_notes or (user is not None and journal.user_id == user.id):
        return True
    issue = db.issues[journal.issue_id]
    return may(db, user, "view_private_notes", db.projects[issue.project_id or 0])


def edits_note(db: Database, user: Person, journal: Journal) -> bool:
    project = db.projects[db.issues[journal.issue_id].project_id or 0]
    return user is not None and (
        may(db, user, "edit_issue_notes", project)
        or (journal.user_id == user.id and may(db, user, "edit_own_issue_notes", project))
    )


def target_projects(db: Database, user: Person, current: Project | None = None) -> list[Project]:
    """Projects an issue may be put into."""
    return [
        p
        for p in db.projects.values()
        if (p.status == PROJECT_ACTIVE and may(db, user, "add_issues", p)) or p is current
    ]


def target_trackers(
    db: Database, user: Person, project: Project | None, current: int | None = None
) -> list[int]:
    """Tracker ids an issue may have in a project; ``current`` is the one it has."""
    if project is None:
        return []
    adds = may(db, user, "add_issues", project)
    return [t for t in db.trackers if (t in project.tracker_ids and adds) or t == current]


def assignable(db: Database, project: Project) -> set[int]:
    """Ids of the users and groups that issues of a project may be assigned to."""
    return {
        member.principal_id
        for member in db.members.values()
        if member.project_id == project.id
        and db.principals[member.principal_id].status == ACTIVE
        and any(db.roles[role].assignable for role in member.roles)
    }


def allowed_statuses(db: Database, user: Person, issue: Issue, initial: int | None) -> list[Status]:
    """Statuses a person may put an issue into; ``initial`` is the stored status, None for a new issue."""
    project = db.projects.get(issue.project_id or 0)
    tracker = db.trackers.get(issue.tracker_id or 0)
    if project is None or tracker is None:
        return []
    admin = user is not None and user.admin
    roles = list(db.roles.values()) if admin else roles_in(db, user, project)
    ids = {new for role in roles for old, new in role.transitions if old == (initial or 0)}
    if initial is not None and ids:
        ids.add(initial)
    if initial is None and not ids:
        ids.add(tracker.default_status_id)
    found = [status for status in db.statuses.values() if status.id in ids]
    if issue.id and any(not db.statuses[c.status_id or 0].is_closed for c in db.descendants_of(issue.id)):
        found = [status for status in found if not status.is_closed]
    return found
