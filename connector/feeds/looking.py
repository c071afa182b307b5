"""One look at a source of a page, wherever it is: fetched and read, or asked of the tracker."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connector.core.board import Item
from connector.core.errors import Rejected
from connector.core.information import Page
from connector.core.ports import Publications, Tracker
from connector.core.town import Town

from . import items, reading
from .fetching import Fetcher

FETCHED = frozenset({"feed", "calendar", "web"})
_NEWS = 30
"""News of a tracker that are asked for."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the copy at hand came with."""

    etag: str = ""
    modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look brought: items, or that the copy at hand is still how it is (``items`` is None)."""

    items: Sequence[Item] | None
    known: Known = Known()


def address(page: Page, town: Town) -> str:
    """What a page's source is known by: another address is another source."""
    if page.source in FETCHED:
        return page.feed
    return f"{page.source}:{page.project or town.tracker.project}:{page.wiki}"


def sources(town: Town) -> dict[str, str]:
    """The addresses of a town's sources by page key."""
    return {page.key: address(page, town) for page in town.pages if page.remote}


async def look(
    page: Page, town: Town, tracker: Tracker, fetcher: Fetcher, now: float, known: Known | None = None
) -> Found:
    """What the source of ``page`` says; with ``known`` only when that changed. Raises ``ConnectorError``."""
    if page.source not in FETCHED:
        return Found(await asyncio.to_thread(_published, page, town, tracker))
    fetched = await fetcher.get(page.feed, *((known.etag, known.modified) if known else ()))
    if fetched.content is None:
        return Found(None)
    digest = hashlib.sha256(fetched.content).hexdigest()
    if known and known.digest == digest:
        return Found(None)
    read = await reading.read(
        page.source,
        fetched.content,
        kind=fetched.kind,
        url=fetched.url,
        zone=town.channel.time_zone,
        now=now,
    )
    return Found(read, Known(fetched.etag, fetched.modified, digest))


def _published(page: Page, town: Town, tracker: Tracker) -> list[Item]:
    project = page.project or str(town.tracker.project)
    if not isinstance(tracker, Publications):
        raise Rejected("this tracker has neither news nor a wiki")
    wiki = page.source == "tracker-wiki"
    found = [tracker.wiki(project, page.wiki)] if wiki else tracker.news(project, _NEWS)
    made = []
    # without links: the tracker is the staff's, and citizens could not open them
    for one in found:
        item = items.make(one.key, one.title, one.text, markup=one.markup, at=one.at)
        if one.summary and one.summary != one.text:
            summary = items.plain(one.summary, items.SUMMARY)
            item = replace(item, summary=summary, text=item.text or item.summary)
        made.append(item)
    return made
