"""The contract on a real Roundup, and what only a real one shows."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.core.survey import Choice
from connector.core.ticket import EntryKind, NewTicket, Place, Upload
from connector.trackers import inert
from connector.trackers.roundup import RoundupTracker
from connector.trackers.roundup.http import Api, Item
from connector.trackers.roundup.survey import RoundupSurvey

from ..contract import JPEG, TrackerContract
from ..corpus import WRITTEN
from ..redmine.servers import losing_answers, serving
from ..redmine.support import fresh_salt
from ..system import Ours, System
from . import support

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture
def real(roundup: str) -> System:
    return support.system(roundup, live=True, salt=fresh_salt())


class TestRealRoundup(TrackerContract):
    @pytest.fixture
    def system(self, real: System) -> System:
        return real


def office(real: System) -> support.RoundupStaff:
    assert isinstance(real.staff, support.RoundupStaff)
    return real.staff


# --- accounts and rights ---------------------------------------------------------------------------


@contextmanager
def temporary(url: str, **changed: str) -> Iterator[RoundupTracker]:
    """An account that loses something while it is in use; with no ``changed`` it is disabled."""
    admin = support.staff(url, "admin")
    (found,) = admin.call("GET", "/user", params={"username:": support.TEMPORARY})["collection"]
    person = f"user/{found['id']}"
    tracker = support.tracker(url, support.TEMPORARY)
    cursor = tracker.start_cursor()
    tracker.changes(cursor, [support.ROUTING.project], Ours())
    if changed:
        admin.change(person, **changed)
    else:
        admin.retire(person)
    try:
        yield tracker
    finally:
        if not changed:
            admin.change(person, **{"@op": "action", "@action_name": "restore"})
        admin.change(person, roles="Robot")


@pytest.mark.parametrize("changed", [{}, {"roles": "Anonymous"}, {"roles": "Brigada,Anonymous"}])
def test_an_account_that_lost_something_is_not_quiet(
    roundup: str, real: System, changed: dict[str, str]
) -> None:
    ticket_id = real.tracker.create(real.ticket("lost right")).ticket_id
    cursor = real.tracker.start_cursor()
    real.staff.note_internally(ticket_id, "Ningú més no ho ha de veure")
    with temporary(roundup, **changed) as tracker:
        if "Brigada" in changed.get("roles", ""):
            # it sees less of what is internal, and whatever it sees is not told from it
            assert [e.kind for e in tracker.read(ticket_id).entries] in ([], [EntryKind.PRIVATE_NOTE])
            return
        with pytest.raises(Forbidden):
            tracker.changes(cursor, [support.ROUTING.project], Ours(ticket_id))
        with pytest.raises(Forbidden):
            tracker.find(real.reference("never made"))
        (finding,) = tracker.verify([("menu[0].route", real.routing)])
        assert finding.key == "tracker.api_key"


def test_an_administrators_account_is_warned_about(roundup: str, real: System) -> None:
    findings = support.tracker(roundup, "admin").verify([("menu[0].route", real.routing)])
    assert [(f.severity, f.key) for f in findings] == [("warning", "tracker.api_key")]


def test_what_roundup_does_not_have_is_found(real: System) -> None:
    wrong = replace(
        real.routing, tracker="Incidència", private=True, status="obert", fields=(("barri", "Centre"), ("latitude", "x"))
    )  # fmt: skip
    found = {f.key for f in real.tracker.verify([("r", wrong)]) if f.severity == "error"}
    assert found == {"r.tracker", "r.private", "r.status", "r.fields.barri"}


def test_what_the_settings_name_and_is_not_there_is_found(roundup: str) -> None:
    wrong = {"latitude_field": "lat", "public_property": "visible", "closed": ("tancat",)}
    found = {f.key for f in support.tracker(roundup, **wrong).verify([])}
    assert found == {"tracker.latitude_field", "tracker.public_property", "tracker.closed"}


def test_at_another_address_there_is_no_roundup(roundup: str, real: System) -> None:
    (finding,) = support.tracker(f"{roundup}/rest").verify([("r", real.routing)])
    assert finding.key == "tracker.url"


def test_what_there_is_to_choose_from(roundup: str) -> None:
    survey = RoundupSurvey(roundup, f"{support.BOT}:{support.PASSWORD}", {})
    assert survey.account() == "Robot WhatsApp"
    assert Choice("Incidències", "Incidències") in survey.projects()
    offer = survey.offer("Incidències")
    assert {"Jordi Alcalde", "Nil Operari Brigada"} <= set(offer.people)
    assert "Via pública" in offer.categories and offer.closed == ("done-cbb", "resolved")
    assert {"reference", "pseudonym", "address"} <= {f.id for f in offer.fields if f.text}
    assert survey.takes("Incidències", "neighbourhood", "Centre")
    assert not survey.takes("Incidències", "neighbourhood", "Enlloc")


# --- once ------------------------------------------------------------------------------------------


@contextmanager
def losing(url: str, once: Callable[[], bool]) -> Iterator[RoundupTracker]:
    """A tracker that gets no answer any more from when ``once`` is true."""
    with serving(losing_answers(url, once)) as proxy:
        yield support.tracker(proxy, timeout=1.5)


def test_a_lost_answer_is_found_by_its_reference(roundup: str, real: System) -> None:
    ticket, seen = real.ticket("lost answer"), support.staff(roundup)
    there = lambda: bool(seen.call("GET", "/issue", params={"reference:": ticket.reference})["collection"])  # noqa: E731
    with losing(roundup, there) as tracker, pytest.raises(Ambiguous):
        tracker.create(ticket)
    found = real.tracker.find(ticket.reference)
    assert found is not None and found.existed and not found.duplicates


def test_what_a_try_left_behind_is_used_by_the_next(
    roundup: str, real: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> str:
        raise Unavailable("lost")

    ticket = real.ticket("lost in the middle")
    with monkeypatch.context() as patched, pytest.raises(Unavailable):
        patched.setattr(Api, "open_issue", lost)
        real.tracker.create(ticket)
    real.tracker.create(ticket)
    key = f"<{ticket.reference}@whatsapp-connector>"
    assert len(office(real).call("GET", "/msg", params={"messageid:": key})["collection"]) == 1


def test_a_lost_answer_to_a_note_and_a_file_is_no_second_one(roundup: str, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("lost note and file")).ticket_id
    seen, photo = office(real), Upload("foto.jpg", "image/jpeg", JPEG)
    with losing(roundup, lambda: bool(seen.messages(ticket_id))) as tracker, pytest.raises(Ambiguous):
        tracker.add_internal_note(ticket_id, "Ha arribat", "n-1")
    there = lambda: bool(seen.get(f"issue/{ticket_id}", "files")["files"])  # noqa: E731
    with losing(roundup, there) as tracker, pytest.raises(Ambiguous):
        tracker.attach(ticket_id, photo)
    assert not real.tracker.add_internal_note(ticket_id, "Ha arribat", "n-1")
    assert not real.tracker.attach(ticket_id, photo)
    assert len(seen.messages(ticket_id)) == len(real.tracker.read(ticket_id).files) == 1


def test_an_address_of_once_makes_one_issue(roundup: str, real: System) -> None:
    """As a proxy would that sends on twice what it got once."""
    bot = support.RoundupStaff(roundup, support.BOT)
    once = bot.call("POST", "/issue/@poe", json={})["link"].partition("/rest/data")[2]
    made = {"title": "Una vegada", "project": "Incidències", "reference": real.reference("once")}
    first, second = (bot.http.post(once, json=made) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 400)
    api = real.tracker._api  # type: ignore[attr-defined]
    assert isinstance(api._failed(second, wrote=True), Ambiguous)


def test_two_who_change_an_issue_at_once_both_have_it_their_way(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("at once")).ticket_id
    api, tries = real.tracker._api, []  # type: ignore[attr-defined]

    def to(now: Item) -> dict[str, str]:
        if not tries:
            real.staff.reply(ticket_id, "Mentrestant")
        tries.append(now["messages"])
        return {"status": "2"}

    api.change(ticket_id, ["messages"], to)
    assert len(tries) == 2 and len(tries[1]) == 2
    view = real.tracker.read(ticket_id)
    assert (view.status, [e.text for e in view.entries]) == ("deferred", ["Mentrestant"])


def test_a_private_request_is_never_made(real: System) -> None:
    ticket = real.ticket("private", routing=replace(real.routing, private=True))
    with pytest.raises(Rejected):
        real.tracker.create(ticket)
    assert real.tracker.find(ticket.reference) is None


def test_numbers_instead_of_names(real: System) -> None:
    names = real.tracker._reader.directory.now()  # type: ignore[attr-defined]
    project = next(str(i) for i, name in names.projects.items() if name == "Alcaldia")
    routing = replace(real.routing, project=project, assignee=str(names.person("alcalde")), fields=())
    assert real.tracker.verify([("r", routing)]) == []
    created = real.tracker.create(real.ticket("numbers", routing=routing))
    assert created.dropped == ()
    assert real.tracker.read(created.ticket_id).project == project, "it is called as the mapping does"


# --- what leaves and what does not -----------------------------------------------------------------


def test_a_note_of_ours_opens_no_closed_issue(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("closed note")).ticket_id
    real.staff.close(ticket_id)
    assert real.tracker.add_internal_note(ticket_id, "La resposta ha arribat.", "n-1")
    view = real.tracker.read(ticket_id)
    assert (view.status, view.closed) == ("resolved", True)


def test_where_nothing_is_marked_nothing_goes_out_and_nothing_is_written(roundup: str, real: System) -> None:
    tracker = support.tracker(roundup, public_property="")
    ticket_id = tracker.create(real.ticket("unmarked")).ticket_id
    real.staff.reply(ticket_id, "Hola")
    (entry,) = tracker.read(ticket_id).entries
    assert entry.kind is EntryKind.PRIVATE_NOTE
    assert not tracker.capabilities.internal_notes
    with pytest.raises(Forbidden):
        tracker.add_internal_note(ticket_id, "No ho ha de veure ningú", "n-1")
    assert len(office(real).messages(ticket_id)) == 1
    assert {f.severity for f in tracker.verify([("r", real.routing)])} == {"warning"}


def test_what_comes_out_public_is_never_on_the_ticket(real: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector of the town that marks whatever is written."""
    ticket_id = real.tracker.create(real.ticket("comes out public")).ticket_id
    written = Api.message
    monkeypatch.setattr(Api, "message", lambda self, said: written(self, {**said, "public": True}))
    monkeypatch.setattr(Api, "change", lambda *_: pytest.fail("it was put on the ticket"))
    with pytest.raises(Forbidden) as told:
        real.tracker.add_internal_note(ticket_id, "No ho ha de veure ningú", "n-1")
    assert told.value.code == "no_internal_notes"


