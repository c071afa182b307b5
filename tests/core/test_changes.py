"""What changes under a conversation: a new consent text, another mapping, edited messages, old buttons."""

from __future__ import annotations

import pytest

from connector.core.events import Consented, Fetch, Forget, Say
from connector.core.incoming import (
    EditIn,
    MediaIn,
    MediaKind,
    ReplyIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)
from connector.core.town import Town

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer, talk_of, writing

SUMMARY = ["draft:send", "draft:location", "draft:cancel"]
ASKED = ["consent:yes", "consent:no", "lang:menu"]


def with_version(version: str) -> Town:
    return TOWN.model_copy(update={"consent": TOWN.consent.model_copy(update={"version": version})})


def without(table: str, key: str) -> Town:
    rest = tuple(x for x in getattr(TOWN, table) if x.key != key)
    return TOWN.model_copy(update={table: rest})


def move(citizen: Citizen, town: Town) -> None:
    citizen.talk = talk_of(town)


# --- consent ---------------------------------------------------------------------------------------


def test_only_a_text_that_was_shown_can_be_accepted() -> None:
    citizen = newcomer()
    citizen.go("consent:yes")
    assert citizen.state.consent == "asked", "an old button, and the text was never shown"
    citizen.go("consent:no")
    move(citizen, with_version("the next"))
    citizen.go("consent:yes")
    assert citizen.state.consent == "asked" and ids_of(citizen.last) == ASKED
    citizen.go("consent:yes")
    assert citizen.state.consent == "yes"
    given = [e.version for e in citizen.done if isinstance(e, Consented) and e.given]
    assert given == ["the next"]


@pytest.mark.parametrize("answer", ["consent:yes", "consent:no"])
def test_a_new_text_in_the_midst_of_a_request(answer: str) -> None:
    citizen = writing()
    citizen.type("El que ja havia escrit")
    citizen.photo()
    citizen.wait()
    move(citizen, with_version("the next"))
    citizen.go("envia")
    assert ids_of(citizen.last) == ASKED and not citizen.sent
    citizen.type("Això s'escriu abans d'acceptar de nou")
    at = len(citizen.done)
    citizen.go(answer)
    if answer == "consent:yes":
        assert ids_of(citizen.last)[0] == "draft:keep" and "El que ja havia escrit" in body_of(citizen.last)
        assert any("torna-ho a enviar" in body_of(e.message) for e in citizen.done[at:] if isinstance(e, Say))
        citizen.go("draft:send")
        assert citizen.sent[0].words == "El que ja havia escrit"
    else:
        assert citizen.state.draft is None and "escrit" not in citizen.state.model_dump_json()
        assert [e for e in citizen.done[at:] if isinstance(e, Forget)]


@pytest.mark.parametrize("kind", ["tap", "type"])
def test_withdrawing_forgets_what_waits_too(kind: str) -> None:
    citizen = writing()
    citizen.go("El text de fa dies", ".")
    citizen.later(30)
    citizen.photo("la foto d'avui")
    assert citizen.state.held
    citizen.tap("consent:no") if kind == "tap" else citizen.type("no accepto")
    assert citizen.state.draft is None and not citizen.state.held
    assert [e.refs for e in citizen.done if isinstance(e, Forget)] == [(f"k{citizen.count - 1}",)]
    assert citizen.wait() == [], "the alarm that was set finds nothing to say"


@pytest.mark.parametrize(
    ("typed", "again"),
    [("Hola", False), ("menú", False), ("1", False), ("idioma", False), ("Hi ha un sot", True)],
)
def test_only_what_was_lost_has_to_be_written_again(typed: str, again: bool) -> None:
    citizen = newcomer()
    citizen.type(typed)
    citizen.tap("consent:yes")
    assert ("torna-ho a enviar" in body_of(citizen.last)) is again


