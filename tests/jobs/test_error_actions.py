"""Every error code of WhatsApp is acted on as the table says, in the answer to a call and in a failed status."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from connector.jobs import sending
from connector.storage import given_up
from connector.storage.buckets import Rate
from connector.whatsapp.errors import Action, _table

from . import rig as rig_module
from .rig import PACE, Citizen, Rig

CODES = {row.first: row.actions for row in _table()}
PASSING = {Action.RETRY, Action.LATER}


def codes(*wanted: Action, without: set[Action] = frozenset()) -> list[int]:  # type: ignore[assignment]
    found = [code for code, acts in CODES.items() if set(wanted) <= acts and not without & acts]
    assert found
    return found


def some(found: list[int]) -> list[Any]:
    """Four of those that are acted on alike; the others are in `make test-real`."""
    return [pytest.param(code, marks=[pytest.mark.long] if n >= 4 else []) for n, code in enumerate(found)]


@pytest.fixture
def pair(rig: Rig) -> tuple[Citizen, Citizen]:
    """Two who wait for nothing."""
    assert not rig.paused() and not rig.failed()
    two = rig.citizen().accept(), rig.citizen().accept()
    for one in two:
        one.new()
    return two


@pytest.fixture(autouse=True)
def _clean(rig: Rig) -> Any:
    yield
    rig.change("DELETE FROM pause")
    rig.change("DELETE FROM template")
    rig.change("UPDATE work SET outcome = 'dropped by operator', payload = NULL WHERE outcome = 'failed'")


@pytest.mark.parametrize("code", some(codes(Action.PAUSE_NUMBER, without=PASSING)))
def test_what_only_a_person_can_mend_stops_the_number_and_keeps_the_queue(
    rig: Rig, pair: tuple[Citizen, Citizen], code: int
) -> None:
    one, other = pair
    rig.whatsapp_fault(match="messages", error=code)
    one.type("menú")
    other.type("menú")
    assert rig.paused() == ["whatsapp"] and not rig.failed()
    assert one.new() == [] == other.new()
    rig.later(PACE.pause[0] * 3)
    rig.later(PACE.pause[0] * 3)
    assert not rig.paused() and len(one.new()) == len(other.new()) == 1


@pytest.mark.parametrize(
    "code", sorted({*codes(Action.PAUSE_NUMBER, Action.RETRY), *codes(Action.PAUSE_NUMBER, Action.LATER)})
)
def test_a_number_that_is_too_fast_rests_as_long_as_it_is_told(
    rig: Rig, pair: tuple[Citizen, Citizen], code: int
) -> None:
    one, _ = pair
    rig.whatsapp_fault(match="messages", error=code, retry_after=77)
    one.type("menú")
    assert rig.paused() == ["whatsapp"]
    rig.later(60)
    assert one.new() == [], "Retry-After is honoured"
    rig.later(120)
    rig.later(1)
    assert len(one.new()) == 1 and not rig.paused() and not rig.failed()


@pytest.mark.parametrize(
    "code", some(sorted({*codes(Action.NEVER), *codes(Action.FIX)} - {131052, 131060} | {131063}))
)
def test_a_message_that_is_refused_is_listed_and_the_next_goes_on(
    rig: Rig, pair: tuple[Citizen, Citizen], code: int
) -> None:
    one, _ = pair
    if CODES[code] & {Action.PAUSE_NUMBER}:
        pytest.fail("another test's")
    rig.whatsapp_fault(match="messages", error=code)
    one.type("menú")
    ((_, kind, error),) = rig.failed()
    assert kind == "send" and str(code) in error and not rig.paused()
    one.type("menú")
    assert len(one.new()) == 1


def test_a_person_who_got_too_many_rests_and_nobody_else(
    rig: Rig, pair: tuple[Citizen, Citizen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """131056: again after 4^X seconds."""
    one, other = pair
    began = rig.now() - rig.ahead
    monkeypatch.setattr(
        rig_module, "time", SimpleNamespace(time=lambda: began)
    )  # a slow machine takes nothing off
    rig.whatsapp_fault(match="messages", error=131056)
    one.type("menú")
    lane = f"out:{rig.person_id(one)}"
    waits = []
    for again in (True, True, False):
        ((due,),) = rig.sql("SELECT due_at FROM work WHERE lane = ? AND ended_at IS NULL", lane)
        waits.append(round(due - rig.now()))
        other.type("menú")
        assert len(other.new()) == 1 and not rig.paused() and one.new() == []
        if again:
            rig.whatsapp_fault(match="messages", error=131056)
        rig.later(due - rig.now() + 0.01)
    assert waits == [1, 4, 16]
    assert len(one.new()) == 1 and not rig.failed()


def test_unknown_faults_of_meta_are_tried_a_few_times_over_half_an_hour(
    rig: Rig, pair: tuple[Citizen, Citizen]
) -> None:
    one, _ = pair
    for _ in range(5):
        rig.whatsapp_fault(match="messages", error=131000)
    one.type("menú")
    spent = 0
    while not rig.failed():
        rig.later(60)
        spent += 60
        assert spent < 3600
    assert spent > PACE.spread / 2
    assert "131000" in rig.failed()[0][2]


@pytest.mark.parametrize("code", [2, 131016])
def test_an_outage_fails_nothing_and_is_probed(rig: Rig, pair: tuple[Citizen, Citizen], code: int) -> None:
    one, other = pair
    for _ in range(9):
        rig.whatsapp_fault(match="messages", error=code)
    one.type("menú")
    other.type("menú")
    hours = itertools.count()
    while rig.faults_left():
        rig.later(300)
        assert next(hours) < 50
    assert not rig.failed()
    for _ in range(4):
        rig.later(1000)
    assert len(one.new()) == len(other.new()) == 1 and not rig.paused()


def test_after_several_failures_in_a_row_only_single_calls_probe(
    rig: Rig, pair: tuple[Citizen, Citizen]
) -> None:
    many = [rig.citizen().accept() for _ in range(6)]
    for one in many:
        one.new()
    for _ in range(PACE.stumbles):
        rig.whatsapp_fault(match="messages", error=2)
    for one in many:
        one.type("menú")
    assert rig.paused() == ["whatsapp"] and not any(one.new() for one in many[PACE.stumbles :])
    for _ in range(4):
        rig.later(PACE.longest)
    assert not rig.paused() and all(len(one.new()) == 1 for one in many)


def test_the_window_is_closed_though_we_thought_it_open(rig: Rig) -> None:
    """131047, in the answer: the message is held, a template asks for the tap, the tap brings it."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.whatsapp_fault(match="messages", error=131047)
    rig.staff().write(number, "La resposta llarga")
    rig.poll()
    (template,) = citizen.new()
    assert template["type"] == "template" and not rig.failed()
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    assert [w for w in citizen.said() if "La resposta llarga" in w]


