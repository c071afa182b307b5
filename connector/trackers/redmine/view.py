"""Redmine's JSON of an issue as the connector's ``TicketView``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connector.core.ticket import Entry, EntryKind, FileRef, Markup, TicketView
from connector.trackers import inert


def time_of(text: str) -> datetime:
    """A time of Redmine's JSON: ``YYYY-MM-DDTHH:MM:SSZ``, UTC, whole seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def stamp(at: datetime) -> str:
    """The only form of a time that Redmine's filters take."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def field_value(issue: Mapping[str, Any], field_id: int | None) -> Any:
    """Value of a custom field on an issue; None when it is not shown there."""
    return next((f.get("value") for f in issue.get("custom_fields") or () if f.get("id") == field_id), None)


def reference_of(issue: Mapping[str, Any], field_id: int | None) -> str | None:
    """Our reference: from its field, else from the end of the subject."""
    value = field_value(issue, field_id)
    if isinstance(value, str) and value.strip():
        return value.strip()
    return inert.reference_in(str(issue.get("subject") or ""))


def file_of(row: Mapping[str, Any]) -> FileRef:
    """An attachment of Redmine's JSON."""
    return FileRef(
        id=str(row["id"]),
        filename=str(row.get("filename") or f"fitxer-{row['id']}"),
        media_type=str(row.get("content_type") or "application/octet-stream"),
        size=int(row.get("filesize") or 0),
        url=str(row.get("content_url") or ""),
    )


def ticket_view(
    issue: Mapping[str, Any],
    *,
    me: str,
    statuses: Mapping[int, tuple[str, bool]],
    reference_field: int | None,
    markup: Markup,
    project: str,
) -> TicketView:
    """A whole issue, asked with ``include=journals,attachments``, by ``statuses`` (id: name, closed)."""
    files = tuple(file_of(row) for row in issue.get("attachments") or ())
    by_id = {f.id: f for f in files}
    status = issue["status"]
    name, closed = statuses.get(int(status["id"]), (str(status.get("name", "")), False))
    rows = sorted(issue.get("journals") or (), key=lambda j: int(j["id"]))
    return TicketView(
        ticket_id=str(issue["id"]),
        reference=reference_of(issue, reference_field),
        status=name,
        closed=bool(status.get("is_closed", closed)),
        project=project,
        updated_at=time_of(issue["updated_on"]),
        entries=tuple(_entry(row, me, statuses, by_id, markup) for row in rows),
        files=files,
        private=bool(issue.get("is_private")),
        birth=_birth(issue),
    )


def _entry(
    row: Mapping[str, Any], me: str, statuses: Mapping[int, tuple[str, bool]], files: Mapping[str, FileRef],
    markup: Markup,
) -> Entry:  # fmt: skip
    text = str(row.get("notes") or "").replace("\r\n", "\n").strip()
    user = row.get("user") or {}
    status = ""
    added: list[FileRef] = []
    for detail in row.get("details") or ():
        what, name, new = detail.get("property"), str(detail.get("name")), detail.get("new_value")
        if what == "attr" and name == "status_id" and new:
            status = statuses.get(int(new), (f"#{new}", False))[0] if str(new).isdigit() else str(new)
        elif what == "attachment" and new and name in files:  # one deleted since is not among the files
            added.append(files[name])
    # Default-deny: a journal that does not say that it is public is private.
    if row.get("private_notes") is not False:
        kind = EntryKind.PRIVATE_NOTE
    elif text:
        kind = EntryKind.PUBLIC_NOTE
    elif status:
        kind = EntryKind.STATUS
    else:
        kind = EntryKind.OTHER
    return Entry(
        key=str(row["id"]),
        kind=kind,
        at=time_of(row["created_on"]),
        author=str(user.get("name", "")),
        author_id=str(user.get("id", "")),
        by_connector=str(user.get("id", "")) == me,
        text=text,
        markup=markup,
        status=status,
        files=tuple(added),
        birth=_birth(row),
    )


def _birth(row: Mapping[str, Any]) -> str:
    """On SQLite, and on MySQL before 8.0 when it was restarted, ids of deleted rows are given again."""
    return "".join(filter(str.isdigit, str(row.get("created_on") or "")))
