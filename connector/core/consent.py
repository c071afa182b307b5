"""Before anything else: the data-protection message. Nothing written before «yes» is kept."""

from __future__ import annotations

import hashlib

from . import words
from .drafts import files_in
from .events import Consented, Effect, Forget, Message, Say, Shown, Step
from .incoming import Content, EditIn, MediaIn, MediaKind, PlaceIn, ReactionIn, ReplyIn, RevokeIn, TextIn
from .menu import NATIVE, Menus, Screen, buttons, show
from .outgoing import ButtonsOut
from .state import State
from .texts import Texts
from .town import say

_AGAIN_AFTER = 30.0
"""Seconds: several messages in a row from somebody new get one data-protection message, not one each."""


class Consent:
    """The part of the conversation that a person who has not accepted can have."""

    def __init__(self, menus: Menus, texts: Texts) -> None:
        self.menus = menus
        self.texts = texts
        self.town = menus.town

    def given(self, state: State) -> bool:
        """Whether the person accepted the text that is in force."""
        return state.consent == "yes" and state.consent_version == self.town.consent.version

    def notice(self, lang: str) -> str:
        """The data-protection message."""
        consent, channel = self.town.consent, self.town.channel
        own = say(consent.text, lang)
        return own or self.texts(
            lang,
            "consent.text",
            channel=channel.name,
            controller=consent.controller,
            keep=say(consent.keep, lang),
            contact=consent.contact,
            authority=consent.authority,
            policy_url=consent.policy_url,
            e_office=channel.e_office,
        )

    def screen(self, lang: str) -> Screen:
        """The message with accept / refuse / another language."""
        t = self.texts
        options = [("consent:yes", t(lang, "consent.yes")), ("consent:no", t(lang, "consent.no"))]
        others = [x for x in self.town.languages if x != lang]
        if len(others) == 1:
            options.append((f"lang:{others[0]}", NATIVE.get(others[0], others[0])))
        elif others:
            names = "/".join(NATIVE.get(x, x) for x in others[:2])
            options.append(("lang:menu", names if len(names) <= 17 else t(lang, "menu.language")))
        return buttons(self.notice(lang), options)

    def step(self, state: State, event: Message, now: float) -> tuple[State, Step]:
        """One message of a person who has not accepted (the current text)."""
        content = event.inbound.content
        lang = state.language or self.town.languages[0]
        match content:
            case ReactionIn() | RevokeIn() | EditIn():
                return state, Step((), "before consent: not kept")
            case ReplyIn(id=chosen):
                pass
            case TextIn(body):
                chosen = self._typed(state, body)
            case _:
                chosen = ""
        if chosen == "consent:yes" and state.consent_version == self.town.consent.version:
            return self._accept(state, event, lang, now)
        if chosen == "consent:yes":
            # an old button: this text was never shown to this person, so there is nothing accepted yet
            return self._ask(state, lang, now, "accepted another text: asked")
        if chosen == "consent:no":
            return self._refuse(state, event, lang, now)
        if chosen == "lang:menu":
            screen = self.menus.languages(lang)
            return show(state, screen), Step((Say(screen.message),), "choosing a language")
        kind, _, value = chosen.partition(":")
        if kind == "lang" and value in self.town.languages:
            return self._ask(state.model_copy(update={"language": value}), value, now, "language chosen")
        if isinstance(content, TextIn) and not state.language and state.consent == "":
            guessed = words.greeting_language(content.body)
            lang = guessed if guessed in self.town.languages else lang
        if _says_something(content):
            state = state.model_copy(update={"wrote_before": True})
        if state.consent == "asked" and 0 <= now - state.asked_at < _AGAIN_AFTER:
            return state, Step((), "before consent: not kept, already asked")
        return self._ask(state, lang, now, "before consent: not kept, asked")

    def _typed(self, state: State, body: str) -> str:
        language = words.named_language(body)
        if language in self.town.languages and language != state.language:
            return f"lang:{language}"
        if words.fold(body) in words.LANGUAGE:
            return "lang:menu"
        if state.consent == "":
            return ""
        number = words.number(body)
        if number and number <= len(state.shown):
            return state.shown[number - 1]
        folded = words.fold(body)
        if folded in words.LEAVE | words.WITHDRAW:
            return "consent:no"
        if state.consent == "asked" or state.shown[:1] == ("consent:yes",):
            if folded in words.YES:
                return "consent:yes"
            if folded in words.NO:
                return "consent:no"
        return "consent:yes" if folded in words.ACCEPT else ""

    def _ask(self, state: State, lang: str, now: float, outcome: str) -> tuple[State, Step]:
        screen, version = self.screen(lang), self.town.consent.version
        assert isinstance(screen.message, ButtonsOut)
        text = screen.message.body
        digest = hashlib.sha256(text.encode()).hexdigest()
        state = state.model_copy(
            update={
                "consent": "asked",
                "consent_version": version,
                "consent_digest": digest,
                "since": _since(state),
                "asked_at": now,
                "language": state.language or lang,
            }
        )
        return show(state, screen), Step((Shown(version, lang, digest, text), Say(screen.message)), outcome)

    def _accept(self, state: State, event: Message, lang: str, now: float) -> tuple[State, Step]:
        before = self.texts(lang, "consent.thanks")
        if state.wrote_before:
            before += " " + self.texts(lang, "consent.write_again")
        screen = self.menus.main(lang, before)
        version = self.town.consent.version
        state = state.model_copy(
            update={
                "consent": "yes",
                "consent_version": version,
                "consent_at": now,
                "consent_message": event.key,
                "since": _since(state) or now,
                "language": lang,
                "wrote_before": False,
            }
        )
        given = Consented("given", version, lang, state.consent_digest)
        effects: tuple[Effect, ...] = (given, Say(screen.message))
        return show(state, screen), Step(effects, "consent given")

    def _refuse(self, state: State, event: Message, lang: str, now: float) -> tuple[State, Step]:
        # who refuses a new text after an earlier one was accepted loses the same: both are told
        had = bool(_since(state))
        text = self.texts(
            lang,
            "consent.withdrawn" if had else "consent.refused",
            other_ways=say(self.town.channel.other_ways, lang),
        )
        version, files = self.town.consent.version, files_in(state)
        screen = buttons(text, [("consent:yes", self.texts(lang, "consent.yes"))])
        # only that this person said no, to which text, and in which language to answer, is remembered
        refused = State(
            language=lang, consent="no", consent_version=state.consent_version, consent_at=now,
            consent_message=event.key, consent_digest=state.consent_digest,
        )  # fmt: skip
        dropped: tuple[Effect, ...] = (Forget(files),) if files else ()
        said = Consented(
            "withdrawn" if state.consent == "yes" else "refused",
            state.consent_version or version, lang, state.consent_digest,
        )  # fmt: skip
        effects = (said, *dropped, Say(screen.message))
        return show(refused, screen), Step(effects, "consent refused")


def _since(state: State) -> float:
    """Since when the person has accepted; of somebody an older release asked only the last time is known."""
    return state.since or (state.consent_at if state.consent == "yes" else 0)


def _says_something(content: Content) -> bool:
    """Whether somebody new wrote what they will have to write again; a greeting or a command is not that."""
    match content:
        case TextIn(body):
            folded = words.fold(body)
            command = folded in words.MENU | words.HELP | words.LANGUAGE | words.YES | words.NO | words.THANKS
            return not (
                command or words.is_greeting(body) or words.is_blank(body) or words.number(body) is not None
            )
        case MediaIn(kind=kind):
            return kind is not MediaKind.STICKER
        case PlaceIn():
            return True
        case _:
            return False
