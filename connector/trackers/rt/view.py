"""RT's JSON of a ticket, its transactions and attachments as the connector's ``TicketView``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connector.core.ticket import Entry, EntryKind, FileRef, Markup, TicketView
from connector.trackers import inert

KINDS = ("Correspond", "Comment", "Status", "AddLink")
"""Types of transactions that a view is made of. A ``Correspond`` goes to whoever asked, a ``Comment`` never does."""
MERGED = "MergedInto"
_TEXTS: Mapping[str, Markup] = {"text/plain": "plain", "text/html": "html"}


def time_of(text: str) -> datetime:
    """A time of REST2's JSON: ``YYYY-MM-DDTHH:MM:SSZ``, always UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def field_value(ticket: Mapping[str, Any], name: str) -> str:
    """First value of a custom field by name or number, "" when it has none."""
    for one in ticket.get("CustomFields") or ():
        if name and name in (str(one.get("name")), str(one.get("id"))):
            return str((one.get("values") or [""])[0])
    return ""


def reference_of(ticket: Mapping[str, Any], reference_field: str) -> str | None:
    """Our reference: from its field, else from the end of the subject."""
    found = field_value(ticket, reference_field).strip()
    return found or inert.reference_in(str(ticket.get("Subject") or ""))


def file_of(row: Mapping[str, Any]) -> FileRef:
    """An attachment of REST2's JSON."""
    return FileRef(
        id=str(row["id"]),
        filename=str(row.get("Filename") or f"fitxer-{row['id']}"),
        media_type=str(row.get("ContentType") or "application/octet-stream"),
        size=int(row.get("ContentLength") or 0),
    )


def ticket_view(
    ticket_id: str,
    ticket: Mapping[str, Any],
    transactions: Iterable[Mapping[str, Any]],
    files: Iterable[Mapping[str, Any]],
    texts: Iterable[Mapping[str, Any]],
    *,
    me: str,
    reference_field: str,
    queue: str,
    closed: bool,
) -> TicketView:
    """A ticket. ``ticket`` is what RT answers for ``ticket_id``: another one where that was merged into it."""
    rows = sorted(transactions, key=lambda t: int(t["id"]))
    into = str(ticket["id"]) if str(ticket["id"]) != ticket_id else ""
    if into:
        rows = _of_merged(rows, ticket_id)
    words: dict[str, list[Mapping[str, Any]]] = {}
    for text in texts:
        if not text.get("Filename") and text.get("ContentType") in _TEXTS:
            words.setdefault(str(text["TransactionId"]), []).append(text)
    added: dict[str, list[FileRef]] = {}
    for row in files:
        if row.get("Filename"):
            added.setdefault(str(row["TransactionId"]), []).append(file_of(row))
    entries = [_entry(row, me, words.get(str(row["id"]), []), added.get(str(row["id"]), [])) for row in rows]
    return TicketView(
        ticket_id=ticket_id,
        reference=None if into else reference_of(ticket, reference_field),
        status=str(ticket["Status"]),
        closed=closed,
        project=queue,
        updated_at=time_of(str(ticket["LastUpdated"])),
        entries=tuple(e for e in entries if e.kind is not EntryKind.OTHER),
        files=tuple(file for found in added.values() for file in found),
        merged_into=into,
    )


def _of_merged(rows: list[Mapping[str, Any]], ticket_id: str) -> list[Mapping[str, Any]]:
    """Of the common history: what is the ticket's own, and what came after it was merged. What was written on the other
    one before was meant for somebody else."""
    own = [row for row in rows if str(row["ObjectId"]) == ticket_id]
    merged = [int(row["id"]) for row in own if row["Type"] == "AddLink" and row.get("Field") == MERGED]
    since = max(merged, default=int(rows[-1]["id"]) if rows else 0)
    return [row for row in rows if row in own or int(row["id"]) > since]


def _entry(row: Mapping[str, Any], me: str, texts: list[Mapping[str, Any]], files: list[FileRef]) -> Entry:
    kind, status = EntryKind.OTHER, ""
    if row["Type"] == "Correspond":
        kind = EntryKind.PUBLIC_NOTE
    elif row["Type"] == "Comment":
        kind = EntryKind.PRIVATE_NOTE
    elif row["Type"] == "Status" and row.get("NewValue"):
        kind, status = EntryKind.STATUS, str(row["NewValue"])
    # an e-mail has both: its plain text is what its writer saw
    text = next((t for t in texts if t["ContentType"] == "text/plain"), texts[0] if texts else None)
    creator = row["Creator"]
    return Entry(
        key=str(row["id"]),
        kind=kind,
        at=time_of(str(row["Created"])),
        author=str(creator.get("RealName") or creator["id"]),
        author_id=str(creator["id"]),
        by_connector=str(creator["id"]) == me,
        text=str(text["Content"]).replace("\r\n", "\n").strip() if text else "",
        markup=_TEXTS[text["ContentType"]] if text else "plain",
        status=status,
        files=tuple(files),
    )
