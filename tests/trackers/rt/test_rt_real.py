"""The contract on a real Request Tracker, and what only a real one shows."""

from __future__ import annotations

import html
import re
import threading
import time
from dataclasses import replace

import pytest

from connector.core.errors import Ambiguous, Forbidden, Gone, Rejected
from connector.core.ticket import EntryKind, NewTicket, Place, TicketView, Upload
from connector.trackers import inert
from connector.trackers.rt import RequestTracker
from connector.trackers.rt.survey import RTSurvey
from connector.whatsapp.markup import to_whatsapp

from ..contract import TrackerContract
from ..corpus import WRITTEN
from ..redmine.servers import losing_answers, serving
from ..redmine.support import fresh_salt
from ..system import Ours, System
from . import support

pytestmark = [pytest.mark.real, pytest.mark.long]
PROJECT = [support.ROUTING.project]


class TestRealRequestTracker(TrackerContract):
    @pytest.fixture
    def system(self, request_tracker: str) -> System:
        return support.system(request_tracker, live=True, salt=fresh_salt())


@pytest.fixture
def real(request_tracker: str) -> System:
    return support.system(request_tracker, live=True, salt=fresh_salt())


def notes(view: TicketView) -> list[str]:
    return [e.text for e in view.entries if e.kind is EntryKind.PUBLIC_NOTE]


# --- who we are ------------------------------------------------------------------------------------


def test_a_token_does_what_a_session_does(request_tracker: str, real: System) -> None:
    tracker = support.tracker(request_tracker, "", support.token(support.BOT))
    created = tracker.create(real.ticket("by token"))
    assert created.dropped == ()
    assert tracker.add_internal_note(created.ticket_id, "Amb un testimoni", "n-1")
    (entry,) = tracker.read(created.ticket_id).entries
    assert entry.by_connector and entry.author_id == support.BOT
    for wrong in ("1-29-0123456789abcdef0123456789abcdef", "cap-testimoni"):
        with pytest.raises(Forbidden):
            support.tracker(request_tracker, "", wrong).start_cursor()


def test_a_session_that_is_over_is_begun_anew_and_nothing_is_done_twice(
    request_tracker: str, real: System
) -> None:
    tracker = support.tracker(request_tracker)
    tracker.start_cursor()
    for name in ("read", "create", "download"):
        cookies = tracker.http._client.cookies
        (session,) = cookies.jar
        cookies.clear()
        cookies.set(session.name, "0" * 32, session.domain, session.path)
        if name == "read":
            tracker.start_cursor()
        elif name == "create":
            ticket = real.ticket("session over")
            made = tracker.create(ticket)
            found = real.tracker.find(ticket.reference)
            assert found is not None and (found.ticket_id, found.duplicates) == (made.ticket_id, ())
            tracker.attach(made.ticket_id, Upload("a.txt", "text/plain", b"hola"))
            (file,) = tracker.read(made.ticket_id).files
        else:
            assert b"".join(tracker.download(file, 10)) == b"hola"


def test_a_disabled_account_is_forbidden_and_not_quiet(request_tracker: str, real: System) -> None:
    root = support.RTStaff(request_tracker, "root")
    cursor = support.tracker(request_tracker, "regidor.muntanya").start_cursor()
    tracker = support.tracker(
        request_tracker, "regidor.muntanya"
    )  # RT lets a session that began before go on
    root.call("PUT", "/user/regidor.muntanya", json={"Disabled": "1"})
    try:
        for call in (
            lambda: tracker.changes(cursor, PROJECT, Ours()),
            lambda: tracker.find("SCV-2222-22"),
            lambda: tracker.create(real.ticket("disabled")),
        ):
            with pytest.raises(Forbidden):
                call()
    finally:
        root.call("PUT", "/user/regidor.muntanya", json={"Disabled": "0"})


def test_a_right_that_is_withdrawn_is_forbidden_and_not_quiet(request_tracker: str, real: System) -> None:
    name = support.make_queue()
    tracker = support.tracker(request_tracker)
    cursor = tracker.start_cursor()
    ticket = real.ticket("right withdrawn", routing=replace(support.ROUTING, project=name))
    made = tracker.create(ticket)
    assert made.dropped == ("assignee: Nil Operari Brigada",), (
        "who may not own tickets in a queue is left out"
    )
    assert tracker.changes(cursor, [name], Ours(made.ticket_id)).tickets == (), "nobody wrote on it"
    findings = tracker.verify([("menu[0].route", ticket.routing)])
    assert findings == []
    support.revoke(name, "ShowTicket")
    tracker.names._kept.clear()
    with pytest.raises(Forbidden, match="ShowTicket"):
        tracker.changes(cursor, [name], Ours(made.ticket_id))
    with pytest.raises(Forbidden):
        tracker.read(made.ticket_id)
    (finding,) = tracker.verify([("menu[0].route", ticket.routing)])
    assert finding.severity == "warning" and "see no ticket" in finding.problem
    support.revoke(name, "CreateTicket")
    with pytest.raises(Forbidden):
        tracker.create(ticket)
    assert any("CreateTicket" in f.problem for f in tracker.verify([("menu[0].route", ticket.routing)]))


