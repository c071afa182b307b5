"""A message to a citizen goes out once, or it is said why not; and nothing is kept of who has not accepted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import LargeBinary

from connector.storage import given_up, tables
from tests.e2e.way import ids, words

from .rig import PACE, Rig

SEALED = [
    (table.name, column.name)
    for table in tables.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, LargeBinary) and table.name not in ("keep", "media_part")
]
"""Every sealed column there is, also of tables added later."""


def everything(rig: Rig) -> str:
    """The whole database as text, with every sealed value opened."""
    found: list[str] = []
    for table in tables.metadata.sorted_tables:
        for row in rig.sql(f"SELECT * FROM {table.name}"):
            found += [str(value) for value in row if not isinstance(value, bytes)]
    store = rig.demo.service.store
    for table_name, column in SEALED:
        for (value,) in rig.sql(f"SELECT {column} FROM {table_name} WHERE {column} IS NOT NULL"):
            found.append(str(store.sealer.open(value)))
    return "\n".join(found)


def test_nothing_is_kept_of_who_has_not_accepted(rig: Rig) -> None:
    citizen = rig.citizen()
    citizen.type("Em dic Pere Secret i visc al carrer Amagat")
    citizen.send(type="location", latitude=41.9137, longitude=2.9137)
    citizen.file(b"%PDF-1.4 dades", "application/pdf", filename="secret.pdf", caption="El meu DNI")
    wamid = citizen.type("Una altra cosa")
    rig.later(3600)
    kept = everything(rig)
    assert "lane" not in kept and len(kept) > 100
    person = citizen.person
    for secret in (
        "Pere",
        "Amagat",
        "41.9137",
        "secret.pdf",
        "DNI",
        "altra cosa",
        wamid,
        person.name,
        person.phone,
        person.user_id,
    ):
        assert secret not in kept, f"{secret} is kept"
    assert rig.sql("SELECT count(*) FROM media") == [(0,)]


def test_what_is_kept_of_who_accepted_is_unreadable_in_the_files(rig: Rig) -> None:
    citizen = rig.citizen()
    citizen.request("Un desguàs embussat a la plaça Sintètica")
    assert "plaça Sintètica" in everything(rig), "it is there for who has the key"
    if not rig.demo.service.store.sqlite:
        return  # tests/storage looks at the tables
    path = str(rig.sql("PRAGMA database_list")[0][2])
    for suffix in ("", "-wal"):
        with open(path + suffix, "rb") as file:  # noqa: PTH123
            raw = file.read()
        for secret in ("Sintètica", citizen.person.phone, citizen.person.user_id, citizen.person.name):
            assert secret.encode() not in raw, f"{secret} stands in the clear in the database"


def test_an_answer_lost_after_whatsapp_took_it_is_settled_by_its_status(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.new()
    rig.whatsapp_fault(match="messages", drop="after")
    citizen.type("menú")
    assert len(citizen.new()) == 1
    rig.later(PACE.silence + 5)
    assert citizen.new() == [] and not rig.failed()
    outcome = rig.sql("SELECT outcome FROM work WHERE kind = 'send' ORDER BY id DESC LIMIT 1")[0][0]
    assert outcome == "accepted by WhatsApp (seen by its status)"


def test_a_message_lost_on_the_way_goes_again_after_a_quiet_time_once(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.new()
    rig.whatsapp_fault(match="messages", drop="before")
    citizen.type("menú")
    rig.later(PACE.silence - 10)
    assert citizen.new() == [], "a status may still come"
    rig.later(12)
    assert len(citizen.new()) == 1
    rig.later(PACE.silence + 5)
    assert citizen.new() == []


def test_a_silence_in_which_nobody_listened_proves_nothing(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.new()
    rig.whatsapp_fault(match="messages", drop="after")
    # the citizen's own message comes in; the statuses of the answer are on their way when the program goes down
    rig.whatsapp_fault(webhook="duplicate")
    rig.whatsapp_fault(webhook="hold", count=1)
    citizen.type("menú")
    assert len(citizen.got()) and rig.demo.meta.delivery.waiting == 1
    rig.ahead += 10 * PACE.silence
    rig.loop.run_until_complete(rig.demo.service.worker._listen())
    rig.later(10 * PACE.silence)
    assert len(citizen.new()) == 1, (
        "its status may still come: WhatsApp waits about as long before it tries again"
    )
    rig.whatsapp_fault(webhook="release")
    rig.work()
    rig.later(PACE.silence)
    rig.later(PACE.silence)
    assert not citizen.new() and not rig.failed()
    assert rig.sql("SELECT count(*) FROM work WHERE kind = 'send' AND ended_at IS NULL") == [(0,)]


def test_what_was_said_after_a_lost_message_comes_after_it(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.new()
    rig.whatsapp_fault(match="messages", drop="before")
    citizen.tap("menu:mayor")
    citizen.type("menú")
    assert citizen.new() == []
    rig.later(PACE.silence + 5)
    first, *rest = citizen.new()
    assert "menu:mayor" not in ids(first) and rest


def test_an_expired_token_pauses_the_sender_as_a_whole_and_nothing_fails(rig: Rig) -> None:
    citizen, other = rig.citizen().accept(), rig.citizen().accept()
    citizen.new(), other.new()
    # the «read» tick is refused too, a moment later; it is only a courtesy and ends well all the same
    rig.whatsapp_fault(match="messages", error=190)
    rig.whatsapp_fault(match="read", error=190, delay=0.2)
    citizen.type("menú")
    assert rig.paused() == ["whatsapp"], "what ends without having been sent proves nothing"
    other.type("menú")
    assert rig.paused() == ["whatsapp"] and citizen.new() == [] == other.new()
    for _ in range(12):
        rig.later(120)
    assert rig.paused() == [] and not rig.failed()
    assert len(citizen.new()) == 1 and len(other.new()) == 1


def test_a_refused_message_is_listed_and_can_be_retried(rig: Rig) -> None:
    citizen = rig.citizen().accept()
    citizen.new()
    rig.whatsapp_fault(match="messages", error=131009)
    citizen.type("menú")
    ((row, kind, error),) = rig.failed()
    assert kind == "send" and error and citizen.person.phone not in error
    assert citizen.new() == []
    assert rig.demo.service.store.write_now(lambda c: given_up.reopen(c, row, rig.now()))
    # it was tried: also by hand it goes out only once nothing of it can be under way any more
    rig.later(PACE.silence)
    assert len(citizen.new()) == 1 and not rig.failed()


def test_answers_after_the_window_closed_wait_behind_one_template_and_come_in_order(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.later(25 * 3600)
    for n in range(3):
        rig.staff().write(number, f"Resposta {n}")
    rig.poll()
    (template,) = citizen.new()
    assert template["type"] == "template" and reference in words(template)
    rig.later(3600)
    assert citizen.new() == []
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    said = [w for w in citizen.said() if "Resposta" in w]
    assert [f"Resposta {n}" in w for n, w in enumerate(said)] == [True] * 3


def test_any_message_opens_the_window_for_what_waits(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.later(25 * 3600)
    rig.staff().write(number, "La resposta que esperava")
    rig.poll()
    citizen.new()
    citizen.type("Hola?")
    assert [w for w in citizen.said() if "que esperava" in w]


def test_a_changed_number_is_followed_and_staff_are_told(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    citizen.send(type="system_number", phone=rig.number()[:-5] + "99001")
    rig.later(1)
    assert [n for n in rig.notes(reference) if n.startswith("🔒")], "staff are told"
    rig.staff().write(number, "Per al número nou")
    rig.poll()
    assert [w for w in citizen.said() if "número nou" in w]


def test_a_new_user_id_is_followed(rig: Rig) -> None:
    citizen = rig.citizen(hidden=True)
    _, number = citizen.request()
    people = rig.sql("SELECT count(*) FROM person")
    citizen.send(type="system_user_id")
    rig.staff().write(number, "Per a la mateixa persona")
    rig.poll()
    assert [w for w in citizen.said() if "mateixa persona" in w]
    citizen.type("menú")
    assert rig.sql("SELECT count(*) FROM person") == people, "nobody new"


@pytest.mark.parametrize("late", [2, 4], ids=["the person's new id", "that it was not delivered"])
def test_an_answer_to_a_former_address_goes_to_the_new_one(rig: Rig, late: int) -> None:
    citizen = rig.citizen(hidden=True)
    _, number = citizen.request()
    citizen.new()
    # Meta has the person's new user id and does not get through to us with it
    rig.whatsapp_fault(webhook="hold", count=late)
    rig.demo.meta.send(citizen.person, {"type": "system_user_id"})
    rig.staff().write(number, "Ja està arreglat")
    rig.poll()
    assert citizen.new() == [] and len(rig.failed()) == (late == 2), "nobody is at the former address"
    rig.whatsapp_fault(webhook="release")
    rig.work()
    rig.later(60)
    (answer,) = citizen.said()
    assert "Ja està arreglat" in answer and not rig.failed()


def test_a_reaction_is_taken_in_and_starts_nothing(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.staff().write(number, "Ja està arreglat")
    rig.poll()
    (answer,) = citizen.new()
    citizen.send(type="reaction", message_id=answer["id"], emoji="👍")
    rig.later(60)
    (about,) = rig.sql("SELECT about, state FROM message WHERE direction = 'in' ORDER BY id DESC LIMIT 1")
    assert about[0] == reference, f"it belongs to the ticket of the message it is under: {about}"
    assert not rig.failed()


def test_everything_that_came_in_is_explained(rig: Rig) -> None:
    """Runs last: after all of the above, every message has an outcome and no work is left over."""
    rig.later(rig.town.town.timing.report_hours * 3600)
    left: list[Any] = rig.sql("SELECT kind, lane, error FROM work WHERE ended_at IS NULL AND kind != 'poll'")
    assert left == []
    assert rig.sql("SELECT count(*) FROM message WHERE state = '' OR state IS NULL") == [(0,)]
    incoming = sum(1 for (_, m) in rig.demo.meta.state.owners.values() if m.direction == "in")
    assert rig.sql("SELECT count(*) FROM message WHERE direction = 'in'") == [(incoming,)]
