"""Everything a notification holds becomes rows; notifications that arrive together are stored by one write."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from connector.core.errors import NotKept, Unavailable
from connector.core.incoming import DeliveryState, Inbound, Status
from connector.jobs import spreading
from connector.jobs.floods import Floods
from connector.jobs.runtime import Runtime
from connector.storage import cursors, people, recipients, work
from connector.storage.store import Connection, Store
from connector.toolkit import crash
from connector.toolkit.observe import following, trace_of
from connector.whatsapp.payloads import Parsed, to_json

_SIGN = 60.0
"""That a notification came is written down once in so many seconds: there is no way to ask Meta for lost ones."""
_TOGETHER = 128
"""Notifications of one write at most."""

Taken = list[tuple[str, str, bool]]
"""Town and trace of each message, and whether it is new."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message of a notification. ``of`` is None when it is for a number that is not configured."""

    town: Runtime
    trace: str
    key: str
    lane: str
    wamid: str
    of: Inbound | None


@dataclass(slots=True)
class _Batch:
    """Notifications that wait for the writer; it takes all that have come until then."""

    loop: asyncio.AbstractEventLoop
    parts: list[tuple[Parsed, float, asyncio.Future[Taken | None]]] = field(default_factory=list)


class Intake:
    """Stores notifications."""

    def __init__(self, store: Store, towns: Mapping[str, Runtime]) -> None:
        self.store = store
        self.by_channel = {town.channel: town for town in towns.values()}
        self._first = next(iter(towns.values()))
        self._heard: dict[str, float] = {}
        self._floods = Floods()
        self._open: _Batch | None = None
        self._lock = threading.Lock()
        self._writing: set[asyncio.Task[None]] = set()

    async def take(self, parsed: Parsed, now: float) -> Taken:
        """Store all of it; it is on disk afterwards. Raises what the store raises: then nothing of it is kept."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[Taken | None] = loop.create_future()
        with self._lock:
            batch = self._open
            fits = batch is not None and batch.loop is loop and len(batch.parts) < _TOGETHER
            if batch is None or not fits:
                batch = self._open = _Batch(loop)
            batch.parts.append((parsed, now, mine))
        if not fits:
            task = loop.create_task(self._write(batch))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        taken = await mine
        if taken is None:
            # something in one of them cannot be stored: it must not take the others with it
            taken = (await self.store.write(partial(self._keep, parts=[(parsed, now)])))[0]
        return taken

    async def _write(self, batch: _Batch) -> None:
        results: list[Taken] | None = None
        failed: Exception | None = None
        try:
            results = await self.store.write(partial(self._keep_batch, batch=batch))
        except (NotKept, Unavailable) as error:
            failed = error
        except Exception as error:
            failed = error if len(batch.parts) == 1 else None
        finally:
            self._shut(batch)  # the store may have failed before it came to what it was given
        for n, (_, _, waiting) in enumerate(batch.parts):
            if waiting.done():
                continue
            if failed is not None:
                waiting.set_exception(failed)
            else:
                waiting.set_result(results[n] if results is not None else None)

    def _shut(self, batch: _Batch) -> None:
        """Whoever comes from now on waits for the next write."""
        with self._lock:
            if self._open is batch:
                self._open = None

    def _keep_batch(self, connection: Connection, batch: _Batch) -> list[Taken]:
        self._shut(batch)
        return self._keep(connection, [(parsed, now) for parsed, now, _ in batch.parts])

    def _keep(self, connection: Connection, parts: list[tuple[Parsed, float]]) -> list[Taken]:
        rows: list[dict[str, Any]] = []
        named: list[list[_Message]] = []
        for parsed, now in parts:
            named.append(self._messages(parsed, now, rows))
            self._statuses(parsed, now, rows)
        added = work.put_all(connection, rows)
        taken = [
            self._new(connection, messages, added, now)
            for messages, (_, now) in zip(named, parts, strict=True)
        ]
        for parsed, now in parts:
            self._sign(connection, parsed, now)
            for status in parsed.statuses:
                if (told := _of_broadcast(status)) is not None:
                    spreading.heard(
                        connection, self._town(status.channel), told, str(status.state), None, now
                    )
            for notice in parsed.notices:
                town = self._town(notice.channel)
                town.put(
                    connection, lane=f"notice:{town.name}", kind="notice", payload=asdict(notice), now=now
                )
        crash.point("webhook.kept")
        return taken

    def _new(self, connection: Connection, messages: list[_Message], added: set[str], now: float) -> Taken:
        """What is said of the messages of a notification; of a person who floods, the new ones end here."""
        taken = []
        for message in messages:
            new = message.key in added
            # the same message in two notifications of one write is new once
            added.discard(message.key)
            if new and message.of is not None:
                self._floods.check(
                    connection, message.town, message.of, message.lane, message.key, message.wamid, now
                )
            taken.append((message.town.name, message.trace, new))
        return taken

    def _messages(self, parsed: Parsed, now: float, rows: list[dict[str, Any]]) -> list[_Message]:
        """Rows of the messages."""
        code = self.store.pseudonyms.of
        named = []
        for message in parsed.inbound:
            town = self._town(message.channel)
            wamid = code(f"wamid:{town.name}", message.id)
            trace, key = trace_of(wamid), f"in:{town.name}:{wamid}"
            lane = people.lane_of(self.store.pseudonyms, town.name, message.sender)
            kind = "inbound" if message.channel in self.by_channel else "notice"
            payload: dict[str, object] = {"message": to_json(message)}
            if kind == "notice":
                payload = {"field": "message for a number that is not configured", **payload}
            with following(trace):
                rows.append(town.new(lane=lane, kind=kind, payload=payload, now=now, key=key))
            named.append(_Message(town, trace, key, lane, wamid, message if kind == "inbound" else None))
        return named

    def _statuses(self, parsed: Parsed, now: float, rows: list[dict[str, Any]]) -> None:
        code = self.store.pseudonyms.of
        for status in parsed.statuses:
            if _of_broadcast(status) is not None:
                continue
            town = self._town(status.channel)
            wamid = code(f"wamid:{town.name}", status.id)
            payload: dict[str, object] = {
                "id": status.id, "state": str(status.state), "key": status.key, "error_code": status.error_code,
                "error_title": status.error_title,
            }  # fmt: skip
            key = f"st:{town.name}:{wamid}:{status.state}"
            rows.append(town.new(lane=f"st:{wamid}", kind="status", payload=payload, now=now, key=key))

    def _sign(self, connection: Connection, parsed: Parsed, now: float) -> None:
        for channel in {m.channel for m in parsed.inbound} | {s.channel for s in parsed.statuses}:
            name = self._town(channel).name
            if now - self._heard.get(name, 0.0) > _SIGN:
                self._heard[name] = now
                cursors.save(connection, name, "webhook", "", now)

    def _town(self, channel: str | None) -> Runtime:
        """The town of a business number; what belongs to none is kept with the first."""
        return self.by_channel.get(channel or "") or self._first


def _of_broadcast(status: Status) -> tuple[int, int] | None:
    """The recipient and attempt of a broadcast that a status is about, where it did not fail: what became of those stands
    with its recipient, three rows of work for each would be in the way of others."""
    return None if status.state is DeliveryState.FAILED else recipients.parsed(status.key or "")
