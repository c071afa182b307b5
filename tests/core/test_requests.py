"""Writing a request: any kind, order and number; one summary; drafts that lie; what cannot be taken."""

from __future__ import annotations

import itertools

import pytest

from connector.core.address import Address
from connector.core.events import Fetch, Forget, Message, Moved, NoteStaff
from connector.core.incoming import (
    AddressChangedIn,
    ContactsIn,
    Content,
    EditIn,
    MediaKind,
    ReactionIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)

from .talk import TOWN, accepted, body_of, ids_of, newcomer, writing

BUTTONS = ["draft:send", "draft:location", "draft:cancel"]
PIECES = {
    "text": lambda c: c.type("Hi ha un forat al carrer de la Riera"),
    "photo": lambda c: c.photo(),
    "captioned": lambda c: c.photo("mireu-ho bé"),
    "document": lambda c: c.photo(kind=MediaKind.DOCUMENT),
    "video": lambda c: c.photo(kind=MediaKind.VIDEO),
    "voice": lambda c: c.photo(kind=MediaKind.AUDIO, voice=True),
    "place": lambda c: c.place(),
}


@pytest.mark.parametrize("order", list(itertools.permutations(["text", "photo", "place", "voice"])))
def test_any_order_makes_one_summary_and_one_whole_request(order: tuple[str, ...]) -> None:
    citizen = writing("menu:incident")
    before = len(citizen.said)
    for piece in order:
        assert PIECES[piece](citizen) == [], "no message for each piece"
    citizen.wait()
    assert len(citizen.said) == before + 1 and ids_of(citizen.last) == BUTTONS
    text = body_of(citizen.last)
    assert "forat" in text and "1 foto" in text and "1 àudio" in text and "1 lloc" in text
    citizen.tap("draft:send", about=citizen.said[-1].about)
    (sent,) = citizen.sent
    assert sent.words == "Hi ha un forat al carrer de la Riera"
    assert len(sent.files) == 2 and len(sent.places) == 1 and len(sent.keys) == 4
    assert citizen.state.draft is None


@pytest.mark.parametrize(
    "pieces", [["text"] * 3, ["photo"] * 5 + ["text"], ["captioned"], ["document", "video", "text"]]
)
def test_any_number(pieces: list[str]) -> None:
    citizen = writing()
    for piece in pieces:
        PIECES[piece](citizen)
    citizen.wait()
    citizen.type("1")
    (sent,) = citizen.sent
    assert len(sent.files) == sum(p in ("photo", "captioned", "document", "video") for p in pieces)
    assert len([e for e in citizen.done if isinstance(e, Fetch)]) == len(sent.files)


@pytest.mark.parametrize(
    ("path", "option", "councillor"),
    [
        (["2"], "mayor", ""),
        (["3", "1"], "councillor", "centre"),
        (["3", "Laia Regidora Platja"], "councillor", "platja"),
        (["regidories", "muntanya"], "councillor", "muntanya"),
        (["4"], "incident", ""),
        (["5"], "mailbox", ""),
    ],
)
@pytest.mark.parametrize("language", TOWN.languages)
def test_every_way_ends_in_its_request_with_the_fewest_messages(
    path: list[str], option: str, councillor: str, language: str
) -> None:
    citizen = newcomer()
    citizen.type("Hola")
    if language != "ca":
        citizen.type("3"), citizen.type({"es": "castellano", "en": "english"}[language])
    extra = len(citizen.said) - 1
    citizen.type("1")
    for step in path:
        citizen.type(step)
    citizen.type("Això és el que vull dir")
    citizen.wait()
    citizen.type("1")
    (sent,) = citizen.sent
    assert (sent.option, sent.councillor, sent.language) == (option, councillor, language)
    chosen = 1 if option == "councillor" else 0
    assert len(citizen.said) + 1 - extra - chosen <= 5, "with the receipt, for somebody new"
    begun = len(citizen.said)
    citizen.type("hola")
    for step in path:
        citizen.type(step)
    citizen.type("I una altra cosa més")
    citizen.wait()
    citizen.type("1")
    assert len(citizen.said) - begun + 1 - chosen <= 4, "with the receipt, for somebody who comes back"


def test_a_request_without_text_is_asked_for_one() -> None:
    citizen = writing()
    citizen.photo()
    citizen.wait()
    citizen.tap("draft:send")
    assert not citizen.sent and "text" in body_of(citizen.last).lower()
    citizen.type("Ara sí que ho explico")
    citizen.wait()
    citizen.tap("draft:send")
    assert len(citizen.sent) == 1


def test_an_empty_message_is_asked_about() -> None:
    citizen = writing()
    citizen.type(" \n\u200b ")
    assert citizen.wait() and not citizen.sent


def test_a_voice_note_stands_for_the_text_once_it_was_asked_for() -> None:
    citizen = writing()
    citizen.photo(kind=MediaKind.AUDIO, voice=True)
    citizen.wait()
    for _ in range(2):
        if not citizen.sent:
            citizen.tap("draft:send")
    assert len(citizen.sent) == 1


def test_cancelling_sends_nothing_and_forgets_the_files() -> None:
    citizen = writing()
    citizen.photo("una foto")
    citizen.wait()
    citizen.tap("draft:cancel")
    assert not citizen.sent and citizen.state.draft is None
    assert any(isinstance(e, Forget) and e.refs for e in citizen.done)
    assert "menu:mayor" in ids_of(citizen.last)


