"""The desk's proxy: what passes, as whom, and what never does."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest
from page_support import PNG, PROJECT, STAFF, TOWN, Stage, until


@pytest.fixture
def desk(stage: Stage) -> httpx.Client:
    return httpx.Client(base_url=f"{stage.url}/desk", headers={"X-Desk-User": "alcalde"}, timeout=20)


def test_the_page_learns_who_can_sit_there_and_never_a_key(stage: Stage, desk: httpx.Client) -> None:
    answer = desk.get("/config")
    config = answer.json()
    assert [person["login"] for person in config["staff"]] == list(STAFF)
    assert config["staff"][0]["name"] == "Jordi Alcalde"
    assert (config["project"], config["town"]) == (PROJECT, TOWN)
    assert config["redmine_url"] == stage.tickets.url
    assert config["events"] == "/desk/events"
    me = desk.get("/redmine/users/current.json")
    assert me.json()["user"]["login"] == "alcalde"
    for login in STAFF:
        assert stage.tickets.keys[login] not in answer.text + me.text


def test_a_request_is_made_as_the_chosen_person(stage: Stage, desk: httpx.Client) -> None:
    number = stage.tickets.create("Fanal apagat")
    for login, words in (("alcalde", "Demà hi anem"), ("oac", "Anotat")):
        answer = desk.put(
            f"/redmine/issues/{number}.json",
            headers={"X-Desk-User": login},
            json={"issue": {"notes": words}},
        )
        assert answer.status_code == 204
    authors = [j["user"]["name"] for j in stage.tickets.issue(number)["journals"]]
    assert authors == ["Jordi Alcalde", "Oficina Atenció Ciutadana"]


@pytest.mark.parametrize("login", ["", "admin", "whatsapp-bot", "nobody"])
def test_nobody_else_gets_through(stage: Stage, desk: httpx.Client, login: str) -> None:
    answer = desk.get("/redmine/issues.json", headers={"X-Desk-User": login})
    assert answer.status_code == 403
    assert "staff" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "users.json"),
        ("GET", "users/7.json"),
        ("GET", "my/account.json"),
        ("GET", "issues.xml"),
        ("GET", "_redmine/faults"),
        ("GET", "issues/1.json/../../users.json"),
        ("GET", "issues.json%2f"),
        ("GET", "attachments/download/1/%2e%2e/%2e%2e/users.json"),
        ("POST", "users.json"),
        ("POST", "issues/1.json"),
        ("PUT", "users/current.json"),
        ("PUT", "issues.json"),
        ("DELETE", "projects/atencio-ciutadana.json"),
        ("DELETE", "users/7.json"),
    ],
)
def test_only_what_the_desk_needs_is_passed_on(desk: httpx.Client, method: str, path: str) -> None:
    answer = desk.request(method, f"/redmine/{path}", content=b"{}" if method in ("POST", "PUT") else None)
    assert answer.status_code in (404, 405)


def test_a_filter_reaches_redmine_as_it_was_written(stage: Stage, desk: httpx.Client) -> None:
    numbers = [stage.tickets.create(f"Tiquet {i}") for i in range(3)]
    answer = desk.get(f"/redmine/issues.json?project_id={PROJECT}&status_id=*&sort=id:desc&limit=2")
    assert [issue["id"] for issue in answer.json()["issues"]] == numbers[:0:-1]
    none = desk.get("/redmine/issues.json?updated_on=%3E%3D2999-01-01T00%3A00%3A00Z")
    assert none.json()["issues"] == []


def test_a_file_goes_up_and_comes_back_but_never_as_a_page(stage: Stage, desk: httpx.Client) -> None:
    page = b"<script>alert(1)</script>"
    number = stage.tickets.create(
        "Amb fitxers",
        uploads=[
            stage.tickets.upload(PNG, "plànol #1 50%.png", "image/png"),
            stage.tickets.upload(page, "dolent.html", "text/html"),
        ],
    )
    files = stage.tickets.issue(number)["attachments"]
    for attachment, data in zip(files, (PNG, page), strict=True):
        name = quote(attachment["filename"])
        answer = desk.get(f"/redmine/attachments/download/{attachment['id']}/{name}")
        assert answer.content == data
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    up = desk.post("/redmine/uploads.json?filename=plànol.pdf", content=b"%PDF-1.4 prova")
    assert up.status_code == 201
    assert up.json()["upload"]["token"]
    assert desk.get("/redmine/attachments/download/99999/res.png").status_code == 404


def test_redmines_own_words_come_back_with_its_errors(stage: Stage, desk: httpx.Client) -> None:
    number = stage.tickets.create("Un tiquet")
    wrong = desk.put(f"/redmine/issues/{number}.json", json={"issue": {"subject": ""}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"]
    assert desk.get("/redmine/issues/99999.json").status_code == 404


def test_after_a_write_the_connector_looks_at_once(stage: Stage, desk: httpx.Client) -> None:
    number = stage.tickets.create("Un tiquet")
    desk.get(f"/redmine/issues/{number}.json")
    desk.put(f"/redmine/issues/{number}.json", json={"issue": {"subject": ""}})  # refused
    desk.post("/redmine/uploads.json?filename=a.txt", content=b"a")
    assert stage.town.polls == 0
    desk.put(f"/redmine/issues/{number}.json", json={"issue": {"notes": "Fet"}})
    until("the desk asked for a poll", lambda: stage.town.polls == 1)


def test_changes_are_announced(stage: Stage, desk: httpx.Client) -> None:
    with desk.stream("GET", "/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        number = stage.tickets.create("Un tiquet")
        data = next(line for line in lines if line.startswith("data:"))
    assert json.loads(data.removeprefix("data:"))["issue"] == number


async def test_a_redmine_that_is_away_is_said_so() -> None:
    from starlette.applications import Starlette

    from connector.demo.desk import desk_routes

    app = Starlette(routes=desk_routes("http://127.0.0.1:9", {"alcalde": "a1" * 20}))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk.invalid"
    ) as client:
        config = (await client.get("/desk/config")).json()
        assert config["staff"] == [{"login": "alcalde", "name": "alcalde"}]
        assert config["events"] is None
        answer = await client.get("/desk/redmine/issues.json", headers={"X-Desk-User": "alcalde"})
        assert answer.status_code == 502
        assert "Redmine" in answer.json()["errors"][0]
        assert (await client.get("/desk/events")).status_code == 502
