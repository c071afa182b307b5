"""A request while it is being written: what is in it, its summary, and whether it can be sent."""

from __future__ import annotations

from dataclasses import dataclass

from . import words
from .events import Submit
from .incoming import MediaIn, MediaKind, PlaceIn, TextIn
from .menu import BODY, Menus, Screen, buttons, cut
from .outgoing import AskPlaceOut
from .state import Draft, Item, State
from .texts import Texts
from .ticket import Place
from .town import Option, say

_COUNTED = ("image", "video", "document", "audio", "place")
_PREVIEW = 400
_LEAST = 20
PIECES, FILES, LETTERS = 100, 30, 100_000
"""What one request holds at most: more than anybody needs, and one message of WhatsApp's longest always fits."""
"""A quote shorter than this says nothing."""


def item_of(content: TextIn | MediaIn | PlaceIn, key: str, at: float) -> Item | None:
    """The piece of a request that a message is, or None when there is nothing in it (blank, a sticker)."""
    match content:
        case TextIn(body):
            return None if words.is_blank(body) else Item(key=key, kind="text", text=body, at=at)
        case MediaIn(kind=MediaKind.STICKER):
            return None
        case MediaIn():
            caption = content.caption or ""
            return Item(
                key=key,
                kind="media",
                text="" if words.is_blank(caption) else caption,
                media=key,
                media_kind=str(content.kind),
                voice=content.voice,
                at=at,
            )
        case PlaceIn():
            return Item(
                key=key,
                kind="place",
                latitude=content.latitude,
                longitude=content.longitude,
                name=content.name or "",
                address=content.address or "",
                at=at,
            )


def full(items: tuple[Item, ...], more: Item) -> bool:
    """Whether a request with these pieces has no room for another one. A redelivery takes none."""
    if any(i.key == more.key for i in items):
        return False
    files = sum(i.kind == "media" for i in items)
    letters = sum(len(i.text) for i in items) + len(more.text)
    return len(items) >= PIECES or (more.kind == "media" and files >= FILES) or letters > LETTERS


def add(draft: Draft, items: tuple[Item, ...], now: float, skipped: tuple[str, ...] = ()) -> Draft:
    """The draft with more in it. What is already in it (a redelivery) is not added twice."""
    have = {i.key for i in draft.items}
    fresh = tuple(i for i in items if i.key not in have)
    return draft.model_copy(
        update={
            "items": draft.items + fresh,
            "skipped": tuple(dict.fromkeys(draft.skipped + skipped)),
            "revision": draft.revision + 1,
            "touched": now,
        }
    )


def remove(draft: Draft, key: str, now: float) -> Draft:
    """The draft without what came in message ``key``."""
    return draft.model_copy(
        update={
            "items": tuple(i for i in draft.items if i.key != key),
            "revision": draft.revision + 1,
            "touched": now,
        }
    )


def in_order(draft: Draft) -> tuple[Item, ...]:
    """The pieces by the time they were written, not by the order they arrived in."""
    return tuple(sorted(draft.items, key=lambda i: i.at))


def text_of(draft: Draft) -> str:
    """The citizen's words, exactly, message after message; captions too."""
    return "\n\n".join(i.text for i in in_order(draft) if i.text)


def places_of(draft: Draft) -> tuple[Place, ...]:
    """The places in it, in order."""
    return tuple(
        Place(i.latitude, i.longitude, i.name, i.address) for i in in_order(draft) if i.kind == "place"
    )


def files_of(draft: Draft) -> tuple[str, ...]:
    """References of its files, in order."""
    return tuple(i.media for i in in_order(draft) if i.kind == "media")


def files_in(state: State) -> tuple[str, ...]:
    """References of all files a conversation holds that are in no request yet."""
    return (*(files_of(state.draft) if state.draft else ()), *(i.media for i in state.held if i.media))


@dataclass(frozen=True, slots=True)
class Missing:
    """What a request lacks before it can be sent."""

    what: str
    """``text`` or ``place``."""


def missing(draft: Draft, option: Option) -> Missing | None:
    """What has to be asked for. A voice note may stand for the text once the text was asked for.

    A greeting alone is no request yet: people say hello before they say what it is about.
    """
    written = text_of(draft)
    if (not written or words.is_greeting(written)) and not (spoken(draft) and "text" in draft.nudged):
        return Missing("text")
    if option.place == "required" and not places_of(draft) and "place" not in draft.nudged:
        return Missing("place")
    return None


def spoken(draft: Draft) -> bool:
    """Whether there is a voice note in it."""
    return any(i.voice for i in draft.items)


