"""Staff see a code for a person, the same on all of their tickets; number and name only as the mapping allows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.way import field_of

from .rig import Citizen, Rig

PSEUDONYM = 3
"""The custom field «Telèfon (pseudònim)» of the seeded tracker."""


@pytest.fixture
def shown(rig: Rig) -> Iterator[Rig]:
    """A mapping that a test may change."""
    before = rig.town.town
    yield rig
    rig.town.town = before


def shows(rig: Rig, **what: bool) -> None:
    town = rig.town.town
    rig.town.town = town.model_copy(update={"tracker": town.tracker.model_copy(update=what)})


def seen(rig: Rig, citizen: Citizen, text: str) -> tuple[str, str]:
    """Everything staff see of a request, and the code of its person."""
    citizen.tap("menu:mayor")
    citizen.type(text)
    rig.later(30)
    citizen.tap("draft:send")
    rig.later(1)
    ticket = rig.ticket(rig.sql("SELECT reference FROM ticket ORDER BY id DESC")[0][0])
    return json.dumps(ticket, ensure_ascii=False), field_of(ticket, PSEUDONYM)


def test_by_default_staff_see_a_code_and_nobody(rig: Rig) -> None:
    citizen, other = rig.citizen().accept(), rig.citizen().accept()
    first, code = seen(rig, citizen, "La primera petició")
    second, again = seen(rig, citizen, "La segona petició")
    third, another = seen(rig, other, "La d'algú altre")
    assert code and code == again != another
    for ticket in (first, second, third):
        for private in (str(citizen.person.phone)[2:], citizen.person.name, citizen.person.user_id, "wamid"):
            assert private not in ticket


@pytest.mark.parametrize("what", ["show_name", "show_phone"])
def test_number_and_name_are_shown_only_where_the_mapping_says_so(shown: Rig, what: str) -> None:
    shows(shown, **{what: True})
    citizen, hidden = shown.citizen().accept(), shown.citizen(hidden=True).accept()
    ticket, _ = seen(shown, citizen, "Una petició amb nom o número")
    assert (citizen.person.name in ticket) == (what == "show_name")
    assert (f"+{citizen.person.phone}" in ticket) == (what == "show_phone")
    ticket, _ = seen(shown, hidden, "Una petició de qui amaga el número")
    assert str(hidden.person.phone)[2:] not in ticket and hidden.person.user_id not in ticket
