"""Evidence of consent: who said what to which text, found by person while known and by pseudonym after that."""

from __future__ import annotations

import pytest

from connector.core.address import Address
from connector.core.state import State
from connector.storage import consents, people
from connector.storage.consents import Evidence, Terms
from connector.storage.store import Connection, Store

HIDDEN = Address("ES.10000000000000000001")
WHO = Address("ES.10000000000000000001", "34600000001")
OTHER = Address("ES.20000000000000000002", "34600000001")
SERVICE = Terms("2026-11", "ca", "d1", "m1")
NEWS = Terms("news-1", "ca", "d2", "m2")


def a_person(store: Store, address: Address = WHO) -> int:
    return store.write_now(lambda c: people.create(c, store.pseudonyms, store.sealer, "t", address, 1).id)


def of(store: Store, who: int | None, address: Address | None = None) -> list[Evidence]:
    keys = people.keys_of(store.pseudonyms, "t", address) if address else ()
    return store.read_now(lambda c: consents.of(c, "t", who, keys))


def test_each_purpose_stands_on_its_own(store: Store) -> None:
    who = a_person(store)
    seen = []

    def play(c: Connection) -> None:
        def look() -> None:
            seen.append((consents.standing(c, "t", who, "service"), consents.standing(c, "t", who, "news")))

        look()
        consents.note(c, "t", who, "service", "given", SERVICE, 1)
        look()
        assert consents.give(c, "t", who, NEWS, 2) and not consents.give(c, "t", who, NEWS, 3)
        look()
        assert consents.withdraw(c, "t", who, NEWS, 4) and not consents.withdraw(c, "t", who, NEWS, 5)
        look()
        assert consents.give(c, "t", who, NEWS, 6)
        consents.note(c, "t", who, "service", "withdrawn", SERVICE, 7)
        look()

    store.write_now(play)
    assert seen == [(False, False), (True, False), (True, True), (True, False), (False, True)]
    found = [(e.purpose, e.action, e.at) for e in of(store, who)]
    assert found == [
        ("service", "given", 1), ("news", "given", 2), ("news", "withdrawn", 4), ("news", "given", 6),
        ("service", "withdrawn", 7),
    ]  # fmt: skip


def test_the_words_that_were_shown_are_kept_once_a_version(store: Store) -> None:
    who = a_person(store)

    def play(c: Connection) -> None:
        for version in ("2026-11", "2026-11", "2027-01"):
            consents.show(c, "t", version, "ca", "d1", "Hola! Ho acceptes?", 1)
        consents.note(c, "t", who, "service", "given", SERVICE, 2)
        consents.note(c, "t", who, "service", "withdrawn", Terms("2026-11", "es", ""), 3)

    store.write_now(play)
    given, withdrawn = of(store, who)
    assert (given.text, given.digest, given.message_key) == ("Hola! Ho acceptes?", "d1", "m1")
    assert withdrawn.text == "" and withdrawn.message_key is None
    assert not of(store, who + 1) and not of(store, None)


def test_somebody_forgotten_is_found_by_who_has_the_number_alone(store: Store) -> None:
    who = a_person(store)
    store.write_now(lambda c: consents.note(c, "t", who, "service", "given", SERVICE, 1))
    assert not of(store, None, WHO), "as long as somebody is known, they are found as that"
    assert store.write_now(lambda c: consents.part(c, who, 100)) == 1
    assert not of(store, who)
    for address in (WHO, HIDDEN, Address(phone=WHO.phone)):
        assert [e.ended_at for e in of(store, None, address)] == [100]
    assert not of(store, None, OTHER), "the number is somebody else's now, with another user id"
    assert not store.read_now(lambda c: consents.of(c, "u", None, people.keys_of(store.pseudonyms, "t", WHO)))


def test_it_goes_when_its_own_time_is_over_counted_from_when_the_person_was_forgotten(store: Store) -> None:
    who, known = a_person(store), a_person(store, Address("ES.30000000000000000003"))
    for n in (who, known):
        store.write_now(lambda c, n=n: consents.note(c, "t", n, "service", "given", SERVICE, 1))  # type: ignore[misc]
    store.write_now(lambda c: consents.part(c, who, 100))
    outdated = lambda before: store.read_now(lambda c: consents.outdated(c, "t", before))  # noqa: E731
    assert (outdated(100), outdated(101)) == (0, 1)
    assert store.write_now(lambda c: consents.drop(c, "u", 101)) == 0
    assert store.write_now(lambda c: consents.drop(c, "t", 101)) == 1
    assert not of(store, None, WHO) and len(of(store, known)) == 1


@pytest.mark.parametrize(("consent", "action"), [("yes", "given"), ("no", "refused"), ("asked", None)])
def test_what_an_older_release_noted_in_the_state_becomes_evidence_once(
    store: Store, consent: str, action: str | None
) -> None:
    who = a_person(store)
    state = State(language="es", consent=consent, consent_version="v1", consent_at=5, consent_message="m0")  # type: ignore[arg-type]
    for _ in range(2):
        store.write_now(lambda c: consents.catch_up(c, "t", who, state))
    found = [(e.action, e.version, e.language, e.digest, e.message_key, e.at) for e in of(store, who)]
    assert found == ([(action, "v1", "es", "", "m0", 5)] if action else [])
