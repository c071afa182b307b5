"""The operations page in real Chromium: accessible, light and dark, narrow and wide; by keyboard alone, without scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.wiring import Service
from tests.axe import findings

from .ops_stage import PASSWORD, fill, served, service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.real, pytest.mark.browser]
WIDE, NARROW = 1440, 375


@dataclass
class Desk:
    """The page, and a browser in front of it that complains about nothing and asks nobody else."""

    browser: Browser
    url: str
    made: Service
    failed: list[int]
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, width: int = WIDE, **options: Any) -> Page:
        options = {"locale": "ca", **options}
        context = self.browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith(self.url) else self.complaints.append(r.url))
        page.goto(f"{self.url}/ops")
        return page

    def enter(self, width: int = WIDE, **options: Any) -> Page:
        page = self.open(width, **options)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.get_by_role("heading", level=1).wait_for()
        page.locator("table").first.wait_for()
        return page


@pytest.fixture(scope="module")
def desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = service(tmp_path_factory.mktemp("ops"))
    failed = fill(made)
    with served(made) as url:
        desk = Desk(chromium, url, made, failed)
        yield desk
        for context in desk.contexts:
            context.close()
    made.store.close()
    expected = ("403", "429")
    assert [c for c in desk.complaints if not any(code in c for code in expected)] == []


def show(page: Page, name: str) -> None:
    """With SHOTS=folder: a picture for a person to look at."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing(desk: Desk, theme: str, width: int) -> None:
    name = f"{theme}-{width}"
    page = desk.open(width, color_scheme=theme)
    found = [("login", findings(page))]
    show(page, f"login-{name}")
    page.fill("#password", "it is another one")
    page.press("#password", "Enter")
    page.get_by_role("alert").wait_for()
    found.append(("wrong", findings(page)))
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.locator("table").first.wait_for()
    found.append(("board", findings(page)))
    show(page, f"board-{name}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    page.locator(f"a[href$='/{desk.failed[1]}/drop']").click()
    page.get_by_role("heading", name="Descartar").wait_for()
    found.append(("drop", findings(page)))
    show(page, f"drop-{name}")
    assert [(where, what) for where, what in found if what] == []
    # five tries a minute: the next test shall not have to wait
    desk.made.store.write_now(lambda c: c.exec_driver_sql("DELETE FROM bucket"))


def test_by_keyboard_alone_and_without_scripts(desk: Desk) -> None:
    page = desk.open(java_script_enabled=False, locale="en-GB")
    keys = page.keyboard
    page.locator("input[type=password]:focus").wait_for()  # by itself, a moment after the page is there
    keys.type(PASSWORD)
    keys.press("Enter")
    page.get_by_role("heading", name="How everything stands").wait_for()
    keys.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    keys.press("Enter")
    row = desk.failed[2]
    for _ in range(20):
        keys.press("Tab")
        if page.locator(":focus").inner_text().split() == ["Drop", str(row)]:
            break
    else:
        raise AssertionError("it cannot be reached with Tab")
    keys.press("Enter")
    page.get_by_role("heading", name=f"Drop work {row}?").wait_for()
    reached = []
    while (
        here := page.locator(":focus").inner_text() if page.locator(":focus").count() else ""
    ) != "Yes, drop it":
        reached.append(here)
        assert len(reached) < 10, reached
        keys.press("Tab")
    keys.press("Enter")
    page.get_by_role("status").wait_for()
    assert page.get_by_role("status").inner_text() == "It was dropped."
    assert page.locator(f"form[action$='/failed/{row}/retry']").count() == 0
    page.get_by_role("button", name="Log out").press("Enter")
    page.get_by_role("heading", name="Log in").wait_for()
    page.goto(f"{desk.url}/ops")
    assert page.url.endswith("/ops/login")


def test_each_language_is_said_to_be_one(desk: Desk) -> None:
    for locale, title in (("ca-ES", "Com va tot"), ("es-ES", "Cómo va todo"), ("de-DE", "Com va tot")):
        page = desk.enter(locale=locale)
        assert page.get_by_role("heading", level=1).inner_text() == title
        assert page.get_attribute("html", "lang") == ("es" if locale == "es-ES" else "ca")
        why = page.locator("td.why span").first
        assert why.get_attribute("lang") == "en", "our own sentences are English on every page"
        desk.made.store.write_now(lambda c: c.exec_driver_sql("DELETE FROM bucket"))
