"""Whatever a GeoReport server answers: an error of ours or a value, and an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import examples

from .. import hostile
from . import test_open311_contract as contract
from .standin import Standin, serving
from .support import system

TESTS = tuple(test for test in hostile.TESTS if hasattr(contract.TestOpen311, test))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Standin, str]]:
    standin = Standin()
    with serving(standin) as url:
        yield standin, url


def played(served: tuple[Standin, str], test: str, at: int, spoil: hostile.Spoil) -> tuple[Any, Any]:
    standin, url = served
    return hostile.play_on(system(standin, url, lambda _: None), test, contract.TestOpen311(), at, spoil)


@given(test=st.sampled_from(TESTS), at=st.integers(1, 14), spoil=hostile.spoilt())
@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
def test_one_answer_that_is_spoilt(served: tuple[Standin, str], test: str, at: int, spoil: Any) -> None:
    watched, _ = played(served, test, at, spoil)
    assert not watched.wrong


def test_unspoilt_there_is_something_to_spoil(served: tuple[Standin, str]) -> None:
    asked = [played(served, test, 0, lambda response: response) for test in TESTS]
    assert not [watched.wrong for watched, _ in asked if watched.wrong]
    assert sum(spoiler.adapters for _, spoiler in asked) > 3 * len(TESTS)
