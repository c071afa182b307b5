"""The whole way on an Open311 server (the stand-in): from the citizen's message to the answer, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import mapping, wiring
from connector.core.town import Town
from connector.trackers.open311 import Open311Tracker
from tests.e2e.way import reference_in
from tests.jobs.rig import Citizen, Rig, pdf
from tests.jobs.rig import rig_on_sockets as start

from .standin import Standin
from .standin import serving as open311
from .support import tracker

MAPPING = Path(__file__).parents[3] / "mappings" / "sant-cebria-open311.toml"


@pytest.fixture(scope="module")
def standin() -> Standin:
    return Standin()


@pytest.fixture(scope="module")
def rig(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with start(tmp_path_factory.mktemp("rig")) as made, open311(standin) as url:
        adopt(made, mapping.load(MAPPING), tracker(url, reference_field="description"))
        yield made


def adopt(rig: Rig, town: Town, adapter: Open311Tracker) -> None:
    rig.town.adopt(town, *wiring._voice(town), adapter)
    rig.change("DELETE FROM cursor WHERE name = 'poll'")
    rig.poll()


def rerouted(rig: Rig, project: str) -> Town:
    """The town with all mailbox requests in that service."""
    town = rig.town.town
    return town.model_copy(update={"tracker": town.tracker.model_copy(update={"project": project})})


def written(rig: Rig, text: str) -> Citizen:
    """A request for the mailbox that is ready to be sent."""
    citizen = rig.citizen().accept()
    citizen.tap("menu:mailbox")
    citizen.type(text)
    rig.later(30)
    citizen.new()
    return citizen


def sent(citizen: Citizen) -> str:
    citizen.tap("draft:send")
    return str(citizen.rig.sql("SELECT reference FROM ticket ORDER BY id DESC LIMIT 1")[0][0])


def number_of(rig: Rig, reference: str) -> str:
    return str(rig.sql("SELECT tracker_id FROM ticket WHERE reference = ?", reference)[0][0])


def test_a_request_its_answer_and_its_end(rig: Rig, standin: Standin) -> None:
    citizen = written(rig, "La plaça és plena de fulles")
    citizen.file(pdf("plànol"), "application/pdf", filename="plànol.pdf")
    rig.later(30)
    reference = sent(citizen)
    rig.later(5)
    number = number_of(rig, reference)
    said = citizen.said()
    assert any(f"*{number}*" in s for s in said) and sum("plànol.pdf" in s for s in said) == 1
    assert standin.requests[number]["description"].endswith(f"[{reference}]")
    standin.update(number, "Hi passarem dijous")
    rig.poll()
    (answer,) = citizen.said()
    assert "Hi passarem dijous" in answer and reference in answer
    rig.poll()
    assert citizen.said() == [], "once"
    standin.update(number, "Ja està net", "CLOSED", media="https://fitxers.example/net.jpg")
    rig.poll()
    (end,) = citizen.said()
    assert "Ja està net" in end and "https://fitxers.example/net.jpg" in end and "Hem tancat" in end
    assert rig.sql("SELECT status, closed_at > 0 FROM ticket WHERE reference = ?", reference) == [
        ("closed", 1)
    ]
    rig.later(5 * 3600)
    assert rig.failed() == [] and citizen.said() == []
    notes = rig.sql("SELECT outcome FROM work WHERE kind = 'note'")
    assert notes and all(o.startswith("not written") for (o,) in notes), (
        "what is for staff only is told to nobody"
    )


def test_a_batch_service_numbers_it_later(rig: Rig, standin: Standin) -> None:
    town, adapter = rig.town.town, rig.town.tracker
    adopt(rig, rerouted(rig, "LOT"), adapter)
    citizen = written(rig, "Una farola que fa pampallugues")
    posted = len(standin.forms)
    reference = sent(citizen)
    rig.later(10)
    assert [reference_in(m) for m in citizen.new()].count(reference) == 1, "the receipt, without a number"
    for _ in range(3):
        rig.later(600)
    assert number_of(rig, reference) == "None" and not rig.failed()
    assert rig.paused() == [], "a server that says «not yet» is not away"
    number = standin.number(f"t{len(standin.forms)}")
    rig.later(700)
    assert number_of(rig, reference) == number
    assert any(f"*{number}*" in said for said in citizen.said())
    assert len(standin.forms) == posted + 1, "sent in once"
    standin.update(number, "La canviarem")
    rig.poll()
    assert any("La canviarem" in said for said in citizen.said())
    adopt(rig, town, adapter)  # type: ignore[arg-type]
