"""News and alerts to who subscribed: once each, at the number's pace, stopped when they must be, counted honestly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.commands.person.desk import Desk
from connector.core import sending_hours
from connector.core.address import Address
from connector.core.bulletin import Bulletin
from connector.core.state import State
from connector.jobs import broadcasting, halting, spreading
from connector.storage import books, broadcasts, consents, numbers, people, recipients, subscriptions
from connector.storage.broadcasts import Broadcast
from connector.storage.numbers import Number
from tests.e2e.way import ids, words

from .rig import Citizen, Rig
from .test_erasure import desk
from .test_retention import night

__all__ = ["desk"]
DAY = 24 * 3600
NEWS = Bulletin(
    {"*": "Obre la piscina"}, {"*": "Dissabte, de 10 a 20 h.\n\nEntrada lliure."}, "https://www.example.org/p"
)
NOTICE = replace(NEWS, title={"ca": "Tall d’aigua", "es": "Corte de agua"}, category="utility")


@pytest.fixture(autouse=True)
def _as_before(rig: Rig) -> Iterator[None]:
    """Each test begins with nobody subscribed and a number in good health."""
    town, pace, crowd = rig.town.town, rig.town.pace, rig.town.crowd
    health(rig)
    yield
    rig.town.town, rig.town.pace, rig.town.crowd = town, pace, crowd
    for template in rig.demo.meta.templates.all:
        template.status = "APPROVED"
    rig.change("UPDATE broadcast SET state = 'cancelled', ended_at = 1 WHERE ended_at IS NULL")
    for table in ("subscription", "recipient", "template", "bucket", "pause"):
        rig.change(f"DELETE FROM {table}")


def health(rig: Rig, quality: str = "GREEN", limit: str = "TIER_100K") -> None:
    number = Number(quality=quality, limit=limit)
    rig.demo.service.store.write_now(lambda c: numbers.save(c, rig.town.name, number, rig.now()))


def talker(rig: Rig, topic: str = "news") -> Citizen:
    """Somebody who subscribed as people do: the customer service window is open."""
    citizen = rig.citizen().accept()
    citizen.tap("menu:topics")
    citizen.tap(f"topic:{topic}")
    citizen.tap(f"topic:{topic}:yes")
    citizen.new()
    return citizen


def subscriber(rig: Rig, *topics: str) -> Citizen:
    """Somebody who subscribed days ago: the customer service window is closed."""
    citizen = rig.citizen()
    town, store = rig.town.name, rig.demo.service.store
    address = Address(citizen.person.user_id, citizen.person.phone)

    def make(connection: Any) -> None:
        who = people.create(connection, store.pseudonyms, store.sealer, town, address, rig.now())
        consent = rig.town.town.consent.version
        state = State(language="ca", consent="yes", consent_version=consent, consent_at=1, since=1)
        people.save_state(connection, store.sealer, who.id, state, rig.now())
        people.save_contact(connection, store.sealer, who.id, address)
        for topic in topics or ("news",):
            subscriptions.join(connection, town, who.id, topic, None, rig.now())

    store.write_now(make)
    return citizen


def send(rig: Rig, bulletin: Bulletin = NEWS, topics: tuple[str, ...] = ("news",), **more: Any) -> int:
    """Planned, and carried out as far as it may be now."""
    number = plan(rig, bulletin, topics, **more)
    rig.work()
    return number


def plan(rig: Rig, bulletin: Bulletin = NEWS, topics: tuple[str, ...] = ("news",), **more: Any) -> int:
    def make(connection: Any) -> int | None:
        made = broadcasting.plan(
            connection, rig.town.name, rig.town.town, bulletin, topics, now=rig.now(),
            **{"alert": False, "made_by": "anna", **more},
        )  # fmt: skip
        broadcasting.soon(connection, rig.town, rig.now())
        return made

    number = rig.demo.service.store.write_now(make)
    assert number is not None
    return number


def tick(rig: Rig, seconds: float = 0) -> None:
    """What the worker's tick does every few seconds."""
    rig.ahead += seconds
    rig.demo.meta.clock_offset = rig.ahead
    rig.demo.service.store.write_now(lambda c: broadcasting.soon(c, rig.town, rig.now()))
    rig.work()