def test_the_window_was_closed_as_a_status_says_later(rig: Rig) -> None:
    """131047 after a 200, as it usually comes."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.whatsapp_fault(match="messages", failed=131047)
    rig.staff().write(number, "La resposta que no va arribar")
    rig.poll()
    template = citizen.new()[-1]
    assert template["type"] == "template" and not rig.failed()
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    assert len([w for w in citizen.said() if "no va arribar" in w]) == 1


@pytest.mark.parametrize("code", [131000, 131016, 130429, 131056])
def test_what_passes_is_sent_again_after_a_failed_status(rig: Rig, code: int) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.whatsapp_fault(match="messages", failed=code)
    rig.staff().write(number, "Una resposta")
    rig.poll()
    citizen.new()
    for _ in range(6):
        rig.later(600)
    assert [w for w in citizen.said() if "Una resposta" in w] and not rig.failed() and not rig.paused()
    sent = rig.sql("SELECT state FROM message WHERE send_key LIKE 'say:answer:%' ORDER BY id DESC LIMIT 2")
    assert sorted(s[0] for s in sent) == ["delivered", "failed"]


def test_a_failed_status_that_comes_again_days_later_sends_nothing(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.whatsapp_fault(match="messages", failed=131016)
    rig.staff().write(number, "Una resposta")
    rig.poll()
    failed = rig.demo.meta.failed[-1]
    rig.later(600)
    assert len([w for w in citizen.said() if "Una resposta" in w]) == 1
    rig.later(2 * 86_400)
    town = rig.town
    status = {"id": failed.id, "state": "failed", "key": None, "error_code": 131016, "error_title": ""}
    store = rig.demo.service.store
    store.write_now(lambda c: town.put(c, lane="st:again", kind="status", payload=status, now=rig.now()))
    rig.later(600)
    assert citizen.new() == [] and not rig.failed()


@pytest.mark.parametrize("code", [131026, 131049, 130472])
def test_what_never_arrives_is_listed_after_a_failed_status_and_can_be_retried(rig: Rig, code: int) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.whatsapp_fault(match="messages", failed=code)
    rig.staff().write(number, "Una resposta perduda")
    rig.poll()
    citizen.new()
    ((row, kind, error),) = rig.failed()
    assert kind == "send" and str(code) in error
    assert rig.demo.service.store.write_now(lambda c: given_up.reopen(c, row, rig.now()))
    rig.later(PACE.silence + 1)
    assert [w for w in citizen.said() if "resposta perduda" in w] and not rig.failed()


def test_a_template_that_is_stopped_waits_and_nothing_else_does(rig: Rig) -> None:
    one, other = rig.citizen(), rig.citizen().accept()
    other.new()
    _, number = one.request()
    rig.later(25 * 3600)
    rig.whatsapp_fault(match="messages", error=132015)
    rig.staff().write(number, "La resposta")
    rig.poll()
    assert one.new() == [] and not rig.failed()
    assert rig.sql("SELECT count(*) FROM work WHERE lane LIKE 'template:%' AND ended_at IS NULL") == [(1,)]
    other.type("menú")
    assert other.new()
    one.type("Hola")
    assert [w for w in one.said() if "La resposta" in w]


def test_the_words_stay_until_they_are_delivered_and_no_longer(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff().write(number, "Ben rebuda")
    rig.poll()
    assert [w for w in citizen.said() if "Ben rebuda" in w]
    left = rig.sql("SELECT id FROM work WHERE kind = 'send' AND payload IS NOT NULL AND outcome != 'failed'")
    assert left == []


def test_a_person_gets_no_more_than_whatsapp_allows(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The burst, then one every six seconds; nobody else waits, and a restart gives nothing anew: it is in the database."""
    monkeypatch.setattr(sending, "PAIR", Rate(1 / 6, 3))
    one, other = rig.citizen().accept(), rig.citizen().accept()
    rig.later(60)
    one.new(), other.new()
    for _ in range(5):
        one.type("menú")
    assert len(one.new()) == 3
    other.type("menú")
    assert len(other.new()) == 1
    rig.later(6.5)
    assert len(one.new()) == 1
    rig.later(6.5)
    assert len(one.new()) == 1 and not rig.failed()


def test_the_number_sends_no_more_than_its_rate(rig: Rig) -> None:
    town, before = rig.town, rig.town.rate
    people = [rig.citizen().accept() for _ in range(4)]
    for one in people:
        one.new()
    rig.later(60)
    town.rate = Rate(1 / 30, 2)
    try:
        for one in people:
            one.type("menú")
        assert sum(len(one.new()) for one in people) == 2
        rig.later(31)
        assert sum(len(one.new()) for one in people) == 1
        rig.later(31)
        assert sum(len(one.new()) for one in people) == 1
    finally:
        town.rate = before
