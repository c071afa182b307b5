"""Bodies against the strict schema of the contract: what is built is valid, what is invalid is not built."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connector.core.address import Address
from connector.core.incoming import MediaKind
from connector.core.outgoing import (
    AskPlaceOut,
    ButtonsOut,
    Choice,
    LinkOut,
    ListOut,
    MediaOut,
    Outgoing,
    TemplateOut,
    TextOut,
)
from connector.whatsapp.outgoing import build, mark_read
from connector.whatsapp.templates import answer_template, compare
from tests.fuzz import examples

from .samples import FOLDER, SCHEMAS, load

SCHEMA = Draft202012Validator(json.loads((SCHEMAS / "outgoing-message.schema.json").read_text()))
TO = Address(phone="34600000001")
WAMID = "wamid.HBgLMzQ2MDAwMDAwMDEVAgASGBQyMzZCNzFDNjU2MDlFRTlCODdCMgA="


def errors(body: Any) -> list[str]:
    found = [error.message for error in SCHEMA.iter_errors(body)]
    # What the schema cannot say (see its description).
    sections = body.get("interactive", {}).get("action", {}).get("sections", [])
    rows = [row["id"] for section in sections for row in section["rows"]]
    return found + ["rows"] * (len(rows) > 10 or len(set(rows)) != len(rows))


MESSAGES: dict[str, Outgoing] = {
    "01": TextOut("Hem rebut la teva incidència núm. 42."),
    "03": TextOut("Hola"),
    "05": ButtonsOut(
        "Envio la incidència?", (Choice("confirm:yes", "Sí, envia"), Choice("confirm:no", "No"))
    ),
    "06": LinkOut("Segueix l'estat de la incidència 42", "Veure l'estat", "https://example.org/i/42"),
    "07": AskPlaceOut("On és? Comparteix la ubicació."),
    "09": MediaOut(MediaKind.IMAGE, "1037543291543636", "Abans i després"),
    "11": TemplateOut("incidencia_actualitzada", "ca", (("", "42"), ("", "En curs"))),
    "12": TemplateOut("incidencia_resolta", "es", (("num", "42"),), ("rate:42:5",)),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_it_builds_the_samples(name: str) -> None:
    wanted = load("outgoing", name)
    to = Address("ES.90000000000000000009") if "recipient" in wanted else TO
    if wanted["type"] == "text":
        wanted["text"]["preview_url"] = False
    wanted["biz_opaque_callback_data"] = "out:0001"
    assert build(MESSAGES[name], to, key="out:0001") == wanted


def test_read_receipts() -> None:
    assert mark_read(WAMID) == load("outgoing", "14")
    assert mark_read(WAMID, typing=True) == load("outgoing", "15")
    with pytest.raises(ValueError, match="message id"):
        mark_read("123")


def test_a_user_id_goes_before_the_number() -> None:
    body = build(TextOut("Hola"), Address("ES.9", "34600000001"), key="k")
    assert body["recipient"] == "ES.9"
    assert "to" not in body
    assert build(TextOut("Hola"), Address("what?", "34600000001"), key="k")["to"] == "+34600000001"


@pytest.mark.parametrize(
    "to",
    [Address(), Address("x"), Address(phone="+34600000001"), Address(phone="0"), Address(phone="3460 0")],
)
def test_no_address(to: Address) -> None:
    with pytest.raises(ValueError, match="neither a user id nor a phone"):
        build(TextOut("Hola"), to, key="k")


def test_quotes() -> None:
    assert build(TextOut("x"), TO, key="k", quote=WAMID)["context"] == {"message_id": WAMID}
    assert "context" not in build(TextOut("x"), TO, key="k", quote="M0")


def rows(count: int, **more: str) -> tuple[Choice, ...]:
    return tuple(Choice(f"id:{i}", more.get("title", f"t{i}"), more.get("text", "")) for i in range(count))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (TextOut("x" * 4097), "text body has 4097 characters, WhatsApp takes 4096"),
        (TextOut(" \n"), "text body is empty"),
        (ListOut("b", "ok", rows(11)), "11 list rows"),
        (ListOut("b", "ok", ()), "0 list rows"),
        (ListOut("b", "ok", (*rows(1), *rows(1))), "not unique"),
        (ListOut("b", "ok", rows(1, title="x" * 25)), "row title has 25"),
        (ListOut("b", "ok", rows(1, text="x" * 73)), "row description has 73"),
        (ListOut("b", "x" * 21, rows(1)), "list button has 21"),
        (ListOut("b", "ok", rows(1), header="x" * 61), "header has 61"),
        (ListOut("b", "ok", rows(1), footer="x" * 61), "footer has 61"),
        (ListOut("b", "ok", (Choice("i" * 201, "t"),)), "row id has 201"),
        (ButtonsOut("b", rows(4)), "4 buttons"),
        (ButtonsOut("b", rows(1, title="x" * 21)), "button title has 21"),
        (ButtonsOut("b", rows(2, title="same")), "titles of buttons are not unique"),
        (ButtonsOut("b" * 1025, rows(1)), "body over buttons has 1025"),
        (ButtonsOut("b", (Choice(" a", "t"),)), "without spaces"),
        (LinkOut("b", "x" * 21, "https://example.org"), "link button has 21"),
        (LinkOut("b", "x", "javascript:x"), "http"),
        (LinkOut("b", "x", "https://example.org\n"), "http"),
        (AskPlaceOut("x" * 1025), "location request has 1025"),
        (MediaOut(MediaKind.AUDIO, "1", "caption"), "takes no caption"),
        (MediaOut(MediaKind.IMAGE, "1", "x" * 1025), "caption has 1025"),
        (MediaOut(MediaKind.IMAGE, ""), "media id is empty"),
        (TemplateOut("Bad Name", "ca"), "template name"),
        (TemplateOut("ok\n", "ca"), "template name"),
        (TemplateOut("ok", "ca-ES"), "template language"),
        (TemplateOut("ok", "ca", (("a", "x\ny"),)), "line ends"),
        (TemplateOut("ok", "ca", (("a", "x     y"),)), "four spaces"),
        (TemplateOut("ok", "ca", (("1", "x"),)), "name of a template parameter"),
        (TemplateOut("ok", "ca", (("a", ""),)), "template parameter is empty"),
        (TemplateOut("ok", "ca", (), ("p" * 257,)), "button payload has 257"),
    ],
)
def test_limits(message: Outgoing, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build(message, TO, key="k")


@pytest.mark.parametrize("key", ["", "x" * 513])
def test_key_limits(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        build(TextOut("x"), TO, key=key)


def test_the_schema_here_refuses_what_it_should() -> None:
    for path in (FOLDER / "invalid_outgoing").glob("*.json"):
        assert errors(json.loads(path.read_text())), path.name


def sized(limit: int) -> st.SearchStrategy[str]:
    edge = st.sampled_from([limit - 1, limit, limit + 1]).map(lambda n: "à" * n)
    return st.text(max_size=8) | edge


CHOICES = st.lists(
    st.builds(Choice, sized(200) | sized(256), sized(24) | sized(20), sized(72)), max_size=12
).map(tuple)
ANY: st.SearchStrategy[Outgoing] = st.one_of(
    st.builds(TextOut, sized(4096)),
    st.builds(ListOut, sized(4096), sized(20), CHOICES, sized(60), sized(60)),
    st.builds(ButtonsOut, sized(1024), CHOICES.map(lambda c: c[:4]), sized(60), sized(60)),
    st.builds(LinkOut, sized(1024), sized(20), st.text(max_size=5).map(lambda t: "https://x" + t)),
    st.builds(AskPlaceOut, sized(1024)),
    st.builds(MediaOut, st.sampled_from(MediaKind), sized(200), sized(1024), st.none() | sized(240)),
    st.builds(
        TemplateOut,
        st.sampled_from(["avis", "a\n", "A", ""]),
        st.sampled_from(["ca", "es_ES", "en-US", "x"]),
        st.lists(st.tuples(st.sampled_from(["", "nom", "1"]), sized(1024)), max_size=3).map(tuple),
        st.lists(sized(256), max_size=2).map(tuple),
    ),
)
ADDRESSES = st.builds(
    Address,
    st.sampled_from([None, "", "ES.1", "ES.ENT.9", "x", "ES.1\n"]),
    st.sampled_from([None, "", "34600000001", "034600000001", "346000000010000000"]),
)


@settings(max_examples=examples(400), deadline=None)
@given(ANY, ADDRESSES, sized(512), st.sampled_from([None, "", "M0", WAMID, WAMID + "\n"]))
def test_what_is_built_is_valid(message: Outgoing, to: Address, key: str, quote: str | None) -> None:
    try:
        body = build(message, to, key=key, quote=quote)
    except ValueError:
        return
    assert errors(body) == []


def test_a_template_that_people_report_is_an_alarm_before_it_is_stopped() -> None:
    wanted = answer_template("x", "ca", "Tens resposta a {{reference}} aquí.", "Llegeix-la", "SCV-7K3F-9Q")
    for score, alarming in (("GREEN", False), ("YELLOW", False), ("RED", True), (None, False)):
        (found,) = compare(
            [wanted], [{**wanted, "status": "APPROVED", "quality_score": score and {"score": score}}]
        )
        assert (found.alarming, found.usable) == (alarming, True), score
