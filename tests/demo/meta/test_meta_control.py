"""The ``/_phone`` API as the demo page and black-box tests use it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
from meta_support import JPEG, PHONE, TOKEN, Api, Town, settle

from connector.demo.meta import MetaStandIn


@pytest.fixture
async def anna(api: Api) -> str:
    created = await api.http.post("/_phone/people", json={"name": "Anna", "phone": "+34 600 00 00 01"})
    assert created.status_code == 201
    return str(created.json()["id"])


async def act(api: Api, person: str, action: dict[str, Any]) -> httpx.Response:
    return await api.http.post(f"/_phone/people/{person}/send", json=action)


async def test_people_write_and_read(meta: MetaStandIn, api: Api, anna: str) -> None:
    sent = (await act(api, anna, {"type": "text", "body": "Hola"})).json()["id"]
    await api.text()
    messages = (await api.http.get(f"/_phone/people/{anna}/messages")).json()
    assert [(m["direction"], m["type"], m["content"], m["status"]) for m in messages] == [
        ("in", "text", {"body": "Hola"}, "sent"),
        ("out", "text", {"body": "Bon dia"}, "delivered"),
    ]
    assert messages[0]["id"] == sent
    read = (await api.http.post(f"/_phone/people/{anna}/read")).json()
    assert read == {"read": [messages[1]["id"]]}
    assert [p["name"] for p in (await api.http.get("/_phone/people")).json()] == ["Anna"]


async def test_files_come_as_multipart(meta: MetaStandIn, api: Api, anna: str) -> None:
    answer = await api.http.post(
        f"/_phone/people/{anna}/send",
        files={"file": ("foto.jpg", JPEG, "image/jpeg")},
        data={"caption": "Contenidor ple"},
    )
    message = (await api.http.get(f"/_phone/people/{anna}/messages")).json()[0]
    assert message["id"] == answer.json()["id"]
    assert message["content"]["caption"] == "Contenidor ple"
    shown = await api.http.get(f"/_phone/media/{message['content']['id']}", headers={"Authorization": ""})
    assert shown.content == JPEG


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("people", {"phone": "+34600000002"}, 400),
        ("people", {"name": "Pere"}, 400),
        ("people", {"name": "Pere", "phone": "+34600000001"}, 400),
        ("people/p9/send", {"type": "text", "body": "x"}, 404),
        ("people/p1/send", {"type": "telegram"}, 400),
        ("people/p1/send", {"type": "text"}, 400),
        ("people/p1/send", {"type": "text", "body": "x", "context": "nonsense"}, 400),
        ("faults", {"match": "everything"}, 400),
        ("clock", {}, 400),
    ],
)
async def test_mistakes_are_explained(api: Api, anna: str, path: str, body: Any, status: int) -> None:
    answer = await api.http.post(f"/_phone/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")


async def test_taps_are_checked_against_what_was_offered(meta: MetaStandIn, api: Api, anna: str) -> None:
    await act(api, anna, {"type": "text", "body": "Hola"})
    buttons = [{"type": "reply", "reply": {"id": "menu:home", "title": "Menú"}}]
    offer = {"type": "button", "body": {"text": "Tria"}, "action": {"buttons": buttons}}
    body = {
        "messaging_product": "whatsapp",
        "to": "+34600000001",
        "type": "interactive",
        "interactive": offer,
    }
    context = (await api.send(body)).json()["messages"][0]["id"]
    wrong = await act(api, anna, {"type": "button_reply", "id": "menu:other", "context": context})
    assert wrong.status_code == 400
    right = await act(api, anna, {"type": "button_reply", "id": "menu:home", "context": context})
    assert right.status_code == 200
    message = meta.delivery.emitted[-1]["entry"][0]["changes"][0]["value"]["messages"][0]
    assert message["interactive"]["button_reply"] == {"id": "menu:home", "title": "Menú"}
    assert message["context"] == {"from": "34600000100", "id": context}


async def test_faults_and_clock(meta: MetaStandIn, api: Api, anna: str) -> None:
    faults = [{"match": "messages", "error": 131000}, {"webhook": "duplicate"}]
    listed = (await api.http.post("/_phone/faults", json=faults)).json()
    assert [f.get("match", f.get("webhook")) for f in listed] == ["messages", "duplicate"]
    assert (await api.http.get("/_phone/faults")).json() == listed
    assert (await api.http.delete("/_phone/faults")).json() == []
    before = meta.now()
    await api.http.post("/_phone/clock", json={"offset": 90000})
    assert meta.now() == before + 90000


async def test_raw_webhooks_are_signed_once(meta: MetaStandIn, api: Api, town: Town) -> None:
    town.answers = [401]
    assert (await api.http.post("/_phone/webhook", json={"payload": {"any": "thing"}})).json() == {
        "status": 401
    }
    assert (await api.http.post("/_phone/webhook", json={"body": "no json"})).json() == {"status": 200}
    assert town.bodies == [b'{"any":"thing"}', b"no json"]
    assert (await api.http.post("/_phone/verify")).json() == {"verified": True}


async def test_events_tell_the_page(served_meta: MetaStandIn) -> None:
    anna = served_meta.add_person("Anna", "+34600000001")
    events: list[dict[str, Any]] = []
    async with (
        httpx.AsyncClient(base_url=served_meta.public_url) as client,
        client.stream("GET", "/_phone/events") as stream,
    ):
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")
        message_id = served_meta.send(anna, {"type": "text", "body": "Hola"})
        mark = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        await settle(served_meta)
        await client.post(
            f"/v23.0/{PHONE}/messages",
            json={**mark, "typing_indicator": {"type": "text"}},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        async with asyncio.timeout(5):
            async for line in lines:
                if line.startswith("data: "):
                    events.append(json.loads(line.removeprefix("data: ")))
                if events and "typing" in events[-1]:
                    break
    assert events[0]["message"]["id"] == message_id
    assert events[1:] == [
        {"person": anna.id, "id": message_id, "status": "delivered"},
        {"person": anna.id, "id": message_id, "status": "read"},
        {"person": anna.id, "typing": True},
    ]


def test_it_runs_as_a_program() -> None:
    arguments = [
        "--webhook",
        "http://town.invalid/",
        "--app-secret",
        "s",
        "--access-token",
        "t",
        "--verify-token",
    ]
    command = [sys.executable, "-m", "connector.demo.meta", "--port", "0", *arguments, "v"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        process.terminate()
        assert process.wait(10) in (0, -15)


def test_it_shares_no_code_with_the_product() -> None:
    code = (
        "import sys, connector.demo.meta; "
        "print([m for m in sys.modules if m.startswith('connector.') and not m.startswith('connector.demo')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(found.stdout.replace("'", '"'))) <= {"connector.core", "connector.core.errors"}