def one(rig: Rig, number: int) -> Broadcast:
    found = rig.demo.service.store.read_now(lambda c: broadcasts.get(c, number))
    assert found is not None
    return found


def counts(rig: Rig, number: int) -> dict[str, int]:
    return dict(rig.demo.service.store.read_now(lambda c: recipients.counts(c, number)))


def resume(rig: Rig, number: int) -> None:
    def go(connection: Any) -> None:
        found = broadcasts.get(connection, number)
        assert found and halting.resume(connection, found, 1, rig.now())

    rig.demo.service.store.write_now(go)
    tick(rig)


# --- who gets it, and how ------------------------------------------------------------------------------


def test_subscribers_get_it_once_by_message_or_template_and_nobody_else_does(rig: Rig) -> None:
    away, here, other = subscriber(rig), talker(rig), subscriber(rig, "notices")
    number = send(rig)
    (template,), (message,) = away.new(), here.new()
    assert template["type"] == "template" and template["content"]["name"] == "noticia_municipal"
    assert "Obre la piscina" in words(template) and "https://www.example.org/p" in words(template)
    assert "Entrada lliure." in words(message) and ids(message) == ["topic:stop"], (
        "an open window needs no template"
    )
    assert other.new() == []
    tick(rig)
    assert one(rig, number).state == "done" and counts(rig, number) == {"delivered": 2}
    assert away.new() == here.new() == [], "once"
    balance = rig.demo.service.store.read_now(books.balance)
    assert balance.balanced and balance.news["delivered"] >= 2


def test_an_item_of_a_source_is_sent_by_itself_once_and_an_alert_at_any_hour(rig: Rig) -> None:
    citizen, neighbour = subscriber(rig, "notices"), subscriber(rig, "neighbourhood/platja")
    site = rig.demo.site
    site._clock = rig.now
    rig.loop.run_until_complete(rig.demo._published())
    rig.work()
    citizen.new(), neighbour.new()
    site.publish("Pluja forta", "No baixeu a la riera.", alert=True)
    for _ in range(2):
        rig.ahead += 1
        rig.loop.run_until_complete(rig.demo._published())
        rig.work()
    (said,) = citizen.said()
    assert "avis_municipal" in said and "Pluja forta" in said and "riera" in said
    assert neighbour.new() == []
    assert rig.sql("SELECT alert, made_by FROM broadcast ORDER BY id DESC LIMIT 1") == [(1, "notices")]


def test_a_source_made_anew_is_no_news(rig: Rig) -> None:
    citizen, site = subscriber(rig), rig.demo.site
    site._clock = rig.now
    rig.loop.run_until_complete(rig.demo._published())
    rig.work()
    for n in range(6):
        site.publish(f"Peça {n}", "Text.")
    rig.ahead += 1
    rig.loop.run_until_complete(rig.demo._published())
    rig.work()
    assert citizen.new() == []


def test_an_area_of_a_topic(rig: Rig) -> None:
    beach, centre = subscriber(rig, "neighbourhood/platja"), subscriber(rig, "neighbourhood/centre")
    send(rig, topics=("neighbourhood/platja", "news"))
    assert len(beach.new()) == 1 and centre.new() == []


def test_who_left_meanwhile_gets_nothing(rig: Rig) -> None:
    stays, leaves, gone = subscriber(rig), subscriber(rig), subscriber(rig)
    number = plan(rig, at=rig.now() + 600)
    rig.work()
    leaves.type("BAIXA")
    gone.type("BAIXA")
    gone.type("BAIXA")  # the channel, too
    leaves.new(), gone.new()
    rig.later(700)
    assert len(stays.new()) == 1 and leaves.new() == [] and gone.new() == []
    assert counts(rig, number) == {"delivered": 1}
    # after its recipients were written, too
    waits, sooner = subscriber(rig), rig.town.crowd
    rig.town.crowd = 0.001
    number = send(rig)
    assert counts(rig, number) == {"delivered": 1, "waiting": 1}
    waits.type("stop")
    waits.new()
    rig.town.crowd = sooner
    rig.change("DELETE FROM bucket")
    tick(rig, 5)
    assert waits.new() == [] and counts(rig, number) == {"delivered": 1, "left": 1}


