"""The worker itself: one row that fails takes no other with it, and a stop gives back what was in hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import worker as worker_module
from connector.core.errors import Unavailable
from connector.jobs.runtime import Ending, Runtime
from connector.storage import work
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit.observe import Metrics
from connector.worker import Worker

from .rig import Rig
from .rig import rig as start_rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """One of its own for each test: kinds of work are added here."""
    with start_rig(tmp_path) as made:
        yield made


def put(rig: Rig, kind: str, lane: str, **payload: Any) -> None:
    rig.demo.service.store.write_now(
        lambda c: rig.town.put(c, lane=lane, kind=kind, payload=payload, now=rig.now(), key=f"{kind}:{lane}")
    )


def outcome(rig: Rig, key: str) -> Any:
    return rig.sql("SELECT outcome, attempts, payload IS NULL FROM work WHERE key = ?", key)[0]


def test_a_step_that_raises_is_undone_tried_again_and_fails_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(connection: Connection, rt: Runtime, row: Row, now: float) -> str:
        connection.exec_driver_sql(
            "INSERT INTO cursor VALUES ('t', ?, 'x', 0)", (f"{row.lane}-{row.attempts}",)
        )
        if row.payload.get("bad"):
            raise KeyError("Pere Secret, 34600000009")
        return "fine"

    monkeypatch.setattr(worker_module, "STEPS", {**worker_module.STEPS, "probe": step})
    for lane, bad in (("a", False), ("b", True), ("c", False)):
        put(rig, "probe", lane, bad=bad)
    rig.work()
    assert outcome(rig, "probe:a")[0] == outcome(rig, "probe:c")[0] == "fine"
    assert outcome(rig, "probe:b") == (None, 1, 0)
    for _ in range(6):
        rig.later(60)
    assert outcome(rig, "probe:b") == ("failed", 4, 0), "it failed for good after its tries, and stays whole"
    assert rig.sql("SELECT name FROM cursor WHERE town = 't' ORDER BY name") == [("a-1",), ("c-1",)]
    ((_, kind, error),) = rig.failed()
    assert kind == "probe" and "KeyError" in error and "Secret" not in error and "34600" not in error


def test_an_errand_that_raises_fails_alone_and_one_that_is_unavailable_never(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def errand(rt: Runtime, row: Row, now: float) -> Ending:
        if row.payload["how"] == "raises":
            raise ZeroDivisionError
        if row.payload["how"] == "away":
            raise Unavailable("the tracker is away")
        return lambda connection, at: "fine"

    added = {**worker_module.ERRANDS["tracker"], "probe": errand}
    monkeypatch.setitem(worker_module.ERRANDS, "tracker", added)  # type: ignore[arg-type]
    for how in ("raises", "away", "works"):
        put(rig, "probe", how, how=how)
    for _ in range(8):
        rig.later(700)
        rig.poll()  # what is away is left alone until a poll finds that it is back
        rig.later(700)
    assert outcome(rig, "probe:works")[0] == "fine"
    assert outcome(rig, "probe:raises")[0] == "failed"
    assert outcome(rig, "probe:away")[0] is None and outcome(rig, "probe:away")[1] > 4


def test_an_ending_that_lost_its_lease_writes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another took the row over while this one was away: what it found out is not written twice."""

    async def errand(rt: Runtime, row: Row, now: float) -> Ending:
        if row.attempts == 1:
            await rt.store.write(work.release_all)
            await rt.store.write(
                lambda c: work.claim(c, rt.store.sealer, kinds=["probe"], now=now, lease=5, limit=1)
            )

        def end(connection: Connection, at: float) -> str:
            connection.exec_driver_sql("INSERT INTO cursor VALUES ('t', ?, 'x', 0)", (f"try {row.attempts}",))
            return f"by try {row.attempts}"

        return end

    added = {**worker_module.ERRANDS["tracker"], "probe": errand}
    monkeypatch.setitem(worker_module.ERRANDS, "tracker", added)  # type: ignore[arg-type]
    put(rig, "probe", "lane")
    rig.work()
    rig.later(10)
    assert outcome(rig, "probe:lane")[0] == "by try 3"
    assert rig.sql("SELECT name FROM cursor WHERE town = 't'") == [("try 3",)]


