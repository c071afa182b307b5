"""Every screen of Sant Cebrià in every language: numbers agree, texts fit without being cut, nothing is left unfilled."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from connector.core.commands import command
from connector.core.incoming import ContactsIn, MediaKind, UnsupportedIn
from connector.core.outgoing import ButtonsOut, ListOut, Outgoing
from connector.core.town import say

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer

NAMES = {"ca": "Català", "es": "Español", "en": "English"}


def screens(language: str) -> Iterator[tuple[str, Outgoing, Citizen]]:
    """All there is to see, with a label and who sees it."""

    def last(label: str, citizen: Citizen) -> tuple[str, Outgoing, Citizen]:
        return f"{language} {label}", citizen.last, citizen

    new = newcomer()
    new.go("Hola")
    new.go(f"lang:{language}")
    yield last("data protection", new)
    new.go("consent:no")
    yield last("refused", new)
    gone = accepted(language=language)
    gone.tap("consent:no")
    yield last("withdrawn", gone)
    new.go("consent:yes")
    yield last("menu", new)
    for line in (
        "menu:info",
        "menu:councillor",
        "lang:menu",
        "asdf",
        "gràcies",
        "menu:gone",
        "draft:send",
        "reply:x",
    ):
        new.tap(line) if ":" in line else new.go(line)
        yield last(line, new)
    for page in TOWN.pages:
        new.go(f"page:{page.key}")
        yield last(f"page {page.key}", new)
    ways = [[f"menu:{o.key}"] for o in TOWN.menu if o.kind == "request"]
    ways += [["menu:councillor", f"choice:{c.key}"] for c in TOWN.councillors]
    for way in ways:
        citizen = accepted(language=language)
        citizen.go(*way)
        yield last(f"prompt {way[-1]}", citizen)
        citizen.photo()
        citizen.wait()
        yield last(f"summary without text {way[-1]}", citizen)
        citizen.go("draft:send")
        yield last(f"text asked for {way[-1]}", citizen)
        citizen.type("El text. " * 200)
        for kind in (MediaKind.VIDEO, MediaKind.DOCUMENT, MediaKind.AUDIO):
            citizen.photo(kind=kind)
        for code in (131051, 131052, 131060):
            citizen.send(UnsupportedIn("x", code))
        citizen.go(".")
        yield last(f"summary {way[-1]}", citizen)
        citizen.go("draft:location")
        yield last("place asked for", citizen)
        citizen.later(9)
        citizen.type("Encara una altra cosa")
        citizen.go(".")
        yield last(f"lying {way[-1]}", citizen)
        citizen.go("draft:cancel")
        yield last("to whom", citizen)
        citizen.go("draft:cancel")
        yield last("dropped", citizen)


@pytest.mark.parametrize("language", TOWN.languages)
def test_numbers_agree_and_nothing_is_cut(language: str) -> None:
    seen = 0
    for label, message, _ in screens(language):
        seen += 1
        body = body_of(message)
        assert not re.search(r"\{|\}", body), label
        assert "\n\n\n" not in body and body == body.strip() and "  " not in body, label
        numbers = re.findall(r"^\*(\d+)\.\*", body, re.MULTILINE)
        match message:
            case ListOut(rows=rows):
                assert [r.title.partition(".")[0] for r in rows] == numbers, label
                titles = [(r.title, 24) for r in rows] + [(r.description, 72) for r in rows]
                written = re.findall(r"^\*(\d+\.)\* (.*)$", body, re.MULTILINE)
                whole = [" ".join(w) for w in written]
                if "menu:councillor" in label:
                    assert whole[:-1] == [f"{r.title} · {r.description}" for r in rows[:-1]]
                else:
                    assert whole == [r.title for r in rows], label
            case ButtonsOut(buttons=found):
                titles = [(b.title, 20) for b in found]
                expected = [str(n) for n in range(1, len(found) + 1)]
                if ids_of(message)[-1] == "menu:home":
                    expected = [*expected[:-1], "0"]
                assert [b.title.partition(".")[0] for b in found] == expected, label
            case _:
                titles = []
        for title, most in titles:
            assert not title.endswith("…") and len(title) <= most, (label, title)
        if "summary" not in label and "lying" not in label:
            assert not body.endswith("…"), label
    assert seen > 50


@pytest.mark.parametrize("language", TOWN.languages)
def test_whatever_can_be_tapped_can_be_typed_by_its_number_and_by_its_name(language: str) -> None:
    for label, message, citizen in screens(language):
        if citizen.state.consent != "yes" or not isinstance(message, ListOut | ButtonsOut):
            continue
        for choice in message.rows if isinstance(message, ListOut) else message.buttons:
            for typed in choice.title.split(". ", 1):
                asked = command(citizen.state, typed, citizen.talk.menus, citizen.now)
                assert asked == choice.id, (label, typed)


@pytest.mark.parametrize("language", TOWN.languages)
def test_the_summary_quotes_the_words_and_always_ends_with_the_question(language: str) -> None:
    citizen = accepted(language=language)
    citizen.go("4")
    citizen.type("Paraules " * 400)
    citizen.photo(kind=MediaKind.STICKER)
    citizen.send(ContactsIn(("Algú",)))
    citizen.type(" ")
    for code in (131051, 131052, 131060):
        citizen.send(UnsupportedIn("x", code))
    citizen.go(".")
    body = body_of(citizen.last)
    assert body.endswith(citizen.talk.texts(language, "draft.ready")) and len(body) <= 1024
    assert "> Paraules Paraules" in body


@pytest.mark.parametrize("language", TOWN.languages)
def test_each_option_says_whom_it_writes_to(language: str) -> None:
    for option in TOWN.menu:
        if option.kind == "request":
            citizen = accepted(language=language)
            citizen.go(f"menu:{option.key}", "Un text de prova aquí", ".")
            assert say(option.to, language) in body_of(citizen.last).splitlines()[0]
    for councillor in TOWN.councillors:
        citizen = accepted(language=language)
        citizen.go(f"choice:{councillor.key}")
        assert councillor.name in body_of(citizen.last) and councillor.neighbourhood in body_of(citizen.last)


def test_the_language_is_asked_in_all_of_them() -> None:
    citizen = accepted()
    citizen.go("idioma")
    assert all(name in body_of(citizen.last) for name in NAMES.values())
    for word in ("Tria", "Elige", "Choose"):
        assert word in body_of(citizen.last)
