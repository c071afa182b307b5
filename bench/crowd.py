"""The same with a million people and tickets in the database as with none."""

from __future__ import annotations

import contextlib
import itertools
import time
from datetime import date, timedelta

from sqlalchemy import create_engine, insert, make_url

from connector.storage.store import Connection, Store
from connector.storage.tables import work
from connector.toolkit.privacy import Sealer

from ._report import Options, Section
from ._stage import KEY, POSTGRES, connector, redmine
from .conversation import STORY, steps
from .webhooks import CONNECTIONS

PEOPLE = 1_000_000


def measure(options: Options) -> Section:
    section = Section("A million people and tickets")
    for kind in ("sqlite", *(("postgresql",) if POSTGRES else ())):
        _measured(section, kind, options)
    section.notes.append(
        f"Beside {PEOPLE:,} people and as many open tickets the database holds twice as many messages and rows of work "
        "that are done.".replace(",", "\u202f")
    )
    return section


def _measured(section: Section, kind: str, options: Options) -> None:
    people, count = options.of(300, 5), options.of(2000, 40)
    crowd = options.of(PEOPLE, 1000)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redmine())
        full = stack.enter_context(connector(url, kind, prepare=lambda database: fill(database, crowd)))
        empty = stack.enter_context(connector(url, kind))
        taken: dict[str, list[float]] = {"full": [], "empty": []}
        talked: dict[str, list[float]] = {"full": [], "empty": []}
        for _ in range(options.rounds):
            for name, servers in (("full", full), ("empty", empty)):
                talked[name].append(steps(servers, people))
        for _ in range(options.rounds):
            for name, servers in (("full", full), ("empty", empty)):
                servers[0].load(count=len(STORY), people=1, connections=1)
                seen = servers[0].load(
                    count=count, people=count, connections=CONNECTIONS, replies=count, seconds=240
                )
                taken[name].append(seen["answered"] / seen["accepted_seconds"])
        section.versus(
            f"{kind}: webhooks/s taken in, while they are answered",
            taken["full"],
            "/s",
            "empty database",
            taken["empty"],
            0.9,
        )
        section.versus(
            f"{kind}: conversation steps/s", talked["full"], "/s", "empty database", talked["empty"], 0.9
        )


def _night_is_over(c: Connection) -> None:
    """What goes through everything once a night, each open ticket's journal among it, was done: this is by day."""
    for job, day in itertools.product(("sweep", "retention"), (-1, 0, 1)):
        night = date.today() + timedelta(days=day)
        c.execute(
            insert(work).values(
                town="sant-cebria", lane=job, kind=job, key=f"{job}:sant-cebria:{night}", created_at=0, due_at=0,
                attempts=1, ended_at=0, outcome="done",
            )
        )  # fmt: skip


def fill(url: str, crowd: int) -> None:
    """People with an open ticket each, two messages and two rows of work that are done. By the database itself:
    only numbers differ."""
    store = Store(url, Sealer(KEY))
    try:
        state = store.sealer.seal({})
        content = store.sealer.seal({"text": "El fanal de davant de casa no s'encén des de fa una setmana"})
        now = time.time()

        def rows(c: Connection) -> None:
            if store.sqlite:
                code, n = (
                    "lower(hex(randomblob(13)))",
                    f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {crowd})",
                )
                mark, double = "?", "?"
            else:
                code, n = (
                    "md5(random()::text || clock_timestamp()::text)",
                    f"WITH n(i) AS (SELECT generate_series(1, {crowd}))",
                )
                mark, double = "%s", "%s::double precision"
            town = "'sant-cebria'"
            c.exec_driver_sql(
                f"{n} INSERT INTO person (town, phone_key, state, contact, window_until, created_at, updated_at) "
                f"SELECT {town}, {code}, {mark}, {mark}, 0, {double}, {double} FROM n",
                (state, content, now - 1e6, now - 1e6),
            )
            c.exec_driver_sql(
                f'{n} INSERT INTO ticket (town, reference, person_id, "option", language, content, created_at, tracker_id, '
                f"receipt, status) SELECT {town}, 'OLD-' || i, i, 'mailbox', 'ca', {mark}, {double}, 'old' || i, 'full', '1' FROM n",
                (content, now - 1e6),
            )
            for direction in ("in", "out"):
                c.exec_driver_sql(
                    f"{n} INSERT INTO message (town, direction, key, person_id, about, at, state, changed_at) "
                    f"SELECT {town}, '{direction}', {code}, i, 'OLD-' || i, {double}, 'read', {double} FROM n",
                    (now - 1e6, now - 1e6),
                )
            for kind in ("inbound", "send"):
                c.exec_driver_sql(
                    f"{n} INSERT INTO work (town, lane, kind, key, created_at, due_at, attempts, ended_at, outcome) "
                    f"SELECT {town}, '{kind}:' || i, '{kind}', 'old:{kind}:' || {code}, {double}, {double}, 1, {double}, "
                    "'done' FROM n",
                    (now - 1e6, now - 1e6, now - 1e6),
                )

        store.write_now(rows)
        store.write_now(_night_is_over)
        if not store.sqlite:
            # what the database itself does now and then in the years in which so much comes together
            engine = create_engine(
                make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
            )
            with engine.connect() as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
            engine.dispose()
    finally:
        store.close()
