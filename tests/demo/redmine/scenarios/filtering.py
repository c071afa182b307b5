"""Lists: filters, their traps, order and paging."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..recorder import Recorder


def custom_field(r: Recorder) -> None:
    r.issue()
    r.issue(custom_fields=[{"id": 2, "value": r.ref + "-b"}, {"id": 7, "value": "Platja"}])
    ref = r.ref
    for query in (
        f"cf_2={ref}", f"cf_2={ref.lower()}", f"cf_2=~{ref}", f"cf_2=~{ref.lower()}", f"cf_2=^{ref}",
        "cf_2=$b&issue_id=0", f"cf_2={ref}-b|{ref}", f"cf_2={ref}%20", f"cf_2=nothing-{ref}",
        f"cf_2=~{ref}&cf_7=Platja", f"cf_2=~{ref}&cf_7=!Platja", f"cf_2=~{ref}&cf_7=!*", f"cf_2=~{ref}&cf_7=*",
        f"cf_2=~{ref}&cf_7=Platja|Centre",
    ):  # fmt: skip
        r.found(f"{query}&sort=id&project_id=1")


def unknown_custom_field_is_ignored(r: Recorder) -> None:
    number = r.issue()
    for query in ("cf_99=x", "nonsense=x", "cf_2x=x"):
        r.found(f"issue_id={number}&{query}")
    r.found(f"issue_id={number}&cf_3=x", who="alcalde")
    r.found(f"issue_id={number}&cf_3=x", who="bot")
    r.found(f"issue_id={number}&cf_3=x", who="admin")
    r.found(f"issue_id={number}&cf_2=")


def pipes_and_operators_in_values(r: Recorder) -> None:
    value = f"{r.ref}|y"
    r.issue(custom_fields=[{"id": 2, "value": value}])
    r.issue(custom_fields=[{"id": 2, "value": f"~{r.ref}"}])
    for query in (
        f"cf_2={value}", f"cf_2=%7E{r.ref}", f"f[]=cf_2&op[cf_2]==&v[cf_2][]={value}",
        f"f[]=cf_2&op[cf_2]==&v[cf_2][]=~{r.ref}", f"f[]=cf_2&op[cf_2]=~&v[cf_2][]={r.ref}",
        f"f[]=cf_2&op[cf_2]==&v[cf_2][]={value}&f[]=status_id&op[status_id]=*",
        f"f[]=cf_2&op[cf_2]=~&v[cf_2][]={r.ref}&f[]=status_id&op[status_id]=c",
        f"f[]=cf_99&op[cf_99]==&v[cf_99][]=x&f[]=cf_2&op[cf_2]=~&v[cf_2][]={r.ref}",
        f"set_filter=1&f[]=cf_2&op[cf_2]=~&v[cf_2][]={r.ref}&f[]=",
    ):  # fmt: skip
        r.found(f"{query}&sort=id")


def long_form_drops_the_open_default(r: Recorder) -> None:
    r.issue()
    closed = r.issue()
    r.put(f"/issues/{closed}.json", {"issue": {"status_id": 5}})
    r.found(f"f[]=cf_2&op[cf_2]==&v[cf_2][]={r.ref}&sort=id")
    r.found(f"cf_2={r.ref}&sort=id")


def status(r: Recorder) -> None:
    ids = [r.issue() for _ in range(3)]
    r.put(f"/issues/{ids[1]}.json", {"issue": {"status_id": 5}})
    r.put(f"/issues/{ids[2]}.json", {"issue": {"status_id": 2}})
    for query in ("", "status_id=*", "status_id=open", "status_id=o", "status_id=closed", "status_id=c",
                  "status_id=2", "status_id=!2", "status_id=1|5", "status_id=99", "status_id=Nou", "status_id="):  # fmt: skip
        r.found(f"cf_2={r.ref}&sort=id&{query}")


def project(r: Recorder) -> None:
    number = r.issue()
    for query in (
        "project_id=1",
        "project_id=atencio-ciutadana",
        "project_id=2",
        "project_id=99999",
        "project_id=nope",
    ):
        r.found(f"issue_id={number}&{query}")
    r.found(f"issue_id={number}&project_id=2", who="oac")
    r.found(f"issue_id={number}&subproject_id=!*&project_id=1")
    for address in ("/projects/1/issues.json", "/projects/2/issues.json", "/projects/99999/issues.json"):
        r.call("GET", f"{address}?issue_id={number}", show=lambda b: b["total_count"])


def people_and_kinds(r: Recorder) -> None:
    r.issue(assigned_to_id=7, tracker_id=4, priority_id=4)
    r.issue(assigned_to_id=12, tracker_id=5, category_id=2)
    r.issue()
    for query in ("assigned_to_id=7", "assigned_to_id=me", "assigned_to_id=!*", "assigned_to_id=*", "assigned_to_id=!7",
                  "tracker_id=4", "tracker_id=4|5", "tracker_id=!4", "author_id=me", "author_id=5", "priority_id=4",
                  "category_id=2", "category_id=!*", "subject=~Prova", "description=~x", "watcher_id=me",
                  "parent_id=1", "is_private=0", "assigned_to_id=99999"):  # fmt: skip
        r.found(f"cf_2={r.ref}&sort=id&project_id=1&{query}")
    r.found(f"cf_2={r.ref}&sort=id&assigned_to_id=me", who="brigada")
    r.found(f"cf_2={r.ref}&sort=id&category_id=2")


def issue_ids(r: Recorder) -> None:
    a, b = r.issue(), r.issue()
    r.put(f"/issues/{b}.json", {"issue": {"status_id": 5}})
    for ids in (f"{a}", f"{a},{b}", f"{a}|{b}", "0", "abc", f"!{a}"):
        r.found(f"issue_id={ids}&cf_2={r.ref}&sort=id")
    r.found(f"issue_id={a},{b}&status_id=*&sort=id:desc")


def updated_on(r: Recorder) -> None:
    number = r.issue()
    shown = r.get(f"/issues/{number}.json", record=False)["issue"]["updated_on"]
    at = datetime.strptime(shown, "%Y-%m-%dT%H:%M:%SZ")

    def t(seconds: int = 0, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
        return (at + timedelta(seconds=seconds)).strftime(form)

    for name, query in (
        (">=T", f">={t()}"), (">=T+1s", f">={t(1)}"), (">=T+2s", f">={t(2)}"), (">=T-1s", f">={t(-1)}"),
        ("<=T", f"<={t()}"), ("<=T+1s", f"<={t(1)}"), ("<=T+2s", f"<={t(2)}"), ("=T", f"={t()}"), ("T", t()),
        ("T+1s", t(1)), ("><T|T", f"><{t()}|{t()}"), ("><T|T+1s", f"><{t()}|{t(1)}"), (">T", f">{t()}"),
        ("date", t(form="%Y-%m-%d")), (">=date", f">={t(form='%Y-%m-%d')}"), ("<=date", f"<={t(form='%Y-%m-%d')}"),
        (">=tomorrow", f">={t(86400, '%Y-%m-%d')}"), ("<=yesterday", f"<={t(-86400, '%Y-%m-%d')}"),
        (".000Z", f">={t(form='%Y-%m-%dT%H:%M:%S')}.000Z"), ("+00:00", f">={t(form='%Y-%m-%dT%H:%M:%S')}%2B00:00"),
        ("no zone", f">={t(form='%Y-%m-%dT%H:%M:%S')}"), ("minutes", f">={t(form='%Y-%m-%dT%H:%MZ')}"),
        ("space", f">={t(form='%Y-%m-%d %H:%M:%S')}"), ("month 13", ">=2026-13-01"), ("nonsense", "nonsense"),
        ("empty", ""), (">= empty", ">="), ("today", "t"), ("any", "*"), ("none", "!*"), ("days", ">t-2"),
        ("yesterday", "ld"), ("this week", "w"), ("days nonsense", ">t-x"),
    ):  # fmt: skip
        r.say("filter", name)
        r.call("GET", f"/issues.json?issue_id={number}&updated_on={query}", record=False, show=None)
        answer = r.call("GET", f"/issues.json?issue_id={number}&updated_on={query}", record=False)
        body = answer.json() if answer.content else None
        r.say("answer", [answer.status_code, body.get("total_count", body)] if body else answer.status_code)
    r.found(f"issue_id={number}&created_on=>={t(1)}")
    r.found(f"issue_id={number}&created_on=<={t()}")
    r.found(
        f"f[]=updated_on&op[updated_on]=>=&v[updated_on][]={t()}&f[]=issue_id&op[issue_id]==&v[issue_id][]={number}"
    )


def order(r: Recorder) -> None:
    first, second, third = (
        r.issue(priority_id=3, subject="b"),
        r.issue(priority_id=1, subject="a"),
        r.issue(subject="c"),
    )
    r.wait()
    r.put(f"/issues/{first}.json", {"issue": {"notes": "x"}})
    r.put(f"/issues/{third}.json", {"issue": {"status_id": 2}})
    r.put(f"/issues/{second}.json", {"issue": {"tracker_id": 4, "assigned_to_id": 8}})
    for sort in ("updated_on:asc,id:asc", "updated_on", "updated_on:desc", "id:asc", "id:desc", "id", "priority", "priority:desc",
                 "nonsense", "nonsense,id", "subject", "created_on:desc", "status,id", "tracker,id:desc", ""):  # fmt: skip
        r.found(f"cf_2={r.ref}&sort={sort}")
    r.found(f"cf_2={r.ref}")


def paging(r: Recorder) -> None:
    for _ in range(3):
        r.issue()
    base = f"/issues.json?cf_2={r.ref}&sort=id"

    def page(body: dict) -> dict:
        return {k: v for k, v in body.items() if k != "issues"} | {
            "ids": [{"hit": i["id"]} for i in body["issues"]]
        }

    for query in ("limit=0", "limit=1000", "limit=-1", "limit=2", "limit=2&offset=2", "offset=50", "offset=-2",
                  "limit=2&page=2", "limit=abc", "limit=1&offset=1&page=3", "nometa=1", "nometa=0"):  # fmt: skip
        r.call("GET", f"{base}&{query}", show=page)
    r.call("GET", base, headers={"X-Redmine-Nometa": "1"}, show=page)
    r.get("/projects/1/memberships.json?limit=0", show=lambda b: [b["limit"], b["total_count"]])


def includes(r: Recorder) -> None:
    number = r.issue(uploads=[{"token": r.upload("a.txt", b"a")}])
    r.put(f"/issues/{number}.json", {"issue": {"notes": "x"}})
    r.get(
        f"/issues.json?issue_id={number}&include=journals,attachments,watchers,relations,children,allowed_statuses"
    )
    r.get(
        f"/issues/{number}.json?include=journals,attachments,watchers,relations,children,allowed_statuses,nonsense"
    )
    r.get(f"/issues.json?issue_id={number}&include=attachments", who="oac")


def reference_found_at_once(r: Recorder) -> None:
    for _ in range(3):
        number = r.issue()
        r.found(f"cf_2={r.ref}&status_id=*&project_id=1&sort=id")
        r.say("lowest is first", number > 0)
