"""Notifications of WhatsApp that are no message and no status: kept whole, encrypted, for a while."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from connector.toolkit.privacy import Sealer

from .tables import work


@dataclass(frozen=True, slots=True)
class Kept:
    """A notification that was dealt with; ``at`` in Unix seconds."""

    id: int
    at: float
    payload: dict[str, Any]


def _kept(town: str, before: float) -> tuple[Any, ...]:
    ended = (work.c.town == town, work.c.kind == "notice", work.c.ended_at < before)
    return (*ended, work.c.payload.is_not(None), work.c.outcome != "failed")


def naming(
    connection: Connection, sealer: Sealer, town: str, words: Collection[str], now: float
) -> list[Kept]:
    """Those in which one of ``words`` (a number, a user id) stands, oldest first."""
    if not words:
        return []
    query = (
        select(work.c.id, work.c.created_at, work.c.payload).where(*_kept(town, now + 1)).order_by(work.c.id)
    )
    found = []
    for row in connection.execute(query):
        payload = sealer.open(row.payload)
        text = json.dumps(payload, ensure_ascii=False)
        if any(word in text for word in words):
            found.append(Kept(row.id, row.created_at, payload))
    return found


def empty(connection: Connection, ids: Collection[int]) -> None:
    """Erase the content of these."""
    connection.execute(update(work).where(work.c.id.in_(list(ids))).values(payload=None))


def count(connection: Connection, town: str, before: float) -> int:
    """How many were dealt with before then and are still whole."""
    return int(
        connection.execute(select(func.count()).select_from(work).where(*_kept(town, before))).scalar_one()
    )


def forget(connection: Connection, town: str, before: float) -> int:
    """Erase the content of those; their number."""
    return int(connection.execute(update(work).where(*_kept(town, before)).values(payload=None)).rowcount)
