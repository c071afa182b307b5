"""The stand-in met by pywa, a client of the Cloud API that nobody here wrote, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from meta_support import JPEG, PDF, PHONE, SECRET, TEMPLATES, TOKEN, VERIFY, WABA, Town, settle
from pywa import WhatsApp, errors, types
from pywa.types import base_update
from pywa.types.templates import (
    BodyText,
    Buttons,
    ParamFormat,
    QuickReplyButton,
    Template,
    TemplateCategory,
    TemplateLanguage,
    TemplateStatus,
)

from connector.demo.meta import MetaStandIn
from connector.demo.meta.state import Person

TO = "+34600000001"


class ToStandIn(httpx.HTTPTransport):
    """Sends what is meant for graph.facebook.com to the stand-in; everything else stays as it is."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.target = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "graph.facebook.com":
            here = {"scheme": "http", "host": self.target.host, "port": self.target.port}
            request.url = request.url.copy_with(**here)
            request.headers["Host"] = request.url.netloc.decode()
        return super().handle_request(request)


@pytest.fixture
def anna(served_meta: MetaStandIn) -> Person:
    person = served_meta.add_person("Anna Prova", TO)
    served_meta.send(person, {"type": "text", "body": "Hola"})
    return person


@pytest.fixture
def hidden(served_meta: MetaStandIn) -> Person:
    person = served_meta.add_person("Usuària", "+34600000009", hidden=True)
    served_meta.send(person, {"type": "text", "body": "Hola"})
    return person


@pytest.fixture
def wa(served_meta: MetaStandIn) -> Iterator[WhatsApp]:
    with httpx.Client(transport=ToStandIn(served_meta.public_url)) as session:
        yield WhatsApp(
            phone_id=PHONE,
            token=TOKEN,
            session=session,
            waba_id=WABA,
            app_secret=SECRET,
            verify_token=VERIFY,
        )


def last(person: Person) -> Any:
    return person.messages[-1]


async def test_it_sends_text_buttons_lists_and_places(wa: WhatsApp, anna: Person) -> None:
    sent = wa.send_message(TO, "Bon dia", tracker="out:1", reply_to_message_id=anna.messages[0].id)
    assert (last(anna).id, last(anna).content["body"]) == (sent.id, "Bon dia")
    assert (last(anna).callback, last(anna).context) == ("out:1", anna.messages[0].id)

    buttons = [types.Button("Sí", callback_data="yes"), types.Button("No", callback_data="no")]
    wa.send_message(TO, "Ho envio?", buttons=buttons, header="Incidència", footer="Ajuntament")
    assert [b["reply"]["id"] for b in last(anna).content["action"]["buttons"]] == ["yes", "no"]

    rows = [types.SectionRow("Enllumenat", callback_data="a", description="Fanals")]
    sections = types.SectionList("Tria", sections=[types.Section("Via pública", rows=rows)])
    wa.send_message(TO, "De què es tracta?", buttons=sections)
    assert last(anna).content["action"]["sections"][0]["rows"][0]["id"] == "a"

    wa.send_message(TO, "Segueix-la", buttons=types.URLButton("Veure", url="https://example.org/i/42"))
    assert last(anna).content["type"] == "cta_url"
    wa.request_location(TO, "On és?")
    assert last(anna).content["type"] == "location_request_message"
    wa.send_location(TO, 41.5, 2.4, name="Ajuntament", address="La Riera, 48")
    assert last(anna).content["latitude"] == 41.5


async def test_it_uploads_sends_and_fetches_media(wa: WhatsApp, anna: Person) -> None:
    media = wa.upload_media(JPEG, mime_type="image/jpeg", filename="foto.jpg")
    wa.send_image(TO, media.id, caption="Abans", mime_type="image/jpeg")
    assert last(anna).content == {"id": media.id, "caption": "Abans"}
    url = wa.get_media_url(media.id)
    assert wa.get_media_bytes(url.url) == JPEG
    wa.send_document(TO, PDF, filename="rebut.pdf", mime_type="application/pdf")
    assert last(anna).content["filename"] == "rebut.pdf"
    assert wa.delete_media(media.id).success
    with pytest.raises(errors.WhatsAppError):
        wa.get_media_url(media.id)


async def test_it_reacts_and_marks_as_read(wa: WhatsApp, anna: Person) -> None:
    first = anna.messages[0]
    wa.send_reaction(TO, "👍", message_id=first.id)
    assert last(anna).content == {"message_id": first.id, "emoji": "👍"}
    assert wa.mark_message_as_read(first.id).success
    assert wa.indicate_typing(first.id).success
    assert first.status == "read"


