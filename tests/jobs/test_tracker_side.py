"""Where a request or an answer can die between us and the tracker, and what stands there."""

from __future__ import annotations

import pytest

from connector.core.incoming import MediaKind
from tests.e2e.way import reference_in, until, words

from .conftest import World


def sent(world: World, text: str = "Hi ha un fanal trencat") -> tuple[object, str, int]:
    """A request that is on its ticket: the phone, the reference, the ticket's number."""
    phone = world.written(text)
    phone.tap("draft:send")
    reference = reference_in(phone.next())
    number = until("the ticket", lambda: world.staff("oac").tickets(reference))[0]["id"]
    world.idle()
    return phone, reference, number


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("answer lost after it was created", {"drop": "after"}),
        ("connection lost before it was created", {"drop": "before"}),
        ("an error of the server", {"http": 500}),
        ("too many requests", {"http": 429, "retry_after": 1}),
        ("unavailable", {"http": 503, "retry_after": 1}),
    ],
)
def test_one_request_is_one_ticket(world: World, label: str, fault: dict[str, object]) -> None:
    phone = world.written(label)
    world.tracker_fault(match="POST */issues.json", **fault)
    phone.tap("draft:send")
    receipt = phone.next()
    reference = reference_in(receipt)
    found = until("the ticket", lambda: world.staff("oac").tickets(reference), 30)
    world.idle()
    assert len(world.staff("oac").tickets(reference)) == 1
    until("the number", lambda: [m for m in phone.messages() if f"*{found[0]['id']}*" in words(m)], 30)
    assert len([m for m in phone.messages() if "Rebut" in words(m)]) == 1
    assert world.tracker_faults_left() == 0, "the fault happened"


def test_the_receipt_comes_though_the_tracker_is_away_and_the_number_follows(world: World) -> None:
    phone = world.written("El gestor de tiquets no hi és")
    for _ in range(9):
        world.tracker_fault(match="POST */issues.json", http=503)
    phone.tap("draft:send")
    receipt = phone.next(30)
    reference = reference_in(receipt)
    assert "Número de tiquet: *" not in words(receipt)
    number = phone.next(60)
    assert reference in words(number) and f"*{world.staff('oac').tickets(reference)[0]['id']}*" in words(
        number
    )


def test_a_file_that_is_refused_does_not_hold_the_ticket(world: World) -> None:
    phone = world.written("Us envio un programa")
    files = {"file": ("joc.exe", b"MZ\x90\0" + bytes(500), "application/octet-stream")}
    done = phone.http.post(
        f"/_phone/people/{phone.id}/send", data={"kind": str(MediaKind.DOCUMENT)}, files=files
    )
    assert done.status_code < 300
    phone.next()
    phone.tap("draft:send")
    reference = reference_in(phone.next())
    told = phone.next(30)
    assert reference in words(told) and "«joc.exe»" in words(told)
    world.idle()
    issue = world.staff("oac").ticket(world.staff("oac").tickets(reference)[0]["id"])
    notes = [j for j in issue["journals"] if "joc.exe" in (j["notes"] or "")]
    assert len(notes) == 1 and notes[0]["private_notes"], "staff are told, privately, once"
    phone.none_more(2)


def test_several_notes_in_one_second_all_arrive_once_in_order(world: World) -> None:
    phone, _, number = sent(world)
    for n in range(4):
        world.staff().write(number, f"Nota número {n}")
    world.poll()
    got = [words(phone.next()) for _ in range(4)]
    assert [f"Nota número {n}" in text for n, text in enumerate(got)] == [True] * 4
    phone.none_more(6)


def test_our_own_notes_are_not_echoed_and_private_ones_stay(world: World) -> None:
    phone, reference, number = sent(world)
    rt = world.town
    rt.store.write_now(
        lambda c: rt.note(c, reference, "Una nota del connector", key=f"test:{reference}", now=1)
    )
    world.staff().write(number, "Entre nosaltres", private=True)
    world.idle()
    world.poll()
    phone.none_more(6)
    notes = {
        j["notes"].split("\n")[0].strip() for j in world.staff("oac").ticket(number)["journals"] if j["notes"]
    }
    assert any("Una nota del connector" in n for n in notes)


def test_without_the_right_to_private_notes_none_is_written(world: World) -> None:
    phone, reference, number = sent(world)
    rt = world.town
    assert world.demo.redmine is not None
    world.demo.redmine.set_permission("Robot WhatsApp", "set_notes_private", False)
    try:
        rt.store.write_now(
            lambda c: rt.note(c, reference, "No ho ha de llegir ningú de fora", key=f"no:{reference}", now=1)
        )
        world.idle()
        world.poll()
        phone.none_more(6)
        assert "ningú de fora" not in str(world.staff("oac").ticket(number)["journals"])
    finally:
        world.demo.redmine.set_permission("Robot WhatsApp", "set_notes_private", True)


def test_an_answer_to_somebody_who_withdrew_is_not_sent_and_the_journal_says_so(world: World) -> None:
    phone, reference, number = sent(world)
    phone.type("No accepto")
    phone.next()
    world.idle()
    world.staff().write(number, "Ja està fet")
    world.poll()
    phone.none_more(5)

    def decided() -> list[str]:
        sql = f"SELECT j.outcome FROM journal j JOIN ticket t ON t.id = j.ticket_id WHERE t.reference = '{reference}'"
        return [r[0] for r in world.demo.service.store.read_now(lambda c: c.exec_driver_sql(sql).all())]

    until("it is written down why", lambda: any("consent" in d for d in decided()), 10)
