"""What operators see: what waits, for what, since when and why; what failed; nothing of what is said."""

from __future__ import annotations

import math

import pytest

from connector.storage import cursors, numbers, overview, work
from connector.storage.numbers import Number
from connector.storage.store import Store


def put(store: Store, kind: str, lane: str, now: float, due: float | None = None) -> None:
    store.write_now(
        lambda c: work.put(
            c,
            store.sealer,
            town="t",
            lane=lane,
            kind=kind,
            payload={"x": "secret words"},
            now=now,
            due_at=due,
        )
    )


def test_what_waits_is_told_by_kind_and_by_what_it_waits_for(store: Store) -> None:
    put(store, "send", "out:1", 10)
    put(store, "send", "out:2", 11)
    put(store, "send", "held:3", 12, 1e9)
    put(store, "send", "template:t:x:3", 13, 1e9)
    put(store, "note", "w:SCV-7K3F-9Q", 14, 1e9)
    put(store, "quiet", "quiet:1", 15, 500)
    put(store, "create", "t:SCV-7K3F-9Q", 16)
    (row,) = store.write_now(
        lambda c: work.claim(c, store.sealer, kinds=["create"], now=20, lease=5, limit=1)
    )
    store.write_now(lambda c: work.later(c, store.sealer, row, 400, "the tracker is away"))
    found = store.read_now(lambda c: overview.look(c, 100))
    told = {(g.kind, g.state): (g.count, g.since, g.why) for g in found.waiting}
    assert told == {
        ("send", "due"): (2, 10, ""),
        ("send", "person"): (1, 12, ""),
        ("send", "template"): (1, 13, ""),
        ("note", "ticket"): (1, 14, ""),
        ("quiet", "planned"): (1, 15, ""),
        ("create", "again"): (1, 16, "the tracker is away"),
    }
    assert found.waiting_count == {"send": 4, "note": 1, "quiet": 1, "create": 1} and found.oldest == 90
    assert "secret" not in repr(found)


def test_the_last_polls_and_the_number_are_remembered(store: Store) -> None:
    for n in range(8):
        put(store, "poll", "poll:t", n)
        (row,) = store.write_now(
            lambda c: work.claim(c, store.sealer, kinds=["poll"], now=1e6, lease=5, limit=1)
        )
        store.write_now(lambda c, row=row, n=n: work.end(c, row, f"{n} new entries", 100 + n))  # type: ignore[misc]
    polls = store.read_now(lambda c: overview.polls(c, "t"))
    assert [(p.at, p.outcome) for p in polls] == [(100 + n, f"{n} new entries") for n in (7, 6, 5, 4, 3)]
    assert store.read_now(lambda c: numbers.get(c, "t")) is None
    told = Number(quality="YELLOW", limit="TIER_2K")
    store.write_now(lambda c: (cursors.save(c, "t", "poll", "x", 1), numbers.save(c, "t", told, 50)))
    found = store.read_now(lambda c: overview.look(c, 100))
    assert found.numbers["t"] == Number(quality="YELLOW", limit="TIER_2K", at=50)
    assert found.signs == {"t": {"poll": 1}}


@pytest.mark.parametrize(
    ("limit", "people"),
    [("TIER_250", 250), ("TIER_2K", 2000), ("TIER_100K", 100_000), ("TIER_UNLIMITED", math.inf), ("", None), ("x", None)],
)  # fmt: skip
def test_the_limit_of_a_number_in_people(limit: str, people: float | None) -> None:
    assert Number(limit=limit).people == people
