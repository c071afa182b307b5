"""What no list of the tracker shows is found at night; what a ticket's journal says later is noticed."""

from __future__ import annotations

from typing import Any

import pytest

from connector.jobs import sweep
from connector.storage import cursors, tickets

from .rig import Citizen, Rig

DAY = 24 * 3600


def night(rig: Rig) -> None:
    """The worker's tick, a day later."""
    rig.later(DAY)
    store, town = rig.demo.service.store, rig.town
    store.write_now(lambda c: sweep.tick(c, town, rig.now()))
    store.write_now(lambda c: sweep.tick(c, town, rig.now() + 60))
    rig.work()


def answered(rig: Rig, note: str, private: bool = False) -> tuple[Citizen, str, int, int]:
    """A request with one note: the citizen, reference, number, and the note's id."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.staff("oac").write(number, note, private=private)
    rig.poll()
    journal = next(j for j in rig.ticket(reference)["journals"] if j["notes"] == note)
    return citizen, reference, number, int(journal["id"])


def edit(rig: Rig, journal: int, **change: Any) -> None:
    done = rig.staff("oac").http.put(f"/journals/{journal}.json", json={"journal": change})
    done.raise_for_status()


def told(rig: Rig, reference: str, words: str) -> int:
    return len([n for n in rig.notes(reference) if n.startswith("🔒") and words in n])


def gone(rig: Rig, reference: str) -> str | None:
    return rig.sql("SELECT gone FROM ticket WHERE reference = ?", reference)[0][0]  # type: ignore[no-any-return]


def test_a_private_note_that_is_made_public_later_reaches_the_citizen_once(rig: Rig) -> None:
    citizen, _, _, journal = answered(rig, "Ara sí que us ho podem dir", private=True)
    assert citizen.new() == []
    edit(rig, journal, private_notes=False)
    night(rig)
    citizen.type("hola")
    assert len([w for w in citizen.said() if "us ho podem dir" in w]) == 1
    night(rig)
    citizen.type("hola")
    assert not [w for w in citizen.said() if "us ho podem dir" in w]


@pytest.mark.parametrize("change", [{"notes": "Una altra cosa"}, {"private_notes": True}, {"notes": ""}])
def test_a_note_changed_after_it_was_sent_is_told_to_staff_once_and_sent_to_nobody(
    rig: Rig, change: dict[str, Any]
) -> None:
    citizen, reference, _, journal = answered(rig, "El que es va dir")
    assert [w for w in citizen.said() if "El que es va dir" in w]
    edit(rig, journal, **change)
    night(rig)
    assert told(rig, reference, "s’ha canviat, amagat o esborrat") == 1
    night(rig)
    assert told(rig, reference, "s’ha canviat, amagat o esborrat") == 1
    citizen.type("menú")
    assert not [w for w in citizen.said() if "Una altra cosa" in w]


def test_a_deleted_ticket_is_noticed(rig: Rig) -> None:
    _, reference, number, _ = answered(rig, "Una resposta")
    rig.staff("admin").http.delete(f"/issues/{number}.json").raise_for_status()
    night(rig)
    assert gone(rig, reference) == sweep.DELETED and not rig.paused() and not rig.failed()


def test_a_ticket_out_of_sight_is_told_apart_and_taken_up_again(rig: Rig) -> None:
    citizen, reference, number, _ = answered(rig, "Una resposta")
    admin = rig.staff("admin").http
    move = {"issue": {"project_id": "obres-i-serveis"}}
    admin.put(f"/issues/{number}.json", json=move).raise_for_status()
    night(rig)
    assert gone(rig, reference) == sweep.OUT_OF_SIGHT and not rig.paused()
    admin.put(f"/issues/{number}.json", json={"issue": {"notes": "Resposta des de l’altre projecte"}})
    admin.put(
        f"/issues/{number}.json", json={"issue": {"project_id": "atencio-ciutadana"}}
    ).raise_for_status()
    night(rig)
    assert gone(rig, reference) is None
    citizen.type("hola")
    assert [w for w in citizen.said() if "altre projecte" in w]


def test_a_copy_with_our_reference_is_noticed_once(rig: Rig) -> None:
    citizen, reference, number, _ = answered(rig, "Una resposta")
    citizen.new()
    staff = rig.staff("oac").http
    issue = {
        "project_id": "atencio-ciutadana",
        "subject": "Còpia",
        "custom_fields": [{"id": 2, "value": reference}],
    }
    copy = staff.post("/issues.json", json={"issue": issue})
    copy.raise_for_status()
    rig.poll()
    rig.poll()
    assert (
        len(
            [
                n
                for n in rig.staff("oac").ticket(number)["journals"]
                if "aquesta referència" in (n["notes"] or "")
            ]
        )
        == 1
    )
    staff.put(f"/issues/{copy.json()['issue']['id']}.json", json={"issue": {"notes": "A la còpia"}})
    rig.poll()
    assert citizen.new() == [], "only the ticket we made speaks to the citizen"


def test_a_cursor_that_cannot_be_read_misses_nothing(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff().write(number, "Escrit mentre el cursor era il·legible")
    store, town = rig.demo.service.store, rig.town
    store.write_now(lambda c: cursors.save(c, town.name, "poll", "no cursor at all", rig.now()))
    rig.poll()
    rig.poll()
    assert [w for w in citizen.said() if "il·legible" in w] and not rig.failed()


def test_the_sweep_goes_on_in_small_steps(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "STEP", 2)
    night(rig)
    open_tickets = rig.sql("SELECT count(*) FROM ticket WHERE tracker_id IS NOT NULL")[0][0]
    steps = rig.sql("SELECT count(*) FROM work WHERE kind = 'sweep' AND ended_at > ?", rig.now() - 600)[0][0]
    assert steps == open_tickets // 2 + 1


def test_a_poll_with_nothing_new_costs_the_same_however_many_tickets_are_open(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = rig.town.tracker.http  # type: ignore[attr-defined]
    asked: list[str] = []
    real = http.get

    def counted(path: str, params: Any = ()) -> Any:
        asked.append(path)
        return real(path, params)

    monkeypatch.setattr(http, "get", counted)

    def cost() -> int:
        rig.later(300)
        rig.poll()
        asked.clear()
        rig.poll()
        assert "/issues.json" in asked
        return len(asked)

    few = cost()
    for _ in range(8):
        rig.citizen().request()
    assert cost() == few


def test_that_staff_made_a_ticket_private_is_known_and_brings_back_nothing_erased(rig: Rig) -> None:
    """It is kept with the content: open data (storage/published.py) shows nothing of a ticket that is private."""
    store = rig.demo.service.store

    def content(reference: str) -> dict[str, Any]:
        found = store.read_now(lambda c: tickets.by_reference(c, store.sealer, reference))
        assert found is not None
        return found.content

    reference, number = rig.citizen().request()
    staff = rig.staff("oac").http
    for private in (True, False, True):
        staff.put(f"/issues/{number}.json", json={"issue": {"is_private": private}}).raise_for_status()
        rig.poll()
        assert content(reference).get(tickets.HIDDEN) is private and content(reference)["words"]
    known = store.read_now(lambda c: tickets.by_reference(c, store.sealer, reference))
    assert known is not None
    rig.change("UPDATE ticket SET content = NULL WHERE reference = ?", reference)
    store.write_now(lambda c: tickets.hide(c, store.sealer, known, False))
    assert content(reference) == {}
