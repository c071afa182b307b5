"""The conversation: one step takes the state and an event, and gives the new state and what follows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import emergency, words
from .board import Board
from .commands import command, lapsed
from .consent import Consent
from .drafts import DraftScreens, add, files_of, full, item_of, missing, remove, submit
from .events import Effect, Event, Fetch, Forget, Message, Moved, NoteStaff, Quiet, Say, Step, Wake
from .menu import NOTHING, Menus, Screen, show
from .model import (
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
    TextOut,
    UnknownIn,
    UnsupportedIn,
)
from .mydata import MyData
from .pages import Pages
from .state import Draft, Item, State
from .subscriptions import STOP, Subscriptions
from .texts import Texts
from .town import Option, Town

Result = tuple[State, Step]
_FREE_WORDS = 3
"""A text of so many words that is no option is taken for the beginning of a request; a shorter one gets help."""


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
        self.menus = Menus(town, texts, board, now)
        self.pages = Pages(self.menus)
        self.drafts = DraftScreens(self.menus, texts)
        self.consent = Consent(self.menus, texts)
        self.subscriptions = Subscriptions(self.menus, texts)
        self.mydata = MyData(self.menus, texts, self.subscriptions)
        self.new_id = new_id

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
            return self._quiet(state, event)
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
                return self._text(state, event, body, now)
            case ReplyIn(id=chosen):
                return self._chosen(state, event, chosen, now)
            case MediaIn(kind=MediaKind.STICKER):
                return self._not_taken(state, "sticker", now)
            case MediaIn() | PlaceIn():
                return self._content(state, event, content, now)
            case ContactsIn():
                return self._not_taken(state, "contacts", now)
            case ReactionIn(emoji=emoji):
                return self._reaction(state, event, emoji)
            case EditIn() | RevokeIn():
                return self._changed(state, event, content, now)
            case UnsupportedIn(what=what, code=code):
                kind = "too_big" if code == 131052 else "again" if code == 131060 else "unsupported"
                return self._not_taken(state, kind, now, what)
            case UnknownIn(what=what):
                return self._not_taken(state, "unsupported", now, what)

    def _before_consent(self, state: State, event: Message, now: float) -> Result:
        new, step = self.consent.step(state, event, now)
        if not (self.consent.given(new) and new.draft is not None and new.draft.items):
            return new, step
        # a new text was accepted while a request was being written: on with that instead of the menu
        thanks = self.texts(new.language, "consent.thanks")
        if state.wrote_before:
            thanks += " " + self.texts(new.language, "consent.write_again")
        new, asked = self._home(new)
        kept = tuple(e for e in step.effects if not isinstance(e, Say))
        return new, Step((*kept, Say(TextOut(thanks)), *asked.effects), step.outcome)

    # --- what was typed ----------------------------------------------------------------------------

    def _text(self, state: State, event: Message, body: str, now: float) -> Result:
        asked = command(state, body, self.menus, now, bool(event.topics))
        if asked:
            return self._chosen(state, event, asked, now)
        if words.is_blank(body):
            return self._not_taken(state, "blank", now)
        folded = words.fold(body)
        if state.draft is None and (folded in words.THANKS or words.agrees(body)):
            text = self.texts(state.language, "help.thanks")
            return self._show(state, self.menus.closing(text, state.language), "thanks: answered")
        if state.draft is None and (found := self.pages.typed(body, state.language)):
            return self._show(state, *found)
        if state.draft is None and len(folded.split()) < _FREE_WORDS:
            return self._menu(state, self.texts(state.language, "help.unknown"), "not understood: help")
        return self._content(state, event, TextIn(body), now)

    # --- what was chosen, by tap or by typing ------------------------------------------------------

    def _chosen(self, state: State, event: Message, chosen: str, now: float) -> Result:
        kind, _, value = chosen.partition(":")
        lang = state.language
        if kind == "menu" and value == "home":
            return self._home(state)
        if kind == "menu" and (option := self.town.option(value)):
            if option.kind == "topics":
                return self._chosen(state, event, "topic:home", now)
            return self._option(state, option, "", now)
        if kind == "choice" and (councillor := self.town.councillor(value)):
            owner = next((o for o in self.town.menu if o.kind == "councillor"), None)
            if owner is not None:
                return self._option(state, owner, councillor.key, now)
        if kind == "page" and (screen := self._page(value, lang)):
            return self._show(_aside(state), screen, f"page {value}")
        if kind == "topic" and (found := self.subscriptions.step(_unless(state, chosen), event, value)):
            return found
        if kind == "more":
            return self._more(state, event, value)
        if kind == "lang" and value == "menu":
            return self._show(state, self.menus.languages(lang), "choosing a language")
        if kind == "lang" and value in self.town.languages:
            return self._language(state, value)
        if kind == "draft":
            return self._draft_action(state, event, value, now)
        if kind == "reply":
            if event.released:
                return state, Step((), "answer asked for")
            text = self.texts(lang, "answer.withdrawn" if event.withdrawn else "answer.above")
            return self._show(state, self.menus.closing(text, lang), "answer asked for: sent before")
        if chosen in ("consent:yes", "consent:no"):
            return self._consent_again(state, event, chosen, now)
        if chosen == "data:withdraw":
            return self._consent_again(state, event, "consent:no", now)
        if kind == "data" and (screen := self.mydata.screen(state, value, event.open_requests, event.topics)):
            return self._show(_aside(state), screen, f"my data: {value}")
        return self._menu(state, self.texts(lang, "help.outdated"), "outdated option: menu")

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
        new, step = self._home(state)
        return new, Step(step.effects, "consent was given already")

    def _home(self, state: State) -> Result:
        if state.draft is not None and state.draft.items:
            if self._target(state.draft) is not None:
                return self._ask_lying(state, state.draft, asked=not state.held)
            return self._ask_whom(state, state.draft)
        return self._menu(_aside(state), "", "menu")

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
                screen = self._whom(state.draft, lang, number)
            case "lang":
                screen = self.menus.languages(lang, number)
            case _ if name.startswith("topic") and (
                turned := self.subscriptions.more(name, lang, event.topics, event.blocked, number)
            ):
                screen = turned
            case _ if listed := self.town.page(name.removeprefix("page/")):
                screen = self.pages.entries(listed, lang, number)
            case _:
                return self._menu(state, self.texts(lang, "help.outdated"), "outdated option: menu")
        about = f"draft:{state.draft.id}" if name == "whom" and state.draft is not None else ""
        return self._show(state, screen, f"page {number} of {name}", about=about)

    def _language(self, state: State, language: str) -> Result:
        state = state.model_copy(update={"language": language})
        draft, outcome = state.draft, "language chosen"
        if draft is None or not (draft.option or draft.items):
            return self._menu(state, self.texts(language, "language.set"), outcome)
        if not draft.items:
            return self._prompt(state, draft, outcome)
        state, step = self._ask_lying(state, draft, asked=False) if state.held else self._ask_on(state, draft)
        return state, Step(step.effects, outcome)

    def _option(self, state: State, option: Option, councillor: str, now: float) -> Result:
        lang = state.language
        if option.kind == "info":
            return self._show(_aside(state), self.menus.info(lang), "information")
        draft = state.draft
        if draft is not None and draft.items and self._target(draft) is not None:
            same = (draft.option, draft.councillor) == (option.key, councillor)
            if state.held or not same:
                return self._ask_lying(state, draft, asked=not state.held)
        if option.kind == "councillor" and not councillor:
            return self._show(_aside(state), self.menus.councillors(lang), "choosing a councillor")
        if draft is None:
            draft = Draft(id=self.new_id())
        chosen = {"option": option.key, "councillor": councillor}
        draft = draft.model_copy(update={**chosen, "touched": now, "revision": draft.revision + 1})
        outcome = f"request to {option.key} begun"
        return self._summary(state, draft, outcome) if draft.items else self._prompt(state, draft, outcome)

    def _target(self, draft: Draft) -> Option | None:
        """The option a draft goes to, None when there is none (any more): the mapping may have changed."""
        option = self.town.option(draft.option)
        if option is None or option.kind not in ("request", "councillor"):
            return None
        if option.kind == "councillor" and self.town.councillor(draft.councillor) is None:
            return None
        return option

    # --- a request being written -------------------------------------------------------------------

    def _content(
        self, state: State, event: Message, content: TextIn | MediaIn | PlaceIn, now: float
    ) -> Result:
        item = item_of(content, event.key, event.inbound.at.timestamp())
        if item is None:
            return self._not_taken(state, "blank", now)
        if state.draft is not None and full((*state.draft.items, *state.held), item):
            return self._not_taken(state, "full", now)
        effects: list[Effect] = [Fetch(item.media, content)] if isinstance(content, MediaIn) else []
        draft = state.draft or Draft(id=self.new_id())
        if draft.option and draft.items and (state.held or lapsed(draft, self.town.timing.draft_hours, now)):
            # a draft left lying: nothing is added to it before the citizen says so
            known = any(i.key == item.key for i in (*draft.items, *state.held))
            held = state.held if known else (*state.held, item)
            draft = draft.model_copy(update={"revision": draft.revision + 1})
            state = state.model_copy(update={"draft": draft, "held": held})
            outcome = "kept beside an old draft"
        else:
            draft = add(draft, (item,), now)
            state = state.model_copy(update={"draft": draft})
            outcome = "in the draft" if draft.option else "kept, to whom is asked"
        effects.append(Wake(self.town.timing.quiet_seconds, draft.id, draft.revision))
        return state, Step(tuple(effects), outcome)

    def _not_taken(self, state: State, kind: str, now: float, what: str = "") -> Result:
        """Something that cannot be part of a request: said in the summary, or with the menu at once."""
        outcome = f"cannot be taken: {kind}" + (f" ({what})" if what else "")
        draft = state.draft
        if draft is not None and (draft.option or draft.items):
            # it does not count as writing on: what lies too long is still asked about
            draft = add(draft, (), draft.touched, skipped=(kind,))
            wake = Wake(self.town.timing.quiet_seconds, draft.id, draft.revision)
            return state.model_copy(update={"draft": draft}), Step((wake,), outcome)
        return self._menu(state, self.texts(state.language, f"skipped.{kind}"), outcome)

    def _quiet(self, state: State, event: Quiet) -> Result:
        draft = state.draft
        if (
            draft is None
            or draft.id != event.draft
            or draft.revision != event.revision
            or draft.summarised == draft.revision
        ):
            return state, Step((), "no longer needed")
        if state.held:
            return self._ask_lying(state, draft, asked=False)
        if not draft.items and not draft.option:
            return state.model_copy(update={"draft": None}), Step((), "nothing is left of it")
        return self._ask_on(state, draft)

    def _ask_on(self, state: State, draft: Draft) -> Result:
        """What has to be said about a draft: its summary, or the question to whom it goes."""
        if self._target(draft) is None:
            return self._ask_whom(state, draft)
        return self._summary(state, draft, "summary")

    def _draft_action(self, state: State, event: Message, action: str, now: float) -> Result:
        draft = state.draft
        stale = event.about.startswith("draft:") and (draft is None or event.about != f"draft:{draft.id}")
        if draft is None or stale or action not in ("send", "location", "cancel", "keep"):
            return self._menu(state, self.texts(state.language, "help.no_draft"), "no such draft: menu")
        tapped = isinstance(event.inbound.content, ReplyIn)
        if tapped and not event.about and draft.items and draft.summarised < 0:
            # an old button, of which summary nobody knows: this draft was never shown, so it is shown first
            return self._ask_on(state, draft)
        if action == "cancel":
            return self._cancel(state, draft)
        if self._target(draft) is None:
            return self._ask_whom(state, draft)
        if action == "location":
            return self._show(
                state, self.drafts.ask_place(state.language), "place asked for", about=f"draft:{draft.id}"
            )
        if action == "keep":
            draft = add(draft, state.held, now)
            state = state.model_copy(update={"draft": draft, "held": ()})
            return self._summary(state, draft, "draft kept")
        return self._send(state, event, draft)

    def _send(self, state: State, event: Message, draft: Draft) -> Result:
        option = self._target(draft)
        if option is None:
            return self._ask_whom(state, draft)
        lack = missing(draft, option)
        about = f"draft:{draft.id}"
        if lack is not None:
            state = state.model_copy(update={"draft": _nudge(draft, lack.what)})
            lang = state.language
            ask_text = lack.what == "text"
            screen = self.drafts.need_text(draft, lang) if ask_text else self.drafts.ask_place(lang)
            return self._show(state, screen, f"{lack.what} asked for", about=about)
        if not event.requests_left:
            screen = self.menus.closing(self.texts(state.language, "limit.requests"), state.language)
            return self._show(state, screen, "not sent: too many requests in a day", about=about)
        sent = submit(draft, state.language)
        rest = state.held
        state = state.model_copy(update={"draft": None, "held": (), "shown": (), "turns": ("", "")})
        if not rest:
            return state, Step((sent,), "request sent")
        begun = Draft(id=self.new_id(), items=rest, touched=draft.touched, revision=1)
        state, step = self._ask_whom(state.model_copy(update={"draft": begun}), begun)
        return state, Step((sent, *step.effects), "request sent")

    def _cancel(self, state: State, draft: Draft) -> Result:
        effects: tuple[Effect, ...] = (Forget(files),) if (files := files_of(draft)) else ()
        rest = state.held
        state = state.model_copy(update={"draft": None, "held": ()})
        if rest:
            begun = Draft(id=self.new_id(), items=rest, touched=draft.touched, revision=1)
            state, step = self._ask_whom(state.model_copy(update={"draft": begun}), begun)
        else:
            state, step = self._menu(state, self.texts(state.language, "draft.cancelled"), "")
        return state, Step((*effects, *step.effects), "draft dropped")

    def _prompt(self, state: State, draft: Draft, outcome: str) -> Result:
        option = self._target(draft)
        if option is None:
            return self._menu(state.model_copy(update={"draft": None}), "", outcome)
        screen = self.drafts.prompt(draft, option, state.language)
        state = state.model_copy(update={"draft": draft})
        return self._show(state, screen, outcome, about=f"draft:{draft.id}")

    def _summary(self, state: State, draft: Draft, outcome: str) -> Result:
        option = self._target(draft)
        if option is None:
            return self._ask_whom(state, draft)
        screen = self.drafts.summary(draft, option, state.language)
        shown = draft.model_copy(update={"summarised": draft.revision, "skipped": ()})
        if (lack := missing(draft, option)) and lack.what == "text":
            shown = _nudge(shown, "text")
        return self._show(
            state.model_copy(update={"draft": shown}), screen, outcome, about=f"draft:{draft.id}"
        )

    def _ask_lying(self, state: State, draft: Draft, *, asked: bool) -> Result:
        screen = self.drafts.lying(draft, state.language, asked)
        draft = draft.model_copy(update={"summarised": draft.revision, "skipped": ()})
        state = state.model_copy(update={"draft": draft})
        return self._show(state, screen, "asked about the draft", about=f"draft:{draft.id}")

    def _ask_whom(self, state: State, draft: Draft) -> Result:
        if not draft.items:
            # the mapping changed before anything was written
            return self._menu(state.model_copy(update={"draft": None}), "", "menu")
        screen = self._whom(draft, state.language)
        # an option that is gone is forgotten: the words stay
        gone = {} if self._target(draft) else {"option": "", "councillor": ""}
        draft = draft.model_copy(update={"summarised": draft.revision, "skipped": (), **gone})
        state = state.model_copy(update={"draft": draft})
        return self._show(state, screen, "asked to whom", about=f"draft:{draft.id}")

    def _whom(self, draft: Draft, lang: str, page: int = 0) -> Screen:
        attached = self.drafts.contents(draft, lang)
        before = self.drafts.skipped(draft, lang)
        if attached:
            before.append(self.texts(lang, "draft.with", what=attached))
        return self.menus.whom(lang, before, page)

    # --- what is not a message of its own ----------------------------------------------------------

    def _reaction(self, state: State, event: Message, emoji: str) -> Result:
        about = event.about
        if emoji and about and not about.startswith("draft:"):
            note = self.texts(self.town.languages[0], "staff.reaction", emoji=emoji)
            return state, Step((NoteStaff(about, note),), "reaction, told to staff")
        return state, Step((), "reaction: noted")

    def _changed(self, state: State, event: Message, content: EditIn | RevokeIn, now: float) -> Result:
        """A message was edited or deleted: in the draft it is, on a ticket it cannot be any more."""
        draft, key = state.draft, event.original_key
        old = next((i for i in (*(draft.items if draft else ()), *state.held) if i.key == key), None)
        if old is None or draft is None:
            return self._changed_elsewhere(state, event, content, now)
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
                return self._not_taken(state, "unsupported", now, "edit")
        others = tuple(i for i in (*draft.items, *state.held) if i.key != key)
        if full(others, old.model_copy(update={"text": new})):
            return self._not_taken(state, "full", now)

        def change(items: tuple[Item, ...]) -> tuple[Item, ...]:
            return tuple(i.model_copy(update={"text": new}) if i.key == key else i for i in items)

        draft = draft.model_copy(
            update={"items": change(draft.items), "revision": draft.revision + 1, "touched": now}
        )
        return self._later(state, draft, change(state.held), (), "edited in the draft")

    def _changed_elsewhere(
        self, state: State, event: Message, content: EditIn | RevokeIn, now: float
    ) -> Result:
        """What was edited or deleted is in no draft: on a ticket, or it was a command, or it was not kept."""
        lang = state.language
        if event.original:
            said = "edit.sent" if isinstance(content, EditIn) else "revoke.sent"
            text = self.texts(lang, said, reference=event.original)
            return self._show(state, self.menus.closing(text, lang), "changed after it was sent: told")
        if isinstance(content, RevokeIn):
            return state, Step((), "deleted: that message is not kept")
        match content.content:
            case TextIn(body):
                # what was not understood, put right: a message like any other, known by the first one's key
                return self._text(state, replace(event, key=event.original_key or event.key), body, now)
            case MediaIn():
                return self._content(state, event, content.content, now)
            case UnknownIn(what=what):
                return self._not_taken(state, "unsupported", now, what)

    def _later(
        self, state: State, draft: Draft, held: tuple[Item, ...], effects: tuple[Effect, ...], outcome: str
    ) -> Result:
        wake = Wake(self.town.timing.quiet_seconds, draft.id, draft.revision)
        return state.model_copy(update={"draft": draft, "held": held}), Step((*effects, wake), outcome)

    # --- saying ------------------------------------------------------------------------------------

    def _show(self, state: State, screen: Screen, outcome: str, about: str = "") -> Result:
        return show(state, screen), Step((Say(screen.message, about),), outcome)

    def _menu(self, state: State, before: str, outcome: str) -> Result:
        if state.draft is not None and not state.draft.items and not state.draft.option:
            state = state.model_copy(update={"draft": None})
        return self._show(state, self.menus.main(state.language, before), outcome)


def _aside(state: State) -> State:
    """The state without a draft in which there is nothing yet: the person went elsewhere."""
    draft = state.draft
    return state.model_copy(update={"draft": None}) if draft is not None and not draft.items else state


def _unless(state: State, chosen: str) -> State:
    """As ``_aside``, unless news are left: whoever is writing goes on writing."""
    return state if chosen == STOP else _aside(state)


def _stops(content: Content) -> bool:
    """Whether this leaves the news."""
    match content:
        case ReplyIn(id=chosen):
            return chosen == STOP
        case TextIn(body):
            return words.fold(body) in words.LEAVE
        case _:
            return False


def _nudge(draft: Draft, what: str) -> Draft:
    return draft.model_copy(update={"nudged": tuple(dict.fromkeys((*draft.nudged, what)))})


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
