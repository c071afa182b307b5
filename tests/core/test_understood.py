"""What people really type: greetings in a row, thumbs, «a l'alcalde», «no accepto», and what it means where."""

from __future__ import annotations

import pytest

from connector.core import words
from connector.core.events import Say, Submit, Wake

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer, writing

SUMMARY = ["draft:send", "draft:location", "draft:cancel"]
LYING = ["draft:keep", "draft:send", "draft:cancel"]


@pytest.mark.parametrize(
    ("typed", "greeting", "language"),
    [
        ("Hola", True, ""), ("HOLAAAA!!", True, ""), ("Hola 👋🏽", True, ""), ("Hola, bon dia!", True, "ca"),
        ("Hola què tal?", True, "ca"), ("Hola, muy buenas tardes", True, "es"), ("hola buenas tardes", True, "es"),
        ("Hello there!", True, "en"), ("hi", True, "en"), ("Hola hi ha un sot", False, ""), ("", False, ""),
        ("👋", False, ""), ("ho", False, ""), ("hola " * 2000 + "x", False, ""),
    ],
)  # fmt: skip
def test_greetings(typed: str, greeting: bool, language: str) -> None:
    assert words.is_greeting(typed) is greeting
    assert words.greeting_language(typed) == language


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1️⃣", 1), ("la 4", 4), ("nº 3", 3), ("#4", 4), ("(3)", 3), ("٣", 3), ("opció 0", 0), ("número 7", 7), ("1.5", None),
     ("1234", None), ("una", None), ("4 sots", None)],
)  # fmt: skip
def test_numbers(typed: str, number: int | None) -> None:
    assert words.number(typed) == number


@pytest.mark.parametrize("typed", ["Cancel·la", "cancel.la", "CANCEL-LA", "cancel•la", "cancel·la!"])
def test_the_middle_dot_is_typed_in_many_ways(typed: str) -> None:
    assert words.fold(typed) in words.CANCEL


@pytest.mark.parametrize(
    ("typed", "option", "councillor"),
    [("a l'alcalde", "mayor", ""), ("Per a l’alcalde", "mayor", ""), ("la brigada municipal", "incident", ""),
     ("regidora platja", "", ""), ("Laia Regidora Platja", "councillor", "platja"), ("platja", "councillor", "platja"),
     ("al alcalde", "mayor", ""), ("the mayor", "mayor", ""), ("queixa", "mailbox", "")],
)  # fmt: skip
def test_to_whom_in_ones_own_words(typed: str, option: str, councillor: str) -> None:
    citizen = accepted()
    citizen.go("Hi ha un fanal apagat al carrer Major", ".", typed)
    draft = citizen.state.draft
    assert draft is not None and (draft.option, draft.councillor) == (option, councillor)
    assert len(draft.items) == (1 if option else 2), "a name that is none is the citizen's words"


@pytest.mark.parametrize("typed", ["Regidora", "regidor", "concejala"])
def test_a_name_many_share_leads_to_the_list(typed: str) -> None:
    options = tuple(o.model_copy(update={"words": ()}) for o in TOWN.menu)
    people = tuple(
        c.model_copy(update={"role": {"ca": "Regidora", "es": "Concejala", "en": "regidor"}})
        for c in TOWN.councillors
    )
    citizen = accepted(TOWN.model_copy(update={"menu": options, "councillors": people}))
    citizen.type(typed)
    assert ids_of(citizen.last)[0] == "choice:centre" and citizen.state.draft is None


# --- around the summary ----------------------------------------------------------------------------


def summarised() -> Citizen:
    citizen = writing()
    citizen.go("Gràcies per arreglar la plaça", ".")
    assert ids_of(citizen.last) == SUMMARY
    return citizen


@pytest.mark.parametrize(
    "typed",
    ["1", "Sí", "si!", "sí, envia", "ok", "Vale", "D'acord", "👍", "👍🏽", "✔️", "Envia", "envia-ho", "send"],
)
def test_yes_to_shall_we_send_it(typed: str) -> None:
    citizen = summarised()
    citizen.type(typed)
    assert len(citizen.sent) == 1 and citizen.sent[0].words == "Gràcies per arreglar la plaça"


@pytest.mark.parametrize("typed", ["no", "No, gràcies", "encara no", "menú", "0"])
def test_no_to_shall_we_send_it_asks_what_then(typed: str) -> None:
    citizen = summarised()
    citizen.type(typed)
    assert ids_of(citizen.last) == LYING and not citizen.sent
    citizen.go("continua")
    assert ids_of(citizen.last) == SUMMARY


def test_yes_is_a_word_of_the_request_when_nothing_was_asked() -> None:
    citizen = summarised()
    citizen.go("Una cosa més", "sí")
    assert not citizen.sent
    assert citizen.wait() and "> sí" in body_of(citizen.last)


@pytest.mark.parametrize(
    "typed", ["Hola", "Bon dia!", "regidories", "informació", "platja", "ajuda", "7", "12 bis"]
)
def test_inside_a_request_names_and_greetings_are_the_citizens_words(typed: str) -> None:
    citizen = writing()
    citizen.go("El text de debò", typed, ".", "envia")
    assert citizen.sent[0].words == f"El text de debò\n\n{typed}"


