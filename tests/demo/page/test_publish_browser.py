"""The form with which the desk publishes, in real Chromium: by keyboard, in every language, light and dark."""

from __future__ import annotations

import httpx
import pytest
from page_support import until
from seat import Seat
from test_page_browser import faint, nodes_without_name

from connector.feeds import news

pytestmark = [pytest.mark.real, pytest.mark.browser]


def published(seat: Seat, feed: str) -> list[str]:
    return [i.title for i in news.read(httpx.get(f"{seat.stage.url}/site/{feed}.rss").content)]


def test_by_keyboard_alone_with_what_is_missing_said(seat: Seat) -> None:
    seat.expected.append("422")  # the link that is none
    page = seat.open()
    keys = page.keyboard
    page.locator("#publish-open").focus()
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "publish-title"
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "publish-title"
    error = page.locator("#publish-title-error")
    assert (
        error.inner_text().strip() == "Escriu-hi un títol."
        and page.locator("#publish-text-error").is_visible()
    )
    assert page.locator("#publish-title").get_attribute("aria-invalid") == "true"
    keys.type("Vent fort")
    assert error.is_hidden()
    for text in ("Queda’t a casa", "no és cap adreça"):
        keys.press("Tab")
        keys.type(text)
    keys.press("Tab")
    keys.press("Space")
    keys.press("Control+Enter")
    page.locator("#publish-link-error").wait_for()
    assert page.evaluate("document.activeElement.id") == "publish-link" and not seat.stage.published
    page.fill("#publish-link", "https://www.example.org/vent")
    keys.press("Control+Enter")
    page.locator(".toast", has_text="damunt del menú").wait_for()
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.id") == "publish-open"
    until("it is on the website", lambda: "Vent fort" in published(seat, "avisos"))


def test_what_was_written_is_kept_when_the_form_is_closed(seat: Seat) -> None:
    page = seat.open()
    page.click("#publish-open")
    page.fill("#publish-title", "A mig escriure")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.click("#publish-open")
    assert page.input_value("#publish-title") == "A mig escriure"
    page.get_by_role("button", name="Cancel·la").click()
    for language, name in (("es", "Publicar"), ("en", "Publish")):
        page.select_option("#language", language)
        page.get_by_role("button", name=name, exact=True).click()
        assert page.get_by_role("dialog").get_by_role("button").count() == 3
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375])
def test_it_is_readable_and_everything_has_a_name(seat: Seat, theme: str, width: int) -> None:
    page = seat.open(width=width, height=800, color_scheme=theme, reduced_motion="reduce")
    if width < 900:
        page.click("#tab-desk")
    page.click("#publish-open")
    page.keyboard.press("Enter")
    page.locator("#publish-alert").check()
    assert faint(page) == "" and nodes_without_name(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
