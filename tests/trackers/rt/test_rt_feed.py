"""What a real server does not do when asked: transactions that commit late, pages, a ticket that cannot be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.core.errors import Misconfigured, Unavailable
from connector.core.ticket import Changes, TicketView
from connector.trackers.rt.feed import MOST_READS, Cursor, Feed
from connector.trackers.rt.names import Queue

from ..system import Ours

BEGUN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
QUEUES = [Queue(5, "Incidències", "Incidències", "default", True, True, {})]


class Log:
    """RT's table of transactions, with its clock. ``visible`` hides what has not committed yet."""

    def __init__(self) -> None:
        self.now = BEGUN
        self.made: list[dict[str, Any]] = []
        self.hidden: set[int] = set()
        self.broken: set[str] = set()
        self.reads: list[str] = []

    @property
    def served_at(self) -> datetime:
        return self.now

    def add(self, ticket: str, kind: str = "Correspond") -> int:
        number = len(self.made) + 1
        at = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.made.append({"id": str(number), "ObjectId": ticket, "Type": kind, "Created": at})
        return number

    def some(self, path: str, query: str = "", per_page: int = 20, **_: Any) -> list[dict[str, Any]]:
        if path == "/tickets":
            return []
        above = re.search(r"\bid > (\d+)", query)
        assert path == "/transactions" and above and "TicketQueue = '5'" in query
        rows = [r for r in self.made if int(r["id"]) > int(above[1]) and int(r["id"]) not in self.hidden]
        return rows[:per_page]

    def shows(self, queue: Queue) -> bool:
        return True

    def read(self, ticket_id: str) -> TicketView:
        if ticket_id in self.broken:
            raise Unavailable("failed", code="http_500")
        self.reads.append(ticket_id)
        return TicketView(ticket_id, None, "open", False, "Incidències", self.now)


@pytest.fixture
def log() -> Log:
    return Log()


def poll(log: Log, cursor: str, *ours: str) -> Changes:
    feed = Feed(log, log, log.read, timedelta(seconds=60), "Referència")  # type: ignore[arg-type]
    return feed.changes(cursor, QUEUES, Ours(*ours))


def ids(changes: Changes) -> list[str]:
    return [ticket.ticket_id for ticket in changes.tickets]


def test_a_lower_number_that_commits_late_is_not_missed(log: Log) -> None:
    late = log.add("1")
    log.hidden.add(late)
    log.add("2")
    log.now += timedelta(seconds=20)
    changes = poll(log, Cursor().dump(), "1", "2")
    assert ids(changes) == ["2"]
    log.now += timedelta(seconds=30)
    log.hidden.clear()
    changes = poll(log, changes.cursor, "1", "2")
    assert ids(changes) == ["1"]
    assert ids(poll(log, changes.cursor, "1", "2")) == []


def test_the_cursor_lets_go_of_what_is_over(log: Log) -> None:
    for _ in range(30):
        log.add("1")
    changes = poll(log, Cursor().dump(), "1")
    log.now += timedelta(seconds=61)
    changes = poll(log, changes.cursor, "1")
    assert ids(changes) == [] and Cursor.load(changes.cursor) == Cursor(30)
    log.add("1")
    assert ids(poll(log, changes.cursor, "1")) == ["1"]


def test_all_of_several_pages_are_seen_and_each_ticket_is_read_once(log: Log) -> None:
    for n in range(250):
        log.add(str(n % 20))
        log.add("not ours")
    changes = poll(log, Cursor().dump(), *map(str, range(20)))
    assert sorted(ids(changes), key=int) == list(map(str, range(20))) == sorted(log.reads, key=int)


def test_a_backlog_is_read_in_parts_and_none_is_left_out(log: Log) -> None:
    ours = [str(n) for n in range(3 * MOST_READS)]
    for ticket in ours:
        log.add(ticket)
    log.now += timedelta(hours=5)
    cursor, seen = Cursor().dump(), []
    for part in range(3):
        changes = poll(log, cursor, *ours)
        assert changes.more is (part < 2)
        cursor, seen = changes.cursor, [*seen, *ids(changes)]
    assert seen == ours


def test_one_broken_ticket_does_not_stop_the_answers_on_others_and_is_asked_again(log: Log) -> None:
    log.add("1"), log.add("2"), log.add("3")
    log.broken.add("2")
    log.now += timedelta(minutes=5)
    changes = poll(log, Cursor().dump(), "1", "2", "3")
    assert ids(changes) == ["1", "3"]
    log.broken.clear()
    assert ids(poll(log, changes.cursor, "1", "2", "3")) == ["2"]


def test_that_a_ticket_of_ours_was_made_is_no_news(log: Log) -> None:
    log.add("1", "Create")
    assert ids(poll(log, Cursor().dump(), "1")) == []
    log.add("1", "Status")
    assert ids(poll(log, Cursor().dump(), "1")) == ["1"]


@pytest.mark.parametrize("text", ["", "{}", '{"until":"x","read":[]}', "[]", "null"])
def test_a_cursor_that_cannot_be_read_is_said(log: Log, text: str) -> None:
    with pytest.raises(Misconfigured):
        poll(log, text)
