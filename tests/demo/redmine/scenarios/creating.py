"""Creating issues: what is taken, what is silently changed, what is refused."""

from __future__ import annotations

from typing import Any

from ..recorder import Recorder


def _try(r: Recorder, who: str = "bot", **fields: Any) -> Any:
    issue = {"project_id": 1, "tracker_id": 6, "subject": "Prova"} | fields
    return r.post("/issues.json", {"issue": {k: v for k, v in issue.items() if v is not ...}}, who=who)


def least(r: Recorder) -> None:
    made = _try(r, tracker_id=...)
    number = made["issue"]["id"]
    r.get(f"/issues/{number}.json")
    r.get(f"/issues/{number}.json", who="oac")
    r.get(f"/issues/{number}.json", who="alcalde")
    r.get(f"/issues/{number}.json", who="admin")


def most(r: Recorder) -> None:
    made = _try(
        r,
        tracker_id=7, assigned_to_id=7, category_id=1, priority_id=4, status_id=2, watcher_user_ids=[5, 8],
        description="Bon dia\nhi ha un fanal <b>trencat</b>\r\nGràcies 🌊",
        custom_fields=[
            {"id": 1, "value": "WhatsApp"}, {"id": 2, "value": r.ref}, {"id": 3, "value": "pseudònim"},
            {"id": 4, "value": 41.6213}, {"id": 5, "value": "2.6"}, {"id": 6, "value": "Carrer Major, 1"},
            {"id": 7, "value": "Platja"},
        ],
        start_date="2030-01-02", due_date="2030-01-03", done_ratio=20, estimated_hours=1.5,
    )  # fmt: skip
    number = made["issue"]["id"]
    r.get(f"/issues/{number}.json?include=watchers,journals,attachments,relations,children,allowed_statuses")


def assignee_of_the_category(r: Recorder) -> None:
    for category in (1, 4):
        _try(r, category_id=category)
    _try(r, category_id=1, assigned_to_id="")
    _try(r, category_id=1, assigned_to_id=7)


def wrong_tracker_becomes_the_first(r: Recorder) -> None:
    for tracker in (99, 1, "Incidència", "", 0, "6"):
        _try(r, tracker_id=tracker)


def unknown_or_forbidden_project(r: Recorder) -> None:
    for project in (99999, 2, "nope", "obres-i-serveis", None, ..., "1", "atencio-ciutadana"):
        _try(r, project_id=project)
    r.post("/projects/1/issues.json", {"issue": {"subject": "Prova", "tracker_id": 5}})
    r.post("/projects/2/issues.json", {"issue": {"subject": "Prova"}})
    r.post("/projects/99999/issues.json", {"issue": {"subject": "Prova"}})


def assignee(r: Recorder) -> None:
    for person in (99999, 3, 1, 12, 6, "me", "7", "abc", "", None):
        _try(r, assigned_to_id=person)


def priority_category_status(r: Recorder) -> None:
    _try(r, priority_id=99)
    _try(r, priority_id="")
    _try(r, category_id=99)
    _try(r, category_id="Centre")
    _try(r, status_id=99)
    _try(r, status_id=5)
    _try(r, status_id="Resolt")


def custom_field_values(r: Recorder) -> None:
    for values in (
        [{"id": 1, "value": "Fax"}],
        [{"id": 1, "value": ""}, {"id": 7, "value": None}],
        [{"id": 2, "value": "x" * 128}],
        [{"id": 2, "value": "x" * 129}],
        [{"id": 4, "value": "nord"}],
        [{"id": 4, "value": "41,5"}],
        [{"id": 4, "value": 2}, {"id": 5, "value": " 2.5 "}],
        [{"id": 2, "value": 12345}],
        [{"id": 2, "value": True}],
        [{"id": 99, "value": "x"}],
        [{"id": "2", "value": "text id"}],
        [{"id": 2, "value": "first"}, {"id": 2, "value": "second"}],
        [{"id": 1, "value": "Fax"}, {"id": 4, "value": "x"}, {"id": 5, "value": "y"}],
    ):
        _try(r, custom_fields=values)
    _try(r, custom_field_values={"2": "by map", "7": "Centre"})


