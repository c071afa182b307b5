"""A service request and its updates as the connector's ``TicketView``. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connector.core.errors import Gone
from connector.core.ticket import Entry, EntryKind, TicketView
from connector.trackers import inert

from .http import text

PENDING = "token:"
"""How the id of a request begins that has none yet."""
CLOSED = "closed"
STATUSES = ("open", CLOSED)
"""All there are, without the extension."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_MARKED = ("status", "status_notes", "updated_datetime", "service_code")
_NEVER = datetime.fromtimestamp(0, UTC)


def path_of(ticket_id: str) -> str:
    """Where a request is, as seen from the endpoint. Raises ``Gone`` for what is no id."""
    if not ticket_id or len(ticket_id) > 255 or not ticket_id.isprintable() or ticket_id in (".", ".."):
        raise Gone("Not an id of a service request", code="bad_id")
    return f"requests/{quote(ticket_id, safe='')}"


def time_of(row: Mapping[str, Any], name: str) -> datetime | None:
    """A W3C date and time; one that says no time zone, which the standard forbids, is taken as UTC."""
    try:
        found = datetime.fromisoformat(text(row, name))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def mark_of(row: Mapping[str, Any]) -> str:
    """Changes when anything changes that a request shows."""
    return code_of("\x1f".join(text(row, name) for name in _MARKED))


def code_of(text_: str) -> str:
    """A short code of a text."""
    return hashlib.sha256(text_.encode()).hexdigest()[:12]


def ticket_view(
    row: Mapping[str, Any], updates: Iterable[Mapping[str, Any]] = (), *, notes: bool = False
) -> TicketView:
    """A request. With ``notes`` its ``status_notes`` are an answer; otherwise ``updates`` are.

    Everything in it is public: the standard has nothing else. Nobody is said to have written anything.
    """
    at = time_of(row, "updated_datetime") or time_of(row, "requested_datetime") or _NEVER
    status = text(row, "status").casefold()
    closed = status == CLOSED
    entries = []
    for update in sorted(
        updates, key=lambda u: (time_of(u, "updated_datetime") or _NEVER, text(u, "update_id"))
    ):
        status = text(update, "status").casefold() or status
        if found := _entry(update):
            entries.append(found)
    said = text(row, "status_notes")
    if notes and said:
        # it is overwritten: the same words are the same answer, other words are another one
        entries.append(_note(f"notes-{code_of(said)}", at, said))
    return TicketView(
        ticket_id=text(row, "service_request_id"),
        reference=inert.reference_in(text(row, "description")),
        status=status,
        closed=closed,
        project=text(row, "service_code"),
        updated_at=at,
        entries=tuple(entries),
        mark=mark_of(row),
    )


def _entry(update: Mapping[str, Any]) -> Entry | None:
    number, at = text(update, "update_id"), time_of(update, "updated_datetime") or _NEVER
    media = text(update, "media_url")
    words = [text(update, "description"), media if media.startswith(("https://", "http://")) else ""]
    said = "\n\n".join(filter(None, words))
    if not said or not number:
        return None
    return _note(f"u-{number}" if _KEY.fullmatch(number) else f"x-{code_of(number)}", at, said)


def _note(key: str, at: datetime, said: str) -> Entry:
    return Entry(key, EntryKind.PUBLIC_NOTE, at, "", "", by_connector=False, text=said)
