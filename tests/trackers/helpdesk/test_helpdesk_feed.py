"""What a real server does not do when asked: follow-ups that commit late or are half written, pages, a ticket that
cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.core.errors import Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ticket import Changes, TicketView
from connector.trackers.helpdesk import Config
from connector.trackers.helpdesk.feed import MOST_READS, PAGE, Cursor, Feed
from connector.trackers.helpdesk.view import View, is_settled, own_view

from ..system import Ours

BEGUN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LOOK = 300
CONFIG = Config(url="http://desk.test", api_key="x", account=2, overlap=60, look_every=LOOK)  # type: ignore[arg-type]


class Desk:
    """Tables of tickets and follow-ups, with the server's clock. ``hidden`` has not committed yet."""

    def __init__(self) -> None:
        self.now = BEGUN
        self.tickets: dict[str, dict[str, Any]] = {}
        self.made: list[dict[str, Any]] = []
        self.hidden: set[int] = set()
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.shut = False

    @property
    def served_at(self) -> datetime:
        return self.now

    def open(self) -> list[dict[str, Any]]:
        self.asked.append("open")
        return [row for row in self.all() if row["status"] == 1]

    def all(self) -> list[dict[str, Any]]:
        seen = [{**row, "followup_set": self._of(key)} for key, row in self.tickets.items()]
        return [row for row in seen if str(row["id"]) not in self.broken]

    def one(self, ticket_id: str) -> dict[str, Any]:
        self.asked.append(ticket_id)
        if ticket_id in self.broken:
            raise Unavailable("failed", code="http_500")
        if ticket_id not in self.tickets:
            raise Gone("deleted")
        return {**self.tickets[ticket_id], "followup_set": self._of(ticket_id)}

    def _of(self, ticket_id: str) -> list[dict[str, Any]]:
        return [row for row in self.made if str(row["ticket"]) == ticket_id and row["id"] not in self.hidden]

    def add(self, ticket_id: str, words: str = "Hola", **more: Any) -> int:
        self.tickets.setdefault(ticket_id, {"id": int(ticket_id), "status": 1, "queue": 3, "title": "x", "description": "y"})  # fmt: skip
        row = {
            "id": len(self.made) + 1, "ticket": int(ticket_id), "user": 3, "title": "x", "comment": words, "public": True,
            "date": self.now.isoformat(), "followupattachment_set": [], "message_id": None, "email_recipients": [],
        }  # fmt: skip
        self.made.append({**row, **more})
        return row["id"]  # type: ignore[return-value]

    def page(self, path: str, page_size: int, page: int | str = 1) -> tuple[list[dict[str, Any]], int]:
        assert path == "/followups/"
        rows = sorted((r for r in self.made if r["id"] not in self.hidden), key=lambda r: str(r["date"]))
        last = max(1, -(-len(rows) // page_size))
        number = last if page == "last" else int(page)
        self.asked.append(f"page {last - number} from the last")
        return rows[(number - 1) * page_size : number * page_size], len(rows)

    def sees(self, queue: int) -> None:
        if self.shut:
            raise Forbidden("no right")

    def reference_of(self, row: dict[str, Any]) -> str | None:
        return row.get("reference")

    def view(self, row: dict[str, Any]) -> View:
        return own_view(
            row, account=2, person=str, status=str(row["status"]), closed=row["status"] != 1, queue="3",
            reference=None, now=self.now,
        )  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def poll(desk: Desk, cursor: str, ours: Ours) -> Changes:
    desk.asked.clear()
    feed = Feed(CONFIG, desk, desk, desk)  # type: ignore[arg-type]
    return ours.take(feed.changes(cursor, [3], ours))


def since(desk: Desk) -> str:
    """A cursor that has looked at everything."""
    at = desk.now.isoformat()
    return Cursor(at, looked=int(desk.now.timestamp())).dump()


def words(changes: Changes) -> list[str]:
    return [e.text for ticket in changes.tickets for e in ticket.entries]


def ids(changes: Changes) -> list[str]:
    return [ticket.ticket_id for ticket in changes.tickets]


def test_a_quiet_poll_is_one_call(desk: Desk) -> None:
    desk.add("1", "Abans")
    cursor = since(desk)
    desk.now += timedelta(seconds=1)
    desk.add("1", "Una nota nostra", public=False, user=2)
    changes = poll(desk, cursor, Ours("1"))
    assert ids(changes) == [] and desk.asked == ["page 0 from the last"]


def test_a_follow_up_that_commits_late_is_not_missed(desk: Desk) -> None:
    cursor, ours = since(desk), Ours("1", "2")
    desk.now += timedelta(seconds=1)
    late = desk.add("1")
    desk.hidden.add(late)
    desk.now += timedelta(seconds=1)
    desk.add("2")
    desk.now += timedelta(seconds=20)
    changes = poll(desk, cursor, ours)
    assert ids(changes) == ["2"]
    desk.now += timedelta(seconds=30)
    desk.hidden.clear()
    changes = poll(desk, changes.cursor, ours)
    assert ids(changes) == ["1"]
    changes = poll(desk, changes.cursor, ours)
    assert ids(changes) == [] and "open" not in desk.asked


def test_the_cursor_lets_go_of_what_is_over(desk: Desk) -> None:
    cursor, ours = since(desk), Ours("1")
    for _ in range(30):
        desk.now += timedelta(milliseconds=1)
        desk.add("1")
    changes = poll(desk, cursor, ours)
    assert len(Cursor.load(changes.cursor).read) == 30
    desk.now += timedelta(seconds=61)
    changes = poll(desk, changes.cursor, ours)
    assert ids(changes) == [] and Cursor.load(changes.cursor).read == set()
    desk.add("1")
    assert ids(poll(desk, changes.cursor, ours)) == ["1"]


def test_all_of_several_pages_are_read_and_no_more(desk: Desk) -> None:
    for _ in range(5 * PAGE - 50):
        desk.add("99")
    desk.now += timedelta(minutes=5)
    cursor = since(desk)
    ours = Ours(*map(str, range(1, 21)))
    for n in range(2 * PAGE + 7):
        desk.now += timedelta(milliseconds=1)
        desk.add(str(n % 20 + 1))
    changes = poll(desk, cursor, ours)
    assert sorted(ids(changes), key=int) == list(map(str, range(1, 21)))
    pages = [asked for asked in desk.asked if "page" in asked]
    assert pages == ["page 0 from the last", "page 1 from the last", "page 2 from the last"]


def test_a_backlog_is_read_in_parts_and_none_is_left_out(desk: Desk) -> None:
    cursor = since(desk)
    ours = Ours(*(str(n) for n in range(1, 2 * MOST_READS + 11)))
    desk.now += timedelta(seconds=1)
    for n in ours.watched():
        desk.add(n)
    desk.now += timedelta(hours=5)
    seen: list[str] = []
    for part in range(3):
        changes = poll(desk, cursor, ours)
        assert changes.more is (part < 2)
        cursor, seen = changes.cursor, [*seen, *ids(changes)]
    assert sorted(seen, key=int) == [*ours.watched()]


def test_what_is_not_written_to_the_end_waits_and_its_ticket_with_it(desk: Desk) -> None:
    """django-helpdesk stores the status, then the words, then the files, and then who got mail about it."""
    cursor, ours = since(desk), Ours("1", "2")
    desk.now += timedelta(seconds=1)
    number = desk.add("1", "amb fitxer", email_recipients=None)
    desk.tickets["1"]["status"] = 4
    desk.add("2")
    changes = poll(desk, cursor, ours)
    assert ids(changes) == ["2"]
    file = {"id": 1, "filename": "a.png", "mime_type": "image/png", "size": 3}
    desk.made[number - 1] |= {"followupattachment_set": [file], "email_recipients": []}
    changes = poll(desk, changes.cursor, ours)
    (view,) = changes.tickets
    assert (view.status, view.closed, [f.filename for f in view.entries[0].files]) == ("4", True, ["a.png"])
    assert ids(poll(desk, changes.cursor, ours)) == []


def test_where_nobody_notes_who_got_mail_a_follow_up_is_taken_after_seconds(desk: Desk) -> None:
    cursor, ours = since(desk), Ours("1")
    desk.now += timedelta(seconds=1)
    desk.add("1", email_recipients=None)
    row = dict(desk.made[0])
    del row["email_recipients"]
    assert not is_settled(row, desk.now) and is_settled(row, desk.now + timedelta(seconds=6))
    changes = poll(desk, cursor, ours)
    assert ids(changes) == []
    desk.now += timedelta(seconds=6)
    assert ids(poll(desk, changes.cursor, ours)) == ["1"]


def test_what_leaves_no_follow_up_is_found_at_the_next_look(desk: Desk) -> None:
    ours = Ours("1", "2", "3")
    for n in ours.watched():
        desk.add(n, "Una nota")
    desk.now += timedelta(seconds=90)
    changes = poll(desk, Cursor(desk.now.isoformat()).dump(), ours)
    assert ids(changes) == ["1", "2", "3"], "the first look"
    desk.tickets["1"]["status"] = 4
    desk.made[1]["comment"] = "Una altra nota"
    del desk.tickets["3"]
    assert ids(poll(desk, changes.cursor, ours)) == []
    desk.now += timedelta(seconds=LOOK)
    changes = poll(desk, changes.cursor, ours)
    assert {t.ticket_id: (t.status, words(Changes((t,), ""))) for t in changes.tickets} == {
        "1": ("4", ["Una nota"]),
        "2": ("1", ["Una altra nota"]),
    }
    assert desk.asked.count("open") == 1 and desk.asked[-2:] == ["1", "3"]
    desk.now += timedelta(seconds=LOOK)
    assert ids(poll(desk, changes.cursor, ours)) == [] and "1" not in desk.asked, (
        "closed ones are the sweep's"
    )


def test_a_right_that_is_withdrawn_is_no_silence(desk: Desk) -> None:
    desk.shut = True
    poll(desk, since(desk), Ours("1"))
    desk.now += timedelta(seconds=LOOK)
    with pytest.raises(Forbidden):
        poll(desk, Cursor(desk.now.isoformat()).dump(), Ours("1"))


def test_one_broken_ticket_does_not_stop_the_answers_on_others_and_is_asked_again(desk: Desk) -> None:
    cursor, ours = since(desk), Ours("1", "2", "3")
    desk.now += timedelta(seconds=1)
    for n in ours.watched():
        desk.add(n)
    desk.broken.add("2")
    desk.now += timedelta(minutes=2)
    changes = poll(desk, cursor, ours)
    assert ids(changes) == ["1", "3"]
    desk.broken.clear()
    assert ids(poll(desk, changes.cursor, ours)) == ["2"]


def test_a_stranger_with_a_reference_of_ours_is_told_once(desk: Desk) -> None:
    desk.add("1"), desk.add("2"), desk.add("3")
    desk.tickets["2"]["reference"] = desk.tickets["3"]["reference"] = "SCV-7K3F-9Q"
    ours = Ours("3")
    changes = poll(desk, Cursor(desk.now.isoformat()).dump(), ours)
    assert changes.strangers == (("SCV-7K3F-9Q", "2"),)
    desk.now += timedelta(seconds=LOOK)
    assert poll(desk, changes.cursor, ours).strangers == ()


@pytest.mark.parametrize(
    ("more", "goes_out"),
    [
        ({}, True),
        ({"public": False}, False),
        ({"user": None}, False),
        ({"message_id": "<anybody@example.invalid>"}, False),
        ({"user": 2}, False),
    ],
)
def test_only_what_staff_wrote_for_the_public_is_an_answer(desk: Desk, more: dict[str, Any], goes_out: bool) -> None:  # fmt: skip
    """Mail from anybody and the program's own escalations are public follow-ups, too."""
    desk.add("1", "y", user=2), desk.add("1", "Una resposta", **more)
    view: TicketView = desk.view(desk.one("1")).ticket
    (entry,) = view.entries
    assert (entry.kind == "public_note" and not entry.by_connector) is goes_out


@pytest.mark.parametrize("text", ["", "{}", '{"until":"x","read":[],"looked":0,"newest":0}', "[]", "null"])
def test_a_cursor_that_cannot_be_read_is_said(desk: Desk, text: str) -> None:
    with pytest.raises(Misconfigured):
        poll(desk, text, Ours())
