"""What moved in Redmine since a cursor, missing nothing and not growing with the number of open tickets.

Redmine has no feed. Asked is ``updated_on>=`` in whole seconds, oldest first, from the latest time SEEN there
(never our clock) less an overlap: ``updated_on`` is set before its transaction commits, so a slow one becomes
visible with an older time. Within the overlap the cursor remembers what was read, so that it is not read
again: by issue its ``updated_on``, and whether it was read long enough after it to hold all of that second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.errors import Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.model import Changes, TicketView

from .http import PAGE, Connection
from .view import stamp, time_of

SETTLED = timedelta(seconds=2)
"""Times are whole seconds: an issue read sooner after its ``updated_on`` is read once more."""
MOST_READS = 50
"""Issues read whole in one call; the rest is ``more``."""
_BROKEN_ALLOWED = 3
_MOST_WALKS = 5


@dataclass
class _Mark:
    """How far one project was seen, and the known issues read inside the overlap: (updated_on, settled)."""

    until: datetime
    read: dict[str, tuple[str, bool]] = field(default_factory=dict)


class Cursor:
    """The opaque cursor: JSON with a start and one mark a project id."""

    def __init__(self, start: datetime, marks: dict[str, _Mark] | None = None) -> None:
        self.start = start
        self.marks = marks or {}

    def mark(self, project_id: int) -> _Mark:
        return self.marks.setdefault(str(project_id), _Mark(self.start))

    def dump(self) -> str:
        marks = {
            project: {
                "until": stamp(m.until),
                "read": {i: [at, int(s)] for i, (at, s) in sorted(m.read.items())},
            }
            for project, m in sorted(self.marks.items())
        }
        return json.dumps({"v": 1, "start": stamp(self.start), "marks": marks}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Cursor:
        try:
            data = json.loads(text)
            marks = {
                str(p): _Mark(
                    time_of(m["until"]), {str(i): (str(r[0]), bool(r[1])) for i, r in m["read"].items()}
                )
                for p, m in data["marks"].items()
            }
            return cls(time_of(data["start"]), marks)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            problem = "the stored cursor of the tracker cannot be read"
            raise Misconfigured([Finding("error", problem, mend="start again from now")]) from None


class Feed:
    """Reads what moved, over one connection. ``read`` reads one issue whole."""

    def __init__(
        self,
        connection: Connection,
        read: Callable[[str], TicketView],
        overlap: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = connection
        self._read = read
        self._overlap = overlap
        self._clock = clock
        self._seen: dict[str, tuple[str, float]] = {}

    def start(self) -> str:
        """A cursor from now on, by the server's clock: its ``Date`` header, else the last time it wrote
        itself.

        Puma alone sends no ``Date``; a web server before it does.
        """
        params = [("status_id", "*"), ("sort", "updated_on:desc"), ("limit", "1")]
        rows = self._http.get("/issues.json", params).get("issues") or ()
        last = max((time_of(r["updated_on"]) for r in rows), default=datetime(2000, 1, 1, tzinfo=UTC))
        return Cursor(max(self._http.served_at or last, last)).dump()

    def changes(self, cursor: str, projects: Collection[int], known: Container[str]) -> Changes:
        """The issues of ``projects`` (ids) that moved, those in ``known`` only. Our account was proven
        before."""
        state = Cursor.load(cursor)
        tickets: dict[str, TicketView] = {}
        wanted = known
        more = False
        reads = _Budget(MOST_READS)
        for project_id in sorted(set(projects)):
            more |= self._project(project_id, state.mark(project_id), wanted, tickets, reads)
        return Changes(tuple(tickets.values()), state.dump(), more)

    def _project(
        self,
        project_id: int,
        mark: _Mark,
        known: Container[str],
        tickets: dict[str, TicketView],
        reads: _Budget,
    ) -> bool:
        """One project; advances ``mark``. True when there is more to fetch at once."""
        until, held, broken = mark.until, None, 0
        read = dict(mark.read)
        more = False
        for issue_id, updated in self._rows(project_id, mark.until - self._overlap):
            at = time_of(updated)
            if issue_id in known and read.get(issue_id) != (updated, True):
                if not reads.take():
                    more = True
                    break
                try:
                    sighted = self._sighted(issue_id, updated)
                    settled = self._settled(at, sighted)  # before it is read: what comes later is unseen
                    view = self._read(issue_id)
                except (Gone, Forbidden) as error:
                    if error.code == "http_401":
                        raise
                    view = None  # deleted or moved since the list; the core's sweep tells
                except Unavailable as error:
                    # One broken issue must not stop the answers on all others; it is asked again next time.
                    broken += 1
                    if not error.code.startswith("http_5") or broken > _BROKEN_ALLOWED:
                        raise
                    held = min(held or at, at)
                    continue
                if view is not None:
                    tickets[issue_id] = view
                    settled = settled and view.updated_at == at
                read[issue_id] = (updated, settled)
                if settled:
                    self._seen.pop(issue_id, None)
            until = max(until, at)
        mark.until = until if held is None else min(until, held)
        oldest = mark.until - self._overlap
        mark.read = {i: (at, s) for i, (at, s) in read.items() if i in known and time_of(at) >= oldest}
        return more

    def _sighted(self, issue_id: str, updated: str) -> float:
        """Our monotonic time when this state of an issue was first listed: certainly not before it was
        written."""
        at, when = self._seen.get(issue_id, ("", 0.0))
        if at != updated:
            when = self._clock()
            self._seen[issue_id] = (updated, when)
        return when

    def _settled(self, at: datetime, sighted: float) -> bool:
        served = self._http.served_at
        if served is not None and served - at >= SETTLED:
            return True
        return self._clock() - sighted >= SETTLED.total_seconds()

    def _rows(self, project_id: int, since: datetime) -> Iterator[tuple[str, str]]:
        """(id, updated_on) of everything touched ``since``, oldest first.

        Each page starts at the last time of the one before, not at an offset: issues touched in between move
        to the end and shift no row out of sight. Only inside one second that fills a page are offsets
        needed; then that second is walked until twice the same is seen.
        """
        while True:
            rows, total = self._page(project_id, since, 0)
            yield from rows
            if len(rows) >= total or not rows:
                return
            last = time_of(rows[-1][1])
            if last > since:
                since = last
                continue
            rows = self._crowded(project_id, since)
            yield from rows
            later = [time_of(at) for _, at in rows if time_of(at) > since]
            if not later:
                return
            since = max(later)

    def _crowded(self, project_id: int, since: datetime) -> list[tuple[str, str]]:
        before: list[tuple[str, str]] | None = None
        for _ in range(_MOST_WALKS):
            rows: list[tuple[str, str]] = []
            total = 1
            while len(rows) < total:
                page, total = self._page(project_id, since, len(rows))
                rows += page
                if not page or time_of(page[-1][1]) > since:
                    break
            if rows == before:
                break
            before = rows
        return before or []

    def _page(self, project_id: int, since: datetime, offset: int) -> tuple[list[tuple[str, str]], int]:
        params = [
            ("project_id", str(project_id)),
            ("status_id", "*"),
            ("updated_on", f">={stamp(since)}"),
            ("sort", "updated_on:asc,id:asc"),
            ("limit", str(PAGE)),
            ("offset", str(offset)),
        ]
        answer: dict[str, Any] = self._http.get("/issues.json", params)
        if "issues" not in answer or "total_count" not in answer:
            raise Unavailable("Redmine's list of issues is not what it should be", code="garbled")
        rows = [(str(i["id"]), str(i["updated_on"])) for i in answer["issues"]]
        return rows, int(answer["total_count"])


class _Budget:
    def __init__(self, most: int) -> None:
        self._left = most

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0