def test_meta_s_own_opt_out_holds_for_news_and_not_for_notices(rig: Rig) -> None:
    citizen = subscriber(rig, "news", "notices")
    preference(rig, citizen, "stop")
    citizen.type("subscripcions")
    assert "has aturat" in citizen.said()[-1]
    number = send(rig)
    assert citizen.new() == [] and counts(rig, number) == {"stopped": 1}
    send(rig, NOTICE, ("notices",))
    assert "Tall d’aigua" in citizen.said()[-1]
    preference(rig, citizen, "resume")
    send(rig)
    assert "piscina" in citizen.said()[-1]


def preference(rig: Rig, citizen: Citizen, value: str) -> None:
    one = {"wa_id": citizen.person.phone, "user_id": citizen.person.user_id, "detail": "x", "value": value,
           "category": "marketing_messages", "timestamp": int(rig.now())}  # fmt: skip
    notice = {"field": "user_preferences", "channel": None, "payload": {"user_preferences": [one]}}
    store, town = rig.demo.service.store, rig.town
    store.write_now(lambda c: town.put(c, lane="notice:x", kind="notice", payload=notice, now=rig.now()))
    rig.work()


def test_a_refusal_for_that_reason_is_remembered(rig: Rig) -> None:
    citizen = subscriber(rig)
    rig.whatsapp_fault(match="messages", error=131050)
    number = send(rig)
    assert counts(rig, number) == {"stopped": 1} and citizen.new() == []
    assert counts(rig, send(rig)) == {"stopped": 1}, "not tried again"


# --- what goes wrong ------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_settled_by_its_status_or_asked_for_again(rig: Rig) -> None:
    citizen = subscriber(rig)
    rig.whatsapp_fault(match="messages", drop="after")
    number = send(rig)
    assert len(citizen.new()) == 1 and counts(rig, number) == {"delivered": 1}
    rig.whatsapp_fault(match="messages", drop="before")
    number = send(rig)
    assert counts(rig, number) == {"trying": 1} and citizen.new() == []
    rig.later(60)
    assert citizen.new() == [], "two quiet minutes"
    rig.later(130)
    assert len(citizen.new()) == 1 and counts(rig, number) == {"delivered": 1}
    assert one(rig, number).state == "done"


def test_while_others_get_it_a_lost_answer_waits_as_long(rig: Rig) -> None:
    first, second = subscriber(rig), subscriber(rig)
    rig.town.crowd = 0.001
    rig.whatsapp_fault(match="messages", drop="before")
    number = send(rig)
    assert counts(rig, number) == {"trying": 1, "waiting": 1}
    rig.town.crowd = 60
    rig.change("DELETE FROM bucket")
    tick(rig, 5)
    assert counts(rig, number) == {"trying": 1, "delivered": 1}
    tick(rig, 5)
    assert len(first.new()) + len(second.new()) == 1
    rig.later(130)
    assert len(first.new()) + len(second.new()) == 1 and counts(rig, number) == {"delivered": 2}


def test_statuses_in_any_order_and_of_another_try(rig: Rig) -> None:
    subscriber(rig)
    rig.whatsapp_fault(match="messages", failed=131026)
    number = send(rig)
    ((recipient, attempt),) = rig.sql("SELECT id, attempts FROM recipient WHERE broadcast_id = ?", number)

    def hear(state: str, attempt: int = attempt, code: int | None = None) -> dict[str, int]:
        store = rig.demo.service.store
        store.write_now(lambda c: spreading.heard(c, rig.town, (recipient, attempt), state, code, rig.now()))
        return counts(rig, number)

    assert hear("read") == {"read": 1}, "it was delivered after all"
    assert hear("delivered") == hear("sent") == {"read": 1}
    assert hear("failed", code=131026) == hear("failed", attempt + 1, 131026) == {"read": 1}


@pytest.mark.parametrize("fault", [{"failed": 131026}, {"error": 131026}])
def test_what_cannot_be_delivered_is_counted_with_its_reason(rig: Rig, fault: dict[str, Any]) -> None:
    subscriber(rig)
    rig.whatsapp_fault(match="messages", **fault)
    number = send(rig)
    (outcome,) = counts(rig, number)
    assert outcome.startswith("failed: WhatsApp") and "131026" in outcome
    assert one(rig, number).state == "done" and not rig.failed()


