"""The contract on a real Redmine, and what only a real one shows."""

from __future__ import annotations

import contextlib
import html
import re
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connector.core.errors import Ambiguous, Forbidden, Rejected
from connector.core.ticket import Place, Upload
from connector.trackers import inert
from connector.trackers.redmine import markup
from tests.fuzz import examples

from ..contract import TrackerContract
from ..corpus import MADE, WRITTEN
from ..system import System
from . import support
from .servers import losing_answers, serving

pytestmark = pytest.mark.real


class TestRealRedmine(TrackerContract):
    @pytest.fixture
    def system(self, redmine: Any) -> System:
        return support.system(redmine.url, live=True, salt=support.fresh_salt())


@pytest.fixture
def real(redmine: Any) -> System:
    return support.system(redmine.url, live=True, salt=support.fresh_salt())


def admin(redmine: Any) -> httpx.Client:
    return httpx.Client(
        base_url=redmine.url, headers={"X-Redmine-API-Key": redmine.keys["admin"]}, timeout=20
    )


def test_a_lost_answer_is_found_by_its_reference(redmine: Any, real: System) -> None:
    losing = threading.Event()
    with serving(losing_answers(redmine.url, losing.is_set)) as url:
        tracker = support.tracker(url, timeout=2)
        ticket = real.ticket("lost answer")
        assert tracker.verify([("menu[0].route", ticket.routing)]) == []
        losing.set()
        with pytest.raises(Ambiguous):
            tracker.create(ticket)
        losing.clear()
        found = support.tracker(url).find(ticket.reference)
    assert found is not None and found.existed and found.duplicates == ()


