"""Token buckets: what may go out at once, over restarts and replicas."""

from __future__ import annotations

import secrets

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.storage import buckets
from connector.storage.buckets import Rate
from connector.storage.store import Store
from tests.fuzz import examples

PAIR = Rate(1 / 6, 45)


def take(store: Store, now: float, **rates: Rate) -> float:
    return store.write_now(lambda connection: buckets.take(connection, rates, now))


def test_a_burst_goes_and_then_one_every_six_seconds(store: Store) -> None:
    assert [take(store, 1000, a=PAIR) for _ in range(45)] == [0] * 45
    assert take(store, 1000, a=PAIR) == 6
    assert take(store, 1005.9, a=PAIR) > 0
    assert take(store, 1006, a=PAIR) == 0
    assert take(store, 1006, b=PAIR) == 0, "another person has their own"


def test_what_one_bucket_lacks_is_taken_from_none(store: Store) -> None:
    few, many = Rate(1, 1), Rate(1, 2)
    assert take(store, 0, few=few, many=many) == 0
    assert take(store, 0, few=few, many=many) == 1
    assert take(store, 0, many=many) == 0, "its second token is still there"


def test_a_clock_that_is_set_back_fills_nothing(store: Store) -> None:
    rate = Rate(1, 2)
    assert [take(store, 1000, a=rate), take(store, 1000, a=rate)] == [0, 0]
    assert take(store, 10, a=rate) == 1


def test_a_bucket_that_is_full_again_is_forgotten(store: Store) -> None:
    take(store, 1000, a=PAIR)
    assert store.write_now(lambda c: buckets.full_before(c, 1000)) == 0
    assert store.write_now(lambda c: buckets.full_before(c, 90_000)) == 1


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60))
@settings(
    deadline=None, max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_never_more_than_the_rate_in_any_stretch_of_time(store: Store, gaps: list[float]) -> None:
    rate, name = Rate(1 / 2, 5), secrets.token_hex(8)
    now, went = 1000.0, []
    for gap in gaps:
        now += gap
        if not take(store, now, **{name: rate}):
            went.append(now)
    for i, start in enumerate(went):
        for n, end in enumerate(went[i:], 1):
            assert n <= rate.burst + (end - start) * rate.per_second + 1e-6
