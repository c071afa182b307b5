"""Subscribing to news and notices, and leaving them.

``topic:home`` is what one receives and can receive; ``topic:<topic>`` or ``topic:<topic>/<area>`` explains one and asks,
with ``:yes`` it is agreed to, with ``:no`` it is left; ``topic:stop`` leaves everything at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from .events import Effect, Joined, Left, Message, Say, Shown, Step
from .menu import Menus, Screen, buttons, show
from .outgoing import ButtonsOut
from .state import State
from .texts import Texts
from .topics import Topic
from .town import say

STOP = "topic:stop"


class Subscriptions:
    """The part of the conversation about news that are sent."""

    def __init__(self, menus: Menus, texts: Texts) -> None:
        self.menus = menus
        self.texts = texts
        self.town = menus.town

    def step(self, state: State, event: Message, value: str) -> tuple[State, Step] | None:
        """What follows from the id ``topic:<value>``; None for a topic that is there no more."""
        lang, mine = state.language, event.topics
        name, _, said = value.partition(":")
        if value == "home":
            return self._show(state, self.home(lang, mine, event.blocked), "subscriptions")
        if value == "stop":
            return self.stop(state, event)
        topic = self.town.topic(name.partition("/")[0])
        if topic is None or said not in ("", "yes", "no"):
            return None
        if topic.areas and name == topic.key:
            return self._show(state, self.areas(topic, lang, mine), f"topic {name}: choosing")
        if not self.town.subject(name, lang):
            return None
        if said == "no" and name in mine:
            return self._leave(state, event, name)
        if name in mine:
            return self._show(state, self._have(name, lang), f"topic {name}: subscribed already")
        offered, version, digest = state.offer
        if said == "yes" and offered == name:
            return self._join(state, event, name, version, digest)
        # not agreed to, or by an old button: only the text that was shown can be agreed to
        return self._offer(state, name)

    def home(self, lang: str, mine: Collection[str], blocked: bool, page: int = 0) -> Screen:
        """What is received, and the list of topics."""
        t = self.texts
        parts = [t(lang, "topic.head"), self.summary(lang, mine)]
        if blocked:
            parts.append(t(lang, "topic.blocked"))
        parts.append(t(lang, "topic.choose"))
        options = [
            (
                f"topic:{topic.key}",
                say(topic.title, lang),
                self._marked(topic.names, mine, lang) or say(topic.description, lang),
            )
            for topic in self.town.topics
        ]
        if self._known(mine):
            options.append((STOP, t(lang, "topic.stop_button"), t(lang, "topic.stop_row")))
        return self.menus.listing("\n\n".join(parts), options, "topics", page, lang, home=True)

    def summary(self, lang: str, mine: Collection[str]) -> str:
        """«You receive: …», or that nothing is."""
        known = self._known(mine)
        if not known:
            return self.texts(lang, "topic.none")
        return self.texts(lang, "topic.mine", topics=", ".join(self.town.subject(n, lang) for n in known))

    def areas(self, topic: Topic, lang: str, mine: Collection[str], page: int = 0) -> Screen:
        """The parts of a topic to choose from."""
        title = say(topic.title, lang)
        options = [
            (
                f"topic:{topic.key}/{a.key}",
                say(a.title, lang),
                self._marked((f"{topic.key}/{a.key}",), mine, lang),
            )
            for a in topic.areas
        ]
        body = f"*{title}*\n\n{self.texts(lang, 'topic.areas')}"
        return self.menus.listing(body, options, f"topic/{topic.key}", page, lang, home=True)

    def more(self, name: str, lang: str, mine: Collection[str], blocked: bool, page: int) -> Screen | None:
        """Another page of one of the lists, by the name it is paged under."""
        if name == "topics":
            return self.home(lang, mine, blocked, page)
        topic = self.town.topic(name.removeprefix("topic/"))
        return self.areas(topic, lang, mine, page) if topic is not None and topic.areas else None

    def stop(self, state: State, event: Message) -> tuple[State, Step]:
        """Everything is left at once; requests and the channel stay."""
        lang, t = state.language or self.town.languages[0], self.texts
        if not event.topics:
            screen = buttons(
                t(lang, "topic.none"), [("topic:home", t(lang, "topic.home_button"))], t(lang, "menu.home")
            )
            return self._show(state, screen, "left the news: none")
        parts = [t(lang, "topic.stopped")]
        if state.draft is not None and state.draft.items:
            parts.append(t(lang, "emergency.go_on"))
        ways = [("data:leave", t(lang, "data.leave_button")), ("topic:home", t(lang, "topic.home_button"))]
        screen = buttons("\n\n".join(parts), ways, t(lang, "menu.home"))
        left = Left(event.topics, self.town.consent.version, lang, last=True)
        return self._show(state, screen, "left the news", left)

    def _known(self, mine: Collection[str]) -> list[str]:
        return [name for topic in self.town.topics for name in topic.names if name in mine]

    def _marked(self, names: Collection[str], mine: Collection[str], lang: str) -> str:
        """«You receive it», or the areas that are; "" for none."""
        have = [name for name in names if name in mine]
        if not have:
            return ""
        areas = [self.town.subject(name, lang).rpartition(": ")[2] for name in have if "/" in name]
        listed = f" ({', '.join(areas)})" if areas and len(names) > 1 else ""
        return self.texts(lang, "topic.joined_row") + listed

    def _offer(self, state: State, name: str) -> tuple[State, Step]:
        """What subscribing means, in words that are kept as evidence, and the question."""
        lang, t, sent = state.language, self.texts, self.town.broadcasts
        text = t(
            lang,
            "topic.offer",
            topic=self.town.subject(name, lang),
            channel=self.town.channel.name,
            most=sent.a_day,
            hours=sent.hours,
            policy_url=self.town.consent.policy_url,
        )
        options = [(f"topic:{name}:yes", t(lang, "topic.yes")), ("topic:home", t(lang, "topic.no"))]
        screen = buttons(text, options, t(lang, "menu.home"))
        assert isinstance(screen.message, ButtonsOut)
        said = screen.message.body
        version, digest = self.town.consent.version, hashlib.sha256(said.encode()).hexdigest()
        state = state.model_copy(update={"offer": (name, version, digest)})
        shown = Shown(version, lang, digest, said)
        return self._show(state, screen, f"topic {name}: asked", shown)

    def _join(self, state: State, event: Message, name: str, version: str, digest: str) -> tuple[State, Step]:
        lang, t = state.language, self.texts
        parts = [t(lang, "topic.done", topic=self.town.subject(name, lang))]
        if event.blocked:
            parts.append(t(lang, "topic.blocked"))
        screen = buttons(
            "\n\n".join(parts), [("topic:home", t(lang, "topic.home_button"))], t(lang, "menu.home")
        )
        state = state.model_copy(update={"offer": ("", "", "")})
        return self._show(state, screen, f"topic {name}: subscribed", Joined(name, version, lang, digest))

    def _have(self, name: str, lang: str) -> Screen:
        t = self.texts
        options = [
            (f"topic:{name}:no", t(lang, "topic.leave_button")),
            ("topic:home", t(lang, "topic.home_button")),
        ]
        text = t(lang, "topic.have", topic=self.town.subject(name, lang))
        return buttons(text, options, t(lang, "menu.home"))

    def _leave(self, state: State, event: Message, name: str) -> tuple[State, Step]:
        lang, t = state.language, self.texts
        text = t(lang, "topic.left", topic=self.town.subject(name, lang))
        screen = buttons(text, [("topic:home", t(lang, "topic.home_button"))], t(lang, "menu.home"))
        left = Left((name,), self.town.consent.version, lang, last=event.topics == (name,))
        return self._show(state, screen, f"topic {name}: left", left)

    def _show(self, state: State, screen: Screen, outcome: str, *effects: Effect) -> tuple[State, Step]:
        return show(state, screen), Step((*effects, Say(screen.message)), outcome)
