"""The contract on the Redmine stand-in that `connector demo` runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import uvicorn

from connector.core.errors import Ambiguous, Forbidden
from connector.core.ports import Tracker
from connector.demo.redmine.app import RedmineStandIn

from ..contract import TrackerContract
from ..system import Ours, System
from . import support


class Server:
    """A stand-in being served; ``now`` is its clock while it is set, in seconds since 1970."""

    def __init__(self, port: int, date_header: bool = False) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.now: float | None = None
        self.redmine = RedmineStandIn(public_url=self.url, clock=lambda: self.now or time.time())
        # Redmine's own server, Puma, sends no Date header; a web server before it does.
        config = uvicorn.Config(self.redmine.app, port=port, log_level="error", date_header=date_header)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)
        assert self._server.started
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def server(free_port: int) -> Iterator[Server]:
    with Server(free_port) as running:
        yield running


class TestStandIn(TrackerContract):
    @pytest.fixture
    def system(self, free_port: int) -> Iterator[System]:
        with Server(free_port, date_header=True) as server:
            yield support.system(server.url, live=True, salt="stand-in")


def everything(tracker: Tracker, cursor: str, known: Sequence[str]) -> tuple[list[str], str]:
    """Polls until there is nothing more to fetch at once; ids as they came, and the cursor."""
    seen: list[str] = []
    for _ in range(50):
        changes = tracker.changes(cursor, [support.ROUTING.project], Ours(*known))
        cursor = changes.cursor
        seen += [t.ticket_id for t in changes.tickets]
        if not changes.more:
            return seen, cursor
    raise AssertionError("a poll that never ends")


def test_more_changes_in_one_second_than_a_page_holds(server: Server) -> None:
    clock = support.Clock(live=False)
    tracker = support.tracker(server.url, clock=clock)
    staff = support.RedmineStaff(server.url)
    cursor = tracker.start_cursor()
    server.now = 1_800_000_000.25
    made = [staff.open_with_reference(f"SCV-{n:04}-99") for n in range(230)]
    seen: set[str] = set()
    for _ in range(12):
        changes = tracker.changes(cursor, [support.ROUTING.project], Ours(*made))
        cursor = changes.cursor
        seen.update(t.ticket_id for t in changes.tickets)
        clock.wait(3)
        if not changes.more and not changes.tickets:
            break
    assert seen == set(made)
    assert everything(tracker, cursor, made)[0] == []


def test_one_broken_ticket_does_not_stop_the_answers_on_others(server: Server) -> None:
    clock = support.Clock(live=False)
    tracker = support.tracker(server.url, clock=clock)
    staff = support.RedmineStaff(server.url)
    cursor = tracker.start_cursor()
    broken, good = (staff.open_with_reference(f"SCV-{n:04}-98") for n in range(2))
    server.redmine.faults.add({"match": f"GET /issues/{broken}.json", "http": 500, "times": 2})
    for _ in range(2):
        seen, cursor = everything(tracker, cursor, [broken, good])
        assert broken not in seen
        assert good in seen
    clock.wait(3)
    assert broken in everything(tracker, cursor, [broken, good])[0]


def test_a_change_that_becomes_visible_late_is_not_missed(server: Server) -> None:
    """``updated_on`` is set before a transaction commits; a slow one appears behind the cursor."""
    clock = support.Clock(live=False)
    tracker = support.tracker(server.url, clock=clock)
    staff = support.RedmineStaff(server.url)
    cursor = tracker.start_cursor()
    server.now = 1_800_000_000.5
    late, other = (staff.open_with_reference(f"SCV-{n:04}-97") for n in range(2))
    server.now += 100
    staff.reply(other, "Abans")
    _, cursor = everything(tracker, cursor, [late, other])
    clock.wait(3)
    _, cursor = everything(tracker, cursor, [late, other])
    server.now -= 60
    staff.reply(late, "Tard")
    seen, _ = everything(tracker, cursor, [late, other])
    assert seen == [late]


def test_a_poll_costs_the_same_with_many_open_tickets(server: Server) -> None:
    clock = support.Clock(live=False)
    tracker = support.tracker(server.url, clock=clock)
    staff = support.RedmineStaff(server.url)
    cursor = tracker.start_cursor()
    server.now = 1_800_000_000.0
    made = [staff.open_with_reference(f"SCV-{n:04}-96") for n in range(40)]
    _, cursor = everything(tracker, cursor, made)
    clock.wait(3)
    server.now += 600
    staff.reply(made[7], "Hola")
    _, cursor = everything(tracker, cursor, made)
    clock.wait(3)
    _, cursor = everything(tracker, cursor, made)
    asked: list[str] = []
    get = tracker.http.get
    tracker.http.get = lambda path, params=(): (asked.append(path), get(path, params))[1]  # type: ignore
    assert everything(tracker, cursor, made)[0] == []
    assert asked == ["/users/current.json", "/issues.json"]


def test_each_change_is_read_at_once_after_its_second_and_after_the_overlap(server: Server) -> None:
    clock = support.Clock(live=False)
    tracker = support.tracker(server.url, clock=clock, overlap=60)
    staff = support.RedmineStaff(server.url)
    cursor = tracker.start_cursor()
    changed, deleted = made = [staff.open_with_reference(f"SCV-{n:04}-95") for n in range(2)]
    reads = []
    for seconds in (0, 3, 20, 20, 20, 20, 20):
        clock.wait(seconds)
        seen, cursor = everything(tracker, cursor, made)
        reads.append(seen)
        if seconds == 3:
            staff.delete(deleted)
    assert reads == [made, made, [], [], [changed], [], []]
    assert f'"{deleted}"' not in cursor, "what is gone holds nothing up"


def test_a_lost_answer_is_found_and_one_never_sent_is_not(server: Server) -> None:
    system = support.system(server.url, live=True, salt="faults")
    one, two = system.ticket("dropped after"), system.ticket("dropped before")
    assert system.tracker.verify([("menu[0].route", system.routing)]) == []
    for ticket, when, exists in ((one, "after", True), (two, "before", False)):
        server.redmine.faults.add({"match": "POST /*issues.json", "drop": when})
        with pytest.raises(Ambiguous):
            system.tracker.create(ticket)
        assert (system.tracker.find(ticket.reference) is not None) is exists


def test_a_membership_that_ends_is_forbidden_and_not_quiet(server: Server) -> None:
    system = support.system(server.url, live=True, salt="membership")
    assert system.tracker.verify([("menu[0].route", system.routing)]) == []
    cursor = system.tracker.start_cursor()
    server.redmine.remove_member("atencio-ciutadana", "whatsapp-bot")
    with pytest.raises(Forbidden):
        system.tracker.find(system.reference("any"))
    with pytest.raises(Forbidden):
        system.tracker.changes(cursor, [system.routing.project], Ours())


def test_rights_that_go_are_found(server: Server) -> None:
    system = support.system(server.url, live=True, salt="rights")
    for right in ("add_issues", "edit_issues", "add_issue_watchers", "view_private_notes"):
        server.redmine.set_permission("Robot WhatsApp", right, False)
        findings = system.tracker.verify([("menu[0].route", system.routing)])
        assert any(f"({right})" in f.mend for f in findings if f.severity == "error"), right
        server.redmine.set_permission("Robot WhatsApp", right, True)


def test_a_closed_project_is_found(server: Server) -> None:
    system = support.system(server.url, live=True, salt="closed project")
    server.redmine.close_project("atencio-ciutadana")
    findings = system.tracker.verify([("menu[0].route", system.routing)])
    assert any("closed" in f.problem for f in findings)


def test_after_a_restart_the_first_call_knows_the_project_too(server: Server) -> None:
    made = support.tracker(server.url).create(
        support.system(server.url, live=True, salt="start").ticket("start")
    )
    view = support.tracker(server.url).read(made.ticket_id)
    assert view.project == support.ROUTING.project
    left = support.tracker(server.url).flag(made.ticket_id, status="Comentaris", watchers=())
    assert not left and support.tracker(server.url).read(made.ticket_id).status == "Comentaris"
