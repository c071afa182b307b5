"""When nobody listened: a silence in such a time says nothing about what WhatsApp may have told us."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from . import cursors
from .tables import work

Spans = tuple[tuple[float, float], ...]
"""From and until, in Unix seconds."""

NAME = "listening"
_KEPT = 50
"""Spans that are remembered; older ones are no longer between a try and its answer."""
_PAUSE = 3600.0
"""Seconds; the longest wait for WhatsApp's next try that is reckoned with."""
_SHORT = 1.0
"""Seconds; a shorter span is none."""


def begin(connection: Connection, now: float) -> Spans:
    """The service begins to listen. Returns when nobody did, the time until now included.

    What proves that somebody listened is the last ``beat``, or the last row of work.
    """
    spans = _load(connection)
    beat = cursors.age(connection, cursors.EVERYWHERE, NAME)
    row = connection.execute(select(work.c.created_at).order_by(work.c.id.desc()).limit(1)).scalar()
    last = max((at for at in (beat, row) if at is not None), default=None)
    if last is not None and now - last > _SHORT:
        spans = (*spans, (last, now))[-_KEPT:]
    cursors.save(connection, cursors.EVERYWHERE, NAME, json.dumps(spans), now)
    return spans


def beat(connection: Connection, now: float) -> None:
    """Somebody listens now."""
    cursors.save(connection, cursors.EVERYWHERE, NAME, json.dumps(_load(connection)), now)


def heard(spans: Spans, since: float, now: float) -> float:
    """Seconds between ``since`` and ``now`` in which somebody listened, and WhatsApp can be expected to have spoken.

    It tries again «with decreasing frequency» (CLOUD-API.md 1) what it could not deliver: the longer nobody listened,
    the longer its next try may take, about as long again.
    """
    silent = 0.0
    reached = since
    for begun, until in spans:
        until += min(until - begun, _PAUSE)
        silent += max(0.0, min(until, now) - max(begun, reached))
        reached = max(reached, until)
    return now - since - silent


def _load(connection: Connection) -> Spans:
    found = cursors.get(connection, cursors.EVERYWHERE, NAME)
    return () if found is None else tuple((float(a), float(b)) for a, b in json.loads(found))
