"""What a tracker's fixed points look like: projects, people, names, news, wiki; and what is refused."""

from __future__ import annotations

from ..recorder import Recorder


def projects(r: Recorder) -> None:
    r.get("/projects.json")
    r.get("/projects.json", who="brigada")
    r.get("/projects/1.json")
    r.get("/projects/atencio-ciutadana.json")
    everything = "trackers,issue_categories,enabled_modules,issue_custom_fields,time_entry_activities"
    r.get(f"/projects/1.json?include={everything}")
    r.get("/projects.json?include=trackers,issue_categories")
    r.get("/projects/2.json")
    r.get("/projects/obres-i-serveis.json?include=trackers,issue_categories", who="oac")
    r.get("/projects/99999.json")
    r.get("/projects/nope.json")


def names(r: Recorder) -> None:
    r.get("/trackers.json")
    r.get("/issue_statuses.json")
    r.get("/enumerations/issue_priorities.json")
    r.get("/enumerations/time_entry_activities.json")
    r.get("/enumerations/document_categories.json")
    r.get("/roles.json")
    for role in (6, 7, 8, 9, 99):
        r.get(f"/roles/{role}.json")


def memberships(r: Recorder) -> None:
    r.get("/projects/1/memberships.json")
    r.get("/projects/atencio-ciutadana/memberships.json?limit=2&offset=2")
    r.get("/projects/1/memberships.json?limit=100&nometa=1")
    r.get("/projects/2/memberships.json")
    r.get("/projects/2/memberships.json", who="oac")
    r.get("/projects/99999/memberships.json")
    r.get("/memberships/3.json")
    r.get("/memberships/9.json")
    r.get("/memberships/99999.json")


def people(r: Recorder) -> None:
    r.get("/users.json")
    r.get("/users/5.json")
    r.get("/users/6.json")
    r.get("/users/1.json")
    r.get("/users/99999.json")
    r.get("/users/5.json", who="admin")
    r.get("/groups.json")
    r.get("/groups.json", who="admin")


def fields_and_categories(r: Recorder) -> None:
    r.get("/custom_fields.json")
    r.get("/custom_fields.json", who="oac")
    r.get("/custom_fields.json", who="admin")
    r.get("/projects/1/issue_categories.json")
    r.get("/projects/1/issue_categories.json", who="oac")
    r.get("/issue_categories/1.json")
    r.get("/issue_categories/4.json", who="oac")
    r.get("/projects/1/versions.json")


def news(r: Recorder) -> None:
    r.get("/news.json")
    r.get("/projects/1/news.json?limit=1")
    r.get("/projects/2/news.json")
    r.get("/news/2.json?include=comments,attachments")
    r.get("/news/99.json")


def wiki(r: Recorder) -> None:
    r.get("/projects/1/wiki/index.json")
    r.get("/projects/1/wiki/Wiki.json")
    r.get("/projects/1/wiki/Wiki.json?include=attachments")
    r.get("/projects/1/wiki.json")
    r.get("/projects/1/wiki/Nope.json")
    r.get("/projects/2/wiki/Wiki.json")


def addresses_that_are_not(r: Recorder) -> None:
    r.get("/nope.json")
    r.get("/issues.foo")
    r.get("/issues/abc.json")
    r.get("/issues/999999999.json")
    r.put("/issues/999999999.json", {"issue": {"notes": "x"}})
    r.delete("/issues/999999999.json")
    r.get("/attachments/999999999.json")
    r.get("/attachments/download/999999999/x.txt")
    r.put("/journals/999999999.json", {"journal": {"notes": "x"}})
    r.get("/time_entries.json")
