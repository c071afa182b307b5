"""The data-protection message comes first, and nothing before «yes» is kept."""

from __future__ import annotations

import pytest

from connector.core.events import Consented, Fetch, Submit, Wake
from connector.core.incoming import ReactionIn, UnsupportedIn

from .talk import TOWN, accepted, body_of, ids_of, newcomer, writing

LAW = {
    "ca": (
        "Responsable",
        "Per a què",
        "Base legal",
        "Quant de temps",
        "drets",
        "Reclamacions",
        "emergències",
        "registre",
    ),
    "es": (
        "Responsable",
        "Para qué",
        "Base legal",
        "Cuánto tiempo",
        "derechos",
        "Reclamaciones",
        "emergencias",
        "registro",
    ),
    "en": (
        "responsible",
        "What for",
        "Legal basis",
        "ow long",
        "rights",
        "omplaints",
        "emergency",
        "registry",
    ),
}


@pytest.mark.parametrize("language", LAW)
def test_it_says_what_the_law_asks_for(language: str) -> None:
    citizen = newcomer()
    citizen.type("Hola")
    citizen.tap(f"lang:{language}")
    text = body_of(citizen.last)
    for word in (*LAW[language], "112", TOWN.channel.e_office, TOWN.consent.policy_url, TOWN.consent.contact,
                 TOWN.consent.controller, TOWN.consent.authority):  # fmt: skip
        assert word in text, word
    assert len(text) <= 1024


@pytest.mark.parametrize(
    "begin", ["Hola", "Vull queixar-me dels sorolls", "1", "", "menú", "BAIXA", "consent:yes"]
)
def test_whatever_somebody_new_writes_it_comes_first(begin: str) -> None:
    citizen = newcomer()
    citizen.type(begin)
    assert ids_of(citizen.last)[:2] == ["consent:yes", "consent:no"]
    assert citizen.state.consent == "asked"


@pytest.mark.parametrize(
    ("greeting", "language"),
    [("Hola", "ca"), ("Buenas tardes", "es"), ("Hello!", "en"), ("bon dia", "ca"), ("你好", "ca")],
)
def test_a_greeting_chooses_the_language(greeting: str, language: str) -> None:
    citizen = newcomer()
    citizen.type(greeting)
    assert citizen.state.language == language


def test_nothing_before_yes_is_kept() -> None:
    citizen = newcomer()
    citizen.type("Em dic Maria i tinc un problema greu")
    citizen.photo("la meva cara")
    citizen.place()
    assert not [e for e in citizen.done if isinstance(e, Fetch | Submit | Wake)]
    kept = citizen.state.model_dump_json()
    assert not any(word in kept for word in ("Maria", "cara", "41.62", "Carrer"))
    citizen.tap("consent:yes")
    assert "torna" in body_of(citizen.last), "the person is told to write it again"


def test_a_burst_of_somebody_new_gets_one_message() -> None:
    citizen = newcomer()
    for text in ("Hola", "bon dia", "hi ha algú?"):
        citizen.type(text)
    assert len(citizen.said) == 1
    citizen.later(1)
    citizen.type("Ei")
    assert len(citizen.said) == 2, "later it is asked again: never silence"


@pytest.mark.parametrize("yes", ["1", "sí", "Accepto", "ACEPTO", "I accept", "d'acord", "ok"])
def test_yes_by_typing(yes: str) -> None:
    citizen = newcomer()
    citizen.type("Hola")
    citizen.type(yes)
    assert citizen.state.consent == "yes" and "menu:mayor" in ids_of(citizen.last)
    assert [e.given for e in citizen.done if isinstance(e, Consented)] == [True]


@pytest.mark.parametrize("no", ["2", "no", "No accepto", "no, gràcies"])
def test_a_refusal_is_friendly_and_can_be_taken_back(no: str) -> None:
    citizen = newcomer()
    citizen.type("Hola")
    citizen.type(no)
    assert citizen.state.consent == "no"
    assert "600 000" in body_of(citizen.last) or "example.org" in body_of(citizen.last), (
        "another way is named"
    )
    citizen.later(24 * 20)
    citizen.tap("consent:yes")
    if citizen.state.consent != "yes":
        citizen.tap("consent:yes")
    assert citizen.state.consent == "yes"


def test_withdrawing_later_forgets_the_draft() -> None:
    citizen = writing()
    citizen.type("Un secret que ja no vull enviar")
    citizen.tap("consent:no")
    assert citizen.state.consent == "no"
    assert "secret" not in citizen.state.model_dump_json()


def test_a_new_text_is_asked_about_again() -> None:
    citizen = accepted()
    newer = TOWN.model_copy(update={"consent": TOWN.consent.model_copy(update={"version": "the next"})})
    citizen.talk = newcomer(newer).talk
    citizen.type("Hola")
    assert ids_of(citizen.last)[:2] == ["consent:yes", "consent:no"]
    citizen.tap("consent:yes")
    assert citizen.state.consent_version == "the next"


def test_what_needs_no_answer_gets_none_before_consent() -> None:
    citizen = newcomer()
    citizen.send(ReactionIn("👍", "wamid.x"))
    assert not citizen.said
    citizen.send(UnsupportedIn("poll_creation"))
    assert citizen.state.consent == "asked"
