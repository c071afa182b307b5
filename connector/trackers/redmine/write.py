"""Files and internal notes on a Redmine ticket: safe to repeat, looked at before and after."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Gone, Rejected, Unavailable
from connector.core.ticket import Upload
from connector.toolkit import crash
from connector.trackers import inert

from . import markup
from .config import Config
from .http import Connection, attachment_path
from .names import Names


class Writer:
    """Writes to existing tickets over one connection."""

    def __init__(self, config: Config, connection: Connection, names: Names) -> None:
        self.config = config
        self.http = connection
        self.names = names
        self._words, _, _ = markup.FORMATS[config.text_format]

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        digest = upload.digest or hashlib.sha256(upload.content).hexdigest()
        limit = self.config.max_attachment_bytes
        if limit is not None and len(upload.content) > limit:
            raise Rejected(f"The file is larger than Redmine takes ({limit} bytes)", code="too_large")
        plain = inert.filename(upload.filename)
        marked = inert.filename_with(plain, digest)
        issue = raw_issue(self.http, ticket_id, "attachments")
        there = [(inert.filename(str(a.get("filename"))), a) for a in issue.get("attachments") or ()]
        for name, row in there:
            if name in (plain, marked) and self._same_content(row, len(upload.content), digest):
                return False
        name = marked if plain in dict(there) else plain
        token = self.http.redmine.upload(io.BytesIO(upload.content), filename=name)["token"]
        crash.point("attach.uploaded")
        fields: dict[str, Any] = {
            "uploads": [{"token": token, "filename": name, "content_type": upload.media_type}]
        }
        note = upload.note.strip()
        key = f"fitxer-{digest[:8]}"
        if note and self._may_hide_notes(int(issue["project"]["id"])):
            fields |= {"notes": self._note(note, key), "private_notes": True}
        self.http.redmine.issue.update(int(ticket_id), **fields)
        crash.point("attach.put")
        after = self._after_write(ticket_id)
        if name not in {inert.filename(str(a.get("filename"))) for a in after.get("attachments") or ()}:
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
                code="no_internal_notes",
            )
        if self._hidden_or_blanked(issue, key):
            return False
        self.http.redmine.issue.update(int(ticket_id), notes=self._note(text, key), private_notes=True)
        crash.point("note.put")
        if not self._hidden_or_blanked(self._after_write(ticket_id), key):
            raise Forbidden(
                "Redmine did not keep the internal note; may our account add notes?", code="add_notes"
            )
        return True

    def flag(self, ticket_id: str, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """Status and watchers, compared with what is there afterwards: Redmine skips silently what we may not."""
        issue = raw_issue(self.http, ticket_id, "watchers")
        project = self.names.project_by_id(int(issue["project"]["id"]))
        if project is None:
            raise Forbidden("The ticket is in a project that our account does not see", code="no_project")
        left = []
        wanted = self.names.resolve(project, "status", status) if status else None
        if status and wanted is None:
            left.append(f"status: {status}")
        elif wanted is not None and int(issue["status"]["id"]) != wanted:
            self.http.redmine.issue.update(int(ticket_id), status_id=wanted)
            crash.point("flag.put")
        people = [(name, self.names.resolve(project, "person", name)) for name in watchers]
        there = {int(w["id"]) for w in issue.get("watchers") or ()}
        for _, person in people:
            if person is not None and person not in there:
                self.http.redmine.issue.get(int(ticket_id)).watcher.add(person)
        after = raw_issue(self.http, ticket_id, "watchers")
        there = {int(w["id"]) for w in after.get("watchers") or ()}
        if wanted is not None and int(after["status"]["id"]) != wanted:
            left.append(f"status: {status}")
        left += [f"watcher: {name}" for name, person in people if person not in there]
        return tuple(left)

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
