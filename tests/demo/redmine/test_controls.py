"""What tests and the demo do from inside: rights withdrawn, issues moved, faults, events."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from .conftest import Served
from .recorder import KEYS

BOT = {"X-Redmine-API-Key": KEYS["bot"]}


@pytest.fixture
def http(served: Served) -> httpx.Client:
    with httpx.Client(base_url=served.url, headers=BOT, timeout=5, trust_env=False) as client:
        yield client


def _create(http: httpx.Client, subject: str = "x", **options: float) -> httpx.Response:
    return http.post("/issues.json", json={"issue": {"project_id": 1, "subject": subject}}, **options)


def _count(http: httpx.Client) -> int:
    """Issues there are; reading is not counted against a fault for ``POST``."""
    return int(http.get("/issues.json?status_id=*").json()["total_count"])


def test_a_private_note_is_public_once_the_right_is_gone(served: Served, http: httpx.Client) -> None:
    number = _create(http).json()["issue"]["id"]
    served.stand_in.set_permission("Robot WhatsApp", "set_notes_private", False)
    assert "set_notes_private" not in http.get("/roles/6.json").json()["role"]["permissions"]
    note = {"issue": {"notes": "secret", "private_notes": True}}
    assert http.put(f"/issues/{number}.json", json=note).status_code == 204
    journals = http.get(f"/issues/{number}.json?include=journals").json()["issue"]["journals"]
    assert [j["private_notes"] for j in journals] == [False]


def test_private_notes_of_others_vanish_without_the_right_to_see_them(
    served: Served, http: httpx.Client
) -> None:
    number = _create(http).json()["issue"]["id"]
    note = {"issue": {"notes": "secret", "private_notes": True}}
    http.put(f"/issues/{number}.json", json=note, headers={"X-Redmine-API-Key": KEYS["oac"]})
    served.stand_in.set_permission("Robot WhatsApp", "view_private_notes", False)
    assert http.get(f"/issues/{number}.json?include=journals").json()["issue"]["journals"] == []


def test_moved_deleted_closed(served: Served, http: httpx.Client) -> None:
    moved, deleted, kept = (_create(http).json()["issue"]["id"] for _ in range(3))
    served.stand_in.move(moved, "obres-i-serveis")
    served.stand_in.delete(deleted)
    assert [http.get(f"/issues/{n}.json").status_code for n in (moved, deleted, kept)] == [403, 404, 200]
    served.stand_in.close_project(1)
    assert http.get(f"/issues/{kept}.json").status_code == 200
    assert _create(http).status_code == 422
    served.stand_in.close_project(1, False)
    assert _create(http).status_code == 201


def test_locked_out_and_no_longer_a_member(served: Served, http: httpx.Client) -> None:
    _create(http)
    served.stand_in.lock_user("whatsapp-bot")
    assert http.get("/users/current.json").status_code == 401
    assert http.get("/issues.json").json()["total_count"] == 0
    served.stand_in.lock_user("whatsapp-bot", False)
    assert _count(http) == 1
    served.stand_in.remove_member("atencio-ciutadana", "whatsapp-bot")
    assert (http.get("/issues.json?project_id=1").status_code, _count(http)) == (403, 0)
    served.stand_in.add_member("atencio-ciutadana", "whatsapp-bot", "Robot WhatsApp")
    assert _count(http) == 1


def test_unknown_names_are_an_error(served: Served) -> None:
    with pytest.raises(LookupError, match="role Nobody"):
        served.stand_in.set_permission("Nobody", "view_issues", True)


def test_http_faults_serve_once_and_commit_or_not(served: Served, http: httpx.Client) -> None:
    faults = [
        {"match": "POST /issues.json", "http": 503, "retry_after": 7},
        {"match": "POST /issues.json", "http": 500, "commit": "before"},
    ]
    assert http.post("/_redmine/faults", json=faults).status_code == 200
    answer = _create(http)
    assert (answer.status_code, answer.headers["retry-after"], _count(http)) == (503, "7", 0)
    assert (_create(http).status_code, _count(http)) == (500, 1)
    assert (_create(http).status_code, _count(http)) == (201, 2)
    assert http.get("/_redmine/faults").json() == []


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_a_connection_that_is_cut(served: Served, http: httpx.Client, when: str, written: int) -> None:
    served.stand_in.faults.add({"match": "POST *", "drop": when})
    with pytest.raises(httpx.RemoteProtocolError):
        _create(http)
    assert _count(http) == written


@pytest.mark.parametrize(("commit", "at_once"), [("before", 1), ("after", 0)])
def test_a_slow_server_commits_although_the_client_gave_up(
    served: Served, http: httpx.Client, commit: str, at_once: int
) -> None:
    done = threading.Event()
    served.stand_in.faults.add({"match": "POST *", "delay": 0.6, "commit": commit})
    with pytest.raises(httpx.ReadTimeout):
        _create(http, timeout=0.2)
    assert _count(http) == at_once
    for _ in range(100):
        if _count(http) == 1:
            break
        done.wait(0.05)
    assert _count(http) == 1


def test_a_slow_commit_becomes_visible_with_an_older_time(served: Served, http: httpx.Client) -> None:
    for delay in (1, 8, 60):
        first = _count(http) + 1
        served.stand_in.faults.add({"match": "POST *", "delay": delay, "stamp": "before"})
        slow = threading.Thread(target=_create, args=(http, "slow"), kwargs={"timeout": 90})
        slow.start()
        while served.stand_in.faults.left():
            slow.join(0.01)
        slow.join(0.3)  # its time is taken after the fault is
        served.clock.wait(5)
        _create(http, "quick")
        overtaken = slow.is_alive()
        slow.join()
        if overtaken:
            break  # otherwise the machine was too slow for that delay
    shown = http.get("/issues.json?sort=updated_on:asc").json()["issues"][-2:]
    assert [(i["subject"], i["id"]) for i in shown] == [("slow", first + 1), ("quick", first)]


def test_a_fault_nobody_understands_is_refused(http: httpx.Client) -> None:
    for fault in ({"drop": "sometimes"}, {"no such": 1}):
        assert http.post("/_redmine/faults", json=[fault]).status_code == 400


def test_changes_are_told(served: Served, http: httpx.Client) -> None:
    with http.stream("GET", "/_redmine/events") as events:
        lines = events.iter_lines()
        next(lines)
        with httpx.Client(base_url=served.url, headers=BOT, trust_env=False) as other:
            number = _create(other).json()["issue"]["id"]
            other.put(f"/issues/{number}.json", json={"issue": {"notes": "x"}})
        served.stand_in.delete(number)
        told = [json.loads(line.removeprefix("data: ")) for line in _data(lines, 3)]
    assert told == [{"issue": number, "kind": kind} for kind in ("created", "updated", "deleted")]


def _data(lines: object, count: int) -> list[str]:
    found: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line.startswith("data: "):
            found.append(line)
        if len(found) == count:
            break
    return found


def test_parallel_creates_with_one_reference_all_succeed(served: Served, http: httpx.Client) -> None:
    """Redmine has no unique fields: uniqueness is the client's business."""
    issue = {"project_id": 1, "subject": "x", "custom_fields": [{"id": 2, "value": "SCV-SAME"}]}

    def post() -> None:
        httpx.post(f"{served.url}/issues.json", json={"issue": issue}, headers=BOT, trust_env=False)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert http.get("/issues.json?cf_2=SCV-SAME").json()["total_count"] == 8


def test_seed_is_the_one_of_the_real_server(served: Served) -> None:
    db = served.stand_in.db
    assert {p.login: p.id for p in db.principals.values() if p.login}["whatsapp-bot"] == 6
    assert served.stand_in.keys["whatsapp-bot"] == KEYS["bot"]
    assert {c.name: c.id for c in db.fields.values()}["Barri"] == 7
    assert {r.name: r.id for r in db.roles.values()}["Brigada"] == 9
