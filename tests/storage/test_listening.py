"""Time in which nobody listened."""

from __future__ import annotations

from connector.storage import cursors, listening, work
from connector.storage.store import Store


def test_what_proves_that_somebody_listened_is_a_beat_or_a_row_of_work(store: Store) -> None:
    def begin(now: float) -> listening.Spans:
        return store.write_now(lambda c: listening.begin(c, now))

    assert begin(100) == (), "the first time of all"
    store.write_now(lambda c: listening.beat(c, 130))
    assert begin(150) == ((130, 150),)
    store.write_now(lambda c: work.put(c, store.sealer, town="t", lane="l", kind="k", payload={}, now=170))
    assert begin(200) == ((130, 150), (170, 200))
    assert begin(200.5) == ((130, 150), (170, 200)), "a replica more: somebody listened all the time"
    for n in range(100):
        spans = begin(1000 + 10 * n)
    assert len(spans) < 60 and spans[-1] == (1980, 1990)
    assert store.read_now(cursors.signs) == {}, "no town's cursor"


def test_what_was_heard_is_the_time_without_the_spans_and_as_long_again_after_each() -> None:
    spans = ((10.0, 20.0), (40.0, 45.0))
    assert listening.heard((), 5, 50) == 45
    assert listening.heard(spans, 5, 60) == 55 - 20 - 10
    assert listening.heard(spans, 15, 42) == 10
    assert listening.heard(spans, 12, 28) == 0, "WhatsApp may not have tried again yet"
    assert listening.heard(spans, 45, 60) == 10
    assert listening.heard(((10.0, 20.0), (22.0, 24.0)), 10, 40) == 10, (
        "spans that reach into each other count once"
    )
    assert listening.heard(((0.0, 90_000.0),), 0, 100_000) == 10_000 - 3600, "it tries again within the hour"
