"""Files, internal notes and flags on an issue that is there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from connector.core.errors import Forbidden, Gone, Rejected
from connector.core.ticket import Upload
from connector.toolkit import crash
from connector.trackers import inert

from .config import Config
from .create import Maker
from .http import Api, Item
from .names import Directory
from .view import Reader

NO_NOTES = "no_internal_notes"


class Writer:
    def __init__(self, api: Api, directory: Directory, reader: Reader, maker: Maker, config: Config) -> None:
        self._api, self._directory, self._reader, self._maker, self._config = (
            api,
            directory,
            reader,
            maker,
            config,
        )

    def attach(self, ticket_id: str, upload: Upload) -> bool:
        """See ``Tracker.attach``."""
        there = self._reader.files(self._reader.row(ticket_id, ["files"])["files"])
        if not upload.content:
            raise Rejected("Roundup takes no empty files", code="empty")
        digest = upload.digest or hashlib.sha256(upload.content).hexdigest()
        name = inert.filename(upload.filename)
        for candidate in (name, inert.filename_with(name, digest)):
            of_that_name = [f for f in there if f.filename == candidate]
            if any(
                f.size == len(upload.content) and self._digest(f.id, f.size) == digest for f in of_that_name
            ):
                return False
            if not of_that_name:
                name = candidate
                break
        file_id = self._api.upload(name, upload.media_type, upload.content)
        crash.point("attach.uploaded")
        self._api.change(ticket_id, ["files"], lambda _: {"files": f"+{file_id}"})
        crash.point("attach.put")
        if self._api.size(file_id) != len(upload.content):
            raise Rejected("Roundup did not keep the file whole", code="cut")
        return True

    def note(self, ticket_id: str, text: str, key: str) -> bool:
        """See ``Tracker.add_internal_note``."""
        public = self._config.public_property
        if not public:
            raise Forbidden("This Roundup does not tell internal notes from others", code=NO_NOTES)
        row = self._reader.row(ticket_id, ["messages"])
        names = self._directory.now()
        ends_so = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")
        for message in self._api.by_ids("msg", row["messages"], ["creator", "content"], verbose=3):
            ours = message.get("creator", {}).get("id") == names.me
            if ours and ends_so.search(message.get("content", "").rpartition("\n")[2]):
                return False
        try:
            words = f"{inert.clean(text).strip()}\n\n[{key}]"
            message_id = self._maker.message(f"<{key}.{ticket_id}@whatsapp-connector>", words, names)
        except Forbidden as error:
            if error.code != "http_403":
                raise
            raise Forbidden(
                f"Roundup does not let our account write internal notes: {error}", code=NO_NOTES
            ) from error
        self._not_public(message_id)
        # with the status as it is: Roundup would open a closed issue again for a new message (statusauditor.py)
        self._api.change(
            ticket_id,
            ["messages", "status"],
            lambda now: (
                {"messages": f"+{message_id}"} | ({"status": now["status"]} if now.get("status") else {})
            ),
        )
        crash.point("note.put")
        try:
            self._not_public(message_id)
        except Forbidden:
            self._api.change(ticket_id, ["messages"], lambda _: {"messages": f"-{message_id}"})
            raise
        return True

    def flag(self, ticket_id: str, status: str, watchers: Sequence[str]) -> tuple[str, ...]:
        """See ``Tracker.flag``."""
        self._reader.row(ticket_id, ["id"])
        resolve = self._directory.resolve
        missing, wanted = [], {}
        found = resolve(lambda names: names.choice("status", status)) if status else None
        if found is not None:
            wanted["status"] = str(found)
        elif status:
            missing.append(f"status: {status}")
        people: dict[str, str] = {}
        for name in watchers:
            person = resolve(lambda names, name=name: names.person(name))  # type: ignore[misc]
            if person is None:
                missing.append(f"watcher: {name}")
            else:
                people[str(person)] = name

        def change(now: Item) -> dict[str, str]:
            new = [f"+{p}" for p in people if p not in now.get("nosy", ())]
            changed = {k: v for k, v in wanted.items() if now.get(k) != v}
            return changed | ({"nosy": ",".join(new)} if new else {})

        try:
            changed = self._api.change(ticket_id, ["status", "nosy"], change)
        except Rejected as error:
            return (*missing, *(f"{status}: {error}" for status in [status] if status))
        crash.point("flag.put")
        if changed:
            now, _ = self._api.element("issue", ticket_id, ["status", "nosy"])
            if now.get("status") != wanted.get("status", now.get("status")):
                missing.append(f"status: {status}")
            missing += [
                f"watcher: {name}" for person, name in people.items() if person not in now.get("nosy", ())
            ]
        return tuple(missing)

    def _digest(self, file_id: str, size: int) -> str:
        digest = hashlib.sha256()
        try:
            for piece in self._api.pieces(file_id, size):
                digest.update(piece)
        except (Gone, Rejected):
            return ""
        return digest.hexdigest()

    def _not_public(self, message_id: str) -> None:
        """Raise where our account cannot see that a message of ours is internal, or it is not."""
        message, _ = self._api.element("msg", message_id, [self._config.public_property])
        if self._config.public_property not in message or self._reader.is_public(message):
            sentence = "What our account writes in Roundup comes out public, or may: no internal note is on the ticket"
            raise Forbidden(sentence, code=NO_NOTES)