@pytest.mark.parametrize("decision", ["draft:keep", "draft:send", "draft:cancel"])
def test_a_draft_left_lying_is_asked_about_and_nothing_is_lost(decision: str) -> None:
    citizen = writing()
    citizen.type("El meu text d'ahir al matí")
    citizen.wait()
    citizen.later(30)
    citizen.type("Avui escric una altra cosa")
    assert citizen.wait() and ids_of(citizen.last) == ["draft:keep", "draft:send", "draft:cancel"]
    citizen.tap(decision)
    kept = citizen.state.model_dump_json()
    assert "Avui escric" in kept, "what came meanwhile is there in any case"
    match decision:
        case "draft:keep":
            assert ids_of(citizen.last) == BUTTONS and "ahir" in kept
        case "draft:send":
            assert [s.words for s in citizen.sent] == ["El meu text d'ahir al matí"]
        case _:
            assert "ahir" not in kept and not citizen.sent


def test_leaving_for_the_menu_asks_what_to_do_with_the_draft() -> None:
    citizen = writing()
    citizen.type("A mig escriure una cosa")
    citizen.type("menú")
    assert "draft:keep" in ids_of(citizen.last) and citizen.state.draft is not None


def test_what_comes_before_choosing_is_kept_and_asked_to_whom_it_goes() -> None:
    citizen = accepted()
    citizen.photo()
    citizen.type("Hi ha un arbre caigut a la plaça")
    assert (
        citizen.wait() and "menu:incident" in ids_of(citizen.last) and "menu:info" not in ids_of(citizen.last)
    )
    citizen.tap("menu:incident", about=citizen.said[-1].about)
    assert ids_of(citizen.last) == BUTTONS and "arbre" in body_of(citizen.last)
    citizen.tap("draft:send")
    assert len(citizen.sent[0].files) == 1


def test_a_summary_of_another_draft_sends_nothing() -> None:
    citizen = writing()
    citizen.type("El primer missatge meu")
    citizen.wait()
    old = citizen.said[-1].about
    citizen.tap("draft:send", about=old)
    citizen.tap("menu:mayor")
    citizen.type("El segon, a mig fer")
    citizen.wait()
    citizen.tap("draft:send", about=old)
    assert len(citizen.sent) == 1 and "menu:mayor" in ids_of(citizen.last)


@pytest.mark.parametrize(
    "content",
    [ContactsIn(("Algú",)), UnsupportedIn("poll_creation", 131051), UnsupportedIn("", 131052), UnsupportedIn("", 131060),
     UnknownIn("hologram"), UnknownIn("order")],
)  # fmt: skip
def test_what_cannot_be_taken_is_said(content: Content) -> None:
    citizen = writing()
    citizen.type("Un text del tot normal")
    citizen.send(content)
    assert citizen.wait() and citizen.outcomes[-2].startswith("cannot be taken")
    plain = writing()
    plain.type("Un text del tot normal")
    plain.wait()
    assert body_of(citizen.last) != body_of(plain.last), "the summary says what was left out"
    outside = accepted()
    assert outside.send(content), "with no request open it is said at once"


def test_edits_and_deletions_in_the_draft_and_after() -> None:
    citizen = writing()
    citizen.type("Carrer Major, 12, hi ha un forat")
    citizen.send(EditIn("wamid.x", TextIn("Carrer Major, 21, hi ha un forat")), original_key="k4")
    citizen.wait()
    assert "21" in body_of(citizen.last) and " 12" not in body_of(citizen.last)
    citizen.send(RevokeIn("wamid.x"), original_key="k4")
    citizen.wait()
    assert "forat" not in body_of(citizen.last)
    sent = accepted()
    assert (
        "SCV-7K3F-9Q" in sent.send(EditIn("w", TextIn("x")), original="SCV-7K3F-9Q", original_key="gone")[0]
    )
    assert "SCV-7K3F-9Q" in sent.send(RevokeIn("w"), original="SCV-7K3F-9Q", original_key="gone")[0]


def test_a_reaction_to_an_answer_is_told_to_staff() -> None:
    citizen = accepted()
    citizen.send(ReactionIn("👍", "wamid.o"), about="SCV-7K3F-9Q")
    assert [e.reference for e in citizen.done if isinstance(e, NoteStaff)] == ["SCV-7K3F-9Q"]
    assert citizen.send(ReactionIn("", "wamid.o"), about="SCV-7K3F-9Q") == []


def test_a_changed_address_is_followed_and_a_group_is_not_answered() -> None:
    citizen = accepted()
    citizen.send(AddressChangedIn(Address(phone="34600000009")))
    assert [e.new.phone for e in citizen.done if isinstance(e, Moved)] == ["34600000009"]
    before = citizen.state
    inbound = Message(_group(citizen), "k99")
    assert citizen.step(inbound) == [] and citizen.state == before


def _group(citizen: object) -> object:
    from dataclasses import replace
    from datetime import UTC, datetime

    from connector.core.incoming import Inbound

    made = Inbound("wamid.g", datetime.now(UTC), Address(phone="34600000001"), "1", TextIn("Hola grup"))
    return replace(made, group=True)
