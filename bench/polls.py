"""What a poll costs the tracker: requests, by the number of open tickets and of changes since the last one."""

from __future__ import annotations

import copy
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector import mapping
from connector.config.settings import Settings, Tracker, WhatsApp
from connector.storage import tables
from connector.storage.store import Connection
from connector.trackers.redmine.http import Connection as RedmineConnection
from connector.wiring import Municipality, make_tracker
from tests.jobs.rig import Rig, rig

from ._report import ROOT, Options, Section
from ._stage import folder, redmine_of_its_own

MAPPING = ROOT / "mappings" / "sant-cebria.toml"
AN_HOUR = timedelta(hours=1)


def measure(options: Options) -> Section:
    section = Section("Polling")
    nothing: dict[int, float] = {}
    for open_tickets in [options.of(n, n // 100 + 1) for n in (100, 10_000, 100_000)]:
        with folder() as place, rig(place) as r, _counted(r) as count:
            _, number = r.citizen().request()
            _clone(r, number, open_tickets - 1)
            _rest(r)
            requests = []
            for _ in range(options.rounds):
                before = count()
                r.poll()
                requests.append(count() - before)
            nothing[open_tickets] = requests[0]
            section.figure(
                f"requests of a poll with nothing new, {open_tickets} open tickets",
                requests,
                "",
                "≤ 2",
                lambda n: n <= 2,
            )
            if open_tickets == options.of(10_000, 101):
                for k in (1, 5, 20):
                    _change(r, k)
                    before = count()
                    r.poll()
                    section.figure(
                        f"requests of a poll with {k} changed tickets, {open_tickets} open",
                        [count() - before],
                        "",
                    )
    same = len(set(nothing.values())) == 1
    section.figure(
        "different numbers of requests with nothing new",
        [len(set(nothing.values()))],
        "",
        "1",
        lambda _: same,
    )
    _real(section, options)
    return section


@contextmanager
def _counted(r: Rig) -> Iterator[Callable[[], int]]:
    """How many requests Redmine's stand-in got."""
    assert r.demo.redmine is not None
    inner, got = r.demo.redmine.app, [0]

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        got[0] += scope["type"] == "http"
        await inner(scope, receive, send)

    r.demo.redmine.app = counting  # type: ignore[assignment]
    yield lambda: got[0]


def _clone(r: Rig, number: int, times: int) -> None:
    """As many open tickets more, on both sides; nothing happened to them for an hour."""
    assert r.demo.redmine is not None
    db = r.demo.redmine.db
    first, made = db.issues[number], []
    for n in range(times):
        issue = copy.copy(first)
        issue.id = db.number("issue")
        issue.created_on = issue.updated_on = first.updated_on - AN_HOUR
        issue.values = {**first.values, 2: _reference(n)}
        db.issues[issue.id] = issue
        made.append(issue.id)
    person = r.sql('SELECT person_id, town, "option", language FROM ticket')[0]

    def rows(connection: Connection) -> None:
        at = time.time() - 3600
        connection.execute(
            tables.ticket.insert(),
            [
                {"town": person[1], "reference": _reference(n), "person_id": person[0], "option": person[2],
                 "language": person[3], "created_at": at, "tracker_id": str(issue), "receipt": "full", "status": "1"}
                for n, issue in enumerate(made)
            ],
        )  # fmt: skip

    if made:
        r.demo.service.store.write_now(rows)


def _reference(n: int) -> str:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "SCV-" + "".join(letters[n >> 5 * i & 31] for i in range(4)) + "-ZZ"


def _change(r: Rig, k: int) -> None:
    """Staff answer on as many tickets."""
    staff = r.staff("alcalde")
    assert r.demo.redmine is not None
    for number in sorted(r.demo.redmine.db.issues)[-k:]:
        staff.write(number, "S'ha passat avís a la brigada")


def _rest(r: Rig) -> None:
    """What was written lately is read a last time once the overlap has passed: only then is there nothing new."""
    for issue in r.demo.redmine.db.issues.values():  # type: ignore[union-attr]
        issue.updated_on = min(issue.updated_on, datetime.now(UTC) - AN_HOUR)
    for _ in range(3):
        r.poll()


def _real(section: Section, options: Options) -> None:
    """The adapter alone on a real Redmine that holds as many open tickets of ours."""
    open_tickets = 5000
    with nullcontext() if options.quick else redmine_of_its_own() as real:
        if real is None:
            section.notes.append("A real Redmine was not there.")
            return
        town = mapping.load(MAPPING)
        settings = Settings(
            mapping=MAPPING, whatsapp=WhatsApp(phone_number_id="1", business_account_id="1"),
            tracker=Tracker(url=real.url, api_key=real.keys["whatsapp.bot"]),  # type: ignore[arg-type]
        )  # fmt: skip
        tracker = make_tracker(Municipality("town", settings, town))
        known = _clone_real(real.database, open_tickets)
        cursor = tracker.start_cursor(None)
        projects, requests, took = [str(town.tracker.project)], [], []
        tracker.changes(cursor, projects, known)
        with _sent() as count:
            for _ in range(options.rounds):
                began, before = time.perf_counter(), count()
                tracker.changes(cursor, projects, known)
                requests.append(count() - before)
                took.append((time.perf_counter() - began) * 1000)
    what = f"a poll with nothing new on a real Redmine, {open_tickets} open tickets"
    section.figure(f"requests of {what}", requests, "", "≤ 2", lambda n: n <= 2)
    section.figure(f"time of {what}", took, "ms")


class _Known(frozenset[str]):
    """Ids of tickets of ours."""

    def watched(self) -> dict[str, str]:
        return dict.fromkeys(self, "")


def _clone_real(database: Path, times: int) -> _Known:
    """As many open issues as asked for, an hour old, put beside Redmine's back; their ids."""
    with sqlite3.connect(database, timeout=30) as db:
        columns = [
            c[1]
            for c in db.execute("PRAGMA table_info(issues)")
            if c[1] not in ("id", "root_id", "lft", "rgt")
        ]
        given = dict.fromkeys(columns, "NULL") | {
            "tracker_id": "1", "project_id": "(SELECT id FROM projects WHERE identifier = 'atencio-ciutadana')",
            "subject": "'Fanal trencat'", "description": "'El fanal no fa llum'", "status_id": "1", "priority_id": "2",
            "author_id": "1", "lock_version": "0", "done_ratio": "0", "is_private": "0",
            "created_on": "datetime('now', '-1 hour')", "updated_on": "datetime('now', '-1 hour')",
        }  # fmt: skip
        n = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"
        names, values = ", ".join(given), ", ".join(given.values())
        before = db.execute("SELECT coalesce(max(id), 0) FROM issues").fetchone()[0]
        db.execute(f"{n} INSERT INTO issues ({names}, lft, rgt) SELECT {values}, 1, 2 FROM n")
        db.execute("UPDATE issues SET root_id = id WHERE root_id IS NULL")
        return _Known(str(row[0]) for row in db.execute("SELECT id FROM issues WHERE id > ?", (before,)))


@contextmanager
def _sent() -> Iterator[Callable[[], int]]:
    """How many requests were made of Redmine."""
    inner, made = RedmineConnection.get, [0]

    def counting(self: RedmineConnection, *given: Any, **more: Any) -> Any:
        made[0] += 1
        return inner(self, *given, **more)

    RedmineConnection.get = counting  # type: ignore[method-assign]
    try:
        yield lambda: made[0]
    finally:
        RedmineConnection.get = inner  # type: ignore[method-assign]
