"""Two replicas on one database, one of which stands still for longer than its lease and then goes on.

It stands exactly where that hurts: what it is about to do is stored, and nothing was sent. The other one carries it
out meanwhile, as it has to. Nothing outside can tell the two apart: only the first one itself can leave it.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RedmineServer
from tests.databases import database

from .way import KEYS, Phone, Process, Staff, configure, ids, mapping, port, reference_in, until

LEASE = 3.0
"""Seconds; the waits after which a send or a ticket is repeated are those of ``launch.PACE``."""


@dataclass
class Two:
    """Meta's stand-in, and two replicas of which only ``first`` gets webhooks; neither is started."""

    meta: str
    first: Process
    second: Process


@pytest.fixture
def two(redmine: RedmineServer, tmp_path: Path) -> Iterator[Two]:
    secret = {name: secrets.token_hex(12) for name in ("app_secret", "token", "verify")}
    meta, webs = port(), (port(), port())
    stand_in = Process(
        "Meta's stand-in",
        [sys.executable, "-m", "connector.demo.meta", "--port", str(meta),
         "--webhook", f"http://127.0.0.1:{webs[0]}/webhook/whatsapp", "--app-secret", secret["app_secret"],
         "--access-token", secret["token"], "--verify-token", secret["verify"]],
        f"http://127.0.0.1:{meta}/_phone/people",
        tmp_path / "meta.log",
    )  # fmt: skip
    with ExitStack() as stack:
        url = stack.enter_context(database("postgresql", tmp_path))
        replicas = []
        for name, web in zip(("first", "second"), webs, strict=True):
            folder = tmp_path / name
            folder.mkdir()
            config = configure(
                folder, port=web, meta=f"http://127.0.0.1:{meta}", redmine=redmine.url, database=url,
                mapping_file=mapping(folder), **secret,
            )  # fmt: skip
            command = [sys.executable, "-m", "tests.e2e.launch", str(config), str(LEASE)]
            replicas.append(Process(name, command, f"http://127.0.0.1:{web}/health/live", folder / "log"))
        for process in (stand_in, *replicas):
            stack.callback(process.stop)
        stand_in.start()
        yield Two(f"http://127.0.0.1:{meta}", *replicas)


def freeze(two: Two, at: str) -> None:
    two.first.env = {"CONNECTOR_CRASH": f"stop at {at}"}
    two.first.start()


def carried_on(two: Two, phone: Phone) -> None:
    """The second replica goes on where the first stands; then the first wakes up and leaves it."""
    until("it stands still", lambda: "SIGSTOP at crash point" in two.first.log.read_text())
    phone.none_more(1)
    two.second.start()


def wake(two: Two) -> None:
    assert two.first.process is not None
    two.first.process.send_signal(signal.SIGCONT)
    until("the first replica notices", lambda: "lease lost" in two.first.log.read_text())


@pytest.mark.real
def test_a_message_is_sent_once_though_its_sender_stood_still(two: Two) -> None:
    freeze(two, "send.trying")
    phone = Phone(two.meta, "Persona", "34600000078")
    phone.type("Hola")
    carried_on(two, phone)
    assert "consent:yes" in ids(phone.next())
    wake(two)
    phone.none_more(4)
    phone.tap("consent:yes")
    assert "menu:mayor" in ids(phone.next()), "and everything goes on"


@pytest.mark.real
def test_one_ticket_though_its_maker_stood_still(two: Two, redmine: RedmineServer) -> None:
    freeze(two, "create.trying")
    phone = Phone(two.meta, "Persona", "34600000079")
    phone.type("Hola")
    phone.next()
    for choice in ("consent:yes", "menu:mayor"):
        phone.tap(choice)
        phone.next()
    phone.type("Quan arreglareu la vorera?")
    assert "draft:send" in ids(phone.next())
    phone.tap("draft:send")
    carried_on(two, phone)
    reference = reference_in(phone.next())
    wake(two)
    time.sleep(2)
    assert len(Staff(redmine.url, KEYS["oac"]).tickets(reference)) == 1
