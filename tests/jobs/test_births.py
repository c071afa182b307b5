"""Numbers that Redmine gives again (on SQLite, as its stand-in does): another's ticket, another note, is never ours."""

from __future__ import annotations

from datetime import timedelta

from connector.storage.tickets import DELETED

from .rig import PACE, Citizen, Rig
from .test_answers_exactly_once import change, last_note
from .test_sweep import gone, night, told

CHANGED = "s’ha canviat, amagat o esborrat"


def delete(rig: Rig, number: int) -> None:
    rig.staff("admin").http.delete(f"/issues/{number}.json").raise_for_status()
    rig.tracker_later(2)


def made_by_staff(rig: Rig, subject: str = "Obres al despatx") -> int:
    issue = {"project_id": "atencio-ciutadana", "subject": subject}
    made = rig.staff("oac").http.post("/issues.json", json={"issue": issue})
    made.raise_for_status()
    return int(made.json()["issue"]["id"])


def answered(rig: Rig) -> tuple[Citizen, str, int]:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.staff("oac").write(number, "Ho mirem")
    rig.poll()
    assert [w for w in citizen.said() if "Ho mirem" in w]
    return citizen, reference, number


def on_its_way(rig: Rig, number: int) -> None:
    """Another answer, whose sending had no answer and did not happen."""
    rig.whatsapp_fault(match="messages", drop="before")
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()


def test_a_ticket_of_staff_with_the_number_of_a_deleted_one_is_not_the_citizens(rig: Rig) -> None:
    citizen, reference, number = answered(rig)
    delete(rig, number)
    assert made_by_staff(rig) == number
    rig.staff("oac").write(number, "Nota per a nosaltres")
    rig.poll()
    assert citizen.said() == [] and gone(rig, reference) == DELETED
    rig.staff("oac").write(number, "I una altra")
    rig.poll()
    night(rig)
    citizen.type("menú")
    assert not [w for w in citizen.said() if "nosaltres" in w or "una altra" in w]
    assert gone(rig, reference) == DELETED and not rig.failed()


def test_nor_before_its_first_reading(rig: Rig) -> None:
    """Deleted between its creation and the first poll: of another citizen's ticket the reference says it."""
    first = rig.citizen()
    reference, number = first.request()
    delete(rig, number)
    second = rig.citizen()
    other, same = second.request()
    assert same == number
    first.new()
    rig.staff("oac").write(number, "Resposta al segon")
    rig.poll()
    assert first.said() == [] and [w for w in second.said() if "al segon" in w]
    assert gone(rig, reference) == DELETED and gone(rig, other) is None


def test_a_request_that_gets_the_number_of_a_deleted_one_has_its_answers(rig: Rig) -> None:
    first, reference, number = answered(rig)
    delete(rig, number)
    second = rig.citizen()
    other, same = second.request()
    assert same == number
    assert gone(rig, reference) == DELETED, "known as soon as its number is another's"
    rig.staff("oac").write(number, "Resposta al segon")
    rig.poll()
    assert first.said() == [] and [w for w in second.said() if "al segon" in w]
    night(rig)
    night(rig)
    assert gone(rig, reference) == DELETED and gone(rig, other) is None and not rig.failed()
    reports = [n for n in rig.notes(other) if n.startswith("🔒")]
    assert len(reports) == 1 and "La resposta del" in reports[0], "nothing of the first is written on it"


def test_an_answer_under_way_does_not_come_from_anothers_ticket(rig: Rig) -> None:
    citizen, reference, number = answered(rig)
    on_its_way(rig, number)
    delete(rig, number)
    assert made_by_staff(rig) == number
    rig.staff("oac").write(number, "Nota per a nosaltres")
    rig.staff("oac").write(number, "I una altra")
    rig.later(PACE.silence + 5)
    rig.poll()
    assert citizen.said() == [] and [d for d in rig.decided(reference) if d.startswith("not sent")]


def emptied(rig: Rig, number: int) -> int:
    """The last note is emptied, which deletes it; its id."""
    journal = last_note(rig, number)
    change(rig, journal, notes="")
    rig.tracker_later(2)
    return int(str(journal["id"]))


def test_a_note_with_the_number_of_a_deleted_one_is_sent(rig: Rig) -> None:
    citizen, reference, number = answered(rig)
    for words in ("Vindrem dilluns", "Vindrem dimarts"):
        citizen.type("menú")  # opens the customer service window again
        citizen.new()
        former = emptied(rig, number)
        rig.staff("oac").write(number, words)
        assert int(str(last_note(rig, number)["id"])) == former
        rig.poll()
        (said,) = citizen.said()
        assert words in said
        night(rig)
    assert len([d for d in rig.decided(reference) if d.startswith("sent")]) == 3
    assert told(rig, reference, CHANGED) >= 1, "the citizen has the deleted words, too"
    told_so_far = told(rig, reference, CHANGED)
    night(rig)
    assert citizen.said() == [] and told(rig, reference, CHANGED) == told_so_far and not rig.failed()


def test_a_note_deleted_before_it_went_and_written_anew_goes_once(rig: Rig) -> None:
    citizen, _, number = answered(rig)
    on_its_way(rig, number)
    emptied(rig, number)
    rig.staff("oac").write(number, "Vindrem dimarts")
    rig.later(PACE.silence + 5)
    rig.poll()
    said = citizen.said()
    assert not [w for w in said if "dilluns" in w] and len([w for w in said if "dimarts" in w]) == 1


def test_times_that_move_as_a_whole_send_nothing_again(rig: Rig) -> None:
    """As when Redmine's database is moved and its time zone read another way."""
    citizen, reference, number = answered(rig)
    assert rig.demo.redmine is not None
    db = rig.demo.redmine.db
    for row in (*db.issues.values(), *db.journals.values()):
        row.created_on += timedelta(hours=2)
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    (said,) = citizen.said()
    assert "dilluns" in said
    night(rig)
    assert gone(rig, reference) is None and told(rig, reference, CHANGED) == 0
