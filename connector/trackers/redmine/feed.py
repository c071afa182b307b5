"""What moved in Redmine since a cursor, missing nothing and not growing with the number of open tickets.

Redmine has no feed. Asked is ``updated_on>=`` in whole seconds, oldest first, from the latest time SEEN there
(never our clock) less an overlap: ``updated_on`` is set before its transaction commits, so a slow one becomes
visible with an older time. Within the overlap the cursor remembers by issue the ``updated_on`` it was read with, and
how long after it: a second may hold more than one change, and one of them may commit late. So every state is read
at once, when its second is over, and a last time when the overlap is; before that it does not leave the overlap.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from connector.core.errors import Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ticket import Changes, TicketView
from connector.trackers import rest

from .http import MOST_PAGES, PAGE, WHO, Connection
from .view import reference_of, stamp, time_of

SECOND = timedelta(seconds=2)
"""Times are whole seconds: so long after an ``updated_on`` its second is over."""
MOST_READS = 50
"""Issues read whole in one call; the rest is ``more``."""
_BROKEN_ALLOWED = 3
_ONE_BROKEN = ("http_5", "garbled")
"""Codes of what may be wrong with a single one, and not with the server."""
_CLOCKS = 3600.0
_Listed = tuple[str, str, str | None]
"""An issue in a list: id, ``updated_on``, the reference it carries."""
_MOST_WALKS = 5


class _Held(IntEnum):
    """What a reading of an issue is sure to hold of what was written with its ``updated_on``."""

    SOME = 0
    SECOND = 1
    """All that was committed by the end of that second."""
    ALL = 2
    """All: whatever was slow has committed since."""


@dataclass
class _Mark:
    """How far one project was seen, and the known issues read inside the overlap: (updated_on, what it holds)."""

    until: datetime
    read: dict[str, tuple[str, _Held]] = field(default_factory=dict)


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
                "read": {i: [at, int(h)] for i, (at, h) in sorted(m.read.items())},
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
                    time_of(m["until"]), {str(i): (str(r[0]), _Held(r[1])) for i, r in m["read"].items()}
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
        self._seen: dict[int, dict[str, tuple[str, float]]] = {}

    def start(self, since: float | None = None) -> str:
        """A cursor from now on, by the server's clock: its ``Date`` header, else the last time it wrote
        itself. Puma alone sends no ``Date``; a web server before it does.

        With ``since`` (Unix seconds by our clock) from an hour before that on: clocks differ.
        """
        if since is not None:
            return Cursor(datetime.fromtimestamp(since - _CLOCKS, UTC)).dump()
        params = [("status_id", "*"), ("sort", "updated_on:desc"), ("limit", "1")]
        rows = self._http.get("/issues.json", params).get("issues") or ()
        last = max((time_of(r["updated_on"]) for r in rows), default=datetime(2000, 1, 1, tzinfo=UTC))
        return Cursor(max(self._http.served_at or last, last)).dump()

    def changes(
        self,
        cursor: str,
        projects: Collection[int],
        known: Container[str],
        reference_field: int | None = None,
    ) -> Changes:
        """The issues of ``projects`` (ids) that moved, those in ``known`` only; and of the others which carry a
        reference. Our account was proven before."""
        state = Cursor.load(cursor)
        tickets: dict[str, TicketView] = {}
        strangers: set[tuple[str, str]] = set()
        more = False
        reads = _Budget(MOST_READS)
        for project_id in sorted(set(projects)):
            more |= self._project(
                project_id, state.mark(project_id), known, tickets, reads, reference_field, strangers
            )
        return Changes(tuple(tickets.values()), state.dump(), more, tuple(sorted(strangers)))

    def _project(
        self,
        project_id: int,
        mark: _Mark,
        known: Container[str],
        tickets: dict[str, TicketView],
        reads: _Budget,
        reference_field: int | None,
        strangers: set[tuple[str, str]],
    ) -> bool:
        """One project; advances ``mark``. True when there is more to fetch at once."""
        until, broken = mark.until, list[datetime]()
        seen = self._seen.setdefault(project_id, {})
        read: dict[str, tuple[str, _Held]] = {}
        more = False
        for issue_id, updated, reference in self._rows(
            project_id, mark.until - self._overlap, reference_field
        ):
            at = time_of(updated)
            if issue_id in known:
                before, was = read.get(issue_id) or mark.read.get(issue_id) or ("", _Held.SOME)
                # what is sure is sure before it is read: what comes later is unseen
                holds = self._holds(at, self._sighted(seen, issue_id, updated))
                if before == updated and holds <= was != _Held.SOME:
                    read[issue_id] = (updated, was)
                elif not reads.take():
                    more = True
                    read = {**mark.read, **read}
                    break
                else:
                    try:
                        view = self._read_one(issue_id)
                    except Unavailable as error:
                        # One broken issue must not stop the answers on all others; it is asked again next time.
                        broken.append(at)
                        if not error.code.startswith(_ONE_BROKEN) or len(broken) > _BROKEN_ALLOWED:
                            raise
                        continue
                    if view is not None:
                        tickets[issue_id] = view
                        holds = holds if view.updated_at == at else _Held.SOME
                    read[issue_id] = (updated, holds)
            elif reference:
                strangers.add((reference, issue_id))
            until = max(until, at)
        unfinished = {i: time_of(updated) for i, (updated, holds) in read.items() if holds < _Held.ALL}
        mark.until = min([until, *broken, *(at + self._overlap for at in unfinished.values())])
        oldest = mark.until - self._overlap
        mark.read = {i: known_as for i, known_as in read.items() if time_of(known_as[0]) >= oldest}
        self._seen[project_id] = {i: sighted for i, sighted in seen.items() if i in unfinished}
        return more

    def _read_one(self, issue_id: str) -> TicketView | None:
        """None when it was deleted or moved since the list was made; the core's sweep tells."""
        try:
            return self._read(issue_id)
        except (Gone, Forbidden) as error:
            if error.code == "http_401":
                raise
            return None

    def _sighted(self, seen: dict[str, tuple[str, float]], issue_id: str, updated: str) -> float:
        """Our monotonic time when this state of an issue was first listed: certainly not before it was
        written."""
        at, when = seen.get(issue_id, ("", 0.0))
        if at != updated:
            when = self._clock()
            seen[issue_id] = (updated, when)
        return when

    def _holds(self, at: datetime, sighted: float) -> _Held:
        """What a reading now is sure to hold of ``at``: by the server's clock, or by ours since it was seen."""
        age = timedelta(seconds=self._clock() - sighted)
        if self._http.served_at is not None:
            age = max(age, self._http.served_at - at)
        if age >= max(self._overlap, SECOND):
            return _Held.ALL
        return _Held.SECOND if age >= SECOND else _Held.SOME

    def _rows(self, project_id: int, since: datetime, reference_field: int | None) -> Iterator[_Listed]:
        """Everything touched ``since``, oldest first.

        Each page starts at the last time of the one before, not at an offset: issues touched in between move
        to the end and shift no row out of sight. Only inside one second that fills a page are offsets
        needed; then that second is walked until twice the same is seen. So much at a time: what is left comes with
        the next poll.
        """
        for _ in range(MOST_PAGES):
            rows, total = self._page(project_id, since, 0, reference_field)
            yield from rows
            if len(rows) >= total or not rows:
                return
            last = time_of(rows[-1][1])
            if last > since:
                since = last
                continue
            rows = self._crowded(project_id, since, reference_field)
            yield from rows
            later = [time_of(at) for _, at, _ in rows if time_of(at) > since]
            if not later:
                return
            since = max(later)

    def _crowded(self, project_id: int, since: datetime, reference_field: int | None) -> list[_Listed]:
        before: list[_Listed] | None = None
        for _ in range(_MOST_WALKS):
            rows: list[_Listed] = []
            total = 1
            while len(rows) < total:
                if len(rows) > MOST_PAGES * PAGE:
                    raise rest.garbled(who=WHO, wrote=False)
                page, total = self._page(project_id, since, len(rows), reference_field)
                rows += page
                if not page or time_of(page[-1][1]) > since:
                    break
            if rows == before:
                break
            before = rows
        return before or []

    def _page(
        self, project_id: int, since: datetime, offset: int, reference_field: int | None
    ) -> tuple[list[_Listed], int]:
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
        rows = [
            (str(i["id"]), str(i["updated_on"]), reference_of(i, reference_field)) for i in answer["issues"]
        ]
        return rows, int(answer["total_count"])


class _Budget:
    def __init__(self, most: int) -> None:
        self._left = most

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0
