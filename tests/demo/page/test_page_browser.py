"""The whole page in real Chromium: names, contrast, narrow and wide, languages, themes, motion."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page_support import TOWN, until
from seat import BUTTONS, LIST, Seat, open_ticket, row, say, ticket

from tests.axe import findings, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.real, pytest.mark.browser]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def full(seat: Seat, **options: Any) -> Page:
    """The page with something of everything on it, both entries and a waiting answer."""
    stage = seat.stage
    page = seat.open(**options)
    stage.meta.send(stage.meta.state.people["p2"], {"type": "text", "body": "Hola"})
    stage.town.text("p2", "Bon dia")
    say(page, "Hola, *bon dia*")
    until("the person wrote", stage.sent)
    stage.town.mark_read(stage.sent()[0]["id"])
    stage.town.text("p1", "> cita\nMira https://exemple.cat")
    stage.town.send("p1", "interactive", LIST)
    last = stage.town.send("p1", "interactive", BUTTONS)
    row(page, last).wait_for()
    number = ticket(stage, "Fanal apagat")
    ticket(stage, "Encara per llegir")
    change: dict[str, Any] = {"notes": "Demà hi anem", "private_notes": False, "status_id": 2}
    stage.tickets.call("PUT", f"/issues/{number}.json", "alcalde", json={"issue": change})
    change = {"notes": "Falta una peça", "private_notes": True}
    stage.tickets.call("PUT", f"/issues/{number}.json", "oac", json={"issue": change})
    stage.tickets.create("Un de tancat", status_id=1)
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375])
def test_all_text_is_readable(seat: Seat, theme: str, width: int) -> None:
    page = full(seat, width=width, height=900, color_scheme=theme, reduced_motion="reduce")
    looks = [("chat", "")]
    page.click("#attach")
    page.locator("[data-kind=photo]").click()
    looks.append(("photos", faint(page)))
    page.keyboard.press("Escape")
    if width < 900:
        looks.append(("narrow phone", faint(page)))
        page.click("#tab-desk")
    page.locator("#filters button[value=all]").click()
    looks.append(("list", faint(page)))
    page.locator("[data-ticket]", has_text="Fanal").click()
    page.locator(".entry.private").wait_for()
    looks.append(("ticket", faint(page)))
    page.locator("form.answer").get_by_role("radio", name="Nota interna").check(force=True)
    looks.append(("private", faint(page)))
    assert [(where, found) for where, found in looks if found] == []


def faint(page: Page) -> str:
    """Visible texts whose contrast is under WCAG AA (4.5, large text 3), one line each."""
    settled(page)
    found = page.evaluate(CONTRAST)
    assert found["looked"] > 10
    return "\n".join(found["faint"])


def test_everything_that_can_be_used_has_a_name(seat: Seat) -> None:
    page = full(seat)
    page.locator("#filters button[value=all]").click()
    page.locator("[data-ticket]", has_text="Fanal").click()
    page.locator(".entry.private").wait_for()
    nameless = nodes_without_name(page)
    page.click("#attach")
    nameless += nodes_without_name(page)
    page.locator("[data-kind=place]").click()
    nameless += nodes_without_name(page)
    assert nameless == []
    twice = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"
    )
    assert twice == []
    for role, count in (("banner", 1), ("main", 1), ("log", 1), ("dialog", 1)):
        assert page.get_by_role(role).count() == count, role
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].filter(e => e.checkVisibility()).map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), levels


def nodes_without_name(page: Page) -> list[str]:
    """Widgets and pictures for which the browser itself has no accessible name."""
    roles = {
        "button",
        "link",
        "textbox",
        "combobox",
        "radio",
        "checkbox",
        "image",
        "dialog",
        "menuitem",
        "tab",
    }
    roles |= {"navigation", "region", "application", "log", "tabpanel"}
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        json.dumps(node.get("properties", []))[:200] + node["role"]["value"]
        for node in tree
        if not node["ignored"]
        and node["role"]["value"] in roles
        and not node.get("name", {}).get("value", "").strip()
    ]


def test_two_tabs_at_375_pixels(seat: Seat) -> None:
    page, stage = seat.open(width=375, height=812, has_touch=True), seat.stage
    phone, desk = page.locator("#phone"), page.locator("#desk")
    assert phone.is_visible() and not desk.is_visible()
    number = ticket(
        stage, "Un subjecte molt llarg que ha de cabre en una pantalla estreta sense que res no surti"
    )
    page.locator("#badge-desk:visible").wait_for()
    page.get_by_role("tab", name="Telèfon").focus()
    page.keyboard.press("ArrowRight")
    assert desk.is_visible() and not phone.is_visible()
    assert page.get_by_role("tab", name="Taula").get_attribute("aria-selected") == "true"
    stage.meta.send(stage.meta.state.people["p1"], {"type": "text", "body": "Hola"})
    unread = stage.town.text("p1", "Bon dia")
    page.locator("#badge-phone:visible").wait_for()
    assert {m["id"]: m["status"] for m in stage.transcript()}[unread] == "delivered", "nobody saw it yet"
    page.locator(f'[data-ticket="{number}"]').tap()
    page.locator("#answer-words").wait_for()
    assert not page.locator("#tickets").is_visible()
    assert wide(page) == []
    page.locator("#ticket").get_by_role("button", name="Enrere").tap()
    assert page.locator("#tickets").is_visible()
    page.get_by_role("tab", name="Telèfon").tap()
    until("it is read", lambda: {m["id"]: m["status"] for m in stage.transcript()}[unread] == "read")
    assert wide(page) == []


def wide(page: Page) -> list[str]:
    """Visible elements that stick out of the window at the right."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('#people, svg, .spoken')
              && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + '.' + e.className)"""
        )
    )


def test_the_town_hall_and_its_staff_are_named(seat: Seat) -> None:
    page = seat.open()
    assert page.inner_text("#town-name") == TOWN
    assert page.get_by_role("option", name="Jordi Alcalde").count() == 1


def test_language_and_theme_are_switched_and_remembered(seat: Seat) -> None:
    page = seat.open()
    assert page.get_attribute("html", "lang") == "ca"
    page.select_option("#language", "en")
    assert page.get_by_role("heading", name="Town hall desk").is_visible()
    assert page.get_attribute("html", "lang") == "en"
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.select_option("#theme", "dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert light != dark
    page.reload()
    page.locator("html[data-ready]").wait_for(state="attached")
    assert page.get_by_role("heading", name="Town hall desk").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
    tables = page.evaluate("import('/demo-page/i18n.js').then(m => m.WORD_TABLES)")
    assert set(tables) == {"ca", "es", "en"}
    gaps = re.compile(r"\{\w+\}")
    for code in ("es", "en"):
        assert set(tables[code]) == set(tables["ca"])
        for key, words in tables["ca"].items():
            assert sorted(gaps.findall(words)) == sorted(gaps.findall(tables[code][key])), key


def test_the_steps_tick_themselves_off_and_can_be_put_away(seat: Seat) -> None:
    page, stage = seat.open(), seat.stage
    done = page.locator("#steps .done")
    assert done.count() == 0
    page.click("#hello")
    until("the first step is done", lambda: done.count() == 1)
    number = ticket(stage, "Fanal apagat")
    until("the second step is done", lambda: done.count() == 2)
    open_ticket(page, number)
    page.fill("#answer-words", "Demà")
    page.locator("form.answer button[type=submit]").click()
    until("the third step is done", lambda: done.count() == 3)
    page.get_by_role("button", name="Amaga els passos").click()
    page.reload()
    page.get_by_role("button", name="Mostra els passos").wait_for()
    assert page.locator("#guide").is_hidden()


def test_who_wants_no_motion_gets_none(seat: Seat) -> None:
    page = seat.open(reduced_motion="reduce")
    page.click("#attach")
    slide = page.locator(".sheet").evaluate("e => parseFloat(getComputedStyle(e).animationDuration)")
    assert slide < 0.001


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 375])
def test_axe_finds_nothing(seat: Seat, theme: str, width: int) -> None:
    page = full(seat, width=width, height=900, color_scheme=theme, reduced_motion="reduce")
    found = [("phone", findings(page))]
    page.click("#attach")
    found.append(("sheet", findings(page)))
    page.locator("[data-kind=place]").click()
    found.append(("place", findings(page)))
    page.keyboard.press("Escape")
    if width < 900:
        page.click("#tab-desk")
    page.locator("#filters button[value=all]").click()
    found.append(("list", findings(page)))
    page.locator("[data-ticket]", has_text="Fanal").click()
    page.locator(".entry.private").wait_for()
    found.append(("ticket", findings(page)))
    assert [(where, what) for where, what in found if what] == []
