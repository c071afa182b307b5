"""One person who floods: told once, nothing without an outcome, and nobody else waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.core import drafts
from connector.jobs.floods import TOO_MANY
from connector.jobs.runtime import Allowed
from connector.storage import books
from connector.storage.buckets import Rate
from tests.e2e.way import ids, until

from .rig import Citizen, Rig

ALLOWED = Allowed(messages=Rate(60 / 3600, 20), requests=3, bytes=40_000)
FREE = 10
"""Messages of the first minute that are not counted."""


@pytest.fixture(autouse=True)
def _little(rig: Rig) -> Iterator[None]:
    """Less is taken of one person, so that a test needs to send less."""
    before, rig.town.allowed = rig.town.allowed, ALLOWED
    yield
    rig.town.allowed = before


def burst(rig: Rig, citizen: Citizen, count: int, text: str = "Hola") -> None:
    """So many messages at the same moment of a new minute, none of which is carried out before all are there."""
    rig.later(61)
    arrive(rig, citizen, [f"{text} {n}" for n in range(count)])
    rig.work()


def arrive(rig: Rig, citizen: Citizen, texts: list[str]) -> None:
    """Deliver messages while the clock stands still."""
    worker, now = rig.demo.service.worker, rig.now()
    clock, worker.clock = worker.clock, lambda: now
    for text in texts:
        rig.demo.meta.send(citizen.person, {"type": "text", "body": text})
    delivery = rig.demo.meta.delivery
    until("all have arrived", lambda: delivery.waiting <= len(delivery._held), 120)
    worker.clock = clock


def outcomes(rig: Rig) -> dict[str, int]:
    """What became of all messages that ever came."""
    found = rig.demo.service.store.read_now(books.balance)
    assert found.balanced and not found.unexplained
    return dict(found.inbound)


def test_who_floods_is_told_once_and_every_message_has_its_outcome(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    before = outcomes(rig).get(TOO_MANY, 0)
    citizen.new()
    burst(rig, citizen, 80, "Un fanal trencat al carrer Major")
    assert outcomes(rig)[TOO_MANY] - before == 80 - ALLOWED.messages.burst - FREE
    said = [s for s in citizen.said() if "molts missatges" in s]
    assert len(said) == 1 and "112" in said[0]
    burst(rig, citizen, 20)
    assert not [s for s in citizen.said() if "molts missatges" in s], "not again within the hour"


def test_what_came_before_is_kept_and_after_a_while_it_goes_on(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.tap("menu:mayor")
    burst(rig, citizen, 40, "Paraula")
    rig.later(30)
    last = next(m for m in reversed(citizen.got()) if "draft:send" in ids(m))
    assert "Paraula 0" in str(last)
    rig.later(600)
    citizen.tap("draft:send")
    assert any("Referència" in s for s in citizen.said())


def test_the_measure_outlives_a_restart(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    burst(rig, citizen, 31)
    rig.demo.service.webhooks.intake._floods.__init__()  # type: ignore[misc]  what a new process knows
    before = outcomes(rig)[TOO_MANY]
    burst(rig, citizen, 20)
    assert outcomes(rig)[TOO_MANY] - before == 20 - FREE - 1, "one more a minute"


def test_nobody_else_waits(rig: Rig) -> None:
    """However many messages one person sends, what is left to be carried out is little, and others are among the next."""
    flooder, other = rig.citizen().accept(), rig.citizen().accept()
    other.new()
    arrive(rig, flooder, [f"Hola {n}" for n in range(100)])
    arrive(rig, other, ["menú"])
    waiting = rig.sql("SELECT count(*) FROM work WHERE kind = 'inbound' AND ended_at IS NULL")[0][0]
    assert waiting <= ALLOWED.messages.burst + FREE + 1
    rig.work()
    assert other.new()


def test_too_many_requests_wait_as_a_draft(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    for n in range(ALLOWED.requests + 1):
        rig.later(120)
        citizen.tap("menu:mayor")
        citizen.type(f"El fanal número {n} no fa llum")
        rig.later(10)
        citizen.new()
        citizen.tap("draft:send")
        said = citizen.said()
        assert any("Referència" in s for s in said) is (n < ALLOWED.requests), said
    assert "no es perd" in said[0]
    rig.later(86_400)
    citizen.type("Envia")
    assert any("Referència" in s for s in citizen.said())


def test_too_many_files_are_refused_and_said(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.tap("menu:mayor")
    citizen.type("Aquestes actes")
    for n in range(4):
        citizen.file(
            b"%PDF-1.4\n" + bytes([65 + n]) * 15_000 + b"\n%%EOF\n", "application/pdf", filename=f"{n}.pdf"
        )
    rig.later(10)
    citizen.new()
    citizen.tap("draft:send")
    rig.later(30)
    said = " ".join(citizen.said())
    assert "massa fitxers en un sol dia" in said and "«3.pdf»" in said and "«0.pdf»" not in said


def test_a_request_has_an_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "PIECES", 12)
    citizen = rig.citizen().accept()
    citizen.tap("menu:mayor")
    citizen.new()
    burst(rig, citizen, 14, "Una línia més")
    rig.later(10)
    summary = citizen.said()[-1]
    assert "no hi cap" in summary
    citizen.tap("draft:send")
    (reference,) = [r[0] for r in rig.sql("SELECT reference FROM ticket ORDER BY id DESC LIMIT 1")]
    assert rig.ticket(reference)["description"].count("Una línia més") == 12
