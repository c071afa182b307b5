"""The conversation: one step takes the state and an event, and gives the new state and what follows. Pure."""

from __future__ import annotations

from collections.abc import Callable

from . import words
from .consent import Consent
from .drafts import DraftScreens, add, files_of, item_of, missing, remove, submit
from .events import Effect, Event, Fetch, Forget, Message, Moved, NoteStaff, Quiet, Say, Step, Wake
from .menu import HOME, Menus, Screen, show
from .model import (
    AddressChangedIn,
    ContactsIn,
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
from .state import Draft, Item, State
from .texts import Texts
from .town import Option, Town

Result = tuple[State, Step]
_FREE_WORDS = 3
"""A text of so many words that is no option is taken for the beginning of a request; a shorter one gets help."""
_LYING = ("draft:keep", "draft:send", "draft:cancel")


class Conversation:
    """The conversation of one town. ``new_id`` gives the ids of drafts; nothing else comes from outside."""

    def __init__(self, town: Town, texts: Texts, new_id: Callable[[], str]) -> None:
        self.town = town
        self.texts = texts
        self.menus = Menus(town, texts)
        self.drafts = DraftScreens(self.menus, texts)
        self.consent = Consent(self.menus, texts)
        self.new_id = new_id

    def step(self, state: State, event: Event, now: float) -> Result:
        """The state after ``event`` at ``now`` (Unix seconds), and what follows from it, in order."""
        if isinstance(event, Quiet):
            return self._quiet(state, event)
        if event.inbound.group:
            return state, Step((), "group message: not answered")
        content = event.inbound.content
        if isinstance(content, AddressChangedIn):
            return state, Step((Moved(content.new),), "address changed")
        if not self.consent.given(state):
            return self.consent.step(state, event, now)
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

    # --- what was typed ----------------------------------------------------------------------------

    def _text(self, state: State, event: Message, body: str, now: float) -> Result:
        command = self._command(state, body)
        if command:
            return self._chosen(state, event, command, now)
        if words.is_blank(body):
            return self._not_taken(state, "blank", now)
        if state.draft is None and len(words.fold(body).split()) < _FREE_WORDS:
            return self._menu(state, self.texts(state.language, "help.unknown"), "not understood: help")
        return self._content(state, event, TextIn(body), now)

    def _command(self, state: State, body: str) -> str:
        """The id that a typed text stands for, "" when it is content."""
        folded = words.fold(body)
        draft = state.draft
        number = words.number(body)
        if folded in words.MENU:
            return HOME
        if number and number <= len(state.shown):
            return state.shown[number - 1]
        if draft is not None and (draft.items or draft.option):
            for known, chosen in (
                (words.SEND, "send"),
                (words.CANCEL, "cancel"),
                (words.PLACE, "location"),
                (words.KEEP, "keep"),
            ):
                if folded in known:
                    return f"draft:{chosen}"
        if draft is not None and draft.option:
            # inside a request names of options, greetings and languages are the citizen's words
            return ""
        if folded in words.LANGUAGE:
            return "lang:menu"
        language = words.named_language(body)
        if language in self.town.languages:
            return f"lang:{language}"
        named = self.menus.by_name(folded, state.language, words.fold)
        if named:
            return named
        if words.is_greeting(body) or folded in words.HELP:
            return HOME
        return ""

    # --- what was chosen, by tap or by typing ------------------------------------------------------

    def _chosen(self, state: State, event: Message, chosen: str, now: float) -> Result:
        kind, _, value = chosen.partition(":")
        lang = state.language
        if kind == "menu" and value == "home":
            return self._home(state)
        if kind == "menu" and (option := self.town.option(value)):
            return self._option(state, option, "", now)
        if kind == "choice" and (councillor := self.town.councillor(value)):
            owner = next((o for o in self.town.menu if o.kind == "councillor"), None)
            if owner is not None:
                return self._option(state, owner, councillor.key, now)
        if kind == "page" and (page := self.town.page(value)):
            return self._show(state, self.menus.page(page, lang), f"page {value}")
        if kind == "more":
            return self._more(state, value)
        if kind == "lang" and value == "menu":
            return self._show(state, self.menus.languages(lang), "choosing a language")
        if kind == "lang" and value in self.town.languages:
            return self._language(state, value)
        if kind == "draft":
            return self._draft_action(state, event, value, now)
        if kind == "reply" and event.released:
            return state, Step((), "answer asked for")
        if chosen in ("consent:yes", "consent:no"):
            return self._consent_again(state, event, chosen, now)
        return self._menu(state, self.texts(lang, "help.outdated"), "outdated option: menu")

    def _consent_again(self, state: State, event: Message, chosen: str, now: float) -> Result:
        if chosen == "consent:no":
            files = files_of(state.draft) if state.draft else ()
            new, step = self.consent.step(state.model_copy(update={"consent": "asked"}), event, now)
            return new, Step((*((Forget(files),) if files else ()), *step.effects), "consent withdrawn")
        return self._menu(state, "", "consent was given already")

    def _home(self, state: State) -> Result:
        if state.draft is not None and state.draft.option and state.draft.items:
            return self._ask_lying(state, state.draft, asked=True)
        if state.draft is not None and state.draft.items:
            return self._ask_whom(state, state.draft)
        return self._menu(state.model_copy(update={"draft": None}), "", "menu")

    def _more(self, state: State, value: str) -> Result:
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
                screen = self.menus.whom(lang, self.drafts.contents(state.draft, lang), number)
            case _:
                return self._menu(state, self.texts(lang, "help.outdated"), "outdated option: menu")
        return self._show(state, screen, f"page {number} of {name}")

    def _language(self, state: State, language: str) -> Result:
        state = state.model_copy(update={"language": language})
        if state.draft is not None and state.draft.option and state.draft.items:
            return self._summary(state, state.draft, "language chosen")
        return self._menu(state, self.texts(language, "language.set"), "language chosen")

    def _option(self, state: State, option: Option, councillor: str, now: float) -> Result:
        if option.kind == "info":
            return self._show(state, self.menus.info(state.language), "information")
        draft = state.draft
        if (
            draft is not None
            and draft.option
            and draft.items
            and (draft.option, draft.councillor) != (option.key, councillor)
        ):
            return self._ask_lying(state, draft, asked=True)
        if option.kind == "councillor" and not councillor:
            return self._show(state, self.menus.councillors(state.language), "choosing a councillor")
        if draft is None:
            draft = Draft(id=self.new_id(), touched=now)
        draft = draft.model_copy(
            update={
                "option": option.key,
                "councillor": councillor,
                "touched": now,
                "revision": draft.revision + 1,
            }
        )
        state = state.model_copy(update={"draft": draft})
        if draft.items:
            return self._summary(state, draft, f"request to {option.key} begun")
        screen = self.drafts.prompt(draft, option, state.language)
        return self._show(state, screen, f"request to {option.key} begun", about=f"draft:{draft.id}")

    # --- a request being written -------------------------------------------------------------------

    def _content(
        self, state: State, event: Message, content: TextIn | MediaIn | PlaceIn, now: float
    ) -> Result:
        item = item_of(content, event.key, event.inbound.at.timestamp())
        if item is None:
            return self._not_taken(state, "blank", now)
        effects: list[Effect] = [Fetch(item.media, content)] if isinstance(content, MediaIn) else []
        draft = state.draft or Draft(id=self.new_id())
        if (
            draft.option
            and draft.items
            and (state.held or now - draft.touched > self.town.timing.draft_hours * 3600)
        ):
            # a draft left lying: nothing is added to it before the citizen says so
            held = state.held if any(i.key == item.key for i in state.held) else (*state.held, item)
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
        if state.draft is not None and state.draft.option:
            draft = add(state.draft, (), now, skipped=(kind,))
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
        if not draft.option:
            return self._ask_whom(state, draft)
        return self._summary(state, draft, "summary")

    def _draft_action(self, state: State, event: Message, action: str, now: float) -> Result:
        draft = state.draft
        stale = event.about.startswith("draft:") and (draft is None or event.about != f"draft:{draft.id}")
        if draft is None or stale or action not in ("send", "location", "cancel", "keep"):
            return self._menu(state, self.texts(state.language, "help.no_draft"), "no such draft: menu")
        if action == "cancel":
            return self._cancel(state, draft)
        if not draft.option:
            return self._ask_whom(state, draft)
        if action == "location":
            return self._show(
                state, self.drafts.ask_place(state.language), "place asked for", about=f"draft:{draft.id}"
            )
        if action == "keep":
            draft = add(draft, state.held, now)
            state = state.model_copy(update={"draft": draft, "held": ()})
            return self._summary(state, draft, "draft kept")
        return self._send(state, draft)

    def _send(self, state: State, draft: Draft) -> Result:
        option = self.town.option(draft.option)
        if option is None:
            # the mapping changed meanwhile: the words stay, to whom is asked again
            return self._ask_whom(state, draft.model_copy(update={"option": "", "councillor": ""}))
        lack = missing(draft, option)
        about = f"draft:{draft.id}"
        if lack is not None:
            nudged = draft.model_copy(update={"nudged": (*draft.nudged, lack.what)})
            state = state.model_copy(update={"draft": nudged})
            ask = self.drafts.need_text if lack.what == "text" else self.drafts.ask_place
            return self._show(state, ask(state.language), f"{lack.what} asked for", about=about)
        sent = submit(draft, state.language)
        rest = state.held
        state = state.model_copy(update={"draft": None, "held": (), "shown": ()})
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

    def _summary(self, state: State, draft: Draft, outcome: str) -> Result:
        option = self.town.option(draft.option)
        if option is None:
            return self._ask_whom(state, draft.model_copy(update={"option": "", "councillor": ""}))
        screen = self.drafts.summary(draft, option, state.language)
        nudged = (
            (*draft.nudged, "text")
            if (lack := missing(draft, option)) and lack.what == "text"
            else draft.nudged
        )
        shown = draft.model_copy(update={"summarised": draft.revision, "skipped": (), "nudged": nudged})
        return self._show(
            state.model_copy(update={"draft": shown}), screen, outcome, about=f"draft:{draft.id}"
        )

    def _ask_lying(self, state: State, draft: Draft, *, asked: bool) -> Result:
        screen = self.drafts.lying(draft, state.language, asked)
        draft = draft.model_copy(update={"summarised": draft.revision})
        state = state.model_copy(update={"draft": draft})
        return self._show(state, screen, "asked about the draft", about=f"draft:{draft.id}")

    def _ask_whom(self, state: State, draft: Draft) -> Result:
        screen = self.menus.whom(state.language, self.drafts.contents(draft, state.language))
        draft = draft.model_copy(update={"summarised": draft.revision, "skipped": ()})
        state = state.model_copy(update={"draft": draft})
        return self._show(state, screen, "asked to whom", about=f"draft:{draft.id}")

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
            if event.original:
                said = "edit.sent" if isinstance(content, EditIn) else "revoke.sent"
                text = self.texts(state.language, said, reference=event.original)
                return self._show(
                    state, self.menus.closing(text, state.language), "changed after it was sent: told"
                )
            return state, Step((), "changed: that message is not kept")
        if (
            isinstance(content, EditIn)
            and isinstance(content.content, TextIn)
            and not words.is_blank(content.content.body)
        ):
            body = content.content.body

            def change(items: tuple[Item, ...]) -> tuple[Item, ...]:
                return tuple(i.model_copy(update={"text": body}) if i.key == key else i for i in items)

            draft = draft.model_copy(
                update={"items": change(draft.items), "revision": draft.revision + 1, "touched": now}
            )
            state = state.model_copy(update={"draft": draft, "held": change(state.held)})
            effects: tuple[Effect, ...] = ()
            outcome = "edited in the draft"
        elif isinstance(content, RevokeIn):
            draft = remove(draft, key, now)
            state = state.model_copy(
                update={"draft": draft, "held": tuple(i for i in state.held if i.key != key)}
            )
            effects = (Forget((old.media,)),) if old.media else ()
            outcome = "taken out of the draft"
        else:
            return state, Step((), "edit of a file: the first one stays")
        return state, Step(
            (*effects, Wake(self.town.timing.quiet_seconds, draft.id, draft.revision)), outcome
        )

    # --- saying ------------------------------------------------------------------------------------

    def _show(self, state: State, screen: Screen, outcome: str, about: str = "") -> Result:
        effects = tuple(Say(m, about) for m in (*screen.more, screen.message))
        return show(state, screen), Step(effects, outcome)

    def _menu(self, state: State, before: str, outcome: str) -> Result:
        if state.draft is not None and not state.draft.items and not state.draft.option:
            state = state.model_copy(update={"draft": None})
        return self._show(state, self.menus.main(state.language, before), outcome)
