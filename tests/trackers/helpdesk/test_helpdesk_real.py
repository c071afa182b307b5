"""The contract on a real django-helpdesk, and what only a real one shows."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.errors import Ambiguous, Forbidden, Rejected
from connector.core.ticket import EntryKind, Place, TicketView, Upload
from connector.trackers import inert
from connector.trackers.helpdesk import HelpdeskTracker, view
from connector.trackers.helpdesk.survey import HelpdeskSurvey
from connector.whatsapp.markup import to_whatsapp

from ..contract import TrackerContract
from ..corpus import WRITTEN
from ..redmine.servers import losing_answers, serving
from ..redmine.support import fresh_salt
from ..system import Ours, System
from . import support

pytestmark = [pytest.mark.real, pytest.mark.long]
PROJECT = [support.ROUTING.project]


class TestRealHelpdesk(TrackerContract):
    @pytest.fixture
    def system(self, real: System) -> System:
        return real


@pytest.fixture
def real(helpdesk: str) -> Iterator[System]:
    with support.tidy(helpdesk):
        yield support.system(helpdesk, live=True, salt=fresh_salt())


def notes(view: TicketView) -> list[str]:
    return [e.text for e in view.entries if e.kind is EntryKind.PUBLIC_NOTE]


# --- who we are ------------------------------------------------------------------------------------


def test_an_account_that_is_locked_or_sees_nothing_any_more_is_forbidden_and_not_quiet(
    helpdesk: str, real: System
) -> None:
    tracker = support.tracker(helpdesk, "regidor.muntanya", look_every=0)
    cursor = tracker.start_cursor()
    made = tracker.create(real.ticket("withdrawn"))
    change = "from django.contrib.auth import get_user_model as m; u = m().objects.get(username='regidor.muntanya'); "
    try:
        support.shell(change + "u.user_permissions.clear()")
        with pytest.raises(Forbidden, match="queue"):
            tracker.changes(cursor, PROJECT, Ours(made.ticket_id))
        with pytest.raises(Forbidden, match="Permission for queue"):
            tracker.create(real.ticket("no right"))
        findings = tracker.verify([("menu[0].route", support.ROUTING)])
        (finding,) = [found for found in findings if found.severity == "error"]
        assert finding.key == "menu[0].route.project" and "right" in finding.problem
        support.shell(change + "u.is_active = False; u.save()")
        for call in (
            lambda: tracker.changes(cursor, PROJECT, Ours()),
            lambda: tracker.find("SCV-2222-22"),
            lambda: tracker.create(real.ticket("locked")),
        ):
            with pytest.raises(Forbidden, match="API key"):
                call()
    finally:
        real.staff.delete(made.ticket_id)
        support.shell(
            change + "u.is_active = True; u.save()\n"
            "from django.contrib.auth.models import Permission as P\n"
            "seen = [q.permission_name[9:] for q in Queue.objects.exclude(slug='obres')]\n"
            "u.user_permissions.set(P.objects.filter(codename__in=seen))"
        )


def test_what_is_too_much_or_not_there_is_found(helpdesk: str, real: System) -> None:
    findings = support.tracker(helpdesk, "admin", account=2).verify([("menu[0].route", support.ROUTING)])
    assert [(f.severity, f.key) for f in findings] == [("warning", "tracker.api_key")]
    wrong = replace(
        support.ROUTING, tracker="Incidència", private=True, fields=(("Barr", "Centre"),), assignee="999"
    )
    findings = support.tracker(helpdesk).verify([("menu[0].route", wrong)])
    found = {f.key.removeprefix("menu[0].route."): f.mend for f in findings}
    assert set(found) == {"tracker", "private", "fields.Barr", "assignee"}
    assert "queue" in found["tracker"] and "«Barri»" in found["fields.Barr"]


def test_a_wrong_number_of_our_account_is_found(helpdesk: str, real: System) -> None:
    real.tracker.create(real.ticket("account"))
    tracker = support.tracker(helpdesk, account=9)
    (finding,) = tracker.verify([("menu[0].route", support.ROUTING)])
    assert (finding.severity, finding.key) == ("warning", "tracker.account")
    made = tracker.create(real.ticket("account said wrong"))
    assert made.dropped == ("tracker.account is 9, our account is 2",)


def test_what_there_is_to_choose_from(helpdesk: str) -> None:
    survey = HelpdeskSurvey(helpdesk, support.KEYS[support.BOT], {})
    assert "tracker.account" in survey.account()
    assert [choice.id for choice in survey.projects()] == ["1", "2", "3", "4"]
    offer = survey.offer("3")
    assert offer.closed == ("Resolved", "Closed", "Duplicate")
    texts = {field.id: field.text for field in offer.fields}
    assert texts["Referència WhatsApp"] and not texts["Barri"]
    assert survey.takes("3", "Barri", "centre") and not survey.takes("3", "Barri", "Lluna")


def test_people_of_the_mapping_whom_nobody_knows(helpdesk: str, real: System) -> None:
    people = [("answers.authors.Jordi Alcalde", "Jordi Alcalde"), ("answers.only_from[0]", "Jordi Alcald")]
    real.tracker.start_cursor()
    (finding,) = real.tracker.rehearse([], people)
    assert (finding.severity, finding.key) == ("warning", "answers.only_from[0]")
    assert "«Jordi Alcalde»" in finding.mend


# --- creating --------------------------------------------------------------------------------------


def test_a_lost_answer_to_a_ticket_a_note_and_a_file_is_no_second_one(helpdesk: str, real: System) -> None:
    losing = threading.Event()
    photo = Upload("foto.jpg", "image/jpeg", b"foto" * 9)
    with serving(losing_answers(helpdesk, losing.is_set)) as url:
        tracker = support.tracker(url, timeout=3)
        post = tracker.http.post

        def lost(*args: object, **how: object) -> object:
            losing.set()
            return post(*args, **how)  # type: ignore[arg-type]

        tracker.http.post = lost  # type: ignore[method-assign, assignment]
        ticket = real.ticket("lost answer")
        with pytest.raises(Ambiguous):
            tracker.create(ticket)
        losing.clear()
        found = real.tracker.find(ticket.reference)
        assert found is not None and found.existed and found.duplicates == ()
        with pytest.raises(Ambiguous):
            tracker.add_internal_note(found.ticket_id, "Lliurat", "n-1")
        losing.clear()
        assert not real.tracker.add_internal_note(found.ticket_id, "Lliurat", "n-1")
        with pytest.raises(Ambiguous):
            tracker.attach(found.ticket_id, photo)
        losing.clear()
        assert not real.tracker.attach(found.ticket_id, photo)
    read = real.tracker.read(found.ticket_id)
    assert len(read.files) == 1 and len([e for e in read.entries if "Lliurat" in e.text]) == 1


def test_a_private_request_is_never_made(real: System) -> None:
    ticket = real.ticket("private", routing=replace(support.ROUTING, private=True))
    with pytest.raises(Rejected, match="no private tickets"):
        real.tracker.create(ticket)
    assert real.tracker.find(ticket.reference) is None


def test_a_person_who_left_or_a_status_that_is_none_does_not_lose_the_request(real: System) -> None:
    ticket = real.ticket("left", routing=replace(support.ROUTING, assignee="999", status="Capgirat"))
    created = real.tracker.create(ticket)
    assert any("assigned_to" in what for what in created.dropped) and "status: Capgirat" in created.dropped
    assert real.tracker.read(created.ticket_id).reference == ticket.reference


def test_a_queue_and_people_by_their_numbers(helpdesk: str, real: System) -> None:
    tracker = support.tracker(helpdesk, queues={}, people={})
    routing = replace(support.ROUTING, project="3", assignee="4")
    made = tracker.create(real.ticket("numbers", routing=routing))
    support.at_work(helpdesk)[1].reply(made.ticket_id, "Hola")
    read = tracker.read(made.ticket_id)
    assert (made.dropped, read.project, read.entries[0].author) == ((), "3", "3")


# --- what we write ---------------------------------------------------------------------------------


def test_what_we_write_renames_runs_and_links_nothing(helpdesk: str, real: System) -> None:
    """A note of the API is a Django template, its title the ticket's, and «#12» writes on ticket 12."""
    tracker, staff = real.tracker, support.at_work(helpdesk)[1]
    other = tracker.create(real.ticket("other")).ticket_id
    ticket = real.ticket("inert", words=f"Com a #{other}: {{{{ ticket.title }}}}")
    ticket_id = tracker.create(ticket).ticket_id
    text = f"{{{{ ticket.title }}}} {{% if %}} {{# res #}} {{{{ x|nofilter }}}} #{other}\n\nfi"
    assert tracker.add_internal_note(ticket_id, text, "n-1")
    assert tracker.attach(ticket_id, Upload("a.txt", "text/plain", b"hola", note=text))
    row = staff.ticket(ticket_id)
    assert row["title"].endswith(f"[{ticket.reference}]") and not row["resolution"]
    for said, end in zip(row["followup_set"][1:], ("n-1", "fitxer-b221d9db"), strict=True):
        assert support.written(said["comment"]) == f"{text}\n\n{end}"
        assert said["public"] is False
    assert len(staff.ticket(other)["followup_set"]) == 1