def test_a_town_that_is_no_longer_configured_fails_with_a_sentence(rig: Rig) -> None:
    store = rig.demo.service.store
    store.write_now(
        lambda c: work.put(
            c, store.sealer, town="elsewhere", lane="x", kind="status", payload={}, now=rig.now()
        )
    )
    rig.work()
    ((_, _, error),) = rig.failed()
    assert "no municipality called elsewhere" in error


def test_a_graceful_stop_gives_back_what_is_in_hand(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    async def errand(rt: Runtime, row: Row, now: float) -> Ending:
        begun.append(row.id)
        await asyncio.Event().wait()
        raise AssertionError

    added = {**worker_module.ERRANDS["tracker"], "probe": errand}
    monkeypatch.setitem(worker_module.ERRANDS, "tracker", added)  # type: ignore[arg-type]
    put(rig, "probe", "slow")
    store = rig.demo.service.store

    async def run() -> None:
        worker = Worker(store, {rig.town.name: rig.town}, Metrics(), clock=rig.now)
        await worker.start()
        for _ in range(1000):
            if begun:
                break
            await asyncio.sleep(0.01)
        assert worker.alive
        assert rig.sql("SELECT lease_until IS NULL FROM work WHERE key = 'probe:slow'") == [(0,)]
        await worker.stop(patience=0.05)
        assert not worker.alive

    rig.loop.run_until_complete(run())
    found = rig.sql("SELECT lease_until, lease_by, ended_at FROM work WHERE key = 'probe:slow'")
    assert begun and found == [(None, None, None)], "another can take it up at once"


def test_what_is_claimed_ahead_waits_for_a_slot_and_goes_back_uncalled_at_a_stop(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, called = worker_module._ABREAST["tracker"], []
    there, over = asyncio.Event(), asyncio.Event()

    async def errand(rt: Runtime, row: Row, now: float) -> Ending:
        called.append(row.lane)
        if len(called) == most:
            there.set()
        await over.wait()
        return lambda connection, at: "fine"

    added = {**worker_module.ERRANDS["tracker"], "probe": errand}
    monkeypatch.setitem(worker_module.ERRANDS, "tracker", added)  # type: ignore[arg-type]
    monkeypatch.setitem(worker_module._LOOPS, "tracker", added.keys())  # type: ignore[index]
    store = rig.demo.service.store
    for n in range(most + 3):
        put(rig, "probe", f"lane {n}")

    async def run() -> int:
        worker = Worker(store, {rig.town.name: rig.town}, Metrics())
        await worker.start()
        try:
            await asyncio.wait_for(there.wait(), timeout=10)
            for _ in range(500):
                # polls, which ticks may put beside them, do not count
                held = sum(r.row.kind == "probe" for r in worker._running["tracker"].values())
                if held == most + 3:
                    break
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        finally:
            worker.drain()
            over.set()
            await worker.stop()
        return held

    assert rig.loop.run_until_complete(run()) == most + 3
    assert len(called) == most
    ended = rig.sql("SELECT count(*) FROM work WHERE kind = 'probe' AND outcome = 'fine'")
    free = rig.sql(
        "SELECT count(*) FROM work WHERE kind = 'probe' AND ended_at IS NULL AND lease_until IS NULL"
    )
    assert (ended, free) == ([(most,)], [(3,)])


def test_an_alarm_that_is_set_anew_in_the_batch_in_which_it_is_due_still_comes(rig: Rig) -> None:
    # as after a restart: a message was stored just before it, and the alarm of the one before is due by now
    citizen = rig.citizen().accept()
    citizen.tap("menu:mayor")
    citizen.type("La primera part")
    citizen.new()
    rig.ahead += 3
    rig.demo.meta.send(citizen.person, {"type": "text", "body": "La segona part"})
    end = time.monotonic() + 30
    while rig.demo.meta.delivery.waiting and time.monotonic() < end:
        time.sleep(0.01)
    rig.later(10)
    assert rig.sql("SELECT count(*) FROM message WHERE state = 'in the draft'") == [(2,)]
    rig.later(60)
    (summary,) = citizen.said()
    assert "La primera part" in summary and "La segona part" in summary
    assert not rig.failed() and rig.sql(
        "SELECT count(*) FROM work WHERE kind = 'quiet' AND ended_at IS NULL"
    ) == [(0,)]