# --- the mapping -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "town"),
    [
        (["menu:incident"], without("menu", "incident")),
        (["menu:councillor", "choice:platja"], without("councillors", "platja")),
        (["menu:councillor", "choice:platja"], without("menu", "councillor")),
    ],
)
@pytest.mark.parametrize("after", ["envia", "hola", ".", "continua", "lang:es"])
def test_when_the_receiver_is_gone_it_is_asked_to_whom(begin: list[str], town: Town, after: str) -> None:
    citizen = accepted()
    citizen.go(*begin, "El text que no s'ha de perdre")
    if after != ".":
        citizen.go(".")
    move(citizen, town)
    citizen.go(after)
    if after == "hola":
        citizen.wait()
    assert "menu:mayor" in ids_of(citizen.last) and ids_of(citizen.last)[-1] == "draft:cancel"
    citizen.go("menu:mayor", "envia")
    assert citizen.sent[0].option == "mayor" and "no s'ha de perdre" in citizen.sent[0].words


def test_a_receiver_gone_before_anything_was_written() -> None:
    citizen = writing("menu:incident")
    move(citizen, without("menu", "incident"))
    citizen.go("English")
    assert citizen.state.draft is None and "menu:mayor" in ids_of(citizen.last)


@pytest.mark.parametrize("length", [50, 2000])
def test_a_page_without_its_option_is_still_shown(length: int) -> None:
    page = TOWN.pages[0].model_copy(update={"body": {"*": "x" * length}})
    town = without("menu", "info").model_copy(update={"pages": (page,)})
    citizen = accepted(town)
    citizen.go(f"page:{page.key}")
    assert "x" * 40 in body_of(citizen.last)
    citizen.go("0")
    assert "menu:mayor" in ids_of(citizen.last)


def test_a_long_page_is_a_text_with_its_ways_written_under_it() -> None:
    page = TOWN.pages[0].model_copy(update={"body": {"*": "paraula " * 600}})
    citizen = accepted(TOWN.model_copy(update={"pages": (page,)}))
    citizen.go(f"page:{page.key}")
    assert body_of(citizen.last).endswith("*1.* Altres temes · *0.* Menú")
    citizen.go("1")
    assert ids_of(citizen.last) == [f"page:{page.key}", "menu:home"]


# --- old buttons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("old", ["draft:send", "draft:cancel"])
def test_a_button_nobody_remembers_does_nothing_blindly(old: str) -> None:
    citizen = writing()
    citizen.type("Encara no he vist cap resum d'això")
    citizen.tap(old)
    assert not citizen.sent and citizen.state.draft is not None
    assert ids_of(citizen.last) == SUMMARY, "it is shown first"
    assert citizen.wait() == [], "and not shown twice"


def test_read_the_answer() -> None:
    citizen = accepted()
    assert citizen.send(ReplyIn("reply:SCV-7K3F-9Q", ""), released=True) == [], "the answer itself goes out"
    (told,) = citizen.send(ReplyIn("reply:SCV-7K3F-9Q", ""))
    assert "amunt" in told


# --- messages edited and deleted -------------------------------------------------------------------


def test_a_command_put_right_is_understood() -> None:
    citizen = accepted()
    citizen.type("incidnècia")
    assert "No" in body_of(citizen.last) or "no" in body_of(citizen.last)
    citizen.send(EditIn("w", TextIn("incidència")), original_key=f"k{citizen.count}")
    assert citizen.state.draft is not None and citizen.state.draft.option == "incident"


def test_a_message_that_was_not_kept_becomes_one_when_edited_and_only_one() -> None:
    citizen = accepted()
    citizen.type("un sot")
    first = f"k{citizen.count}"
    citizen.send(EditIn("w", TextIn("Hi ha un sot al carrer Major")), original_key=first)
    citizen.send(EditIn("w", TextIn("Hi ha un sot al carrer Major, 3")), original_key=first)
    citizen.wait()
    citizen.go("menu:incident", "envia")
    assert citizen.sent[0].words == "Hi ha un sot al carrer Major, 3" and citizen.sent[0].keys == (first,)


