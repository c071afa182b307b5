"""A service that publishes requests, with some of every kind: nothing is carried out, nothing moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from connector import mapping
from connector.config.settings import Privacy, Server, Settings, Tracker, WhatsApp
from connector.core.address import Address
from connector.core.town import Town
from connector.storage import people, tickets
from connector.storage.store import Connection
from connector.web.open311 import shelf
from connector.wiring import Municipality, Service
from tests.e2e.way import port

MAPPING = Path(__file__).resolve().parents[2] / "mappings" / "sant-cebria.toml"
NAME = "sant-cebria"
NOW = datetime(2026, 11, 20, 15, 42, 17, tzinfo=UTC)
PLACE = (41.61234567, 2.65432101)
SECRETS = (
    "Maria Puig",
    "34600000001",
    "Soc la Maria i visc al carrer Major, 1",
    "C/ Major, 1",
    "4711",
    "SCV-",
)
"""What of a request nobody may see, whatever the mapping says of its words."""


def published(folder: Path) -> Path:
    """The repository's mapping with what is commented out in its [open_data]."""
    rows = MAPPING.read_text(encoding="utf-8").splitlines()
    start = rows.index(next(r for r in rows if r.startswith("# [open_data]")))
    end = next(i for i in range(start, len(rows)) if rows[i].startswith("# ---"))
    for i in range(start, end):
        rows[i] = rows[i].removeprefix("# ")
    file = folder / f"{NAME}.toml"
    file.write_text("\n".join(rows), encoding="utf-8")
    return file


@dataclass
class Office:
    """The service, and the means to make requests."""

    service: Service
    url: str
    client: httpx.Client
    made: int = 0

    @property
    def town(self) -> Town:
        return self.service.towns[NAME].town

    def use(self, town: Town) -> None:
        """Another mapping from now on."""
        self.service.towns[NAME].town = town

    def rules(self, **changes: Any) -> None:
        self.use(self.town.model_copy(update={"open_data": self.town.open_data.model_copy(update=changes)}))

    def again(self) -> None:
        """A minute has passed."""
        for one in self._open311()._shelves.values():
            one._at = time.monotonic() - shelf.FRESH - 1
        self._open311()._budget.at = 0.0

    def _open311(self) -> Any:
        assert self.service.open311 is not None
        return self.service.open311

    def request(self, days_ago: float = 1, *, option: str = "incident", **changes: Any) -> int:
        """A request in the tracker; the row's id. ``changes``: columns, and ``routing_private``, ``words``, ``places``."""
        self.made += 1
        at = (NOW - timedelta(days=days_ago)).timestamp()
        content = {
            "subject": "Soc la Maria", "words": changes.pop("words", SECRETS[2]), "facts": [["Nom", "Maria Puig"]],
            "places": changes.pop("places", [[*PLACE, "Casa", "C/ Major, 1"]]),
            "routing": {"project": "atencio-ciutadana", "private": changes.pop("routing_private", False)},
        }  # fmt: skip
        address = Address(phone=f"346000{self.made:05}")
        store = self.service.store

        def write(connection: Connection) -> int:
            who = people.create(connection, store.pseudonyms, store.sealer, NAME, address, at)
            people.save_contact(connection, store.sealer, who.id, address, "Maria Puig")
            made = tickets.create(
                connection, store.sealer, town=NAME, reference=f"SCV-{self.made:04}-9Q", person_id=who.id,
                option=option, language="ca", content=content, now=at,
            )  # fmt: skip
            columns = {"tracker_id": f"4711{self.made}", "status": "Nou", **changes}
            tickets.update_ticket(connection, made, **columns)
            return made

        return store.write_now(write)

    def change(self, ticket: int, **columns: Any) -> None:
        self.service.store.write_now(lambda c: tickets.update_ticket(c, ticket, **columns))

    def person(self, ticket: int) -> int:
        sql = f"SELECT person_id FROM ticket WHERE id = {ticket}"
        return int(self.service.store.read_now(lambda c: c.exec_driver_sql(sql).scalar_one()))

    def clear(self) -> None:
        """No requests, the mapping as it is in the file, nobody asked yet."""
        tables = ("journal", "ticket", "consent", "erasure", "person")
        self.service.store.write_now(
            lambda c: [c.exec_driver_sql(f"DELETE FROM {table}") for table in tables]
        )
        self.made = 0
        self.use(self.service._municipalities[NAME].town)
        self.again()


@contextmanager
def serving(folder: Path, *, open_data_url: str | None = None) -> Iterator[Office]:
    """The service behind a real web server, without workers. Its clock stands at ``NOW``."""
    number = port()
    url = f"http://127.0.0.1:{number}"
    settings = Settings(
        mapping=published(folder),
        database=f"sqlite:///{folder / 'c.db'}",  # type: ignore[arg-type]
        server=Server(open_data_url=f"{url}/open311/v2" if open_data_url is None else open_data_url),
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
    service = Service([Municipality(NAME, settings, mapping.load(settings.mapping))])
    if service.open311 is not None:
        for one in (service.open311, *service.open311._shelves.values()):
            one._clock = NOW.timestamp
    config = uvicorn.Config(
        service.app, port=number, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.005)
    try:
        with httpx.Client(base_url=url) as client:
            yield Office(service, url, client)
    finally:
        server.should_exit = True
        thread.join(5)
        service.store.close()
