"""Trackers that can do less: the core asks what one can do, does what is left, and pretends nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.core.ports import Capabilities, Known
from connector.core.ticket import Changes, EntryKind, TicketView
from connector.core.town import Answers, OnFailed
from connector.storage import given_up

from .rig import PACE, Citizen, Rig, pdf
from .test_answers_exactly_once import change
from .test_create_exactly_once import send
from .test_recheck import held_behind_template, tap

WORKING, SOLVED, CLOSED = 2, 3, 5
SOLVED_SAID, CLOSED_SAID = "Ja està resolt", "Hem tancat la teva petició"


class Narrow:
    """The rig's tracker as one that can do less: what it cannot do must not be asked of it."""

    def __init__(self, tracker: Any, **less: Any) -> None:
        self._tracker = tracker
        self.capabilities: Capabilities = replace(tracker.capabilities, **less)

    def __getattr__(self, name: str) -> Any:
        can = self.capabilities
        refused = {
            "find": can.find_by_reference,
            "attach": can.attachments,
            "add_internal_note": can.internal_notes,
        }
        assert refused.get(name, True), f"{name} is asked of a tracker that has none"
        return getattr(self._tracker, name)


class Snapshots(Narrow):
    """One whose journal knows nothing of statuses, and that has no list of what moved."""

    def __init__(self, tracker: Any) -> None:
        super().__init__(tracker, feed="snapshot")
        self.compared = 0

    def read(self, ticket_id: str) -> TicketView:
        view = self._tracker.read(ticket_id)
        notes = [replace(e, status="") for e in view.entries if e.kind is not EntryKind.STATUS]
        return replace(view, entries=tuple(notes), mark=f"{view.status} {len(notes)}")

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        views = [(self.read(ticket_id), mark) for ticket_id, mark in known.watched().items()]
        self.compared = len(views)
        return Changes(tuple(view for view, mark in views if view.mark != mark), cursor)


class Merging(Narrow):
    """One in which the ticket ``old`` lives on in ``into`` since then."""

    def __init__(self, tracker: Any, old: int, into: int) -> None:
        super().__init__(tracker)
        self.old, self.into = str(old), str(into)
        self.since = len(tracker.read(self.into).entries)

    def read(self, ticket_id: str) -> TicketView:
        view: TicketView = self._tracker.read(ticket_id)
        if ticket_id != self.old:
            return view
        later = self._tracker.read(self.into).entries[self.since :]
        return replace(view, entries=(*view.entries, *later), merged_into=self.into)

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        moved: Changes = self._tracker.changes(cursor, projects, known)
        return replace(moved, tickets=tuple(self.read(view.ticket_id) for view in moved.tickets))


@pytest.fixture
def narrow(rig: Rig) -> Iterator[Callable[[Any], Any]]:
    """Makes the rig's tracker another one until the test is over."""
    town, own = rig.town, rig.town.tracker

    def put(tracker: Any) -> Any:
        town.tracker = tracker
        return tracker

    yield put
    town.tracker = own


# --- no search by reference ------------------------------------------------------------------------


def unsettled(rig: Rig, narrow: Callable[[Any], Any], when: str) -> tuple[Citizen, str, int]:
    """A request whose answer was lost, ``after`` the ticket was made or ``before``: the row that failed."""
    narrow(Narrow(rig.town.tracker, find_by_reference=False))
    citizen = rig.citizen().write("Un arbre ha caigut")
    rig.tracker_fault(match="POST */issues.json", drop=when)
    reference = send(citizen)
    rig.later(PACE.settle - 10)
    assert not rig.failed(), "it may still come: nobody can say yet that it is not there"
    rig.later(15)
    ((row, kind, error),) = rig.failed()
    assert kind == "create"
    assert reference in error and f"connector failed retry {row} --ticket NUMBER" in error
    rig.later(3600)
    assert len(rig.tickets(reference)) == (when == "after"), "nothing is posted before a person has looked"
    return citizen, reference, row


