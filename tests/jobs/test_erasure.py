"""One person: everything that is held is exported; erased, nothing leads back to them, and the books still balance."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from PIL import Image

from connector.commands.person.desk import Desk
from connector.core.address import Address
from connector.core.errors import Rejected
from connector.storage import people, tables
from connector.storage.books import Books, balance
from connector.storage.work import ERASED
from tests.e2e.way import field_of, until

from .rig import Citizen, Rig, words

CREATE = "POST /projects/*/issues.json"


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig.demo.municipality.settings, rig.town.town, rig.demo.service.store, rig.now)


def png() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 9, 9)).save(made, "PNG")
    return made.getvalue()


def number_of(citizen: Citizen) -> str:
    return str(citizen.person.phone)


def usual(number: str) -> str:
    """«+34 600 000 001»."""
    return f"+{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def books(rig: Rig) -> Books:
    return rig.demo.service.store.read_now(balance)


def everything(rig: Rig) -> str:
    """Every value of every row, with what is encrypted opened."""
    sealer, found = rig.town.store.sealer, []
    columns = {
        "person": ("contact", "state"),
        "ticket": ("content",),
        "media": ("facts",),
        "work": ("payload",),
    }
    for table in tables.metadata.tables.values():
        if table.name in ("keep", "media_part", "consent_text"):
            continue
        names = [c.name for c in table.columns]
        for row in rig.sql(f"SELECT {', '.join(names)} FROM {table.name}"):
            for name, value in zip(names, row, strict=True):
                sealed = value is not None and name in columns.get(table.name, ())
                found.append(json.dumps(sealer.open(value), ensure_ascii=False) if sealed else str(value))
    return "\n".join(found)


def traces(rig: Rig, citizen: Citizen, *more: str) -> list[str]:
    """What in the database still leads back to somebody: number, id, name, words, pseudonyms, lanes."""
    who = Address(citizen.person.user_id, number_of(citizen))
    keys = [k for k in people.keys_of(rig.town.store.pseudonyms, rig.town.name, who) if k]
    text = everything(rig)
    secrets = (number_of(citizen), citizen.person.user_id, citizen.person.name, *more)
    evidence = "\n".join(str(r) for r in rig.sql("SELECT user_key, phone_key FROM consent"))
    pseudonyms = [k for k in keys if text.count(k) > evidence.count(k)]
    return [s for s in secrets if s in text] + pseudonyms


@pytest.fixture
def full(rig: Rig) -> tuple[Citizen, str, int]:
    """Somebody with a ticket, a file on it, an answer, and a request that is being written, with a photo."""
    citizen = rig.citizen()
    n = citizen.person.phone
    citizen.write(f"Hi ha un fanal trencat a casa meva {n}a")
    citizen.file(png(), "image/png", caption=f"la porta de casa {n}b")
    rig.later(30)
    citizen.tap("draft:send")
    rig.later(1)
    reference = next(m for m in rig.sql("SELECT reference FROM ticket ORDER BY id DESC"))[0]
    ticket = rig.ticket(reference)
    rig.staff().write(ticket["id"], "Ho mirem avui")
    rig.poll()
    citizen.tap("menu:mailbox")
    citizen.type(f"Un segon missatge que encara no envio {n}c")
    citizen.file(png(), "image/png", caption=f"el segon carrer {n}d")
    rig.later(30)
    assert "Un segon missatge" in words(citizen.got()[-1])
    return citizen, reference, ticket["id"]


def test_the_export_holds_everything_and_says_where_and_since_when(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, number = full
    found = desk.export(usual(number_of(citizen)))
    text = json.dumps(found, ensure_ascii=False)
    for said in ("fanal trencat a casa meva", "la porta de casa", "Un segon missatge", "el segon carrer"):
        assert said in text, said
    assert (found["person"]["phone"], found["person"]["name"]) == (number_of(citizen), citizen.person.name)
    assert found["person"]["user_id"] == citizen.person.user_id
    (request,) = found["requests"]
    assert (request["reference"], request["ticket"]) == (reference, str(number)) and request["url"].endswith(
        f"/{number}"
    )
    assert [a["outcome"] for a in request["answers"]] == ["stays: our own", "sent: note"]
    assert [(f["request"], f["state"]) for f in found["files"]] == [(reference, "done"), (None, "here")]
    assert found["files"][1]["content_base64"]
    (consent,) = found["consent"]
    assert consent["action"] == "given" and "Responsable" in consent["text"]
    directions = [m["direction"] for m in found["messages"]]
    sent = rig.demo.meta.transcript(citizen.person)
    assert directions.count("out") == len(citizen.got()) and directions.count("in") == len(sent) - len(
        citizen.got()
    )
    assert found["elsewhere"] and all(part["kept_in"] for part in (found["person"], request, consent))
    others = [
        usual(number_of(citizen)), f"0034{number_of(citizen)[2:]}", number_of(citizen), number_of(citizen)[2:],
        citizen.person.user_id, reference, reference.lower().replace("-", " "),
    ]  # fmt: skip
    for name in others:
        again = desk.export(name)
        assert again["person"] == found["person"] and len(again["requests"]) == 1, name


def test_what_names_nobody_is_said_in_a_sentence(desk: Desk) -> None:
    for name in ("Pere", "", "12", "SCV-AAAA-AA", "SCV-0000-00"):
        with pytest.raises(Rejected, match=r"names nobody|there is no request"):
            desk.export(name)
    assert desk.export("+34 600 999 999")["person"] is None, "a number nobody wrote from"
    with pytest.raises(Rejected, match="nothing is held"):
        desk.erase("+34 600 999 999")


def test_erased_nothing_leads_back_and_staff_know_what_is_left_to_them(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, number = full
    before, parts = books(rig), "SELECT count(*) FROM media_part"
    here = rig.sql(parts)[0][0]
    who = rig.sql("SELECT person_id FROM ticket WHERE reference = ?", reference)[0][0]
    erased = desk.erase(number_of(citizen))
    assert [(t.reference, t.ticket, t.state) for t in erased.tickets] == [(reference, str(number), "open")]
    assert erased.counts["people"] == 1 and erased.counts["requests"] == 1 and erased.counts["files"] == 2
    assert not traces(rig, citizen), "every text of theirs holds the number"
    assert rig.sql(parts) == [(here - 1,)], "the photo that was on no ticket yet"
    assert not rig.sql("SELECT 1 FROM message WHERE person_id = ?", who), "whose the messages were"
    assert not rig.sql("SELECT 1 FROM bucket WHERE name LIKE ?", f"pair:%:{who}")
    # lanes «read:» end with the number of a row
    lanes = rig.sql("SELECT lane FROM work WHERE lane LIKE ? AND lane NOT LIKE 'read:%'", f"%:{who}")
    assert not lanes, "nor what was done"
    after = books(rig)
    assert after.balanced and (after.received, after.sent) == (before.received, before.sent)
    rig.work()
    private = [n for n in rig.notes(reference) if n.startswith("🔒")]
    assert len(private) == 1 and "esborrat" in private[0]
    assert [(e.rule, e.counts["people"]) for e in desk.log()[-1:]] == [("asked for", 1)]
    left = desk.export(usual(number_of(citizen)))
    assert left["person"] is None and not left["messages"] and not left["work"]
    assert [(c["action"], bool(c["ended_at"])) for c in left["consent"]] == [
        ("given", True),
        ("withdrawn", True),
    ]
    assert desk.export(reference)["requests"][0]["content"] is None
    with pytest.raises(Rejected, match="nothing is held"):
        desk.erase(number_of(citizen))


def test_an_answer_that_comes_later_stays_and_staff_are_told(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, number = full
    desk.erase(reference)
    citizen.new()
    rig.staff().write(number, "Ja està arreglat")
    rig.poll()
    rig.later(3600 * 5)
    assert not citizen.new() and [
        d for d in rig.decided(reference) if d.startswith("not sent: no address is kept")
    ]
    told = [n for n in rig.notes(reference) if "no li arribarà" in n]
    assert len(told) == 1 and told[0].startswith("🔒") and books(rig).balanced and not rig.failed()


def test_who_comes_back_is_somebody_new(rig: Rig, desk: Desk, full: tuple[Citizen, str, int]) -> None:
    citizen, reference, _ = full
    pseudonym = field_of(rig.ticket(reference), 3)
    desk.erase(reference)
    citizen.new()
    citizen.type("Hola")
    assert "consent:yes" in str(citizen.got()[-1]["content"])
    citizen.tap("consent:yes")
    citizen.tap("menu:mayor")
    citizen.type("Una altra cosa")
    rig.later(30)
    citizen.tap("draft:send")
    rig.later(1)
    again = rig.sql("SELECT reference FROM ticket ORDER BY id DESC")[0][0]
    assert pseudonym and field_of(rig.ticket(again), 3) not in ("", pseudonym), (
        "tickets from before are not tied to those after"
    )
    assert [r["reference"] for r in desk.export(number_of(citizen))["requests"]] == [again]
    assert [c["action"] for c in desk.export(number_of(citizen))["consent"]] == [
        "given",
        "withdrawn",
        "given",
    ]


def test_an_answer_that_waits_for_the_window_ends_explained(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, number = full
    rig.later(25 * 3600)
    rig.staff().write(number, "Una resposta que espera")
    rig.poll()
    assert rig.sql("SELECT count(*) FROM work WHERE lane LIKE 'held:%' AND ended_at IS NULL") == [(1,)]
    desk.erase(reference)
    assert not traces(rig, citizen, "Una resposta que espera")
    ended = "SELECT outcome FROM work WHERE key LIKE ? ORDER BY id DESC"
    assert rig.sql(ended, f"say:answer:{reference}:%:0")[0] == (ERASED,)
    rig.later(3600 * 5)
    assert books(rig).balanced and not rig.failed()
    assert any("descartat" in n for n in rig.notes(reference)), "staff are told that it did not arrive"


@pytest.mark.parametrize(("drop", "state"), [("before", "perhaps there: search for the reference")])
def test_a_request_on_its_way_is_not_made_any_more_and_is_named(
    rig: Rig, desk: Desk, drop: str, state: str
) -> None:
    ((before,),) = rig.sql("SELECT max(id) FROM work")
    citizen = rig.citizen().write("Un secret que no ha d'arribar")
    rig.tracker_fault(match=CREATE, drop=drop)
    citizen.tap("draft:send")
    erased = desk.erase(number_of(citizen))
    (one,) = erased.tickets
    assert (one.ticket, one.state) == ("", state)
    assert not traces(rig, citizen, "Un secret")
    rig.later(600)
    assert not rig.tickets(one.reference) and books(rig).balanced and not rig.failed()
    assert not rig.sql(
        "SELECT 1 FROM work WHERE ended_at IS NULL AND kind NOT IN ('poll', 'sweep', 'retention') AND id > ?",
        before,
    )


def test_what_failed_and_what_whatsapp_says_of_the_number_goes_too(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, number = full
    rig.whatsapp_fault(match="messages", error=131026)
    rig.staff().write(number, "Una resposta que no arriba")
    rig.poll()
    assert rig.failed()
    value = {"user_id_update": [{"wa_id": number_of(citizen), "detail": "x", "user_id": {}, "timestamp": 1}]}
    payload = {"field": "user_id_update", "channel": None, "payload": value}
    rig.demo.service.store.write_now(
        lambda c: rig.town.put(c, lane="notice:x", kind="notice", payload=payload, now=rig.now())  # type: ignore[arg-type]
    )
    rig.work()
    text = json.dumps(desk.export(reference), ensure_ascii=False)
    assert "no arriba" in text and "wa_id" in text
    desk.erase(reference)
    assert not traces(rig, citizen, "no arriba") and not rig.failed()
    rig.later(60)
    assert books(rig).balanced


def test_a_message_that_was_not_taken_in_yet_goes_too(
    rig: Rig, desk: Desk, full: tuple[Citizen, str, int]
) -> None:
    citizen, reference, _ = full
    rig.demo.meta.send(citizen.person, {"type": "text", "body": "Un últim missatge sense llegir"})
    waiting = "SELECT 1 FROM work WHERE kind = 'inbound' AND ended_at IS NULL"
    until("it is kept", lambda: rig.loop.run_until_complete(asyncio.sleep(0.01)) or rig.sql(waiting))
    assert "sense llegir" in json.dumps(desk.export(reference), ensure_ascii=False)
    desk.erase(reference)
    assert not traces(rig, citizen, "sense llegir")
    rig.work()
    assert books(rig).balanced and books(rig).inbound[ERASED] == 1


def test_two_people_are_kept_apart(rig: Rig, desk: Desk, full: tuple[Citizen, str, int]) -> None:
    other = rig.citizen()
    reference, _ = other.request("El meu veí fa soroll")
    desk.erase(full[1])
    found: dict[str, Any] = desk.export(number_of(other))
    assert found["person"]["name"] == other.person.name and found["requests"][0]["reference"] == reference
    assert "veí fa soroll" in json.dumps(found, ensure_ascii=False)
