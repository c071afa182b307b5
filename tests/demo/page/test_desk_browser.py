"""The desk in real Chromium, before the stand-in for Redmine and before a real one."""

from __future__ import annotations

import pytest
from page_support import until
from seat import Seat, open_ticket, ticket

pytestmark = [pytest.mark.real, pytest.mark.browser]


def test_a_ticket_comes_by_itself_and_shows_all_there_is(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    page.locator("#filters button[value=all]").click()
    number = ticket(stage, "Fanal apagat")
    entry = page.locator(f'[data-ticket="{number}"]')
    entry.wait_for()
    assert "Per llegir" in entry.inner_text()
    assert "Brigada municipal" in entry.inner_text()
    shown = open_ticket(page, number)
    until("it is no longer new", lambda: "Per llegir" not in entry.inner_text())
    assert shown.get_by_role("heading", name="Fanal apagat", exact=True).count() == 1
    for words in ("Incidència", "Brigada municipal", "Via pública", "PRV-7K3F-9Q", "Nou"):
        assert words in shown.inner_text()
    said = shown.locator("blockquote.words").inner_text()
    assert "no s'encén.\n" in said
    assert "&lt;b&gt; <img src=x onerror=alert(1)>\n\nFa una setmana." in said, "the citizen's words, exactly"
    assert "Lloc" in shown.locator(".facts").inner_text()
    assert shown.locator(".place-card").get_by_role("link").get_attribute("href")
    picture = shown.get_by_role("button", name="Amplia fanal.png")
    until("the photo is shown", lambda: picture.locator("img").evaluate("i => i.naturalWidth"))
    picture.click()
    page.get_by_role("dialog", name="fanal.png").wait_for()
    page.keyboard.press("Escape")
    assert entry.get_attribute("aria-current") == "true"


def test_a_public_answer_and_a_private_note_are_kept_apart(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    number = ticket(stage, "Sot a la calçada")
    shown = open_ticket(page, number)
    answer = page.locator("form.answer")
    assert answer.get_by_role("radio", name="Resposta al ciutadà").is_checked()
    answer.get_by_role("textbox").fill("Demà el tapem.")
    answer.get_by_role("button", name="Envia al ciutadà").click()
    public = shown.locator(".entry.public")
    public.get_by_text("Demà el tapem.").wait_for()
    assert "Pública" in public.inner_text()
    assert stage.tickets.notes(number) == [("Demà el tapem.", False)]
    until("the connector was asked to look", lambda: stage.town.polls)

    answer.get_by_role("radio", name="Nota interna").check(force=True)
    answer.get_by_role("textbox").fill("Falta asfalt.")
    page.set_input_files("#answer-files", {"name": "mides.txt", "mimeType": "text/plain", "buffer": b"1 x 1"})
    page.select_option("#answer-status", label="En Progrés")
    answer.get_by_role("button", name="Desa la nota interna").click()
    private = shown.locator(".entry.private")
    private.get_by_text("Falta asfalt.").wait_for()
    assert "Privada" in private.inner_text()
    assert stage.tickets.notes(number) == [("Demà el tapem.", False), ("Falta asfalt.", True)]
    colours = [e.evaluate("e => getComputedStyle(e).backgroundColor") for e in (public, private)]
    assert colours[0] != colours[1]
    issue = stage.tickets.issue(number)
    assert issue["status"]["name"] == "En Progrés"
    assert [a["filename"] for a in issue["attachments"]] == ["fanal.png", "mides.txt"]
    assert "Nou → En Progrés" in shown.inner_text()
    assert answer.get_by_role("radio", name="Resposta al ciutadà").is_checked(), (
        "each answer starts as public"
    )


def test_what_others_write_appears_and_what_i_am_writing_stays(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    number = ticket(stage, "Banc trencat")
    shown = open_ticket(page, number)
    page.fill("#answer-words", "Un esborrany que")
    change = {"issue": {"notes": "Ja hi soc", "private_notes": True}}
    stage.tickets.call("PUT", f"/issues/{number}.json", "oac", json=change)
    shown.locator(".entry.private").get_by_text("Ja hi soc").wait_for()
    assert page.input_value("#answer-words") == "Un esborrany que"
    other = ticket(stage, "Un altre")
    open_ticket(page, other)
    open_ticket(page, number)
    assert page.input_value("#answer-words") == "Un esborrany que"


def test_mine_are_those_of_the_person_who_sits_there(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    mayor = ticket(stage, "Per a l'alcalde", assigned_to_id=7)
    office = ticket(stage, "Per a l'oficina", assigned_to_id=5)
    page.locator("#filters button[value=mine]").click()
    page.locator(f'[data-ticket="{mayor}"]').wait_for()
    assert page.locator(f'[data-ticket="{office}"]').count() == 0
    page.select_option("#who", "oac")
    page.locator(f'[data-ticket="{office}"]').wait_for()
    assert page.locator(f'[data-ticket="{mayor}"]').count() == 0


def test_a_private_note_that_redmine_made_public_is_said_loudly(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    number = ticket(stage, "Nota sense dret")
    page.select_option("#who", "operari.brigada")
    open_ticket(page, number)
    answer = page.locator("form.answer")
    answer.get_by_role("radio", name="Nota interna").check(force=True)
    answer.get_by_role("textbox").fill("Això era intern")
    answer.get_by_role("button", name="Desa la nota interna").click()
    page.get_by_role("alert").get_by_text("PÚBLICA").wait_for()
    assert stage.tickets.notes(number) == [("Això era intern", False)]


def test_a_refused_answer_is_said_and_not_lost(desk_seat: Seat) -> None:
    page, stage = desk_seat.open(), desk_seat.stage
    desk_seat.expected.append("422")
    number = ticket(stage, "Fitxer massa gran")
    open_ticket(page, number)
    page.fill("#answer-words", "Una resposta llarga")
    big = {"name": "gran.bin", "mimeType": "application/octet-stream", "buffer": bytes(6 * 1024 * 1024)}
    page.set_input_files("#answer-files", big)
    page.locator("form.answer button[type=submit]").click()
    page.get_by_role("alert").get_by_text("No s'ha pogut enviar").wait_for()
    assert page.input_value("#answer-words") == "Una resposta llarga"
    assert stage.tickets.notes(number) == []
    page.get_by_role("button", name="Treu gran.bin").click()
    page.locator("form.answer button[type=submit]").click()
    page.locator(".entry.public").wait_for()
    assert stage.tickets.notes(number) == [("Una resposta llarga", False)]