def test_a_window_that_is_closed_after_all_gets_the_template(rig: Rig) -> None:
    citizen = talker(rig)
    rig.whatsapp_fault(match="messages", failed=131047)
    number = send(rig)
    tick(rig)
    assert [m["type"] for m in citizen.new()] == ["template"] and counts(rig, number) == {"delivered": 1}


@pytest.mark.parametrize(
    "fault", [{"error": 132015}, {"failed": 132015}, {"error": 131048}, {"failed": 131048}, {"error": 132000}]
)
def test_it_stops_by_itself_and_nobody_is_lost(rig: Rig, fault: dict[str, Any]) -> None:
    citizen = subscriber(rig)
    rig.whatsapp_fault(match="messages", **fault)
    number = send(rig)
    assert one(rig, number).state == "paused" and one(rig, number).why
    tick(rig, 3600)
    assert citizen.new() == [] and counts(rig, number) == {"waiting": 1}
    rig.change("DELETE FROM template")
    resume(rig, number)
    rig.later(1000)
    tick(rig)
    assert len(citizen.new()) == 1 and counts(rig, number) == {"delivered": 1}


def test_it_stops_when_the_quality_falls_and_does_not_begin_when_it_is_low(rig: Rig) -> None:
    first, second = subscriber(rig), subscriber(rig)
    rig.town.crowd = 0.001
    number = send(rig)
    health(rig, "YELLOW")
    rig.town.crowd = 60
    rig.change("DELETE FROM bucket")
    tick(rig, 5)
    assert one(rig, number).state == "paused" and "YELLOW" in one(rig, number).why
    assert counts(rig, number) == {"delivered": 1, "waiting": 1}
    resume(rig, number)
    assert len(first.new()) == len(second.new()) == 1
    health(rig, "RED")
    assert one(rig, send(rig)).state == "paused"


def test_templates_that_are_not_approved_hold_it_up(rig: Rig) -> None:
    subscriber(rig)
    for template in rig.demo.meta.templates.all:
        template.status = "PAUSED" if template.name == "noticia_municipal" else "APPROVED"
    rig.loop.run_until_complete(rig.demo.service.worker.ticks._account_tick())
    rig.work()
    number = send(rig)
    assert one(rig, number).state == "paused" and "noticia_municipal" in one(rig, number).why


def test_no_more_people_a_day_than_whatsapp_allows(rig: Rig) -> None:
    subscribers = [subscriber(rig) for _ in range(3)]
    health(rig, limit="TIER_2")  # nine tenths of it: one, and the rest is for answers
    number = send(rig)
    assert counts(rig, number) == {"delivered": 1, "waiting": 2} and "limit" in one(rig, number).why
    for n in (2, 3):
        rig.later(DAY)
        assert counts(rig, number)["delivered"] == n
    assert all(len(citizen.new()) == 1 for citizen in subscribers)


# --- when -----------------------------------------------------------------------------------------------


def test_quiet_hours_and_two_a_day_hold_for_news_and_not_for_alerts(rig: Rig) -> None:
    citizen = subscriber(rig)
    rig.town.pace = replace(rig.town.pace, any_hour=False)
    today = sending_hours.midnight(rig.town.town, rig.now(), 1)
    rig.later(today + 23 * 3600 - rig.now())
    number = send(rig)
    assert citizen.new() == [] and "hours" in one(rig, number).why
    send(rig, NOTICE, ("news",), alert=True)
    assert "Tall" in citizen.said()[-1]
    rig.later(9 * 3600 + 60)
    assert "piscina" in citizen.said()[-1]
    send(rig)
    third = send(rig)
    assert len(citizen.new()) == 1 and "2 were sent today" in one(rig, third).why
    rig.later(DAY)
    assert len(citizen.new()) == 1


def test_an_alert_goes_ahead_of_news(rig: Rig) -> None:
    citizen = subscriber(rig)
    plan(rig)
    plan(rig, NOTICE, alert=True)
    rig.work()
    assert ["Tall" in words(m) for m in citizen.new()] == [True, False]


