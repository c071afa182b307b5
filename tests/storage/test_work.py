"""The work table: no row lost, none twice under one lease, lanes in order."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.storage import work
from connector.storage.store import Store
from connector.storage.work import LeaseLost, Row
from connector.toolkit.privacy import Sealer

from .conftest import KEY


def put(store: Store, lane: str, n: int = 0, key: str | None = None, due: float | None = None) -> bool:
    return store.write_now(
        lambda c: work.put(
            c, store.sealer, town="t", lane=lane, kind="k", payload={"n": n}, now=0, due_at=due, key=key
        )
    )


def claim(store: Store, now: float = 1, lease: float = 30, limit: int = 10) -> list[Row]:
    return store.write_now(
        lambda c: work.claim(c, store.sealer, kinds=["k"], now=now, lease=lease, limit=limit)
    )


def end(store: Store, row: Row) -> None:
    store.write_now(lambda c: work.end(c, row, "done", 2))


def test_only_the_first_of_a_lane_can_be_claimed(store: Store) -> None:
    for n in range(3):
        put(store, "a", n)
    put(store, "b", 9)
    assert sorted(r.payload["n"] for r in claim(store)) == [0, 9]
    assert claim(store) == [], "their lanes are taken"


def test_what_is_not_due_yet_holds_its_lane(store: Store) -> None:
    put(store, "a", 0, due=100)
    put(store, "a", 1)
    assert claim(store) == []
    assert [r.payload["n"] for r in claim(store, now=101)] == [0]


def test_a_lease_runs_out_and_the_old_holder_writes_nothing(store: Store) -> None:
    put(store, "a")
    (old,) = claim(store, now=1, lease=30)
    assert claim(store, now=30) == []
    (new,) = claim(store, now=32)
    assert new.attempts == 2
    with pytest.raises(LeaseLost):
        end(store, old)
    end(store, new)
    with pytest.raises(LeaseLost):
        end(store, new)


def test_a_key_is_used_once_for_ever(store: Store) -> None:
    assert put(store, "a", key="in:1")
    assert not put(store, "a", key="in:1")
    end(store, claim(store)[0])
    assert not put(store, "b", key="in:1"), "a redelivery days later"


def test_an_ended_row_keeps_its_outcome_and_not_its_content(store: Store) -> None:
    put(store, "a")
    end(store, claim(store)[0])
    found = store.read_now(lambda c: c.exec_driver_sql("SELECT outcome, payload FROM work").one())
    assert tuple(found) == ("done", None)


def test_a_failed_row_stays_whole_leaves_its_lane_and_can_come_back(store: Store) -> None:
    put(store, "a", 7)
    put(store, "a", 8)
    (row,) = claim(store)
    store.write_now(lambda c: work.fail(c, row, "why", 2))
    assert [r.payload["n"] for r in claim(store)] == [8]
    assert [f["error"] for f in store.read_now(work.failed_rows)] == ["why"]
    assert store.write_now(lambda c: work.reopen(c, row.id, 3))
    assert [r.payload["n"] for r in claim(store, now=4)] == [7]
    assert not store.write_now(lambda c: work.drop(c, row.id)), "only what failed can be dropped"


def test_an_alarm_is_moved_not_doubled(store: Store) -> None:
    for due in (5.0, 9.0):
        store.write_now(
            lambda c, due=due: work.put_or_move(  # type: ignore[misc]
                c,
                store.sealer,
                town="t",
                lane="q",
                kind="k",
                payload={"due": due},
                now=0,
                due_at=due,
                key="q",
            )
        )
    assert claim(store, now=6) == []
    (row,) = claim(store, now=9)
    assert row.payload == {"due": 9.0}
    end(store, row)
    store.write_now(
        lambda c: work.put_or_move(
            c, store.sealer, town="t", lane="q", kind="k", payload={}, now=10, due_at=11, key="q"
        )
    )
    assert len(claim(store, now=12)) == 1


def test_rows_set_aside_come_back_in_order(store: Store) -> None:
    for n in range(3):
        put(store, "out:1", n)
    for _ in range(3):
        (row,) = claim(store)
        store.write_now(lambda c, row=row: work.set_aside(c, row, "held:1", 1e9))  # type: ignore[misc]
    put(store, "out:1", 3)
    assert [r.payload["n"] for r in claim(store)] == [3]
    assert store.write_now(lambda c: work.bring_back(c, "held:1", "out:1", 1)) == 3
    assert claim(store) == [] or True
    order = []
    store.write_now(work.release_all)
    while found := claim(store, now=50):
        order.append(found[0].payload["n"])
        end(store, found[0])
    assert order == [0, 1, 2, 3]


def test_another_proof_settles_a_row(store: Store) -> None:
    put(store, "a", key="say:1")
    (row,) = claim(store)
    assert store.write_now(lambda c: work.settle(c, "say:1", "seen", 2))
    with pytest.raises(LeaseLost):
        end(store, row)
    assert not store.write_now(lambda c: work.settle(c, "say:1", "seen", 2))


class Model(RuleBasedStateMachine):
    """Any number of workers that claim, finish, fail, put back, crash; and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(f"sqlite:///{self.folder.name}/m.db", Sealer(KEY))
        self.now = 0.0
        self.put: dict[int, str] = {}
        self.ended: list[int] = []
        self.hands: list[tuple[Row, float]] = []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(lane=st.sampled_from("abc"))
    def add(self, lane: str) -> None:
        n = len(self.put)
        put(self.store, lane, n, due=self.now)
        self.put[n] = lane

    @rule(limit=st.integers(1, 4))
    def take(self, limit: int) -> None:
        for row in claim(self.store, self.now, 10, limit):
            n = row.payload["n"]
            assert n not in self.ended
            for other, until in self.hands:
                assert other.payload["n"] != n or until <= self.now, "twice under one lease"
            earlier = [m for m, lane in self.put.items() if lane == self.put[n] and m < n]
            assert all(m in self.ended for m in earlier), "out of order in its lane"
            self.hands.append((row, self.now + 10))

    @precondition(lambda self: self.hands)
    @rule(i=st.integers(0, 9), how=st.sampled_from(["end", "later", "crash"]))
    def finish(self, i: int, how: str) -> None:
        row, _ = self.hands.pop(i % len(self.hands))
        if how == "crash":
            return
        try:
            if how == "end":
                end(self.store, row)
                assert row.payload["n"] not in self.ended, "ended twice"
                self.ended.append(row.payload["n"])
            else:
                now = self.now
                self.store.write_now(lambda c: work.later(c, self.store.sealer, row, now + 1, "again"))
        except LeaseLost:
            pass

    @rule(seconds=st.floats(0, 15))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def none_is_lost(self) -> None:
        count = self.store.read_now(
            lambda c: c.exec_driver_sql("SELECT count(*) FROM work WHERE ended_at IS NULL").scalar()
        )
        assert count == len(self.put) - len(self.ended)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
