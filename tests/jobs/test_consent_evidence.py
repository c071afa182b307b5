"""What people decide becomes evidence in the step that carries it out; a withdrawal takes the address everywhere."""

from __future__ import annotations

import hashlib

from connector.core.conversation import Conversation
from connector.storage import consents
from connector.storage.consents import Evidence

from .rig import Citizen, Rig, words


def evidence(rig: Rig, who: int) -> list[Evidence]:
    return rig.demo.service.store.read_now(lambda c: consents.of(c, rig.town.name, who))


def pseudonym(rig: Rig, wamid: str) -> str:
    return rig.demo.service.store.pseudonyms.of(f"wamid:{rig.town.name}", wamid)


def notice(citizen: Citizen) -> str:
    """The newest data-protection message on the phone."""
    asked = [m for m in citizen.got() if m["type"] == "interactive" and "consent:yes" in str(m["content"])]
    return words(asked[-1])


def test_every_decision_is_kept_with_the_words_that_were_on_the_phone(rig: Rig) -> None:
    citizen = rig.citizen()
    citizen.type("Hola")
    shown = notice(citizen)
    yes = citizen.tap("consent:yes")
    who = rig.person_id(citizen)
    no = citizen.type("BAIXA")
    given, withdrawn = evidence(rig, who)
    assert (given.purpose, given.action, given.version, given.language) == (
        "service",
        "given",
        "2026-11",
        "ca",
    )
    assert given.text == withdrawn.text == shown
    assert given.digest == hashlib.sha256(shown.encode()).hexdigest()
    assert (given.message_key, withdrawn.message_key) == (pseudonym(rig, yes), pseudonym(rig, no))
    assert withdrawn.action == "withdrawn" and given.at <= withdrawn.at


def test_a_new_text_is_asked_about_and_its_answer_is_evidence_of_that_text(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    who = rig.person_id(citizen)
    before, town = rig.town.conversation, rig.town.town
    newer = town.consent.model_copy(update={"version": "the next", "controller": "Consell Comarcal"})
    rig.town.conversation = Conversation(
        town.model_copy(update={"consent": newer}), rig.town.texts, before.new_id
    )
    try:
        citizen.type("Hola")
        shown = notice(citizen)
        citizen.tap("consent:yes")
    finally:
        rig.town.conversation = before
    assert "Consell Comarcal" in shown
    assert [(e.action, e.version) for e in evidence(rig, who)] == [
        ("given", "2026-11"),
        ("given", "the next"),
    ]
    assert evidence(rig, who)[1].text == shown


def test_who_withdraws_loses_the_news_too_and_no_address_stays_in_what_was_sent(rig: Rig) -> None:
    citizen = rig.citizen()
    citizen.accept()
    who = rig.person_id(citizen)
    terms = consents.Terms("news-1", "ca", "d")
    rig.demo.service.store.write_now(lambda c: consents.give(c, rig.town.name, who, terms, rig.now()))
    # as when a phone is off: WhatsApp took it, and said no more
    rig.change("UPDATE message SET state = 'accepted' WHERE person_id = ? AND direction = 'out'", who)
    sealed = rig.town.store.sealer.seal({"phone": "34600000001"})
    rig.change("UPDATE work SET payload = ? WHERE lane = ? AND kind = 'send'", sealed, f"out:{who}")
    citizen.tap("data:home")
    citizen.tap("data:leave")
    citizen.tap("data:withdraw")
    found = [(e.purpose, e.action) for e in evidence(rig, who)]
    assert found == [("service", "given"), ("news", "given"), ("service", "withdrawn"), ("news", "withdrawn")]
    kept = rig.sql("SELECT key FROM work WHERE lane = ? AND payload IS NOT NULL", f"out:{who}")
    assert rig.sql("SELECT contact FROM person WHERE id = ?", who) == [(None,)] and kept == []
