"""A request being written: what comes in goes into its draft, which is shown, sent, kept or dropped."""

from __future__ import annotations

from collections.abc import Callable

from .commands import lapsed
from .drafts import DraftScreens, add, files_of, full, item_of, missing, submit
from .events import Effect, Fetch, Forget, Message, Quiet, Step, Wake
from .incoming import MediaIn, PlaceIn, ReplyIn, TextIn
from .menu import Menus, Screen
from .replies import Result, menu, reply
from .state import Draft, State
from .texts import Texts
from .town import Option


class Writing:
    """The part of the conversation that is about a draft. ``new_id`` gives the ids of drafts."""

    def __init__(self, menus: Menus, texts: Texts, new_id: Callable[[], str]) -> None:
        self.menus = menus
        self.town = menus.town
        self.texts = texts
        self.screens = DraftScreens(menus, texts)
        self.new_id = new_id

    def content(
        self, state: State, event: Message, content: TextIn | MediaIn | PlaceIn, now: float
    ) -> Result:
        """A text, a file or a place becomes part of the draft, which is begun where there is none."""
        item = item_of(content, event.key, event.inbound.at.timestamp())
        if item is None:
            return self.not_taken(state, "blank", now)
        if state.draft is not None and full((*state.draft.items, *state.held), item):
            return self.not_taken(state, "full", now)
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

    def not_taken(self, state: State, kind: str, now: float, what: str = "") -> Result:
        """Something that cannot be part of a request: said in the summary, or with the menu at once."""
        outcome = f"cannot be taken: {kind}" + (f" ({what})" if what else "")
        draft = state.draft
        if draft is not None and (draft.option or draft.items):
            # it does not count as writing on: what lies too long is still asked about
            draft = add(draft, (), draft.touched, skipped=(kind,))
            wake = Wake(self.town.timing.quiet_seconds, draft.id, draft.revision)
            return state.model_copy(update={"draft": draft}), Step((wake,), outcome)
        return menu(self.menus, state, self.texts(state.language, f"skipped.{kind}"), outcome)

    def quiet(self, state: State, event: Quiet) -> Result:
        """Nothing more came for a while: what has to be said about the draft is said."""
        draft = state.draft
        if (
            draft is None
            or draft.id != event.draft
            or draft.revision != event.revision
            or draft.summarised == draft.revision
        ):
            return state, Step((), "no longer needed")
        if state.held:
            return self.ask_lying(state, draft, asked=False)
        if not draft.items and not draft.option:
            return state.model_copy(update={"draft": None}), Step((), "nothing is left of it")
        return self.ask_on(state, draft)

    def ask_on(self, state: State, draft: Draft) -> Result:
        """What has to be said about a draft: its summary, or the question to whom it goes."""
        if self.target(draft) is None:
            return self.ask_whom(state, draft)
        return self.summary(state, draft, "summary")

    def act(self, state: State, event: Message, action: str, now: float) -> Result:
        """The draft is sent, kept or dropped, or a place is asked for."""
        draft = state.draft
        stale = event.about.startswith("draft:") and (draft is None or event.about != f"draft:{draft.id}")
        if draft is None or stale or action not in ("send", "location", "cancel", "keep"):
            return menu(self.menus, state, self.texts(state.language, "help.no_draft"), "no such draft: menu")
        tapped = isinstance(event.inbound.content, ReplyIn)
        if tapped and not event.about and draft.items and draft.summarised < 0:
            # an old button, of which summary nobody knows: this draft was never shown, so it is shown first
            return self.ask_on(state, draft)
        if action == "cancel":
            return self._cancel(state, draft)
        if self.target(draft) is None:
            return self.ask_whom(state, draft)
        if action == "location":
            return reply(
                state, self.screens.ask_place(state.language), "place asked for", about=f"draft:{draft.id}"
            )
        if action == "keep":
            draft = add(draft, state.held, now)
            state = state.model_copy(update={"draft": draft, "held": ()})
            return self.summary(state, draft, "draft kept")
        return self._send(state, event, draft)

    def _send(self, state: State, event: Message, draft: Draft) -> Result:
        option = self.target(draft)
        if option is None:
            return self.ask_whom(state, draft)
        lack = missing(draft, option)
        about = f"draft:{draft.id}"
        if lack is not None:
            state = state.model_copy(update={"draft": _nudge(draft, lack.what)})
            lang = state.language
            ask_text = lack.what == "text"
            screen = self.screens.need_text(draft, lang) if ask_text else self.screens.ask_place(lang)
            return reply(state, screen, f"{lack.what} asked for", about=about)
        if not event.requests_left:
            screen = self.menus.closing(self.texts(state.language, "limit.requests"), state.language)
            return reply(state, screen, "not sent: too many requests in a day", about=about)
        sent = submit(draft, state.language)
        rest = state.held
        state = state.model_copy(update={"draft": None, "held": (), "shown": (), "turns": ("", "")})
        if not rest:
            return state, Step((sent,), "request sent")
        begun = Draft(id=self.new_id(), items=rest, touched=draft.touched, revision=1)
        state, step = self.ask_whom(state.model_copy(update={"draft": begun}), begun)
        return state, Step((sent, *step.effects), "request sent")

    def _cancel(self, state: State, draft: Draft) -> Result:
        effects: tuple[Effect, ...] = (Forget(files),) if (files := files_of(draft)) else ()
        rest = state.held
        state = state.model_copy(update={"draft": None, "held": ()})
        if rest:
            begun = Draft(id=self.new_id(), items=rest, touched=draft.touched, revision=1)
            state, step = self.ask_whom(state.model_copy(update={"draft": begun}), begun)
        else:
            state, step = menu(self.menus, state, self.texts(state.language, "draft.cancelled"), "")
        return state, Step((*effects, *step.effects), "draft dropped")

    def prompt(self, state: State, draft: Draft, outcome: str) -> Result:
        """What to write is asked for; the draft is still empty."""
        option = self.target(draft)
        if option is None:
            return menu(self.menus, state.model_copy(update={"draft": None}), "", outcome)
        screen = self.screens.prompt(draft, option, state.language)
        state = state.model_copy(update={"draft": draft})
        return reply(state, screen, outcome, about=f"draft:{draft.id}")

    def summary(self, state: State, draft: Draft, outcome: str) -> Result:
        """The draft as it would be sent, with what can be done with it."""
        option = self.target(draft)
        if option is None:
            return self.ask_whom(state, draft)
        screen = self.screens.summary(draft, option, state.language)
        shown = draft.model_copy(update={"summarised": draft.revision, "skipped": ()})
        if (lack := missing(draft, option)) and lack.what == "text":
            shown = _nudge(shown, "text")
        return reply(state.model_copy(update={"draft": shown}), screen, outcome, about=f"draft:{draft.id}")

    def ask_lying(self, state: State, draft: Draft, *, asked: bool) -> Result:
        """What is to become of a draft that was left lying."""
        screen = self.screens.lying(draft, state.language, asked)
        draft = draft.model_copy(update={"summarised": draft.revision, "skipped": ()})
        state = state.model_copy(update={"draft": draft})
        return reply(state, screen, "asked about the draft", about=f"draft:{draft.id}")

    def ask_whom(self, state: State, draft: Draft) -> Result:
        """To whom it goes that was written."""
        if not draft.items:
            # the mapping changed before anything was written
            return menu(self.menus, state.model_copy(update={"draft": None}), "", "menu")
        screen = self.whom(draft, state.language)
        # an option that is gone is forgotten: the words stay
        gone = {} if self.target(draft) else {"option": "", "councillor": ""}
        draft = draft.model_copy(update={"summarised": draft.revision, "skipped": (), **gone})
        state = state.model_copy(update={"draft": draft})
        return reply(state, screen, "asked to whom", about=f"draft:{draft.id}")

    def whom(self, draft: Draft, lang: str, page: int = 0) -> Screen:
        """The question to whom it goes, at one page of its list."""
        attached = self.screens.contents(draft, lang)
        before = self.screens.skipped(draft, lang)
        if attached:
            before.append(self.texts(lang, "draft.with", what=attached))
        return self.menus.whom(lang, before, page)

    def target(self, draft: Draft) -> Option | None:
        """The option a draft goes to, None when there is none (any more): the mapping may have changed."""
        option = self.town.option(draft.option)
        if option is None or option.kind not in ("request", "councillor"):
            return None
        if option.kind == "councillor" and self.town.councillor(draft.councillor) is None:
            return None
        return option


def _nudge(draft: Draft, what: str) -> Draft:
    return draft.model_copy(update={"nudged": tuple(dict.fromkeys((*draft.nudged, what)))})
