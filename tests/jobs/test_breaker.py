"""A tracker that is away is left alone; one of whose calls some go wrong is not."""

from __future__ import annotations

import pytest

from .rig import PACE, Citizen, Rig, pdf


def written(rig: Rig, n: int) -> list[Citizen]:
    return [rig.citizen().write(f"Petició {i}") for i in range(n)]


@pytest.mark.parametrize("trouble", [{"drop": "before"}, {"http": 502}])
def test_a_tracker_that_answers_other_calls_is_not_away(rig: Rig, trouble: dict[str, object]) -> None:
    citizens = written(rig, PACE.stumbles + 2)
    for n, citizen in enumerate(citizens):
        citizen.file(pdf("x" * n), "application/pdf", filename="plànol.pdf")
    rig.later(30)
    rig.tracker_fault(match="POST /uploads.json", times=len(citizens), **trouble)
    for citizen in citizens:
        citizen.tap("draft:send")
    assert not rig.faults_left() and not rig.paused()
    rig.later(PACE.settle + 5)
    assert rig.sql("SELECT count(*) FROM media WHERE state != 'done'") == [(0,)]


def test_a_tracker_that_answers_nothing_is_left_alone_and_found_again(rig: Rig) -> None:
    citizens = written(rig, PACE.stumbles + 2)
    rig.tracker_fault(match="*", drop="before", times=PACE.stumbles)
    for citizen in citizens:
        citizen.tap("draft:send")
    assert not rig.faults_left() and rig.paused() == ["tracker"]
    for _ in range(3):
        rig.later(PACE.settle + 5)
    assert not rig.paused() and rig.sql("SELECT count(*) FROM ticket WHERE tracker_id IS NULL") == [(0,)]


def test_what_it_proves_for_one_row_it_proves_for_all(rig: Rig) -> None:
    (citizen,) = written(rig, 1)
    rig.tracker_fault(match="GET *", drop="before", times=2)
    rig.poll()
    rig.later(3)
    waits = "SELECT count(*) FROM work WHERE kind = 'poll' AND ended_at IS NULL"
    assert not rig.faults_left() and not rig.paused() and rig.sql(waits) == [(1,)]
    citizen.tap("draft:send")
    assert rig.sql(waits) == [(0,)], "it did not wait out what it waits after two failures"


def test_a_pause_that_was_asked_for_is_kept(rig: Rig) -> None:
    (citizen,) = written(rig, 1)
    rig.tracker_fault(match="POST */issues.json", http=429, retry_after=300)
    citizen.tap("draft:send")
    assert rig.paused() == ["tracker"]
    rig.later(200)
    assert rig.paused() == ["tracker"] and rig.sql(
        "SELECT count(*) FROM ticket WHERE tracker_id IS NULL"
    ) == [(1,)]
    rig.later(150)
    rig.later(5)
    assert not rig.paused() and rig.sql("SELECT count(*) FROM ticket WHERE tracker_id IS NULL") == [(0,)]
