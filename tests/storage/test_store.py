"""The store: what was awaited is on disk; one failure takes nobody with it; old, new and foreign databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from connector.core.address import Address
from connector.core.errors import Misconfigured
from connector.storage import people, tables, work
from connector.storage import store as store_module
from connector.storage.store import Connection, Store
from connector.toolkit.privacy import Pseudonyms, Sealer, WrongKey

from .conftest import KEY


def add(connection: Connection, sealer: Sealer, key: str) -> bool:
    return work.put(connection, sealer, town="t", lane=key, kind="k", payload={"n": key}, now=1, key=key)


def rows(store: Store) -> int:
    return store.read_now(lambda c: c.execute(text("SELECT count(*) FROM work")).scalar_one())


def test_one_failing_job_takes_nobody_with_it(store: Store) -> None:
    gate = threading.Event()
    first = store.submit(lambda c: gate.wait(10))

    def bad(connection: Connection) -> None:
        add(connection, store.sealer, "undone")
        raise RuntimeError("ours alone")

    good = [store.submit(lambda c, k=k: add(c, store.sealer, k)) for k in ("a", "b")]  # type: ignore[misc]
    wrong = store.submit(bad)
    last = store.submit(lambda c: add(c, store.sealer, "c"))
    gate.set()
    assert first.result(10) and all(g.result(10) for g in good) and last.result(10)
    with pytest.raises(RuntimeError, match="ours alone"):
        wrong.result(10)
    assert rows(store) == 3


def test_a_commit_that_fails_fails_everybody_and_the_store_lives_on(store: Store) -> None:
    def breaks(connection: Connection) -> None:
        if store.sqlite:
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        else:
            connection.execute(
                text(
                    "ALTER TABLE journal ALTER CONSTRAINT fk_journal_ticket_id DEFERRABLE INITIALLY DEFERRED"
                )
            )
        connection.execute(tables.journal.insert().values(ticket_id=99, entry="x", outcome="x", seen_at=0))

    with pytest.raises(Exception, match="could not keep"):
        store.write_now(breaks)
    assert store.write_now(lambda c: add(c, store.sealer, "after"))


async def test_what_must_be_kept_waits_for_the_database(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_AGAIN", 0.01)
    tries: list[int] = []

    def unlucky(connection: Connection) -> bool:
        tries.append(len(tries))
        if len(tries) <= 2:
            add(connection, store.sealer, "lost")
            if store.sqlite:
                raise OperationalError("", {}, _Full())
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return add(connection, store.sealer, "kept")

    assert await store.keep(unlucky) and len(tries) == 3
    assert rows(store) == 1 and not store.trouble


class _Full(Exception):
    sqlite_errorname = "SQLITE_FULL"


def test_it_is_durable(store: Store) -> None:
    if not store.sqlite:
        assert store.read_now(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar()) == "on"
        return

    def pragmas(connection: Connection) -> tuple[object, object]:
        ask = connection.exec_driver_sql
        return ask("PRAGMA synchronous").scalar(), ask("PRAGMA journal_mode").scalar()

    assert store.write_now(pragmas) == (2, "wal"), "synchronous=FULL, WAL"


def test_what_was_awaited_survives_sigkill(url: str) -> None:
    program = f"""
import os, signal
from connector.storage.store import Store
from connector.storage import work
from connector.toolkit.privacy import Sealer
s = Store("{url}", Sealer("{KEY}"))
s.write_now(lambda c: work.put(c, s.sealer, town="t", lane="l", kind="k", payload={{}}, now=1, key="kept"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    again = Store(url, Sealer(KEY))
    assert rows(again) == 1
    again.close()


def test_workers_are_only_woken_by_work(store: Store) -> None:
    woken: list[int] = []
    store.on_commit(lambda kinds: woken.append(1))
    store.write_now(lambda c: work.claim(c, store.sealer, kinds=["k"], now=9, lease=9, limit=9))
    assert not woken, "looking for work is no news: otherwise the workers would wake each other for ever"
    store.write_now(lambda c: add(c, store.sealer, "a"))
    assert woken


def test_the_schema_is_what_the_tables_say(store: Store) -> None:
    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))

    assert store.read_now(compare) == []


def test_a_newer_database_is_refused(url: str) -> None:
    old = Store(url, Sealer(KEY))
    old.write_now(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    old.close()
    with pytest.raises(Misconfigured, match="newer release"):
        Store(url, Sealer(KEY))


def test_another_key_is_refused_and_a_rotated_one_is_not(url: str) -> None:
    Store(url, Sealer(KEY)).close()
    with pytest.raises(WrongKey):
        Store(url, Sealer("another-key-with-at-least-32-characters"))
    Store(url, Sealer(f"another-key-with-at-least-32-characters,{KEY}")).close()


def test_a_second_service_is_refused_on_a_file_and_welcome_on_a_server(store: Store) -> None:
    store.claim_alone()
    second = Store(store.url, Sealer(KEY))
    if store.sqlite:
        with pytest.raises(Misconfigured, match="another connector is running"):
            second.claim_alone()
    else:
        second.claim_alone()
    second.close()


BOTH = Address("ES.10000000000000000001", "34600000001")
USER = Address(user_id="ES.10000000000000000001")
PHONE = Address(phone="34600000001")
OTHER = Address("ES.20000000000000000002", "34600000001")


@pytest.mark.parametrize(
    ("label", "first", "then", "same"),
    [
        ("user id, then both", USER, BOTH, True),
        ("number, then both", PHONE, BOTH, True),
        ("both, then the user id alone", BOTH, USER, True),
        ("both, then the number alone", BOTH, PHONE, True),
        ("a recycled number", BOTH, OTHER, False),
        ("a hidden number and a stranger's", USER, Address(phone="34600000002"), False),
    ],
)
def test_who_is_who(store: Store, label: str, first: Address, then: Address, same: bool) -> None:
    pseudonyms: Pseudonyms = store.pseudonyms
    made = store.write_now(lambda c: people.create(c, pseudonyms, store.sealer, "t", first, 1))
    found = store.write_now(lambda c: people.find(c, pseudonyms, store.sealer, "t", then))
    assert (found is not None and found.id == made.id) == same, label
    if label == "a recycled number":
        new = store.write_now(lambda c: people.create(c, pseudonyms, store.sealer, "t", then, 2))
        assert new.id != made.id
        still = store.write_now(lambda c: people.find(c, pseudonyms, store.sealer, "t", USER))
        assert still is not None and still.id == made.id, "the old person keeps their history"


def test_a_person_is_only_moved_where_nobody_is(store: Store) -> None:
    def play(connection: Connection) -> tuple[bool, bool]:
        a = people.create(connection, store.pseudonyms, store.sealer, "t", PHONE, 1)
        people.create(connection, store.pseudonyms, store.sealer, "t", Address(phone="34600000002"), 1)
        taken = people.move(connection, store.pseudonyms, store.sealer, a, Address(phone="34600000002"))
        free = people.move(connection, store.pseudonyms, store.sealer, a, Address(phone="34600000003"))
        return taken, free

    assert store.write_now(play) == (False, True)
