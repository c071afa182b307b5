"""The phone in real Chromium: writing, tapping, attaching, ticks; by mouse and by keyboard."""

from __future__ import annotations

import pytest
from page_support import JPEG, until
from seat import BUTTONS, LIST, Seat, row, say

pytestmark = [pytest.mark.real, pytest.mark.browser]
HOLD_THE_FIRST = """() => {
    const real = window.fetch;
    let first = true;
    window.fetch = (...given) => {
        if (!first || !String(given[0]).endsWith("/send")) return real(...given);
        first = false;
        return new Promise((done) => { window.letGo = () => { done(real(...given)); }; });
    };
}"""


def test_text_goes_out_with_enter_and_shift_enter_makes_a_line(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.focus("#words")
    page.keyboard.type("Hola")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("bon dia")
    assert stage.sent() == []
    page.keyboard.press("Enter")
    page.locator("#messages .row.own").wait_for()
    assert [(m["type"], m["content"]) for m in stage.sent()] == [("text", {"body": "Hola\nbon dia"})]
    until("the box is empty", lambda: page.input_value("#words") == "")
    page.keyboard.press("Enter")
    assert len(stage.sent()) == 1


def test_what_is_written_while_the_last_is_on_its_way_is_sent_after_it(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.evaluate(HOLD_THE_FIRST)
    for words in ("Hola", "bon dia", "tens un moment?"):
        page.fill("#words", words)
        page.press("#words", "Enter")
        assert page.input_value("#words") == ""
    assert stage.sent() == []
    page.evaluate("letGo()")
    until("all was sent", lambda: len(stage.sent()) == 3)
    assert [m["content"]["body"] for m in stage.sent()] == ["Hola", "bon dia", "tens un moment?"]


def test_what_could_not_be_sent_is_in_the_box_again(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.evaluate("""() => {
        const real = window.fetch;
        // what the page asks for by itself meanwhile goes on
        window.fetch = (address, how) => {
            if (!String(address).endsWith("/send")) return real(address, how);
            window.fetch = real;
            return Promise.reject(new TypeError("away"));
        };
    }""")
    page.fill("#words", "Hola")
    page.press("#words", "Enter")
    until("it is there again", lambda: page.input_value("#words") == "Hola")
    assert stage.sent() == []
    page.press("#words", "Enter")
    until("it was sent", stage.sent)


def test_whatsapps_marks_are_shown_and_a_hostile_text_stays_text(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3)"
    words = f"*negreta* _cursiva_ ~ratllat~ ```codi```\n> cita\n- u\n1. dos\n2*3*4 https://exemple.cat/a_b_c.\n{hostile}"
    until("the person wrote", stage.sent)
    bubble = row(page, stage.town.text("p1", words)).locator(".bubble")
    bubble.wait_for()
    marked = {
        tag: bubble.locator(f".words {tag}").all_inner_texts()
        for tag in ("strong", "em", "s", "pre", "blockquote", "a")
    }
    assert marked == {
        "strong": ["negreta"],
        "em": ["cursiva"],
        "s": ["ratllat"],
        "pre": ["codi"],
        "blockquote": ["cita"],
        "a": ["https://exemple.cat/a_b_c"],
    }
    assert hostile in bubble.inner_text()
    assert "2*3*4" in bubble.inner_text()
    assert bubble.locator("img, script").count() == 0
    assert bubble.locator("a").get_attribute("rel") == "noopener noreferrer"


def test_a_list_row_is_chosen_by_mouse(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    until("the person wrote", stage.sent)
    wamid = stage.town.send("p1", "interactive", LIST)
    row(page, wamid).get_by_role("button", name="Opcions", exact=True).click()
    sheet = page.get_by_role("dialog", name="Opcions")
    send = sheet.get_by_role("button", name="Envia")
    assert send.is_disabled()
    sheet.get_by_text("Alcaldia").click()
    send.click()
    sheet.wait_for(state="detached")
    answer = until("the row was sent", lambda: stage.sent()[1:])[0]
    reply = {"id": "menu:mayor", "title": "2. Alcaldia", "description": "Escriu a l'alcalde"}
    assert answer["content"] == {"type": "list_reply", "list_reply": reply}
    assert answer["context"] == wamid


def test_a_list_row_is_chosen_by_keyboard(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    until("the person wrote", stage.sent)
    wamid = stage.town.send("p1", "interactive", LIST)
    button = row(page, wamid).get_by_role("button", name="Opcions", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Opcions").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Opcions").wait_for(state="detached")
    assert button.evaluate("e => e === document.activeElement"), "the focus goes back to where it was"
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="1. Informació").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    answer = until("the row was sent", lambda: stage.sent()[1:])[0]
    assert answer["content"]["list_reply"]["id"] == "menu:incident"


def test_a_bubble_drawn_anew_keeps_the_focus_on_the_same_button(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    until("the person wrote", stage.sent)
    wamid = stage.town.send("p1", "interactive", LIST)
    button = row(page, wamid).get_by_role("button", name="Opcions", exact=True)
    button.focus()
    stage.town.send("p1", "reaction", {"message_id": wamid, "emoji": "👍"})
    row(page, wamid).get_by_text("👍").wait_for()
    assert button.evaluate("e => e === document.activeElement")


def test_buttons_links_templates_and_the_place_that_is_asked_for(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    until("the person wrote", stage.sent)
    first = stage.town.send("p1", "interactive", BUTTONS)
    row(page, first).get_by_role("button", name="Envia", exact=True).click()
    answer = until("the button was sent", lambda: stage.sent()[1:])[0]
    assert answer["content"] == {
        "type": "button_reply",
        "button_reply": {"id": "draft:send", "title": "Envia"},
    }
    link = {
        "type": "cta_url",
        "body": {"text": "El teu tiquet"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Mira'l", "url": "https://exemple.cat/1"},
        },
    }
    shown = row(page, stage.town.send("p1", "interactive", link)).get_by_role("link", name="Mira'l")
    assert shown.get_attribute("href") == "https://exemple.cat/1"
    ask = {
        "type": "location_request_message",
        "body": {"text": "On és?"},
        "action": {"name": "send_location"},
    }
    asked = stage.town.send("p1", "interactive", ask)
    row(page, asked).get_by_role("button", name="Envia la ubicació").click()
    page.get_by_role("dialog").get_by_role("button", name="Envia la ubicació").click()
    place = until("the place was sent", lambda: stage.sent()[2:])[0]
    assert place["type"] == "location"
    assert set(place["content"]) == {"latitude", "longitude"}, "one's own position has no name"


def test_a_template_with_its_button(seat: Seat) -> None:
    stage = seat.stage
    stage.meta.add_template(
        {
            "name": "resposta",
            "language": "ca",
            "category": "UTILITY",
            "components": [
                {
                    "type": "BODY",
                    "text": "Hi ha resposta a {{1}} per a tu.",
                    "example": {"body_text": [["SCV-1"]]},
                },
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Llegeix-la"}]},
            ],
        }
    )
    page = seat.open()
    template = {
        "name": "resposta",
        "language": {"code": "ca"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "SCV-7K3F-9Q"}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": "reply:SCV-7K3F-9Q"}],
            },
        ],
    }
    shown = row(page, stage.town.send("p1", "template", template))
    shown.get_by_text("Hi ha resposta a SCV-7K3F-9Q per a tu.").wait_for()
    shown.get_by_role("button", name="Llegeix-la").click()
    answer = until("the button was sent", stage.sent)[0]
    assert answer["content"] == {"payload": "reply:SCV-7K3F-9Q", "text": "Llegeix-la"}


def test_a_sample_photo_with_its_caption(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.click("#attach")
    page.locator("[data-kind=photo]").click()
    page.get_by_role("radio", name="Sot al carrer").check(force=True)
    page.fill("#caption", "Davant de l'escola")
    page.get_by_role("dialog").get_by_role("button", name="Envia").click()
    photo = until("the photo was sent", stage.sent)[0]
    assert (photo["type"], photo["content"]["caption"]) == ("image", "Davant de l'escola")
    media = stage.meta.media.get(photo["content"]["id"])
    assert media is not None
    assert media.mime_type == "image/jpeg"
    assert media.data.startswith(b"\xff\xd8\xff")
    assert len(media.data) > 10_000
    image = row(page, photo["id"]).get_by_role("img")
    until("the picture is shown", lambda: image.evaluate("i => i.naturalWidth"))
    row(page, photo["id"]).locator("a.picture").click()
    page.get_by_role("dialog", name="Davant de l'escola").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def test_files_of_ones_own_a_document_and_a_voice_note(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.click("#attach")
    page.locator("[data-kind=photo]").click()
    page.set_input_files("#own-file", {"name": "meva.jpg", "mimeType": "image/jpeg", "buffer": JPEG})
    page.get_by_role("dialog").get_by_role("button", name="Envia").click()
    until("the photo was sent", lambda: len(stage.sent()) == 1)
    page.click("#attach")
    page.locator("[data-kind=document]").click()
    page.get_by_role("dialog").get_by_role("button", name="pressupost-vorera.pdf").click()
    until("the document was sent", lambda: len(stage.sent()) == 2)
    page.click("#attach")
    page.locator("[data-kind=voice]").click()
    page.get_by_role("dialog").get_by_role("button", name="Nota de veu d'exemple").click()
    photo, document, voice = until("all three were sent", lambda: len(stage.sent()) == 3 and stage.sent())
    files = [stage.meta.media.get(m["content"]["id"]) for m in (photo, document, voice)]
    assert [f.mime_type for f in files if f] == ["image/jpeg", "application/pdf", "audio/ogg; codecs=opus"]
    assert files[0] is not None and files[0].data == JPEG
    assert files[1] is not None and files[1].data.startswith(b"%PDF-") and files[1].data.endswith(b"%%EOF\n")
    assert voice["content"]["voice"] is True
    seconds = "a => a.readyState ? Math.round(a.duration) : 0"
    player = row(page, voice["id"]).locator("audio")
    until("the browser can play the voice note", lambda: player.evaluate(seconds) == 3)


def test_a_place_from_the_list_and_a_point_moved_by_keys(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    page.click("#attach")
    page.locator("[data-kind=place]").click()
    page.get_by_role("radio", name="Escola").check()
    page.get_by_role("dialog").get_by_role("button", name="Envia la ubicació").click()
    named = until("the place was sent", stage.sent)[0]
    assert named["content"]["name"] == "Escola"
    card = row(page, named["id"]).locator(".place-card")
    assert "openstreetmap.org/?mlat=41.6229" in (card.get_by_role("link").get_attribute("href") or "")
    page.click("#attach")
    page.locator("[data-kind=place]").click()
    page.locator(".map-picker").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator("input[name=place]:checked").count() == 0
    page.get_by_role("dialog").get_by_role("button", name="Envia la ubicació").click()
    point = until("the point was sent", lambda: stage.sent()[1:])[0]["content"]
    assert "name" not in point
    assert point["latitude"] > 41.6198 and point["longitude"] > 2.6032
    page.click("#attach")
    page.locator("[data-kind=place]").click()
    page.locator(".map-picker").click(position={"x": 40, "y": 60})
    page.get_by_role("dialog").get_by_role("button", name="Envia la ubicació").click()
    tapped = until("the tapped point was sent", lambda: stage.sent()[2:])[0]["content"]
    assert tapped["latitude"] > point["latitude"] and tapped["longitude"] < point["longitude"]


def test_ticks_say_sent_delivered_and_read(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    stage.town.status = 500
    say(page, "Hola")
    message = until("the person wrote", stage.sent)[0]
    ticks = row(page, message["id"]).locator(".ticks")
    until("one tick", lambda: ticks.inner_text().strip() == "enviat")
    assert ticks.locator("svg").count() == 1
    plain = ticks.evaluate("e => getComputedStyle(e).color")
    stage.town.status = 200
    until("two ticks", lambda: ticks.inner_text().strip() == "lliurat")
    assert ticks.locator("svg").count() == 2
    stage.town.mark_read(message["id"])
    until("two coloured ticks", lambda: ticks.inner_text().strip() == "llegit")
    assert ticks.evaluate("e => getComputedStyle(e).color") != plain


def test_somebody_is_typing_until_the_answer_comes(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    message = until("the person wrote", stage.sent)[0]
    stage.town.mark_read(message["id"], typing=True)
    page.locator("#typing").wait_for()
    assert page.inner_text("#presence") == "escrivint…"
    stage.town.text("p1", "Bon dia")
    page.locator("#typing").wait_for(state="hidden")
    assert page.inner_text("#presence") == "en línia"


def test_other_people_wait_with_a_badge_and_opening_reads(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    stage.meta.send(stage.meta.state.people["p3"], {"type": "text", "body": "Hola"})
    unread = stage.town.text("p3", "Bon dia, Núria")
    person = page.locator('[data-person="p3"]')
    person.get_by_text("1 sense llegir").wait_for(state="attached")
    status = {m["id"]: m["status"] for m in stage.transcript("p3")}
    assert status[unread] == "delivered"
    person.click()
    until("it is read", lambda: {m["id"]: m["status"] for m in stage.transcript("p3")}[unread] == "read")
    until("the badge is gone", lambda: person.locator(".badge").count() == 0)
    assert person.get_attribute("aria-pressed") == "true"
    say(page, "Bones")
    until("the hidden person wrote", lambda: len(stage.sent("p3")) == 2)


def test_reacting_and_quoting_by_keyboard(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    say(page, "Hola")
    until("the person wrote", stage.sent)
    wamid = stage.town.text("p1", "Demà hi anem")
    more = row(page, wamid).get_by_role("button", name="Opcions del missatge: Demà hi anem")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    reaction = until("the reaction was sent", lambda: stage.sent()[1:])[0]
    assert reaction["content"] == {"message_id": wamid, "emoji": "❤️"}
    row(page, wamid).locator(".reactions", has_text="❤️").wait_for()
    more.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Treu la reacció").wait_for()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("Gràcies")
    page.keyboard.press("Enter")
    answer = until("the answer was sent", lambda: stage.sent()[2:])[0]
    assert (answer["content"]["body"], answer["context"]) == ("Gràcies", wamid)
    assert "Demà hi anem" in row(page, answer["id"]).locator(".quoted").inner_text()
    assert page.locator("#quote").is_hidden()


def test_somebody_new_and_what_is_wrong_with_a_number(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    seat.expected.append("400")
    page.click("#add-person")
    page.fill("#new-name", "Pere Prova")
    page.fill("#new-phone", "34 600 000 001")
    page.get_by_role("dialog").get_by_role("button", name="Afegeix").click()
    page.get_by_role("alert").get_by_text("already has this number").wait_for()
    page.fill("#new-phone", "34600000009")
    page.get_by_role("dialog").get_by_role("button", name="Afegeix").click()
    page.locator("[data-person][aria-pressed=true]", has_text="Pere Prova").wait_for()
    say(page, "Hola")
    until("the new person wrote", lambda: stage.sent("p4"))
