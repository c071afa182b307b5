"""Files, internal notes and status on a ticket: safe to repeat, looked at before and after.

What we write is a follow-up that is not public. Its title is never sent: it would become the ticket's. On a ticket that is
done django-helpdesk takes the words of any follow-up for the resolution, which the citizen may see and gets by mail: there
a note is written with the words of the resolution that is there, and only then given its own.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected
from connector.core.ticket import Upload
from connector.toolkit import crash
from connector.trackers import inert

from . import markup
from .config import Config
from .http import WHO, Connection
from .names import Names
from .tickets import Row, Tickets
from .view import is_settled, key_of, last_line


class Writer:
    """Writes to existing tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names, tickets: Tickets) -> None:
        self._config = config
        self._http = connection
        self._names = names
        self._tickets = tickets

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        plain = self._sendable(upload)
        digest = upload.digest or hashlib.sha256(upload.content).hexdigest()
        marked, key = inert.filename_with(plain, digest), f"fitxer-{digest[:8]}"
        row = self._tickets.one(ticket_id)
        into = self._tickets.survivor(row)
        there = [file for said in into["followup_set"] for file in said["followupattachment_set"]]
        names = {file["filename"]: file for file in there}
        for name in dict.fromkeys((_kept(plain), _kept(marked))):
            if name in names and self._same_content(names[name], len(upload.content), digest):
                return False
        if any(key_of(said) == key and self._lost_its_file(said) for said in into["followup_set"]):
            raise Rejected(
                f"{WHO} kept the words and not the file: it takes none of this type. Let it "
                "(HELPDESK_VALID_EXTENSIONS), or take the type out of tracker.extensions",
                code="type",
            )
        name = marked if _kept(plain) in names else plain
        note = f"{markup.markdown(upload.note)}\n\n" if upload.note.strip() else ""
        made = self._follow_up(into, f"{note}{last_line(key)}", (name, upload.content, upload.media_type))
        crash.point("attach.put")
        sizes = [int(file["size"]) for file in made["followupattachment_set"]]
        if sizes != [len(upload.content)]:
            raise Rejected(f"{WHO} took the file of {len(upload.content)} bytes and kept {sizes}", code="cut")
        return True

    def _sendable(self, upload: Upload) -> str:
        """The name a file is sent under. Raises ``Rejected`` for what would be refused, or half kept."""
        size, limit = len(upload.content), self._config.max_attachment_bytes
        if not size:
            raise Rejected(f"{WHO} takes no empty files", code="empty")
        if limit is not None and size > limit:
            raise Rejected(f"The file is larger than {WHO} takes ({limit} bytes)", code="too_large")
        name = inert.filename(html.unescape(upload.filename))
        suffix = PurePosixPath(name).suffix.lower()
        if suffix and self._config.extensions and suffix not in self._config.extensions:
            raise Rejected(
                f"{WHO} takes no files of the type «{suffix}». Let it (HELPDESK_VALID_EXTENSIONS), and say so in "
                "tracker.extensions",
                code="type",
            )
        return name

    def _same_content(self, file: Row, size: int, digest: str) -> bool:
        if int(file["size"]) != size:
            return False
        content = self._http.content(str(file["file"]), size, "the file on the ticket is larger than it says")
        return hashlib.sha256(content).hexdigest() == digest

    def _lost_its_file(self, row: Row) -> bool:
        """A failure after the words were kept: nobody was told of them, and no file came."""
        return (
            not row["followupattachment_set"]
            and row.get("email_recipients") is None
            and is_settled(row, self._http.served_at)
        )

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        try:
            row = self._tickets.one(ticket_id)
        except Forbidden as error:
            raise Forbidden(f"No internal note was written. {error}", code=error.code) from None
        into, key = self._tickets.survivor(row), inert.one_line(key)
        said = [*into["followup_set"], *row["followup_set"]]
        if any(key_of(one) == key and one["user"] == self._config.account for one in said):
            return False
        words = markup.markdown(inert.clean(text, inert.MAX_BYTES - 500).rstrip())
        merged = ticket_id if into is not row else ""
        self._follow_up(into, f"{words}\n\n{last_line(key, merged)}")
        crash.point("note.put")
        return True

    def _follow_up(self, ticket: Row, words: str, file: tuple[str, bytes, str] | None = None) -> Row:
        """Write a follow-up that is not public; it, as it was kept."""
        done = not self._tickets.is_open(int(ticket["status"]))
        first = str(ticket["resolution"] or "") if done else words
        made = self._begun(ticket, first) if done and file is None else None
        if made is None:
            # a form knows words only
            body = {"ticket": ticket["id"], "comment": first, "public": "false" if file else False}
            made = self._http.post("/followups/", body, file)
        path = f"/followups/{made.get('id')}/"
        if made.get("public") is not False:
            self._http.patch(path, {"public": False, "comment": ""})
            raise Forbidden(
                f"{WHO} made a note public that was to be internal; it was hidden and emptied at once",
                code="came_out_public",
            )
        try:
            if first != words:
                made = self._http.patch(path, {"comment": words})
            self._resolution_as_it_was(ticket)
        except ConnectorError as error:
            raise Ambiguous(f"A note was begun and not ended: {error}", code=error.code) from error
        return made

    def _begun(self, ticket: Row, first: str) -> Row | None:
        """A note of ours on a ticket that is done, which was begun and never got its own words."""
        for row in ticket["followup_set"]:
            ours = row["user"] == self._config.account and row["public"] is False
            if ours and row["comment"] == first and not row["followupattachment_set"]:
                return dict(row)
        return None

    def _resolution_as_it_was(self, before: Row) -> None:
        """Where somebody closed the ticket at the same moment, our words must not stay its resolution."""
        now = self._tickets.one(str(before["id"]))
        ours = [row for row in now["followup_set"] if row["user"] == self._config.account]
        if not now["resolution"] or now["resolution"] not in [row["comment"] for row in ours]:
            return
        closing = [row["comment"] for row in now["followup_set"] if row["new_status"] and row not in ours]
        was = str(before["resolution"] or "")
        right = was if not self._tickets.is_open(int(before["status"])) else [was, *closing][-1]
        if now["resolution"] != right:
            path, narrow = f"/tickets/{now['id']}/", {"status": str(now["status"])}
            self._http.patch(path, {"resolution": right or ""}, narrow)

    def flag(self, ticket_id: str, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """Status only: whom a ticket is copied to is no part of the API."""
        row = self._tickets.one(ticket_id)
        left = [f"watcher: {name}" for name in watchers]
        wanted = self._names.status(status) if status else int(row["status"])
        if wanted is None:
            return (f"status: {status}", *left)
        if wanted != row["status"]:
            try:
                now: Mapping[str, Any] = self._http.patch(
                    f"/tickets/{row['id']}/", {"status": wanted}, {"status": str(row["status"])}
                )
            except Rejected:
                now = row
            crash.point("flag.put")
            if now["status"] != wanted:
                left.insert(0, f"status: {status}")
        return tuple(left)


def _kept(name: str) -> str:
    """A file name as Django keeps it."""
    return html.unescape(name)