def test_an_administrators_account_is_warned_about(request_tracker: str) -> None:
    findings = support.tracker(request_tracker, "root").verify([("menu[0].route", support.ROUTING)])
    assert [(f.severity, f.key) for f in findings] == [("warning", "tracker.api_key")]


def test_what_rt_does_not_have_is_found(request_tracker: str) -> None:
    wrong = replace(support.ROUTING, tracker="Incidència", private=True, fields=(("Barr", "Centre"),))
    findings = support.tracker(request_tracker).verify([("menu[0].route", wrong)])
    found = {f.key.removeprefix("menu[0].route."): f.mend for f in findings}
    assert set(found) == {"tracker", "private", "fields.Barr"}
    assert "queue" in found["tracker"] and "«Barri»" in found["fields.Barr"]


def test_what_there_is_to_choose_from(request_tracker: str) -> None:
    survey = RTSurvey(request_tracker, support.token(support.BOT), {})
    assert survey.account() == "Robot WhatsApp"
    queues = {choice.id for choice in survey.projects()}
    assert queues >= {"Alcaldia", "Regidories", "Incidències", "Bústia ciutadana"}
    assert support.OUT_OF_SIGHT not in queues
    offer = survey.offer("Incidències")
    assert {"Jordi Alcalde", "Nil Operari Brigada"} <= set(offer.people)
    assert not {"Robot WhatsApp", "Nobody in particular"} & set(offer.people)
    texts = {field.id: field.text for field in offer.fields}
    assert texts["Referència WhatsApp"] and not texts["Barri"]
    assert survey.takes("Incidències", "Barri", "centre") and not survey.takes(
        "Incidències", "Barri", "Lluna"
    )


def test_people_of_the_mapping_whom_nobody_knows(request_tracker: str) -> None:
    people = [("answers.authors.Jordi Alcalde", "Jordi Alcalde"), ("answers.only_from[0]", "Jordi Alcald")]
    (finding,) = support.tracker(request_tracker).rehearse([], people)
    assert (finding.severity, finding.key) == ("warning", "answers.only_from[0]")
    assert "«Jordi Alcalde»" in finding.mend


# --- creating --------------------------------------------------------------------------------------


def test_a_lost_answer_is_found_by_its_reference(request_tracker: str, real: System) -> None:
    losing = threading.Event()
    with serving(losing_answers(request_tracker, losing.is_set)) as url:
        tracker = support.tracker(url, timeout=3)
        ticket = real.ticket("lost answer")
        tracker.names.queue(ticket.routing.project), tracker.names.watcher("Jordi Alcalde")
        tracker.names.watcher("Laia Regidora Platja"), tracker.names.person("Nil Operari Brigada")
        losing.set()
        with pytest.raises(Ambiguous):
            tracker.create(ticket)
        losing.clear()
        found = support.tracker(url).find(ticket.reference)
    assert found is not None and found.existed and found.duplicates == ()


def test_a_lost_answer_to_a_note_and_a_file_is_no_second_one(request_tracker: str, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("lost note")).ticket_id
    photo = Upload("foto.jpg", "image/jpeg", b"foto" * 9)
    losing = threading.Event()
    with serving(losing_answers(request_tracker, losing.is_set)) as url:
        tracker = support.tracker(url, timeout=3)
        tracker.start_cursor(), tracker.names.me_lately()
        post = tracker.http.post

        def lost(*args: object, **how: object) -> object:
            losing.set()
            return post(*args, **how)  # type: ignore[arg-type]

        tracker.http.post = lost  # type: ignore[method-assign]
        with pytest.raises(Ambiguous):
            tracker.add_internal_note(ticket_id, "Lliurat", "n-1")
        losing.clear()
        assert not real.tracker.add_internal_note(ticket_id, "Lliurat", "n-1")
        with pytest.raises(Ambiguous):
            tracker.attach(ticket_id, photo)
        losing.clear()
        assert not real.tracker.attach(ticket_id, photo)
    view = real.tracker.read(ticket_id)
    assert len(view.files) == 1 and len([e for e in view.entries if "Lliurat" in e.text]) == 1


def test_a_private_request_is_never_made(real: System) -> None:
    ticket = real.ticket("private", routing=replace(support.ROUTING, private=True))
    with pytest.raises(Rejected, match="no private tickets"):
        real.tracker.create(ticket)
    assert real.tracker.find(ticket.reference) is None


