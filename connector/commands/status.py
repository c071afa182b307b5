"""``connector status``: what waits and what failed, and what became of every message."""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connector.storage import overview
from connector.storage.books import Books, balance
from connector.storage.store import Connection

from .town_database import in_database


def status(path: Path) -> dict[str, Any]:
    """What waits and what failed by kind, the oldest due row, what is paused, last signs of life, alarms.

    Times are Unix seconds; ages are seconds.
    """
    now = time.time()

    def look(connection: Connection) -> dict[str, Any]:
        found = overview.look(connection, now)
        return {
            "waiting": found.waiting_count,
            "failed": found.failed_count,
            "oldest": found.oldest,
            "paused": [asdict(p) for p in found.paused],
            "templates": [asdict(t) for t in found.alarms],
            "broadcasts": [
                {"id": b.id, "town": b.town, "since": b.changed_at, "why": b.why} for b in found.halted
            ],
            "feeds": [asdict(f) for f in found.sources],
            "towns": found.signs,
            "numbers": {town: asdict(number) for town, number in found.numbers.items()},
            "gone": found.gone,
            "version": version("connector"),
            "database": connection.dialect.name,
            "database_version": ".".join(map(str, connection.dialect.server_version_info or ())),
        }

    return in_database(path, look)


def ledger(path: Path) -> Books:
    """The books of the database: every message with its outcome, and what has none."""
    return in_database(path, balance)
