"""What stands above the main menu for a time: the mapping's own alerts, and items of sources marked as alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from .board import Board, Item
from .information import Page
from .texts import Texts
from .town import Town, say

MOST = 3
"""Alerts above the menu: more than these nobody reads there."""
ROOM = 1200
"""Characters for all of them."""


def shown(town: Town, board: Board, texts: Texts, lang: str, now: float) -> str:
    """The alerts that hold at ``now``, as one text; "" for none."""
    lines: list[str] = []
    for text, url in (*_own(town, lang, now), *_of_sources(town, board, now)):
        line = texts(lang, "alert.line", text=text) + (f"\n{url}" if url else "")
        if len(lines) < MOST and sum(map(len, lines)) + len(line) <= ROOM and line not in lines:
            lines.append(line)
    return "\n\n".join(lines)


def _own(town: Town, lang: str, now: float) -> Iterator[tuple[str, str]]:
    zone = ZoneInfo(town.channel.time_zone)
    for alert in town.alerts:
        since = _moment(alert.since, zone) if alert.since else float("-inf")
        if since <= now < _moment(alert.until, zone):
            yield say(alert.text, lang).strip(), alert.url


def _moment(given: datetime, zone: ZoneInfo) -> float:
    return (given if given.tzinfo else given.replace(tzinfo=zone)).timestamp()


def _of_sources(town: Town, board: Board, now: float) -> Iterator[tuple[str, str]]:
    for page in town.pages:
        copy = board.copies.get(page.key)
        if not (page.alerts or page.alert_categories) or copy is None:
            continue
        for item in copy.items:
            if holds(page, item, now):
                yield (f"*{item.title}*" + (f"\n{item.summary}" if item.summary else "")), item.url


def holds(page: Page, item: Item, now: float) -> bool:
    """Whether an item of a page is an alert at ``now``. One without a time can't be known to be new."""
    wanted = {c.casefold() for c in page.alert_categories}
    if wanted and not wanted & {c.casefold() for c in item.categories}:
        return False
    if item.at is None or not (page.alerts or wanted):
        return False
    until = item.until if item.until is not None else item.at + page.alert_hours * 3600
    return item.at <= now < until