@pytest.mark.parametrize("resolution", ["Feia {{ de }} *debò*", ""])
def test_a_note_on_a_ticket_that_is_done_is_not_its_resolution(
    helpdesk: str, real: System, resolution: str
) -> None:
    tracker, staff = real.tracker, support.at_work(helpdesk)[1]
    ticket_id = tracker.create(real.ticket(f"done {resolution}")).ticket_id
    staff.reply(ticket_id, "Fet", status="Resolved")
    staff.patch(ticket_id, resolution=resolution)
    assert tracker.add_internal_note(ticket_id, "La resposta no ha arribat", "n-1")
    assert not tracker.add_internal_note(ticket_id, "La resposta no ha arribat", "n-1")
    assert tracker.attach(ticket_id, Upload("a.txt", "text/plain", b"hola", note="Foto"))
    row = staff.ticket(ticket_id)
    assert "resposta" not in (row["resolution"] or "") and "fitxer" not in (row["resolution"] or "")
    assert support.written(row["followup_set"][-2]["comment"]) == "La resposta no ha arribat\n\nn-1"


def test_one_who_closes_at_the_same_moment_keeps_their_resolution(helpdesk: str, real: System) -> None:
    tracker, staff = real.tracker, support.at_work(helpdesk)[1]
    assert isinstance(tracker, HelpdeskTracker)
    ticket_id = tracker.create(real.ticket("same moment")).ticket_id
    before = tracker.tickets.one(ticket_id)
    staff.reply(ticket_id, "Ja està arreglat", status="Resolved")
    tracker._writer._follow_up(before, "Nota interna\n\nn-1")
    assert staff.ticket(ticket_id)["resolution"] == "Ja està arreglat"


