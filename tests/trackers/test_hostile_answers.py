"""Whatever a tracker answers: an error of ours or a value, an end, and nothing private made public."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import examples

from . import hostile
from .helpdesk import support as helpdesk
from .redmine import support as redmine
from .roundup import support as roundup
from .rt import support as rt
from .system import System

HERE = Path(__file__).parent


def _every(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _every(inner)


def _redmine_public(row: dict[str, Any]) -> bool:
    return row.get("private_notes") is False


def _rt_public(row: dict[str, Any]) -> bool:
    return row.get("Type") == "Correspond"


def _redmine(salt: str) -> System:
    return redmine.system("http://redmine.test", live=False, salt=salt)


def _rt(salt: str) -> System:
    return rt.system("http://rt.test", live=False, salt=salt)


def _helpdesk(salt: str) -> System:
    return helpdesk.system("http://helpdesk.test", live=False, salt=salt)


def _roundup(salt: str) -> System:
    return roundup.system("http://roundup.test", live=False, salt=salt)


def _marked_public(row: dict[str, Any]) -> bool:
    return row.get("public") in (1, True)


KINDS: dict[str, tuple[Callable[[str], System], Callable[[dict[str, Any]], bool]]] = {
    "redmine": (_redmine, _redmine_public),
    "rt": (_rt, _rt_public),
    "helpdesk": (_helpdesk, _marked_public),
    "roundup": (_roundup, _marked_public),
}


@pytest.mark.parametrize("kind", KINDS)
@given(test=st.sampled_from(hostile.TESTS), at=st.integers(1, 14), spoil=hostile.spoilt())
@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
def test_one_answer_that_is_spoilt(kind: str, test: str, at: int, spoil: Any) -> None:
    make, public = KINDS[kind]
    if not (HERE / kind / "cassettes" / f"{test}.yaml").is_file():
        return  # what this kind of tracker cannot do
    watched, spoiler = hostile.play(HERE / kind / "cassettes" / f"{test}.yaml", test, make, at, spoil)
    assert not watched.wrong
    marked = {str(row.get("id")) for answer in spoiler.served for row in _every(answer) if public(row)}
    assert hostile.public_keys(watched.views) <= marked, "only what is marked as public is public"


@pytest.mark.parametrize("kind", KINDS)
def test_unspoilt_the_recorded_tests_are_played_to_their_end(kind: str) -> None:
    seen = set()
    for test in hostile.TESTS:
        file = HERE / kind / "cassettes" / f"{test}.yaml"
        if not file.is_file():
            continue
        watched, spoiler = hostile.play(file, test, KINDS[kind][0], 0, lambda response: response)
        assert not watched.wrong
        assert spoiler.adapters > 3
        seen |= hostile.public_keys(watched.views)
    assert seen, "public notes were among it"
