"""What staff write publicly arrives once and in order, as it is when it goes out; nothing else arrives."""

from __future__ import annotations

from collections.abc import Callable

from .rig import Rig


def last_note(rig: Rig, number: int) -> dict[str, object]:
    journal: dict[str, object] = rig.staff("oac").ticket(number)["journals"][-1]
    return journal


def change(rig: Rig, journal: dict[str, object], **values: object) -> None:
    rig.staff("oac").http.put(f"/journals/{journal['id']}.json", json={"journal": values}).raise_for_status()


def seen_then(rig: Rig, do: Callable[[], object]) -> None:
    """The poll sees the note; before its answer is read again something happens to it."""
    worker = rig.demo.service.worker
    kept = worker._errand
    happened = []

    async def between(name: str, errand: object, row: object) -> None:
        if row.kind == "answer" and not happened:  # type: ignore[attr-defined]
            happened.append(True)
            do()
        await kept(name, errand, row)  # type: ignore[arg-type]

    worker._errand = between  # type: ignore[method-assign]
    try:
        rig.poll()
    finally:
        del worker._errand  # type: ignore[method-assign]
    assert happened


def test_an_edited_note_goes_out_as_it_is_now(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff("oac").write(number, "Vindrem dilluns")
    seen_then(rig, lambda: change(rig, last_note(rig, number), notes="Vindrem dimarts"))
    said = citizen.said()
    assert len(said) == 1 and "dimarts" in said[0] and "dilluns" not in said[0]


def test_a_note_made_private_after_it_was_seen_is_not_sent_and_it_is_written_down(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.staff("oac").write(number, "Massa de pressa")
    seen_then(rig, lambda: change(rig, last_note(rig, number), private_notes=True))
    assert citizen.said() == []
    assert [d for d in rig.decided(reference) if d.startswith("not sent")]


def test_an_emptied_note_is_not_sent(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff("oac").write(number, "Això ho esborro")
    seen_then(rig, lambda: change(rig, last_note(rig, number), notes=""))
    assert citizen.said() == []


def test_a_ticket_deleted_after_its_note_was_seen_is_not_an_error(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff("oac").write(number, "Aquest tiquet desapareix")
    assert rig.demo.redmine is not None
    delete = rig.demo.redmine.delete
    seen_then(rig, lambda: delete(number))
    assert citizen.said() == [] and not rig.failed()


def test_notes_of_one_second_arrive_in_order_once(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    for n in range(4):
        rig.staff().write(number, f"Nota número {n}")
    rig.poll()
    said = citizen.said()
    assert [f"número {n}" in text for n, text in enumerate(said)] == [True] * 4
    for _ in range(3):
        rig.poll()
    assert citizen.said() == []


def test_a_note_between_two_polls_of_the_same_second_is_not_missed(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff().write(number, "La primera")
    rig.poll()
    rig.staff().write(number, "La segona")
    rig.poll()
    assert ["La primera" in w or "La segona" in w for w in citizen.said()] == [True, True]


def test_our_own_notes_and_private_ones_are_never_echoed(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    store = rig.demo.service.store
    store.write_now(
        lambda c: rig.town.note(c, reference, "Del connector", key=f"o:{reference}", now=rig.now())
    )
    rig.staff().write(number, "Entre nosaltres", private=True)
    rig.staff("whatsapp-bot").write(number, "Una nota pública del robot")
    rig.work()
    rig.poll()
    assert citizen.said() == []
    assert len([n for n in rig.notes(reference) if "Del connector" in n and n.startswith("🔒")]) == 1


def test_consent_withdrawn_means_no_answer_and_the_journal_says_why(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    citizen.type("No accepto")
    citizen.new()
    rig.staff().write(number, "Ja està fet")
    rig.poll()
    assert citizen.said() == []
    assert [d for d in rig.decided(reference) if "consent" in d]


def test_a_tracker_that_is_away_loses_no_answer(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff().write(number, "Abans de la caiguda")
    rig.tracker_fault(match="GET */issues*", http=503, times=3)
    rig.poll()
    assert citizen.said() == []
    for _ in range(6):
        rig.later(60)
    said = citizen.said()
    assert len(said) == 1 and "Abans de la caiguda" in said[0]
