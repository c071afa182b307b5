"""Pages of information: from the mapping, the opening hours and the sources; and what is found by a typed word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from . import asked, search
from .board import Copy
from .information import Office, Page
from .menu import BODY, HOME, ROWS, Menus, Screen, buttons, cut, numbered
from .office_texts import OfficeTexts
from .outgoing import Choice, ListOut
from .parts import say
from .source_texts import SourceTexts, fitting

_TEXT = 4096
"""Characters of a list's body (CLOUD-API.md 3)."""
_WAYS = 120
"""Characters kept free for the ways on that are written under a list."""
_FREE_WORDS = 3
"""So many words are taken for the beginning of a request, unless all of them name one thing."""


class Pages:
    """The pages of one town at one moment, as its board is then."""

    def __init__(self, menus: Menus) -> None:
        self.menus = menus
        self.town = menus.town
        self.texts = menus.texts
        self.board = menus.board
        now = datetime.fromtimestamp(menus.now, ZoneInfo(self.town.channel.time_zone))
        self.offices = OfficeTexts(self.texts, self.town.holidays, now)
        self.sources = SourceTexts(self.texts, now)

    def page(self, page: Page, lang: str) -> Screen:
        """A page; ways on and the way home under it."""
        if page.source == "hours":
            return self._leaf(self._hours(page, self.town.offices, lang), lang)
        if page.remote:
            return self._fetched(page, lang)
        if page.items:
            return self.entries(page, lang)
        return self._leaf(_under(self._head(page, lang), page.url), lang)

    def entries(self, page: Page, lang: str, turned: int = 0) -> Screen:
        """A page that is a list of what can be looked up."""
        options = [(f"page:{page.key}/{e.key}", say(e.title, lang), "") for e in page.items]
        body = _under(self._head(page, lang), page.url)
        return self.menus.listing(body, options, f"page/{page.key}", turned, lang, home=True)

    def part(self, page: Page, key: str, lang: str) -> Screen | None:
        """One entry, item or office of a page; None when it is there no more."""
        if page.source == "hours":
            office = self.town.office(key)
            return self._leaf(self._hours(page, [office], lang), lang, page) if office else None
        if entry := page.entry(key):
            body = f"*{say(entry.title, lang)}*\n\n{say(entry.text, lang).strip()}".strip()
            return self._leaf(_under(body, entry.url or page.url), lang, page)
        copy = self.board.copies.get(page.key)
        item = copy.item(key) if copy else None
        if item is None:
            return None
        return self._leaf(_under(self.sources.whole(item, lang), item.url or page.url), lang, page)

    # --- what was typed ----------------------------------------------------------------------------

    def typed(self, text: str, lang: str) -> tuple[Screen, str] | None:
        """The answer to a question for opening hours, or what a word finds, with its outcome; None for neither."""
        hours = next((p for p in self.town.pages if p.source == "hours"), None)
        if hours is not None and (named := asked.offices(text, self.town.offices)):
            back = hours if len(named) < len(self.town.offices) else None
            return self._leaf(self._hours(hours, named, lang), lang, back), "opening hours"
        wanted, written = search.significant(text), len(text.split())
        if written >= 2 * _FREE_WORDS:
            return None
        found = search.find(wanted, self._known(lang))
        if written >= _FREE_WORDS:
            found = [e for e in found if search.names_all(wanted, e)]
        if not found:
            return None
        if len(found) == 1:
            key, _, part = found[0].id.removeprefix("page:").partition("/")
            page = self.town.page(key)
            screen = self.part(page, part, lang) if page else None
            return (screen, "found by a word") if screen else None
        options = [(e.id, e.title, "") for e in found[: ROWS - 1]]
        screen = self.menus.listing(self.texts(lang, "info.found"), options, "", 0, lang, home=True)
        return screen, f"found by a word: {len(options)} to choose from"

    def _known(self, lang: str) -> list[search.Entry]:
        """Everything that can be found, with what a tap on it would send."""
        found = []
        for page in self.town.pages:
            at = f"page:{page.key}/"
            for entry in page.items:
                names = (*entry.title.values(), *entry.words)
                title = say(entry.title, lang)
                found.append(search.Entry(at + entry.key, title, names, say(entry.text, lang)))
            for office in self.town.offices if page.source == "hours" else ():
                names = (*office.name.values(), *office.words)
                found.append(search.Entry(at + office.key, say(office.name, lang), names))
            copy = self.board.copies.get(page.key)
            for item in copy.items if page.search and copy else ():
                names = (item.title, *item.categories)
                found.append(search.Entry(at + item.id, item.title, names, item.summary))
        return found

    # --- what is fetched, and hours ----------------------------------------------------------------

    def _fetched(self, page: Page, lang: str) -> Screen:
        copy, head = self.board.copies.get(page.key), self._head(page, lang)
        if copy is None:
            return self._leaf(_under(f"{head}\n\n{self.texts(lang, 'info.unread')}", page.url), lang)
        if page.source in ("feed", "tracker-news"):
            return self._news(page, copy, lang)
        if page.source == "calendar":
            return self._blocks(page, copy, self.sources.agenda(page, copy, lang), lang)
        texts = [i.text or i.summary for i in copy.items]
        url = page.url or next((i.url for i in copy.items), "")
        body = "\n\n".join(t for t in (head, *texts, self.sources.stale(page, copy, lang)) if t)
        return self._leaf(_under(body, url), lang)

    def _news(self, page: Page, copy: Copy, lang: str) -> Screen:
        items = copy.items[: page.show]
        more = any(i.text for i in items)
        blocks = [self.sources.block(n if more else 0, item, lang) for n, item in enumerate(items, 1)]
        chosen = [(f"page:{page.key}/{i.id}", i.title) for i in items] if more else []
        return self._blocks(page, copy, blocks, lang, chosen)

    def _blocks(
        self, page: Page, copy: Copy, blocks: list[str], lang: str, chosen: Sequence[tuple[str, str]] = ()
    ) -> Screen:
        """Blocks between head and link, as many as fit whole into one message."""
        head, stale = self._head(page, lang), self.sources.stale(page, copy, lang)
        room = _TEXT - _WAYS - len(head) - len(stale) - len(page.url)
        fits = fitting(blocks, room)
        shown = blocks[:fits] or [self.texts(lang, "info.nothing")]
        body = "\n\n".join(t for t in (head, *shown, stale) if t)
        return self._leaf(_under(body, page.url), lang, chosen=chosen[:fits], offer=self._offer(page, lang))

    def _offer(self, page: Page, lang: str) -> list[tuple[str, str]]:
        """The way to have what is new on a page sent."""
        topics = [t for t in self.town.topics if page.key in t.pages]
        return [(f"topic:{topics[0].key}", self.texts(lang, "topic.page_button"))] if topics else []

    def _hours(self, page: Page, offices: Sequence[Office], lang: str) -> str:
        whole = len(offices) == len(self.town.offices)
        parts = [f"*{say(page.title, lang)}*"] if whole else []
        parts += [self.offices.office(office, lang) for office in offices]
        if whole:
            parts.append(say(page.body, lang).strip())
        return _under("\n\n".join(p for p in parts if p), page.url)

    # --- putting together --------------------------------------------------------------------------

    def _head(self, page: Page, lang: str) -> str:
        return f"*{say(page.title, lang)}*\n\n{say(page.body, lang).strip()}".strip()

    def _ways(self, lang: str, back: Page | None) -> list[tuple[str, str]]:
        """Where one can go from a page, home left out. A page tapped on an old menu may lead home only."""
        if back is not None:
            return [(f"page:{back.key}", say(back.title, lang))]
        again = self.texts(lang, "info.again")
        return [(f"menu:{o.key}", again) for o in self.town.menu if o.kind == "info"][:1]

    def _leaf(
        self,
        body: str,
        lang: str,
        back: Page | None = None,
        chosen: Sequence[tuple[str, str]] = (),
        offer: Sequence[tuple[str, str]] = (),
    ) -> Screen:
        """A text with the ways on under it: buttons where it is short, a list otherwise.

        ``chosen`` are options whose numbers and titles stand in the body already, ``offer`` comes before the ways on.
        """
        home, ways = self.texts(lang, "menu.home"), [*offer, *self._ways(lang, back)]
        if not chosen and len(body) <= BODY:
            return buttons(body, ways, home)
        options = [*chosen, *ways]
        rows = [Choice(i, numbered(n, title)) for n, (i, title) in enumerate(options, 1)]
        rows.append(Choice(HOME, numbered(0, home)))
        typed = [f"*{n}.* {title}" for n, (_, title) in enumerate(options, 1) if n > len(chosen)]
        under = " · ".join([*typed, f"*0.* {home}"])
        text = f"{cut(body, _TEXT - len(under) - 2)}\n\n{under}"
        message = ListOut(text, cut(self.texts(lang, "menu.button"), 20), tuple(rows))
        return Screen(message, tuple(i for i, _ in options))


def _under(body: str, url: str) -> str:
    return f"{body}\n\n{url}" if url else body
