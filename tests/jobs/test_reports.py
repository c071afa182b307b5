"""What became of an answer comes back to its ticket, as one private note; a failure is put where staff look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connector.core.town import Answers, OnFailed
from connector.storage import given_up

from .rig import Citizen, Rig

HOURS = 3600


def answered(rig: Rig, *notes: str, **fault: Any) -> tuple[Citizen, str, int]:
    """Somebody whose request was answered."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    if fault:
        rig.whatsapp_fault(match="messages", **fault)
    for note in notes or ("La resposta",):
        rig.staff().write(number, note)
    rig.poll()
    return citizen, reference, number


def told(rig: Rig, reference: str) -> list[str]:
    """The private notes of the connector, without the line that holds their key."""
    return [n.removeprefix("🔒") for n in rig.notes(reference) if n.startswith("🔒")]


def read(rig: Rig, citizen: Citizen) -> None:
    httpx.post(f"{rig.url}/_phone/people/{citizen.person.id}/read").raise_for_status()
    rig.work()


def test_a_read_answer_is_one_note(rig: Rig) -> None:
    citizen, reference, _ = answered(rig)
    rig.later(60)
    assert told(rig, reference) == [], "delivered is not yet worth a note"
    read(rig, citizen)
    rig.later(90)
    (note,) = told(rig, reference)
    assert "l’ha llegida" in note
    rig.later(2 * 24 * HOURS)
    assert len(told(rig, reference)) == 1


def test_what_is_known_after_some_hours_is_told_and_reading_it_later_is_not(rig: Rig) -> None:
    citizen, reference, _ = answered(rig)
    rig.later(rig.town.town.timing.report_hours * HOURS + 1)
    (note,) = told(rig, reference)
    assert "ha arribat al telèfon" in note
    read(rig, citizen)
    rig.later(24 * HOURS)
    assert len(told(rig, reference)) == 1


def test_several_answers_share_a_note(rig: Rig) -> None:
    citizen, reference, _ = answered(rig, "Primera", "Segona", "Tercera")
    rig.later(5)
    read(rig, citizen)
    rig.later(90)
    (note,) = told(rig, reference)
    assert note.count("l’ha llegida") == 3


@pytest.mark.parametrize("how", ["status", "answer"])
def test_a_failed_answer_is_told_at_once_with_the_reason_in_words(rig: Rig, how: str) -> None:
    fault = {"failed": 131026} if how == "status" else {"error": 131026}
    _, reference, _ = answered(rig, **fault)
    rig.later(1)
    (note,) = told(rig, reference)
    assert "NO ha arribat" in note and "ens ha bloquejat" in note and "131026" in note
    rig.later(24 * HOURS)
    assert len(told(rig, reference)) == 1
    drop(rig)


def test_a_failure_after_the_report_is_still_told(rig: Rig) -> None:
    """The last word on a message WhatsApp had for hours."""
    _, reference, _ = answered(rig)
    rig.change("UPDATE message SET state = 'sent' WHERE send_key LIKE ?", f"say:answer:{reference}:%")
    rig.later(rig.town.town.timing.report_hours * HOURS + 1)
    (note,) = told(rig, reference)
    assert "encara no ha arribat" in note
    ((key,),) = rig.sql(
        "SELECT send_key FROM message WHERE send_key LIKE 'say:answer:%' ORDER BY id DESC LIMIT 1"
    )
    ((code,),) = rig.sql("SELECT key FROM message WHERE send_key = ? ORDER BY id DESC", key)
    store, town = rig.demo.service.store, rig.town
    wamid = next(
        m.id
        for (_, m) in rig.demo.meta.state.owners.values()
        if store.pseudonyms.of(f"wamid:{town.name}", m.id) == code
    )
    status = {"id": wamid, "state": "failed", "key": key, "error_code": 131026, "error_title": "x"}
    store.write_now(lambda c: town.put(c, lane="st:late", kind="status", payload=status, now=rig.now()))
    rig.later(120)
    assert len(told(rig, reference)) == 2 and "NO ha arribat" in told(rig, reference)[-1]
    drop(rig)


def test_an_answer_that_waits_for_the_tap_says_so(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.later(25 * HOURS)
    rig.staff().write(number, "La resposta")
    rig.poll()
    rig.later(rig.town.town.timing.report_hours * HOURS + 1)
    (note,) = told(rig, reference)
    assert "més de 24 hores" in note
    citizen.type("Hola")
    assert [w for w in citizen.said() if "La resposta" in w]


def test_consent_withdrawn_is_told_to_staff(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    citizen.tap("consent:no")
    rig.staff().write(number, "Massa tard")
    rig.poll()
    rig.later(1)
    assert [n for n in told(rig, reference) if "retirar el consentiment" in n]
    assert not [w for w in citizen.said() if "Massa tard" in w]


@pytest.fixture
def flagged(rig: Rig) -> Iterator[Rig]:
    """The mapping asks for a status and a watcher on what failed."""
    town = rig.town.town
    wanted = OnFailed(status="Comentaris", watchers=("Oficina Atenció Ciutadana",))
    rig.town.town = town.model_copy(
        update={"answers": Answers(**{**dict(town.answers), "on_failed": wanted})}
    )
    yield rig
    rig.town.town = town


def test_a_failed_answer_is_put_where_staff_look(flagged: Rig) -> None:
    rig = flagged
    citizen, reference, _ = answered(rig, failed=131026)
    rig.later(1)
    ticket = rig.ticket(reference)
    assert ticket["status"]["name"] == "Comentaris"
    assert "Oficina Atenció Ciutadana" in {w["name"] for w in ticket["watchers"]}
    rig.poll()
    rig.later(60)
    assert citizen.new() == [], "our own change of status is no answer"
    drop(rig)


def drop(rig: Rig) -> None:
    for row, *_ in rig.failed():
        rig.demo.service.store.write_now(lambda c, row=row: given_up.drop(c, row))  # type: ignore[misc]
