"""The contract of trackers on the stand-in; what the standard has no word for is refused, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connector.core.errors import Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import EntryKind, FileRef, Place, Upload

from ..contract import TrackerContract
from ..system import Ours, System
from .standin import Standin, serving
from .support import system as make


@pytest.fixture
def served() -> Iterator[tuple[Standin, str]]:
    standin = Standin()
    with serving(standin) as url:
        yield standin, url


@pytest.fixture
def system(served: tuple[Standin, str]) -> System:
    standin, url = served
    return make(standin, url, standin.wait)


class TestOpen311(TrackerContract):
    """What is not written anew below holds as it stands."""

    # --- a key shows only when something is sent in with it: reading is open to all

    def test_a_wrong_key_is_one_finding(self, system: System) -> None:
        assert system.broken("wrong_key").verify([("menu[0].route", system.routing)]) == []
        with pytest.raises(Forbidden, match=r"tracker\.api_key"):
            system.broken("wrong_key").create(system.ticket("wrong key"))

    def test_an_empty_answer_to_a_wrong_key_proves_nothing(
        self, system: System, served: tuple[Standin, str]
    ) -> None:
        """What is not there proves nothing where nothing is."""
        ticket_id = system.tracker.create(system.ticket("moved")).ticket_id
        served[0].away = True
        try:
            for ask in (
                lambda: system.tracker.read(ticket_id),
                lambda: system.tracker.changes("-", [], Ours(ticket_id)),
            ):
                with pytest.raises((Unavailable, Gone)) as told:
                    ask()
                assert told.value.code != "gone", "the ticket was not deleted"
        finally:
            served[0].away = False

    def test_missing_rights_are_found(self, system: System) -> None:
        """There are none to be missing; what a server has is told by its services."""
        batch, blackbox = (replace(system.routing, project=p, fields=()) for p in ("LOT", "FOSCA"))
        tracker = system.tracker
        own = [
            f for f in tracker.verify([("a", batch), ("b", blackbox)]) if f.key != "tracker.reference_field"
        ]
        assert [(f.key, "blackbox" in f.problem) for f in own] == [("b.project", True)]

    # --- there is no search by reference

    def test_created_as_asked_and_found_again(self, system: System) -> None:
        place = Place(41.61234567, 2.65432101, "Plaça de l'Església", "C/ Major, 1")
        ticket = system.ticket("created", facts=(("Barri", "Centre"),), places=(place,))
        created = system.tracker.create(ticket)
        assert (created.existed, created.dropped, created.duplicates) == (False, (), ())
        view = system.tracker.read(created.ticket_id)
        assert (view.reference, view.closed, view.entries) == (ticket.reference, False, ())
        assert (view.project, view.status) == (system.routing.project, "open")

    def test_a_long_subject_keeps_the_reference(self, system: System) -> None:
        """There is only a description, of 4000 characters: the reference is its end."""
        facts = (("Nom", "Maria"), ("Barri", "Centre"))
        ticket = system.ticket(
            "long", words="Bon dia 😀 " * 600, facts=facts, places=(Place(41.6, 2.6, "Plaça"),)
        )
        said = system.staff.subject(system.tracker.create(ticket).ticket_id)
        assert said.startswith("Bon dia 😀 Bon dia") and "[…]\n\nNom: Maria" in said
        assert said.endswith(f"\n\n[{ticket.reference}]")
        assert 3900 < len(said) <= system.longest_subject

    def test_two_tickets_under_one_reference(self, system: System) -> None:
        self._no_search(system)

    def test_a_closed_ticket_is_found(self, system: System) -> None:
        self._no_search(system)

    def test_another_citizens_reference_in_the_text_is_no_hit(self, system: System) -> None:
        other = system.reference("never made")
        created = system.tracker.create(system.ticket("quoting", words=f"Sobre la [{other}]"))
        view = system.tracker.read(created.ticket_id)
        assert view.reference == system.reference("quoting")

    def test_an_ignored_filter_is_no_answer(self, system: System) -> None:
        self._no_search(system)

    def _no_search(self, system: System) -> None:
        assert not system.tracker.capabilities.find_by_reference
        with pytest.raises(Unavailable):
            system.tracker.find(system.reference("any"))

    def test_what_is_not_there_is_dropped_and_said(self, system: System) -> None:
        routing = replace(system.routing, tracker="1", assignee="Ningú", category="Enlloc", watchers=("X",))
        created = system.tracker.create(system.ticket("dropped", routing=routing))
        assert set(created.dropped) == {"tracker: 1", "assignee: Ningú", "category: Enlloc", "watcher: X"}

    def test_a_value_that_is_refused_does_not_lose_the_request(self, system: System) -> None:
        for value in (system.refused_value, ("ALTURA", "molt alt")):
            routing = replace(system.routing, fields=(value,))
            created = system.tracker.create(system.ticket(f"refused {value}", routing=routing))
            assert created.dropped
            assert system.tracker.read(created.ticket_id).status == "open"

    # --- files are addresses, notes are public

    def test_a_file_is_attached_once(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("file")).ticket_id
        assert not system.tracker.capabilities.attachments
        with pytest.raises(Rejected, match="takes no files"):
            system.tracker.attach(ticket_id, Upload("fòto 1.jpg", "image/jpeg", b"x"))
        assert system.staff.public_notes(ticket_id) == []

    def test_other_content_under_the_same_name_is_another_file(self, system: System) -> None:
        self.test_a_file_is_attached_once(system)

    def test_an_empty_file(self, system: System) -> None:
        self.test_a_file_is_attached_once(system)

    def test_a_name_cannot_leave_its_folder(self, system: System) -> None:
        self.test_a_file_is_attached_once(system)

    def test_a_download_is_limited(self, system: System) -> None:
        with pytest.raises(Rejected):
            list(system.tracker.download(FileRef("1", "foto.jpg", "image/jpeg", 1), 10))

    def test_an_internal_note_is_written_once_and_private(self, system: System) -> None:
        assert not system.tracker.capabilities.internal_notes
        self.test_without_the_right_nothing_is_written(system)

    def test_an_internal_note_of_staff_stays_internal(self, system: System) -> None:
        self.test_without_the_right_nothing_is_written(system)

    def test_a_ticket_is_flagged_once_and_it_is_said_what_was_not_taken(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("flag")).ticket_id
        left = system.tracker.flag(ticket_id, status="closed", watchers=["Ningú"])
        assert left == ("status: closed", "watcher: Ningú")
        assert system.tracker.read(ticket_id).status == "open"
        with pytest.raises(Gone):
            system.tracker.flag("99999999", status="closed", watchers=[])

    def test_one_entry_can_be_note_status_and_file_at_once(self, system: System) -> None:
        """The file as its address: it is fetched by whoever wants it, never by us."""
        ticket_id = system.tracker.create(system.ticket("all at once")).ticket_id
        system.staff.reply(ticket_id, "Arreglat", status="CLOSED", file=("despres.jpg", b"x"))
        view = system.tracker.read(ticket_id)
        (entry,) = view.entries
        assert (entry.kind, entry.by_connector, entry.files) == (EntryKind.PUBLIC_NOTE, False, ())
        assert entry.text == "Arreglat\n\nhttps://fitxers.example/despres.jpg"
        assert (view.status, view.closed) == ("closed", True)

    def test_deleted_and_moved_away(self, system: System) -> None:
        """A request that is hidden is not there, to us; one that was given another service is followed."""
        cursor = system.tracker.start_cursor()
        deleted = system.tracker.create(system.ticket("deleted")).ticket_id
        system.staff.delete(deleted)
        with pytest.raises(Gone):
            system.tracker.read(deleted)
        assert system.tracker.changes(cursor, [system.routing.project], Ours(deleted)).tickets == ()
