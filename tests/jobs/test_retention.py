"""What is kept no longer is forgotten every night, by rule, and nothing before its time; a dry run says it before."""

from __future__ import annotations

import json

import pytest

from connector.commands.person.desk import WHAT, Desk
from connector.core.address import Address
from connector.jobs import retention
from connector.storage import consents, people
from connector.storage.books import balance
from connector.storage.store import Connection
from connector.storage.work import OUTDATED

from .rig import Citizen, Rig
from .test_erasure import desk, number_of, png, traces

__all__ = ["desk"]
DAY = 24 * 3600


def night(rig: Rig, days: float = 1) -> None:
    """So many days later the worker's tick, of two replicas."""
    rig.later(days * DAY)
    store, town = rig.demo.service.store, rig.town
    for _ in range(2):
        store.write_now(lambda c: retention.tick(c, town, rig.now()))
    rig.work()
    assert rig.demo.service.store.read_now(balance).balanced and not rig.failed()


def close(rig: Rig, number: int) -> None:
    rig.staff("oac").write(number, "", status_id=5)
    rig.poll()


def held(desk: Desk, citizen: Citizen) -> str:
    """All that is known about somebody, evidence of consent aside."""
    found = desk.export(number_of(citizen))
    return json.dumps(
        [v for name, v in found.items() if name not in ("consent", "elsewhere", "made_at")],
        ensure_ascii=False,
    )


def test_content_goes_thirty_days_after_its_ticket_was_closed_and_not_before(rig: Rig, desk: Desk) -> None:
    citizen = rig.citizen()
    citizen.write("Les paraules que s'esborraran")
    citizen.file(png(), "image/png", caption="i la foto")
    rig.later(30)
    citizen.tap("draft:send")
    rig.later(1)
    reference = rig.sql("SELECT reference FROM ticket ORDER BY id DESC")[0][0]
    night(rig, 300)
    assert "s'esborraran" in held(desk, citizen), "as long as it is open"
    close(rig, rig.ticket(reference)["id"])
    night(rig, 29)
    assert "s'esborraran" in held(desk, citizen) and "i la foto" in held(desk, citizen)
    rig.later(2 * DAY)
    due = desk.retention(dry_run=True)["content"]
    assert due >= 1, "this one, and those of tests before it"
    assert "s'esborraran" in held(desk, citizen), "a dry run changes nothing"
    night(rig, 0)
    assert "s'esborraran" not in held(desk, citizen) and "i la foto" not in held(desk, citizen)
    assert reference in held(desk, citizen) and number_of(citizen) in held(desk, citizen), (
        "the request and the person stay"
    )
    assert desk.retention(dry_run=True)["content"] == 0
    assert ("content", {"content": due}) in [(e.rule, e.counts) for e in desk.log()]


def test_somebody_who_wrote_nothing_for_a_year_is_forgotten(rig: Rig, desk: Desk) -> None:
    citizen = rig.citizen()
    _, number = citizen.request("Una petició qualsevol")
    night(rig, 400)
    assert number_of(citizen) in held(desk, citizen), "not with an open request"
    close(rig, number)
    for _ in range(2):  # the second time nothing about their conversation changes
        night(rig, 200)
        citizen.type("Hola")
    night(rig, 300)
    assert number_of(citizen) in held(desk, citizen), "they wrote since"
    night(rig, 66)
    assert "null" in held(desk, citizen) and not traces(rig, citizen)
    (given,) = desk.export(number_of(citizen))["consent"]
    assert given["action"] == "given" and given["ended_at"], "forgotten is not withdrawn"
    night(rig, 3 * 365 + 1)
    assert desk.export(number_of(citizen))["consent"] == []


def test_somebody_without_consent_is_forgotten_after_a_month(rig: Rig, desk: Desk) -> None:
    asked, refused, left = rig.citizen(), rig.citizen(), rig.citizen().accept()
    asked.type("Hola")
    refused.type("Hola")
    refused.type("no")
    left.type("BAIXA")
    night(rig, 29)
    assert all("person:" in held(desk, one) for one in (asked, refused, left))
    night(rig, 2)
    assert not any("person:" in held(desk, one) or traces(rig, one) for one in (asked, refused, left))
    kept = [[c["action"] for c in desk.export(number_of(one))["consent"]] for one in (asked, refused, left)]
    assert kept == [[], ["refused"], ["given", "withdrawn"]]


def test_a_request_that_was_never_sent_goes_after_a_month_and_the_person_stays(rig: Rig, desk: Desk) -> None:
    citizen = rig.citizen().accept()
    citizen.tap("menu:mayor")
    citizen.type("Ja us ho explicaré demà")
    citizen.file(png(), "image/png", caption="una prova")
    rig.later(30)
    files = "SELECT count(*) FROM media_part"
    before = rig.sql(files)[0][0]
    night(rig, 29)
    assert "explicaré" in held(desk, citizen)
    rig.later(2 * DAY)
    assert desk.retention(dry_run=True)["drafts"] == 1
    night(rig, 0)
    assert "explicaré" not in held(desk, citizen) and "una prova" not in held(desk, citizen)
    assert rig.sql(files)[0][0] == before - 1
    citizen.new()
    citizen.type("Hola")
    assert any("menu:mayor" in str(m["content"]) for m in citizen.new()), "and goes on"


