"""Updating: notes public and private, journals, statuses, watchers, what moves ``updated_on``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..recorder import Recorder


def _put(r: Recorder, number: int, who: str = "bot", **fields: Any) -> None:
    r.put(f"/issues/{number}.json", {"issue": fields}, who=who)


def _journals(r: Recorder, number: int, who: str = "bot", record: bool = True) -> list[dict[str, Any]]:
    body = r.get(
        f"/issues/{number}.json?include=journals",
        who=who,
        record=record,
        show=lambda b: {"journals": b["issue"]["journals"]},
    )
    return body["issue"]["journals"]


def public_and_private(r: Recorder) -> None:
    number = r.issue()
    _put(r, number, notes="pública")
    _put(r, number, notes="privada", private_notes=True)
    _put(r, number, who="oac", notes="de l'oficina", private_notes=False)
    _put(r, number, who="alcalde", notes="privada de l'alcalde", private_notes="1")
    for who in ("bot", "oac", "alcalde", "brigada", "admin"):
        _journals(r, number, who)


def private_without_the_right_comes_out_public(r: Recorder) -> None:
    number = r.issue()
    _put(r, number, who="brigada", notes="això havia de ser privat", private_notes=True)
    _journals(r, number)
    _journals(r, number, "brigada")


def private_note_with_a_change_is_split(r: Recorder) -> None:
    number = r.issue()
    _put(r, number, notes="privada", private_notes=True, status_id=2)
    _journals(r, number)
    _journals(r, number, "brigada")


def changes(r: Recorder) -> None:
    number = r.issue(description="abans")
    _put(
        r, number, who="oac", notes="amb canvis", status_id=2, assigned_to_id=7, priority_id=3, category_id=2
    )
    _put(r, number, who="oac", subject="Un altre", description="després\n", tracker_id=7, done_ratio=50)
    _put(r, number, who="oac", custom_fields=[{"id": 7, "value": "Platja"}, {"id": 4, "value": 1.5}])
    _put(r, number, who="oac", custom_fields=[{"id": 7, "value": ""}], assigned_to_id="", category_id="none")
    _put(r, number, who="oac", due_date="2040-01-01", start_date="2039-12-31", estimated_hours=2)
    r.get(f"/issues/{number}.json?include=journals")


def nothing_to_change(r: Recorder) -> None:
    number = r.issue()
    for fields in (
        {},
        {"notes": ""},
        {"notes": "   "},
        {"notes": None},
        {"status_id": 1},
        {"subject": f"Prova {r.ref}"},
    ):
        _put(r, number, **fields)
    _journals(r, number)
    r.put(f"/issues/{number}.json", {})
    r.call(
        "PUT", f"/issues/{number}.json", content=b'{"issue":', headers={"Content-Type": "application/json"}
    )
    r.call("PUT", f"/issues/{number}.json", content=b'{"issue": {"notes": "x"}}')
    _journals(r, number)


def refused_changes(r: Recorder) -> None:
    number = r.issue()
    for fields in (
        {"subject": ""},
        {"assigned_to_id": 99999, "notes": "es perd"},
        {"priority_id": 99},
        {"custom_fields": [{"id": 1, "value": "Fax"}]},
        {"status_id": 99, "notes": "estat desconegut"},
        {"status_id": "Tancat", "notes": "estat pel nom"},
        {"tracker_id": 99, "notes": "tipus desconegut"},
        {"project_id": 2, "notes": "projecte prohibit"},
        {"is_private": True, "notes": "no pot"},
        {"author_id": 5, "notes": "no pot"},
    ):
        _put(r, number, **fields)
    r.get(f"/issues/{number}.json?include=journals")


def stale_lock_version(r: Recorder) -> None:
    number = r.issue()
    _put(r, number, lock_version=0, notes="primera")
    _put(r, number, lock_version=0, notes="segona")
    _put(r, number, lock_version=99, notes="tercera")
    _journals(r, number)


def closing_and_reopening(r: Recorder) -> None:
    number = r.issue()

    def state(body: Any) -> Any:
        return [body["issue"]["status"], body["issue"]["closed_on"]]

    for status in (5, 6, 1, 3):
        _put(r, number, who="oac", status_id=status)
        r.get(f"/issues/{number}.json", show=state)
    _journals(r, number)
    r.issue(status_id=5, record=True)


def allowed_statuses(r: Recorder) -> None:
    number = r.issue()
    for who in ("bot", "oac", "brigada", "admin"):
        r.get(
            f"/issues/{number}.json?include=allowed_statuses",
            who=who,
            show=lambda b: b["issue"]["allowed_statuses"],
        )


def editing_a_note(r: Recorder) -> None:
    number = r.issue()
    _put(r, number, notes="del robot")
    _put(r, number, who="oac", notes="de l'oficina")
    _put(r, number, who="oac", notes="amb estat", status_id=2)
    ids = [j["id"] for j in _journals(r, number, record=False)]
    for who in ("bot", "alcalde", "brigada", "oac"):
        r.put(f"/journals/{ids[0]}.json", {"journal": {"notes": f"escrit per {who}\nx"}}, who=who)
    _journals(r, number)
    r.put(f"/journals/{ids[1]}.json", {"journal": {"private_notes": True}}, who="oac")
    _journals(r, number, "brigada")
    r.put(f"/journals/{ids[1]}.json", {"journal": {"notes": "x"}}, who="brigada")
    r.put(f"/journals/{ids[1]}.json", {"journal": {"private_notes": False}}, who="oac")
    r.put(f"/journals/{ids[1]}.json", {"journal": {"notes": ""}}, who="oac")
    r.put(f"/journals/{ids[2]}.json", {"journal": {"notes": ""}}, who="oac")
    _journals(r, number)
    r.put(f"/journals/{ids[1]}.json", {"journal": {"notes": "x"}}, who="oac")


def four_in_one_second(r: Recorder) -> None:
    number = r.issue()
    for word in ("u", "dos", "tres", "quatre"):
        _put(r, number, notes=word)
    journals = _journals(r, number)
    r.say("ids ascend", [j["id"] for j in journals] == sorted(j["id"] for j in journals))


def watchers(r: Recorder) -> None:
    number = r.issue()

    def seen(body: Any) -> Any:
        return {"watchers": body["issue"].get("watchers", "left out")}

    r.post(f"/issues/{number}/watchers.json", {"user_id": 5})
    r.post(f"/issues/{number}/watchers.json", {"user_id": 5})
    r.post(f"/issues/{number}/watchers.json", {"watcher": {"user_ids": [7, 8]}})
    r.post(f"/issues/{number}/watchers.json", {"user_id": 99999})
    r.post(f"/issues/{number}/watchers.json", {})
    r.post(f"/issues/{number}/watchers.json", {"user_id": 8}, who="brigada")
    r.get(f"/issues/{number}.json?include=watchers", show=seen)
    r.get(f"/issues/{number}.json?include=watchers", who="brigada", show=seen)
    r.delete(f"/issues/{number}/watchers/7.json")
    r.delete(f"/issues/{number}/watchers/7.json")
    r.delete(f"/issues/{number}/watchers/99999.json")
    r.delete(f"/issues/{number}/watchers/5.json", who="alcalde")
    r.get(f"/issues/{number}.json?include=watchers", show=seen)
    _put(r, number, watcher_user_ids=[9])
    r.get(f"/issues/{number}.json?include=watchers", show=seen)
    r.post("/issues/999999999/watchers.json", {"user_id": 5})


def subtasks_and_relations(r: Recorder) -> None:
    parent, child, other = r.issue(), r.issue(), r.issue()
    _put(r, child, who="bot", parent_issue_id=parent)
    r.get(f"/issues/{child}.json", show=_only("parent"))
    _put(r, child, who="oac", parent_issue_id=parent)
    r.get(f"/issues/{child}.json?include=journals", show=_only("parent", "journals"))
    r.get(f"/issues/{parent}.json?include=children,journals", show=_only("children", "journals"))
    _put(r, child, who="oac", parent_issue_id=999999999)
    _put(r, child, who="oac", parent_issue_id=child)
    r.post(f"/issues/{parent}/relations.json", {"relation": {"issue_to_id": other}})
    r.post(f"/issues/{parent}/relations.json", {"relation": {"issue_to_id": other}}, who="oac")
    r.get(f"/issues/{parent}.json?include=relations", show=_only("relations"))
    r.get(f"/issues/{child}.json?include=relations", show=_only("relations"))
    _put(r, parent, who="oac", status_id=5)
    r.get(f"/issues/{parent}.json", show=lambda b: b["issue"]["status"])


def what_moves_updated_on(r: Recorder) -> None:
    number, other = r.issue(), r.issue()
    token = r.upload("a.txt", b"a")

    def updated() -> str:
        return str(r.get(f"/issues/{number}.json", record=False)["issue"]["updated_on"])

    def step(what: str, *request: Any, who: str = "oac") -> None:
        before = updated()
        r.wait()
        r.call(request[0], request[1], body=request[2] if len(request) > 2 else None, who=who, record=False)
        r.say(f"{what} moves updated_on", updated() != before)

    address = f"/issues/{number}.json"
    step("note", "PUT", address, {"issue": {"notes": "a"}})
    step("private note", "PUT", address, {"issue": {"notes": "b", "private_notes": True}})
    step("new attachment", "PUT", address, {"issue": {"uploads": [{"token": token, "filename": "a.txt"}]}})
    step("update of nothing", "PUT", address, {"issue": {}})
    step("refused update", "PUT", address, {"issue": {"subject": ""}})
    step(
        "new subtask",
        "POST",
        "/issues.json",
        {"issue": {"project_id": 1, "subject": "x", "parent_issue_id": number}},
    )
    full = r.get(f"/issues/{number}.json?include=journals,attachments", record=False)["issue"]
    journal = full["journals"][0]["id"]
    step("editing a note", "PUT", f"/journals/{journal}.json", {"journal": {"notes": "c"}})
    step("blanking a note", "PUT", f"/journals/{journal}.json", {"journal": {"notes": ""}})
    step("deleting an attachment", "DELETE", f"/attachments/{full['attachments'][0]['id']}.json")
    step("watcher", "POST", f"/issues/{number}/watchers.json", {"user_id": 7})
    step("relation", "POST", f"/issues/{number}/relations.json", {"relation": {"issue_to_id": other}})
    _journals(r, number)


def _only(*keys: str) -> Callable[[Any], Any]:
    """Record only these parts of an issue."""
    return lambda body: {key: body["issue"].get(key, "left out") for key in keys}