def test_a_second_pair_of_eyes(rig: Rig) -> None:
    citizen = subscriber(rig)
    rig.town.town = rig.town.town.model_copy(
        update={"broadcasts": rig.town.town.broadcasts.model_copy(update={"approval": "news"})}
    )
    number = send(rig)
    store = rig.demo.service.store
    agreed = [
        store.write_now(lambda c, by=by: halting.agree(c, one(rig, number), by, rig.now()))  # type: ignore[misc]
        for by in ("Anna", "berta")
    ]
    assert agreed == [False, True], "not by who made it"
    tick(rig)
    assert len(citizen.new()) == 1 and one(rig, number).agreed_by == "berta"
    assert one(rig, plan(rig, NOTICE, alert=True)).state == "planned", "an alert waits for nobody"


def test_paused_by_a_person_and_called_off(rig: Rig) -> None:
    citizen = subscriber(rig)
    number = plan(rig)
    rig.demo.service.store.write_now(
        lambda c: halting.pause(c, one(rig, number), "paused by anna", rig.now())
    )
    tick(rig)
    assert citizen.new() == []
    rig.demo.service.store.write_now(lambda c: halting.cancel(c, one(rig, number), "wrong date", rig.now()))
    tick(rig)
    assert citizen.new() == [] and one(rig, number).state == "cancelled"


# --- evidence, and forgetting ---------------------------------------------------------------------------


def test_each_decision_is_evidence_with_the_words_that_were_shown(rig: Rig) -> None:
    citizen = talker(rig)
    who = rig.person_id(citizen)
    shown = [words(m) for m in citizen.got() if "topic:news:yes" in ids(m)]
    citizen.type("BAIXA")
    found = rig.demo.service.store.read_now(lambda c: consents.of(c, rig.town.name, who))
    news = [e for e in found if e.purpose == "news"]
    assert [e.action for e in news] == ["given", "withdrawn"]
    assert [news[0].text] == shown and "dues" not in news[0].text and news[0].message_key
    assert rig.sql("SELECT COUNT(*) FROM subscription WHERE person_id = ?", who) == [(0,)]
    assert rig.sql("SELECT contact IS NOT NULL FROM person WHERE id = ?", who)[0][0], (
        "the channel is not left"
    )


def test_a_person_s_export_names_it_and_erasure_takes_it(rig: Rig, desk: Desk) -> None:
    has, waits = subscriber(rig), subscriber(rig)
    rig.town.crowd = 0.001
    number = send(rig)
    found = desk.export(f"+{has.person.phone}")
    assert [s["topic"] for s in found["subscriptions"]] == ["news"]
    assert [(b["outcome"], b["content"]["title"]) for b in found["broadcasts"]] == [("delivered", NEWS.title)]
    assert "recipients" in desk.retention(dry_run=True)
    for citizen in (has, waits):
        assert desk.erase(f"+{citizen.person.phone}").counts["news"] == 2
    assert rig.sql("SELECT COUNT(*) FROM recipient WHERE person_id IS NOT NULL") == [(0,)]
    rig.town.crowd = 60
    rig.change("DELETE FROM bucket")
    tick(rig, 5)
    assert len(has.new()) == 1 and waits.new() == [] and counts(rig, number) == {"delivered": 1, "left": 1}
    assert rig.demo.service.store.read_now(books.balance).balanced


def test_who_got_it_is_forgotten_and_the_numbers_stay_and_whom_news_reach_is_kept(
    rig: Rig, desk: Desk
) -> None:
    reached, silent = subscriber(rig), subscriber(rig)
    rig.whatsapp_fault(match="messages", failed=131026)
    number = send(rig)
    arrived = "silent" if reached.new() == [] else "reached"
    there, away = (silent, reached) if arrived == "silent" else (reached, silent)
    night(rig, 29)
    assert sum(counts(rig, number).values()) == 2
    night(rig, 3)
    kept = one(rig, number).counts
    assert counts(rig, number) == {} and kept["delivered"] == 1 and sum(kept.values()) == 2
    rig.change("UPDATE subscription SET reached_at = ? WHERE reached_at IS NOT NULL", rig.now())
    rig.change("UPDATE subscription SET since = since - ?", 366 * DAY)
    rig.change("UPDATE person SET updated_at = updated_at - ?, window_until = 0", 366 * DAY)
    night(rig)
    assert desk.export(f"+{there.person.phone}")["person"] is not None, (
        "news reach them, though they write nothing"
    )
    assert desk.export(f"+{away.person.phone}")["person"] is None
