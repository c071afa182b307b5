"""Where the processor time of taking in one webhook goes: its parts, each alone in this process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from connector.storage import people, work
from connector.storage.store import Connection, Store
from connector.toolkit.observe import configure_logging, get_logger
from connector.toolkit.privacy import Pseudonyms, Sealer
from connector.whatsapp.payloads import parse, to_json
from connector.whatsapp.signature import verify

from ._load import Spec, message
from ._report import Options, Section
from ._stage import KEY, folder

TOGETHER = 32
"""Notifications that are one write, as under load."""


def measure(section: Section, options: Options) -> None:
    """Add a line for each part, least time of the rounds."""
    many, now = options.of(3200, 64), datetime.now(UTC)
    spec = Spec(secret="secret", people=many, count=many)
    bodies = [json.dumps(message(spec, n, int(now.timestamp()))).encode() for n in range(many)]
    messages = [parse(body, now).inbound[0] for body in bodies]
    sealer, codes, seen = Sealer(KEY), Pseudonyms(b"p" * 32), "sha256=" + "0" * 64
    log = get_logger(__name__)
    with _quiet():
        for what, each in (
            ("signature", lambda n: verify(bodies[n], seen, ("secret",))),
            ("taken apart", lambda n: parse(bodies[n], now)),
            (
                "pseudonyms of message and person",
                lambda n: (codes.of("wamid", messages[n].id), people.lane_of(codes, "t", messages[n].sender)),
            ),
            ("encrypted", lambda n: sealer.seal({"message": to_json(messages[n])})),
            (
                "a line in the log",
                lambda n: log.info("message received", town="sant-cebria", trace="abcdefghijk2"),
            ),
        ):
            section.figure(f"of it: {what}", [_least(each, many, options)], "µs")
    with folder() as place:
        store = Store(f"sqlite:///{place / 'connector.db'}", sealer)
        section.figure(
            f"of it: inserted, {TOGETHER} together, without the disk", [_inserted(store, many)], "µs"
        )
        store.close()


def _least(each: Callable[[int], Any], many: int, options: Options) -> float:
    took = []
    for _ in range(options.rounds):
        began = time.process_time()
        for n in range(many):
            each(n)
        took.append((time.process_time() - began) / many * 1e6)
    return min(took)


def _inserted(store: Store, many: int) -> float:
    rows = [
        work.new(store.sealer, town="t", lane=f"in:{n}", kind="inbound", payload={}, now=0, key=f"in:{n}")
        for n in range(many)
    ]

    def insert(connection: Connection) -> float:
        began = time.process_time()
        for n in range(0, many, TOGETHER):
            work.put_all(connection, rows[n : n + TOGETHER])
        return (time.process_time() - began) / many * 1e6

    return store.write_now(insert)


@contextmanager
def _quiet() -> Any:
    """Lines of the log are written, and go nowhere."""
    before = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        configure_logging("info", "json")
        yield
    finally:
        os.dup2(before, 2)
        os.close(nowhere)
        os.close(before)
        configure_logging("error")
