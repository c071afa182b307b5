"""The stand-in against the contract's samples: what may be sent, signatures, errors."""

from __future__ import annotations

import base64
import json

import pytest
from meta_support import JPEG, PHONE, SAMPLES, TEMPLATES, Api, sample

from connector.demo.meta import MetaStandIn, webhooks
from connector.demo.meta.errors import table

OUTGOING = sorted(p.name for p in (SAMPLES / "outgoing").glob("*.json"))
REFUSED = {
    "01_text_4097.json": (400, 100),
    "02_text_empty.json": (400, 131009),
    "03_no_address.json": (400, 131008),
    "04_to_without_plus.json": (400, 131009),
    "05_list_11_rows_one_section.json": (400, 131009),
    "06_list_11_rows_two_sections.json": (400, 131009),
    "07_list_duplicate_ids.json": (400, 131009),
    "08_list_row_title_25.json": (400, 131009),
    "09_list_row_description_73.json": (400, 131009),
    "10_list_button_21.json": (400, 131009),
    "11_four_buttons.json": (400, 131009),
    "12_button_title_21.json": (400, 131009),
    "13_button_body_1025.json": (400, 131009),
    "14_image_id_and_link.json": (400, 131009),
    "15_template_param_newline.json": (400, 132012),
    "16_template_bad_name.json": (404, 132001),
    "17_opaque_513.json": (400, 100),
}
VECTORS = sample("signature-vectors.json")


@pytest.fixture
def furnished(meta: MetaStandIn) -> MetaStandIn:
    """With the people, message, file and templates that the samples speak of."""
    anna = meta.add_person("Veí de prova", "+34 600 00 00 01")
    hidden = meta.add_person("Usuari", None, hidden=True)
    hidden.user_id = "ES.90000000000000000009"
    quoted = sample("outgoing/14_mark_read.json")["message_id"]
    meta.send(anna, {"type": "raw", "message": {"type": "text", "text": {"body": "Hola"}, "id": quoted}})
    meta.send(hidden, {"type": "text", "body": "Hola"})
    media = meta.media.upload(JPEG, "image/jpeg", "foto.jpg")
    media.id = sample("outgoing/09_image_by_id.json")["image"]["id"]
    meta.media._files[media.id] = media
    for template in TEMPLATES:
        meta.add_template(template)
    return meta


@pytest.mark.parametrize("name", OUTGOING)
async def test_every_sample_may_be_sent(furnished: MetaStandIn, name: str) -> None:
    body = sample(f"outgoing/{name}")
    answer = await Api(furnished).send(body)
    assert answer.status_code == 200, answer.text
    assert not furnished.failed
    if "status" in body:
        assert answer.json() == {"success": True}
        return
    expected = sample(
        "responses/02_send_ok_bsuid.json" if "recipient" in body else "responses/01_send_ok.json"
    )
    given = answer.json()
    assert given["contacts"] == expected["body"]["contacts"]
    assert given["messages"][0]["id"].startswith("wamid.")
    assert given["messages"][0].get("message_status") == ("accepted" if body["type"] == "template" else None)


def test_the_refused_samples_are_all_listed() -> None:
    assert set(REFUSED) == {p.name for p in (SAMPLES / "invalid_outgoing").glob("*.json")}


@pytest.mark.parametrize("name", REFUSED)
async def test_every_invalid_sample_is_refused(furnished: MetaStandIn, name: str) -> None:
    before = len(furnished.delivery.emitted)
    answer = await Api(furnished).send(sample(f"invalid_outgoing/{name}"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == REFUSED[name], error
    assert error["type"] == "OAuthException"
    assert error["fbtrace_id"]
    assert len(furnished.delivery.emitted) == before


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_signatures_are_metas(vector: dict[str, object]) -> None:
    body = base64.b64decode(str(vector["body_base64"]))
    assert (webhooks.sign(body, VECTORS["app_secret"]) == vector["header"]) == vector["valid"]


@pytest.mark.parametrize(
    "name", [p.name for p in sorted((SAMPLES / "responses").glob("*_err_*.json")) if "not_json" not in p.name]
)
async def test_errors_have_metas_shape(meta: MetaStandIn, api: Api, name: str) -> None:
    expected = sample(f"responses/{name}")
    code = expected["body"]["error"]["code"]
    meta.add_fault({"match": "messages", "error": code})
    answer = await api.text()
    error, wanted = answer.json()["error"], expected["body"]["error"]
    assert answer.status_code == expected["http_status"] == table()[code]["http"]
    for key in ("message", "type", "code", "error_subcode", "is_transient"):
        assert error.get(key) == wanted.get(key), key
    assert error.get("error_data", {}).keys() <= {"messaging_product", "details"}


async def test_a_proxy_between_answers_html(meta: MetaStandIn, api: Api) -> None:
    expected = sample("responses/14_err_not_json.json")
    meta.add_fault({"match": "messages", "http": 502})
    answer = await api.text()
    assert (answer.status_code, answer.text) == (expected["http_status"], expected["body"])


async def test_token_and_number_are_checked(meta: MetaStandIn, api: Api) -> None:
    body = sample("outgoing/01_text.json")
    wrong_number = await api.http.post("/v23.0/999/messages", json=body)
    assert (wrong_number.status_code, wrong_number.json()["error"]["code"]) == (400, 100)
    assert wrong_number.json()["error"]["error_subcode"] == 33
    api.http.headers["Authorization"] = "Bearer other"
    wrong_token = await api.send(body)
    assert (wrong_token.status_code, wrong_token.json()["error"]["code"]) == (401, 190)
    del api.http.headers["Authorization"]
    assert (await api.send(body)).status_code == 401
    assert not meta.delivery.emitted


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    for content, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")):
        answer = await api.http.post(
            f"/v23.0/{PHONE}/messages", content=content, headers={"Content-Type": kind}
        )
        assert answer.json()["error"]["code"] == 100


def test_bodies_are_escaped_like_metas() -> None:
    payload = {"x": "👍 à /"}
    assert webhooks.encode(payload) == rb'{"x":"\ud83d\udc4d \u00e0 \/"}'
    assert json.loads(webhooks.encode(payload)) == payload


@pytest.mark.parametrize("name", sorted(p.name for p in (SAMPLES / "webhooks").glob("*.json")))
def test_the_webhook_check_accepts_the_contracts_samples(name: str) -> None:
    assert webhooks.problems(sample(f"webhooks/{name}")) == []


def test_the_webhook_check_finds_what_is_missing() -> None:
    payload = sample("webhooks/01_text.json")
    del payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    assert webhooks.problems(payload)