async def test_it_creates_reads_and_sends_templates(
    wa: WhatsApp, served_meta: MetaStandIn, anna: Person
) -> None:
    body = BodyText("La incidència {{ref}} està tancada. Prem per llegir la resposta.", ref="SCV-7K3F-9Q")
    created = wa.create_template(
        Template(
            name="resposta",
            language=TemplateLanguage.CATALAN,
            category=TemplateCategory.UTILITY,
            components=[body, Buttons(buttons=[QuickReplyButton(text="Llegeix")])],
            parameter_format=ParamFormat.NAMED,
        )
    )
    assert created.status == TemplateStatus.PENDING
    found = list(wa.get_templates(name="resposta"))
    assert [(t.id, t.status) for t in found] == [(created.id, TemplateStatus.APPROVED)]
    wa.send_template(
        TO,
        "resposta",
        TemplateLanguage.CATALAN,
        [BodyText.params(ref="X-1"), QuickReplyButton.params(callback_data="reply:X-1", index=0)],
    )
    assert last(anna).shown["body"] == "La incidència X-1 està tancada. Prem per llegir la resposta."
    assert last(anna).shown["buttons"] == [{"type": "QUICK_REPLY", "text": "Llegeix", "payload": "reply:X-1"}]
    with pytest.raises(errors.TemplateNotExists):
        wa.send_template(TO, "resposta", TemplateLanguage.SPANISH, [BodyText.params(ref="X-1")])
    with pytest.raises(errors.TemplateParamCountMismatch):
        wa.send_template(TO, "resposta", TemplateLanguage.CATALAN, [])


async def test_it_reads_number_and_account(wa: WhatsApp, served_meta: MetaStandIn) -> None:
    number = wa.get_business_phone_number()
    assert (number.id, number.verified_name) == (PHONE, "Ajuntament de prova")
    assert wa.get_business_account().id == WABA


async def test_it_understands_the_errors(wa: WhatsApp, served_meta: MetaStandIn, anna: Person) -> None:
    served_meta.add_fault({"match": "messages", "error": 131056})
    with pytest.raises(errors.TooManyMessages):
        wa.send_message(TO, "Hola")
    served_meta.access_token = "another"
    with pytest.raises(errors.WhatsAppError) as caught:
        wa.send_message(TO, "Hola")
    assert (caught.value.code, caught.value.status_code) == (190, 401)


# What pywa makes of each webhook: its update type, and a look at what it read.
ACTIONS: list[tuple[dict[str, Any], str, Any]] = [
    ({"type": "text", "body": "Fanal fos 👍"}, "Message", lambda u: u.text == "Fanal fos 👍"),
    ({"type": "text", "body": "x", "forwarded": True}, "Message", lambda u: u.forwarded),
    ({"type": "location", "latitude": 41.5, "longitude": 2.4, "name": "Plaça"}, "Message",
     lambda u: u.location.latitude == 41.5 and u.location.name == "Plaça"),
    ({"type": "sticker"}, "Message", lambda u: u.sticker.mime_type == "image/webp"),
    ({"type": "contacts"}, "Message", lambda u: u.contacts[0].name.formatted_name == "Maria Prova"),
    ({"type": "order"}, "Message", lambda u: u.order.products[0].sku == "sku-1"),
    ({"type": "poll"}, "Message", lambda u: u.type == types.MessageType.UNSUPPORTED),
    ({"type": "unavailable"}, "Message", lambda u: u.error.code == 131060),
    ({"type": "too_big"}, "Message", lambda u: u.error.code == 131052),
    ({"type": "flow", "response_json": json.dumps({"flow_token": "t"})}, "FlowCompletion",
     lambda u: u.token == "t"),
    ({"type": "list_reply", "id": "cat:a", "title": "Enllumenat", "description": "Fanals"},
     "CallbackSelection",
     lambda u: (u.data, u.title, u.description) == ("cat:a", "Enllumenat", "Fanals")),
    ({"type": "button_reply", "id": "yes", "title": "Sí"}, "CallbackButton", lambda u: u.data == "yes"),
    ({"type": "button", "payload": "reply:1", "text": "Llegeix"}, "CallbackButton",
     lambda u: (u.data, u.title) == ("reply:1", "Llegeix")),
]  # fmt: skip
NEEDS_CONTEXT = ("list_reply", "button_reply")


def parse(wa: WhatsApp, body: bytes) -> base_update.BaseUpdate:
    update = types.RawUpdate(body, hmac_header=None, update_hash="")
    handler = wa._get_handler_type(update)
    assert handler is not None
    return wa._handlers_to_updates[handler].from_update(client=wa, update=update)


def body_with(town: Town, message_id: str) -> bytes:
    return next(b for b in town.bodies if message_id in b.decode().replace("\\/", "/"))