def test_a_note_that_was_begun_and_not_ended_is_ended_and_no_second_one(helpdesk: str, real: System) -> None:
    tracker, staff = support.tracker(helpdesk), support.at_work(helpdesk)[1]
    ticket_id = tracker.create(real.ticket("half")).ticket_id
    staff.reply(ticket_id, "Fet", status="Resolved")
    patch = tracker.http.patch

    def broken(*_: object) -> None:
        raise Ambiguous("broken off")

    tracker.http.patch = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(Ambiguous):
        tracker.add_internal_note(ticket_id, "Nota", "n-1")
    tracker.http.patch = patch  # type: ignore[method-assign]
    assert tracker.add_internal_note(ticket_id, "Nota", "n-1")
    ours = [e.text for e in tracker.read(ticket_id).entries if e.by_connector]
    assert ours == ["Nota\n\nn-1"]


def test_a_type_of_file_the_server_half_refuses_is_refused_the_second_time(
    helpdesk: str, real: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = support.tracker(helpdesk, extensions=())
    ticket_id = tracker.create(real.ticket("heic")).ticket_id
    with pytest.raises(Ambiguous):
        tracker.attach(ticket_id, real.refused_file)
    monkeypatch.setattr(view, "WRITTEN", timedelta(0))
    time.sleep(1)  # the server's clock tells whole seconds
    with pytest.raises(Rejected, match="HELPDESK_VALID_EXTENSIONS"):
        tracker.attach(ticket_id, real.refused_file)
    (entry,) = tracker.read(ticket_id).entries
    assert entry.kind is EntryKind.PRIVATE_NOTE and entry.by_connector and not entry.files


@pytest.mark.parametrize(
    ("name", "kept"),
    [("日本語 ñ'è 😀.pdf", "日本語 ñ'è 😀.pdf"), ('cita "x" &amp;amp; y.pdf', "cita _x_ & y.pdf")],
)
def test_any_file_name(real: System, name: str, kept: str) -> None:
    content = b"%PDF-1.4\x00\r\n\xff"
    ticket_id = real.tracker.create(real.ticket(f"file {name}")).ticket_id
    assert real.tracker.attach(ticket_id, Upload(name, "application/pdf", content))
    (file,) = real.tracker.read(ticket_id).files
    assert file.filename in (kept, inert.filename(name))
    assert not real.tracker.attach(ticket_id, Upload(name, "application/pdf", content))
    assert b"".join(real.tracker.download(file, 100)) == content


# --- what moved ------------------------------------------------------------------------------------


def test_what_leaves_no_follow_up_behind(helpdesk: str, real: System) -> None:
    tracker, staff = support.tracker(helpdesk, look_every=0), support.at_work(helpdesk)[1]
    ids = [tracker.create(real.ticket(name)).ticket_id for name in ("board", "edited", "deleted")]
    numbers = [staff.write(one, "Una nota", public=False)["id"] for one in ids]
    ours, cursor = Ours(*ids), tracker.start_cursor()
    cursor = ours.take(tracker.changes(cursor, PROJECT, ours)).cursor
    assert ours.take(tracker.changes(cursor, PROJECT, ours)).tickets == ()
    staff.patch(ids[0], status=support.CLOSED)
    staff.call("PATCH", f"/followups/{numbers[1]}/", json={"public": True})
    staff.delete(ids[2])
    found = {t.ticket_id: t for t in tracker.changes(cursor, PROJECT, ours).tickets}
    assert set(found) == set(ids[:2])
    assert found[ids[0]].status == "Closed" and notes(found[ids[1]]) == ["Una nota"]


def test_a_cursor_begins_in_the_past_and_a_stranger_is_told(helpdesk: str, real: System) -> None:
    tracker, staff = support.tracker(helpdesk), support.at_work(helpdesk)[1]
    ticket_id = tracker.create(real.ticket("past")).ticket_id
    staff.reply(ticket_id, "Abans")
    copy = staff.open_with_reference(real.reference("copied"))
    changes = tracker.changes(tracker.start_cursor(time.time() - 5), PROJECT, Ours(ticket_id))
    (read,) = changes.tickets
    assert (read.ticket_id, notes(read)) == (ticket_id, ["Abans"])
    assert abs(read.updated_at.timestamp() - time.time()) < 600
    assert (real.reference("copied"), copy) in changes.strangers


def test_a_merged_ticket_goes_on_with_what_is_written_on_the_other(helpdesk: str, real: System) -> None:
    tracker, staff = support.tracker(helpdesk, look_every=0), support.at_work(helpdesk)[1]
    cursor = tracker.start_cursor()
    old, into = (tracker.create(real.ticket(name)).ticket_id for name in ("old", "into"))
    staff.reply(old, "A l'antic")
    staff.reply(into, "A l'altre, abans", file=("secret.jpg", b"\xff\xd8"))
    support.Pages(helpdesk).merge(old, into)
    read = tracker.read(old)
    assert (read.ticket_id, read.merged_into, read.reference) == (old, into, None)
    assert notes(read) == ["A l'antic"] and read.files == ()
    moved = {t.ticket_id: t for t in tracker.changes(cursor, PROJECT, Ours(old)).tickets}
    assert moved[old].merged_into == into
    assert tracker.add_internal_note(old, "Fusionada amb aquest", "n-1")
    assert not tracker.add_internal_note(old, "Fusionada amb aquest", "n-1")
    staff.reply(into, "A tots dos", file=("plano.jpg", b"\xff\xd8\xff"))
    read = tracker.read(old)
    assert notes(read) == ["A l'antic", "A tots dos"]
    assert [f.filename for e in read.entries for f in e.files] == ["plano.jpg"]
    assert "n-1" in [e.text for e in tracker.read(into).entries if e.by_connector][-1]
    found = tracker.find(real.reference("old"))
    assert found is not None and found.ticket_id == old, "what was merged meanwhile is not made again"


# --- the page staff see ----------------------------------------------------------------------------


def test_on_the_page_every_text_is_as_written_and_does_nothing(helpdesk: str, real: System) -> None:
    text = "\n\n".join(t for t in WRITTEN if inert.clean(t).strip())
    shown = support.Pages(helpdesk).description(
        real.tracker.create(real.ticket("page", words=text)).ticket_id
    )
    assert not re.search(r"<(?!/?p>|br ?/?>)[a-z]", shown), shown
    seen = html.unescape(re.sub(r"<[^>]+>", " ", shown)).replace(inert.ZWSP, "")
    assert "".join(inert.clean(text).split()) in "".join(seen.split())


def test_our_own_link_to_the_map_works_and_a_reply_is_markdown(helpdesk: str, real: System) -> None:
    place = Place(41.61234567, 2.65432101, "Plaça #1", "https://exemple.cat")
    ticket_id = real.tracker.create(real.ticket("map", places=(place,))).ticket_id
    (link,) = re.findall(r'<a[^>]+href="([^"]+)"', support.Pages(helpdesk).description(ticket_id))
    assert html.unescape(link) == (
        "https://www.openstreetmap.org/?mlat=41.61234567&mlon=2.65432101#map=18/41.61234567/2.65432101"
    )
    real.staff.reply(ticket_id, "Ja està **arreglat**:\n\n* un\n* dos")
    (entry,) = real.tracker.read(ticket_id).entries
    assert "*arreglat*" in to_whatsapp(entry.text, entry.markup)
    assert entry.author == "Oficina Atenció Ciutadana"
