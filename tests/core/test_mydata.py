"""«My data»: said shortly, reached by tap and by typing, and the way out of it at any time."""

from __future__ import annotations

import hashlib

import pytest

from connector.core.events import Consented, Forget, Shown
from connector.core.incoming import ReplyIn, TextIn
from connector.core.outgoing import ButtonsOut
from connector.core.town import Option, Town

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer, writing

OPEN = ("SCV-7K3F-9Q", "SCV-34AC-DE")


def said(citizen: Citizen) -> list[tuple[str, str]]:
    return [(e.action, e.version) for e in citizen.done if isinstance(e, Consented)]


@pytest.mark.parametrize("way", ["data:home", "8", "les meves dades", "MIS DATOS", "my data", "Privacitat"])
def test_it_says_what_is_kept_since_when_until_when_and_how_to_get_rid_of_it(way: str) -> None:
    citizen = accepted()
    content = ReplyIn(way, "") if ":" in way else TextIn(way)
    citizen.send(content, open_requests=OPEN)
    text = body_of(citizen.last)
    for word in ("23 de novembre del 2026", "30 dies", "un any", "2 peticions", *OPEN, TOWN.consent.contact,
                 TOWN.consent.policy_url):  # fmt: skip
        assert word in text, word
    assert ids_of(citizen.last) == ["data:leave", "topic:home", "menu:home"] and not said(citizen)[1:]


@pytest.mark.parametrize("language", TOWN.languages)
def test_nobody_leaves_without_knowing_what_becomes_of_their_requests(language: str) -> None:
    citizen = accepted(language=language)
    citizen.tap("data:home")
    citizen.send(ReplyIn("data:leave", ""), open_requests=OPEN)
    assert all(reference in body_of(citizen.last) for reference in OPEN)
    assert ids_of(citizen.last) == ["data:withdraw", "menu:home"] and citizen.state.consent == "yes"
    citizen.tap("data:withdraw")
    assert said(citizen) == [("given", "2026-11"), ("withdrawn", "2026-11")]
    assert citizen.state.consent == "no" and citizen.state.since == 0
    assert ids_of(citizen.last) == ["consent:yes"], "the way back is a tap"


@pytest.mark.parametrize(("word", "consent"), [("sí", "no"), ("1", "no"), ("no", "yes"), ("0", "yes")])
def test_the_question_can_be_answered_by_typing(word: str, consent: str) -> None:
    citizen = accepted()
    citizen.go("data:home", "data:leave", word)
    assert citizen.state.consent == consent


def test_a_word_that_withdraws_does_not_throw_away_what_is_being_written() -> None:
    citizen = writing()
    citizen.photo("la foto")
    citizen.type("stop")
    assert citizen.state.consent == "yes" and "descartarà" in body_of(citizen.last)
    citizen.type("0")
    assert "draft:keep" in ids_of(citizen.last), "nothing is lost"
    citizen.go("BAIXA", "1")
    assert citizen.state.consent == "no" and citizen.state.draft is None
    assert [e for e in citizen.done if isinstance(e, Forget)], "the photo goes too"


@pytest.mark.parametrize("word", ["BAIXA", "stop", "No accepto"])
def test_it_withdraws_also_while_another_text_is_asked_about(word: str) -> None:
    citizen = accepted()
    newer = TOWN.model_copy(update={"consent": TOWN.consent.model_copy(update={"version": "the next"})})
    citizen.talk = newcomer(newer).talk
    citizen.go("hola", word)
    assert said(citizen) == [("given", "2026-11"), ("refused", "the next")]
    assert "retirat" in body_of(citizen.last), "answers will not arrive any more, and they are told"


def test_what_was_shown_is_what_is_accepted() -> None:
    citizen = newcomer()
    citizen.go("Hello", "lang:es", "1")
    (english, spanish) = [e for e in citizen.done if isinstance(e, Shown)]
    assert english.text != spanish.text and spanish.language == "es"
    assert hashlib.sha256(spanish.text.encode()).hexdigest() == spanish.digest
    asked = [s.message for s in citizen.said if "consent:yes" in ids_of(s.message)]
    assert [english.text, spanish.text] == [body_of(m) for m in asked]
    (given,) = [e for e in citizen.done if isinstance(e, Consented)]
    assert (given.action, given.language, given.digest) == ("given", "es", spanish.digest)
    citizen.go("BAJA", "consent:yes")
    again = [e for e in citizen.done if isinstance(e, Consented)]
    assert [e.action for e in again] == ["given", "withdrawn", "given"]
    assert {e.digest for e in again} == {spanish.digest}, "accepted again by the button of the farewell"


def test_since_when_outlives_a_new_text_and_not_a_withdrawal() -> None:
    citizen = accepted()
    first = citizen.state.since
    newer = TOWN.model_copy(update={"consent": TOWN.consent.model_copy(update={"version": "the next"})})
    citizen.talk = newcomer(newer).talk
    citizen.later(100)
    citizen.go("hola", "consent:yes")
    assert citizen.state.since == first < citizen.state.consent_at
    citizen.go("stop", "consent:yes")
    assert citizen.state.since == citizen.state.consent_at


def crowded(options: int) -> Town:
    menu = tuple(Option(key=f"o{n}", kind="request", title={"*": f"Opció {n}"}) for n in range(options))
    return TOWN.model_copy(update={"menu": menu})


@pytest.mark.parametrize("options", [8, 9, 10, 14])
def test_it_never_makes_a_second_page_of_the_menu_and_is_always_a_tap_away(options: int) -> None:
    citizen = accepted(crowded(options))
    paged = any(i.startswith("more:") for i in ids_of(citizen.last))
    assert paged == (options > 9), "nine options and the language are one page, with or without it"
    for word in ("més", "més") if paged else ("gràcies",):
        if "data:home" not in ids_of(citizen.last):
            citizen.type(word)
    assert "data:home" in ids_of(citizen.last)
    citizen.tap("data:home")
    assert isinstance(citizen.last, ButtonsOut) and "data:leave" in ids_of(citizen.last)
