"""Commits out of order, as only a Redmine on PostgreSQL shows them: SQLite has one writer at a time.

Redmine sets ``updated_on`` before its transaction commits. One that takes long becomes visible with a time that
lies before what was read already, and its journal with a lower id than journals that were read already.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from connector.core.ticket import Changes

from ..contract import TrackerContract
from ..system import System
from . import support

pytestmark = pytest.mark.real

HELD = "held back"
OVERLAP = 6.0
_LOCK = 260031
_TRIGGER = f"""
CREATE OR REPLACE FUNCTION hold_back() RETURNS trigger AS $$
  BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); RETURN NULL; END
$$ LANGUAGE plpgsql;
DROP TRIGGER IF EXISTS hold_back ON journals;
CREATE TRIGGER hold_back AFTER INSERT ON journals FOR EACH ROW WHEN (NEW.notes LIKE '{HELD}%')
  EXECUTE FUNCTION hold_back();
"""


class TestRedmineOnPostgres(TrackerContract):
    @pytest.fixture
    def system(self, redmine: Any) -> System:
        return support.system(redmine.commonmark_url, live=True, salt=support.fresh_salt())


@pytest.fixture
def real(redmine: Any) -> System:
    return support.system(redmine.commonmark_url, live=True, salt=support.fresh_salt())


@contextlib.contextmanager
def held_back(redmine: Any, system: System, ticket_id: str, text: str) -> Iterator[None]:
    """A note that is written, with time and id, and becomes visible when the block ends."""
    with psycopg.connect(redmine.commonmark_database_url, autocommit=True) as database:
        database.execute(_TRIGGER)
        database.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        writing = threading.Thread(target=system.staff.reply, args=(ticket_id, f"{HELD}: {text}"))
        writing.start()
        try:
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"
            )
            while database.execute(waiting, [_LOCK]).fetchone() == (0,):
                assert writing.is_alive(), "the note was written without waiting"
            yield
        finally:
            database.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
            writing.join(20)


def notes(changes: Changes) -> list[str]:
    return [e.text for view in changes.tickets for e in view.entries if e.text]


def test_a_note_that_commits_after_a_later_one_is_not_missed(redmine: Any, real: System) -> None:
    slow, quick = (real.tracker.create(real.ticket(name)).ticket_id for name in ("slow", "quick"))
    projects, known = [real.routing.project], {slow, quick}
    cursor = real.tracker.start_cursor()
    real.new_second()
    with held_back(redmine, real, slow, "first"):
        real.new_second()
        real.new_second()
        real.staff.reply(quick, "second")
        real.wait(3)
        early = real.tracker.changes(cursor, projects, known)
        assert notes(early) == ["second"]
        (before,) = (t for t in early.tickets if t.ticket_id == quick)
        real.wait(3)
        early = real.tracker.changes(early.cursor, projects, known)
        assert not real.tracker.changes(early.cursor, projects, known).tickets, "both were read whole"
    late = real.tracker.changes(early.cursor, projects, known)
    assert notes(late) == [f"{HELD}: first"]
    (shown,) = late.tickets
    assert shown.updated_at < before.updated_at, "it has an older time than what was read before"
    assert int(shown.entries[-1].key) < int(before.entries[-1].key), "and a lower number"


def test_a_note_that_commits_late_in_a_second_that_was_read_is_not_missed(redmine: Any, real: System) -> None:
    """``updated_on`` does not move: the list looks as it did before."""
    clock = support.Clock(live=True)
    tracker = support.tracker(redmine.commonmark_url, clock=clock, overlap=OVERLAP)
    projects = [real.routing.project]
    while True:
        cursor = tracker.start_cursor()
        ticket_id = tracker.create(real.ticket(support.fresh_salt())).ticket_id
        real.new_second()
        real.staff.reply(ticket_id, "first")
        with held_back(redmine, real, ticket_id, "second"):
            first = tracker.changes(cursor, projects, {ticket_id})
            clock.wait(3)
            early = tracker.changes(first.cursor, projects, {ticket_id})
            assert notes(early) == ["first"]
            assert not tracker.changes(early.cursor, projects, {ticket_id}).tickets, "the second is over"
        if tracker.read(ticket_id).updated_at == early.tickets[0].updated_at:
            break
    clock.wait(OVERLAP)
    late = tracker.changes(early.cursor, projects, {ticket_id})
    assert notes(late) == ["first", f"{HELD}: second"]
    assert not tracker.changes(late.cursor, projects, {ticket_id}).tickets


def test_a_ticket_that_commits_after_we_looked_for_it_is_found(redmine: Any, real: System) -> None:
    """The list that says «it is not there» may be read while it is being made."""
    ticket = real.ticket("not yet there")
    with psycopg.connect(redmine.commonmark_database_url) as database:
        # Redmine numbers nothing while this table is locked: its transaction waits with the issue in it
        database.execute("LOCK TABLE custom_values IN ACCESS EXCLUSIVE MODE")
        creating = threading.Thread(target=real.tracker.create, args=(ticket,), daemon=True)
        creating.start()
        creating.join(2)
        assert creating.is_alive()
        database.rollback()
        creating.join(20)
    found = support.tracker(redmine.commonmark_url).find(ticket.reference)
    assert found is not None and found.duplicates == ()