def test_what_failed_and_what_nobody_came_for_goes_with_its_request(rig: Rig, desk: Desk) -> None:
    failed, waits, open_ = rig.citizen(), rig.citizen(), rig.citizen()
    numbers = [citizen.request(f"Petició {n}")[1] for n, citizen in enumerate((failed, waits, open_))]
    rig.later(25 * 3600)
    for number in numbers[1:]:
        rig.staff("oac").write(number, "Una resposta que ningú no recull")
    failed.type("Hola")
    rig.whatsapp_fault(match="messages", error=131026)
    rig.staff("oac").write(numbers[0], "Una resposta que no arriba")
    rig.poll()
    for number in numbers[:2]:
        close(rig, number)
    rig.later(31 * DAY)
    assert rig.sql("SELECT count(*) FROM work WHERE outcome = 'failed'") == [(1,)], (
        "until then it is the operator's"
    )
    night(rig, 0)
    assert rig.sql("SELECT count(*) FROM work WHERE outcome = ?", OUTDATED)[0][0] >= 2
    assert "no arriba" not in held(desk, failed) and "ningú" not in held(desk, waits)
    assert "ningú" in held(desk, open_)


def test_what_ended_no_longer_says_whose_it_was(rig: Rig, desk: Desk) -> None:
    citizen = rig.citizen().accept()
    who = rig.person_id(citizen)
    lanes = "SELECT count(*) FROM work WHERE lane = ? OR lane LIKE ?"
    pseudonym = people.lane_of(
        rig.town.store.pseudonyms, rig.town.name, Address(citizen.person.user_id, number_of(citizen))
    )
    assert rig.sql(lanes, f"out:{who}", f"{pseudonym}%")[0][0] >= 4
    night(rig, 31)
    assert rig.sql(lanes, f"out:{who}", f"{pseudonym}%") == [(0,)]
    assert '"direction": "in"' in held(desk, citizen), "the ledger of somebody who is known stays for a year"


def test_whatsapps_own_notifications_lose_their_content(rig: Rig, desk: Desk) -> None:
    payload = {"field": "account_update", "channel": None, "payload": {"phone_number": "34600000100"}}
    rig.demo.service.store.write_now(
        lambda c: rig.town.put(c, lane="notice:x", kind="notice", payload=payload, now=rig.now())  # type: ignore[arg-type]
    )
    rig.work()
    kept = "SELECT count(*) FROM work WHERE kind = 'notice' AND payload IS NOT NULL"
    assert rig.sql(kept) == [(1,)]
    night(rig, 31)
    assert rig.sql(kept) == [(0,)]


def test_many_people_are_forgotten_in_small_steps_and_no_number_is_given_to_somebody_else(
    rig: Rig, desk: Desk
) -> None:
    store, town = rig.demo.service.store, rig.town.name

    def crowd(c: Connection) -> list[int]:
        made = []
        for n in range(50):
            address = Address(phone=f"34600{900_000 + n}")
            who = people.create(c, store.pseudonyms, store.sealer, town, address, rig.now())
            people.save_contact(c, store.sealer, who.id, address, "Persona")
            consents.note(c, town, who.id, "service", "given", consents.Terms("v", "ca", ""), rig.now())
            made.append(who.id)
        return made

    made = store.write_now(crowd)
    rig.later(366 * DAY)
    assert desk.retention(dry_run=True)["people"] >= 50
    steps = "SELECT count(*) FROM work WHERE kind = 'retention'"
    before = rig.sql(steps)[0][0]
    night(rig, 0)
    assert rig.sql(steps)[0][0] >= before + 3
    assert rig.sql("SELECT count(*) FROM person WHERE id >= ? AND contact IS NOT NULL", made[0]) == [(0,)]
    night(rig, 3)
    left = [r[0] for r in rig.sql("SELECT id FROM person WHERE id >= ?", made[0])]
    assert left == [made[-1]], "empty rows go too, but for the newest"
    rig.citizen().accept()
    assert rig.sql("SELECT max(id) FROM person")[0][0] > made[-1]


def test_by_hand_it_does_the_same_as_at_night(rig: Rig, desk: Desk) -> None:
    citizen = rig.citizen().accept()
    rig.later(366 * DAY)
    found = desk.retention(dry_run=False)
    assert found["people"] >= 1 and set(found) == set(WHAT)
    assert "null" in held(desk, citizen)
    again = desk.retention(dry_run=True)
    assert not any(again.values()), again


@pytest.mark.parametrize("rule", WHAT)
def test_every_rule_is_explained_to_the_data_protection_officer(rule: str) -> None:
    from tests.e2e.way import ROOT

    assert f"| `{rule}` |" in (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