def submit(draft: Draft, language: str) -> Submit:
    """What is sent to the tracker."""
    return Submit(
        draft=draft.id,
        option=draft.option,
        councillor=draft.councillor,
        words=text_of(draft),
        places=places_of(draft),
        files=files_of(draft),
        language=language,
        keys=tuple(i.key for i in draft.items),
    )


class DraftScreens:
    """The messages around a draft."""

    def __init__(self, menus: Menus, texts: Texts) -> None:
        self.menus = menus
        self.texts = texts

    def recipient(self, draft: Draft, lang: str) -> str:
        """Who it goes to, in words."""
        town = self.menus.town
        option = town.option(draft.option)
        return self.menus.recipient(option, town.councillor(draft.councillor), lang) if option else ""

    def contents(self, draft: Draft, lang: str) -> str:
        """«2 photos, 1 document and 1 place», "" when there is only text."""
        kinds = [i.media_kind if i.kind == "media" else i.kind for i in draft.items]
        parts = [self.texts(lang, f"count.{k}", n=n) for k in _COUNTED if (n := kinds.count(k))]
        return self.texts.join(lang, parts)

    def prompt(self, draft: Draft, option: Option, lang: str) -> Screen:
        """The invitation to write."""
        to = self.recipient(draft, lang)
        own = say(option.prompt, lang)
        body = own or self.texts(lang, "draft.prompt", to=to)
        offered = []
        if option.place != "optional":
            if not own:  # the town's own words say by themselves what helps
                body += "\n\n" + self.texts(lang, "draft.prompt_place")
            offered.append(("draft:location", self.texts(lang, "draft.place_button")))
        return buttons(body, offered, self.texts(lang, "menu.home"))

    def summary(self, draft: Draft, option: Option, lang: str) -> Screen:
        """What will be sent, with send / add a place / cancel. Asks for the text first where there is none."""
        t = self.texts
        after = self.skipped(draft, lang)
        lack = missing(draft, option)
        if lack is not None and lack.what == "text":
            after.append(self._ask_text(draft, lang))
        elif not places_of(draft) and option.place != "optional":
            after.append(t(lang, f"draft.place_{option.place}"))
        if lack is None or lack.what == "place":
            after.append(t(lang, "draft.ready"))
        offered = [
            ("draft:send", t(lang, "draft.send_button")),
            ("draft:location", t(lang, "draft.place_button")),
            ("draft:cancel", t(lang, "draft.cancel_button")),
        ]
        return buttons(self._body("draft.summary", draft, after, lang), offered)

    def skipped(self, draft: Draft, lang: str) -> list[str]:
        """What could not be taken in since the last summary, a sentence a kind."""
        return [self.texts(lang, f"skipped.{kind}") for kind in dict.fromkeys(draft.skipped)]

    def _body(self, head: str, draft: Draft, after: list[str], lang: str) -> str:
        """What is in a draft, between ``head`` and ``after``; the quote takes the room the rest leaves."""
        lines = [self.texts(lang, head, to=self.recipient(draft, lang))]
        attached = self.contents(draft, lang)
        if attached:
            after = [self.texts(lang, "draft.with", what=attached), *after]
        written = text_of(draft)
        room = BODY - sum(len(x) + 2 for x in (*lines, *after)) - 2
        if written and room > _LEAST:
            quote = cut("\n".join(written.splitlines()), min(_PREVIEW, room)).replace("\n", "\n> ")
            lines.append("> " + cut(quote, room))
        return "\n\n".join((*lines, *after))

    def _ask_text(self, draft: Draft, lang: str) -> str:
        return self.texts(lang, "draft.need_text_voice" if spoken(draft) else "draft.need_text")

    def need_text(self, draft: Draft, lang: str) -> Screen:
        """Asked for the text, when «send» was tapped without one."""
        t = self.texts
        return buttons(
            self._ask_text(draft, lang),
            [("draft:send", t(lang, "draft.send_button")), ("draft:cancel", t(lang, "draft.cancel_button"))],
        )

    def ask_place(self, lang: str) -> Screen:
        """WhatsApp's own «send location» button. It shows no numbers, so a number typed now is an address's."""
        return Screen(AskPlaceOut(cut(self.texts(lang, "draft.ask_place"), BODY)), ())

    def lying(self, draft: Draft, lang: str, asked: bool) -> Screen:
        """«There is a message you did not finish»: continue, send, drop. ``asked``: they asked for the menu."""
        t = self.texts
        after = [*self.skipped(draft, lang), t(lang, "draft.lying_ask" if asked else "draft.lying_new")]
        offered = [
            ("draft:keep", t(lang, "draft.keep_button")),
            ("draft:send", t(lang, "draft.send_button")),
            ("draft:cancel", t(lang, "draft.cancel_button")),
        ]
        return buttons(self._body("draft.lying", draft, after, lang), offered)
