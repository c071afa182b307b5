"""Tickets a second from «send» to a real Redmine, against a client that only posts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connector.toolkit.http import sync_client

from ._report import Options, Section
from ._stage import Redmine, Server, connector, redmine, redmine_of_its_own

ABREAST = 4
"""Calls side by side: as many as the connector makes (``worker.py``)."""
TEXT = "El fanal de davant de casa no s'encén des de fa una setmana"

_WHY = (
    "Redmine computes one request at a time, so that both can only keep it busy. A bare client does so without a break. "
    "Ours begins with what everybody's tap costs, and has something to keep before and after each call: that it is about "
    "to be made, and what came of it. What comes next is claimed meanwhile (`worker.py`)."
)


def measure(options: Options) -> Section:
    section = Section("Tickets")
    if options.quick:
        with redmine() as url:
            _measured(section, Redmine(url, {}), options, "the stand-in for Redmine")
        return section
    with redmine_of_its_own() as real:
        if real is None:
            section.notes.append("A real Redmine was not there.")
        else:
            _measured(section, real, options, "a real Redmine")
    return section


def _measured(section: Section, tracker: Redmine, options: Options, where: str) -> None:
    requests = options.of(400, 4)
    ours, bare = [], []
    with connector(tracker.url, env={"CONNECTOR_TRACKER__POLL_EVERY": "3600"}, receipt=120) as (server,):
        _post(tracker, requests // 4 + 1)  # what a Redmine loads with its first requests counts for neither
        for n in range(options.rounds):
            ours.append(_sent(server, requests, first=(n + 1) * 10_000))
            bare.append(_post(tracker, requests))
    section.notes.append(_WHY)
    section.versus(
        f"tickets/s from «send» to {where}, receipts sent", ours, "/s", "a client that only posts", bare, 0.95
    )


def _sent(server: Server, people: int, first: int) -> float:
    """Drafts are written and shown first; what is measured begins with the taps on «send»."""
    for story, replies in ((["Hola", "@consent:yes", "@menu:mailbox"], 3), ([TEXT], 1)):
        seen = server.load(
            count=people * len(story), people=people, first_person=first, story=story, replies=people * replies,
            connections=min(16, people - 1), seconds=120,
        )  # fmt: skip
        assert seen["taken"] == people * replies, (
            f"{seen['taken']} of {people * replies} replies: {seen['codes']}"
        )
    seen = server.load(
        count=people,
        people=people,
        first_person=first,
        story=["@draft:send"],
        replies=people,
        connections=16,
        seconds=300,
    )
    assert seen["taken"] == people, f"{seen['taken']} of {people} receipts: {seen['codes']}"
    return float(people / seen["seconds"])


def _post(tracker: Redmine, count: int) -> float:
    """Tickets a second that a bare client makes, with the fields that ours have."""
    issue: dict[str, Any] = {
        "project_id": "atencio-ciutadana", "subject": f"{TEXT[:40]} [XXX-0000-00]", "description": TEXT,
        "tracker_id": 1, "priority_id": 2, "custom_fields": [{"id": 2, "value": "XXX-0000-00"}],
    }  # fmt: skip
    headers = {"X-Redmine-API-Key": tracker.keys.get("whatsapp.bot", "b0" * 20)}

    def some(share: int) -> None:
        with sync_client(tracker.url, timeout=60, headers=headers) as client:
            for _ in range(share):
                client.post("/issues.json", json={"issue": issue}).raise_for_status()

    began = time.monotonic()
    with ThreadPoolExecutor(ABREAST) as pool:
        list(pool.map(some, [count // ABREAST + (n < count % ABREAST) for n in range(ABREAST)]))
    return count / (time.monotonic() - began)
