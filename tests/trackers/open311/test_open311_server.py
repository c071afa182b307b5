"""What servers differ in, and what goes wrong: the adapter alone, on the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import mapping
from connector.commands.check import everything as checks
from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Misconfigured, Rejected, Unavailable
from connector.core.ticket import NewTicket, Place, Routing
from connector.trackers.open311 import Open311Tracker, xml

from ..redmine.servers import answering, losing_answers, response, serving
from ..system import Ours
from .standin import SERVICES, Standin
from .standin import serving as open311
from .support import ROUTING, tracker

MAPPING = Path(__file__).parents[3] / "mappings" / "sant-cebria-open311.toml"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Standin, str]]:
    standin = Standin()
    with open311(standin) as url:
        yield standin, url


@pytest.fixture
def standin(served: tuple[Standin, str]) -> Standin:
    """As new, at the same address."""
    standin, fresh = served[0], Standin()
    for name, value in vars(fresh).items():
        setattr(standin, name, value)
    return standin


@pytest.fixture
def url(served: tuple[Standin, str]) -> str:
    return served[1]


def ticket(words: str = "Hi ha un forat", routing: Routing = ROUTING, **changes: Any) -> NewTicket:
    return NewTicket("SCV-7K3F-9Q", routing, words, words, **changes)


def moved(adapter: Open311Tracker, cursor: str, ours: Ours) -> tuple[str, list[str]]:
    """The cursor after it, and the texts of all entries of what moved."""
    found = ours.take(adapter.changes(cursor, ["VIA"], ours))
    return found.cursor, [e.text for view in found.tickets for e in view.entries]


# --- forms of answers -------------------------------------------------------------------------------


def test_a_server_that_has_only_xml(standin: Standin, url: str) -> None:
    adapter = tracker(url, format="xml")
    assert adapter.verify([("menu[0].route", ROUTING)]) == []
    created = adapter.create(ticket("Ampolla & <vidre> «trencat» 😀", places=(Place(41.61, 2.65),)))
    standin.update(created.ticket_id, "Ja & està <net>")
    view = adapter.read(created.ticket_id)
    assert (view.ticket_id, view.reference) == (created.ticket_id, "SCV-7K3F-9Q")
    assert [e.text for e in view.entries] == ["Ja & està <net>"]
    with pytest.raises(Rejected, match="attribute ESPECIE"):
        standin.forms.clear()
        adapter.http.send("requests", {"service_code": "ARBRES", "address_string": "x"})


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><services>&b;</services>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><services/>',
        b"<services><service>",
        b"<a>" * 50 + b"</a>" * 50,
        b"\xff\xfe<\x00a\x00>\x00",
    ],
)
def test_xml_that_is_none_or_declares_anything_is_refused(hostile: bytes) -> None:
    with pytest.raises(ValueError):
        xml.read(hostile)


def test_an_object_with_one_field_is_no_list() -> None:
    content = b"<service_requests><request><token>12</token></request></service_requests>"
    assert xml.read(content) == [{"token": "12"}]


def test_lists_in_an_object_and_ids_that_are_numbers(standin: Standin, url: str) -> None:
    standin.wrapped = True
    adapter = tracker(url)
    created = adapter.create(ticket())
    assert adapter.read(created.ticket_id).ticket_id == created.ticket_id
    ours = Ours(created.ticket_id)
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.update(created.ticket_id, "Hola")
    assert moved(adapter, cursor, ours)[1] == ["Hola"]


@pytest.mark.parametrize("body", [b"{}", b'{"a": 1}', b"[1]", b'"x"', b"not json"])
def test_an_answer_that_is_none_is_no_empty_list(body: bytes) -> None:
    with serving(answering(response("200 OK", body))) as address:
        adapter = tracker(address)
        with pytest.raises(Unavailable):
            adapter.read("1")
        with pytest.raises(Unavailable):
            tracker(address, answers="status_notes").changes("-", ["VIA"], Ours("1"))


# --- what is sent -----------------------------------------------------------------------------------


def test_what_goes_to_the_server(standin: Standin, url: str) -> None:
    place = Place(41.61234567, 2.65432101, "Plaça", "C/ Major, 1")
    words = "Mireu <script>alert(1)</script> a https://example.org"
    tracker(url).create(ticket(words, places=(place,), facts=(("Nom", "Maria <b>"),)))
    (form,) = standin.forms
    assert form.keys() == {
        "api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "description",
        "attribute[BARRI]", "attribute[MATERIAL][]", "attribute[REF]",
    }  # fmt: skip
    assert (form["lat"], form["long"]) == (["41.61234567"], ["2.65432101"])
    assert form["attribute[BARRI]"] == ["c"], "by its key, where the mapping has the name people see"
    said = form["description"][0]
    assert "<script" not in said and "script>alert(1)" in said and "Maria <\u200bb>" in said
    assert said.endswith("\n\n[SCV-7K3F-9Q]")


def test_a_request_without_a_place(standin: Standin, url: str) -> None:
    tracker(url).create(ticket())
    assert standin.forms[0]["address_string"] == ["Sant Cebrià"]
    with pytest.raises(Rejected, match="full location parameter"):
        tracker(url, without_place="").create(ticket())


def test_the_key_stands_in_no_address(standin: Standin, url: str) -> None:
    """The stand-in refuses it there."""
    adapter = tracker(url)
    created = adapter.create(ticket())
    moved(adapter, adapter.start_cursor(), Ours(created.ticket_id))
    assert standin.asked and not any("clau-de-prova" in asked for asked in standin.asked)


def test_private_is_refused_and_nothing_is_sent(standin: Standin, url: str) -> None:
    with pytest.raises(Rejected, match="everybody may read"):
        tracker(url).create(ticket(routing=Routing(project="VIA", private=True)))
    assert standin.forms == []


def test_an_unknown_jurisdiction_pauses_instead_of_losing(standin: Standin, url: str) -> None:
    with pytest.raises(ConnectorError) as told:
        tracker(url, jurisdiction="altra.example").create(ticket())
    assert not isinstance(told.value, Rejected) and standin.requests == {}


def test_a_lost_answer_is_not_known(standin: Standin, url: str) -> None:
    losing = [False]
    with serving(losing_answers(url.removesuffix("/open311/v2"), lambda: losing[0])) as address:
        adapter = tracker(f"{address}/open311/v2", timeout=1)
        adapter.services.get("VIA")
        adapter.services.attributes(adapter.services.get("VIA"))
        losing[0] = True
        with pytest.raises(Ambiguous):
            adapter.create(ticket())
    assert len(standin.requests) == 1


def test_a_service_without_numbers_is_not_known(standin: Standin, url: str) -> None:
    with pytest.raises(Ambiguous, match="did not say which"):
        tracker(url).create(ticket(routing=Routing(project="FOSCA")))


def test_what_check_finds(standin: Standin, url: str) -> None:
    standin.extension = False
    routes = [
        ("menu[0].route", Routing(project="VIA", fields=(("BARRI", "Centr"), ("BARI", "x")))),
        ("menu[1].route", Routing(project="ARBRES")),
        ("menu[2].route", Routing(project="Enllumenat")),
        ("menu[3].route", Routing(project="ENLLUM", private=True, status="open", priority="Alta")),
        ("statuses.Resolt", Routing(project="VIA", status="Resolt")),
    ]
    found = {f.key: f for f in tracker(url, reference_field="description").verify(routes)}
    assert found.keys() == {
        "menu[0].route.fields.BARRI", "menu[0].route.fields.BARI", "menu[1].route.fields", "menu[2].route.project",
        "menu[3].route.private", "menu[3].route.status", "menu[3].route.priority", "tracker.answers", "statuses.Resolt",
    }  # fmt: skip
    assert "«Centre»" in found["menu[0].route.fields.BARRI"].mend
    assert "«ENLLUM»" in found["menu[2].route.project"].mend, "the code, where the name was written"
    assert "ESPECIE" in found["menu[1].route.fields"].problem
    plain = tracker(url, answers="status_notes", reference_field="description").verify(routes[-1:])
    assert [f.key for f in plain] == ["statuses.Resolt"]
    only = tracker(url).rehearse([], [("answers.only_from[0]", "Jordi"), ("answers.authors.Jordi", "Jordi")])
    assert [f.severity for f in only if f.key.startswith("answers")] == ["error", "warning"]


# --- tokens -----------------------------------------------------------------------------------------


def test_a_token_becomes_a_number_later(standin: Standin, url: str) -> None:
    adapter = tracker(url)
    created = adapter.create(ticket(routing=Routing(project="LOT")))
    assert created.pending
    with pytest.raises(Unavailable, match="no number yet"):
        adapter.read(created.ticket_id)
    number = standin.number("t1")
    assert adapter.read(created.ticket_id).ticket_id == number


def test_a_token_that_is_forgotten_goes_to_a_person(standin: Standin, url: str) -> None:
    adapter = tracker(url)
    created = adapter.create(ticket(routing=Routing(project="LOT")))
    standin.requests.clear()
    with pytest.raises(Rejected, match="under the token t1"):
        adapter.read(created.ticket_id)
    standin.away = True
    with pytest.raises(Unavailable):
        adapter.read(created.ticket_id)


# --- what moved -------------------------------------------------------------------------------------


def test_status_notes_are_the_answer_where_there_are_no_updates(standin: Standin, url: str) -> None:
    adapter = tracker(url, answers="status_notes")
    number = adapter.create(ticket()).ticket_id
    ours = Ours(number)
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.say(number, "Hi anem demà")
    cursor, said = moved(adapter, cursor, ours)
    assert said == ["Hi anem demà"]
    first = adapter.read(number).entries[0].key
    standin.say(number, "Hi anem demà", "closed")
    assert adapter.read(number).entries[0].key == first, "the same words are the same answer"
    standin.say(number, "Arreglat")
    assert adapter.read(number).entries[0].key != first
    assert tracker(url, answers="none").read(number).entries == ()
    assert tracker(url, answers="updates").read(number).entries == ()


def test_an_update_that_becomes_visible_late_is_read_and_a_quiet_poll_reads_nothing(
    standin: Standin, url: str
) -> None:
    adapter = tracker(url)
    number = adapter.create(ticket()).ticket_id
    ours = Ours(number)
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.wait(3600)
    cursor, _ = moved(adapter, cursor, ours)
    standin.update(number, "Escrit fa estona", ago=3000)
    cursor, said = moved(adapter, cursor, ours)
    assert said == ["Escrit fa estona"]
    standin.asked.clear()
    quiet, said = moved(adapter, cursor, ours)
    assert said == [] and len(quiet) == len(cursor)
    assert [a.split("?")[0] for a in standin.asked] == ["GET requests.json", "GET servicerequestupdates.json"]
    standin.wait(3 * 3600)
    later, _ = moved(adapter, moved(adapter, quiet, ours)[0], ours)
    assert len(later) < len(quiet), "what is out of the overlap is not remembered"


def test_an_update_that_was_changed_is_read_again(standin: Standin, url: str) -> None:
    adapter = tracker(url)
    number = adapter.create(ticket()).ticket_id
    ours = Ours(number)
    standin.update(number, "Dimarts")
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.updates[0]["description"] = "Dimecres"
    assert moved(adapter, cursor, ours)[1] == ["Dimecres"]


def test_one_broken_request_stops_no_other_and_comes_again(standin: Standin, url: str) -> None:
    adapter = tracker(url)
    one, two = adapter.create(ticket()).ticket_id, adapter.create(ticket()).ticket_id
    ours = Ours(one, two)
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.broken = {one}
    for number in (one, two):
        standin.update(number, f"A la {number}")
    cursor, said = moved(adapter, cursor, ours)
    assert said == [f"A la {two}"]
    standin.broken = set()
    assert moved(adapter, cursor, ours)[1] == [f"A la {one}"]


def test_a_server_that_takes_one_id_only(standin: Standin, url: str) -> None:
    standin.lists = False
    adapter = tracker(url, answers="status_notes")
    numbers = [adapter.create(ticket()).ticket_id for _ in range(3)]
    ours = Ours(*numbers)
    cursor, _ = moved(adapter, adapter.start_cursor(), ours)
    standin.say(numbers[1], "Només aquesta")
    assert moved(adapter, cursor, ours)[1] == ["Només aquesta"]


def test_many_that_moved_come_in_pieces(standin: Standin, url: str) -> None:
    adapter = tracker(url, batch=200)
    numbers = [standin._store(_row(n)) for n in range(60)]
    ours = Ours(*numbers)
    found = []
    cursor, more = adapter.start_cursor(), True
    for _ in range(3):
        if more:
            changes = ours.take(adapter.changes(cursor, ["VIA"], ours))
            cursor, more = changes.cursor, changes.more
            found += [t.ticket_id for t in changes.tickets]
    assert sorted(found) == sorted(numbers) and not more


def test_a_cursor_of_another_kind_is_told(standin: Standin, url: str) -> None:
    with pytest.raises(Misconfigured):
        tracker(url).changes("-", ["VIA"], Ours())


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_key_that_is_shut_out_raises(status: str) -> None:
    with serving(answering(response(status, b"[]"))) as address:
        # one each: the server closes its connection after every answer
        one, two, three = (tracker(address, answers="status_notes") for _ in range(3))
        for ask in (one.start_cursor, lambda: two.read("1"), lambda: three.changes("-", [], Ours("1"))):
            with pytest.raises(Forbidden, match=r"tracker\.api_key"):
                ask()


def _row(n: int) -> dict[str, Any]:
    return {
        "status": "open", "service_code": SERVICES[0]["code"], "requested_datetime": "2026-11-20T10:00:00Z",
        "updated_datetime": "2026-11-20T10:00:00Z", "description": f"n {n}",
    }  # fmt: skip


def test_the_example_mapping_fits(standin: Standin, url: str) -> None:
    """Asked as `connector check` asks."""
    town = mapping.load(MAPPING)
    for form in ("json", "xml"):
        adapter = tracker(
            url, format=form, reference_field=town.tracker.reference_field, answers="status_notes"
        )
        assert adapter.verify([*town.routings(), *checks._statuses(town)]) == []
        assert adapter.rehearse(checks._tickets(town), checks._people(town)) == []