def test_a_status_that_is_refused_does_not_lose_the_request(real: System) -> None:
    ticket = real.ticket("refused status", routing=replace(support.ROUTING, status="capgirat"))
    created = real.tracker.create(ticket)
    assert any("capgirat" in what for what in created.dropped)
    found = real.tracker.find(ticket.reference)
    assert found is not None and found.ticket_id == created.ticket_id


def test_a_group_watches_where_our_account_may_see_it(request_tracker: str, real: System) -> None:
    ticket = real.ticket("group", routing=replace(support.ROUTING, watchers=("Brigada municipal",)))
    assert real.tracker.create(ticket).dropped == ("watcher: Brigada municipal",)
    root = support.tracker(request_tracker, "root")
    ticket = real.ticket("group seen", routing=replace(support.ROUTING, watchers=("Brigada municipal",)))
    made = root.create(ticket)
    assert made.dropped == ()
    assert root.flag(made.ticket_id, status="", watchers=["Brigada municipal", "Jordi Alcalde"]) == ()


def test_a_queue_with_an_apostrophe_and_by_its_number(request_tracker: str, real: System) -> None:
    name = support.make_queue()
    tracker = support.tracker(request_tracker)
    number = str(tracker.names.queue(name).id)
    for called in (name, number):
        tracker = support.tracker(request_tracker)
        cursor = tracker.start_cursor()
        routing = replace(support.ROUTING, project=called, assignee="", watchers=())
        made = tracker.create(real.ticket(f"queue {called}", routing=routing))
        assert made.dropped == ()
        support.RTStaff(request_tracker, support.BOT).put(made.ticket_id, Status="stalled")
        (view,) = tracker.changes(cursor, [called], Ours(made.ticket_id)).tickets
        assert view.project == called, "as the mapping calls it"


# --- the journal -----------------------------------------------------------------------------------


def test_a_reply_of_the_web_page_is_html_and_one_by_mail_is_text(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("html")).ticket_id
    staff = real.staff
    body = {"Content": "<p>Ja est&agrave; <b>arreglat</b></p>", "ContentType": "text/html"}
    staff.call("POST", f"/ticket/{ticket_id}/correspond", json=body)
    staff.reply(ticket_id, "Línia u\nlínia *dos*")
    first, second = [e for e in real.tracker.read(ticket_id).entries if e.kind is EntryKind.PUBLIC_NOTE]
    assert (first.markup, second.markup) == ("html", "plain")
    assert to_whatsapp(first.text, first.markup) == "Ja està *arreglat*"
    assert second.text == "Línia u\nlínia *dos*"
    assert first.author == "Oficina Atenció Ciutadana"


def test_our_own_reply_is_ours_and_statuses_say_who(request_tracker: str, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("own")).ticket_id
    support.RTStaff(request_tracker, support.BOT).reply(ticket_id, "Escrit pel robot")
    entries = real.tracker.read(ticket_id).entries
    assert [(e.kind, e.status, e.by_connector) for e in entries] == [
        (EntryKind.PUBLIC_NOTE, "", True),
        (EntryKind.STATUS, "open", False),
    ]


def test_a_merged_ticket_goes_on_with_what_is_written_on_the_other(real: System) -> None:
    tracker, staff = real.tracker, real.staff
    cursor = tracker.start_cursor()
    old, into = (tracker.create(real.ticket(name)).ticket_id for name in ("old", "into"))
    staff.reply(old, "A l'antic")
    staff.reply(into, "A l'altre, abans", file=("secret.jpg", b"\xff\xd8"))
    staff.put(old, MergeInto=int(into))
    staff.reply(into, "A tots dos", file=("plano.jpg", b"\xff\xd8\xff"))
    view = tracker.read(old)
    assert (view.ticket_id, view.merged_into, view.reference) == (old, into, None)
    assert notes(view) == ["A l'antic", "A tots dos"]
    assert [f.filename for e in view.entries for f in e.files] == ["plano.jpg"]
    other = tracker.read(into)
    assert other.merged_into == "" and notes(other)[-1] == "A tots dos"
    found = tracker.find(real.reference("old"))
    assert found is not None and found.ticket_id == old, "what was merged meanwhile is not made again"
    moved = tracker.changes(cursor, PROJECT, Ours(old)).tickets
    assert [(t.ticket_id, t.merged_into) for t in moved] == [(old, into)]
    assert tracker.add_internal_note(old, "A l'antic, que és l'altre", "n-1")
    staff.delete(into)
    with pytest.raises(Gone):
        tracker.read(old)


