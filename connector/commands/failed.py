"""``connector failed``: rows that failed for good are listed, put back, or given up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from connector import config, wiring
from connector.storage import given_up

from .town_database import in_database


def rows(path: Path) -> list[dict[str, Any]]:
    """Rows that failed for good, without their content."""
    return in_database(path, given_up.failed_rows)


def retry(path: Path, row: int) -> bool:
    """Put a failed row back."""
    return in_database(path, lambda connection: given_up.reopen(connection, row, time.time()))


def adopt(path: Path, row: int, ticket: str) -> bool:
    """Put back a failed row that was to make a ticket: a person found that ticket in the tracker, under that number."""
    store = wiring.open_store(config.load(path), migrate=False)
    try:
        now = time.time()
        return store.write_now(
            lambda c: given_up.reopen_with(c, store.sealer, row, "create", now, ticket=ticket)
        )
    finally:
        store.close()


def drop(path: Path, row: int) -> bool:
    """Give a failed row up."""
    return in_database(path, lambda connection: given_up.drop(connection, row))
