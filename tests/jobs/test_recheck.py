"""An answer that waits with the sender, for minutes or for days, goes out as its note is then, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.jobs import unsent

from .rig import PACE, Citizen, Rig, pdf
from .test_answers_exactly_once import change, last_note
from .test_sweep import night, told

DAY = 24 * 3600
CHANGED = "s’ha canviat, amagat o esborrat"
LONG = "Paraules i més paraules sobre la vorera. " * 150


def held_behind_template(rig: Rig) -> tuple[Citizen, str, int]:
    """An answer «Vindrem dilluns» whose person wrote more than a day ago, and has the template."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.later(DAY + 3600)
    citizen.new()
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    (template,) = citizen.new()
    assert template["type"] == "template"
    rig.later(3600)
    return citizen, reference, number


def tap(citizen: Citizen, reference: str) -> list[str]:
    template = [m for m in citizen.got() if m["type"] == "template"][-1]
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    return citizen.said()


def on_the_way(rig: Rig) -> tuple[Citizen, str, int]:
    """An answer «Vindrem dilluns» whose sending had no answer and did not happen."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.whatsapp_fault(match="messages", drop="before")
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    assert citizen.said() == []
    return citizen, reference, number


def hide(rig: Rig, number: int) -> None:
    change(rig, last_note(rig, number), private_notes=True)


def delete_ticket(rig: Rig, number: int) -> None:
    rig.staff("admin").http.delete(f"/issues/{number}.json").raise_for_status()


def empty(rig: Rig, number: int) -> None:
    change(rig, last_note(rig, number), notes="")


@pytest.mark.parametrize("do", [hide, empty, delete_ticket])
def test_what_is_hidden_while_its_message_waits_is_not_sent(rig: Rig, do: Callable[[Rig, int], None]) -> None:
    citizen, reference, number = on_the_way(rig)
    do(rig, number)
    rig.later(PACE.silence + 5)
    assert citizen.said() == [] and not rig.failed()
    if do is not delete_ticket:
        assert [d for d in rig.decided(reference) if d.startswith("not sent")]
        night(rig)
        assert told(rig, reference, CHANGED) == 0, "nobody has the former text"
        rig.later(DAY)
        assert "🔒La resposta" not in " ".join(rig.notes(reference)), "nothing to report"
    assert citizen.said() == []


def test_what_is_changed_while_its_message_waits_goes_out_as_it_is_now(rig: Rig) -> None:
    citizen, reference, number = on_the_way(rig)
    change(rig, last_note(rig, number), notes="Vindrem dimarts")
    rig.later(PACE.silence + 5)
    (said,) = citizen.said()
    assert "dimarts" in said and "dilluns" not in said
    night(rig)
    assert told(rig, reference, CHANGED) == 0


def test_a_message_that_was_in_hand_while_its_note_was_read_asks_anew(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen, _, number = on_the_way(rig)
    change(rig, last_note(rig, number), notes="Vindrem dimarts")
    parts, looks = unsent.parts, [0]

    def in_hand(*args: Any) -> Any:
        looks[0] += 1
        return [] if looks[0] == 1 else parts(*args)

    monkeypatch.setattr(unsent, "parts", in_hand)
    rig.later(PACE.silence + 5)
    rig.later(PACE.aside + 1)
    (said,) = citizen.said()
    assert "dimarts" in said and looks[0] > 2


def test_what_went_after_all_is_not_sent_again_in_other_words(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.whatsapp_fault(match="messages", drop="after")
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    change(rig, last_note(rig, number), notes="Vindrem dimarts")
    rig.later(PACE.silence + 5)
    (said,) = citizen.said()
    assert "dilluns" in said
    night(rig)
    assert told(rig, reference, CHANGED) == 1


def test_hidden_behind_the_template_the_tap_is_answered_without_it(rig: Rig) -> None:
    citizen, reference, number = held_behind_template(rig)
    hide(rig, number)
    (said,) = tap(citizen, reference)
    assert "ha retirat aquesta resposta" in said and reference and "dilluns" not in said
    (said,) = tap(citizen, reference)
    assert "ha retirat" in said


def test_the_night_before_the_tap_notices_it_too(rig: Rig) -> None:
    citizen, reference, number = held_behind_template(rig)
    hide(rig, number)
    night(rig)
    assert citizen.said() == [] and told(rig, reference, CHANGED) == 0
    (said,) = tap(citizen, reference)
    assert "ha retirat aquesta resposta" in said


def test_changed_behind_the_template_the_tap_brings_the_new_words(rig: Rig) -> None:
    citizen, reference, number = held_behind_template(rig)
    journal = last_note(rig, number)
    for text, messages in (
        ("Vindrem dimarts " + LONG, 2),
        ("Vindrem dimecres", 1),
        ("Vindrem dijous " + LONG, 2),
    ):
        change(rig, journal, notes=text)
        night(rig)
        rows = rig.sql(
            "SELECT count(*) FROM work WHERE key LIKE ? AND ended_at IS NULL", f"say:answer:{reference}:%"
        )
        assert rows == [(messages,)]
    said = tap(citizen, reference)
    assert len(said) == 2 and "dijous" in said[0] and not any("dilluns" in s or "dimecres" in s for s in said)
    (words,) = [d for d in rig.decided(reference) if d.startswith("sent")]
    assert words


def test_hidden_and_shown_again_it_arrives_once(rig: Rig) -> None:
    citizen, reference, number = on_the_way(rig)
    journal = last_note(rig, number)
    change(rig, journal, private_notes=True)
    rig.later(PACE.silence + 5)
    assert citizen.said() == []
    change(rig, journal, private_notes=False)
    night(rig)
    assert len(citizen.said()) == 1, "the template: a day has passed"
    assert len([s for s in tap(citizen, reference) if "dilluns" in s]) == 1
    night(rig)
    assert not [s for s in tap(citizen, reference) if "dilluns" in s]


def test_while_the_tracker_is_away_others_go_first_and_the_answer_comes_after(rig: Rig) -> None:
    citizen, reference, _ = held_behind_template(rig)
    rig.tracker_fault(match="GET /issues/*", http=503, times=30)
    assert tap(citizen, reference) == []
    citizen.type("menú")
    rig.later(PACE.aside + 1)
    (menu,) = citizen.said()
    assert "dilluns" not in menu
    assert rig.demo.redmine is not None
    rig.demo.redmine.faults.clear()
    rig.later(1000)
    rig.later(1000)
    (said,) = citizen.said()
    assert "dilluns" in said and not rig.failed()


def test_while_the_tracker_is_away_a_later_answer_does_not_overtake_an_earlier_one(rig: Rig) -> None:
    citizen, _, number = on_the_way(rig)
    rig.staff("oac").write(number, "I dimarts us ho confirmem")
    rig.poll()
    assert citizen.said() == [], "both are with the sender"
    rig.tracker_fault(match="GET /issues/*", http=503, times=30)
    for _ in range(4):
        rig.later(PACE.aside + 5)
    citizen.type("menú")
    assert not [s for s in citizen.said() if "dilluns" in s or "dimarts" in s]
    assert rig.demo.redmine is not None
    rig.demo.redmine.faults.clear()
    rig.later(1000)
    rig.poll()
    rig.later(1000)
    first, second = citizen.said()
    assert "dilluns" in first and "dimarts" in second and not rig.failed()


def test_nor_does_one_that_was_read_just_now(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.whatsapp_fault(
        match="messages", error=131056, count=3
    )  # the person's rate: again after 1, 4 and 16 seconds
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    first = last_note(rig, number)
    for seconds in (1.1, 4.1, 8):
        rig.later(seconds)
    rig.staff("oac").write(number, "I dimarts us ho confirmem")
    rig.poll()
    rig.tracker_fault(match="GET /issues/*", http=503, times=2)
    store, now = rig.demo.service.store, rig.now()
    store.write_now(lambda c: unsent.look(c, rig.town, reference, str(first["id"]), now))
    rig.work()
    rig.later(7.2)
    assert citizen.said() == [], "the first is aside, and the second behind it"
    rig.later(10)
    rig.later(PACE.aside)
    one, other = citizen.said()
    assert "dilluns" in one and "dimarts" in other and not rig.failed()


def test_an_answer_given_up_holds_up_no_later_one(rig: Rig) -> None:
    citizen, reference, number = on_the_way(rig)
    rig.staff("oac").write(number, "I dimarts us ho confirmem")
    rig.poll()
    rig.tracker_fault(match="GET /issues/*", http=503, times=2)
    rig.later(PACE.silence + 5)
    rig.later(PACE.aside + 5)
    assert rig.demo.redmine is not None
    rig.demo.redmine.faults.clear()
    end = "UPDATE work SET ended_at = 1, outcome = 'given up' WHERE id = ?"
    key = "SELECT min(id) FROM work WHERE key LIKE ? AND ended_at IS NULL"
    rig.change(end, rig.sql(key, f"recheck:{reference}:%")[0][0])
    for _ in range(3):
        rig.later(PACE.aside + 5)
    (said,) = citizen.said()
    assert "dimarts" in said
    rig.change(end, rig.sql(key, f"say:answer:{reference}:%")[0][0])  # it is nothing to the tests that follow


def test_who_withdrew_consent_meanwhile_gets_nothing_and_staff_know(rig: Rig) -> None:
    citizen, reference, _ = on_the_way(rig)
    citizen.type("No accepto")
    citizen.new()
    rig.later(PACE.silence + 5)
    assert not [s for s in citizen.said() if "Vindrem" in s]
    assert told(rig, reference, "retirar el consentiment") == 1 and not rig.failed()


def test_what_goes_out_at_once_is_read_no_more_than_before(rig: Rig) -> None:
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff("oac").write(number, "Vindrem dilluns")
    rig.poll()
    assert len(citizen.said()) == 1
    assert "answer" in rig.rounds and "recheck" not in rig.rounds


def test_a_picture_that_whatsapp_forgot_is_handed_over_again(rig: Rig) -> None:
    citizen = rig.citizen()
    reference, number = citizen.request()
    rig.later(DAY + 3600)
    citizen.new()
    rig.staff().write(number, "Us adjunto el plànol", file=("p.pdf", "application/pdf", pdf("un")))
    rig.poll()
    (template,) = citizen.new()
    rig.later(40 * DAY)
    citizen.send(type="button", payload=f"reply:{reference}", context=template["id"])
    kinds = [m["type"] for m in citizen.new()]
    assert kinds[0] == "document"
