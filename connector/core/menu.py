"""Menus: lists with a number in front of every option, paged when they do not fit, and pages of information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import alerts
from .board import Board
from .outgoing import ButtonsOut, Choice, ListOut, Outgoing
from .state import State
from .texts import Texts
from .town import Councillor, Option, Town, say
from .words import fold, folded_name, without_lead

HOME = "menu:home"
ROWS = 10  # Meta: at most 10 rows in all sections of a list (CLOUD-API.md 3)
BODY = 1024  # Meta: characters over buttons (CLOUD-API.md 3)
_ROW_TITLE, _BUTTON, _DESCRIPTION, _TEXT = 24, 20, 72, 4096
NOTHING = Board()
NATIVE = {"ca": "Català", "es": "Español", "en": "English"}


@dataclass(frozen=True, slots=True)
class Screen:
    """A message with options, and the ids behind the numbers 1, 2, 3 … that can be typed instead of tapped."""

    message: Outgoing
    shown: tuple[str, ...]
    turns: tuple[str, str] = ("", "")
    """Ids of the pages before and after this one, "" for none."""


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, at a word's end where one is near, with an ellipsis."""
    text = " ".join(text.split()) if limit <= _DESCRIPTION else text
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit * 0.6 else head).rstrip(" ,;:.-") + "…"


def numbered(number: int, title: str, limit: int = _ROW_TITLE) -> str:
    """«3. Title», cut to ``limit``."""
    return cut(f"{number}. {title}", limit)


def buttons(body: str, options: Sequence[tuple[str, str]], home: str = "", header: str = "") -> Screen:
    """Reply buttons with numbers; ``home`` is the title of the «0» button, "" for none."""
    rows = [Choice(i, numbered(n, title, _BUTTON)) for n, (i, title) in enumerate(options, 1)]
    if home:
        rows.append(Choice(HOME, numbered(0, home, _BUTTON)))
    return Screen(ButtonsOut(cut(body, BODY), tuple(rows), header=header), tuple(i for i, _ in options))


