"""What of a ticket's journal reaches the citizen. Default-deny: only public notes the mapping allows, ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import words
from .texts import Texts
from .ticket import Entry, EntryKind, FileRef
from .town import Town, say


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a journal entry goes to the citizen, and why (not)."""

    note: bool
    """Its words and files go out."""
    status: bool
    """The sentence for its new status goes out."""
    reason: str

    @property
    def sends(self) -> bool:
        return self.note or self.status


def digest(entry: Entry) -> str:
    """What of an entry matters to a citizen, as a short code: it says when it was changed and never what it says."""
    parts = (entry.kind, entry.text, entry.status, *(f"{f.id}:{f.size}" for f in entry.files))
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


def judge(entry: Entry, town: Town) -> Verdict:
    """Decide about one entry. What is not clearly public and allowed stays."""
    if entry.by_connector:
        return Verdict(False, False, "our own")
    allowed = not town.answers.only_from or entry.author in town.answers.only_from
    status = bool(entry.status) and bool(say(town.statuses.get(entry.status, {}), town.languages[0]))
    if entry.kind is EntryKind.PRIVATE_NOTE:
        # a private note may carry a status change; the status alone is public, yet the two were written as one
        return Verdict(False, False, "private")
    if entry.kind is EntryKind.PUBLIC_NOTE and (
        not words.is_blank(entry.text) or (entry.files and town.answers.attachments)
    ):
        if not allowed:
            return Verdict(
                False, status, "status" if status else "the mapping does not send notes of this person"
            )
        return Verdict(True, status, "note and status" if status else "note")
    if status:
        return Verdict(False, True, "status")
    return Verdict(False, False, "nothing for the citizen")


def author_of(entry: Entry, town: Town, language: str) -> str:
    """Who is said to answer, "" for nobody, as the mapping says."""
    match town.answers.author:
        case "none":
            return ""
        case "name":
            return entry.author or town.channel.name
        case _:
            return say(town.answers.authors.get(entry.author, {}), language) or town.channel.name


def words_of(
    entry: Entry, verdict: Verdict, reference: str, note: str, town: Town, texts: Texts, language: str
) -> str:
    """The text of an answer: who answers which request, the note (already in WhatsApp's markup), the status."""
    parts = []
    if verdict.note:
        author = author_of(entry, town, language)
        head = (
            texts(language, "answer.head", author=author, reference=reference)
            if author
            else texts(language, "answer.head_plain", reference=reference)
        )
        parts.append(f"{head}\n\n{note}".strip())
    if verdict.status:
        text = say(town.statuses.get(entry.status, {}), language)
        parts.append(
            text if verdict.note else texts(language, "answer.status", reference=reference, text=text)
        )
    return "\n\n".join(parts)


def files_of(entry: Entry, verdict: Verdict, town: Town) -> tuple[FileRef, ...]:
    """The files that go along."""
    return entry.files if verdict.note and town.answers.attachments else ()
