"""The work table: no row lost, none twice under one lease, lanes in order."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from connector.core.errors import LeaseLost, Settled
from connector.storage import given_up, in_lane, work
from connector.storage.store import Connection, Store
from connector.storage.work import Row
from connector.toolkit.privacy import Sealer
from tests.databases import database
from tests.fuzz import examples

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


def test_what_another_proof_ended_meanwhile_is_told_from_a_lost_lease(store: Store) -> None:
    put(store, "a", key="sent")
    put(store, "b")
    settled, lost = claim(store)
    assert store.write_now(lambda c: work.settle(c, "sent", "delivered", 2))
    with pytest.raises(Settled):
        end(store, settled)
    assert claim(store, now=100)
    with pytest.raises(LeaseLost) as told:
        end(store, lost)
    assert not isinstance(told.value, Settled)


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
    (next_one,) = claim(store)
    assert next_one.payload["n"] == 8
    assert [f["error"] for f in store.read_now(given_up.failed_rows)] == ["why"]
    assert store.write_now(lambda c: given_up.reopen(c, row.id, 3))
    assert claim(store, now=4) == [], "its lane is taken"
    end(store, next_one)
    assert [r.payload["n"] for r in claim(store, now=4)] == [7]
    assert not store.write_now(lambda c: given_up.drop(c, row.id)), "only what failed can be dropped"


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
        store.write_now(lambda c, row=row: in_lane.set_aside(c, row, "held:1", 1e9))  # type: ignore[misc]
    put(store, "out:1", 3)
    assert [r.payload["n"] for r in claim(store)] == [3]
    assert store.write_now(lambda c: in_lane.bring_back(c, "held:1", "out:1", 1)) == 3
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
    """Any number of workers that claim, finish, fail, put back, crash; operators who retry; and time that passes.

    Two stores on one database take turns, as replicas do.
    """

    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        url = self.stack.enter_context(database(self.kind, Path(folder)))
        self.stores = [Store(url, Sealer(KEY)) for _ in range(2)]
        for store in self.stores:
            self.stack.callback(store.close)
        self.now = 0.0
        self.lanes: dict[int, str] = {}
        self.ended: set[int] = set()
        self.failed: dict[int, int] = {}
        self.hands: list[tuple[Row, float]] = []

    def teardown(self) -> None:
        self.stack.close()

    @rule(lane=st.sampled_from("abc"))
    def add(self, lane: str) -> None:
        n = len(self.lanes)
        put(self.stores[0], lane, n, due=self.now)
        self.lanes[n] = lane

    @rule(limit=st.integers(1, 4), which=st.integers(0, 1))
    def take(self, limit: int, which: int) -> None:
        for row in claim(self.stores[which], self.now, 10, limit):
            n, lane = row.payload["n"], row.lane
            assert n not in self.ended
            for other, until in self.hands:
                assert other.lane != lane or until < self.now, "two of a lane under a lease"
            earlier = {m for m, of in self.lanes.items() if of == lane and m < n}
            assert earlier <= self.ended | self.failed.keys(), "out of order in its lane"
            self.hands.append((row, self.now + 10))

    @precondition(lambda self: self.hands)
    @rule(
        i=st.integers(0, 9), how=st.sampled_from(["end", "later", "fail", "crash"]), which=st.integers(0, 1)
    )
    def finish(self, i: int, how: str, which: int) -> None:
        row, _ = self.hands.pop(i % len(self.hands))
        store, n, now = self.stores[which], row.payload["n"], self.now
        if how == "crash":
            return
        try:
            if how == "end":
                end(store, row)
                assert n not in self.ended, "ended twice"
                self.ended.add(n)
            elif how == "fail":
                store.write_now(lambda c: work.fail(c, row, "why", now))
                self.failed[n] = row.id
            else:
                store.write_now(lambda c: work.later(c, store.sealer, row, now + 1, "again"))
        except LeaseLost:
            pass
        else:
            assert n not in self.failed or how == "fail", "what failed was done by somebody"

    @precondition(lambda self: self.failed)
    @rule(i=st.integers(0, 9), which=st.integers(0, 1))
    def retry(self, i: int, which: int) -> None:
        n = sorted(self.failed)[i % len(self.failed)]
        row_id = self.failed.pop(n)
        assert self.stores[which].write_now(lambda c: given_up.reopen(c, row_id, self.now))

    @rule(seconds=st.floats(0, 15))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def none_is_lost(self) -> None:
        count = self.stores[1].read_now(
            lambda c: c.exec_driver_sql("SELECT count(*) FROM work WHERE ended_at IS NULL").scalar()
        )
        assert count == len(self.lanes) - len(self.ended) - len(self.failed)


class PostgresModel(Model):
    kind = "postgresql"


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=examples(20), stateful_step_count=40, deadline=None)
TestPostgresModel = pytest.mark.real(PostgresModel.TestCase)
TestPostgresModel.settings = TestModel.settings


@pytest.mark.real
def test_a_row_that_is_committed_late_waits_for_the_one_behind_it(tmp_path: Path) -> None:
    with database("postgresql", tmp_path) as url, ExitStack() as stack:
        store = Store(url, Sealer(KEY))
        stack.callback(store.close)
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        stack.callback(engine.dispose)
        slow, quick, one, other = (stack.enter_context(engine.connect()) for _ in range(4))

        def take(connection: Connection) -> list[int]:
            rows = work.claim(connection, store.sealer, kinds=["k"], now=1, lease=30, limit=10)
            return [row.payload["n"] for row in rows]

        for connection, n in ((slow, 1), (quick, 2)):
            work.put(connection, store.sealer, town="t", lane="a", kind="k", payload={"n": n}, now=0)
        quick.commit()
        assert take(one) == [2]
        slow.commit()
        assert take(other) == [], "who claimed the second has not committed yet"
        one.commit()
        assert take(other) == [], "the second is in hand"


@pytest.mark.real
def test_replicas_that_claim_at_the_same_time_have_no_lane_in_common(tmp_path: Path) -> None:
    """Rows become visible in another order than their numbers, and four replicas claim as fast as they can."""
    lanes, each = 6, 40
    with database("postgresql", tmp_path) as url, ExitStack() as stack:
        stores = [Store(url, Sealer(KEY)) for _ in range(4)]
        for store in stores:
            stack.callback(store.close)
        busy = [threading.Lock() for _ in range(lanes)]
        done: Counter[tuple[int, int]] = Counter()
        wrong: list[str] = []
        adding = [True]

        def add(store: Store, part: int) -> None:
            for n in range(part, each, 2):
                for lane in range(lanes):

                    def slowly(c: Connection, lane: int = lane, n: int = n) -> None:
                        work.put(c, store.sealer, town="t", lane=str(lane), kind="k", payload={"n": n}, now=0)
                        time.sleep(0.002 * (part + 1))

                    store.write_now(slowly)

        def carry(store: Store) -> None:
            while adding[0] or store.read_now(lambda c: in_lane.next_due(c, ["k"])) is not None:
                for row in claim(store, limit=3):
                    lane = int(row.lane)
                    if not busy[lane].acquire(blocking=False):
                        wrong.append(f"lane {lane} is in two hands")
                        continue
                    time.sleep(0.001)
                    done[lane, row.payload["n"]] += 1
                    busy[lane].release()  # before it is ended: nobody may have it until then
                    end(store, row)

        threads = [threading.Thread(target=carry, args=(store,)) for store in stores]
        putting = [threading.Thread(target=add, args=(stores[part], part)) for part in range(2)]
        for thread in (*threads, *putting):
            thread.start()
        for thread in putting:
            thread.join()
        adding[0] = False
        for thread in threads:
            thread.join(60)
        assert not wrong and not any(t.is_alive() for t in threads), wrong[:3]
        assert done == Counter({(lane, n): 1 for lane in range(lanes) for n in range(each)})
