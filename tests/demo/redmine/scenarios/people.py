"""Who is asking: keys, switching, languages, locked accounts."""

from __future__ import annotations

import base64

from ..recorder import PASSWORD, Recorder


def who_am_i(r: Recorder) -> None:
    r.get("/users/current.json")
    r.get("/users/current.json?include=memberships,groups")
    r.get("/my/account.json")
    r.get("/users/current.json?include=memberships", who="brigada")
    r.get("/users/current.json?include=memberships,groups", who="admin")
    r.get("/users/current.json", who="oac")


def wrong_key(r: Recorder) -> None:
    number = r.issue()
    for who in ("wrong", "nobody"):
        r.get("/issues.json", who=who)
        r.get("/issues.json?project_id=1&status_id=*", who=who)
        r.get("/users/current.json", who=who)
        r.get("/my/account.json", who=who)
        r.get("/projects.json", who=who)
        r.get("/projects/1.json", who=who)
        r.get(f"/issues/{number}.json", who=who)
        r.get("/issues/999999999.json", who=who)
        r.get("/news.json", who=who)
        r.get("/projects/1/memberships.json", who=who)
        r.get("/trackers.json", who=who)
        r.get("/issue_statuses.json", who=who)
        r.get("/enumerations/issue_priorities.json", who=who)
        r.get("/projects/1/wiki/Wiki.json", who=who)
        r.get("/custom_fields.json", who=who)
        r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}}, who=who)
        r.delete(f"/issues/{number}.json", who=who)
        r.post("/issues.json", {"issue": {"project_id": 1, "subject": "x"}}, who=who)
        r.call(
            "POST",
            "/uploads.json?filename=a.txt",
            who=who,
            content=b"x",
            headers={"Content-Type": "application/octet-stream"},
        )


def ways_to_log_in(r: Recorder) -> None:
    def basic(name: str, password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}

    def login(body: dict) -> dict:
        return {"login": body["user"]["login"]}

    r.call("GET", f"/users/current.json?key={'b0' * 20}", who="nobody", show=login)
    r.call("GET", "/users/current.json", who="nobody", headers=basic("b0" * 20, "x"), show=login)
    r.call("GET", "/users/current.json", who="nobody", headers=basic("whatsapp-bot", PASSWORD), show=login)
    r.call("GET", "/users/current.json", who="nobody", headers=basic("whatsapp-bot", "no"), show=login)


def acting_for_another(r: Recorder) -> None:
    for who, login in (("bot", "oac"), ("admin", "oac"), ("admin", "nobody-here"), ("bot", "nobody-here")):
        r.call(
            "GET",
            "/users/current.json",
            who=who,
            headers={"X-Redmine-Switch-User": login},
            show=lambda body: body["user"]["login"],
        )


def language_of_the_person(r: Recorder) -> None:
    user = _person(r, language="en")
    member = r.post(
        "/projects/1/memberships.json", {"membership": {"user_id": user["id"], "role_ids": [7]}}, who="admin"
    )
    for fields in (
        {"subject": ""},
        {"subject": "x" * 256},
        {"subject": "x", "assigned_to_id": 3},
        {"subject": "x", "priority_id": 99},
        {"subject": "x", "custom_fields": [{"id": 1, "value": "Fax"}, {"id": 4, "value": "abc"}]},
        {"subject": "x", "uploads": [{"token": "nope"}]},
        {"subject": "x", "due_date": "2001-01-01", "start_date": "2001-01-02"},
    ):
        r.post("/issues.json", {"issue": {"project_id": 1, "tracker_id": 6} | fields}, who=user["api_key"])
    r.post("/issues.json", {}, who=user["api_key"])
    r.get("/issues.json?updated_on=nonsense", who=user["api_key"])
    r.delete(f"/memberships/{member['membership']['id']}.json", who="admin", record=False)
    r.delete(f"/users/{user['id']}.json", who="admin", record=False)


def locked_account(r: Recorder) -> None:
    user = _person(r)
    r.post(
        "/projects/1/memberships.json",
        {"membership": {"user_id": user["id"], "role_ids": [6]}},
        who="admin",
        record=False,
    )
    key = user["api_key"]
    number = r.issue()
    r.get(f"/issues/{number}.json", who=key)
    r.put(f"/users/{user['id']}.json", {"user": {"status": 3}}, who="admin")
    r.get("/users/current.json", who=key)
    r.get("/issues.json?project_id=1", who=key)
    r.get("/issues.json", who=key)
    r.get(f"/issues/{number}.json", who=key)
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}}, who=key)
    r.put(f"/users/{user['id']}.json", {"user": {"status": 1}}, who="admin", record=False)
    r.get(f"/issues/{number}.json", who=key, show=lambda body: body["issue"]["id"] == number)
    r.delete(f"/users/{user['id']}.json", who="admin", record=False)


def _person(r: Recorder, **fields: object) -> dict:
    """A user of this scenario's own, with an API key."""
    login = r.ref.lower()
    body = {
        "login": login, "firstname": "Prova", "lastname": "Provisional", "mail": f"{login}@example.invalid",
        "password": PASSWORD, "language": "ca",
    } | fields  # fmt: skip
    made = r.post("/users.json", {"user": body}, who="admin", record=False)
    number = made["user"]["id"]
    r.label("user", number)
    return r.get(f"/users/{number}.json", who="admin", record=False)["user"]
