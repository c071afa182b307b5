"""A stage for each test (the page, Meta's stand-in and a Redmine, all new), and a browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from page_support import Stage, Tickets
from seat import Seat

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage().open() as opened:
        yield opened


@pytest.fixture
def seat(chromium: Browser, stage: Stage) -> Iterator[Seat]:
    seat = Seat(chromium, stage)
    yield seat
    seat.close()


@pytest.fixture(params=["stand-in", "real"])
def desk_seat(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Seat]:
    """The desk before the stand-in for Redmine, and before a real one."""
    real = request.getfixturevalue("redmine") if request.param == "real" else None
    with Stage(Tickets(real.url, real.keys) if real else None).open() as stage:
        seat = Seat(chromium, stage)
        yield seat
        seat.close()
