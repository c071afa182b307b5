"""Issues that go out of sight: moved, deleted, private, project closed, membership lost."""

from __future__ import annotations

from typing import Any

from ..recorder import Recorder


def moved(r: Recorder) -> None:
    number = r.issue(category_id=1, assigned_to_id=7)
    r.put(f"/issues/{number}.json", {"issue": {"project_id": 2, "notes": "a Obres"}}, who="oac")
    r.get(f"/issues/{number}.json?include=journals", who="oac")
    r.get(f"/issues/{number}.json")
    r.found(f"issue_id={number}&status_id=*")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.found(f"issue_id={number}&project_id=2", who="oac")
    r.put(f"/issues/{number}.json", {"issue": {"project_id": 1}}, who="oac")
    r.get(f"/issues/{number}.json?include=journals")


def deleted(r: Recorder) -> None:
    number = r.issue(uploads=[{"token": r.upload("a.txt", b"a")}])
    file = r.get(f"/issues/{number}.json?include=attachments", record=False)["issue"]["attachments"][0]["id"]
    # not the newest: on SQLite Redmine gives the ids of the newest ones again, perhaps to another test
    r.upload("b.txt", b"b")
    r.issue()
    r.delete(f"/issues/{number}.json")
    r.delete(f"/issues/{number}.json", who="oac")
    r.get(f"/issues/{number}.json")
    r.found(f"issue_id={number}&status_id=*")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.delete(f"/issues/{number}.json", who="oac")
    r.get(f"/attachments/{file}.json")


def private_issue(r: Recorder) -> None:
    number = r.issue()
    r.put(f"/issues/{number}.json", {"issue": {"is_private": True}}, who="oac")
    for who in ("bot", "brigada"):
        r.get(f"/issues/{number}.json?include=journals", who=who)


def membership_lost(r: Recorder) -> None:
    project, member = _project(r)
    number = r.issue(project_id=project)
    r.get(f"/issues/{number}.json", show=lambda b: {"project": b["issue"]["project"]})
    r.delete(f"/memberships/{member}.json", who="admin")
    r.get(f"/issues/{number}.json")
    r.get(f"/projects/{project}.json")
    r.get(f"/projects/{project}/memberships.json")
    r.found(f"project_id={project}")
    r.found(f"issue_id={number}")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.post("/issues.json", {"issue": {"project_id": project, "subject": "x"}})
    r.delete(f"/projects/{project}.json", who="admin")
    r.get(f"/issues/{number}.json")


def role_changed(r: Recorder) -> None:
    project, member = _project(r)
    number = r.issue(project_id=project)
    r.put(f"/memberships/{member}.json", {"membership": {"role_ids": [9]}}, who="admin")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "privada?", "private_notes": True}})
    r.get(f"/issues/{number}.json?include=journals,watchers")
    r.post("/issues.json", {"issue": {"project_id": project, "subject": "x"}})
    r.get("/users/current.json?include=memberships")
    r.delete(f"/projects/{project}.json", who="admin", record=False)


def closed_project(r: Recorder) -> None:
    project, _ = _project(r)
    number = r.issue(project_id=project)
    r.put(f"/projects/{project}/close.json", None, who="admin")
    r.get(f"/issues/{number}.json")
    r.get(f"/projects/{project}.json")
    r.found(f"project_id={project}")
    r.found(f"issue_id={number}")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.post("/issues.json", {"issue": {"project_id": project, "subject": "x"}})
    r.put(f"/projects/{project}/reopen.json", None, who="admin")
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.delete(f"/projects/{project}.json", who="admin", record=False)


def archived_project(r: Recorder) -> None:
    project, _ = _project(r)
    number = r.issue(project_id=project)
    r.put(f"/projects/{project}/archive.json", None, who="admin")
    r.get(f"/issues/{number}.json")
    r.get(f"/projects/{project}.json")
    r.found(f"project_id={project}")
    r.found(f"issue_id={number}")
    r.put(f"/projects/{project}/unarchive.json", None, who="admin")
    r.get(f"/issues/{number}.json", show=lambda b: b["issue"]["id"] == number)
    r.delete(f"/projects/{project}.json", who="admin", record=False)


def membership_by_hand(r: Recorder) -> None:
    project, member = _project(r)
    r.get(f"/projects/{project}/memberships.json")
    r.post(
        f"/projects/{project}/memberships.json", {"membership": {"user_id": 6, "role_ids": [6]}}, who="admin"
    )
    r.post(
        f"/projects/{project}/memberships.json", {"membership": {"user_id": 5, "role_ids": []}}, who="admin"
    )
    r.post(f"/projects/{project}/memberships.json", {"membership": {"user_id": 5, "role_ids": [7]}})
    r.post(
        f"/projects/{project}/memberships.json", {"membership": {"user_id": 12, "role_ids": [9]}}, who="admin"
    )
    r.get(f"/projects/{project}/memberships.json")
    r.delete(f"/memberships/{member}.json")
    r.get(f"/projects/{project}.json?include=trackers,issue_categories,enabled_modules")
    r.delete(f"/projects/{project}.json", who="admin", record=False)


def _project(r: Recorder) -> tuple[int, int]:
    """A project of this scenario's own with the bot as a member; ids of project and membership."""
    body: dict[str, Any] = {
        "name": "Provisional", "identifier": r.ref.lower(), "is_public": False, "tracker_ids": [4, 5, 6, 7],
        "enabled_module_names": ["issue_tracking", "news"],
    }  # fmt: skip
    made = r.post("/projects.json", {"project": body}, who="admin")
    number = int(made["project"]["id"])
    member = r.post(
        f"/projects/{number}/memberships.json", {"membership": {"user_id": 6, "role_ids": [6]}}, who="admin"
    )
    return number, int(member["membership"]["id"])
