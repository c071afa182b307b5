"""An issue as Roundup shows it now: its messages, its files, its status.

Roundup keeps a history and does not give it out by REST: what changed is found by comparing (``feed.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from connector.core.errors import Forbidden, Gone
from connector.core.ticket import Entry, EntryKind, FileRef, TicketView
from connector.trackers import inert, similar

from .config import Config
from .http import Api, Item
from .names import Directory, Names

_YOUNG = timedelta(seconds=2)
"""Roundup says seconds only: within one more may happen unseen after a look."""
_STAMP = "%Y-%m-%d.%H:%M:%S"
ISSUE = ("title", "status", "activity", "creation", "creator", "messages", "files")
MESSAGE = ("author", "creator", "creation", "activity", "content", "files")
GONE = "This ticket was deleted (retired) in Roundup"


def time_of(stamp: str) -> datetime:
    """A time as Roundup writes it, UTC. Raises ``ValueError``."""
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def stamp(at: datetime) -> str:
    """The other way round; what follows is left out."""
    return at.astimezone(UTC).strftime(_STAMP)


def shown(items: Iterable[Item], *properties: str) -> None:
    """Raise ``Forbidden`` where our account may not see one of these properties: Roundup just leaves it out."""
    for item in items:
        missing = [name for name in properties if name not in item]
        if missing:
            sentence = f"Roundup does not let our account see {', '.join(missing)}: give it the right to"
            raise Forbidden(sentence, code="out_of_sight")


class Reader:
    def __init__(self, api: Api, directory: Directory, config: Config) -> None:
        self.api, self.directory, self.config = api, directory, config
        self.fields = (*ISSUE, config.project_property, config.reference_field)

    def row(self, ticket_id: str, fields: Iterable[str] = ()) -> Item:
        """An issue that is there, in sight and not retired. Raises ``Gone``, ``Forbidden``, ``Unavailable``."""
        if not ticket_id.isdecimal():
            raise Gone(GONE, code="http_404")
        rows = self.api.listed("issue", [("id", ticket_id)], fields or self.fields)
        shown(rows, *(ISSUE if not fields else ()))
        if not rows:
            self.api.element("issue", ticket_id, [])  # says itself whether it never was, or is out of sight
            raise Gone(GONE, code="retired")
        return rows[0]

    def read(self, ticket_id: str) -> TicketView:
        """See ``Tracker.read``."""
        return self.view(self.row(ticket_id))

    def view(self, row: Item) -> TicketView:
        """The whole of an issue of which ``fields`` are known."""
        names = self.directory.now()
        asked = (*MESSAGE, self.config.public_property)
        messages = self.api.by_ids("msg", row["messages"], asked, verbose=3)
        shown(messages, *MESSAGE)
        messages.sort(key=lambda m: int(m["id"]))
        in_notes = [_id(f) for m in messages for f in m["files"]]
        files = {f.id: f for f in self.files([*row["files"], *in_notes])}
        status = names.status(row["status"])
        return TicketView(
            ticket_id=row["id"],
            reference=self.reference(row, names),
            status=status,
            closed=similar.norm(status) in map(similar.norm, self.config.closed),
            project=self.directory.place(row.get(self.config.project_property)),
            updated_at=time_of(row["activity"]),
            entries=tuple(
                self._entry(m, files, names) for m in messages if not _is_description(m, row, messages)
            ),
            files=tuple(files[i] for i in row["files"] if i in files),
            mark=self.mark(row, messages),
        )

    def files(self, ids: Iterable[str]) -> list[FileRef]:
        """Files that are there and in sight, with their sizes."""
        rows = self.api.by_ids("file", ids, ["name", "type"])
        return [
            FileRef(r["id"], r.get("name") or f"file{r['id']}", r.get("type") or "", self.api.size(r["id"])) for r in rows
        ]  # fmt: skip

    def reference(self, row: Item, names: Names) -> str | None:
        """What an issue carries in its property, or one of ours at the end of its title."""
        own = inert.reference_in(row["title"] or "") if row["creator"] == names.me else None
        return row.get(self.config.reference_field) or own

    def is_public(self, message: Item) -> bool:
        """Only what somebody marked so."""
        return bool(self.config.public_property) and message.get(self.config.public_property) in (1, True)

    def mark(self, row: Item, messages: Iterable[Item]) -> str:
        """A short code that is another one whenever anything on an issue is."""
        own, notes = set(row["messages"]), [m for m in messages if m["id"] in row["messages"]]
        parts = [row["activity"], row["status"], row.get(self.config.project_property), len(own)]
        parts += [
            f"{m['id']} {m['activity']} {self.is_public(m)}"
            for m in sorted(notes, key=lambda m: int(m["id"]))
        ]
        latest = max(time_of(item["activity"]) for item in (row, *notes))
        if self.api.served_at is not None and self.api.served_at - latest < _YOUNG:
            parts.append("young")
        return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]

    def _entry(self, message: Item, files: dict[str, FileRef], names: Names) -> Entry:
        author, creator = _id(message["author"]), _id(message["creator"])
        return Entry(
            key=message["id"],
            kind=EntryKind.PUBLIC_NOTE if self.is_public(message) else EntryKind.PRIVATE_NOTE,
            at=time_of(message["creation"]),
            author=names.name_of(author or creator),
            author_id=author or creator,
            by_connector=names.me in (author, creator),
            text=(message["content"] or "").replace("\r\n", "\n"),
            files=tuple(files[i] for i in map(_id, message["files"]) if i in files),
        )


def _id(link: Item | str | None) -> str:
    """Of a linked item, as lists show it with more or with fewer words."""
    return str(link["id"]) if isinstance(link, dict) else link or ""


def _is_description(message: Item, row: Item, messages: Sequence[Item]) -> bool:
    """Roundup keeps what a new issue says as its first message, written before the issue itself."""
    return message is messages[0] and time_of(message["creation"]) <= time_of(row["creation"])
