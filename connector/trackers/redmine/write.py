"""Files and internal notes on a Redmine ticket: safe to repeat, looked at before and after."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.core.model import Upload
from connector.trackers import inert

from .config import Config
from .http import Connection, attachment_path
from .names import Names

_FILENAME_BAD = re.compile(r"[/?%*:|\"'<>\\\x00-\x1f\x7f]+")
_LONGEST_FILENAME = 120


class Writer:
    """Writes to existing tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self.config = config
        self.http = connection
        self.names = names
        self._words, _, _ = inert.FORMATS[config.text_format]

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        digest = upload.digest or hashlib.sha256(upload.content).hexdigest()
        limit = self.config.max_attachment_bytes
        if limit is not None and len(upload.content) > limit:
            raise Rejected(f"The file is larger than Redmine takes ({limit} bytes)", code="too_large")
        plain = filename(upload.filename)
        marked = _with_digest(plain, digest)
        issue = raw_issue(self.http, ticket_id, "attachments")
        there = [(filename(str(a.get("filename"))), a) for a in issue.get("attachments") or ()]
        for name, row in there:
            if name in (plain, marked) and self._same_content(row, len(upload.content), digest):
                return False
        name = marked if plain in dict(there) else plain
        token = self.http.redmine.upload(io.BytesIO(upload.content), filename=name)["token"]
        fields: dict[str, Any] = {
            "uploads": [{"token": token, "filename": name, "content_type": upload.media_type}]
        }
        note = upload.note.strip()
        key = f"fitxer-{digest[:8]}"
        if note and self._may_hide_notes(int(issue["project"]["id"])):
            fields |= {"notes": self._note(note, key), "private_notes": True}
        self.http.redmine.issue.update(int(ticket_id), **fields)
        after = self._after_write(ticket_id)
        if name not in {filename(str(a.get("filename"))) for a in after.get("attachments") or ()}:
            raise Forbidden(
                "Redmine took the file and did not put it on the ticket; may our account edit it?"
            )
        if "notes" in fields:
            self._hidden_or_blanked(after, key)
        return True

    def _same_content(self, row: Mapping[str, Any], size: int, digest: str) -> bool:
        if int(row.get("filesize") or 0) != size:
            return False
        if size == 0:
            return True
        content = hashlib.sha256()
        path = attachment_path(str(row["id"]), str(row.get("filename")))
        for piece in self.http.stream(path, size, "the file on the ticket is larger than Redmine said"):
            content.update(piece)
        return content.hexdigest() == digest

    def add_internal_note(self, ticket_id: str, text: str, key: str) -> bool:
        issue = raw_issue(self.http, ticket_id, "journals")
        if not self._may_hide_notes(int(issue["project"]["id"])):
            raise Forbidden(
                "No internal note was written: our role lacks «Set notes as private» (and «Add notes»)",
                code="set_notes_private",
            )
        if self._hidden_or_blanked(issue, key):
            return False
        self.http.redmine.issue.update(int(ticket_id), notes=self._note(text, key), private_notes=True)
        if not self._hidden_or_blanked(self._after_write(ticket_id), key):
            raise Forbidden(
                "Redmine did not keep the internal note; may our account add notes?", code="add_notes"
            )
        return True

    def _note(self, text: str, key: str) -> str:
        return self._words(f"{inert.clean(text, inert.MAX_BYTES - 500).rstrip()}\n\n{inert.one_line(key)}")

    def _may_hide_notes(self, project_id: int) -> bool:
        rights = self.names.rights(project_id, fresh=True)  # without the right it would come out public
        return rights is not None and "set_notes_private" in rights and "add_issue_notes" in rights

    def _hidden_or_blanked(self, issue: Mapping[str, Any], key: str) -> bool:
        """Whether our private note with ``key`` is there; ``Forbidden`` for one that came out public."""
        me = self.names.me_lately().id
        line = re.compile(
            rf"^[^\w\n]*(?:bq\. )?(?:<code>)?[`> ]*{re.escape(inert.one_line(key))}[` ]*(?:</code>)?\s*\Z"
        )
        found = False
        for row in issue.get("journals") or ():
            notes = str(row.get("notes") or "")
            if str((row.get("user") or {}).get("id")) != me or not notes:
                continue
            if not line.match(notes.rstrip().replace("\r\n", "\n").rsplit("\n", 1)[-1]):
                continue
            if row.get("private_notes") is True:
                found = True
            else:
                self._blank(int(row["id"]))
        return found

    def _blank(self, journal_id: int) -> None:
        try:
            self.http.redmine.issue_journal.update(journal_id, notes="")
            after = "It was blanked at once."
        except ConnectorError:
            after = f"It could not be blanked (journal {journal_id}): hide or delete it by hand."
        raise Forbidden(
            f"An internal note came out public: our account may not write private notes. {after}",
            code="public_note",
        )

    def _after_write(self, ticket_id: str) -> dict[str, Any]:
        """The ticket after an answered write: failing to look does not prove that nothing was written."""
        try:
            return raw_issue(self.http, ticket_id, "journals", "attachments")
        except Unavailable as error:
            raise Ambiguous(
                "Redmine took it and could not be asked whether it is right", code=error.code
            ) from error


def raw_issue(connection: Connection, ticket_id: str, *include: str) -> dict[str, Any]:
    """One issue as Redmine's JSON has it, with ``include`` (journals, attachments, …)."""
    if not (ticket_id.isascii() and ticket_id.isdigit()):
        raise Gone("Not a ticket number of Redmine", code="bad_id")
    return dict(connection.redmine.issue.get(int(ticket_id), include=list(include)).raw())


def filename(name: str) -> str:
    """A file name as Redmine keeps it: no folder, forbidden characters as ``_``; 120 characters at most."""
    name = _FILENAME_BAD.sub("_", inert.one_line(re.split(r"[/\\]", name)[-1])) or "fitxer"
    path = PurePosixPath(name)
    suffix = path.suffix[:20]
    return name if len(name) <= _LONGEST_FILENAME else path.stem[: _LONGEST_FILENAME - len(suffix)] + suffix


def _with_digest(name: str, digest: str) -> str:
    path = PurePosixPath(name)
    return filename(f"{path.stem[: _LONGEST_FILENAME - 40]}-{digest[:8]}{path.suffix}")
