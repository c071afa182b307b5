"""A ticket and its follow-ups, as the API gives them, as the connector's ``TicketView``. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.core.ticket import Entry, EntryKind, FileRef, TicketView

Row = Mapping[str, Any]
WRITTEN = timedelta(seconds=5)
"""A follow-up is written in several steps, its files after its words. Done is one of which is known who got mail about it
(``email_recipients``); where nobody ever notes that, one so old."""
_MERGED_FROM = re.compile(r"^\[[^\]]*#(\d+)\]")
"""How django-helpdesk begins the title of a follow-up that came from a merged ticket, whatever the language."""
_ON_BEHALF = re.compile(r"\S+ · (\d+)\s*$")


@dataclass(frozen=True)
class View:
    """A ticket, and whether its follow-ups are all written to the end."""

    ticket: TicketView
    settled: bool


def time_of(text: str) -> datetime:
    """A time of the API's JSON, in whatever zone the server has, as UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def last_line(key: str, merged: str = "") -> str:
    """The last line of a note of ours. ``merged`` is the ticket it is about, when that lives on in this one."""
    return f"{key} · {merged}" if merged else key


def key_of(row: Row) -> str:
    """The key in the last line of a note, "" when it has no words."""
    lines = str(row.get("comment") or "").split("\n")
    return lines[-1].partition(" · ")[0].strip()


def is_settled(row: Row, now: datetime) -> bool:
    """Whether a follow-up is written to the end."""
    return row.get("email_recipients") is not None or now - time_of(row["date"]) > WRITTEN


def file_of(row: Row) -> FileRef:
    """An attachment of the API's JSON."""
    return FileRef(
        id=str(row["id"]),
        filename=str(row.get("filename") or f"fitxer-{row['id']}"),
        media_type=str(row.get("mime_type") or "application/octet-stream"),
        size=int(row.get("size") or 0),
    )


def own_view(
    row: Row,
    *,
    account: int,
    person: Callable[[int], str],
    status: str,
    closed: bool,
    queue: str,
    reference: str | None,
    now: datetime,
) -> View:
    """A ticket by itself."""
    rows = _in_order(row["followup_set"])
    first = min((r["id"] for r in rows), default=0)
    told = [r for r in rows if not _is_opening(r, row, first, account)]
    entries = tuple(_entry(r, account, person) for r in told if _says_something(r))
    ticket = TicketView(
        ticket_id=str(row["id"]),
        reference=reference,
        status=status,
        closed=closed,
        project=queue,
        updated_at=max((time_of(r["date"]) for r in rows), default=now),
        entries=entries,
        files=tuple(file for r in rows for file in map(file_of, r["followupattachment_set"])),
    )
    mark = f"{row['status']}{'-' if closed else '+'}{_digest(ticket)}"
    return View(replace(ticket, mark=mark), all(is_settled(r, now) for r in rows))


def merged_view(row: Row, survivor: Row, **how: Any) -> View:
    """A ticket that lives on in another one, to which all its follow-ups were moved, their titles saying from where.

    When that was the API does not tell. Known is when we wrote there first about this one: what came after that is for
    its citizen too; what came before, and is not its own, was meant for somebody else.
    """
    number = str(row["id"])
    rows = _in_order(survivor["followup_set"])
    ours = [r for r in rows if r["user"] == how["account"] and not r["public"]]
    since = next((r["date"] for r in ours if _about(r) == number), None)
    own = [r for r in rows if (from_ := _MERGED_FROM.match(str(r["title"] or ""))) and from_[1] == number]
    later = [r for r in rows if since is not None and time_of(r["date"]) >= time_of(since)]
    kept = {r["id"]: r for r in (*row["followup_set"], *own, *later)}
    view = own_view({**row, "followup_set": [*kept.values()]}, **how)
    into = replace(view.ticket, merged_into=str(survivor["id"]), reference=None)
    mark = f"{row['status']}-{_digest(into)}"
    return View(replace(into, mark=mark), view.settled)


def was_open(mark: str) -> bool:
    """Whether a ticket was open, or not yet seen, when its mark was made."""
    return not mark or mark.lstrip("0123456789")[:1] == "+"


def _about(row: Row) -> str:
    found = _ON_BEHALF.search(str(row.get("comment") or ""))
    return found[1] if found else ""


def _in_order(rows: Iterable[Row]) -> Sequence[Row]:
    return sorted(rows, key=lambda r: (time_of(r["date"]), r["id"]))


def _is_opening(row: Row, ticket: Row, first: int, account: int) -> bool:
    """A new ticket gets a public follow-up with its own description."""
    if not (row["public"] and row["id"] == first):
        return False
    return bool(row["user"] == account or row["comment"] == ticket["description"])


def _says_something(row: Row) -> bool:
    """Changes of owner, priority … are follow-ups without words, and may be public ones."""
    return bool(str(row.get("comment") or "").strip() or row["followupattachment_set"])


def _entry(row: Row, account: int, person: Callable[[int], str]) -> Entry:
    user = row["user"]
    # Without a user it came by mail from anybody, or the program itself wrote it; who sends mail can be made up.
    by_staff = user is not None and not row.get("message_id")
    return Entry(
        key=str(row["id"]),
        kind=EntryKind.PUBLIC_NOTE if row["public"] is True and by_staff else EntryKind.PRIVATE_NOTE,
        at=time_of(row["date"]),
        author="" if user is None else person(int(user)),
        author_id="" if user is None else str(user),
        by_connector=user == account,
        text=str(row.get("comment") or "").replace("\r\n", "\n").strip(),
        markup="markdown",
        files=tuple(map(file_of, row["followupattachment_set"])),
    )


def _digest(ticket: TicketView) -> str:
    parts = [ticket.project, ticket.merged_into]
    for entry in ticket.entries:
        parts += [entry.key, entry.kind, entry.text, *(f"{f.id}:{f.size}" for f in entry.files)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
