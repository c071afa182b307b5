"""The whole product in one process between the stand-ins, with little patience, so that faults can be played."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from connector.commands.demo import Demo
from connector.jobs.runtime import Pace, Runtime
from tests.databases import BOTH, database
from tests.e2e.way import KEYS, Phone, Staff, ids, mapping, until
from tests.sim.life import Scheduler
from tests.sim.stage import virtual_demo

from .rig import Rig
from .rig import rig as start_rig


@dataclass
class World:
    """Everything running, reachable from inside."""

    demo: Demo
    url: str
    count: int = 0

    @property
    def town(self) -> Runtime:
        return next(iter(self.demo.service.towns.values()))

    def phone(self, hidden: bool = False) -> Phone:
        self.count += 1
        return Phone(self.url, f"Persona {self.count}", f"3460000{2000 + self.count}", hidden)

    def accepted(self) -> Phone:
        phone = self.phone()
        phone.type("Hola")
        phone.next()
        phone.tap("consent:yes")
        phone.next()
        return phone

    def written(self, text: str = "Hi ha un fanal trencat") -> Phone:
        """Somebody whose request is ready to be sent."""
        phone = self.accepted()
        phone.tap("menu:mayor")
        phone.next()
        phone.type(text)
        assert "draft:send" in ids(phone.next())
        return phone

    def staff(self, login: str = "alcalde") -> Staff:
        return Staff(f"{self.url}/tracker", KEYS[login])

    def poll(self) -> None:
        httpx.post(f"{self.url}/demo/poll")

    def whatsapp_fault(self, **fault: Any) -> None:
        httpx.post(f"{self.url}/_phone/faults", json=[fault]).raise_for_status()

    def tracker_fault(self, **fault: Any) -> None:
        httpx.post(f"{self.url}/_redmine/faults", json=[fault]).raise_for_status()

    def tracker_faults_left(self) -> int:
        return len(httpx.get(f"{self.url}/_redmine/faults").json())

    def rows(self, where: str = "1=1") -> list[dict[str, Any]]:
        def look(connection: Any) -> list[dict[str, Any]]:
            return [
                dict(r._mapping)
                for r in connection.exec_driver_sql(f"SELECT * FROM work WHERE {where} ORDER BY id")
            ]

        return self.demo.service.store.read_now(look)

    def idle(self) -> None:
        """Wait until nothing is due any more."""
        until(
            "nothing waits",
            lambda: not self.rows(f"ended_at IS NULL AND kind != 'poll' AND due_at < {time.time() + 60}"),
            30,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with virtual_demo(folder, mapping=mapping(folder)) as stage:
        worker = stage.demo.service.worker
        worker.clock = stage.loop.wall
        worker.ticks._scheduler = Scheduler()
        for town in stage.demo.service.towns.values():
            town.pace = Pace(settle=3, silence=3, first=0.3, longest=2, attempts=4)
        running = stage.demo._lifespan(stage.demo.app)
        stage.loop.run_until_complete(running.__aenter__())
        yield World(stage.demo, stage.demo.url)
        stage.loop.run_until_complete(running.__aexit__(None, None, None))


@pytest.fixture(scope="module", params=BOTH)
def _rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("rig")
    with database(request.param, folder) as url, start_rig(folder, url) as made:
        yield made


@pytest.fixture
def rig(_rig: Rig) -> Iterator[Rig]:
    """Everything step by step; afterwards every fault happened, so that none was tested in vain."""
    yield _rig
    left = _rig.faults_left()
    _rig.demo.meta.faults.waiting.clear()
    assert _rig.demo.redmine is not None
    _rig.demo.redmine.faults.clear()
    assert left == 0, "a fault that was asked for did not happen"
