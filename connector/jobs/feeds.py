"""Keeps copies of the town's sources fresh: feeds, calendars, web pages, the tracker's news and wiki.

A look at a source is a row of work like any other. That it went wrong is an outcome and no failed row: the last good
copy stays, the source is tried again later and later, and nothing else of the town waits for it.
"""

from __future__ import annotations

import random

from connector.core.board import Board
from connector.core.errors import ConnectorError, Throttled
from connector.core.menu import NOTHING
from connector.feeds.looking import Known, address, look, sources
from connector.storage import feeds, in_lane
from connector.storage.feeds import Feed
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit.observe import get_logger

from . import publishing
from .runtime import DAY, Ending, Runtime

log = get_logger(__name__)

READ_AGAIN = 10.0
"""Seconds after which what a process shows is read again: other replicas look at sources too."""
_FIRST, _LONGEST = 60.0, 6 * 3600.0
"""The wait after a failure, and the longest after several in a row, unless the source asks for more."""


# --- what is shown ---------------------------------------------------------------------------------


def board(connection: Connection, rt: Runtime, now: float) -> Board:
    """What the town's sources say, at most ``READ_AGAIN`` seconds old in this process."""
    wanted = sources(rt.town)
    if not wanted:
        return NOTHING
    seen = rt.seen
    if seen is None or not 0 <= now - seen[0] < READ_AGAIN:
        seen = rt.seen = (now, feeds.board(connection, rt.name, wanted))
    return seen[1]


# --- looking ---------------------------------------------------------------------------------------


def tick(connection: Connection, rt: Runtime, now: float) -> None:
    """A row for each source that is due, whatever number of replicas asks, and none while another waits."""
    known = {f.name: f for f in feeds.every(connection, rt.name)}
    for name, where in sources(rt.town).items():
        last = known.get(name)
        due = last is None or last.address != where or last.due_at <= now
        if due and not in_lane.is_open(connection, _lane(rt, name)):
            _put(connection, rt, name, now, f"{int(now // 10)}")


def soon(connection: Connection, rt: Runtime, now: float) -> None:
    """Look at all sources now: something was published, perhaps after a look that is under way began."""
    for name in sources(rt.town):
        _put(connection, rt, name, now, f"push:{int(now * 10)}")


def _put(connection: Connection, rt: Runtime, name: str, now: float, slot: str) -> None:
    lane = _lane(rt, name)
    rt.put(connection, lane=lane, kind="feed", payload={"page": name}, now=now, key=f"{lane}:{slot}")


def _lane(rt: Runtime, name: str) -> str:
    return f"feed:{rt.name}:{name}"


async def refresh(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: one look at one source."""
    name = str(row.payload["page"])
    page = rt.town.page(name)
    if page is None or not page.remote:
        return lambda connection, at: "the mapping has this source no more"
    where = address(page, rt.town)
    last = await rt.store.read(lambda connection: feeds.get(connection, rt.name, name, where))
    every = page.refresh_minutes * 60.0
    try:
        # once a day it is read whole, whatever it says of itself: a calendar goes on without changing, and what is
        # wrong with an ETag mends itself
        whole = last is None or last.whole_at is None or now - last.whole_at >= DAY
        known = None if whole or last is None else Known(last.etag, last.modified, last.digest)
        found = await look(page, rt.town, rt.tracker, rt.fetcher, now, known)
    except ConnectorError as error:
        return _failed(rt, name, where, last, error)

    def end(connection: Connection, at: float) -> str:
        rt.seen = None
        due = at + every * random.uniform(0.9, 1.1)
        if found.items is None:
            feeds.unchanged(connection, rt.name, name, at, due)
            return "unchanged"
        fresh = feeds.save(
            connection, rt.name, name, where, found.items,
            now=at, due_at=due, etag=found.known.etag, modified=found.known.modified, digest=found.known.digest,
        )  # fmt: skip
        sent = publishing.publish(connection, rt, page, at) if fresh else 0
        return f"{len(found.items)} items, {fresh} of them new" + (f", {sent} to be sent" if sent else "")

    return end


def _failed(rt: Runtime, name: str, where: str, last: Feed | None, error: ConnectorError) -> Ending:
    failures = (last.failures if last else 0) + 1
    wait = min(_FIRST * 2 ** min(failures - 1, 10), _LONGEST) * random.uniform(0.8, 1.2)
    if isinstance(error, Throttled) and error.retry_after:
        wait = max(wait, error.retry_after)
    log.warning(
        "source not read, its last copy stays", town=rt.name, what=name, attempts=failures, error=str(error)
    )

    def end(connection: Connection, at: float) -> str:
        feeds.failed(connection, rt.name, name, where, str(error), failures, at + wait)
        return f"not read: {error}"

    return end
