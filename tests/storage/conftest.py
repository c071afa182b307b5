"""A store on a database of its own, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.storage.store import Store
from connector.toolkit.privacy import Sealer
from tests.databases import BOTH, database

KEY = "a-key-of-the-tests-with-forty-characters"


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    with database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url, Sealer(KEY))
    yield opened
    opened.close()
