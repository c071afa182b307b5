"""What was chosen, by a tap or by typing what the tap says."""

from __future__ import annotations

from dataclasses import replace

from .consent import Consent
from .events import Message, Step
from .incoming import ReplyIn
from .menu import Menus, Screen
from .mydata import MyData
from .pages import Pages
from .replies import Result, aside, menu, reply
from .state import Draft, State
from .subscriptions import STOP, Subscriptions
from .texts import Texts
from .town import Option
from .writing import Writing


class Taps:
    """The part of the conversation in which options are chosen. Their ids are ``<what>:<value>``."""

    def __init__(
        self,
        menus: Menus,
        texts: Texts,
        pages: Pages,
        consent: Consent,
        subscriptions: Subscriptions,
        writing: Writing,
    ) -> None:
        self.menus = menus
        self.town = menus.town
        self.texts = texts
        self.pages = pages
        self.consent = consent
        self.subscriptions = subscriptions
        self.mydata = MyData(menus, texts, subscriptions)
        self.writing = writing

    def chosen(self, state: State, event: Message, chosen: str, now: float) -> Result:
        """What the option ``chosen`` stands for is done."""
        kind, _, value = chosen.partition(":")
        lang = state.language
        if kind == "menu" and value == "home":
            return self.home(state)
        if kind == "menu" and (option := self.town.option(value)):
            if option.kind == "topics":
                return self.chosen(state, event, "topic:home", now)
            return self._option(state, option, "", now)
        if kind == "choice" and (councillor := self.town.councillor(value)):
            owner = next((o for o in self.town.menu if o.kind == "councillor"), None)
            if owner is not None:
                return self._option(state, owner, councillor.key, now)
        if kind == "page" and (screen := self._page(value, lang)):
            return reply(aside(state), screen, f"page {value}")
        if kind == "topic" and (found := self.subscriptions.step(_unless(state, chosen), event, value)):
            return found
        if kind == "more":
            return self._more(state, event, value)
        if kind == "lang" and value == "menu":
            return reply(state, self.menus.languages(lang), "choosing a language")
        if kind == "lang" and value in self.town.languages:
            return self._language(state, value)
        if kind == "draft":
            return self.writing.act(state, event, value, now)
        if kind == "reply":
            if event.released:
                return state, Step((), "answer asked for")
            text = self.texts(lang, "answer.withdrawn" if event.withdrawn else "answer.above")
            return reply(state, self.menus.closing(text, lang), "answer asked for: sent before")
        if chosen in ("consent:yes", "consent:no"):
            return self._consent_again(state, event, chosen, now)
        if chosen == "data:withdraw":
            return self._consent_again(state, event, "consent:no", now)
        if kind == "data" and (screen := self.mydata.screen(state, value, event.open_requests, event.topics)):
            return reply(aside(state), screen, f"my data: {value}")
        return menu(self.menus, state, self.texts(lang, "help.outdated"), "outdated option: menu")

    def _page(self, value: str, lang: str) -> Screen | None:
        """The page ``<key>``, or ``<key>/<part>`` of it; a part that is there no more is the page."""
        key, _, part = value.partition("/")
        page = self.town.page(key)
        if page is None:
            return None
        return (self.pages.part(page, part, lang) if part else None) or self.pages.page(page, lang)

    def _consent_again(self, state: State, event: Message, chosen: str, now: float) -> Result:
        if chosen == "consent:no":
            # by the id and not by the event: it may have been typed
            refusal = replace(event, inbound=replace(event.inbound, content=ReplyIn(chosen, "")))
            new, step = self.consent.step(state, refusal, now)
            return new, Step(step.effects, "consent withdrawn")
        new, step = self.home(state)
        return new, Step(step.effects, "consent was given already")

    def home(self, state: State) -> Result:
        """The menu; while a request is being written, the question about that."""
        if state.draft is not None and state.draft.items:
            if self.writing.target(state.draft) is not None:
                return self.writing.ask_lying(state, state.draft, asked=not state.held)
            return self.writing.ask_whom(state, state.draft)
        return menu(self.menus, aside(state), "", "menu")

    def _more(self, state: State, event: Message, value: str) -> Result:
        name, _, page = value.partition(".")
        number = int(page) if page.isdecimal() and len(page) < 4 else 0
        lang = state.language
        match name:
            case "home":
                screen = self.menus.main(lang, page=number)
            case "info":
                screen = self.menus.info(lang, number)
            case "councillor":
                screen = self.menus.councillors(lang, number)
            case "whom" if state.draft is not None:
                screen = self.writing.whom(state.draft, lang, number)
            case "lang":
                screen = self.menus.languages(lang, number)
            case _ if name.startswith("topic") and (
                turned := self.subscriptions.more(name, lang, event.topics, event.blocked, number)
            ):
                screen = turned
            case _ if listed := self.town.page(name.removeprefix("page/")):
                screen = self.pages.entries(listed, lang, number)
            case _:
                return menu(self.menus, state, self.texts(lang, "help.outdated"), "outdated option: menu")
        about = f"draft:{state.draft.id}" if name == "whom" and state.draft is not None else ""
        return reply(state, screen, f"page {number} of {name}", about=about)

    def _language(self, state: State, language: str) -> Result:
        state = state.model_copy(update={"language": language})
        draft, outcome = state.draft, "language chosen"
        if draft is None or not (draft.option or draft.items):
            return menu(self.menus, state, self.texts(language, "language.set"), outcome)
        if not draft.items:
            return self.writing.prompt(state, draft, outcome)
        state, step = (
            self.writing.ask_lying(state, draft, asked=False)
            if state.held
            else self.writing.ask_on(state, draft)
        )
        return state, Step(step.effects, outcome)

    def _option(self, state: State, option: Option, councillor: str, now: float) -> Result:
        lang = state.language
        if option.kind == "info":
            return reply(aside(state), self.menus.info(lang), "information")
        draft = state.draft
        if draft is not None and draft.items and self.writing.target(draft) is not None:
            same = (draft.option, draft.councillor) == (option.key, councillor)
            if state.held or not same:
                return self.writing.ask_lying(state, draft, asked=not state.held)
        if option.kind == "councillor" and not councillor:
            return reply(aside(state), self.menus.councillors(lang), "choosing a councillor")
        if draft is None:
            draft = Draft(id=self.writing.new_id())
        chosen = {"option": option.key, "councillor": councillor}
        draft = draft.model_copy(update={**chosen, "touched": now, "revision": draft.revision + 1})
        outcome = f"request to {option.key} begun"
        return (
            self.writing.summary(state, draft, outcome)
            if draft.items
            else self.writing.prompt(state, draft, outcome)
        )


def _unless(state: State, chosen: str) -> State:
    """As ``aside``, unless news are left: whoever is writing goes on writing."""
    return state if chosen == STOP else aside(state)