def test_a_ticket_that_a_person_finds_is_taken(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    citizen, reference, row = unsettled(rig, narrow, "after")
    number = rig.ticket(reference)["id"]
    store = rig.demo.service.store
    citizen.new()
    store.write_now(
        lambda c: given_up.reopen_with(c, store.sealer, row, "create", rig.now(), ticket=str(number))
    )
    rig.work()
    assert any(f"*{number}*" in said for said in citizen.said())
    rig.staff("oac").write(number, "Hi anem")
    rig.poll()
    assert any("Hi anem" in said for said in citizen.said())
    assert len(rig.tickets(reference)) == 1 and not rig.failed()


def test_what_a_person_does_not_find_is_sent_again(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    _, reference, row = unsettled(rig, narrow, "before")
    assert rig.demo.service.store.write_now(lambda c: given_up.reopen(c, row, rig.now()))
    rig.work()
    assert len(rig.tickets(reference)) == 1 and not rig.failed()


def test_a_number_that_is_nobodys_or_somebody_elses_is_refused(
    rig: Rig, narrow: Callable[[Any], Any]
) -> None:
    other, number = rig.citizen().request("Una altra cosa")
    _, reference, row = unsettled(rig, narrow, "before")
    store = rig.demo.service.store
    for named, why in ((str(number), other), ("99999999", "no ticket 99999999")):
        store.write_now(
            lambda c, n=named: given_up.reopen_with(c, store.sealer, row, "create", rig.now(), ticket=n)
        )  # type: ignore[misc]
        rig.work()
        ((_, _, error),) = rig.failed()
        assert why in error
    assert store.write_now(lambda c: given_up.drop(c, row))
    assert rig.tickets(reference) == []


# --- no notes for staff only, no files -------------------------------------------------------------


def test_without_internal_notes_none_is_written(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    narrow(Narrow(rig.town.tracker, internal_notes=False))
    reference, _ = rig.citizen().request()
    rig.demo.service.store.write_now(
        lambda c: rig.town.note(c, reference, "Només per a dins", key=f"in:{reference}", now=rig.now())
    )
    rig.later(1)
    assert rig.notes(reference) == []
    ((outcome,),) = rig.sql("SELECT outcome FROM work WHERE key = ?", f"in:{reference}")
    assert outcome.startswith("not written")


def test_without_files_the_citizen_is_told_that_they_are_not_on_the_ticket(
    rig: Rig, narrow: Callable[[Any], Any]
) -> None:
    narrow(Narrow(rig.town.tracker, attachments=False))
    citizen = rig.citizen().write("Amb un plànol")
    citizen.file(pdf("un plànol"), "application/pdf", filename="plànol.pdf")
    rig.later(30)
    reference = send(citizen)
    rig.later(5)
    assert len([said for said in citizen.said() if "«plànol.pdf»" in said and reference in said]) == 1
    (note,) = [n for n in rig.notes(reference) if "plànol.pdf" in n]
    assert note.startswith("🔒") and "no admet fitxers" in note
    assert rig.sql("SELECT count(*) FROM media_part") == [(0,)], "the content is gone from the database"


# --- a status and the note before it ----------------------------------------------------------------


def test_a_status_goes_in_the_message_of_the_note_before_it(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    staff = rig.staff("oac")
    staff.write(number, "Ja hem arreglat la vorera")
    staff.write(number, "", status_id=WORKING)
    staff.write(number, "", status_id=SOLVED)
    rig.poll()
    (said,) = citizen.said()
    assert "la vorera" in said and SOLVED_SAID in said and "treballant" not in said
    assert len([d for d in rig.decided(reference) if d.startswith("sent: with note")]) == 2
    staff.write(number, "", status_id=CLOSED)
    rig.poll()
    (said,) = citizen.said()
    assert CLOSED_SAID in said


def test_a_note_taken_back_leaves_its_status_alone(rig: Rig) -> None:
    citizen, reference, number = held_behind_template(rig)
    journal = rig.staff("oac").ticket(number)["journals"][-1]
    rig.staff("oac").write(number, "Vindrem dimarts")
    rig.staff("oac").write(number, "", status_id=SOLVED)
    rig.poll()
    second = next(j for j in rig.staff("oac").ticket(number)["journals"] if "dimarts" in (j["notes"] or ""))
    change(rig, second, private_notes=True)
    rig.later(60)
    said = tap(citizen, reference)
    assert any("dilluns" in s for s in said) and not any("dimarts" in s for s in said)
    assert len([s for s in said if SOLVED_SAID in s]) == 1
    assert journal["id"] != second["id"]


def test_a_note_changed_while_it_waits_keeps_its_status(rig: Rig) -> None:
    citizen, reference, number = held_behind_template(rig)
    rig.staff("oac").write(number, "Vindrem dimarts")
    rig.staff("oac").write(number, "", status_id=SOLVED)
    rig.poll()
    note = next(j for j in rig.staff("oac").ticket(number)["journals"] if "dimarts" in (j["notes"] or ""))
    change(rig, note, notes="Vindrem dimecres")
    rig.later(60)
    (said,) = [s for s in tap(citizen, reference) if "Vindrem dim" in s]
    assert "dimecres" in said and SOLVED_SAID in said


# --- no log of statuses -----------------------------------------------------------------------------


def test_a_status_found_by_comparing_is_told_once(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    tracker = narrow(Snapshots(rig.town.tracker))
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.poll()
    assert citizen.said() == [], "the status it began with is no news"
    staff = rig.staff("oac")
    for status, words in ((SOLVED, SOLVED_SAID), (CLOSED, CLOSED_SAID), (SOLVED, SOLVED_SAID)):
        staff.write(number, "", status_id=status)
        rig.poll()
        (said,) = citizen.said()
        assert words in said and reference in said
        rig.poll()
        assert citizen.said() == []
    staff.write(number, "Amb una nota", status_id=CLOSED)
    rig.poll()
    (said,) = citizen.said()
    assert "Amb una nota" in said and CLOSED_SAID in said
    assert tracker.compared == len(rig.sql("SELECT id FROM ticket WHERE tracker_id IS NOT NULL"))
    assert not [n for n in rig.notes(reference) if "s’ha canviat" in n], "an old status is no emptied note"


def test_what_is_compared_begins_when_the_ticket_is_made(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    narrow(Snapshots(rig.town.tracker))
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff("oac").write(number, "", status_id=CLOSED)
    rig.poll()
    (said,) = citizen.said()
    assert CLOSED_SAID in said


def test_a_status_that_passed_before_it_was_told_is_not_told(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    narrow(Snapshots(rig.town.tracker))
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.poll()
    worker, kept = rig.demo.service.worker, rig.demo.service.worker._errand

    async def between(name: str, errand: Any, row: Any) -> None:
        if row.kind == "answer":
            rig.staff("oac").write(number, "", status_id=WORKING)
        await kept(name, errand, row)

    rig.staff("oac").write(number, "", status_id=CLOSED)
    worker._errand = between  # type: ignore[method-assign]
    try:
        rig.poll()
    finally:
        del worker._errand  # type: ignore[method-assign]
    assert citizen.said() == []
    assert "not sent: the status is another by now" in str(
        rig.sql(
            "SELECT j.outcome FROM journal j JOIN ticket t ON t.id = j.ticket_id WHERE t.reference = ?",
            reference,
        )
    )
    rig.poll()
    (said,) = citizen.said()
    assert "treballant" in said


def test_the_status_we_give_a_ticket_ourselves_is_not_told(rig: Rig, narrow: Callable[[Any], Any]) -> None:
    narrow(Snapshots(rig.town.tracker))
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.poll()
    town = rig.town.town
    answers = Answers(**{**town.answers.model_dump(), "on_failed": OnFailed(status="Resolt")})
    rig.town.town = town.model_copy(update={"answers": answers})
    try:
        rig.staff("oac").write(number, "", status_id=SOLVED)
        rig.poll()
        assert citizen.said() == []
    finally:
        rig.town.town = town


# --- merged -----------------------------------------------------------------------------------------


def test_a_merged_tickets_citizen_gets_what_is_written_on_the_other_from_then_on(
    rig: Rig, narrow: Callable[[Any], Any]
) -> None:
    one, two = rig.citizen(), rig.citizen()
    reference, number = one.request("El fanal del carrer Major")
    other, into = two.request("Fanal apagat al carrer Major")
    rig.staff("oac").write(into, "Maria, ho mirem")
    rig.poll()
    one.new(), two.new()
    narrow(Merging(rig.town.tracker, number, into))
    store = rig.demo.service.store
    store.write_now(
        lambda c: rig.town.put(c, lane="look", kind="look", payload={"reference": reference}, now=rig.now())
    )
    rig.work()
    assert one.said() == [] and two.said() == [], "what was written before is not theirs"
    assert rig.sql("SELECT gone FROM ticket WHERE reference = ?", reference) == [(f"merged into {into}",)]
    rig.staff("oac").write(into, "Ja està arreglat")
    rig.poll()
    (said,), (also,) = one.said(), two.said()
    assert "arreglat" in said and reference in said
    assert "arreglat" in also and other in also
    assert len([n for n in rig.notes(reference) if "fusionat" in n and n.startswith("🔒")]) == 1
