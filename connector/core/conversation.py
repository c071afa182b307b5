"""The conversation: one step takes the state and an event, and gives the new state and what follows. Pure.

Here is decided who answers: ``consent.py`` before anything else, then ``edits.py`` (changes to messages sent before),
``typed.py``, ``taps.py`` or ``writing.py`` (the draft). Each asks only those named after it.
"""

from __future__ import annotations

from collections.abc import Callable

from . import emergency, words
from .board import Board
from .consent import Consent
from .edits import Edits
from .events import Event, Message, Moved, Quiet, Say, Step
from .incoming import (
    AddressChangedIn,
    ContactsIn,
    Content,
    EditIn,
    MediaIn,
    MediaKind,
    PlaceIn,
    ReactionIn,
    ReplyIn,
    RevokeIn,
    TextIn,
    UnknownIn,
    UnsupportedIn,
)
from .menu import NOTHING, Menus
from .outgoing import TextOut
from .pages import Pages
from .replies import Result
from .state import State
from .subscriptions import STOP, Subscriptions
from .taps import Taps
from .texts import Texts
from .town import Town
from .typed import Typed
from .writing import Writing


class Conversation:
    """The conversation of one town. ``new_id`` gives the ids of drafts; nothing else comes from outside."""

    def __init__(
        self,
        town: Town,
        texts: Texts,
        new_id: Callable[[], str],
        board: Board = NOTHING,
        now: float = 0.0,
    ) -> None:
        self.town = town
        self.texts = texts
        self.new_id = new_id
        self.menus = Menus(town, texts, board, now)
        self.consent = Consent(self.menus, texts)
        self.subscriptions = Subscriptions(self.menus, texts)
        pages = Pages(self.menus)
        self.writing = Writing(self.menus, texts, new_id)
        self.taps = Taps(self.menus, texts, pages, self.consent, self.subscriptions, self.writing)
        self.typed = Typed(pages, self.taps, self.writing)
        self.edits = Edits(self.typed, self.writing)

    def seeing(self, board: Board, now: float) -> Conversation:
        """The same conversation with what the town's sources say, at ``now``."""
        return Conversation(self.town, self.texts, self.new_id, board, now)

    def step(self, state: State, event: Event, now: float) -> Result:
        """The state after ``event`` at ``now`` (Unix seconds), and what follows from it, in order.

        Whoever writes that help is needed now is told first whom to call; the rest takes its course.
        """
        new, step = self._step(state, event, now)
        if not self._calls_for_help(state, event, now):
            return new, step
        notice = self.texts(new.language, "emergency.notice")
        if new.draft is not None and new.draft.items:
            notice += "\n\n" + self.texts(new.language, "emergency.go_on")
        new = new.model_copy(update={"warned_at": now})
        return new, Step((Say(TextOut(notice)), *step.effects), f"{step.outcome}; told to call 112")

    def _calls_for_help(self, state: State, event: Event, now: float) -> bool:
        if not isinstance(event, Message) or event.inbound.group:
            return False
        if 0 <= now - state.warned_at < self.town.emergency.hours * 3600:
            return False
        return emergency.speaks_of(_written(event.inbound.content), self.town.emergency.words)

    def _step(self, state: State, event: Event, now: float) -> Result:
        if isinstance(event, Quiet):
            return self.writing.quiet(state, event)
        if event.inbound.group:
            return state, Step((), "group message: not answered")
        content = event.inbound.content
        if isinstance(content, AddressChangedIn):
            return state, Step((Moved(content.new),), "address changed")
        if not self.consent.given(state):
            if event.topics and _stops(content):
                # a new text is asked about: who only wants no news any more has not to answer that first
                return self.subscriptions.stop(state, event)
            return self._before_consent(state, event, now)
        match content:
            case TextIn(body):
                return self.typed.text(state, event, body, now)
            case ReplyIn(id=chosen):
                return self.taps.chosen(state, event, chosen, now)
            case MediaIn(kind=MediaKind.STICKER):
                return self.writing.not_taken(state, "sticker", now)
            case MediaIn() | PlaceIn():
                return self.writing.content(state, event, content, now)
            case ContactsIn():
                return self.writing.not_taken(state, "contacts", now)
            case ReactionIn(emoji=emoji):
                return self.edits.reaction(state, event, emoji)
            case EditIn() | RevokeIn():
                return self.edits.changed(state, event, content, now)
            case UnsupportedIn(what=what, code=code):
                kind = "too_big" if code == 131052 else "again" if code == 131060 else "unsupported"
                return self.writing.not_taken(state, kind, now, what)
            case UnknownIn(what=what):
                return self.writing.not_taken(state, "unsupported", now, what)

    def _before_consent(self, state: State, event: Message, now: float) -> Result:
        new, step = self.consent.step(state, event, now)
        if not (self.consent.given(new) and new.draft is not None and new.draft.items):
            return new, step
        # a new text was accepted while a request was being written: on with that instead of the menu
        thanks = self.texts(new.language, "consent.thanks")
        if state.wrote_before:
            thanks += " " + self.texts(new.language, "consent.write_again")
        new, asked = self.taps.home(new)
        kept = tuple(e for e in step.effects if not isinstance(e, Say))
        return new, Step((*kept, Say(TextOut(thanks)), *asked.effects), step.outcome)


def _stops(content: Content) -> bool:
    """Whether this leaves the news."""
    match content:
        case ReplyIn(id=chosen):
            return chosen == STOP
        case TextIn(body):
            return words.fold(body) in words.LEAVE
        case _:
            return False


def _written(content: Content) -> str:
    """What a person wrote in a message, a caption too."""
    match content:
        case TextIn(body):
            return body
        case MediaIn(caption=caption):
            return caption or ""
        case EditIn(content=changed):
            return _written(changed)
        case _:
            return ""
