"""The contract on a real Redmine, and what only a real one shows."""

from __future__ import annotations

import pytest

from ..contract import TrackerContract
from ..system import System
from . import support

pytestmark = pytest.mark.real


class TestRealRedmine(TrackerContract):
    @pytest.fixture
    def system(self, redmine) -> System:  # type: ignore[no-untyped-def]
        return support.system(redmine.url, live=True, salt=support.fresh_salt())
