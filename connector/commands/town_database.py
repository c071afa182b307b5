"""One municipality's database, opened for a command while the service may run beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from connector import config, mapping, wiring
from connector.config.settings import Settings
from connector.core.town import Town
from connector.storage.dialect import deadlocked
from connector.storage.store import Connection, Store

T = TypeVar("T")


class TownDatabase:
    """A municipality's settings, mapping and database. What a group of commands does with them is in a subclass."""

    def __init__(
        self, settings: Settings, town: Town, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.town = town
        self.name = settings.mapping.stem
        self.store = store
        self.clock = clock

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """The database and mapping that ``config.toml`` at ``path`` names. Raises ``Misconfigured`` or ``Unavailable``."""
        settings = config.load(path)
        town = mapping.load(settings.mapping)
        store = wiring.open_store(settings, migrate=False)
        try:
            yield cls(settings, town, store)
        finally:
            store.close()

    def _do(self, job: Callable[[Connection], T]) -> T:
        """``job`` in a transaction of its own, again when a service was at the same rows in another order."""
        while True:
            try:
                return self.store.write_now(job)
            except Exception as error:
                if not deadlocked(error):
                    raise


def in_database(path: Path, job: Callable[[Connection], T]) -> T:
    """``job`` in a transaction of the database that ``config.toml`` at ``path`` names; the mapping is not looked at."""
    store = wiring.open_store(config.load(path), migrate=False)
    try:
        return store.write_now(job)
    finally:
        store.close()
