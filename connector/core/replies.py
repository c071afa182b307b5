"""The ends of a step: a screen is shown, or the menu."""

from __future__ import annotations

from .events import Say, Step
from .menu import Menus, Screen, show
from .state import State

Result = tuple[State, Step]


def reply(state: State, screen: Screen, outcome: str, about: str = "") -> Result:
    """``screen`` is shown; ``about`` is remembered with it."""
    return show(state, screen), Step((Say(screen.message, about),), outcome)


def menu(menus: Menus, state: State, before: str, outcome: str) -> Result:
    """The menu, with ``before`` above it; a draft in which there is nothing yet is no more."""
    if state.draft is not None and not state.draft.items and not state.draft.option:
        state = state.model_copy(update={"draft": None})
    return reply(state, menus.main(state.language, before), outcome)


def aside(state: State) -> State:
    """The state without a draft in which there is nothing yet: the person went elsewhere."""
    draft = state.draft
    return state.model_copy(update={"draft": None}) if draft is not None and not draft.items else state
