"""What every adapter behind the port ``Tracker`` owes the core, run against a system (fixture ``system``).

What a system cannot do at all it says in its ``Capabilities`` and in ``System``; the test then asks for the honest
opposite (a refusal, nothing written) and not for nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.core.errors import Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import EntryKind, Place, Upload

from .system import Ours, System

JPEG = b"\xff\xd8\xff\xe0" + b"platja" * 50


class TrackerContract:
    """Inherit it and give it a fixture ``system``."""

    # --- checking ----------------------------------------------------------------------------------

    def test_a_good_mapping_has_no_findings(self, system: System) -> None:
        assert system.tracker.verify([("menu[0].route", system.routing)]) == []

    def test_each_mistake_is_found_where_it_is(self, system: System) -> None:
        wrong = replace(system.routing, **{part: value for part, value, _ in system.mistakes})  # type: ignore[arg-type]
        findings = system.tracker.verify([("menu[0].route", system.routing), ("menu[1].route", wrong)])
        found = {f.key: f.mend for f in findings if f.severity == "error"}
        assert len(found) == len(system.mistakes)
        for part, _, meant in system.mistakes:
            (mend,) = [mend for key, mend in found.items() if key.startswith(f"menu[1].route.{part}")]
            assert f"«{meant}»" in mend or not meant

    def test_an_unknown_project_is_found(self, system: System) -> None:
        wrong = replace(system.routing, project=system.routing.project[:-1])
        (finding,) = system.tracker.verify([("menu[0].route", wrong)])
        assert finding.key == "menu[0].route.project"
        assert f"«{system.routing.project}»" in finding.mend

    def test_a_wrong_key_is_one_finding(self, system: System) -> None:
        (finding,) = system.broken("wrong_key").verify([("menu[0].route", system.routing)])
        assert (finding.severity, finding.key) == ("error", "tracker.api_key")

    def test_missing_rights_are_found(self, system: System) -> None:
        tracker = system.broken("no_private_notes")
        problems = [f.problem for f in tracker.verify([("menu[0].route", system.routing)])]
        assert any(system.right_to_internal_notes in p for p in problems)

    def test_a_reference_field_that_is_no_filter_is_found(self, system: System) -> None:
        system.tracker.create(system.ticket("so that an ignored filter shows something"))
        findings = system.broken("unknown_filter").verify([("menu[0].route", system.routing)])
        assert "tracker.reference_field" in {f.key for f in findings if f.severity == "error"}

    # --- creating and finding ----------------------------------------------------------------------

    def test_created_as_asked_and_found_again(self, system: System) -> None:
        place = Place(41.61234567, 2.65432101, "Plaça de l'Església", "C/ Major, 1")
        ticket = system.ticket("created", facts=(("Barri", "Centre"),), places=(place,))
        assert system.tracker.find(ticket.reference) is None
        created = system.tracker.create(ticket)
        assert (created.existed, created.dropped, created.duplicates) == (False, (), ())
        found = system.tracker.find(ticket.reference)
        assert found is not None
        assert (found.ticket_id, found.url, found.existed) == (created.ticket_id, created.url, True)
        view = system.tracker.read(created.ticket_id)
        assert (view.reference, view.closed, view.entries) == (ticket.reference, False, ())

    def test_a_long_subject_keeps_the_reference(self, system: System) -> None:
        ticket = system.ticket("long", subject="Bon dia 😀 " * 60)
        subject = system.staff.subject(system.tracker.create(ticket).ticket_id)
        assert subject.startswith("Bon dia 😀 Bon dia")
        assert subject.endswith(f"… [{ticket.reference}]")
        assert len(subject) <= system.longest_subject

    def test_any_text_can_be_sent(self, system: System) -> None:
        words = "nul \x00, control \x1b[31m, mig parell \ud83d, emoji 🏖️🇪🇸, 𝔤òtic, \u202eenrere"
        created = system.tracker.create(system.ticket("any text", subject=words, words=words * 300))
        assert created.dropped == ()

    def test_what_is_not_there_is_dropped_and_said(self, system: System) -> None:
        routing = replace(system.routing, tracker="1", assignee="Ningú", category="Enlloc", watchers=("X",))
        ticket = system.ticket("dropped", routing=routing)
        created = system.tracker.create(ticket)
        assert set(created.dropped) == {"tracker: 1", "assignee: Ningú", "category: Enlloc", "watcher: X"}
        assert system.tracker.find(ticket.reference) is not None

    def test_a_value_that_is_refused_does_not_lose_the_request(self, system: System) -> None:
        routing = replace(system.routing, fields=(system.refused_value,))
        ticket = system.ticket("refused value", routing=routing)
        created = system.tracker.create(ticket)
        assert created.dropped
        found = system.tracker.find(ticket.reference)
        assert found is not None and found.ticket_id == created.ticket_id

    def test_an_unknown_project_is_forbidden(self, system: System) -> None:
        with pytest.raises(Forbidden):
            system.tracker.create(system.ticket("nowhere", routing=replace(system.routing, project="enlloc")))

    def test_two_tickets_under_one_reference(self, system: System) -> None:
        ticket = system.ticket("twice")
        created = system.tracker.create(ticket)
        other = system.staff.open_with_reference(ticket.reference)
        found = system.tracker.find(ticket.reference)
        assert found is not None
        assert (found.ticket_id, found.duplicates) == (created.ticket_id, (other,))

    def test_a_closed_ticket_is_found(self, system: System) -> None:
        ticket = system.ticket("closed")
        created = system.tracker.create(ticket)
        system.staff.close(created.ticket_id)
        found = system.tracker.find(ticket.reference)
        assert found is not None and found.ticket_id == created.ticket_id

    def test_another_citizens_reference_in_the_text_is_no_hit(self, system: System) -> None:
        other = system.reference("never made")
        system.tracker.create(system.ticket("quoting", subject=f"Sobre [{other}]", words=f"[{other}]"))
        assert system.tracker.find(other) is None

    def test_an_ignored_filter_is_no_answer(self, system: System) -> None:
        ticket = system.ticket("ignored filter")
        system.tracker.create(ticket)
        with pytest.raises(Unavailable):
            system.broken("unknown_filter").find(ticket.reference)

    def test_an_empty_answer_to_a_wrong_key_proves_nothing(self, system: System) -> None:
        tracker = system.broken("wrong_key")
        cursor = system.tracker.start_cursor()
        with pytest.raises(Forbidden):
            tracker.find(system.reference("never made"))
        with pytest.raises(Forbidden):
            tracker.changes(cursor, [system.routing.project], Ours())
        with pytest.raises(Forbidden):
            tracker.start_cursor()

    # --- files -------------------------------------------------------------------------------------

    def test_a_file_is_attached_once(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("file")).ticket_id
        photo = Upload("fòto 1.jpg", "image/jpeg", JPEG, note="Foto 1 de 1")
        assert system.tracker.attach(ticket_id, photo)
        assert not system.tracker.attach(ticket_id, photo)
        view = system.tracker.read(ticket_id)
        (file,) = view.files
        assert (file.filename, file.size) == ("fòto 1.jpg", len(JPEG))
        assert b"".join(system.tracker.download(file, len(JPEG))) == JPEG
        assert system.staff.public_notes(ticket_id) == []

    def test_other_content_under_the_same_name_is_another_file(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("two files")).ticket_id
        one, two = Upload("foto.jpg", "image/jpeg", JPEG), Upload("foto.jpg", "image/jpeg", JPEG[::-1])
        assert [system.tracker.attach(ticket_id, u) for u in (one, two, one, two)] == [
            True,
            True,
            False,
            False,
        ]
        names = [f.filename for f in system.tracker.read(ticket_id).files]
        assert len(set(names)) == 2
        assert all(name.startswith("foto") and name.endswith(".jpg") for name in names)

    def test_an_empty_file(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("empty file")).ticket_id
        empty = Upload("buit.txt", "text/plain", b"")
        if not system.takes_empty_files:
            with pytest.raises(Rejected):
                system.tracker.attach(ticket_id, empty)
            return
        assert system.tracker.attach(ticket_id, empty)
        assert not system.tracker.attach(ticket_id, empty)
        (file,) = system.tracker.read(ticket_id).files
        assert list(system.tracker.download(file, 10)) in ([], [b""])

    def test_a_file_the_server_refuses(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("refused file")).ticket_id
        with pytest.raises(Rejected) as refused:
            system.tracker.attach(ticket_id, system.refused_file)
        assert system.refused_why in str(refused.value)
        assert system.tracker.read(ticket_id).files == ()

    def test_a_name_cannot_leave_its_folder(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("file name")).ticket_id
        upload = Upload('../..\\etc/pa:ss*"w?d.txt', "text/plain", b"hola")
        assert system.tracker.attach(ticket_id, upload)
        assert not system.tracker.attach(ticket_id, upload)
        (file,) = system.tracker.read(ticket_id).files
        assert not set(file.filename) & set('/\\:*?"')

    def test_a_download_is_limited(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("download")).ticket_id
        system.tracker.attach(ticket_id, Upload("foto.jpg", "image/jpeg", JPEG))
        (file,) = system.tracker.read(ticket_id).files
        with pytest.raises(Rejected):
            b"".join(system.tracker.download(file, len(JPEG) - 1))
        with pytest.raises(Rejected):  # the size on the ticket is not believed either
            b"".join(system.tracker.download(replace(file, size=1), 10))

    # --- internal notes ----------------------------------------------------------------------------

    def test_an_internal_note_is_written_once_and_private(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("note")).ticket_id
        assert system.tracker.add_internal_note(ticket_id, "La resposta ha arribat.\n\nHora: 10:31", "n-7k3f")
        assert not system.tracker.add_internal_note(ticket_id, "La resposta ha arribat.", "n-7k3f")
        assert system.tracker.add_internal_note(ticket_id, "La resposta no ha arribat.", "n-7k3")
        entries = system.tracker.read(ticket_id).entries
        assert [e.kind for e in entries] == [EntryKind.PRIVATE_NOTE] * 2
        assert all(e.by_connector for e in entries)
        assert "n-7k3f" in entries[0].text.splitlines()[-1]
        assert system.staff.public_notes(ticket_id) == []

    def test_without_the_right_nothing_is_written(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("no right")).ticket_id
        with pytest.raises(Forbidden):
            system.broken("no_private_notes").add_internal_note(ticket_id, "No ho ha de veure ningú", "n-1")
        assert system.tracker.read(ticket_id).entries == ()

    # --- what staff look at ------------------------------------------------------------------------

    def test_a_ticket_is_flagged_once_and_it_is_said_what_was_not_taken(self, system: System) -> None:
        tracker = system.tracker
        ticket_id = tracker.create(system.ticket("flag")).ticket_id
        before = tracker.read(ticket_id)
        watchers = [system.flag_watcher] if system.flag_watcher else []
        for _ in range(2):
            assert tracker.flag(ticket_id, status=system.flag_status, watchers=watchers) == ()
        after = tracker.read(ticket_id)
        assert after.status == system.flag_status != before.status
        if tracker.capabilities.feed == "log":
            assert [e.kind for e in after.entries] == [EntryKind.STATUS] and after.entries[0].by_connector
        else:
            assert after.entries == ()
        missing = tracker.flag(ticket_id, status="Cap estat així", watchers=["Ningú Conegut"])
        assert len(missing) == 2 and "Cap estat així" in missing[0] and "Ningú Conegut" in missing[1]
        with pytest.raises((Gone, Forbidden)):
            tracker.flag("99999999", status=system.flag_status, watchers=[])

    # --- what moved --------------------------------------------------------------------------------

    def test_notes_of_one_second_all_arrive_once_and_in_order(self, system: System) -> None:
        tracker, project = system.tracker, [system.routing.project]
        cursor = tracker.start_cursor()
        ticket_id = tracker.create(system.ticket("one second")).ticket_id
        ours = Ours(ticket_id)
        seen: list[str] = []
        keys: set[str] = set()
        system.new_second()
        for part in (["u", "dos"], ["tres", "quatre"]):
            for text in part:
                system.staff.reply(ticket_id, text)
            changes = ours.take(tracker.changes(cursor, project, ours))
            cursor = changes.cursor
            for entry in (e for t in changes.tickets for e in t.entries if e.key not in keys):
                keys.add(entry.key)
                seen += [entry.text] if entry.kind is EntryKind.PUBLIC_NOTE else []
        assert seen == ["u", "dos", "tres", "quatre"]

    def test_when_all_is_quiet_nothing_is_read_again(self, system: System) -> None:
        tracker, project = system.tracker, [system.routing.project]
        cursor = tracker.start_cursor()
        ticket_id = tracker.create(system.ticket("quiet")).ticket_id
        ours = Ours(ticket_id)
        system.staff.reply(ticket_id, "Gràcies")
        first = ours.take(tracker.changes(cursor, project, ours))
        system.wait(3)
        second = ours.take(tracker.changes(first.cursor, project, ours))
        third = ours.take(tracker.changes(second.cursor, project, ours))
        assert [t.ticket_id for t in first.tickets] == [ticket_id]
        assert third.tickets == ()
        assert len(third.cursor) == len(second.cursor), (
            "it does not grow (others may be writing on the same server)"
        )
        system.staff.reply(ticket_id, "I bon dia")
        (again,) = tracker.changes(third.cursor, project, ours).tickets
        assert [e.text for e in again.entries if e.text] == ["Gràcies", "I bon dia"]

    def test_only_known_tickets_are_read(self, system: System) -> None:
        cursor = system.tracker.start_cursor()
        known = system.tracker.create(system.ticket("known")).ticket_id
        other = system.tracker.create(system.ticket("unknown")).ticket_id
        for ticket_id in (known, other):
            system.staff.reply(ticket_id, "Hola")
        changes = system.tracker.changes(cursor, [system.routing.project], Ours(known))
        assert [t.ticket_id for t in changes.tickets] == [known]

    def test_one_entry_can_be_note_status_and_file_at_once(self, system: System) -> None:
        """As one entry, or as the note and then the change of status; a snapshot only shows the status."""
        ticket_id = system.tracker.create(system.ticket("all at once")).ticket_id
        system.staff.reply(ticket_id, "Arreglat", status=system.closed_status, file=("despres.jpg", JPEG))
        view = system.tracker.read(ticket_id)
        entry, *behind = view.entries
        assert (entry.kind, entry.text, entry.by_connector) == (EntryKind.PUBLIC_NOTE, "Arreglat", False)
        assert [f.filename for f in entry.files] == ["despres.jpg"]
        assert (view.status, view.closed) == (system.closed_status, True)
        assert {e.kind for e in behind} <= {EntryKind.STATUS}
        last = [e.status for e in view.entries if e.status][-1:]
        assert last == ([view.status] if system.tracker.capabilities.feed == "log" else [])
        assert b"".join(system.tracker.download(entry.files[0], 10_000)) == JPEG

    def test_a_closed_ticket_still_moves(self, system: System) -> None:
        cursor = system.tracker.start_cursor()
        ticket_id = system.tracker.create(system.ticket("closed moves")).ticket_id
        system.staff.close(ticket_id)
        system.staff.reply(ticket_id, "Tancat, gràcies")
        (view,) = system.tracker.changes(cursor, [system.routing.project], Ours(ticket_id)).tickets
        notes = [e.text for e in view.entries if e.kind is EntryKind.PUBLIC_NOTE]
        assert notes == ["Tancat, gràcies"]
        if system.tracker.capabilities.feed == "log":
            assert view.entries[0].status == system.closed_status

    def test_an_internal_note_of_staff_stays_internal(self, system: System) -> None:
        ticket_id = system.tracker.create(system.ticket("staff note")).ticket_id
        system.staff.note_internally(ticket_id, "Truqueu-la abans")
        (entry,) = system.tracker.read(ticket_id).entries
        assert (entry.kind, entry.by_connector) == (EntryKind.PRIVATE_NOTE, False)

    def test_deleted_and_moved_away(self, system: System) -> None:
        cursor = system.tracker.start_cursor()
        deleted = system.tracker.create(system.ticket("deleted")).ticket_id
        moved = system.tracker.create(system.ticket("moved")).ticket_id
        system.staff.delete(deleted)
        system.staff.move_out_of_sight(moved)
        with pytest.raises(Gone):
            system.tracker.read(deleted)
        with pytest.raises(system.out_of_sight):
            system.tracker.read(moved)
        ours = Ours(deleted, moved)
        assert system.tracker.changes(cursor, [system.routing.project], ours).tickets == ()