def test_words_under_a_photo_can_be_edited() -> None:
    citizen = writing()
    citizen.photo("la farola")
    key = f"k{citizen.count}"
    citizen.send(
        EditIn("w", MediaIn(MediaKind.IMAGE, "m", "image/jpeg", caption="el fanal")), original_key=key
    )
    assert citizen.wait() and "> el fanal" in body_of(citizen.last)
    citizen.send(EditIn("w", MediaIn(MediaKind.IMAGE, "m", "image/jpeg")), original_key=key)
    assert citizen.wait() and ">" not in body_of(citizen.last)
    assert len([e for e in citizen.done if isinstance(e, Fetch)]) == 1


@pytest.mark.parametrize("new", [TextIn(" \u200b"), UnknownIn("hologram")])
def test_an_edit_that_cannot_be_read_is_said(new: TextIn | UnknownIn) -> None:
    citizen = writing()
    citizen.type("El text d'abans es queda")
    citizen.send(EditIn("w", new), original_key=f"k{citizen.count}")
    assert citizen.wait() and "El text d'abans" in body_of(citizen.last)
    assert "no podem rebre" in body_of(citizen.last)


def test_deleting_everything_before_it_was_asked_to_whom_says_nothing() -> None:
    citizen = accepted()
    citizen.type("M'he equivocat de xat del tot")
    citizen.send(RevokeIn("w"), original_key=f"k{citizen.count}")
    assert citizen.wait() == [] and citizen.state.draft is None
    assert citizen.send(RevokeIn("w"), original_key="k1") == []


@pytest.mark.parametrize("lying", [False, True])
def test_a_message_delivered_twice_is_in_the_request_once(lying: bool) -> None:
    citizen = writing()
    citizen.go("El text de debò", ".")
    if lying:
        citizen.later(30)
    for _ in range(2):
        citizen.count = 20
        citizen.photo("una foto")
    citizen.go(".", "draft:keep", ".", "envia")
    assert len(citizen.sent[0].keys) == 2 and len(citizen.sent[0].files) == 1


def test_what_waits_can_be_edited_and_deleted() -> None:
    citizen = writing()
    citizen.go("El text de fa dies", ".")
    citizen.later(30)
    citizen.type("La cosa nova d'avui")
    key = f"k{citizen.count}"
    citizen.send(EditIn("w", TextIn("La cosa nova, corregida")), original_key=key)
    assert [i.text for i in citizen.state.held] == ["La cosa nova, corregida"]
    citizen.send(RevokeIn("w"), original_key=key)
    assert not citizen.state.held and citizen.state.draft is not None and citizen.state.draft.items


def test_what_cannot_be_taken_is_said_when_asking_to_whom() -> None:
    citizen = accepted()
    citizen.type("Hi ha un arbre caigut a la plaça")
    citizen.send(UnsupportedIn("image", 131052))
    assert citizen.wait() and "100 MB" in body_of(citizen.last) and "menu:incident" in ids_of(citizen.last)


def test_a_voice_note_alone_may_be_sent_and_the_person_is_told_how() -> None:
    citizen = writing()
    citizen.photo(kind=MediaKind.AUDIO, voice=True)
    assert citizen.wait() and "nota de veu" in body_of(citizen.last) and "«Envia»" in body_of(citizen.last)
    citizen.go("draft:send")
    assert len(citizen.sent) == 1 and citizen.sent[0].words == ""
    typed = writing()
    typed.photo(kind=MediaKind.AUDIO, voice=True)
    typed.go("envia")
    assert not typed.sent and "nota de veu" in body_of(typed.last)
    typed.go("envia")
    assert len(typed.sent) == 1


def test_a_required_place_is_asked_for_once() -> None:
    options = tuple(
        o.model_copy(update={"place": "required"}) if o.key == "incident" else o for o in TOWN.menu
    )
    citizen = accepted(TOWN.model_copy(update={"menu": options}))
    citizen.go("4", "Hi ha un sot enorme", ".", "envia")
    assert not citizen.sent and ids_of(citizen.last) == ["(place)"]
    citizen.go("Carrer Major, 3", ".", "envia")
    assert len(citizen.sent) == 1, "an address in words is as good"
