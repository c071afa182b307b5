"""Subscribing: asked in clear words and agreed to twice, seen at any time, left in one step."""

from __future__ import annotations

import hashlib

import pytest

from connector.core.board import Board, Copy, Item
from connector.core.events import Consented, Forget, Joined, Left, Shown
from connector.core.incoming import ReplyIn
from connector.core.outgoing import ButtonsOut
from connector.core.topics import Topic

from .talk import TOWN, Citizen, accepted, body_of, ids_of, newcomer, writing


def subscribed(*topics: str, language: str = "") -> Citizen:
    citizen = accepted(language=language)
    for topic in topics or ("news",):
        citizen.tap(f"topic:{topic}")
        citizen.tap(f"topic:{topic}:yes")
    return citizen


@pytest.mark.parametrize("language", TOWN.languages)
def test_only_what_was_shown_is_agreed_to_and_it_says_all_of_it(language: str) -> None:
    citizen = accepted(language=language)
    citizen.go("6", "1")
    text = body_of(citizen.last)
    for word in (
        TOWN.channel.name,
        TOWN.consent.policy_url,
        "8:00-21:00",
        " 2 ",
        citizen.talk.town.subject("news", language),
    ):
        assert word in text, word
    assert any(word in text for word in ("BAIXA", "BAJA", "STOP"))
    assert isinstance(citizen.last, ButtonsOut) and not citizen.topics, "one tap subscribes to nothing"
    (shown,) = [e for e in citizen.done if isinstance(e, Shown) and e.text == text]
    citizen.type("1")
    (joined,) = [e for e in citizen.done if isinstance(e, Joined)]
    assert (joined.topic, joined.digest, joined.language) == ("news", shown.digest, language)
    assert shown.digest == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("way", ["topic:news:yes", "sí", "1", "👍"])
def test_yes_by_tap_and_by_typing(way: str) -> None:
    citizen = accepted()
    citizen.go("topic:news", way)
    assert citizen.topics == ("news",) and "Totes les notícies" in body_of(citizen.last)


@pytest.mark.parametrize("way", ["topic:home", "no", "2", "0", "menú"])
def test_no_subscribes_to_nothing(way: str) -> None:
    citizen = accepted()
    citizen.go("topic:news", way)
    assert citizen.topics == ()


def test_an_old_button_shows_the_text_again() -> None:
    citizen = accepted()
    citizen.go("topic:news", "topic:notices")
    citizen.tap("topic:news:yes")
    assert citizen.topics == () and ids_of(citizen.last)[0] == "topic:news:yes"
    citizen.tap("topic:news:yes")
    assert citizen.topics == ("news",)


def test_what_is_received_is_seen_in_the_menu_and_in_my_data() -> None:
    citizen = subscribed("news", "neighbourhood/platja")
    for way in ("6", "subscripcions", "mis suscripciones", "topic:home"):
        citizen.go("0", way)
        assert "*Reps:* Totes les notícies, El meu barri: Platja." in body_of(citizen.last), way
    assert ids_of(citizen.last)[-2:] == ["topic:stop", "menu:home"]
    citizen.go("data:home")
    assert "El meu barri: Platja" in body_of(citizen.last) and "topic:home" in ids_of(citizen.last)


def test_neighbourhoods_are_chosen_one_by_one() -> None:
    citizen = accepted()
    citizen.go("topic:neighbourhood", "2", "sí", "topic:neighbourhood", "topic:neighbourhood/centre", "sí")
    assert citizen.topics == ("neighbourhood/platja", "neighbourhood/centre")
    citizen.go("topic:neighbourhood/platja", "topic:neighbourhood/platja:no")
    assert citizen.topics == ("neighbourhood/centre",) and citizen.outcome.endswith("left")
    (left,) = [e for e in citizen.done if isinstance(e, Left)]
    assert not left.last


@pytest.mark.parametrize("word", ["BAIXA", "baja", "Stop", "topic:stop"])
def test_news_are_left_in_one_step_and_nothing_else_is(word: str) -> None:
    citizen = subscribed("news", "notices")
    citizen.go(word)
    assert citizen.topics == () and citizen.state.consent == "yes"
    (left,) = [e for e in citizen.done if isinstance(e, Left)]
    assert left.last and left.topics == ("news", "notices")
    assert ids_of(citizen.last) == ["data:leave", "topic:home", "menu:home"], (
        "the channel, too, is a tap away"
    )
    citizen.go("BAIXA")
    assert citizen.state.consent == "no", "and the same word again leaves that"


def test_it_does_not_touch_what_is_being_written() -> None:
    citizen = writing()
    citizen.topics = ("news",)
    citizen.photo("la foto")
    citizen.type("BAIXA")
    assert citizen.topics == () and "no es perd" in body_of(citizen.last)
    assert citizen.state.draft is not None and citizen.state.draft.items
    assert not [e for e in citizen.done if isinstance(e, Forget)]


@pytest.mark.parametrize("word", ["BAIXA", "topic:stop"])
def test_also_while_a_new_text_is_asked_about(word: str) -> None:
    citizen = subscribed()
    newer = TOWN.model_copy(update={"consent": TOWN.consent.model_copy(update={"version": "the next"})})
    citizen.talk = newcomer(newer).talk
    citizen.go(word)
    assert citizen.topics == () and not [e for e in citizen.done if isinstance(e, Consented)][1:]


def test_who_receives_nothing_is_told_so() -> None:
    citizen = accepted()
    citizen.tap("topic:stop")
    assert "No reps cap" in body_of(citizen.last) and not [e for e in citizen.done if isinstance(e, Left)]


def test_a_topic_that_is_gone_is_an_outdated_option_and_can_still_be_left() -> None:
    citizen = accepted()
    citizen.topics = ("gone",)
    citizen.tap("topic:gone")
    assert citizen.outcome == "outdated option: menu"
    citizen.type("BAIXA")
    assert citizen.topics == ()


def test_stopped_in_whatsapp_itself_is_said() -> None:
    citizen = subscribed()
    citizen.send(ReplyIn("topic:home", ""), blocked=True)
    assert "has aturat" in body_of(citizen.last)


def test_many_topics_are_paged() -> None:
    topics = tuple(Topic(key=f"t{n}", title={"*": f"Tema {n}"}) for n in range(14))
    citizen = accepted(TOWN.model_copy(update={"topics": topics}))
    citizen.go("topic:home", "més", "9")
    assert ids_of(citizen.last)[0] == "topic:t8:yes"


def test_a_page_of_news_offers_to_have_them_sent() -> None:
    citizen = accepted()
    citizen.board = Board({"news": Copy((Item("a1", "Obre la piscina", at=citizen.now),), citizen.now)})
    citizen.tap("page:news")
    assert ids_of(citizen.last) == ["topic:news", "menu:info", "menu:home"]
