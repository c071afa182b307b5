"""Files, comments, status and watchers on an RT ticket: safe to repeat, looked at before and after.

What we write is a comment, never a reply: a comment is for staff only. Its subject is what it is found again by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from connector.core.errors import Ambiguous, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import Upload
from connector.toolkit import crash
from connector.trackers import inert
from connector.trackers.similar import norm

from .config import Config
from .create import is_there, unfolded
from .http import WHO, Connection, quoted
from .names import Names


class Writer:
    """Writes to existing tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self.config = config
        self.http = connection
        self.names = names

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        size = len(upload.content)
        if not size:
            raise Rejected(f"{WHO} takes no empty files", code="empty")
        limit = self.config.max_attachment_bytes
        if limit is not None and size > limit:
            raise Rejected(f"The file is larger than {WHO} takes ({limit} bytes)", code="too_large")
        digest = upload.digest or hashlib.sha256(upload.content).hexdigest()
        plain = inert.filename(upload.filename)
        marked = inert.filename_with(plain, digest)
        there = files(self.http, number_of(ticket_id))
        for row in there:
            if row["Filename"] in (plain, marked) and self._same_content(row, size, digest):
                return False
        name = marked if plain in {row["Filename"] for row in there} else plain
        note = inert.plain(upload.note) if upload.note.strip() else ""
        self._comment(ticket_id, note, f"fitxer-{digest[:8]}", (name, upload.content, media_type(upload)))
        crash.point("attach.put")
        before = {row["id"] for row in there}
        after = [row for row in self._after_write(ticket_id) if row["id"] not in before and row["Filename"]]
        sizes = [int(row.get("ContentLength") or 0) for row in after]
        if sizes and size not in sizes:
            raise Rejected(
                f"{WHO} took the file and kept one of {max(sizes)} bytes: raise its MaxAttachmentSize, or set "
                "tracker.max_attachment_bytes to it",
                code="cut",
            )
        return True

    def _same_content(self, row: Mapping[str, Any], size: int, digest: str) -> bool:
        if int(row.get("ContentLength") or 0) != size:
            return False
        content = self.http.content(str(row["id"]), size, "the file on the ticket is larger than RT said")
        return hashlib.sha256(content).hexdigest() == digest

    def _after_write(self, ticket_id: str) -> list[dict[str, Any]]:
        """The files after an answered write: failing to look does not prove that nothing was written."""
        try:
            return files(self.http, ticket_id)
        except Unavailable as error:
            raise Ambiguous(
                f"{WHO} took it and could not be asked whether it is right", code=error.code
            ) from error

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        links = self.http.get(f"/ticket/{number_of(ticket_id)}").get("_hyperlinks") or ()
        if not any(link.get("ref") == "comment" for link in links):
            raise Forbidden(
                "No internal note was written: our account lacks the right CommentOnTicket",
                code="no_internal_notes",
            )
        key = inert.one_line(key)
        if self._noted(ticket_id, key):
            return False
        words = unfolded(inert.plain(inert.clean(text, inert.MAX_BYTES - 500).rstrip()))
        self._comment(ticket_id, f"{words}\n\n{key}", key)
        crash.point("note.put")
        return True

    def _noted(self, ticket_id: str, key: str) -> bool:
        query = f"ObjectType = 'RT::Ticket' AND ObjectId = {ticket_id} AND Type = 'Comment' AND Subject = {quoted(key)}"
        rows = self.http.rows("/transactions", query=query, fields="Data,Creator")
        me = self.names.me_lately()
        return any(str(r["Data"]).strip() == key and r["Creator"]["id"] == me for r in rows)

    def _comment(
        self, ticket_id: str, text: str, subject: str, file: tuple[str, bytes, str] | None = None
    ) -> None:
        body = {"Content": text, "ContentType": "text/plain", "Subject": subject}
        self.http.post(f"/ticket/{ticket_id}/comment", body, file)

    def flag(self, ticket_id: str, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """Status and watchers, compared with what is there afterwards: RT says 200 to what it did not do."""
        path = f"/ticket/{number_of(ticket_id)}"
        ticket = self.http.get(path)
        wanted: dict[str, Any] = {}
        if status and norm(str(ticket["Status"])) != norm(status):
            wanted["Status"] = status
        people = [(name, self.names.watcher(name)) for name in watchers]
        missing = [who.id for _, who in people if who is not None and not is_there(who, ticket)]
        if missing:
            # what is sent is the whole list afterwards
            wanted["AdminCc"] = [*(str(w["id"]) for w in ticket.get("AdminCc") or ()), *missing]
        for part, value in wanted.items():
            try:
                self.http.put(path, {part: value})
            except Rejected:
                continue  # it is among what is left
            crash.point("flag.put")
        after = self.http.get(path)
        left = [f"status: {status}"] if status and norm(str(after["Status"])) != norm(status) else []
        left += [f"watcher: {name}" for name, who in people if who is None or not is_there(who, after)]
        return tuple(left)


def files(connection: Connection, ticket_id: str) -> list[dict[str, Any]]:
    """All attachments of a ticket, without their content; those without a name are texts."""
    fields = "Filename,ContentType,ContentLength,TransactionId"
    return list(connection.rows(f"/ticket/{ticket_id}/attachments", fields=fields))


def number_of(ticket_id: str) -> str:
    """The id, when it can be one of RT's. Raises ``Gone``."""
    if not (ticket_id.isascii() and ticket_id.isdigit()):
        raise Gone(f"Not a ticket number of {WHO}", code="bad_id")
    return ticket_id


def media_type(upload: Upload) -> str:
    """The type a file is sent as: of texts RT changes the bytes where they are no UTF-8, and drops NULs."""
    if upload.media_type.startswith("text/"):
        try:
            same = "\x00" not in upload.content.decode()
        except UnicodeDecodeError:
            same = False
        return upload.media_type if same else "application/octet-stream"
    return upload.media_type
