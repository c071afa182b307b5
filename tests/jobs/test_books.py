"""The books balance after a busy day, and whatever is taken out of them by hand is named."""

from __future__ import annotations

import pytest

from connector.storage.books import Books, balance

from .rig import Rig


def books(rig: Rig) -> Books:
    return rig.demo.service.store.read_now(balance)


@pytest.fixture(scope="module")
def _busy(_rig: Rig) -> Rig:
    """A day with everything: answers, refusals, a lost answer, a closed window, a stranger, a failure."""
    rig = _rig
    stranger = rig.citizen()
    stranger.type("Res")
    citizen = rig.citizen()
    _, number = citizen.request()
    rig.staff().write(number, "Una resposta")
    rig.staff().write(number, "Només per a nosaltres", private=True)
    rig.poll()
    rig.whatsapp_fault(match="messages", error=131026)
    citizen.type("menú")
    rig.whatsapp_fault(match="messages", drop="after")
    citizen.type("menú")
    rig.later(25 * 3600)
    rig.staff().write(number, "Fora de la finestra")
    rig.poll()
    return rig


def test_everything_is_counted_once(_busy: Rig, rig: Rig) -> None:
    found = books(rig)
    assert found.balanced, found.unexplained
    assert found.received == sum(1 for (_, m) in rig.demo.meta.state.owners.values() if m.direction == "in")
    assert found.outbound["failed"] == 1 and found.outbound["delivered"] > 5
    assert found.outbound["held until the person writes or a template may go"] == 1
    assert found.answers["sent"] == 2 and found.answers["stays"] >= 1
    assert found.requests == {"open": 1}
    assert [line.what for line in found.waiting] == ["a message to a citizen failed: connector failed"]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (
            "DELETE FROM message WHERE id = (SELECT min(id) FROM message WHERE direction = 'in')",
            "ended without an outcome",
        ),
        (
            "DELETE FROM message WHERE id = (SELECT min(id) FROM message WHERE direction = 'out')",
            "stands in no ledger",
        ),
        ("UPDATE ticket SET tracker_id = NULL", "not in the tracker and nothing will put it there"),
        ("UPDATE ticket SET receipt = 'none'", "has no receipt"),
        ("UPDATE journal SET outcome = 'to send' WHERE outcome LIKE 'sent%'", "nothing will send it"),
    ],
)
def test_what_is_missing_is_named(_busy: Rig, rig: Rig, damage: str, what: str) -> None:
    """Undone afterwards, so that each finds the books whole."""
    store = rig.demo.service.store

    class UndoneError(Exception):
        pass

    def play(connection: object) -> None:
        connection.exec_driver_sql(damage if store.sqlite else damage.replace("%", "%%"))  # type: ignore[attr-defined]
        found = balance(connection)  # type: ignore[arg-type]
        assert not found.balanced and any(what in line.what for line in found.unexplained), found
        raise UndoneError

    with pytest.raises(UndoneError):
        store.write_now(play)
    assert books(rig).balanced
