"""The addresses of issues, their notes, watchers and relations."""

from __future__ import annotations

from starlette.responses import Response

from . import casting, issues, render, rights
from .drafting import Draft, Malformed, NoSuchRecord, changing, new_draft
from .filters import Query
from .model import Issue
from .web import Call, done, empty, failed, refused, shown


def index(call: Call) -> Response:
    """GET /issues.json: with a project a 403/404, without one an empty list where nothing is in sight."""
    project = call.optional_project("view_issues")
    query = Query(call.db, call.by, project, call.parameters)
    if query.errors:
        return refused(query.errors)
    return call.paged(
        "issues", query.found(), lambda i: render.issue(call.db, i, call.user, call.include, single=False)
    )


def show(call: Call) -> Response:
    issue = call.issue()
    return shown({"issue": render.issue(call.db, issue, call.user, call.include, single=True)})


def _filled(call: Call, draft: Draft) -> Response | None:
    """Take the body over into a draft and check it; an answer where that fails."""
    try:
        draft.take(call.body.get("issue"))
    except NoSuchRecord:
        return failed(404, "Not Found")
    except Malformed:
        return failed(500, "Internal Server Error")
    if draft.stale():
        return refused([])
    return None


def create(call: Call) -> Response:
    project = call.optional_project("add_issues")
    draft = new_draft(call.db, call.by, project)
    answer = _filled(call, draft)
    if answer is not None:
        return answer
    if draft.project is not None:
        call.need(call.may("add_issues", draft.project))
    else:
        call.need(rights.may_somewhere(call.db, call.user, "add_issues"))
    if not draft.valid():
        return refused(draft.errors)
    issue = issues.create(draft)
    call.events.publish(issue.id, "created")
    body = render.issue(call.db, issue, call.user, call.include, single=True)
    if project is None:  # a quirk: hours show here only when the address names the project
        body = {name: part for name, part in body.items() if name not in ("spent_hours", "total_spent_hours")}
    return shown({"issue": body}, 201, f"{call.db.settings.public_url}/issues/{issue.id}")


def update(call: Call) -> Response:
    """PUT /issues/N.json: 204 without a body, so the new entry's id is not told."""
    issue = call.issue()
    project = call.db.projects[issue.project_id or 0]
    call.need(call.may("edit_issues", project) or call.may("add_issue_notes", project))
    draft = changing(call.db, call.by, issue)
    answer = _filled(call, draft)
    if answer is not None:
        return answer
    if not draft.valid():
        return refused(draft.errors)
    issues.update(draft)
    call.events.publish(issue.id, "updated")
    return done()


def destroy(call: Call) -> Response:
    issue = call.issue("delete_issues")
    issues.delete(call.db, call.by, issue)
    call.events.publish(issue.id, "deleted")
    return done()


def edit_journal(call: Call) -> Response:
    """PUT /journals/N.json: changes or blanks a note; the issue's ``updated_on`` stays."""
    journal = call.db.journals.get(call.number())
    issue = call.db.issues.get(journal.issue_id) if journal else None
    if journal is None or issue is None or not rights.sees_issue(call.db, call.user, issue):
        return empty(404)
    if not rights.sees_journal(call.db, call.user, journal):
        return empty(404)
    call.need(rights.edits_note(call.db, call.user, journal))
    given = call.part("journal")
    private = casting.true(given["private_notes"]) if "private_notes" in given else None
    issues.edit_note(call.db, call.by, journal, casting.text(given.get("notes")), private)
    call.events.publish(issue.id, "note_edited")
    return done()


def add_watchers(call: Call) -> Response:
    issue = _watched(call, "add_issue_watchers")
    given = call.part("watcher") or call.body
    ids = given.get("user_ids") or [given.get("user_id")]
    for number in map(casting.integer, ids if isinstance(ids, list) else [ids]):
        person = call.db.principals.get(number)
        if person is not None and number not in issue.watchers:
            issue.watchers.append(number)
    call.events.publish(issue.id, "watched")
    return done()


def remove_watcher(call: Call) -> Response:
    issue = _watched(call, "delete_issue_watchers")
    number = call.number("user_id")
    if number not in call.db.principals:
        return empty(404)
    if number in issue.watchers:
        issue.watchers.remove(number)
    call.events.publish(issue.id, "watched")
    return done()


def _watched(call: Call, permission: str) -> Issue:
    """The issue whose watchers are changed: one that does not exist is 403 here."""
    issue = call.db.issues.get(call.number())
    if issue is None:
        call.deny()
    call.need(call.may(permission, call.db.projects[issue.project_id or 0]))
    return issue


def relations(call: Call) -> Response:
    issue = call.issue()
    return shown({"relations": [render.relation(r) for r in call.db.relations_of(issue.id)]})


def relate(call: Call) -> Response:
    issue = call.issue("manage_issue_relations")
    given = call.part("relation")
    other = call.db.issues.get(casting.integer(given.get("issue_to_id")))
    if other is None or other is issue:
        return refused(["Related task cannot be blank"])
    kind = str(given.get("relation_type") or "relates")
    number = issues.relate(call.db, call.by, issue, other, kind)
    location = f"{call.db.settings.public_url}/relations/{number}"
    return shown({"relation": render.relation(call.db.relations[number])}, 201, location)
