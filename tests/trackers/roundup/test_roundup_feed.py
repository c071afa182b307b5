"""What a real server does not do when asked: transactions that commit late, lists that are cut, an issue that cannot be
read, more than fits into one look."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connector.core.errors import Forbidden, Misconfigured, Unavailable
from connector.core.ticket import Changes
from connector.trackers.roundup.config import Config
from connector.trackers.roundup.feed import MOST_READS, Feed
from connector.trackers.roundup.http import Api, Item, Params
from connector.trackers.roundup.names import Names, Person
from connector.trackers.roundup.view import Reader, stamp

from ..system import Ours

BEGUN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CONFIG = Config(
    url="http://roundup.test", api_key=SecretStr("bot:x"), reference_field="reference", overlap=60
)
NAMES = Names(
    me="4", home="http://roundup.test/", classes=frozenset({"issue", "msg", "file"}), people={4: Person("bot", "Robot")},
    projects={3: "Incidències"}, choices={"status": {1: "unread", 8: "resolved"}, "priority": {}, "keyword": {}},
    sees_issues=True,
)  # fmt: skip


class Tables(Api):
    """Roundup's tables behind its lists, with its clock. What is ``hidden`` has not committed yet."""

    def __init__(self) -> None:
        super().__init__(CONFIG)
        self.clock = BEGUN
        self.items: dict[str, dict[str, Item]] = {"issue": {}, "msg": {}, "file": {}}
        self.hidden: set[str] = set()
        self.broken: set[str] = set()
        self.lacking: set[str] = set()
        self.read_whole: list[str] = []
        self.calls = 0

    def add(self, klass: str, **properties: Any) -> str:
        number, now = str(len(self.items[klass]) + 1), stamp(self.clock)
        own = {
            "issue": {
                "title": "x",
                "status": "1",
                "messages": [],
                "files": [],
                "project": "3",
                "reference": None,
            }
        }
        base = {"id": number, "creator": "4", "creation": now, "activity": now, "author": "5", "files": []}
        self.items[klass][number] = {**base, **own.get(klass, {"content": "Hola", "public": 1}), **properties}
        return number

    def issue(self) -> str:
        return self.add("issue", messages=[self.add("msg", public=0)])

    def reply(self, issue: str) -> str:
        message = self.add("msg")
        self.items["issue"][issue]["messages"].append(message)
        self.items["issue"][issue]["activity"] = stamp(self.clock)
        return message

    def listed(self, klass: str, filters: Params, fields: Iterable[str], *, verbose: int = 0) -> list[Item]:
        self.calls += 1
        self.served_at = self.clock
        wanted: dict[str, list[str]] = {}
        for name, value in filters:
            wanted.setdefault(name, []).append(value)
        if klass == "issue" and "id" in wanted:
            self.read_whole += wanted["id"]
            if self.broken & set(wanted["id"]):
                raise Unavailable("failed", code="http_500")
        rows = [r for r in self.items[klass].values() if r["id"] not in self.hidden or klass != "issue"]
        return [
            {k: v for k, v in row.items() if k not in self.lacking}
            for row in rows
            if all(self.fits(row, name, values) for name, values in wanted.items())
        ]

    def fits(self, row: Item, name: str, values: list[str]) -> bool:
        if name == "activity":
            return bool(row["activity"] >= values[0].removesuffix(";"))
        return bool(set(values) & set(row[name] if isinstance(row[name], list) else [row[name]]))


class Known:
    def now(self, *, younger_than: float = 0) -> Names:
        return NAMES

    def project(self, wanted: str) -> int | None:
        return 3 if wanted == "Incidències" else None

    def place(self, project: str | None) -> str:
        return "Incidències"


@pytest.fixture
def tables() -> Tables:
    return Tables()


def poll(tables: Tables, cursor: str, ours: Ours, project: str = "Incidències") -> Changes:
    feed = Feed(tables, Reader(tables, Known(), CONFIG))  # type: ignore[arg-type]
    return ours.take(feed.changes(cursor, [project], ours))


def ids(changes: Changes) -> list[str]:
    return [ticket.ticket_id for ticket in changes.tickets]


def test_what_commits_late_is_not_missed(tables: Tables) -> None:
    late, early = tables.issue(), tables.issue()
    ours = Ours(late, early)
    tables.hidden.add(late)
    tables.clock += timedelta(seconds=20)
    changes = poll(tables, stamp(BEGUN), ours)
    assert ids(changes) == [early]
    tables.clock += timedelta(seconds=30)
    tables.hidden.clear()
    changes = poll(tables, changes.cursor, ours)
    assert ids(changes) == [late]
    assert ids(poll(tables, changes.cursor, ours)) == []


