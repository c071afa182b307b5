"""«My data»: what is kept of a person, since when and until when, and the way out. Reached by ``data:home``.

``data:leave`` asks before consent is withdrawn, ``data:withdraw`` is the yes to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from .menu import Menus, Screen, buttons
from .state import State
from .subscriptions import Subscriptions
from .texts import Texts
from .town import say

_NAMED = 5
"""So many references are named, of more the number alone."""


class MyData:
    """The screens about one's own data."""

    def __init__(self, menus: Menus, texts: Texts, subscriptions: Subscriptions) -> None:
        self.menus = menus
        self.texts = texts
        self.town = menus.town
        self.subscriptions = subscriptions

    def screen(
        self, state: State, what: str, requests: Sequence[str], topics: Sequence[str] = ()
    ) -> Screen | None:
        """The screen ``data:<what>`` of somebody who accepted; ``requests`` are the open ones, ``topics`` what is
        subscribed to. None for an unknown one."""
        match what:
            case "home":
                return self._home(state, requests, topics)
            case "leave":
                return self._leave(state, requests)
            case _:
                return None

    def _home(self, state: State, requests: Sequence[str], topics: Sequence[str]) -> Screen:
        lang, consent, t = state.language, self.town.consent, self.texts
        zone = ZoneInfo(self.town.channel.time_zone)
        since = datetime.fromtimestamp(state.since or state.consent_at, zone).date()
        body = t(
            lang,
            "data.body",
            since=t.day(lang, since, year=True),
            keep=say(consent.keep, lang),
            open=t(lang, "data.open", n=len(requests), references=_named(requests))
            if requests
            else t(lang, "data.none"),
            topics=f"\n{self.subscriptions.summary(lang, topics)}" if self.town.topics else "",
            contact=consent.contact,
            policy_url=consent.policy_url,
        )
        ways = [("data:leave", t(lang, "data.leave_button"))]
        if self.town.topics:
            ways.append(("topic:home", t(lang, "topic.home_button")))
        return buttons(body, ways, t(lang, "menu.home"))

    def _leave(self, state: State, requests: Sequence[str]) -> Screen:
        lang, t = state.language, self.texts
        parts = [t(lang, "data.leave")]
        if state.draft is not None and (state.draft.items or state.held):
            parts.append(t(lang, "data.leave_draft"))
        if requests:
            parts.append(t(lang, "data.leave_open", n=len(requests), references=_named(requests)))
        return buttons(
            "\n\n".join(parts), [("data:withdraw", t(lang, "data.withdraw_button"))], t(lang, "menu.home")
        )


def _named(requests: Sequence[str]) -> str:
    return ", ".join(requests[:_NAMED]) + (" …" if len(requests) > _NAMED else "")
