"""What the check has Redmine say of tickets that it refuses anyway: the same on the real one and on the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.core.errors import Finding
from connector.core.ticket import NewTicket, Place
from connector.trackers.redmine import RedmineTracker

from . import support
from .test_redmine_standin import Server

PEOPLE = [("answers.only_from[0]", "Jordi Alcalde"), ("answers.authors.x", "Jordi  ALCALDE")]


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, free_port: int) -> Iterator[str]:
    if request.param == "real":
        yield request.getfixturevalue("redmine").url
        return
    with Server(free_port) as server:
        yield server.url


def ticket(**changes: Any) -> NewTicket:
    place = Place(41.62, 2.6, "Plaça", "Plaça, 1")
    return NewTicket("PRV-7K3F-9Q", replace(support.ROUTING, **changes), "s", "w", places=(place,))


def rehearsed(tracker: RedmineTracker, *tickets: NewTicket, people: Any = ()) -> list[Finding]:
    asked = [(f"menu[{i}].route", t) for i, t in enumerate(tickets)]
    tracker.verify([(key, t.routing) for key, t in asked])
    return tracker.rehearse(asked, people)


def test_good_tickets_and_people_are_taken(url: str) -> None:
    assert rehearsed(support.tracker(url, max_attachment_bytes=16 << 20), ticket(), people=PEOPLE) == []


def test_a_rehearsal_leaves_nothing_behind(url: str) -> None:
    tracker = support.tracker(url, max_attachment_bytes=None)
    kept: list[int] = []
    removed: list[str] = []
    request = type(tracker.http.redmine.engine).request

    def watch(self: Any, method: str, address: str, *args: Any, **named: Any) -> Any:
        answer = request(self, method, address, *args, **named)
        if method == "post":
            kept.append(answer["upload"]["id"] if "upload" in answer else answer)
        if method == "delete":
            removed.append(address)
        return answer

    tracker.http.redmine.engine.request = watch.__get__(tracker.http.redmine.engine)
    rehearsed(tracker, ticket(), ticket(fields=(("1", "Fax"),)))
    assert len(kept) == 1, "one upload of one byte was taken, no ticket"
    # That Redmine took it away is what it answered to the call: on SQLite another test's file may have its number by now.
    assert removed == [f"{url}/attachments/{kept[0]}.json"]


@pytest.mark.parametrize(
    ("fields", "own", "key", "words"),
    [
        ((("7", "Centro"),), {}, "menu[0].route.fields.7", "custom field 7 does not take «Centro»"),
        ((("4", "u"),), {"latitude_field": ""}, "menu[0].route.fields.4", "custom field 4 does not take «u»"),
        ((("3", "x" * 65),), {}, "menu[0].route.fields.3", "custom field 3 does not take"),
        (
            (),
            {"address_field": "4", "latitude_field": ""},
            "tracker.address_field",
            "does not take «Plaça, 1»",
        ),
        ((), {"reference_field": "1"}, "tracker.reference_field", "does not take «PRV-7K3F-9Q»"),
    ],
)
def test_values_that_fields_do_not_take(
    url: str, fields: Any, own: dict[str, str], key: str, words: str
) -> None:
    tracker = support.tracker(url, max_attachment_bytes=16 << 20, **own)
    (finding,) = rehearsed(tracker, ticket(fields=fields))
    assert (finding.severity, finding.key) == ("error", key)
    assert words in finding.problem


def test_the_same_refusal_is_told_once(url: str) -> None:
    wrong = ticket(fields=(("7", "Centro"),))
    assert len(rehearsed(support.tracker(url, max_attachment_bytes=16 << 20), wrong, wrong)) == 1


def test_a_reference_field_that_is_no_filter_shows_while_there_is_no_ticket(url: str) -> None:
    tracker = support.tracker(url, reference_field="99", max_attachment_bytes=16 << 20)
    tracker.names.me()
    (finding,) = tracker.rehearse([], [])
    assert (finding.severity, finding.key) == ("error", "tracker.reference_field")


def test_somebody_whom_nobody_knows(url: str) -> None:
    people = [("answers.only_from[0]", "Jordi Alcaldee")]
    (finding,) = rehearsed(support.tracker(url, max_attachment_bytes=16 << 20), ticket(), people=people)
    assert (finding.severity, finding.key) == ("warning", "answers.only_from[0]")
    assert "«Jordi Alcalde»" in finding.mend


@pytest.mark.parametrize("limit", [None, 5 << 20])
def test_files_that_are_too_large_for_redmine(url: str, limit: int | None) -> None:
    (finding,) = rehearsed(support.tracker(url, max_attachment_bytes=limit), ticket())
    assert (finding.severity, finding.key) == ("warning", "tracker.max_attachment_bytes")
    assert "5 MB" in finding.problem and "max_attachment_bytes = 5242880" in finding.mend


def test_redmine_that_takes_large_files(free_port: int) -> None:
    with Server(free_port) as server:
        server.redmine.settings.attachment_max_kb = 17 * 1024
        assert rehearsed(support.tracker(server.url, max_attachment_bytes=None), ticket()) == []
        assert server.redmine.db.attachments == {}


def test_an_account_that_may_make_no_tickets_is_not_asked_to(url: str) -> None:
    tracker = support.tracker(url, support.KEYS["brigada"], max_attachment_bytes=16 << 20)
    assert rehearsed(tracker, ticket()) == []


def test_a_required_field_nobody_fills(free_port: int) -> None:
    with Server(free_port) as server:
        server.redmine.db.fields[6].is_required = True
        tracker = support.tracker(server.url, max_attachment_bytes=16 << 20, address_field="")
        (finding,) = rehearsed(tracker, ticket())
    assert finding.key == "menu[0].route"
    assert "Adreça no pot estar en blanc" in finding.problem and "needs a value" in finding.mend
