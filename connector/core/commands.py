"""What a typed text asks for, as the id that a tap would have given; "" when it is the citizen's own words."""

from __future__ import annotations

from . import words
from .menu import HOME, Menus
from .state import Draft, State

_DRAFT = (
    (words.SEND, "draft:send"),
    (words.CANCEL, "draft:cancel"),
    (words.PLACE, "draft:location"),
    (words.KEEP, "draft:keep"),
)


def lapsed(draft: Draft, hours: float, now: float) -> bool:
    """Whether a draft lay untouched for more than ``hours``."""
    return now - draft.touched > hours * 3600


def command(state: State, body: str, menus: Menus, now: float, subscribed: bool = False) -> str:
    """The id that a typed text stands for, "" when it is content.

    «BAIXA» leaves the news for who is ``subscribed`` to some, and the channel for everybody else.

    Inside a request a text that is a greeting or the name of an option is the citizen's words; the number of
    what was last shown, «menu», the languages and what the summary offers can always be typed.
    """
    folded = words.fold(body)
    draft = state.draft
    if folded in words.MENU or words.number(body) == 0:
        return HOME
    if folded in words.LEAVE and subscribed:
        return "topic:stop"
    if folded in words.LEAVE:
        # at any time; but a single word must not throw away what is being written
        return "data:leave" if draft is not None and (draft.items or state.held) else "consent:no"
    if state.shown[:1] == ("data:withdraw",) and (words.agrees(body) or folded in words.NO):
        return "data:withdraw" if words.agrees(body) else HOME
    first = next(iter(state.shown), "")
    if (
        first.startswith("topic:")
        and first.endswith((":yes", ":no"))
        and (words.agrees(body) or folded in words.NO)
    ):
        return first if words.agrees(body) else "topic:home"
    number = words.number(body)
    if number and number <= len(state.shown):
        return state.shown[number - 1]
    for turn, known in zip(state.turns, (words.BACK, words.MORE), strict=True):
        if turn and folded in known:
            return turn
    if draft is not None and (draft.items or draft.option):
        asked = _asked(state, draft, body)
        if asked:
            return asked
    if folded in words.LANGUAGE:
        return "lang:menu"
    language = words.named_language(body)
    if language in menus.town.languages:
        return f"lang:{language}"
    if draft is not None and draft.option and not lapsed(draft, menus.town.timing.draft_hours, now):
        return ""
    if folded in words.WITHDRAW:
        return "consent:no"
    if named := menus.by_name(body):
        return named
    if folded in words.DATA:
        return "data:home"
    if folded in words.TOPICS and menus.town.topics:
        return "topic:home"
    return HOME if words.is_greeting(body) or folded in words.HELP else ""


def _asked(state: State, draft: Draft, body: str) -> str:
    """What a text answers to the buttons under the summary."""
    folded = words.fold(body)
    for known, chosen in _DRAFT:
        if folded in known:
            return chosen
    if state.shown[:1] == ("draft:send",) and draft.summarised == draft.revision:
        # the last thing said was «shall I send it?»
        if words.agrees(body):
            return "draft:send"
        if folded in words.NO:
            return HOME
    return ""
