"""What `make test` and the gate leave out, and why; `make test-real` plays everything.

A test may say so itself (``@pytest.mark.long``). What is told by file or by parameter stands here.
"""

from __future__ import annotations

import re

PROCESS = (
    "tests/e2e/",
    "tests/crashes/test_crash_points.py::test_killed_there",
    "tests/benchmarks/",
    "tests/servers/",
    "tests/toolkit/test_lean.py",
    "tests/config/test_init.py",
    "tests/config/test_mistakes.py",
    "tests/config/test_qr.py",
    "tests/demo/",
    "tests/feeds/test_fetching.py",
    "tests/feeds/test_reading.py",
    "tests/jobs/test_feeds.py",
    "tests/trackers/redmine/test_redmine_http.py::test_no_",
    "tests/trackers/redmine/test_redmine_standin.py",
    "tests/web/test_connections.py",
)
"""Start programs or web servers of their own, or wait for real time: marked ``process``, not in `make test`."""

LONG = re.compile(
    r"""
    # the statements are tested in tests/storage, on both databases
      tests/jobs/(?!test_(create|send|answers)_exactly_once|test_broadcasts).*\[postgresql
    # what the real one answered is recorded, and the stand-in is compared with that
    | tests/demo/redmine/test_parity\.py::test_the_real_server
    | tests/trackers/redmine/test_redmine_rehearsal\.py::.*\[real
    # the same contract is held on the other Redmine, and on that one
    | test_redmine_commit_order\.py::TestRedmineOnPostgres
    | test_redmine_standin\.py::TestStandIn
    # the desk on the stand-in; with the real one what must never go wrong there
    | test_desk_browser\.py::(?!test_a_public_answer_and_a_private_note).*\[real
    # one of three calendars
    | test_opening\.py::test_every_hour_of_a_year.*\[(oac1|bar)
    # narrow and light, wide and dark
    | test_page_browser\.py::.*\[(1440-light|375-dark)
    # further trackers: whoever changes one, or what they share, plays them
    | tests/trackers/(rt|helpdesk|roundup)/
    | tests/trackers/test_hostile_answers\.py::.*\[(rt|helpdesk|roundup)
    # the simulation plays these; here they wait for real processes
    | tests/faults/test_campaign\.py::test_a_real
    | tests/e2e/test_a_day_later\.py
    # tools of developers and operators
    | tests/e2e/test_backup\.py::test_what_was_backed_up
    | tests/benchmarks/
    | tests/servers/
    """,
    re.VERBOSE,
)
"""Minutes of what the gate has seen elsewhere: marked ``long``, not in the gate."""


def marks(nodeid: str) -> list[str]:
    """The names of the markers that a test gets by where it stands."""
    found = ["process"] if nodeid.startswith(PROCESS) else []
    return [*found, "long"] if LONG.search(nodeid) else found
