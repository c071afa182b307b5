"""What was typed: a command, a thank you, the name of a page, or the words of a request."""

from __future__ import annotations

from . import words
from .commands import command
from .events import Message
from .incoming import TextIn
from .pages import Pages
from .replies import Result, menu, reply
from .state import State
from .taps import Taps
from .writing import Writing

_FREE_WORDS = 3
"""A text of so many words that is no option is taken for the beginning of a request; a shorter one gets help."""


class Typed:
    """The part of the conversation that is typed."""

    def __init__(self, pages: Pages, taps: Taps, writing: Writing) -> None:
        self.menus = taps.menus
        self.texts = taps.texts
        self.pages = pages
        self.taps = taps
        self.writing = writing

    def text(self, state: State, event: Message, body: str, now: float) -> Result:
        """A text, which is more often a command than it looks."""
        asked = command(state, body, self.menus, now, bool(event.topics))
        if asked:
            return self.taps.chosen(state, event, asked, now)
        if words.is_blank(body):
            return self.writing.not_taken(state, "blank", now)
        folded = words.fold(body)
        if state.draft is None and (folded in words.THANKS or words.agrees(body)):
            text = self.texts(state.language, "help.thanks")
            return reply(state, self.menus.closing(text, state.language), "thanks: answered")
        if state.draft is None and (found := self.pages.typed(body, state.language)):
            return reply(state, *found)
        if state.draft is None and len(folded.split()) < _FREE_WORDS:
            return menu(self.menus, state, self.texts(state.language, "help.unknown"), "not understood: help")
        return self.writing.content(state, event, TextIn(body), now)
