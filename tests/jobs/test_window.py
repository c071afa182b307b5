"""The customer service window is closed: a template asks for a tap, whatever WhatsApp thinks of our templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.jobs import templating
from connector.storage import overview, templates
from connector.storage.templates import Template
from tests.e2e.way import words

from .rig import Citizen, Rig, pdf

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _approved(rig: Rig) -> Iterator[None]:
    """Each test begins and ends with templates that WhatsApp was not asked about."""
    yield
    for template in rig_templates(rig):
        template.status = "APPROVED"
    rig.change("DELETE FROM template")


def alarms(rig: Rig) -> list[Template]:
    return rig.demo.service.store.read_now(lambda c: overview.look(c, 0)).alarms


def rig_templates(rig: Rig) -> list[Any]:
    return list(rig.demo.meta.templates.all)


def refresh(rig: Rig) -> None:
    """What the worker's tick does every hour."""
    store, town = rig.demo.service.store, rig.town
    store.write_now(lambda c: templating.soon(c, town, rig.now(), int(rig.now() * 10)))
    rig.work()


def states(rig: Rig) -> dict[str, str]:
    return {t.language: t.state for t in rig.demo.service.store.read_now(templates.every)}


def late(rig: Rig) -> tuple[Citizen, str, int]:
    """Somebody whose last message is more than a day old."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.later(DAY + 3600)
    citizen.new()
    return citizen, reference, number


def answer(rig: Rig, number: int, text: str) -> None:
    rig.staff().write(number, text)
    rig.poll()


def test_a_paused_template_waits_and_goes_when_whatsapp_lets_it(rig: Rig) -> None:
    citizen, reference, number = late(rig)
    for template in rig_templates(rig):
        template.status = "PAUSED"
    refresh(rig)
    assert set(states(rig).values()) == {"PAUSED"}
    assert {t.language for t in alarms(rig)} == {"ca", "es", "en"}
    answer(rig, number, "La resposta")
    assert citizen.new() == [] and not rig.failed() and not rig.paused()
    for template in rig_templates(rig):
        template.status = "APPROVED"
    refresh(rig)
    (template,) = citizen.new()
    assert template["type"] == "template" and reference in words(template)
    assert not alarms(rig)
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    assert [w for w in citizen.said() if "La resposta" in w]


def test_another_language_is_better_than_none(rig: Rig) -> None:
    citizen, _, number = late(rig)
    for template in rig_templates(rig):
        template.status = "APPROVED" if template.language == "es" else "REJECTED"
    refresh(rig)
    answer(rig, number, "La resposta")
    (template,) = citizen.new()
    assert template["content"]["language"]["code"] == "es"


def test_who_writes_meanwhile_gets_the_answer_and_no_template_any_more(rig: Rig) -> None:
    citizen, _, number = late(rig)
    for template in rig_templates(rig):
        template.status = "PAUSED"
    refresh(rig)
    answer(rig, number, "La resposta")
    citizen.type("Hola, hi ha novetats?")
    assert [w for w in citizen.said() if "La resposta" in w]
    for template in rig_templates(rig):
        template.status = "APPROVED"
    refresh(rig)
    rig.later(60)
    assert "template" not in {m["type"] for m in citizen.new()}


def test_a_notification_of_whatsapp_hastens_the_look(rig: Rig) -> None:
    refresh(rig)
    assert set(states(rig).values()) == {"APPROVED"}
    for template in rig_templates(rig):
        template.status = "DISABLED"
    store, town = rig.demo.service.store, rig.town
    notice: dict[str, object] = {
        "field": "message_template_status_update", "channel": None,
        "payload": {"event": "DISABLED", "message_template_name": town.town.templates.answer},
    }  # fmt: skip
    store.write_now(lambda c: town.put(c, lane="notice:x", kind="notice", payload=notice, now=rig.now()))
    rig.work()
    assert set(states(rig).values()) == {"DISABLED"}


def test_the_window_closes_again_before_the_tap(rig: Rig) -> None:
    """Days later a second answer: one more template, and the tap brings both."""
    citizen, reference, number = late(rig)
    answer(rig, number, "Primera")
    (first,) = citizen.new()
    rig.later(3 * DAY)
    answer(rig, number, "Segona")
    assert citizen.new() == [], "one template a closed window"
    citizen.send(type="button", payload=f"reply:{reference}", context=first["id"])
    said = citizen.said()
    assert ["Primera" in said[0], "Segona" in said[1]] == [True, True]


def test_the_answer_s_picture_comes_with_the_tap(rig: Rig) -> None:
    citizen, reference, number = late(rig)
    picture = ("plànol.pdf", "application/pdf", pdf("un planol"))
    rig.staff().write(number, "Us adjunto el plànol", file=picture)
    rig.poll()
    (template,) = citizen.new()
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    assert [m["type"] for m in citizen.new()][:1] == ["document"]


def test_an_old_button_is_answered_kindly(rig: Rig) -> None:
    citizen, reference, number = late(rig)
    answer(rig, number, "La resposta")
    (template,) = citizen.new()
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    citizen.new()
    rig.later(20 * DAY)
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    (said,) = citizen.said()
    assert "més amunt" in said
