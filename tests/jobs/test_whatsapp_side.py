"""Where a message to a citizen can die, and what stands there."""

from __future__ import annotations

import httpx

from connector.storage.given_up import failed_rows
from tests.e2e.way import ids, reference_in, until, words

from .conftest import World


def test_nothing_of_somebody_who_has_not_accepted_is_kept(world: World) -> None:
    phone = world.phone()
    phone.type("Em dic Pere Secret i visc al carrer Amagat")
    phone.send(type="location", latitude=41.9, longitude=2.9)
    phone.next()
    world.idle()
    store = world.demo.service.store

    def sealed(connection: object) -> list[bytes]:
        found = []
        for table, column in (
            ("person", "state"),
            ("person", "contact"),
            ("work", "payload"),
            ("ticket", "content"),
            ("media", "facts"),
        ):
            sql = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
            found += [row[0] for row in connection.exec_driver_sql(sql)]  # type: ignore[attr-defined]
        return found

    opened = [str(store.sealer.open(value)) for value in store.read_now(sealed)]
    assert opened
    for secret in ("Pere", "Amagat", "41.9", f"3460000{2000 + world.count}"):
        assert not [o for o in opened if secret in o], f"{secret} is kept"


def test_an_answer_lost_after_whatsapp_took_the_message_is_settled_by_its_status(world: World) -> None:
    phone = world.accepted()
    world.whatsapp_fault(match="messages", drop="after")
    phone.type("menú")
    phone.next()
    world.idle()
    phone.none_more(5)
    assert "seen by its status" in world.rows("kind = 'send'")[-1]["outcome"]


def test_a_message_lost_on_the_way_is_sent_again_once(world: World) -> None:
    phone = world.accepted()
    world.whatsapp_fault(match="messages", drop="before")
    phone.type("menú")
    phone.next(20)
    world.idle()
    phone.none_more(4)


def test_an_expired_token_pauses_the_sender_and_loses_nothing(world: World) -> None:
    phone = world.accepted()
    failed = world.demo.service.store.read_now(failed_rows)
    world.whatsapp_fault(match="messages", error=190)
    phone.type("menú")
    ready = until("it is said why", lambda: httpx.get(f"{world.url}/health/ready").json()["paused"], 15)
    assert ready[0]["destination"] == "whatsapp" and ready[0]["reason"]
    assert "menu:mayor" in ids(phone.next(60))
    assert not httpx.get(f"{world.url}/health/ready").json()["paused"]
    assert world.demo.service.store.read_now(failed_rows) == failed


def test_a_refused_message_is_listed_and_the_next_goes_on(world: World) -> None:
    phone = world.accepted()
    world.whatsapp_fault(match="messages", error=131009)
    phone.type("menú")
    failed = until("the failed row", lambda: world.demo.service.store.read_now(failed_rows), 20)
    assert failed[0]["kind"] == "send" and failed[0]["error"]
    phone.type("menú")
    phone.next()


def test_an_answer_after_the_window_closed_waits_behind_one_template(world: World) -> None:
    phone = world.written()
    phone.tap("draft:send")
    receipt = phone.next()
    reference = reference_in(receipt)
    issue = world.staff("oac").tickets(reference)[0]["id"]
    world.idle()
    store = world.demo.service.store
    store.write_now(lambda c: c.exec_driver_sql("UPDATE person SET window_until = 1"))
    world.staff().write(issue, "Primera resposta")
    world.staff().write(issue, "Segona resposta")
    world.poll()
    template = phone.next()
    assert template["type"] == "template" and reference in words(template)
    phone.none_more(4)
    phone.send(
        type="button", payload=f"reply:{reference}", text="Llegeix la resposta", context=template["id"]
    )
    assert ["Primera" in words(phone.next()), "Segona" in words(phone.next())] == [True, True]


def test_statuses_never_go_backwards(world: World) -> None:
    phone = world.accepted()
    world.idle()

    def states() -> set[str]:
        sql = "SELECT DISTINCT state FROM message WHERE direction = 'out'"
        return {r[0] for r in world.demo.service.store.read_now(lambda c: c.exec_driver_sql(sql).all())}

    httpx.post(f"{world.url}/_phone/people/{phone.id}/read")
    until("the ledger knows that it was read", lambda: "read" in states(), 15)


def test_a_message_that_failed_later_is_told_to_staff_and_not_repeated(world: World) -> None:
    phone = world.written()
    phone.tap("draft:send")
    reference = reference_in(phone.next())
    number = world.staff("oac").tickets(reference)[0]["id"]
    world.idle()
    world.whatsapp_fault(match="messages", failed=131026)
    world.staff().write(number, "Aquesta resposta no li arribarà")
    world.poll()

    def told() -> list[str]:
        notes = world.staff("oac").ticket(number)["journals"]
        return [j["notes"] for j in notes if "131026" in (j["notes"] or "") and j["private_notes"]]

    assert len(until("staff are told why", told, 30)) == 1
    phone.none_more(5)
    assert len(told()) == 1