def test_a_lost_answer_to_a_note_and_a_file_is_no_second_one(redmine: Any, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("lost note")).ticket_id
    photo = Upload("foto.jpg", "image/jpeg", b"foto" * 9)
    losing = threading.Event()

    with serving(losing_answers(redmine.url, losing.is_set)) as url:
        tracker = support.tracker(url, timeout=2)
        tracker.verify([("menu[0].route", support.ROUTING)])
        update = type(tracker.http.redmine.engine).request

        def request(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            if method == "put":
                losing.set()
            return update(self, method, *args, **kwargs)

        tracker.http.redmine.engine.request = request.__get__(tracker.http.redmine.engine)
        with pytest.raises(Ambiguous):
            tracker.add_internal_note(ticket_id, "Lliurat", "n-1")
        losing.clear()
        assert not real.tracker.add_internal_note(ticket_id, "Lliurat", "n-1")
        with pytest.raises(Ambiguous):
            tracker.attach(ticket_id, photo)
        losing.clear()
        assert not real.tracker.attach(ticket_id, photo)
    view = real.tracker.read(ticket_id)
    assert len(view.files) == 1
    assert len([e for e in view.entries if e.text]) == 1


def test_a_locked_account_is_forbidden_and_not_quiet(redmine: Any, real: System) -> None:
    user = redmine.fixtures["users"]["regidora.platja"]["id"]
    tracker = support.tracker(redmine.url, redmine.keys["regidora.platja"])
    cursor = tracker.start_cursor()
    with admin(redmine) as http:
        http.put(f"/users/{user}.json", json={"user": {"status": 3}}).raise_for_status()
        try:
            for call in (
                lambda: tracker.changes(cursor, ["atencio-ciutadana"], []),
                lambda: tracker.find("SCV-2222-22"),
                lambda: tracker.create(real.ticket("locked")),
            ):
                with pytest.raises(Forbidden):
                    call()
        finally:
            http.put(f"/users/{user}.json", json={"user": {"status": 1}}).raise_for_status()


def test_a_note_that_comes_out_public_is_reported(redmine: Any, real: System) -> None:
    """Redmine drops the private flag of an account without the right and says 204."""
    ticket_id = real.tracker.create(real.ticket("came out public")).ticket_id
    tracker = support.tracker(redmine.url, redmine.keys["operari.brigada"])
    tracker.names.rights = lambda *a, **k: frozenset({"set_notes_private", "add_issue_notes"})  # type: ignore
    with pytest.raises(Forbidden) as told:
        tracker.add_internal_note(ticket_id, "Secret", "n-1")
    assert "public" in str(told.value)


def test_a_note_that_comes_out_public_is_blanked(redmine: Any, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("blanked")).ticket_id
    office = support.tracker(redmine.url, redmine.keys["oac"])
    real.staff.reply(ticket_id, office._writer._note("Secret", "n-1"))
    with pytest.raises(Forbidden) as told:
        office.add_internal_note(ticket_id, "Secret", "n-1")
    assert "blanked" in str(told.value)
    assert real.staff.public_notes(ticket_id) == []


def test_a_file_larger_than_the_server_takes(redmine: Any, real: System) -> None:
    ticket_id = real.tracker.create(real.ticket("large file")).ticket_id
    large = Upload("gran.jpg", "image/jpeg", b"x" * (6 << 20))
    for tracker in (real.tracker, support.tracker(redmine.url, max_attachment_bytes=None)):
        with pytest.raises(Rejected):
            tracker.attach(ticket_id, large)


def test_a_private_request_never_becomes_an_open_one(redmine: Any, real: System) -> None:
    ticket = real.ticket("private", routing=replace(real.routing, private=True))
    with pytest.raises(Forbidden):
        real.tracker.create(ticket)
    assert real.tracker.find(ticket.reference) is None
    office = support.tracker(redmine.url, redmine.keys["oac"])
    assert office.create(ticket).dropped == ()


def test_an_administrators_key_is_warned_about(redmine: Any) -> None:
    findings = support.tracker(redmine.url, redmine.keys["admin"]).verify(
        [("menu[0].route", support.ROUTING)]
    )
    assert [(f.severity, f.key) for f in findings] == [("warning", "tracker.api_key")]


# --- the page staff see ----------------------------------------------------------------------------

ALLOWED = {"blockquote", "p", "code", "br"}
BETWEEN = "SEPARADOR"


def staff_browser(url: str) -> httpx.Client:
    """The citizens' office, logged in by the web page."""
    client = httpx.Client(base_url=url, follow_redirects=True, timeout=20)
    token = re.search(r'name="authenticity_token" value="([^"]+)"', client.get("/login").text)
    assert token
    form = {"authenticity_token": token[1], "username": "oac", "password": "contrasenya-de-prova"}
    assert "/logout" in client.post("/login", data=form).text
    return client


def described(redmine_url: str, description: str, browser: httpx.Client) -> str:
    """The HTML of a description on the page of a new issue."""
    head = {"X-Redmine-API-Key": support.KEYS["bot"]}
    issue = {"project_id": 1, "tracker_id": 6, "subject": "Text d'un ciutadà", "description": description}
    answer = httpx.post(f"{redmine_url}/issues.json", headers=head, json={"issue": issue}, timeout=20)
    answer.raise_for_status()
    page = browser.get(f"/issues/{answer.json()['issue']['id']}").text
    found = re.search(r'<div class="wiki">(.*?)</div>\s*</div>', page, re.DOTALL)
    assert found
    return found[1]


def as_seen(fragment: str) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br ?/?>|</p>", "\n", fragment)))
    return " ".join(text.replace(inert.ZWSP, "").split())


@pytest.mark.parametrize("text_format", ["textile", "common_mark"])
def test_on_the_page_every_text_is_as_written_and_does_nothing(redmine: Any, text_format: str) -> None:
    url = redmine.url if text_format == "textile" else redmine.commonmark_url
    words, fact, _ = markup.FORMATS[text_format]
    with contextlib.closing(staff_browser(url)) as browser:

        def check(texts: list[str]) -> None:
            texts = [t for t in texts if inert.clean(t).strip()]
            parts = described(url, f"\n\n{BETWEEN}\n\n".join(words(t) for t in texts), browser)
            fragments = parts.split(f"<p>{BETWEEN}</p>")
            for text, fragment in zip(texts, fragments, strict=True):
                assert set(re.findall(r"</?(\w+)", fragment)) <= ALLOWED, (text, fragment)
                assert not re.findall(r"<\w+ [^>]+>", fragment.replace("<br />", "")), (text, fragment)
                assert as_seen(fragment) == " ".join(inert.clean(text).split()), (text, fragment)

        check(WRITTEN)

        @settings(
            max_examples=examples(12),
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(MADE.filter(lambda t: bool(inert.clean(t).strip())), min_size=20, max_size=20))
        def check_made(texts: list[str]) -> None:
            check(texts)

        check_made()
        for text in WRITTEN:
            value = inert.one_line(text)
            shown = as_seen(described(url, fact("Nom", text), browser)) if text in WRITTEN[:4] else None
            assert shown in (None, f"Nom: {value}")


@pytest.mark.parametrize("text_format", ["textile", "common_mark"])
def test_our_own_link_to_the_map_works(redmine: Any, text_format: str) -> None:
    url = redmine.url if text_format == "textile" else redmine.commonmark_url
    tracker = support.tracker(url, text_format=text_format)
    real = support.system(url, live=True, salt=support.fresh_salt())
    place = Place(41.61234567, 2.65432101, "Plaça #1", "@oac {{toc}}")
    created = tracker.create(real.ticket("map", places=(place,), facts=(("Barri", "Centre"),)))
    with contextlib.closing(staff_browser(url)) as browser:
        page = browser.get(f"/issues/{created.ticket_id}").text
    wiki = re.search(r'<div class="wiki">(.*?)</div>\s*</div>', page, re.DOTALL)
    assert wiki
    (link,) = re.findall(r'href="([^"]+)"', wiki[1])
    assert html.unescape(link) == (
        "https://www.openstreetmap.org/?mlat=41.61234567&mlon=2.65432101#map=18/41.61234567/2.65432101"
    )
    assert "Lloc: Plaça #1, @oac {{toc}} (41.61234567, 2.65432101)" in as_seen(wiki[1])
