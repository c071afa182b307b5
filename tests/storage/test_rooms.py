"""Files, pauses, the ledger and cursors; and that nothing a database says can be read without the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from connector.core.address import Address
from connector.storage import cursors, files, ledger, overview, pauses, people, tables, work
from connector.storage.files import PART, File
from connector.storage.store import Connection, Store
from connector.toolkit.privacy import WrongKey

WHO = Address("ES.10000000000000000001", "34600000001")


def one(store: Store, statement: str) -> object:
    return store.read_now(lambda c: c.execute(text(statement)).scalar())


def arrive(connection: Connection, store: Store, file: File, *, scanned: bool = True) -> bool:
    return files.arrived(
        connection, store.sealer, file, size=1, digest="digest", facts=file.facts, scanned=scanned
    )


def a_file(store: Store, content: bytes, *, scanned: bool = True) -> File:
    def make(connection: Connection) -> File:
        who = people.create(connection, store.pseudonyms, store.sealer, "t", WHO, 1)
        facts = {"filename": "secret.pdf", "mime": "application/pdf"}
        files.create(connection, store.sealer, town="t", person_id=who.id, ref="f1", facts=facts, now=1)
        file = files.get(connection, store.sealer, "f1")
        assert file is not None and file.facts == facts
        for n, start in enumerate(range(0, len(content), PART)):
            files.add_part(connection, store.sealer, file, n, content[start : start + PART])
        assert arrive(connection, store, file, scanned=scanned)
        stored = files.get(connection, store.sealer, "f1")
        assert stored is not None
        return stored

    return store.write_now(make)


def test_a_file_comes_back_whole_and_its_content_goes_when_it_is_settled(store: Store) -> None:
    content = bytes(range(256)) * (PART // 128) + b"end"
    file = a_file(store, content)
    assert one(store, "SELECT count(*) FROM media_part") == 3
    assert store.read_now(lambda c: files.content(c, store.sealer, file)) == content
    store.write_now(lambda c: files.settle(c, file, "done"))
    assert (
        one(store, "SELECT count(*) FROM media_part") == 0 and one(store, "SELECT state FROM media") == "done"
    )
    store.write_now(lambda c: files.add_part(c, store.sealer, file, 0, b"late"))
    assert not store.write_now(lambda c: arrive(c, store, file))
    assert one(store, "SELECT state FROM media") == "done", "a download that ends late revives nothing"
    assert one(store, "SELECT count(*) FROM media_part") == 0, "and leaves nothing"


def test_a_file_waits_until_it_is_scanned_and_of_one_that_is_left_out_the_reason_stays(store: Store) -> None:
    file = a_file(store, b"content", scanned=False)
    assert file.state == "waiting" and file.digest
    store.write_now(lambda c: files.scanned(c, file))
    assert one(store, "SELECT state FROM media") == "here"
    left = files.with_reason(file, "refused", "virus", "Eicar")
    store.write_now(lambda c: files.leave(c, store.sealer, left))
    assert one(store, "SELECT count(*) FROM media_part") == 0
    store.write_now(lambda c: files.scanned(c, file))
    store.write_now(lambda c: files.leave(c, store.sealer, files.with_reason(file, "lost", "lost", "")))
    found = store.read_now(lambda c: files.get(c, store.sealer, file.ref))
    assert found is not None and (found.state, found.facts["why"]) == ("refused", "virus"), "decided once"


def test_a_part_again_replaces_it_and_parts_cannot_be_swapped(store: Store) -> None:
    file = a_file(store, b"a" * PART + b"b" * PART)
    store.write_now(lambda c: files.add_part(c, store.sealer, file, 1, b"c"))
    assert store.read_now(lambda c: files.content(c, store.sealer, file)) == b"a" * PART + b"c"
    store.write_now(lambda c: c.execute(text("UPDATE media_part SET n = 1 - n + 10")))
    store.write_now(lambda c: c.execute(text("UPDATE media_part SET n = n - 10")))
    with pytest.raises(WrongKey):
        store.read_now(lambda c: files.content(c, store.sealer, file))


def test_nothing_at_rest_can_be_read(store: Store, tmp_path: Path) -> None:
    a_file(store, b"%PDF-1.4 the content of a citizen's file")

    def fill(connection: Connection) -> None:
        who = people.find(connection, store.pseudonyms, store.sealer, "t", WHO)
        assert who is not None
        people.save_contact(connection, store.sealer, who.id, WHO, "Pere Secret")
        payload = {"message": "visc al carrer Amagat", "phone": WHO.phone}
        work.put(connection, store.sealer, town="t", lane="l", kind="k", payload=payload, now=1)
        key = store.pseudonyms.of("wamid:t", "wamid.SECRET")
        ledger.note_in(connection, town="t", key=key, person_id=who.id, outcome="x", about=None, now=1)

    store.write_now(fill)
    raw = b"".join(p.read_bytes() for p in tmp_path.iterdir() if p.name.startswith("connector.db"))
    if not store.sqlite:
        rows = [
            c
            for t in tables.metadata.sorted_tables
            for c in store.read_now(lambda c, t=t: c.execute(select(t)).all())
        ]  # type: ignore[misc]
        raw = b" ".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)
    assert len(raw) > 1000
    for secret in ("Pere", "Amagat", "citizen's file", "secret.pdf", "wamid.SECRET", WHO.phone, WHO.user_id):
        assert str(secret).encode() not in raw, f"{secret} can be read in the files of the database"


def test_an_error_of_the_database_says_nothing_of_what_was_to_be_stored(store: Store) -> None:
    statement = "INSERT INTO keep (name, value) VALUES (:n, :v)"
    row = {"n": "pepper", "v": b"34600000001 visc al carrer Amagat"}
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        store.write_now(lambda c: c.execute(text(statement), row))
    assert "34600000001" not in str(caught.value) and "Amagat" not in str(caught.value)


def test_a_listener_whose_loop_is_closed_does_not_end_the_writer(store: Store) -> None:
    def closed(kinds: object) -> None:
        raise RuntimeError("Event loop is closed")

    store.on_commit(closed)

    def add(connection: Connection) -> bool:
        return work.put(connection, store.sealer, town="t", lane="l", kind="k", payload={}, now=1)

    assert store.write_now(add) and store.submit(add).result(10)


def test_a_pause_grows_each_time_but_not_with_calls_of_the_same_moment(store: Store) -> None:
    def begin(now: float) -> float:
        pause = store.write_now(
            lambda c: pauses.begin(c, "t", "whatsapp", "token expired", now, (15, 100), "refused")
        )
        return pause.until - now

    assert [begin(0), begin(1), begin(20), begin(60)] == [15, 15, 30, 60]
    assert begin(200) == 100, "never longer than the longest"
    (found,) = store.read_now(pauses.every)
    assert (found.since, found.reason) == (0, "token expired")
    assert not store.write_now(lambda c: pauses.lift(c, "t", "whatsapp", ["outage"], 400)), (
        "proves nothing of rights"
    )
    assert not store.write_now(lambda c: pauses.lift(c, "t", "whatsapp", ["refused"], 299)), (
        "what succeeds during a pause was under way before it"
    )
    assert store.write_now(lambda c: pauses.lift(c, "t", "whatsapp", ["refused"], 300))
    assert not store.write_now(lambda c: pauses.lift(c, "t", "whatsapp", ["refused"], 300))
    assert begin(300) == 15


def test_states_of_a_message_only_move_forward_also_by_our_own_key(store: Store) -> None:
    def play(connection: Connection) -> list[object]:
        ledger.note_out(
            connection, town="t", key="w1", person_id=1, send_key="say:1", about="R", state="accepted", now=1
        )
        ledger.note_out(
            connection, town="t", key="w1", person_id=1, send_key="say:1", about="R", state="accepted", now=2
        )
        seen: list[object] = []
        for key, send_key, state in (
            ("w1", None, "read"),
            ("w1", None, "sent"),
            ("w1", None, "failed"),
            ("other", "say:1", "delivered"),
            ("other", "say:1", "failed"),
            ("?", None, "read"),
        ):
            seen.append(
                ledger.advance(
                    connection, town="t", key=key, send_key=send_key, state=state, error=None, now=3
                )
            )
            assert connection.execute(text("SELECT state FROM message")).scalar_one() == "read"
        return seen

    assert store.write_now(play) == ["moved", "same", "same", "same", "unknown", "unknown"]
    assert store.read_now(lambda c: ledger.find(c, "t", "out", "w1")) == "R"


def test_a_cursor_is_kept_with_the_time_it_was_written(store: Store) -> None:
    assert store.read_now(lambda c: (cursors.get(c, "t", "poll"), cursors.age(c, "t", "poll"))) == (
        None,
        None,
    )
    for n in (1, 2):
        store.write_now(lambda c, n=n: cursors.save(c, "t", "poll", f"at {n}", n))  # type: ignore[misc]
    assert store.read_now(lambda c: (cursors.get(c, "t", "poll"), cursors.age(c, "t", "poll"))) == ("at 2", 2)


def test_counts_say_what_waits_what_failed_and_how_old_it_is(store: Store) -> None:
    for n in range(3):
        store.write_now(
            lambda c, n=n: work.put(
                c, store.sealer, town="t", lane=f"{n}", kind=f"k{n % 2}", payload={}, now=10 + n
            )  # type: ignore[misc]
        )
    (row,) = store.write_now(lambda c: work.claim(c, store.sealer, kinds=["k1"], now=20, lease=5, limit=1))
    store.write_now(lambda c: work.fail(c, row, "why", 21))
    found = store.read_now(lambda c: overview.look(c, 30))
    assert (found.waiting_count, found.failed_count, found.oldest) == ({"k0": 2}, {"k1": 1}, 20.0)
    assert store.write_now(lambda c: work.tidy(c, ["k1"], 1e9)) == 0, "what failed is never tidied away"
