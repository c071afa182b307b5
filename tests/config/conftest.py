"""The other sides, served once for each file of tests, and a process without settings in its environment."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tests.e2e.way import port

from .sides import Others


@pytest.fixture(scope="module")
def server() -> Iterator[Others]:
    number = port()
    url = f"http://127.0.0.1:{number}"
    others = Others(url, None, None)  # type: ignore[arg-type]
    others.renew()
    running = uvicorn.Server(uvicorn.Config(others, port=number, log_config=None, lifespan="off"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started and thread.is_alive():
        time.sleep(0.01)
    yield others
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def others(server: Others) -> Others:
    server.renew()
    return server


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("CONNECTOR_")]:
        monkeypatch.delenv(name)
