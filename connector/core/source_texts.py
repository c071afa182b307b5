"""What sources say, in words: news, notices, an agenda, with their dates and links, cut at the borders of items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from . import opening
from .board import Copy, Item
from .information import Page
from .texts import Texts

_LONGEST_URL = 300
"""A longer address than this is left out: it would push out what it belongs to."""
_FRESH = 3600
"""Seconds in which a copy needs no word about its age, however often its source is looked at."""


class SourceTexts:
    """The sources of one town at ``now`` (in the town's zone)."""

    def __init__(self, texts: Texts, now: datetime) -> None:
        self.texts = texts
        self.now = now

    def block(self, number: int, item: Item, lang: str) -> str:
        """An item in a list: title, date, the beginning of its text, link. ``number`` 0 leaves the number out."""
        lines = [f"*{number}. {item.title}*" if number else f"*{item.title}*"]
        if item.at is not None:
            lines.append(f"_{self.dated(item.at, lang)}_")
        lines += [x for x in (item.summary, _short(item.url)) if x]
        return "\n".join(lines)

    def whole(self, item: Item, lang: str) -> str:
        """An item alone, without its link."""
        lines = [f"*{item.title}*"]
        if item.at is not None:
            lines.append(f"_{self.dated(item.at, lang)}_")
        return f"{chr(10).join(lines)}\n\n{item.text or item.summary}".strip()

    def dated(self, at: float, lang: str) -> str:
        """The day of a moment; another year than this one is said."""
        day = datetime.fromtimestamp(at, self.now.tzinfo).date()
        return self.texts.day(lang, day, year=day.year != self.now.year)

    def stale(self, page: Page, copy: Copy, lang: str) -> str:
        """A word about a copy that should have been renewed long ago, "" otherwise."""
        if self.now.timestamp() - copy.at <= max(_FRESH, 3 * 60 * page.refresh_minutes):
            return ""
        at = datetime.fromtimestamp(copy.at, self.now.tzinfo)
        return f"_{self.texts(lang, 'info.stale', when=self.texts.when(lang, at, str(self.now.tzinfo)))}_"

    def agenda(self, page: Page, copy: Copy, lang: str) -> list[str]:
        """What is on, a block a day; with nothing on soon, what comes next."""
        now, today = self.now.timestamp(), self.now.date()
        midnight = datetime.combine(
            today + timedelta(days=page.days), datetime.min.time(), self.now.tzinfo
        ).timestamp()
        still = [(i.at, i) for i in copy.items if i.at is not None and (i.until or i.at) >= now]
        still.sort(key=lambda pair: pair[0])
        soon = [pair for pair in still if pair[0] < midnight]
        blocks: dict[date, list[str]] = {}
        for at, item in soon or still[: page.show]:
            day = max(datetime.fromtimestamp(at, self.now.tzinfo).date(), today)
            blocks.setdefault(day, []).append(self._event(item, at, day, lang))
        found = [
            "\n".join([f"*{_capital(self.texts.day(lang, day))}*", *lines])
            for day, lines in sorted(blocks.items())
        ]
        if soon:
            return found
        later = [self.texts(lang, "info.next_dates")] if found else []
        return [" ".join([self.texts(lang, "info.no_dates"), *later]), *found]

    def _event(self, item: Item, at: float, day: date, lang: str) -> str:
        begins = datetime.fromtimestamp(at, self.now.tzinfo)
        # an end at midnight is the end of the day before
        last = datetime.fromtimestamp(max(at, (item.until or at) - 1), self.now.tzinfo).date()
        line = f"• {item.title}"
        if not item.whole_day and begins.date() == day:
            line = f"• {opening.clock(begins.hour * 60 + begins.minute)} {item.title}"
        if item.place:
            line += f" · {item.place}"
        # a concert that ends after midnight is no event of two days
        if last > day + timedelta(days=0 if item.whole_day or begins.date() < day else 1):
            line += f" ({self.texts(lang, 'info.last_day', day=self.texts.short_day(lang, last))})"
        return line + (f"\n  {url}" if (url := _short(item.url)) else "")


def fitting(blocks: Sequence[str], room: int) -> int:
    """How many of the first blocks fit whole into ``room`` characters, empty lines between them."""
    used = 0
    for n, block in enumerate(blocks):
        used += len(block) + 2
        if used > room:
            return n
    return len(blocks)


def _short(url: str) -> str:
    return url if len(url) <= _LONGEST_URL else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