def test_what_happens_in_the_second_of_a_look_is_seen_by_the_next(tables: Tables) -> None:
    issue = tables.issue()
    ours = Ours(issue)
    message = tables.reply(issue)
    changes = poll(tables, stamp(BEGUN), ours)
    tables.items["msg"][message]["content"] = "Una altra cosa"
    tables.clock += timedelta(seconds=5)
    (view,) = poll(tables, changes.cursor, ours).tickets
    assert [e.text for e in view.entries] == ["Una altra cosa"]
    assert ids(poll(tables, changes.cursor, ours)) == []


def test_a_message_that_was_changed_alone_moves_its_issue(tables: Tables) -> None:
    issue = tables.issue()
    ours = Ours(issue)
    message = tables.reply(issue)
    tables.clock += timedelta(hours=1)
    changes = poll(tables, stamp(BEGUN), ours)
    tables.clock += timedelta(hours=1)
    changes = poll(tables, changes.cursor, ours)
    assert ids(changes) == []
    tables.items["msg"][message] |= {"public": 0, "activity": stamp(tables.clock)}
    assert ids(poll(tables, changes.cursor, ours)) == [issue]


def test_a_quiet_poll_is_two_calls_also_long_after_the_last_change(tables: Tables) -> None:
    ours = Ours(tables.issue())
    tables.clock += timedelta(seconds=5)
    changes = poll(tables, stamp(BEGUN), ours)
    tables.clock += timedelta(hours=9)
    changes = poll(tables, changes.cursor, ours)
    tables.calls = 0
    poll(tables, changes.cursor, ours)
    assert tables.calls == 2


def test_a_backlog_is_read_in_parts_and_none_is_left_out(tables: Tables) -> None:
    all_of_them = [tables.issue() for _ in range(2 * MOST_READS + 10)]
    ours = Ours(*all_of_them)
    tables.clock += timedelta(hours=5)
    cursor, seen = stamp(BEGUN), []
    for part in range(3):
        changes = poll(tables, cursor, ours)
        assert changes.more is (part < 2)
        cursor, seen = changes.cursor, [*seen, *ids(changes)]
    assert seen == all_of_them


def test_one_broken_issue_does_not_stop_the_others_and_comes_again(tables: Tables) -> None:
    one, two = tables.issue(), tables.issue()
    ours = Ours(one, two)
    tables.broken.add(two)
    tables.clock += timedelta(hours=1)
    changes = poll(tables, stamp(BEGUN), ours)
    assert ids(changes) == [one]
    tables.clock += timedelta(hours=1)
    tables.broken.clear()
    assert ids(poll(tables, changes.cursor, ours)) == [two]


def test_when_none_can_be_read_it_is_not_quiet(tables: Tables) -> None:
    issue = tables.issue()
    tables.broken.add(issue)
    with pytest.raises(Unavailable):
        poll(tables, stamp(BEGUN), Ours(issue))


@pytest.mark.parametrize("property_", ["status", "messages", "creator", "activity"])
def test_a_property_out_of_our_sight_is_not_quiet(tables: Tables, property_: str) -> None:
    issue = tables.issue()
    tables.lacking.add(property_)
    with pytest.raises(Forbidden):
        poll(tables, stamp(BEGUN), Ours(issue))


def test_a_project_out_of_our_sight_is_not_quiet(tables: Tables) -> None:
    with pytest.raises(Forbidden):
        poll(tables, stamp(BEGUN), Ours(tables.issue()), project="Enlloc")


@pytest.mark.parametrize("text", ["", "{}", "2026-11-25T12:00:00Z", "null"])
def test_a_cursor_that_cannot_be_read_is_said(tables: Tables, text: str) -> None:
    with pytest.raises(Misconfigured):
        poll(tables, text, Ours())


@pytest.mark.parametrize("total", [-1, 7])
def test_a_list_that_was_cut_is_no_answer(monkeypatch: pytest.MonkeyPatch, total: int) -> None:
    api = Api(CONFIG)
    monkeypatch.setattr(api, "read", lambda path, params: {"collection": [{"id": "1"}], "@total_size": total})
    with pytest.raises(Unavailable):
        api.listed("issue", [], ["title"])