def listing(
    body: str,
    options: Sequence[tuple[str, str, str]],
    *,
    name: str,
    page: int,
    button: str,
    more: str,
    back: str,
    home: str,
    described: bool = False,
) -> Screen:
    """A list of (id, title, description), numbered through; ``name`` is what ``more:<name>.<page>`` pages in.

    ``more``, ``back`` and ``home`` are the titles of the rows that page and return ("" leaves «home» out);
    ``described`` writes the descriptions into the text too, for who types and never opens the list.
    """
    fixed = 1 if home else 0
    if len(options) <= ROWS - fixed:
        page, first, size, pages = 0, 0, len(options), 1
    else:
        size = ROWS - fixed - 2
        pages = -(-len(options) // size)
        page = min(max(page, 0), pages - 1)
        first = page * size
    rows = []
    lines = []
    for n, (i, title, description) in enumerate(options[first : first + size], first + 1):
        rows.append(Choice(i, numbered(n, title), cut(description, _DESCRIPTION)))
        lines.append(f"*{n}.* {title}" + (f" · {description}" if described and description else ""))
    turns = (
        f"more:{name}.{page - 1}" if page > 0 else "",
        f"more:{name}.{page + 1}" if page < pages - 1 else "",
    )
    rows += [Choice(i, cut(title, _ROW_TITLE)) for i, title in zip(turns, (back, more), strict=True) if i]
    if home:
        rows.append(Choice(HOME, numbered(0, home)))
        lines.append(f"*0.* {home}")
    text = (body + "\n\n" + "\n".join(lines)).strip()
    message = ListOut(cut(text, _TEXT), cut(button, _BUTTON), tuple(rows))
    return Screen(message, tuple(i for i, _, _ in options), turns)


class Menus:
    """The screens of one town, as its board is at ``now`` (Unix seconds)."""

    def __init__(self, town: Town, texts: Texts, board: Board = NOTHING, now: float = 0.0) -> None:
        self.town = town
        self.texts = texts
        self.board = board
        self.now = now

    def listing(
        self,
        body: str,
        options: Sequence[tuple[str, str, str]],
        name: str,
        page: int,
        lang: str,
        home: bool,
        described: bool = False,
    ) -> Screen:
        """A list in the words of ``lang``; ``home`` says whether the way back is its last row."""
        t = self.texts
        return listing(
            body,
            options,
            name=name,
            page=page,
            button=t(lang, "menu.button"),
            more=t(lang, "menu.more"),
            back=t(lang, "menu.back"),
            home=t(lang, "menu.home") if home else "",
            described=described,
        )

    @property
    def _room(self) -> bool:
        """Whether «my data» has a row in the main menu: never the one that makes a second page of it."""
        return len(self.town.menu) + (len(self.town.languages) > 1) != ROWS

    def main(self, lang: str, before: str = "", page: int = 0) -> Screen:
        """The main menu, with ``before`` and the alerts that hold above it: one message instead of several."""
        options = [(f"menu:{o.key}", say(o.title, lang), say(o.description, lang)) for o in self.town.menu]
        if len(self.town.languages) > 1:
            options.append(
                (
                    "lang:menu",
                    self.texts(lang, "menu.language"),
                    " · ".join(NATIVE.get(x, x) for x in self.town.languages),
                )
            )
        if self._room:
            options.append(("data:home", self.texts(lang, "data.home_button"), self.texts(lang, "data.row")))
        body = self.texts(lang, "menu.body", channel=self.town.channel.name)
        alert = "" if page else alerts.shown(self.town, self.board, self.texts, lang, self.now)
        above = "\n\n".join(text for text in (before, alert, body) if text)
        return self.listing(above, options, "home", page, lang, home=False)

    def whom(self, lang: str, before: Sequence[str] = (), page: int = 0) -> Screen:
        """«I have kept it; to whom does it go?»: the options that take a request, and dropping it."""
        body = "\n\n".join((*before, self.texts(lang, "draft.whom")))
        options = [
            (f"menu:{o.key}", say(o.title, lang), say(o.description, lang))
            for o in self.town.menu
            if o.kind in ("request", "councillor")
        ]
        options.append(("draft:cancel", self.texts(lang, "draft.drop_button"), ""))
        return self.listing(body, options, "whom", page, lang, home=False)

    def info(self, lang: str, page: int = 0) -> Screen:
        """The list of pages of information."""
        options = [(f"page:{p.key}", say(p.title, lang), say(p.description, lang)) for p in self.town.pages]
        return self.listing(self.texts(lang, "info.body"), options, "info", page, lang, home=True)

    def councillors(self, lang: str, page: int = 0) -> Screen:
        """The list of councillors with their neighbourhoods."""
        options = [(f"choice:{c.key}", c.name, self.office(c, lang)) for c in self.town.councillors]
        return self.listing(
            self.texts(lang, "councillor.body"), options, "councillor", page, lang, home=True, described=True
        )

    def office(self, councillor: Councillor, lang: str) -> str:
        """«Regidora de Turisme · Platja»."""
        return " · ".join(x for x in (say(councillor.role, lang), councillor.neighbourhood) if x)

    def languages(self, lang: str, page: int = 0) -> Screen:
        """The choice of language, asked in all of them."""
        options = [(f"lang:{x}", NATIVE.get(x, x), "") for x in self.town.languages]
        ask = " · ".join(dict.fromkeys(self.texts(x, "language.ask") for x in self.town.languages))
        if len(options) <= 3:
            lines = "\n".join(f"*{n}.* {title}" for n, (_, title, _) in enumerate(options, 1))
            return buttons(f"{ask}\n\n{lines}", [(i, title) for i, title, _ in options])
        return self.listing(ask, options, "lang", page, lang, home=False)

    def closing(self, body: str, lang: str) -> Screen:
        """A text that ends something, with the way back to the menu; «my data» stands here when the menu is full."""
        options = [] if self._room else [("data:home", self.texts(lang, "data.home_button"))]
        return buttons(body, options, self.texts(lang, "menu.home"))

    def recipient(self, option: Option, councillor: Councillor | None, lang: str) -> str:
        """Who a request goes to, in words."""
        if councillor is not None:
            office = self.office(councillor, lang)
            return f"{councillor.name} ({office})" if office else councillor.name
        return say(option.to, lang) or say(option.title, lang)

    def by_name(self, text: str) -> str:
        """The id of the option, page or councillor that was typed by its name, in any language; "" for none."""
        folded = fold(text)
        typed = {folded, without_lead(folded)} - {""}

        def same(*names: str) -> bool:
            return any(folded_name(n) in typed for n in names)

        again = [self.texts(lang, "info.again") for lang in self.town.languages]
        for option in self.town.menu:
            if same(*option.title.values(), *option.words, *(again if option.kind == "info" else ())):
                return f"menu:{option.key}"
        found = [
            c for c in self.town.councillors if same(c.name, c.neighbourhood, *c.role.values())
        ]  # a role or a neighbourhood may be shared: then the list of councillors tells them apart
        owner = next((f"menu:{o.key}" for o in self.town.menu if o.kind == "councillor"), "")
        if found and owner:
            return f"choice:{found[0].key}" if len(found) == 1 else owner
        for page in self.town.pages:
            if same(*page.title.values(), *page.words):
                return f"page:{page.key}"
        for option in self.town.menu:
            if {without_lead(folded_name(n)) for n in option.to.values()} & typed:
                return f"menu:{option.key}"
        for page in self.town.pages:
            for entry in page.items:
                if same(*entry.title.values(), *entry.words):
                    return f"page:{page.key}/{entry.key}"
        return ""


def show(state: State, screen: Screen) -> State:
    """The state after ``screen`` was shown."""
    return state.model_copy(update={"shown": screen.shown, "turns": screen.turns})
