"""Token buckets: how much may go out at once. Kept in the database, so that neither a restart nor a replica adds any."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from .dialect import upsert
from .tables import bucket

_EPSILON = 1e-6
"""Seconds; less than that is rounding, not waiting."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` tokens flow in, up to ``burst``."""

    per_second: float
    burst: float


_BY_NAME = select(bucket).where(bucket.c.name == bindparam("of")).with_for_update()


def take(connection: Connection, rates: Mapping[str, Rate], now: float) -> float:
    """Take one token of each bucket. 0.0 when all had one; otherwise nothing is taken and the seconds until they have."""
    left: dict[str, float] = {}
    wait = 0.0
    for name in sorted(rates):  # one order for all replicas: no two wait for each other
        rate = rates[name]
        tokens = _level(connection, name, rate, now)
        left[name] = tokens - 1.0
        wait = max(wait, (1.0 - tokens) / rate.per_second)
    if wait > _EPSILON:
        return wait
    for name, tokens in left.items():
        upsert(connection, bucket, {"name": name}, {"tokens": tokens, "at": now})
    return 0.0


def ready(connection: Connection, rates: Mapping[str, tuple[Rate, float]], now: float) -> tuple[int, float]:
    """How many tokens all buckets have, beyond what stands beside each rate as what is to be left in it; and the seconds
    until there is one more."""
    many, wait = math.inf, 0.0
    for name in sorted(rates):
        rate, spare = rates[name]
        over = _level(connection, name, rate, now) - spare
        many = min(many, over)
        wait = max(wait, (max(0, int(over + _EPSILON)) + 1 - over) / rate.per_second)
    return max(0, int(many + _EPSILON)), wait


def spend(connection: Connection, rates: Mapping[str, tuple[Rate, float]], many: int, now: float) -> None:
    """Take so many tokens of each bucket, which ``ready`` said are there."""
    for name in sorted(rates) if many else ():
        tokens = _level(connection, name, rates[name][0], now) - many
        upsert(connection, bucket, {"name": name}, {"tokens": tokens, "at": now})


def _level(connection: Connection, name: str, rate: Rate, now: float) -> float:
    """The tokens in a bucket; it stays locked until the transaction ends."""
    found = connection.execute(_BY_NAME, {"of": name}).first()
    # a clock that was set back fills nothing, one that was set forward no more than the burst
    flown = 0.0 if found is None else max(0.0, now - found.at) * rate.per_second
    return rate.burst if found is None else min(rate.burst, found.tokens + flown)


def full_before(connection: Connection, before: float) -> int:
    """Forget buckets not used since ``before``, which are full again by then; the number of those."""
    return int(connection.execute(bucket.delete().where(bucket.c.at < before)).rowcount)
