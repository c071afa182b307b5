"""A service with the operations page and something of everything on it: nothing is carried out, nothing moves."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from connector import mapping
from connector.config.settings import Privacy, Server, Settings, Tracker, WhatsApp
from connector.storage import cursors, numbers, pauses, people, templates, tickets, work
from connector.storage.numbers import Number
from connector.storage.store import Connection
from connector.wiring import Municipality, Service
from tests.e2e.way import until

MAPPING = Path(__file__).resolve().parents[2] / "mappings" / "sant-cebria.toml"
PASSWORD = "un-fanal-verd-i-tres-gavines"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> «\"' 34600000001 wamid.ABC123=="
NAME = "sant-cebria"


def service(folder: Path, *, password: str = PASSWORD) -> Service:
    """Without workers: nobody starts its lifespan."""
    settings = Settings(
        mapping=MAPPING,
        database=f"sqlite:///{folder / 'c.db'}",  # type: ignore[arg-type]
        server=Server(ops=bool(password), ops_password=password),  # type: ignore[arg-type]
        whatsapp=WhatsApp(
            api_url="http://127.0.0.1:9",
            phone_number_id="100000000000001",
            business_account_id="200000000000001",
            access_token="token",  # type: ignore[arg-type]
            app_secret="secret",  # type: ignore[arg-type]
            verify_token="verify-me",  # type: ignore[arg-type]
        ),
        tracker=Tracker(url="http://127.0.0.1:9", api_key="key"),  # type: ignore[arg-type]
        privacy=Privacy(key="a-key-of-the-tests-with-forty-characters"),  # type: ignore[arg-type]
    )
    return Service([Municipality(NAME, settings, mapping.load(MAPPING))])


def fill(made: Service) -> list[int]:
    """Everything that can be on the page; the ids of the rows that failed."""
    store, now = made.store, time.time()

    def put(connection: Connection, kind: str, lane: str, at: float, due: float | None = None) -> None:
        payload: dict[str, Any] = {"text": "El fanal de la Maria", "person": 1, "about": ""}
        work.put(
            connection, store.sealer, town=NAME, lane=lane, kind=kind, payload=payload, now=at, due_at=due
        )

    def write(connection: Connection) -> list[int]:
        failed = []
        for n, kind in enumerate(("create", "send", "attach")):
            put(connection, kind, f"f:{n}", now - 86_400 * 2)
            (row,) = work.claim(connection, store.sealer, kinds=[kind], now=now, lease=5, limit=1)
            error = HOSTILE if n == 1 else "the tracker does not take it: Tracker can't be blank"
            work.fail(connection, row, error, now - 3600 * (n + 1))
            failed.append(row.id)
        for n in range(3):
            put(connection, "poll", "poll", now - 60 * n)
            (row,) = work.claim(connection, store.sealer, kinds=["poll"], now=now, lease=5, limit=1)
            work.end(connection, row, "nothing new" if n else "2 new entries", now - 30 * n)
        put(connection, "create", "t:1", now - 1900)
        put(connection, "send", "out:1", now - 1200)
        put(connection, "send", "held:2", now - 86_400 * 3, now + 1e8)
        put(connection, "quiet", "quiet:1", now - 3, now + 20)
        pauses.begin(
            connection, NAME, "tracker", "the tracker could not be reached", now - 1900, (15, 900), "outage"
        )
        cursors.save(connection, NAME, "poll", "x", now - 1900)
        cursors.save(connection, NAME, "webhook", "", now - 5)
        told = Number(quality="YELLOW", limit="TIER_2K")
        numbers.save(connection, NAME, told, now - 600)
        templates.save(connection, NAME, "resposta_disponible", "ca", "APPROVED", "", now - 86_400)
        why = "WhatsApp does not let it be sent (paused)"
        templates.save(connection, NAME, "resposta_disponible", "es", "PAUSED", why, now - 3600)
        person = people.create(
            connection, store.pseudonyms, store.sealer, NAME, people.Address(None, "34600000001"), now
        )
        lost = tickets.create(
            connection, store.sealer, town=NAME, reference="SCV-7K3F-9Q", person_id=person.id, option="mayor",
            language="ca", content={}, now=now,
        )  # fmt: skip
        tickets.update_ticket(connection, lost, gone="deleted in the tracker")
        return failed

    return store.write_now(write)


@contextmanager
def served(made: Service) -> Iterator[str]:
    """Its address, on a loopback port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(made.app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until("the page is served", lambda: server.started)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
