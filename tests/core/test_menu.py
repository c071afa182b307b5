"""The menu: by tap, number, name; what is not understood; pages; languages; old buttons."""

from __future__ import annotations

import pytest

from connector.core.address import Address
from connector.core.outgoing import ListOut
from connector.core.town import Councillor, Option, Route, Town
from connector.whatsapp.payloads import build

from .talk import TOWN, accepted, body_of, ids_of, newcomer

MAIN = ["menu:info", "menu:mayor", "menu:councillor", "menu:incident", "menu:mailbox", "menu:topics", "lang:menu",
        "data:home"]  # fmt: skip


def test_the_menu_is_a_list_in_the_order_of_the_mapping() -> None:
    citizen = accepted()
    assert isinstance(citizen.last, ListOut) and ids_of(citizen.last) == MAIN
    for n, row in enumerate(citizen.last.rows, 1):
        assert row.title.startswith(f"{n}. ") and f"*{n}.*" in body_of(citizen.last)


@pytest.mark.parametrize(
    ("typed", "leads"),
    [
        ("1", "page:"), ("Informació municipal", "page:"), ("informacio MUNICIPAL", "page:"),
        ("2", "menu:home"), ("alcaldia", "menu:home"), ("ALCALDÍA", "menu:home"),
        ("3", "choice:"), ("regidories", "choice:"), ("Concejalías", "choice:"),
        ("4", "draft:location"), ("incidencia", "draft:location"), ("Incidència.", "draft:location"), ("opció 4", "draft:location"),
        ("5", "menu:home"), ("bustia ciutadana", "menu:home"),
        ("6", "topic:"), ("rebre noticies", "topic:"), ("my subscriptions", "topic:"), ("7", "lang:"), ("idioma", "lang:"), ("language", "lang:"),
        ("menú", "menu:info"), ("MENU", "menu:info"), ("0", "menu:info"), ("hola", "menu:info"), ("Bon dia!", "menu:info"),
        ("ajuda", "menu:info"), ("?", "menu:info"),
    ],
)  # fmt: skip
def test_everything_can_be_typed(typed: str, leads: str) -> None:
    citizen = accepted()
    citizen.type(typed)
    assert ids_of(citizen.last)[0].startswith(leads), ids_of(citizen.last)


@pytest.mark.parametrize("typed", ["asdf", "99", "9", "🙃", "no sé", "-", "\u200b", " \n "])
def test_what_is_not_understood_gets_help(typed: str) -> None:
    citizen = accepted()
    assert citizen.type(typed), "never silence"
    assert ids_of(citizen.last)


@pytest.mark.parametrize(
    "old",
    ["menu:gone", "page:gone", "choice:gone", "rate:SCV-7K3F-9Q:5", "reopen:x", "topic:news", "request:x", "reply:SCV-1",
     "draft:send", "draft:", "more:nowhere.1", "more:info.999999", "lang:xx", "", ":", "x" * 200, "consent:yes"],
)  # fmt: skip
def test_a_button_of_weeks_ago_is_answered(old: str) -> None:
    citizen = accepted()
    citizen.later(24 * 30)
    assert citizen.tap(old)
    assert ids_of(citizen.last)


def test_every_page_can_be_read_and_left_in_every_language() -> None:
    for language in TOWN.languages:
        citizen = accepted(language=language)
        citizen.tap("menu:info")
        pages = [i for i in ids_of(citizen.last) if i.startswith("page:")]
        assert len(pages) == len(TOWN.pages)
        for page in pages:
            citizen.tap(page)
            assert "menu:home" in ids_of(citizen.last)


def test_languages_are_chosen_once_and_changed_any_time() -> None:
    citizen = newcomer()
    citizen.type("Hola")
    citizen.type("3")
    citizen.type("English")
    assert "accept" in body_of(citizen.last)
    citizen.type("1")
    assert "What would you like" in body_of(citizen.last)
    citizen.type("castellano")
    assert "Qué" in body_of(citizen.last) and citizen.state.language == "es"
    citizen.type("2")
    citizen.type("català")
    assert citizen.state.language == "ca" and citizen.state.draft is not None


def large() -> Town:
    """A town with 25 councillors and 14 options."""
    people = tuple(
        Councillor(
            key=f"c{n}", name=f"Persona Número {n}", neighbourhood=f"Barri {n}", route=Route(assignee=str(n))
        )
        for n in range(1, 26)
    )
    options = tuple(
        Option(key=f"o{n}", kind="councillor" if n == 2 else "request", title={"*": f"Opció {n}"})
        for n in range(1, 15)
    )
    return TOWN.model_copy(update={"councillors": people, "menu": options, "pages": ()})


@pytest.mark.parametrize(
    ("begin", "prefix", "expected"), [("menu:home", "menu:o", 14), ("menu:o2", "choice:c", 25)]
)
def test_long_lists_are_paged_and_nothing_is_out_of_reach(begin: str, prefix: str, expected: int) -> None:
    citizen = accepted(large())
    citizen.tap(begin)
    reached: set[str] = set()
    for _ in range(10):
        shown = ids_of(citizen.last)
        assert len(shown) <= 10 and len(set(shown)) == len(shown)
        build(citizen.last, Address(phone="34600000001"), key="k")
        reached |= {i for i in shown if i.startswith(prefix)}
        onward = [i for i in shown if i.startswith("more:")]
        if not onward or (len(onward) == 1 and len(reached) == expected):
            break
        citizen.tap(onward[-1])
    assert len(reached) == expected


def test_typed_numbers_work_across_pages() -> None:
    citizen = accepted(large())
    citizen.tap("menu:o2")
    citizen.type("23")
    assert citizen.state.draft is not None and citizen.state.draft.councillor == "c23"
