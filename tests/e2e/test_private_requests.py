"""Requests to a councillor that other councillors and the works team do not see, on a real Redmine; answers come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RedmineServer

from .test_main_job import begin, picture
from .way import Phone, Way, ids, mapping, reference_in, until, way, words

PROJECT = "regidories-reservat"
OTHERS = ("regidora.platja", "regidor.muntanya", "operari.brigada", "alcalde")


@pytest.fixture
def parts(redmine: RedmineServer, tmp_path: Path) -> Iterator[Way]:
    """Sant Cebrià's mapping, in which a councillor's route says so in two words."""
    file = mapping(tmp_path)
    text, n = re.subn(
        r'route = \{ assignee = ("[^"]+"), category = "[^"]+" \}',
        rf'route = {{ project = "{PROJECT}", assignee = \1, private = true }}',
        file.read_text(encoding="utf-8"),
    )
    assert n == 3
    file.write_text(text, encoding="utf-8")
    with way(tmp_path, redmine.url, mapping_file=file) as started:
        yield started


def request(phone: Phone, councillor: str, text: str) -> str:
    """A request with a photo; its reference."""
    begin(phone)
    for choice in ("menu:councillor", f"choice:{councillor}"):
        phone.tap(choice)
        phone.next()
    phone.type(text)
    phone.photo(picture((10, 20, 30)), "la foto")
    assert "draft:send" in ids(phone.next())
    phone.tap("draft:send")
    return reference_in(phone.next())


@pytest.mark.real
@pytest.mark.long
def test_a_councillors_requests_are_seen_by_that_councillor_alone(parts: Way) -> None:
    phone, other = parts.phone("Persona", "34600000081"), parts.phone("Una altra", "34600000082")
    reference = request(phone, "centre", "Només per a vostè")
    theirs = request(other, "platja", "I això per a vostè")
    office = parts.staff("oac")
    number = until("the ticket", lambda: office.tickets(reference))[0]["id"]
    issue = until("its photo", lambda: t if (t := office.ticket(number))["attachments"] else None)
    assert issue["is_private"] and issue["project"]["name"] == "Regidories (reservat)"
    assert issue["assigned_to"]["name"] == "Marc Regidor Centre"

    centre = parts.staff("regidor.centre")
    assert [t["id"] for t in centre.tickets(reference)] == [number]
    assert "Només per a vostè" in centre.ticket(number)["description"] and not centre.tickets(theirs)
    photo = issue["attachments"][0]["content_url"]
    for login in OTHERS:
        staff = parts.staff(login)
        assert not staff.tickets(reference), login
        assert staff.http.get(f"/issues/{number}.json").status_code in (403, 404), login
        assert staff.http.get(photo).status_code in (302, 403, 404), login
    assert [t["id"] for t in parts.staff("regidora.platja").tickets(theirs)]

    centre.write(number, "Això és entre nosaltres", private=True)
    centre.write(number, "Gràcies, m'ho miro personalment.", status_id=2)
    parts.push()
    answer = phone.next()
    assert "m'ho miro personalment" in words(answer) and reference in words(answer)
    other.none_more(3)
    assert not [m for m in phone.messages() if "entre nosaltres" in words(m)]
