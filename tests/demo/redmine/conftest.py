"""The stand-in, served over real HTTP on loopback, with a clock that can be moved."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn

from connector.demo.redmine.app import RedmineStandIn


@dataclass
class Clock:
    """The real time, moved forward by ``wait`` instead of sleeping."""

    ahead: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return time.time() + self.ahead

    def wait(self, seconds: float) -> None:
        with self.lock:
            self.ahead += seconds


@dataclass(frozen=True)
class Served:
    """A running stand-in: its address, itself, and its clock."""

    url: str
    stand_in: RedmineStandIn
    clock: Clock


@pytest.fixture(scope="session")
def _served() -> Iterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        clock = Clock()
        stand_in = RedmineStandIn(public_url=url, clock=clock)
        server = uvicorn.Server(
            uvicorn.Config(stand_in.app, log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(url, stand_in, clock)
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def served(_served: Served) -> Iterator[Served]:
    """The stand-in with its starting data; whatever a test changes is gone afterwards."""
    yield _served
    _served.stand_in.reset()