@pytest.mark.parametrize("typed", ["Hola", "Bon dia! 👋"])
def test_a_greeting_alone_is_no_request(typed: str) -> None:
    citizen = writing()
    citizen.go(typed, ".", "envia")
    assert not citizen.sent
    citizen.go("Hi ha un sot", ".", "envia")
    assert citizen.sent[0].words == f"{typed}\n\nHi ha un sot"


@pytest.mark.parametrize("typed", ["English", "idioma", "castellà"])
def test_the_language_can_be_changed_inside_a_request(typed: str) -> None:
    citizen = writing()
    citizen.go("Un text que no es perd", typed)
    if typed == "idioma":
        citizen.go("lang:es")
    assert ids_of(citizen.last) == SUMMARY and "Un text que no es perd" in body_of(citizen.last)
    assert citizen.state.language != "ca"
    begun = writing()
    begun.go("English")
    assert body_of(begun.last).startswith("Write your message to the mayor")


def test_a_number_after_asked_for_the_place_is_part_of_an_address() -> None:
    citizen = writing("menu:incident")
    citizen.go("Hi ha un sot", ".", "draft:location", "Carrer Major", "3", ".", "envia")
    assert citizen.sent[0].words == "Hi ha un sot\n\nCarrer Major\n\n3"


# --- outside of a request --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["Gràcies!", "moltes gràcies", "ok", "👍", "Thanks", "Adéu", "perfecto, gracias"]
)
def test_thanks_are_answered_as_thanks(typed: str) -> None:
    citizen = summarised()
    citizen.go("envia", typed)
    assert ids_of(citizen.last) == ["menu:home"] and "entès" not in body_of(citizen.last)


@pytest.mark.parametrize(
    "typed",
    ["BAIXA", "Baja", "stop", "No accepto", "no acepto", "I do not accept", "retiro el meu consentiment"],
)
def test_consent_is_withdrawn_as_easily_as_given(typed: str) -> None:
    citizen = accepted()
    citizen.type(typed)
    assert citizen.state.consent == "no" and ids_of(citizen.last) == ["consent:yes"]


@pytest.mark.parametrize(("language", "word"), [("ca", "«BAIXA»"), ("es", "«BAJA»"), ("en", "“STOP”")])
def test_the_message_says_the_word_that_withdraws_consent(language: str, word: str) -> None:
    told = newcomer()
    told.go("hola", f"lang:{language}")
    button = ids_of(told.last).index("consent:no")
    title = told.last.buttons[button].title.partition(" ")[2]  # type: ignore[union-attr]
    assert word in body_of(told.last) and words.fold(word) in words.LEAVE
    assert words.fold(title) in words.WITHDRAW


def test_pages_are_turned_by_typing() -> None:
    people = tuple(
        TOWN.councillors[0].model_copy(update={"key": f"c{n}", "name": f"Persona {n}"}) for n in range(25)
    )
    citizen = accepted(TOWN.model_copy(update={"councillors": people}))
    citizen.go("regidories", "més")
    assert "choice:c7" in ids_of(citizen.last)
    citizen.go("Més opcions", "anteriors")
    assert "choice:c7" in ids_of(citizen.last)
    citizen.go("menú")
    assert "menu:mayor" in ids_of(citizen.last) and citizen.state.turns == ("", "")


@pytest.mark.parametrize("typed", ["hola", "alcaldia", "4", "?"])
def test_an_empty_request_of_long_ago_takes_no_greeting_in(typed: str) -> None:
    citizen = writing("menu:mailbox")
    citizen.later(7)
    citizen.go(typed)
    if typed != "4":
        assert citizen.said[-1].message and not (citizen.state.draft and citizen.state.draft.items)
    citizen = writing("menu:mailbox")
    citizen.later(7)
    citizen.go("Finalment us escric el que volia", ".")
    assert ids_of(citizen.last) == SUMMARY, "words still go to whom they were meant for"


def test_reading_a_page_leaves_an_empty_request() -> None:
    citizen = writing("menu:mayor")
    citizen.go("menu:info", "1", "Moltes gràcies per la informació", ".")
    assert "menu:incident" in ids_of(citizen.last), "asked to whom it goes, not sent to the mayor"


def test_a_lying_draft_is_not_woken_by_a_sticker_or_an_old_menu() -> None:
    citizen = summarised()
    citizen.later(30)
    citizen.type(" ")
    citizen.wait()
    citizen.go("Una altra cosa d'avui", ".")
    assert ids_of(citizen.last) == LYING and len(citizen.state.held) == 1
    citizen.go("menu:mayor")
    assert ids_of(citizen.last) == LYING and len(citizen.state.held) == 1
    citizen.go("draft:keep", "envia")
    assert citizen.sent[0].words == "Gràcies per arreglar la plaça\n\nUna altra cosa d'avui"


@pytest.mark.parametrize(
    "typed", ["hola", "x", "on és l'ajuntament?", "…", "4", "no", "<b>", "\u202e", "1.", "ºª", "?"]
)
@pytest.mark.parametrize(
    "begin", [[], ["menu:mayor"], ["menu:mayor", "un text", "."], ["un text ben llarg", "."]]
)
def test_never_silence(begin: list[str], typed: str) -> None:
    citizen = accepted()
    citizen.go(*begin)
    at = len(citizen.done)
    citizen.type(typed)
    assert any(isinstance(e, Say | Wake | Submit) for e in citizen.done[at:])
