"""What is done to messages that were sent before: a reaction, a change, a deletion."""

from __future__ import annotations

from dataclasses import replace

from . import words
from .drafts import full, remove
from .events import Effect, Forget, Message, NoteStaff, Step, Wake
from .incoming import EditIn, MediaIn, RevokeIn, TextIn, UnknownIn
from .replies import Result, reply
from .state import Draft, Item, State
from .typed import Typed
from .writing import Writing


class Edits:
    """The part of the conversation that goes back to messages of before."""

    def __init__(self, typed: Typed, writing: Writing) -> None:
        self.menus = writing.menus
        self.town = writing.town
        self.texts = writing.texts
        self.typed = typed
        self.writing = writing

    def reaction(self, state: State, event: Message, emoji: str) -> Result:
        """A reaction to something about a ticket is told to staff."""
        about = event.about
        if emoji and about and not about.startswith("draft:"):
            note = self.texts(self.town.languages[0], "staff.reaction", emoji=emoji)
            return state, Step((NoteStaff(about, note),), "reaction, told to staff")
        return state, Step((), "reaction: noted")

    def changed(self, state: State, event: Message, content: EditIn | RevokeIn, now: float) -> Result:
        """A message was edited or deleted: in the draft it is, on a ticket it cannot be any more."""
        draft, key = state.draft, event.original_key
        old = next((i for i in (*(draft.items if draft else ()), *state.held) if i.key == key), None)
        if old is None or draft is None:
            return self._elsewhere(state, event, content, now)
        if isinstance(content, RevokeIn):
            draft = remove(draft, key, now)
            held = tuple(i for i in state.held if i.key != key)
            forget: tuple[Effect, ...] = (Forget((old.media,)),) if old.media else ()
            return self._later(state, draft, held, forget, "taken out of the draft")
        match content.content:
            case TextIn(body) if old.kind == "text" and not words.is_blank(body):
                new = body
            case MediaIn(caption=caption) if old.kind == "media":
                # WhatsApp lets people edit the words under a file, not the file
                new = "" if words.is_blank(caption or "") else caption or ""
            case _:
                return self.writing.not_taken(state, "unsupported", now, "edit")
        others = tuple(i for i in (*draft.items, *state.held) if i.key != key)
        if full(others, old.model_copy(update={"text": new})):
            return self.writing.not_taken(state, "full", now)

        def change(items: tuple[Item, ...]) -> tuple[Item, ...]:
            return tuple(i.model_copy(update={"text": new}) if i.key == key else i for i in items)

        draft = draft.model_copy(
            update={"items": change(draft.items), "revision": draft.revision + 1, "touched": now}
        )
        return self._later(state, draft, change(state.held), (), "edited in the draft")

    def _elsewhere(self, state: State, event: Message, content: EditIn | RevokeIn, now: float) -> Result:
        """What was edited or deleted is in no draft: on a ticket, or it was a command, or it was not kept."""
        lang = state.language
        if event.original:
            said = "edit.sent" if isinstance(content, EditIn) else "revoke.sent"
            text = self.texts(lang, said, reference=event.original)
            return reply(state, self.menus.closing(text, lang), "changed after it was sent: told")
        if isinstance(content, RevokeIn):
            return state, Step((), "deleted: that message is not kept")
        match content.content:
            case TextIn(body):
                # what was not understood, put right: a message like any other, known by the first one's key
                return self.typed.text(state, replace(event, key=event.original_key or event.key), body, now)
            case MediaIn():
                return self.writing.content(state, event, content.content, now)
            case UnknownIn(what=what):
                return self.writing.not_taken(state, "unsupported", now, what)

    def _later(
        self, state: State, draft: Draft, held: tuple[Item, ...], effects: tuple[Effect, ...], outcome: str
    ) -> Result:
        wake = Wake(self.town.timing.quiet_seconds, draft.id, draft.revision)
        return state.model_copy(update={"draft": draft, "held": held}), Step((*effects, wake), outcome)