def hidden_custom_field(r: Recorder) -> None:
    number = r.issue(custom_fields=[{"id": 3, "value": "secret"}])
    r.get(f"/issues/{number}.json")
    r.get(f"/issues/{number}.json", who="alcalde")
    r.get(f"/issues/{number}.json", who="brigada")
    r.put(f"/issues/{number}.json", {"issue": {"custom_fields": [{"id": 3, "value": "no"}]}}, who="alcalde")
    r.put(f"/issues/{number}.json", {"issue": {"custom_fields": [{"id": 3, "value": "yes"}]}}, who="oac")
    for who in ("bot", "alcalde", "brigada", "admin"):
        r.get(f"/issues/{number}.json?include=journals", who=who)
    _try(r, who="alcalde", custom_fields=[{"id": 3, "value": "no"}, {"id": 7, "value": "Centre"}])


def subject(r: Recorder) -> None:
    for text in ("x" * 255, "x" * 256, "", "   ", None, ..., "Fanal 🌊 trencat", 42, " vores ", "a\nb"):
        _try(r, subject=text)
    _try(r, subject="a\x00b\x07c", description="d\x00e\x1b")


def several_errors_at_once(r: Recorder) -> None:
    _try(r, subject="", assigned_to_id=99999, custom_fields=[{"id": 1, "value": "Fax"}], priority_id=99)
    _try(r, subject="", project_id=99999)


def bodies_that_are_not_right(r: Recorder) -> None:
    plain = {"Content-Type": "application/json"}
    for content, headers in (
        (b'{"issue": {"subject":', plain),
        (b'{"issue": {"project_id": 1, "subject": "\xff\xfe"}}', plain),
        (b'{"issue": {"project_id": 1, "subject": "\\ud800"}}', plain),
        (b'{"issue": {"project_id": 1, "subject": "x"}}', {}),
        (b'{"issue": {"project_id": 1, "subject": "x"}}', {"Content-Type": "text/plain"}),
        (b'{"project_id": 1, "subject": "x"}', plain),
        (b"{}", plain),
        (b"", plain),
        (b"[]", plain),
        (b'{"issue": "x"}', plain),
        (
            b"issue[project_id]=1&issue[subject]=de+formulari",
            {"Content-Type": "application/x-www-form-urlencoded"},
        ),
    ):
        r.call("POST", "/issues.json", content=content, headers=headers)


def line_ends(r: Recorder) -> None:
    number = r.issue(description="a\nb\r\nc\rd\n\ne")
    r.get(f"/issues/{number}.json", show=lambda body: body["issue"]["description"])
    r.put(f"/issues/{number}.json", {"issue": {"notes": "f\ng\r\nh"}})
    r.get(
        f"/issues/{number}.json?include=journals", show=lambda body: {"journals": body["issue"]["journals"]}
    )
    r.put(f"/issues/{number}.json", {"issue": {"description": "a\nb"}})
    r.put(f"/issues/{number}.json", {"issue": {"description": "a\nb"}})
    r.get(
        f"/issues/{number}.json?include=journals", show=lambda body: {"journals": body["issue"]["journals"]}
    )


def long_description(r: Recorder) -> None:
    number = r.issue(description="línia de text\n" * 75_000)
    r.get(f"/issues/{number}.json", show=lambda body: len(body["issue"]["description"]))


def watchers_at_birth(r: Recorder) -> None:
    for people in ([8, 5, 7], [1, 99999, 5], [12], [6], [], ["5"], [3]):
        made = _try(r, watcher_user_ids=people)
        if made and "issue" in made:
            number = made["issue"]["id"]
            r.get(
                f"/issues/{number}.json?include=watchers",
                show=lambda body: {"watchers": body["issue"]["watchers"]},
            )


def dates_and_numbers(r: Recorder) -> None:
    _try(r, start_date="2030-01-02", due_date="2030-01-01")
    _try(r, start_date="ahir", due_date="2030-13-01")
    _try(r, start_date="", due_date=None)
    _try(r, done_ratio=101)
    _try(r, done_ratio="50")
    _try(r, estimated_hours="1h30")
    _try(r, estimated_hours="molt")
    _try(r, estimated_hours=-1)


def what_cannot_be_set(r: Recorder) -> None:
    _try(r, author_id=5, created_on="2001-01-01T00:00:00Z", id=1, is_private=True, parent_issue_id=1)
    _try(r, notes="nota en crear", private_notes=True)
    _try(r, who="oac", is_private=True)
    _try(r, who="brigada")
    _try(r, who="admin")
