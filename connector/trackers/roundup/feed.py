"""What moved: issues and messages that were touched since a time, compared with what the core last took.

Changing a message leaves the time of its issue as it was, so both are asked for. A transaction is seen when it commits,
with the times at which its parts were made, and Roundup sends its mail before that: each poll looks back by
``Config.overlap``, and what the core has already is told by its mark.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from connector.core.errors import ConnectorError, Finding, Forbidden, Gone, Misconfigured, Unavailable
from connector.core.ports import Known
from connector.core.ticket import Changes, TicketView
from connector.trackers import inert

from .http import Api, Item, Params
from .view import ISSUE, Reader, shown, stamp, time_of

MOST_READS = 50
"""Issues read in one call; then ``more``."""


class Feed:
    def __init__(self, api: Api, reader: Reader) -> None:
        self._api, self._reader = api, reader
        self._overlap = timedelta(seconds=reader.config.overlap)

    def start(self, since: float | None) -> str:
        """See ``Tracker.start_cursor``."""
        self._api.read("")
        at = self._now()
        return stamp(at if since is None else min(at, datetime.fromtimestamp(since, UTC)))

    def _now(self) -> datetime:
        """By the clock of the server, when it answered last."""
        at = self._api.served_at
        if at is None:
            raise Unavailable("Roundup's answers have no time (Date)", code="no_date")
        return at

    def changes(self, cursor: str, projects: Collection[str], known: Known) -> Changes:
        """See ``Tracker.changes``."""
        since = _from(cursor) - self._overlap
        places = [p for p in map(self._reader.directory.project, projects) if p is not None]
        if not places:
            raise Forbidden("None of the mapping's projects is in Roundup, or our account may not see them")
        rows, now = self._moved(since, [(self._reader.config.project_property, str(p)) for p in places])
        marks = known.watched()
        if not rows and marks and not self._reader.directory.now().sees_issues:
            raise Forbidden("Our account sees no ticket in Roundup any more: give it back the right to")
        ours = [row for row in rows if row["id"] in marks]
        notes = self._api.by_ids(
            "msg",
            {m for row in ours for m in row["messages"]},
            ["activity", self._reader.config.public_property],
        )
        differing = [row for row in ours if self._reader.mark(row, notes) != marks[row["id"]]]
        differing.sort(key=lambda row: (row["activity"], int(row["id"])))
        views, broken = self._read(differing[:MOST_READS])
        more = len(differing) > MOST_READS
        until = _from(cursor) if more else min([max(_from(cursor), now), *broken])
        return Changes(tuple(views), stamp(until), more, self._strangers(rows, since, known))

    def _moved(self, since: datetime, places: Params) -> tuple[list[Item], datetime]:
        """Issues of those places that were touched, or have a message that was; and the server's time."""
        moved = ("activity", f"{stamp(since)};")
        touched = self._api.listed("issue", [*places, moved], self._reader.fields)
        now = self._now()
        shown(touched, *ISSUE)
        notes = self._api.listed("msg", [moved], ["activity"])
        seen = {m for row in touched for m in row["messages"]}
        others = [note["id"] for note in notes if note["id"] not in seen]
        more = self._api.by_ids("issue", others, self._reader.fields, name="messages", filters=places)
        shown(more, *ISSUE)
        return list({row["id"]: row for row in (*touched, *more)}.values()), now

    def _read(self, rows: list[Item]) -> tuple[list[TicketView], list[datetime]]:
        """The issues whole, and the times of those that could not be read now."""
        views, broken, last = [], [], None
        for row in rows:
            try:
                views.append(self._reader.read(row["id"]))
            except Gone:
                continue
            except ConnectorError as error:
                if isinstance(error, Forbidden) and error.code == "http_403":
                    continue  # moved out of sight since it was listed
                if not isinstance(error, Unavailable):
                    raise
                broken.append(time_of(row["activity"]))
                last = error
        if last is not None and not views:
            raise last
        return views, broken

    def _strangers(self, rows: list[Item], since: datetime, known: Known) -> tuple[tuple[str, str], ...]:
        """New issues that carry a reference like ours and are not."""
        names = self._reader.directory.now()
        carry = [
            (self._reader.reference(row, names), row) for row in rows if time_of(row["creation"]) >= since
        ]
        return tuple(
            (reference, row["id"])
            for reference, row in carry
            if reference and inert.reference_in(f"[{reference}]") and row["id"] not in known
        )


def _from(cursor: str) -> datetime:
    try:
        return time_of(cursor)
    except ValueError:
        problem = "the place from which Roundup is read cannot be understood"
        raise Misconfigured(
            [Finding("error", problem, "was the database written by another version?")]
        ) from None
