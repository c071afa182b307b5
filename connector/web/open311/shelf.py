"""What is published of one town, in memory: made of our own tables, in small reads, once a minute at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core import open_data
from connector.core.open_data import Published
from connector.core.parts import say
from connector.core.town import Town
from connector.jobs.runtime import Runtime
from connector.storage import published
from connector.storage.published import Known

from . import formats

FRESH = 60.0
"""Seconds that what was read is shown. So long what was erased or hidden may still be seen."""
MOST = 10_000
"""Requests that are published, the newest."""
_STEP = 250
"""Requests in one read: others that read or write get their turn between two."""
ROOT = "service_requests"


@dataclass(frozen=True, slots=True)
class Item:
    """A published request, written already."""

    about: Published
    at: float
    """``about.requested`` in Unix seconds: thousands of these are compared for an answer."""
    json: str
    xml: str

    def piece(self, form: str) -> str:
        return self.json if form == "json" else self.xml


class Shelf:
    """The requests of one town. Whoever asks while it is being made anew waits for it; nobody makes it twice."""

    def __init__(self, rt: Runtime, clock: Callable[[], float]) -> None:
        self.rt = rt
        self._clock = clock
        self._items: tuple[Item, ...] = ()
        self._by_id: dict[str, Item] = {}
        self._known: Mapping[int, Known] = {}
        self._town: Town | None = None
        self._at = 0.0
        self._lock = asyncio.Lock()
        self.changeset = ""
        """Since when the services are what they are."""

    async def items(self) -> tuple[Item, ...]:
        """All of them, the newest day first."""
        await self._look()
        return self._items

    async def get(self, ids: Iterable[str]) -> list[Item]:
        """Those with these ids that are published."""
        await self._look()
        return [item for one in dict.fromkeys(ids) if (item := self._by_id.get(one))]

    async def _look(self) -> None:
        async with self._lock:
            town = self.rt.town
            if self._town is town and time.monotonic() - self._at < FRESH:
                return
            began, before = time.monotonic(), None
            found: list[Item] = []
            known: dict[int, Known] = {}
            if self._town is not town:
                self._known = {}
            while len(found) < MOST:
                step, read, before = await self.rt.store.read(lambda c, b=before: self._read(c, town, b))  # type: ignore[misc]
                found += step
                known |= read
                if before is None:
                    break
            # within a day nothing says in which order they came
            found.sort(key=lambda item: (-item.at, item.about.id))
            if self._town is not town:
                self.changeset = datetime.now(zone(town)).strftime("%Y-%m-%d %H:%M")
            self._items, self._by_id = tuple(found), {item.about.id: item for item in found}
            self._known, self._town, self._at = known, town, began

    def _read(
        self, connection: Any, town: Town, before: int | None
    ) -> tuple[list[Item], dict[int, Known], int | None]:
        store, rules = self.rt.store, town.open_data
        rows, read, after = published.facts(
            connection,
            store.sealer,
            store.pseudonyms,
            self.rt.name,
            rules.options,
            before=before,
            most=_STEP,
            known=self._known,
            words=rules.words_since is not None,
        )
        language, here = town.languages[0], zone(town)
        seen = (open_data.publish(row, rules, here, language, self._clock()) for row in rows)
        return [_item(one, town) for one in seen if one is not None], read, after


def zone(town: Town) -> ZoneInfo:
    """The town's time zone."""
    return ZoneInfo(town.channel.time_zone)


def services(town: Town) -> list[dict[str, Any]]:
    """The published options as services."""
    language = town.languages[0]
    options = [option for key in town.open_data.options if (option := town.option(key))]
    return [
        {
            "service_code": option.key,
            "service_name": say(option.title, language),
            "description": say(option.description, language) or None,
            "metadata": False,
            "type": "realtime",
            "keywords": ", ".join(option.words) or None,
            "group": None,
        }
        for option in options
    ]


def _item(about: Published, town: Town) -> Item:
    option = town.option(about.option)
    lat, long = about.place or (None, None)
    row = {
        "service_request_id": about.id,
        "status": "closed" if about.closed else "open",
        "status_notes": about.notes or None,
        "service_name": say(option.title, town.languages[0]) if option else None,
        "service_code": about.option,
        "description": about.words[:4000] or None,
        "agency_responsible": town.channel.name,
        "service_notice": None,
        "requested_datetime": about.requested.isoformat(),
        "updated_datetime": about.updated.isoformat(),
        "expected_datetime": None,
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": lat,
        "long": long,
        "media_url": None,
    }
    at = about.requested.timestamp()
    return Item(about, at, formats.piece("json", ROOT, row), formats.piece("xml", ROOT, row))
