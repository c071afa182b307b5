"""What operators ask of a database from outside the service: what waits, what failed, put back, give up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from connector import config, wiring
from connector.storage import pauses, work
from connector.storage.store import Connection

T = TypeVar("T")


def _in(path: Path, job: Callable[[Connection], T]) -> T:
    store = wiring.open_store(config.load(path))
    try:
        return store.write_now(job)
    finally:
        store.close()


def status(path: Path) -> dict[str, Any]:
    """Counts of waiting and failed rows by kind, age of the oldest due one, and paused destinations."""

    def look(connection: Connection) -> dict[str, Any]:
        return {
            **work.counts(connection, time.time()),
            "paused": [asdict(p) for p in pauses.every(connection)],
        }

    return _in(path, look)


def failed(path: Path) -> list[dict[str, Any]]:
    """Rows that failed for good, without their content."""
    return _in(path, work.failed_rows)


def retry(path: Path, row: int) -> bool:
    """Put a failed row back."""
    return _in(path, lambda connection: work.reopen(connection, row, time.time()))


def drop(path: Path, row: int) -> bool:
    """Give a failed row up."""
    return _in(path, lambda connection: work.drop(connection, row))
