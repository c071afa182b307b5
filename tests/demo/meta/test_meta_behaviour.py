"""What becomes of messages, files, templates and webhooks; and what can be made to go wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from meta_support import (
    JPEG,
    PDF,
    PHONE,
    SECRET,
    TEMPLATES,
    TOKEN,
    WABA,
    Api,
    Clock,
    Served,
    Town,
    settle,
)

from connector.demo.meta import MetaStandIn, webhooks

DAY = 24 * 3600


@pytest.fixture
def written(meta: MetaStandIn) -> MetaStandIn:
    """Anna and a person without a visible number have both written."""
    for name, phone, hidden in (("Anna", "+34600000001", False), ("Usuària", "+34600000009", True)):
        meta.send(meta.add_person(name, phone, hidden), {"type": "text", "body": "Hola"})
    return meta


def emitted(meta: MetaStandIn, part: str) -> list[dict[str, Any]]:
    values = [c["value"] for p in meta.delivery.emitted for e in p["entry"] for c in e["changes"]]
    return [x for v in values for x in v.get(part, [])]


# ---------------------------------------------------------------------- window, people, statuses


async def test_the_window_closes_after_24_hours(written: MetaStandIn, api: Api, clock: Clock) -> None:
    clock.now += DAY - 1
    await api.text()
    clock.now += 1
    answer = await api.text(biz_opaque_callback_data="out:9")
    assert answer.status_code == 200
    statuses = emitted(written, "statuses")
    assert [s["status"] for s in statuses] == ["sent", "delivered", "failed"]
    failed = statuses[-1]
    assert failed["errors"][0]["code"] == 131047
    assert (failed["id"], failed["biz_opaque_callback_data"]) == (answer.json()["messages"][0]["id"], "out:9")
    assert "recipient_user_id" not in failed
    assert "contacts" not in written.delivery.emitted[-1]["entry"][0]["changes"][0]["value"]
    anna = written.state.people["p1"]
    assert len(anna.messages) == 2, "a failed message is on nobody's phone"
    written.send(anna, {"type": "reaction", "message_id": anna.messages[1].id, "emoji": "👍"})
    await api.text()
    assert emitted(written, "statuses")[-1]["status"] == "delivered"


async def test_templates_go_through_a_closed_window(written: MetaStandIn, api: Api, clock: Clock) -> None:
    written.add_template(TEMPLATES[1])
    clock.now += 3 * DAY
    component = {"type": "body", "parameters": [{"type": "text", "parameter_name": "num", "text": "42"}]}
    template = {"name": "incidencia_resolta", "language": {"code": "es"}, "components": [component]}
    body = {"messaging_product": "whatsapp", "to": "+34600000001", "type": "template", "template": template}
    assert (await api.send(body)).status_code == 200
    assert [s["pricing"]["category"] for s in emitted(written, "statuses")] == ["utility", "utility"]
    anna = written.state.people["p1"]
    asked = anna.messages[-1]
    assert asked.shown == {
        "header": None,
        "body": "Hemos resuelto la incidencia 42. Puede valorarla con el botón.",
        "footer": None,
        "buttons": [{"type": "QUICK_REPLY", "text": "Muy bien", "payload": "Muy bien"}],
    }
    with pytest.raises(ValueError, match="does not offer"):
        written.send(anna, {"type": "button", "payload": "other", "context": asked.id})
    written.send(anna, {"type": "button", "payload": "Muy bien", "context": asked.id})
    assert emitted(written, "messages")[-1]["button"] == {"payload": "Muy bien", "text": "Muy bien"}


@pytest.mark.parametrize("address", ["+34600000077", "ES.12345", "+34600000009"])
async def test_nobody_there_fails_later(written: MetaStandIn, api: Api, address: str) -> None:
    answer = await api.text(address)
    assert answer.status_code == 200
    failed = emitted(written, "statuses")[-1]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131026)
    key, value = ("recipient_id", address[1:]) if address[0] == "+" else ("recipient_user_id", address)
    assert failed[key] == value


async def test_a_hidden_person_shows_no_number_anywhere(
    written: MetaStandIn, api: Api, town: Town, clock: Clock
) -> None:
    hidden = written.state.people["p2"]
    written.send_file(hidden, PDF, "application/pdf", filename="a.pdf")
    await api.text(hidden.user_id, context={"message_id": hidden.messages[0].id})
    written.open_chat(hidden)
    await written.start()
    await settle(written)
    await written.stop()
    about = [p for p in town.payloads if hidden.user_id in str(p)]
    assert len(about) == 5
    for payload in about:
        assert "34600000009" not in str(payload)
        assert base64.b64encode(b"34600000009").decode()[:12] not in str(payload)
        value = payload["entry"][0]["changes"][0]["value"]
        assert value["contacts"] == [
            {"profile": {"name": "Usuària", "username": "usuaria"}, "user_id": hidden.user_id}
        ]
        for status in value.get("statuses", []):
            assert status["recipient_user_id"] == hidden.user_id
            assert "recipient_id" not in status


async def test_reading_reports_everything_delivered_in_one_post(written: MetaStandIn, api: Api) -> None:
    anna = written.state.people["p1"]
    ids = [(await api.text()).json()["messages"][0]["id"] for _ in range(2)]
    before = len(written.delivery.emitted)
    assert written.open_chat(anna) == ids
    assert written.open_chat(anna) == []
    assert len(written.delivery.emitted) == before + 1
    assert [(s["id"], s["status"]) for s in emitted(written, "statuses")[-2:]] == [(i, "read") for i in ids]


async def test_a_reaction_of_ours_is_only_reported_as_sent(written: MetaStandIn, api: Api) -> None:
    first = written.state.people["p1"].messages[0].id
    reaction = {"message_id": first, "emoji": "👍"}
    body = {"messaging_product": "whatsapp", "to": "+34600000001", "type": "reaction", "reaction": reaction}
    await api.send(body)
    assert [s["status"] for s in emitted(written, "statuses")] == ["sent"]


async def test_only_messages_of_the_same_chat_can_be_quoted_or_marked(written: MetaStandIn, api: Api) -> None:
    others = written.state.people["p2"].messages[0].id
    for answer in (
        await api.text(context={"message_id": others}),
        await api.text(context={"message_id": "wamid.unknown"}),
        await api.send({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"}),
    ):
        assert answer.json()["error"]["code"] == 131009
    assert not emitted(written, "statuses")


async def test_wamids_contain_the_number_as_real_ones_do(written: MetaStandIn) -> None:
    raw = base64.b64decode(written.state.people["p1"].messages[0].id.removeprefix("wamid."))
    assert b"34600000001" in raw
    assert len(raw) == 41


async def test_the_pair_rate(make: Callable[..., MetaStandIn], clock: Clock) -> None:
    meta = make(pair_rate=True)
    api = Api(meta)
    meta.send(meta.add_person("Anna", "+34600000001"), {"type": "text", "body": "Hola"})
    meta.send(meta.add_person("Pere", "+34600000002"), {"type": "text", "body": "Hola"})
    codes = [(await api.text()).status_code for _ in range(46)]
    assert codes == [200] * 45 + [400]
    assert (await api.text("+34600000002")).status_code == 200
    clock.now += 6
    assert [(await api.text()).status_code for _ in range(2)] == [200, 400]


# ---------------------------------------------------------------------- media


async def test_media_links_expire_and_need_the_token(meta: MetaStandIn, api: Api, clock: Clock) -> None:
    media_id = (await api.upload(JPEG, "image/jpeg")).json()["id"]
    described = (await api.http.get(f"/v23.0/{media_id}")).json()
    assert described["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert described["file_size"] == str(len(JPEG))
    answer = await api.http.get(described["url"])
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert (await api.http.get(described["url"], headers={"Authorization": ""})).status_code == 401
    assert (await api.http.get(described["url"][:-1] + "x")).status_code == 404
    clock.now += 301
    assert (await api.http.get(described["url"])).status_code == 404
    fresh = (await api.http.get(f"/v23.0/{media_id}")).json()["url"]
    assert (await api.http.get(fresh)).status_code == 200
    clock.now += 31 * DAY
    assert (await api.http.get(f"/v23.0/{media_id}")).json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("data", "mime_type", "code"),
    [
        (b"MZ", "application/x-msdownload", 100),
        (b"", "image/jpeg", 131053),
        (b"no jpeg", "image/jpeg", 131053),
        (JPEG + bytes(5 * 1024 * 1024), "image/jpeg", 131053),
        (PDF + bytes(5 * 1024 * 1024), "application/pdf", None),
    ],
)
async def test_uploads_are_checked(api: Api, data: bytes, mime_type: str, code: int | None) -> None:
    answer = await api.upload(data, mime_type)
    assert answer.json().get("error", {}).get("code") == code


async def test_a_file_of_another_kind_or_none_cannot_be_sent(written: MetaStandIn, api: Api) -> None:
    pdf = (await api.upload(PDF, "application/pdf")).json()["id"]
    body = {"messaging_product": "whatsapp", "to": "+34600000001", "type": "image"}
    assert (await api.send({**body, "image": {"id": pdf}})).status_code == 200
    assert emitted(written, "statuses")[-1]["errors"][0]["code"] == 131053
    assert (await api.send({**body, "image": {"id": "1"}})).json()["error"]["code"] == 100


async def test_a_file_over_100_mb_never_arrives(written: MetaStandIn) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 100 * 1024 * 1024 + 1

    written.send_file(written.state.people["p1"], Huge(b"x"), "video/mp4")
    message = emitted(written, "messages")[-1]
    assert (message["type"], message["errors"][0]["code"]) == ("unsupported", 131052)


# ---------------------------------------------------------------------- templates


async def post_template(api: Api, **changes: Any) -> httpx.Response:
    return await api.http.post(f"/v23.0/{WABA}/message_templates", json={**TEMPLATES[0], **changes})


async def test_templates_are_created_reviewed_listed_and_deleted(meta: MetaStandIn, api: Api) -> None:
    created = (await post_template(api)).json()
    assert (created["status"], created["category"]) == ("PENDING", "UTILITY")
    url = f"/v23.0/{WABA}/message_templates"
    listed = (await api.http.get(url, params={"fields": "name,language,status"})).json()["data"]
    assert listed == [
        {"name": "incidencia_actualitzada", "language": "ca", "status": "APPROVED", "id": created["id"]}
    ]
    assert meta.delivery.emitted[-1]["entry"][0]["changes"][0]["value"]["event"] == "APPROVED"
    assert (await post_template(api)).json()["error"]["error_subcode"] == 2388024
    assert (await api.http.get(url, params={"fields": "nonsense"})).status_code == 400
    assert (await api.http.delete(url, params={"name": "incidencia_actualitzada"})).json()["success"]
    assert (await api.http.get(url)).json()["data"] == []
    assert (await post_template(api)).json()["error"]["code"] == 2388023


def body_of(text: str, *examples: str) -> list[dict[str, Any]]:
    return [{"type": "BODY", "text": text, "example": {"body_text": [list(examples)]}}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "Majúscules"}, 100),
        ({"language": "català"}, 100),
        ({"category": "SERVICE"}, 100),
        ({"components": []}, 100),
        ({"colour": "red"}, 100),
        ({"components": body_of("x" * 1025)}, 2388040),
        ({"components": body_of("{{1}} ja és aquí, gràcies per escriure", "42")}, 2388299),
        ({"components": body_of("La resposta que esperaves és aquesta: {{1}}.", "42")}, 2388299),
        ({"components": body_of("Hola {{1}} i {{2}} i {{3}} fi", "1", "2", "3")}, 2388293),
        ({"components": body_of("La teva incidència {{2}} ja està resolta, gràcies", "42")}, 100),
        ({"components": body_of("La teva incidència {{1}} ja està resolta, gràcies")}, 100),
        ({"components": [*TEMPLATES[0]["components"][:1], {"type": "FOOTER", "text": "x" * 61}]}, 2388040),
        (
            {
                "components": [
                    TEMPLATES[0]["components"][0],
                    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x" * 26}]},
                ]
            },
            2388040,
        ),
    ],
)
async def test_bad_templates_are_refused(api: Api, changes: dict[str, Any], code: int) -> None:
    answer = await post_template(api, **changes)
    assert answer.json()["error"]["code"] == code, answer.text


async def test_neighbouring_variables_are_rejected_by_the_reviewers(meta: MetaStandIn, api: Api) -> None:
    text = "La teva incidència {{1}} {{2}} ja està resolta, moltes gràcies"
    await post_template(api, components=body_of(text, "1", "2"))
    assert meta.delivery.emitted[-1]["entry"][0]["changes"][0]["value"]["reason"] == "INVALID_FORMAT"


async def test_paused_and_unapproved_templates_cannot_be_sent(written: MetaStandIn, api: Api) -> None:
    template = written.add_template(TEMPLATES[0], status="PENDING")
    parameters = [{"type": "text", "text": "42"}, {"type": "text", "text": "En curs"}]
    sent = {"name": template.name, "language": {"code": "ca"}}
    body = {"messaging_product": "whatsapp", "to": "+34600000001", "type": "template"}
    full = {**body, "template": {**sent, "components": [{"type": "body", "parameters": parameters}]}}
    codes = []
    for status in ("PENDING", "PAUSED", "DISABLED"):
        template.status = status
        codes.append((await api.send(full)).json()["error"]["code"])
    assert codes == [132001, 132015, 132016]
    template.status = "APPROVED"
    short = {**body, "template": {**sent, "components": [{"type": "body", "parameters": parameters[:1]}]}}
    assert (await api.send(short)).json()["error"]["code"] == 132000
    assert (await api.send(full)).status_code == 200


# ---------------------------------------------------------------------- webhooks and faults


async def test_webhooks_are_signed_retried_and_in_order(written: MetaStandIn, town: Town) -> None:
    town.answers = [500, 302, 202]
    anna = written.state.people["p1"]
    for number in range(3):
        written.send(anna, {"type": "text", "body": str(number)})
    assert anna.messages[0].status == "sent"
    await written.start()
    await settle(written)
    await written.stop()
    texts = [m["text"]["body"] for m in town.values("messages") if m.get("from") == "34600000001"]
    assert [t for i, t in enumerate(texts) if t not in texts[:i]] == ["Hola", "0", "1", "2"]
    assert len(town.bodies) == 8, "five webhooks, three of them not answered with 200 at first"
    for body, signature in zip(town.bodies, town.signatures, strict=True):
        assert signature == webhooks.sign(body, SECRET)
    assert {m.status for m in anna.messages} == {"delivered"}


@pytest.mark.parametrize(
    ("fault", "expected", "posts"),
    [
        ({"webhook": "duplicate"}, ["0", "0", "1", "2"], 4),
        ({"webhook": "reorder", "count": 3}, ["2", "1", "0"], 3),
        ({"webhook": "batch", "count": 3}, ["0", "1", "2"], 1),
        ({"webhook": "hold"}, ["1", "2", "0"], 3),
    ],
)
async def test_webhooks_can_go_wrong(
    meta: MetaStandIn, town: Town, fault: dict[str, Any], expected: list[str], posts: int
) -> None:
    anna = meta.add_person("Anna", "+34600000001")
    await meta.start()
    meta.add_fault(fault)
    for number in range(3):
        meta.send(anna, {"type": "text", "body": str(number)})
    if fault["webhook"] == "hold":
        await asyncio.sleep(0.2)
        assert (meta.delivery.waiting, len(town.bodies)) == (1, 2)
        meta.add_fault({"webhook": "release"})
    await settle(meta)
    await meta.stop()
    assert [m["text"]["body"] for m in town.values("messages")] == expected
    assert len(town.bodies) == posts
    assert {m.status for m in anna.messages} == {"delivered"}


async def test_webhooks_over_real_http(make: Callable[..., MetaStandIn], town: Town) -> None:
    with Served(town.app) as served:
        meta = make(webhook_url=f"{served.url}/webhook/whatsapp", transport=None)
        assert await meta.verify()
        await meta.start()
        meta.send(meta.add_person("Anna", "+34600000001"), {"type": "text", "body": "Hola 👍"})
        await settle(meta)
        await meta.stop()
    assert town.signatures == [webhooks.sign(town.bodies[0], SECRET)]
    assert town.values("messages")[0]["text"]["body"] == "Hola 👍"


async def test_the_handshake(meta: MetaStandIn, town: Town) -> None:
    assert await meta.verify()
    town.verify_token = "another"
    assert not await meta.verify()


async def test_an_account_without_subscription_hears_nothing(meta: MetaStandIn, api: Api) -> None:
    url = f"/v23.0/{WABA}/subscribed_apps"
    assert len((await api.http.get(url)).json()["data"]) == 1
    await api.http.delete(url)
    anna = meta.add_person("Anna", "+34600000001")
    meta.send(anna, {"type": "text", "body": "Hola"})
    assert not meta.delivery.emitted
    await api.http.post(url)
    meta.send(anna, {"type": "text", "body": "Hola"})
    assert len(meta.delivery.emitted) == 1


async def test_a_webhook_that_breaks_the_contract_is_never_sent(meta: MetaStandIn) -> None:
    anna = meta.add_person("Anna", "+34600000001")
    with pytest.raises(AssertionError, match="breaks the contract"):
        meta.send(anna, {"type": "raw", "message": {"type": "text", "text": {}}})


async def test_faults_of_calls(written: MetaStandIn, api: Api) -> None:
    written.add_fault({"match": "messages", "error": 131056, "http": 429, "retry_after": 5, "count": 2})
    for _ in range(2):
        answer = await api.text()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert answer.json()["error"]["code"] == 131056
    anna = written.state.people["p1"]
    written.add_fault({"match": "messages", "drop": "before"})
    written.add_fault({"match": "messages", "drop": "after", "delay": 0.01})
    for expected in (1, 2):
        with pytest.raises(httpx.RemoteProtocolError):
            await api.text()
        assert len(anna.messages) == expected
    written.add_fault({"match": "messages", "error": 131000})
    first = {"messaging_product": "whatsapp", "status": "read", "message_id": anna.messages[0].id}
    assert (await api.send(first)).status_code == 200, "marking as read is no message"
    assert (await api.text()).status_code == 500
    assert (await api.text()).status_code == 200
    with pytest.raises(ValueError, match="Unknown key"):
        written.add_fault({"match": "messages", "colour": 1})


async def test_a_dropped_connection_over_real_http(served_meta: MetaStandIn) -> None:
    anna = served_meta.add_person("Anna", "+34600000001")
    served_meta.send(anna, {"type": "text", "body": "Hola"})
    text = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}, "to": "+34600000001"}
    url = f"{served_meta.public_url}/v23.0/{PHONE}/messages"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for drop, expected in (("before", 1), ("after", 2)):
            served_meta.add_fault({"match": "messages", "drop": drop})
            with pytest.raises(httpx.TransportError):
                await client.post(url, json=text)
            assert len(anna.messages) == expected
        assert (await client.post(url, json=text)).status_code == 200