def test_what_turns_public_on_the_ticket_is_taken_off_it(
    real: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = real.tracker.create(real.ticket("turns public")).ticket_id
    change = Api.change

    def changing(self: Api, item_id: str, asked: list[str], to: Callable[[Item], dict[str, str]]) -> bool:
        done = change(self, item_id, asked, to)
        for message in office(real).get(f"issue/{ticket_id}", "messages")["messages"][1:]:
            office(real).change(f"msg/{message['id']}", public=True)
        return done

    monkeypatch.setattr(Api, "change", changing)
    with pytest.raises(Forbidden):
        real.tracker.add_internal_note(ticket_id, "No ho ha de veure ningú", "n-1")
    assert office(real).messages(ticket_id) == []


def test_what_is_marked_later_is_noticed_though_its_issue_looks_untouched(real: System) -> None:
    tracker, project = real.tracker, [real.routing.project]
    ticket_id = tracker.create(real.ticket("marked later")).ticket_id
    ours = Ours(ticket_id)
    real.staff.note_internally(ticket_id, "Arreglat")
    cursor = ours.take(tracker.changes(tracker.start_cursor(), project, ours)).cursor
    real.wait(2)
    cursor = ours.take(tracker.changes(cursor, project, ours)).cursor
    (message,) = office(real).call(
        "GET", f"/issue/{ticket_id}", params={"@fields": "messages", "@verbose": 0}
    )["attributes"]["messages"][1:]
    for public, kind in ((True, EntryKind.PUBLIC_NOTE), (False, EntryKind.PRIVATE_NOTE)):
        office(real).change(f"msg/{message}", public=public)
        changes = ours.take(tracker.changes(cursor, project, ours))
        assert [e.kind for t in changes.tickets for e in t.entries] == [kind]
        cursor = changes.cursor
    office(real).retire(f"msg/{message}")
    assert tracker.read(ticket_id).entries == ()


def test_a_message_that_names_our_account_as_its_author_is_ours(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("ours")).ticket_id
    said = {"content": "Com si fos nostre", "author": support.BOT, "date": ".", "public": True}
    message = office(real).call("POST", "/msg", json=said)["id"]
    office(real).change(f"issue/{ticket_id}", messages=f"+{message}")
    (entry,) = real.tracker.read(ticket_id).entries
    assert entry.by_connector


@pytest.mark.parametrize("ticked", [True, False])
def test_an_answer_from_the_page_with_its_box_ticked_or_not(roundup: str, real: System, ticked: bool) -> None:
    ticket_id = real.tracker.create(real.ticket(f"page {ticked}")).ticket_id
    form = {"@action": "edit", "@note": "Arreglat!\nGràcies", "status": "8", "title": "x", "priority": "5"}
    form |= {"msg-1@public": "yes"} if ticked else {}
    page = f"{roundup}/issue{ticket_id}"
    head = {"Origin": roundup, "Referer": page}
    sent = httpx.post(
        page, data=form, files={"@file": ("fòto.jpg", JPEG)}, headers=head, auth=(support.OFFICE, support.PASSWORD)
    )  # fmt: skip
    assert sent.status_code == 302
    view = real.tracker.read(ticket_id)
    (entry,) = view.entries
    kind = EntryKind.PUBLIC_NOTE if ticked else EntryKind.PRIVATE_NOTE
    assert (entry.kind, entry.text, view.closed) == (kind, "Arreglat!\nGràcies", True)
    assert [f.filename for f in entry.files] == ["fòto.jpg"]
    assert b"".join(real.tracker.download(entry.files[0], 10_000)) == JPEG


# --- what moved ------------------------------------------------------------------------------------


def test_a_quiet_poll_is_two_calls(roundup: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker, called = support.tracker(roundup, overlap=60), []
    cursor = tracker.changes(tracker.start_cursor(), ["Obres i serveis", "Alcaldia"], Ours("1")).cursor
    send = Api._send

    def counting(self: Api, method: str, path: str, **sent: object) -> httpx.Response:
        called.append(f"{method} {path}")
        return send(self, method, path, **sent)  # type: ignore[arg-type]

    monkeypatch.setattr(Api, "_send", counting)
    tracker.changes(cursor, ["Obres i serveis"], Ours("1"))
    # messages of others' tickets may have to be looked up: the server is shared
    assert called[:2] == ["GET /rest/data/issue", "GET /rest/data/msg"] and len(called) <= 3


def test_a_cursor_begins_in_the_past(real: System) -> None:
    from_now = real.tracker.start_cursor()
    ticket_id = real.tracker.create(real.ticket("past")).ticket_id
    hour_ago = real.tracker._api.served_at.timestamp() - 3600  # type: ignore[attr-defined]
    before = real.tracker.start_cursor(hour_ago)
    assert before < from_now
    (view,) = real.tracker.changes(before, [real.routing.project], Ours(ticket_id)).tickets
    assert view.ticket_id == ticket_id


def test_a_stranger_with_a_reference_of_ours_is_told(real: System) -> None:
    cursor, reference = real.tracker.start_cursor(), real.reference("stranger")
    ticket_id = real.staff.open_with_reference(reference)
    project = [real.routing.project]
    assert (reference, ticket_id) in real.tracker.changes(cursor, project, Ours()).strangers
    assert (reference, ticket_id) not in real.tracker.changes(cursor, project, Ours(ticket_id)).strangers


# --- files and texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["日本語 😀.jpg", "a'b;c=d&e.jpg", "fòto l·l ñ.jpg", "punt..jpg", "x" * 300 + ".jpg"]
)
def test_any_file_name(real: System, name: str) -> None:
    ticket_id = real.tracker.create(real.ticket(f"name {name}")).ticket_id
    assert real.tracker.attach(ticket_id, Upload(name, "image/jpeg", JPEG))
    assert not real.tracker.attach(ticket_id, Upload(name, "image/jpeg", JPEG))
    (file,) = real.tracker.read(ticket_id).files
    assert file.filename == inert.filename(name)
    assert b"".join(real.tracker.download(file, 10_000)) == JPEG


def test_a_text_keeps_its_bytes(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("bytes")).ticket_id
    for n, content in enumerate([b"u\r\ndos\x00\xff\n", "à\u2028😀".encode("utf-16"), b"\x00"]):
        upload = Upload(f"text {n}.txt", "text/plain", content)
        assert real.tracker.attach(ticket_id, upload)
        file = real.tracker.read(ticket_id).files[-1]
        assert b"".join(real.tracker.download(file, 100)) == content


def test_a_file_that_is_not_there_or_is_nobodys_address(real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("download")).ticket_id
    real.tracker.attach(ticket_id, Upload("foto.jpg", "image/jpeg", JPEG))
    (file,) = real.tracker.read(ticket_id).files
    for wrong in ("99999999", "../issue1", "http://example.invalid/"):
        with pytest.raises(Gone):
            b"".join(real.tracker.download(replace(file, id=wrong), 10_000))


def described(url: str, ticket: NewTicket, tracker: RoundupTracker) -> str:
    """What staff see of a ticket's text, as HTML."""
    ticket_id = tracker.create(ticket).ticket_id
    page = httpx.get(f"{url}/issue{ticket_id}", auth=(support.OFFICE, support.PASSWORD), timeout=30).text
    (shown,) = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    return str(shown)


def test_on_the_page_every_text_is_as_written_and_does_nothing(roundup: str, real: System) -> None:
    own = [
        "issue1 issue 1 Issue  1, àmsg1 _file1 user1@x status3 keyword 2#a (msg1)",
        "anna.b+c@exemple.cat @ a@b",
    ]
    text = "\n".join(t for t in [*WRITTEN, *own] if inert.clean(t).strip())
    shown = described(roundup, real.ticket("page", words=text), support.tracker(roundup))
    assert not re.search(r"<\w", shown), shown
    assert "".join(html.unescape(shown).replace(inert.ZWSP, "").split()) == "".join(inert.clean(text).split())


def test_our_own_link_to_the_map_works(roundup: str, real: System) -> None:
    place = Place(41.61234567, 2.65432101, "Plaça issue 1", "https://exemple.cat")
    shown = described(roundup, real.ticket("map", places=(place,)), support.tracker(roundup))
    (link,) = re.findall(r'<a[^>]+href="([^"]+)"', shown)
    assert html.unescape(link) == (
        "https://www.openstreetmap.org/?mlat=41.61234567&mlon=2.65432101#map=18/41.61234567/2.65432101"
    )


def test_a_failure_inside_is_no_refusal(real: System) -> None:
    """What Roundup answers when its database is locked."""
    said = {
        "error": {
            "status": 400,
            "msg": "An error occurred. Please check the server log for more information.",
        }
    }
    response = httpx.Response(400, json=said)
    api = real.tracker._api  # type: ignore[attr-defined]
    kinds: list[type[ConnectorError]] = [type(api._failed(response, wrote=wrote)) for wrote in (True, False)]
    assert kinds == [Ambiguous, Unavailable]