@pytest.mark.parametrize("who", ["anna", "hidden"])
async def test_it_parses_every_kind_of_message(
    wa: WhatsApp, served_meta: MetaStandIn, town: Town, who: str, request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(who)
    asked = wa.send_message(TO if who == "anna" else person.user_id, "Digues")
    for action, kind, right in ACTIONS:
        context = {"context": asked.id} if action["type"] == "text" else {}
        if action["type"] in NEEDS_CONTEXT:
            context = {"context": "wamid.HBgLMzQ2MDAwMDAwMDE="}
        message_id = served_meta.send(person, {**context, **action})
        await settle(served_meta)
        update: Any = parse(wa, body_with(town, message_id))
        assert type(update).__name__ == kind, action
        assert right(update), (action, update)
        assert update.id == message_id
        assert update.from_user.name == person.name
        assert update.from_user.bsuid == person.user_id
        assert update.from_user.wa_id == (person.shown_phone or None)


@pytest.mark.parametrize(
    ("mime_type", "kind", "name"),
    [
        ("image/jpeg", "image", "image"),
        ("video/mp4", "video", "video"),
        ("audio/ogg", "voice", "audio"),
        ("audio/mpeg", "audio", "audio"),
        ("application/pdf", "document", "document"),
    ],
)
async def test_it_parses_and_downloads_files(
    wa: WhatsApp, served_meta: MetaStandIn, town: Town, anna: Person, mime_type: str, kind: str, name: str
) -> None:
    caption = None if name == "audio" else "Mireu"
    message_id = served_meta.send_file(anna, JPEG, mime_type, kind=kind, filename="fitxer", caption=caption)
    await settle(served_meta)
    update: Any = parse(wa, body_with(town, message_id))
    media = getattr(update, name)
    assert (update.caption, media.mime_type.split(";")[0]) == (caption, mime_type)
    assert media.get_bytes() == JPEG
    if name == "audio":
        assert media.voice == (kind == "voice")


async def test_it_parses_reactions_edits_and_withdrawals(
    wa: WhatsApp, served_meta: MetaStandIn, town: Town, anna: Person
) -> None:
    asked = wa.send_message(TO, "Digues")
    for emoji in ("👍", ""):
        sent = served_meta.send(anna, {"type": "reaction", "message_id": asked.id, "emoji": emoji})
        await settle(served_meta)
        reaction: Any = parse(wa, body_with(town, sent))
        assert (reaction.reaction.emoji or "", reaction.reaction.message_id) == (emoji, asked.id)
    first = anna.messages[0].id
    edit = served_meta.send(anna, {"type": "edit", "message_id": first, "body": "Hola a tothom"})
    revoke = served_meta.send(anna, {"type": "revoke", "message_id": first})
    await settle(served_meta)
    edited: Any = parse(wa, body_with(town, edit))
    assert type(edited).__name__ == "EditedMessage"
    assert edited.message.text == "Hola a tothom"
    assert type(parse(wa, body_with(town, revoke))).__name__ == "DeletedMessage"


async def test_it_parses_statuses(wa: WhatsApp, served_meta: MetaStandIn, town: Town, anna: Person) -> None:
    sent = wa.send_message(TO, "Bon dia", tracker="out:1")
    served_meta.open_chat(anna)
    served_meta.add_fault({"match": "messages", "failed": 131049})
    failed = wa.send_message(TO, "Això no arribarà", tracker="out:2")
    await settle(served_meta)
    payloads = [p for p in town.payloads if "statuses" in p["entry"][0]["changes"][0]["value"]]
    # Meta sends failed statuses without contacts (page "Business-scoped user IDs"); pywa 4.5 insists on them.
    last_value = payloads[-1]["entry"][0]["changes"][0]["value"]
    assert "contacts" not in last_value
    last_value["contacts"] = payloads[0]["entry"][0]["changes"][0]["value"]["contacts"]
    updates: list[Any] = [parse(wa, json.dumps(p).encode()) for p in payloads]
    assert [(u.id, u.status.value) for u in updates] == [
        (sent.id, "sent"),
        (sent.id, "delivered"),
        (sent.id, "read"),
        (failed.id, "failed"),
    ]
    assert [u.tracker for u in updates] == ["out:1", "out:1", "out:1", "out:2"]
    assert updates[0].pricing.category.value == "service"
    assert updates[3].error.code == 131049


async def test_it_parses_a_changed_number_and_template_news(
    wa: WhatsApp, served_meta: MetaStandIn, town: Town, anna: Person
) -> None:
    changed = served_meta.send(anna, {"type": "system_number", "phone": "+34600000003"})
    served_meta.send(anna, {"type": "system_user_id"})
    template = served_meta.add_template(TEMPLATES[0], status="PENDING")
    served_meta.review_template(template, "APPROVED")
    await settle(served_meta)
    update: Any = parse(wa, body_with(town, changed))
    assert (type(update).__name__, update.new_wa_id) == ("PhoneNumberChange", "34600000003")
    news: Any = parse(wa, next(b for b in town.bodies if b"message_template_status_update" in b))
    assert (news.template_name, news.new_status.value) == ("incidencia_actualitzada", "APPROVED")


async def test_it_accepts_the_signatures(
    wa: WhatsApp, served_meta: MetaStandIn, town: Town, anna: Person
) -> None:
    await settle(served_meta)
    for body, signature in zip(town.bodies, town.signatures, strict=True):
        assert wa.webhook_update_validator(body, signature) is None
        assert json.loads(body)["object"] == "whatsapp_business_account"
