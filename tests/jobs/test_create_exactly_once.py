"""One request is one ticket, whatever happens between us and the tracker; and the ticket is complete."""

from __future__ import annotations

import pytest

from connector.storage import given_up
from tests.e2e.way import reference_in

from .rig import PACE, Citizen, Rig, pdf


def send(citizen: Citizen) -> str:
    """«Send» is tapped; the reference as the database has it, as there may be no receipt yet."""
    citizen.tap("draft:send")
    return str(citizen.rig.sql("SELECT reference FROM ticket ORDER BY id DESC LIMIT 1")[0][0])


def test_an_answer_dropped_after_the_commit_is_found_by_its_reference(rig: Rig) -> None:
    citizen = rig.citizen().write("Un arbre ha caigut")
    rig.tracker_fault(match="POST */issues.json", drop="after")
    reference = send(citizen)
    assert len(rig.tickets(reference)) == 1 and rig.sql(
        "SELECT tracker_id FROM ticket WHERE reference = ?", reference
    ) == [(None,)]
    rig.later(5)
    assert rig.sql("SELECT outcome FROM work WHERE key = ?", f"create:{reference}") == [
        ("found by its reference",)
    ]
    rig.later(PACE.settle)
    assert len(rig.tickets(reference)) == 1
    assert [reference_in(m) for m in citizen.new()].count(reference) >= 1


def test_a_lost_request_is_posted_again_only_after_the_time_a_slow_server_may_need(rig: Rig) -> None:
    citizen = rig.citizen().write("Un contenidor cremat")
    rig.tracker_fault(match="POST */issues.json", drop="before")
    reference = send(citizen)
    rig.later(PACE.settle - 10)
    assert rig.tickets(reference) == [], "it may still come: not posted again yet"
    rig.later(11)
    assert len(rig.tickets(reference)) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_error_of_the_server_is_one_ticket_later(rig: Rig, status: int) -> None:
    citizen = rig.citizen().write(f"Error {status}")
    rig.tracker_fault(match="POST */issues.json", http=status)
    reference = send(citizen)
    assert rig.tickets(reference) == []
    rig.later(5)
    rig.later(PACE.settle)
    assert len(rig.tickets(reference)) == 1 and not rig.failed()


def test_an_error_after_the_commit_is_one_ticket(rig: Rig) -> None:
    citizen = rig.citizen().write("Error després de desar")
    rig.tracker_fault(match="POST */issues.json", http=500, commit="before")
    reference = send(citizen)
    rig.later(PACE.settle + 5)
    rig.later(PACE.settle + 5)
    assert len(rig.tickets(reference)) == 1


@pytest.mark.parametrize(
    "trouble", [{"drop": "before"}, {"http": 502}, {"http": 429, "retry_after": 1}, {"http": 403}]
)
def test_looking_for_it_in_vain_does_not_forget_that_it_may_have_been_created(
    rig: Rig, trouble: dict[str, object]
) -> None:
    citizen = rig.citizen().write("Desat, però ningú no ho sap")
    rig.tracker_fault(match="POST */issues.json", http=503, commit="before")
    reference = send(citizen)
    assert len(rig.tickets(reference)) == 1
    rig.tracker_fault(match="GET *", **trouble)
    rig.later(5)
    for _ in range(3):
        rig.later(PACE.settle + 5)
    assert not rig.faults_left()
    assert len(rig.tickets(reference)) == 1


