"""Another key while the database is in use: everything is encrypted anew, in any order of events nothing is lost."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, text

from connector.core.address import Address
from connector.core.state import State
from connector.storage import files, people, processes, resealing, tables, tickets, work
from connector.storage.store import Connection, Store
from connector.toolkit.privacy import Sealer, WrongKey

from .conftest import KEY

NEW, THIRD = "the-new-key-of-the-tests-forty-characters", "a-third-key-of-the-tests-that-nobody-knows"
CONTENT = secrets.token_bytes(files.PART * 2 + 10)
EVERYTHING = {"person": 2, "ticket": 1, "media": 1, "work": 3, "media_part": 3}


def fill(store: Store) -> None:
    """Something in every column that is encrypted."""

    def write(c: Connection) -> None:
        who = people.create(c, store.pseudonyms, store.sealer, "t", Address(phone="34600000001"), 1)
        people.save_contact(c, store.sealer, who.id, Address(phone="34600000001"), "Pere")
        tickets.create(
            c, store.sealer, town="t", reference="R", person_id=who.id, option="o", language="ca",
            content={"words": "un secret"}, now=1,
        )  # fmt: skip
        files.create(c, store.sealer, town="t", person_id=who.id, ref="f", facts={"filename": "a.pdf"}, now=1)
        file = files.get(c, store.sealer, "f")
        assert file is not None
        for n in range(3):
            part = CONTENT[n * files.PART : (n + 1) * files.PART]
            files.add_part(c, store.sealer, file, n, part)
        for n in range(3):
            work.put(c, store.sealer, town="t", lane=f"l{n}", kind="k", payload={"n": n}, now=1, key=f"k{n}")

    store.write_now(write)


def readable(store: Store) -> bool:
    """Everything ``fill`` wrote, as it was."""

    def read(c: Connection) -> bool:
        who = people.find(c, store.pseudonyms, store.sealer, "t", Address(phone="34600000001"))
        file, ticket = files.get(c, store.sealer, "f"), tickets.by_reference(c, store.sealer, "R")
        assert who is not None and file is not None and ticket is not None
        rows = [work.open_payload(c, store.sealer, "t", "k", f"k{n}") for n in range(3)]
        return (
            who.name == "Pere" and who.state == State() and ticket.content == {"words": "un secret"}
            and file.facts == {"filename": "a.pdf"} and files.content(c, store.sealer, file) == CONTENT
            and rows == [{"n": 0}, {"n": 1}, {"n": 2}]
        )  # fmt: skip

    return store.write_now(read)


def resealed(store: Store) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in resealing.reseal(store):
        assert not batch.unreadable
        found[batch.table] = found.get(batch.table, 0) + batch.resealed
    return {table: n for table, n in found.items() if n}


def test_no_error_shows_a_key() -> None:
    sealer = Sealer(f"{NEW},{KEY}")
    assert not any(key in f"{sealer!r}{sealer._ring!r}{sealer.fingerprint}" for key in (NEW, KEY))


def test_every_column_that_is_encrypted_is_encrypted_anew() -> None:
    sealed = {c for t in tables.metadata.sorted_tables for c in t.columns if isinstance(c.type, LargeBinary)}
    assert sealed == {*resealing.TEXTS, resealing.PARTS, tables.keep.c.value}


def test_afterwards_the_new_key_alone_opens_everything_and_the_old_one_nothing(store: Store) -> None:
    fill(store)
    both = Store(store.url, Sealer(f"{NEW},{KEY}"))
    assert store.read_now(resealing.total) == sum(EVERYTHING.values())
    assert resealing.left(both) == sum(EVERYTHING.values()) + 1, "and the pepper"
    assert resealed(both) == EVERYTHING and resealed(both) == {}, "a second pass finds nothing"
    with pytest.raises(WrongKey):
        Store(store.url, Sealer(NEW))  # the pepper says that the old key is still needed
    resealing.reseal_pepper(both)
    resealing.reseal_pepper(both)
    assert resealing.left(both) == 0
    both.close()
    alone = Store(store.url, Sealer(NEW))
    assert readable(alone) and alone.pseudonyms.of("a", "b") == store.pseudonyms.of("a", "b")
    alone.close()
    with pytest.raises(WrongKey):
        Store(store.url, Sealer(KEY))


def tokens(raw: bytes, key: str) -> int:
    """How many ciphertexts of that key lie in the bytes of a file, in use or not."""
    return sum(Sealer(key).current(token) for token in re.findall(rb"gAAAA[\w-]{60,}={0,2}", raw))


def test_no_page_of_an_embedded_database_keeps_what_the_old_key_opens(store: Store, tmp_path: Path) -> None:
    if not store.sqlite:
        return  # PostgreSQL's vacuum does that in its own time
    fill(store)
    store.write_now(lambda c: c.execute(text("DELETE FROM work WHERE key = 'k1'")))
    both = Store(store.url, Sealer(f"{NEW},{KEY}"))
    resealed(both)
    for opened in (both, store):
        opened.close()
    raw = (tmp_path / "connector.db").read_bytes()
    assert tokens(raw, KEY) == 0 and tokens(raw, NEW) == 6


def test_interrupted_anywhere_everything_can_be_read_and_it_goes_on(store: Store) -> None:
    fill(store)
    steps = len(list(resealing.reseal(store)))
    for stop in range(1, steps + 1):
        url, key = store.url, f"key-{stop}-of-the-tests-with-forty-characters"
        both = Store(url, Sealer(f"{key},{KEY}"))
        for n, _ in enumerate(resealing.reseal(both), 1):
            if n == stop:
                break
        assert readable(both), f"stopped after batch {stop}"
        back = Store(url, Sealer(f"{KEY},{key}"))
        resealed(back)
        assert readable(store), "and back again"
        both.close()
        back.close()


def test_what_is_written_meanwhile_is_not_overwritten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    both = Store(store.url, Sealer(f"{NEW},{KEY}"))
    write = both.write_now

    def after_somebody_else(job: object) -> object:
        if not done:
            done.append(1)
            store.write_now(
                lambda c: people.save_contact(c, store.sealer, 1, Address(phone="34600000002"), "Nou")
            )
        return write(job)  # type: ignore[arg-type]

    done: list[int] = []
    monkeypatch.setattr(both, "write_now", after_somebody_else)
    resealed(both)
    assert store.write_now(lambda c: people.get(c, both.sealer, 1).name) == "Nou"
    assert resealed(both) == {"person": 1}, "the next pass finds what was written under the old key"
    both.close()


def test_a_value_under_a_key_nobody_has_is_counted_and_left(store: Store) -> None:
    fill(store)
    store.write_now(lambda c: people.save_contact(c, Sealer(THIRD), 1, Address(phone="34600000002"), "x"))
    both = Store(store.url, Sealer(f"{NEW},{KEY}"))
    batches = list(resealing.reseal(both))
    assert sum(b.unreadable for b in batches) == 1
    resealing.reseal_pepper(both)
    assert resealing.left(both) == 0, "the old key does not open it either, and is not needed for it"
    found = store.write_now(lambda c: people.get(c, Sealer(f"{NEW},{THIRD}"), 1))
    assert found.name == "x"
    both.close()


def test_a_store_in_use_takes_a_key_that_was_put_in_front_when_it_meets_it(store: Store) -> None:
    fill(store)
    setting = [KEY]
    using = Store(store.url, Sealer(KEY), keys=lambda: setting[0])
    setting[0] = f"{NEW},{KEY}"
    other = Store(store.url, Sealer(setting[0]))
    resealed(other)
    before = using.sealer.fingerprint
    assert readable(using) and using.sealer.fingerprint == other.sealer.fingerprint != before
    assert not using.look_for_keys(), "it has them already"
    for opened in (using, other):
        opened.close()


def test_a_key_that_cannot_read_what_is_there_is_not_taken(store: Store) -> None:
    fill(store)
    setting = [KEY]
    using = Store(store.url, Sealer(KEY), keys=lambda: setting[0])
    setting[0] = NEW
    assert not using.look_for_keys(), "the old one was forgotten"
    setting[0] = "short"
    assert not using.look_for_keys()
    assert readable(using)
    setting[0] = f"{NEW},{KEY}"
    assert using.look_for_keys()
    setting[0] = NEW
    assert not using.look_for_keys(), "too early: the old one is still needed"
    resealed(using)
    resealing.reseal_pepper(using)
    assert using.look_for_keys() and readable(using)
    using.close()


def test_a_row_under_an_unknown_key_holds_up_nobody_and_waits_for_who_knows_it(store: Store) -> None:
    for n, sealer in enumerate((Sealer(THIRD), store.sealer)):
        store.write_now(
            lambda c, n=n, sealer=sealer: work.put(
                c, sealer, town="t", lane=f"l{n}", kind="k", payload={"n": n}, now=1
            )  # type: ignore[misc]
        )
    claim = lambda sealer, now: store.write_now(  # noqa: E731
        lambda c: [r.payload["n"] for r in work.claim(c, sealer, kinds=["k"], now=now, lease=5, limit=9)]
    )
    assert claim(store.sealer, 10) == [1]
    assert store.read_now(lambda c: c.execute(text("SELECT error FROM work WHERE id = 1")).scalar()) == str(
        WrongKey()
    )
    assert claim(Sealer(THIRD), 20) == [], "not at once"
    assert claim(Sealer(THIRD), 100) == [0]


def test_services_say_which_key_they_use_until_they_leave_or_are_gone(store: Store) -> None:
    for name, now in (("a", 0.0), ("b", 50.0)):
        store.write_now(lambda c, name=name, now=now: processes.sign(c, name, "host", 7, f"key {name}", now))  # type: ignore[misc]
    running = lambda now: [p.key for p in store.read_now(lambda c: processes.running(c, now))]  # noqa: E731
    assert sorted(running(60)) == ["key a", "key b"] and running(100) == ["key b"]
    store.write_now(lambda c: processes.sign(c, "b", "host", 7, "another", 120))
    assert running(130) == ["another"]
    store.write_now(lambda c: processes.leave(c, "b"))
    assert running(130) == []


def test_only_an_embedded_database_knows_that_nobody_runs(store: Store, tmp_path: Path) -> None:
    assert store.deserted() == store.sqlite
    if store.sqlite:
        store.claim_alone()
        other = Store(store.url, Sealer(KEY), migrate=False)
        assert not other.deserted()
        other.close()
        assert (tmp_path / "connector.db.lock").exists()
