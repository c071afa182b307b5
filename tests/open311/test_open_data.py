"""Requests as open data: what is published, what never is, and in the form that programs expect."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from georeport import GeoReport
from hypothesis import given
from hypothesis import strategies as st

from connector.core.open_data import rounded
from connector.storage import erasing, people, subjects, tickets
from connector.trackers.open311 import xml
from connector.web.open311 import Open311, routes
from tests.trackers.open311.support import tracker

from . import schema
from .town import NAME, NOW, SECRETS, Office, serving

WHERE = "/open311/v2"


@pytest.fixture(scope="module")
def _office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with serving(tmp_path_factory.mktemp("open")) as made:
        yield made


@pytest.fixture
def office(_office: Office) -> Office:
    _office.clear()
    return _office


def ask(office: Office, path: str, **how: Any) -> httpx.Response:
    office.again()
    return office.client.get(f"{WHERE}/{path}", **how)


def shown(office: Office, **params: str) -> list[dict[str, Any]]:
    answer = ask(office, "requests.json", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


# --- the form ---------------------------------------------------------------------------------------


def test_every_answer_is_what_the_public_schemas_say(office: Office) -> None:
    office.request(places=[])
    office.request(3, status="En Progrés")
    office.request(9, closed_at=NOW.timestamp(), status="Tancat")
    number = shown(office)[0]["service_request_id"]
    for what, root, path in (
        ("discovery", "discovery", "discovery"),
        ("services", "services", "services"),
        ("service_definition", "service_definition", "services/incident"),
        ("requests", "service_requests", "requests"),
        ("requests", "service_requests", f"requests/{number}"),
        ("errors", "errors", "requests/none"),
    ):
        answer = ask(office, f"{path}.json")
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        schema.check(what, answer.json())
        same = ask(office, f"{path}.xml")
        assert same.headers["content-type"] == "text/xml; charset=utf-8"
        assert same.text.startswith(f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>')
        assert _texts(xml.read(same.content)) == _texts(answer.json()), "the two are one mapping"


def _texts(found: Any) -> Any:
    """As XML has it: everything is text, and what is empty is empty."""
    if isinstance(found, dict):
        values = [_texts(value) for value in found.values()]
        # endpoints and formats are lists that our own client has no use for, and reads as objects
        return {k: v for k, v in zip(found, values, strict=True) if k != "endpoints"}
    if isinstance(found, list):
        return [_texts(value) for value in found]
    if isinstance(found, bool):
        return str(found).lower()
    return None if found in ("", None) else str(found)


def test_a_client_that_nobody_here_wrote_reads_it(office: Office) -> None:
    office.request(words="x")
    office.request(5, status="Resolt", closed_at=NOW.timestamp())
    office.again()
    for form in ("json", "xml"):
        client = GeoReport(f"{office.url}{WHERE}", jurisdiction="santcebria.example", output_format=form)
        services = client.get_service_list()
        services = services if isinstance(services, list) else [services]
        assert [s["service_code"] for s in services] == ["incident"]
        assert client.get_service_definition("incident")["service_code"] == "incident"
        new, old = client.get_service_requests()
        assert (new["status"], old["status"], old["status_notes"]) == ("open", "closed", "Resolta")
        one = client.get_service_request(old["service_request_id"])
        assert one["requested_datetime"] == "2026-11-15T00:00:00+01:00"
        only = client.get_service_requests(service_request_id=new["service_request_id"])
        assert (only if isinstance(only, dict) else only[0])["service_request_id"] == new[
            "service_request_id"
        ]
        closed = client.get_service_requests(status="closed", start_date="2026-11-10T00:00:00Z")
        assert len(closed if isinstance(closed, list) else [closed]) == 1


def test_our_own_client_reads_it(office: Office) -> None:
    office.request(status="En Progrés")
    (row,) = shown(office)
    for form in ("json", "xml"):
        adapter = tracker(f"{office.url}{WHERE}", format=form, answers="status_notes")
        view = adapter.read(row["service_request_id"])
        assert (view.status, view.project, view.entries[0].text) == (
            "open",
            "incident",
            "Hi estem treballant",
        )


# --- what is published ------------------------------------------------------------------------------


def test_a_request_as_anybody_sees_it(office: Office) -> None:
    made = office.request(12, status="En Progrés")
    told = (NOW.timestamp() - 86_400 * 4, NOW.timestamp())
    store = office.service.store
    store.write_now(lambda c: tickets.see_entry(c, made, "1", "sent: note", told[0]))
    store.write_now(lambda c: tickets.see_entry(c, made, "2", "stays: private", told[1]))
    (row,) = shown(office)
    assert re.fullmatch(r"[a-z2-7]{16}", row.pop("service_request_id"))
    assert {name: value for name, value in row.items() if value is not None} == {
        "status": "open",
        "status_notes": "Hi estem treballant",
        "service_name": "Incidència",
        "service_code": "incident",
        "agency_responsible": "Ajuntament de Sant Cebrià de Vallalta",
        "requested_datetime": "2026-11-08T00:00:00+01:00",
        "updated_datetime": "2026-11-16T00:00:00+01:00",
        "lat": 41.61247,
        "long": 2.65413,
    }


def test_nothing_says_who_it_was_or_leads_to_the_request(office: Office) -> None:
    office.request(status="En Progrés")
    number = shown(office)[0]["service_request_id"]
    for path in ("discovery", "services", "services/incident", "requests", f"requests/{number}"):
        for form in ("json", "xml"):
            said = ask(office, f"{path}.{form}").text
            for secret in (*SECRETS, "Maria", "41.6123", "2.6543", "T16:4", "T15:4", "visc"):
                assert secret not in said, f"{secret} in {path}"
    for guess in ("SCV-0001-9Q", "1", "47111"):
        assert ask(office, f"requests/{guess}.json").status_code == 404
        assert shown(office, service_request_id=guess) == []


def _erase(office: Office, ticket: int) -> None:
    store = office.service.store

    def erase(connection: Any) -> None:
        who = subjects.by_reference(connection, NAME, "SCV-0001-9Q")
        assert who is not None
        erasing.erase(connection, store.sealer, who, NOW.timestamp(), wish=True)

    store.write_now(erase)


def _withdraw(office: Office, ticket: int) -> None:
    store, who = office.service.store, office.person(ticket)
    store.write_now(lambda c: people.save_contact(c, store.sealer, who, None))


def _hide(office: Office, ticket: int) -> None:
    store = office.service.store

    def hide(connection: Any) -> None:
        known = tickets.by_tracker_id(connection, store.sealer, NAME, "47111")
        assert known is not None
        tickets.hide(connection, store.sealer, known, True)

    store.write_now(hide)


@pytest.mark.parametrize(
    "then",
    [
        lambda o, t: o.change(t, gone="deleted in the tracker"),
        lambda o, t: o.change(t, gone="moved to elsewhere"),
        lambda o, t: o.change(t, tracker_id=None),
        lambda o, t: o.change(t, content=None),
        lambda o, t: o.change(t, status="Rebutjat"),
        lambda o, t: o.change(t, option="mailbox"),
        lambda o, t: o.rules(options=("mailbox",)),
        _withdraw,
        _erase,
        _hide,
    ],
    ids=[
        "deleted",
        "moved",
        "not made",
        "forgotten",
        "status",
        "option",
        "mapping",
        "withdrawn",
        "erased",
        "hidden",
    ],
)
def test_it_disappears(office: Office, then: Callable[[Office, int], None]) -> None:
    made = office.request()
    (row,) = shown(office)
    then(office, made)
    assert shown(office) == []
    assert ask(office, f"requests/{row['service_request_id']}.json").status_code == 404


def test_private_requests_are_never_published(office: Office) -> None:
    office.request(routing_private=True)
    office.request(routing_private=None)
    assert shown(office) == []


def test_the_id_stays_and_is_another_in_another_town(office: Office) -> None:
    office.request()
    (row,) = shown(office)
    assert shown(office) == [row]
    pseudonyms = office.service.store.pseudonyms
    assert row["service_request_id"] != pseudonyms.of("open-data:altra", "1")[:16]


def test_words_are_published_only_from_a_day_on(office: Office) -> None:
    hostile = "Forat <b>&\x0b"
    office.request(2, words="abans")
    office.request(1, words=hostile)
    assert [row["description"] for row in shown(office)] == [None, None]
    office.rules(words_since=date(2026, 11, 19))
    assert [row["description"] for row in shown(office)] == [hostile, None]
    read = xml.read(ask(office, "requests.xml").content)
    assert [row["description"] for row in read] == ["Forat <b>&", None]


@given(st.floats(-85, 85), st.floats(-180, 180), st.integers(50, 5000))
def test_a_rounded_place_is_near_and_the_same_for_all(latitude: float, longitude: float, metres: int) -> None:
    lat, long = rounded((latitude, longitude), metres)
    assert abs(lat - latitude) * 111_320 <= metres / 2 + 2
    assert rounded((lat, long), metres) == pytest.approx((lat, long), abs=2e-5)


# --- what can be asked ------------------------------------------------------------------------------


def test_filters(office: Office) -> None:
    for days in (0, 1, 2, 40, 89, 91, 120):
        office.request(days, **({"closed_at": NOW.timestamp()} if days == 40 else {}))

    def days(**params: str) -> list[str]:
        return [row["requested_datetime"][:10] for row in shown(office, **params)]

    assert days() == ["2026-11-19", "2026-11-18", "2026-10-11", "2026-08-23"], (
        "the last 90 days, without today"
    )
    assert days(status="closed") == ["2026-10-11"]
    assert len(days(status="open,closed")) == len(days(status="")) == 4
    assert days(start_date="2026-11-19T13:00:00Z") == ["2026-11-19"], "an hour asks for its day"
    assert days(start_date="2026-07-20T00:00:00+02:00") == [
        "2026-10-11",
        "2026-08-23",
        "2026-08-21",
        "2026-07-23",
    ]
    assert days(end_date="2026-08-22T00:00:00Z") == ["2026-08-21", "2026-07-23"]
    assert days(start_date="2026-08-21T00:00:00+02:00", end_date="2026-08-21T12:00:00+02:00") == [
        "2026-08-21"
    ]
    assert days(service_code="incident", page_size="2", page="2") == ["2026-10-11", "2026-08-23"]
    assert days(page_size="2", page="9") == []
    numbers = [row["service_request_id"] for row in shown(office, start_date="2026-07-20T00:00:00Z")]
    assert len(shown(office, service_request_id=",".join([*numbers, "x"]), status="closed")) == 4, (
        "overrides all"
    )


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"status": "done"}, 400),
        ({"start_date": "yesterday"}, 400),
        ({"start_date": "2026-11-20T00:00:00"}, 400),
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, 400),
        ({"page": "0"}, 400),
        ({"page_size": "1001"}, 400),
        ({"page_size": "²"}, 400),
        ({"service_code": "none"}, 404),
        ({"jurisdiction_id": "altra.example"}, 404),
    ],
)
def test_what_is_asked_wrongly_is_said(office: Office, asked: dict[str, str], status: int) -> None:
    answer = ask(office, "requests.json", params=asked)
    assert answer.status_code == status
    schema.check("errors", answer.json())
    assert answer.json()[0]["code"] == status


def test_a_thousand_at_most(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST", 3)
    for _ in range(5):
        office.request()
    numbers = [r["service_request_id"] for page in "12" for r in shown(office, page=page)]
    assert len(set(numbers)) == 5 and len(shown(office)) == 3
    assert len(shown(office, service_request_id=",".join(numbers))) == 3


def test_within_a_day_nothing_says_who_came_first(office: Office) -> None:
    for n in range(8):
        office.request(1 + n / 100)
    numbers = [row["service_request_id"] for row in shown(office)]
    assert numbers == sorted(numbers)


def test_nothing_can_be_sent_in(office: Office) -> None:
    answer = office.client.post(f"{WHERE}/requests.json", data={"service_code": "incident"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    schema.check("errors", answer.json())
    assert ask(office, "requests.html").status_code == 404


# --- how much -----------------------------------------------------------------------------------------


def test_what_did_not_change_is_not_sent_again(office: Office) -> None:
    office.request()
    first = ask(office, "requests.json")
    assert first.headers["cache-control"] == "public, max-age=60"
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["etag"] == f'"{hashlib.sha256(first.content).hexdigest()[:32]}"'
    again = ask(office, "requests.json", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    office.request()
    assert ask(office, "requests.json", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_the_database_is_read_once_a_minute(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.request()
    assert len(shown(office)) == 1
    office.request()
    monkeypatch.setattr(office.service.store, "read", None)
    assert len(office.client.get(f"{WHERE}/requests.json").json()) == 1
    assert office.client.get(f"{WHERE}/requests.json", params={"status": "open"}).status_code == 200


def test_when_it_cannot_be_read_nothing_old_is_shown(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.request()
    assert len(shown(office)) == 1
    monkeypatch.setattr(office.service.store, "read", None)
    answer = ask(office, "requests.json")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    schema.check("errors", answer.json())


def test_who_asks_too_much_is_sent_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "BURST", 3.0)
    monkeypatch.setattr(routes, "RATE", 0.01)
    office.again()
    answers = [office.client.get(f"{WHERE}/services.json") for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 10
    schema.check("errors", answers[-1].json())
    assert office.client.get("/health/live").status_code == 200


# --- whose ------------------------------------------------------------------------------------------


def test_two_towns_at_one_address(office: Office) -> None:
    office.request()
    own = office.service.towns[NAME]
    rules = own.town.open_data.model_copy(update={"jurisdiction": "altra.example"})
    other = replace(own, name="altra", town=own.town.model_copy(update={"open_data": rules}))
    url = f"{office.url}{WHERE}"
    both = Open311({NAME: own, "altra": other}, {NAME: url, "altra": url}, NOW.timestamp)
    made = office.service.open311
    assert made is not None
    before, made._shelves = made._shelves, both._shelves
    made._urls = both._urls
    try:
        assert ask(office, "requests.json").status_code == 400
        assert len(shown(office, jurisdiction_id="santcebria.example")) == 1
        assert shown(office, jurisdiction_id="altra.example") == []
        told = ask(office, "discovery.json").json()
        assert [e["url"] for e in told["endpoints"]] == [url] and told["contact"].count(
            "oac@example.org"
        ) == 2
    finally:
        made._shelves = before


def test_without_the_setting_there_is_nothing(tmp_path: Any) -> None:
    with serving(tmp_path, open_data_url="") as office:
        assert office.service.open311 is None
        assert office.client.get(f"{WHERE}/requests.json").status_code == 404


def test_a_mapping_that_publishes_nothing_any_more(office: Office) -> None:
    office.request()
    assert len(shown(office)) == 1
    office.rules(options=())
    for path in ("discovery.json", "services.xml", "requests.json"):
        answer = ask(office, path)
        assert answer.status_code == 404, path
    assert json.loads(ask(office, "requests.json").text)[0]["description"] == "nothing is published here"
