"""A store in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.storage.store import Store
from connector.toolkit.privacy import Sealer

KEY = "a-key-of-the-tests-with-forty-characters"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'c.db'}", Sealer(KEY))
    yield opened
    opened.close()
