"""The whole way on the demo page, in real Chromium: `connector demo` as a process, a citizen's phone, the desk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.way import Process, port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.real, pytest.mark.browser]
PATIENCE = 30_000  # milliseconds


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    number = port()
    url = f"http://127.0.0.1:{number}"
    command = [sys.executable, "-m", "connector", "demo", "--port", str(number), "--no-browser"]
    demo = Process("the demo", command, f"{url}/health/ready", tmp_path_factory.mktemp("demo") / "demo.log")
    demo.start()
    yield url
    assert demo.stop() == 0


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="ca")
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert not said


def option(page: Page, name: str) -> Locator:
    return page.locator("#messages").get_by_role("button", name=name, exact=True).last


def picture_of(page: Page, name: str) -> None:
    """Keep a screenshot where ``SCREENSHOTS`` says, for the README and for looking at."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def choose(page: Page, name: str) -> None:
    """Open the newest list, choose a row, send it."""
    option(page, "Opcions").click()
    sheet = page.locator(".sheet")
    sheet.get_by_text(name).click()
    sheet.get_by_role("button", name="Envia").click()


def say(page: Page, text: str) -> None:
    page.fill("#words", text)
    page.press("#words", "Enter")


def test_from_hola_to_the_answer_with_photo_and_place(page: Page) -> None:
    page.locator(".person").first.click()
    page.click("#hello")
    option(page, "1. Accepto").click()
    option(page, "Opcions").wait_for()
    picture_of(page, "menu")
    choose(page, "4. Incidència")
    option(page, "1. Afegeix un lloc").wait_for()
    say(page, "Hi ha un fanal trencat davant de l'escola")
    page.click("#attach")
    page.locator("[data-kind=photo]").click()
    page.locator(".sheet .tile").first.click()
    page.fill("#caption", "És aquest")
    page.locator(".sheet").get_by_role("button", name="Envia").click()
    page.click("#attach")
    page.locator("[data-kind=place]").click()
    page.locator(".sheet input[type=radio]").first.check(force=True)
    page.locator(".sheet").get_by_role("button", name="Envia").click()
    option(page, "1. Envia").click()
    messages = page.locator("#messages")
    messages.get_by_text("Número de tiquet").wait_for()
    assert "SCV-" in messages.inner_text()

    page.select_option("#who", label="Oficina Atenció Ciutadana")
    page.locator("#filters button[value=all]").click()
    row = page.locator("#tickets").get_by_text("fanal trencat")
    row.wait_for()
    row.click()
    ticket = page.locator("#ticket")
    ticket.get_by_text("Brigada municipal").first.wait_for()
    ticket.locator("img").first.wait_for()
    picture_of(page, "desk")

    answer = page.locator("form.answer")
    answer.get_by_text("Nota interna").click()
    answer.locator("textarea").fill("Només per a nosaltres: falta una bombeta")
    answer.locator("button[type=submit]").click()
    ticket.get_by_text("Només per a nosaltres").wait_for()
    answer.get_by_text("Resposta al ciutadà").click()
    answer.locator("textarea").fill("Gràcies! Demà *el canviem*.")
    answer.locator("button[type=submit]").click()
    messages.get_by_text("Demà").wait_for()
    picture_of(page, "answered")
    assert "bombeta" not in messages.inner_text()
    assert messages.locator("strong", has_text="el canviem").count() == 1


def test_a_hidden_number_and_a_typed_way_on_a_narrow_screen(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    page.locator(".person").nth(2).click()
    for text, waits in (("bon dia", "1. Accepto"), ("1", "Opcions"), ("bustia ciutadana", "0. Menú")):
        say(page, text)
        option(page, waits).wait_for()
    say(page, "Voldria més bancs al parc")
    option(page, "1. Envia").wait_for()
    picture_of(page, "narrow")
    say(page, "envia")
    page.locator("#messages").get_by_text("Número de tiquet").wait_for()
    page.locator("#tab-desk").click()
    page.locator("#filters button[value=all]").click()
    page.locator("#tickets").get_by_text("més bancs").wait_for()
    picture_of(page, "narrow-desk")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing is cut off at the side"
    )


def test_by_keyboard_alone(page: Page) -> None:
    keys = page.keyboard

    def tab_to(what: str, most: int = 60) -> None:
        """Press Tab until the focused element's name starts with ``what``."""
        for _ in range(most):
            keys.press("Tab")
            name = page.evaluate(
                "(e => (e.getAttribute('aria-label') || e.innerText || e.placeholder || '').trim())(document.activeElement)"
            )
            if name.startswith(what):
                return
        raise AssertionError(f"Tab never reaches «{what}»")

    tab_to("JF")
    keys.press("Enter")
    tab_to("Escriu un missatge")
    keys.type("Hola")
    keys.press("Enter")
    option(page, "1. Accepto").wait_for()
    keys.press("Shift+Tab")
    tab_to("Escriu un missatge")
    keys.type("1")
    keys.press("Enter")
    option(page, "Opcions").focus()
    keys.press("Enter")
    page.locator(".sheet").wait_for()
    keys.press("ArrowDown")
    keys.press("Enter")
    option(page, "0. Menú").wait_for()
    assert "l’alcalde" in page.locator("#messages").inner_text().replace("'", "’")
    assert page.locator(".sheet").count() == 0


def test_the_desk_publishes_and_the_phone_sees_it(page: Page) -> None:
    page.locator(".person").first.click()
    messages = page.locator("#messages")
    before = messages.locator("> li").count()
    say(page, "menú")
    messages.locator("> li").nth(before + 1).wait_for()
    option(page, "1. Accepto").click()  # who accepted before gets the menu
    for alert, title in ((False, "Concert a la plaça"), (True, "Vent molt fort")):
        page.click("#publish-open")
        page.fill("#publish-title", title)
        page.fill("#publish-text", "Tot el cap de setmana")
        page.locator("#publish-alert").set_checked(alert)
        page.get_by_role("button", name="Publica-ho").click()
        page.locator("dialog").wait_for(state="detached")
    for typed, shown in (("notícies", "Concert a la plaça"), ("menú", "Vent molt fort")):
        for _ in range(20):  # the connector is told, and reads the feed in a moment
            say(page, typed)
            page.wait_for_timeout(1000)
            if messages.get_by_text(shown).count():
                break
        messages.get_by_text(shown).first.wait_for()
    picture_of(page, "published")
    say(page, "està oberta la deixalleria?")
    messages.get_by_text("dt.–ds.: 9:00–13:00").wait_for()


def test_in_the_dark(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark", locale="ca")
    dark = context.new_page()
    dark.goto(address)
    dark.locator(".person").first.click()
    dark.locator("#messages li").first.wait_for()
    background = dark.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert all(int(part) < 80 for part in background.strip("rgb()").split(",")[:3]), background
    picture_of(dark, "dark")
    context.close()