def test_what_waits_for_a_failed_create_waits_quietly_and_goes_on_after_its_retry(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb una foto")
    citizen.file(pdf("x" * 300), "application/pdf", filename="plànol.pdf")
    rig.later(30)
    rig.tracker_fault(match="POST */issues.json", http=422, times=2)
    reference = send(citizen)
    ((row, kind, error),) = rig.failed()
    assert kind == "create" and error
    store = rig.demo.service.store
    store.write_now(
        lambda c: rig.town.note(c, reference, "Una nota que espera", key=f"w:{reference}", now=rig.now())
    )
    rig.later(60)
    assert "note" in rig.rounds
    for _ in range(3):
        rig.later(3600)
        assert not {"attach", "note"} & set(rig.rounds), "nothing looks again and again"
    assert store.write_now(lambda c: given_up.reopen(c, row, rig.now()))
    rig.work()
    ticket = rig.ticket(reference)
    assert [a["filename"] for a in ticket["attachments"]] == ["plànol.pdf"]
    assert len([n for n in rig.notes(reference) if "Una nota que espera" in n]) == 1


def test_a_file_lost_at_whatsapp_is_told_once_and_the_ticket_is_there(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb un fitxer que es perd")
    for _ in range(4):
        rig.whatsapp_fault(match="media_url", error=100, http=400)
    citizen.file(pdf("y" * 300), "application/pdf", filename="perdut.pdf")
    reference = send(citizen)
    citizen.new()
    for _ in range(8):
        rig.later(60)
    told = [w for w in citizen.said() if "«perdut.pdf»" in w]
    assert len(told) == 1 and reference in told[0] and "no ens ha arribat" in told[0]
    notes = [n for n in rig.notes(reference) if "perdut.pdf" in n]
    assert len(notes) == 1 and notes[0].startswith("🔒")
    assert rig.sql(
        "SELECT m.state FROM media m JOIN ticket t ON t.id = m.ticket_id WHERE t.reference = ?", reference
    ) == [("lost",)]


def test_two_files_the_tracker_refuses_are_one_message_and_two_notes(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb dos fitxers")
    for name in ("un.txt", "dos.txt"):
        citizen.file(name.encode() * 90, "text/plain", kind="document", filename=name)
    rig.later(30)
    assert rig.demo.redmine is not None
    settings = rig.demo.redmine.db.settings
    before, settings.extensions_denied = settings.extensions_denied, ("txt",)
    try:
        reference = send(citizen)
        rig.later(5)
    finally:
        settings.extensions_denied = before
    told = [w for w in citizen.said() if reference in w and "el sistema de l’Ajuntament no admet" in w]
    assert len(told) == 1 and "«un.txt»" in told[0] and "«dos.txt»" in told[0]
    assert len([n for n in rig.notes(reference) if ".txt" in n and n.startswith("🔒")]) == 2
    assert rig.sql("SELECT count(*) FROM media_part") == [(0,)], "the content is gone from the database"


def test_without_the_right_a_private_note_is_not_written_at_all(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, _ = citizen.request()
    assert rig.demo.redmine is not None
    rig.demo.redmine.set_permission("Robot WhatsApp", "set_notes_private", False)
    try:
        store = rig.demo.service.store
        store.write_now(
            lambda c: rig.town.note(c, reference, "Només per a dins", key=f"n:{reference}", now=rig.now())
        )
        rig.later(1)
        rig.poll()
    finally:
        rig.demo.redmine.set_permission("Robot WhatsApp", "set_notes_private", True)
    assert not [n for n in rig.notes(reference) if "per a dins" in n] and citizen.said() == []
    outcome = rig.sql("SELECT outcome FROM work WHERE key = ?", f"n:{reference}")
    assert outcome == [("not written: no right to private notes",)]


def test_the_time_a_slow_server_may_need_begins_with_the_write_not_with_what_came_before_it(rig: Rig) -> None:
    """The ticket is read and the file uploaded before the one call that counts: that may take minutes."""
    citizen = rig.citizen().write("Amb una foto")
    citizen.file(pdf("z" * 300), "application/pdf", filename="plànol.pdf")
    rig.later(30)
    rig.tracker_fault(match="POST */uploads.json", delay=1.5, commit="before")
    rig.tracker_fault(match="PUT */issues/*", drop="before")
    began = rig.now()
    reference = send(citizen)
    ((tried,),) = rig.sql("SELECT tried_at FROM work WHERE kind = 'attach' AND lane = ?", f"t:{reference}")
    assert tried >= began + 1.5
    rig.later(PACE.settle + 1)
    assert [a["filename"] for a in rig.ticket(reference)["attachments"]] == ["plànol.pdf"]