def test_a_cursor_begins_in_the_past_whatever_time_zone_the_account_has(real: System) -> None:
    tracker = real.tracker
    ticket_id = tracker.create(real.ticket("past")).ticket_id
    real.staff.reply(ticket_id, "Abans")
    cursor = tracker.start_cursor(time.time() - 5)
    tickets = []
    for _ in range(20):
        changes = tracker.changes(cursor, PROJECT, Ours(ticket_id))
        cursor, tickets = changes.cursor, [*tickets, *changes.tickets]
        if not changes.more:
            break
    assert [t.ticket_id for t in tickets] == [ticket_id]
    assert abs(tickets[0].updated_at.timestamp() - time.time()) < 600


def test_a_stranger_with_a_reference_of_ours_is_told(real: System) -> None:
    tracker = real.tracker
    cursor = tracker.start_cursor()
    copy = real.staff.open_with_reference(real.reference("copied"))
    assert (real.reference("copied"), copy) in tracker.changes(cursor, PROJECT, Ours()).strangers


def test_a_quiet_poll_is_two_calls(real: System) -> None:
    tracker = real.tracker
    assert isinstance(tracker, RequestTracker)
    cursor = tracker.start_cursor()
    tracker.changes(cursor, PROJECT, Ours())
    asked: list[str] = []
    get = tracker.http.get
    tracker.http.get = lambda path, params=None: (asked.append(path), get(path, params))[1]  # type: ignore
    tracker.changes(cursor, PROJECT, Ours())
    assert [path.split("/")[1] for path in asked][:2] == ["user", "transactions"]
    assert set(asked[2:]) <= {"/tickets"}, "others may be making tickets"


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [("日本語 ñ'è 😀.pdf", "日本語 ñ_è 😀.pdf"), ('cita "x".pdf', "cita _x_.pdf"), ("e\u0301.pdf", "é.pdf")],
)
def test_any_file_name(real: System, name: str, kept: str) -> None:
    ticket_id = real.tracker.create(real.ticket(f"file {name}")).ticket_id
    assert real.tracker.attach(ticket_id, Upload(name, "application/pdf", b"%PDF-1.4\x00\r\n\xff"))
    (file,) = real.tracker.read(ticket_id).files
    assert file.filename in (kept, name)
    assert not real.tracker.attach(ticket_id, Upload(name, "application/pdf", b"%PDF-1.4\x00\r\n\xff"))


@pytest.mark.parametrize("content", ["àé\r\n·l\n".encode(), "àé\r\n".encode("latin-1"), b"x\x00y"])
def test_a_text_keeps_its_bytes(real: System, content: bytes) -> None:
    ticket_id = real.tracker.create(real.ticket(f"text {content!r}")).ticket_id
    assert real.tracker.attach(ticket_id, Upload("nota.txt", "text/plain", content))
    (file,) = real.tracker.read(ticket_id).files
    assert b"".join(real.tracker.download(file, 100)) == content


def test_a_file_larger_than_we_are_told_it_takes(request_tracker: str, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("large file")).ticket_id
    tracker = support.tracker(request_tracker, max_attachment_bytes=1 << 20)
    with pytest.raises(Rejected):
        tracker.attach(ticket_id, Upload("gran.jpg", "image/jpeg", b"x" * ((1 << 20) + 1)))
    assert tracker.attach(ticket_id, Upload("gran.jpg", "image/jpeg", b"x" * (1 << 20)))


# --- the page staff see ----------------------------------------------------------------------------


def described(request_tracker: str, ticket: NewTicket, tracker: RequestTracker) -> str:
    """The HTML of a new ticket's text on its page, as the citizens' office sees it."""
    made = tracker.create(ticket)
    staff = support.RTStaff(request_tracker)
    page = staff.http.get("/Helpers/TicketHistory", params={"id": made.ticket_id}).text
    found = re.search(r'<div class="message-stanza">(.*?)</div>', page, re.DOTALL)
    assert found, "RT's page is another one"
    return found[1]


def test_on_the_page_every_text_is_as_written_and_does_nothing(request_tracker: str, real: System) -> None:
    tracker = support.tracker(request_tracker)
    text = "\n".join(t for t in WRITTEN if inert.clean(t).strip())
    shown = described(request_tracker, real.ticket("page", words=text), tracker)
    assert not re.search(r"<(a|img|iframe|script|b|h1|table)\b", shown), shown
    seen = html.unescape(re.sub(r"<[^>]+>", " ", shown)).replace(inert.ZWSP, "")
    assert "".join(inert.clean(text).split()) in "".join(seen.split())


def test_our_own_link_to_the_map_works(request_tracker: str, real: System) -> None:
    place = Place(41.61234567, 2.65432101, "Plaça #1", "https://exemple.cat")
    shown = described(request_tracker, real.ticket("map", places=(place,)), support.tracker(request_tracker))
    (link,) = re.findall(r'<a[^>]+href="([^"]+)"', shown)
    assert html.unescape(link) == (
        "https://www.openstreetmap.org/?mlat=41.61234567&mlon=2.65432101#map=18/41.61234567/2.65432101"
    )
