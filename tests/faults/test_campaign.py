"""The campaign, small: the real program between a bad network, SIGKILL, citizens and staff; then balanced books.

Large: ``make faults PEOPLE=2000 KILLS=300``. What it shows and what it found: docs/reliability.md.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .campaign import Plan, Report, run, say
from .citizens import citizen
from .proxy import CALM, Script

KINDS = 8
"""Kinds of faults that even a small campaign must have played, or it shows nothing."""


def balanced(report: Report, plan: Plan) -> None:
    print("\n".join(report.lines()))
    assert not report.books.differences, "\n".join(["the books differ:", *report.books.differences])
    figures = report.books.figures
    assert figures["requests"] == figures["tickets"] == figures["receipts"] >= plan.people
    assert report.kills == plan.kills and report.unreachable
    assert len([kind for kind in report.faults if not kind.startswith("webhooks")]) >= KINDS, report.faults


@pytest.mark.real
@pytest.mark.timeout(300)
def test_a_real_redmine_and_an_embedded_database(tmp_path: Path) -> None:
    plan = Plan(people=8, kills=4, seed=20261124, tracker="redmine", say=say)
    balanced(asyncio.run(run(plan, tmp_path)), plan)


@pytest.mark.real
@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_real_request_tracker(tmp_path: Path) -> None:
    plan = Plan(people=8, kills=4, seed=20261126, tracker="rt", say=say)
    balanced(asyncio.run(run(plan, tmp_path)), plan)


@pytest.mark.real
@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_real_django_helpdesk(tmp_path: Path) -> None:
    plan = Plan(people=8, kills=4, seed=20261127, tracker="helpdesk", say=say)
    balanced(asyncio.run(run(plan, tmp_path)), plan)


@pytest.mark.real
@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_real_roundup(tmp_path: Path) -> None:
    plan = Plan(people=8, kills=4, seed=20261127, tracker="roundup", say=say)
    balanced(asyncio.run(run(plan, tmp_path)), plan)


@pytest.mark.real
@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_replicas_on_a_postgresql_that_is_restarted(tmp_path: Path) -> None:
    plan = Plan(people=20, kills=12, seed=20261125, postgres=True, replicas=2, say=say)
    report = asyncio.run(run(plan, tmp_path))
    balanced(report, plan)
    assert report.restarts == 1


def test_the_same_seed_plays_the_same_script() -> None:
    for n in range(40):
        assert citizen(7, n, "A") == citizen(7, n, "A")
        assert citizen(7, n, "A") != citizen(8, n, "A")
    kinds = ("POST /issues.json", "GET /issues/N", "PUT /issues/N", "POST /v23.0/N/messages")
    one, two, other = (
        [Script(seed, "redmine", 0.5).fate(kind, n) for kind in kinds for n in range(50)]
        for seed in (7, 7, 8)
    )
    assert one == two != other
    assert 0 < one.count(CALM) < len(one)


def test_a_network_that_is_calm_disturbs_nothing() -> None:
    script = Script(7, "meta", 1.0)
    assert script.next("POST /messages") is not CALM
    script.calm = True
    assert all(script.next("POST /messages") is CALM for _ in range(50))
