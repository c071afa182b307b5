"""New items of a town's sources, sent to those who subscribed to them: each once, in the transaction that stored it."""

from __future__ import annotations

from connector.core import alerts, words
from connector.core.board import Item
from connector.core.bulletin import Bulletin
from connector.core.information import Page
from connector.core.topics import Topic
from connector.core.town import Town
from connector.storage import feeds
from connector.storage.store import Connection
from connector.toolkit.observe import get_logger

from . import broadcasting
from .runtime import DAY, Runtime

log = get_logger(__name__)

_A_WHILE = 1e-3
_FLOOD = 5
"""More new items than these in one look are sent by nobody but a person."""
_OLD = 3 * DAY
"""An item that says of itself that it is older is no news, though its source lists it only now."""


def publish(connection: Connection, rt: Runtime, page: Page, now: float) -> int:
    """Plan a broadcast for each item of the page that was first seen just ``now``; how many."""
    fresh = [k for k in feeds.news(connection, rt.name, page.key, now - _A_WHILE) if not _old(k.item, now)]
    if len(fresh) > _FLOOD:
        why = "so many at once are a source made anew and no news: send by hand what is"
        log.warning(
            "nothing of it is sent by itself", town=rt.name, what=page.key, count=len(fresh), reason=why
        )
        return 0
    done = 0
    for known in fresh:
        names = topics_of(rt.town, page, known.item)
        if not names:
            continue
        alert = alerts.holds(page, known.item, now)
        made = broadcasting.plan(
            connection, rt.name, rt.town, bulletin(rt.town, known.item, names, alert), names, alert=alert,
            made_by=page.key, now=now, source=f"{page.key}/{known.item.id}",
        )  # fmt: skip
        done += made is not None
    if done:
        broadcasting.soon(connection, rt, now)
    return done


def _old(item: Item, now: float) -> bool:
    return item.at is not None and now - item.at > _OLD


def topics_of(town: Town, page: Page, item: Item) -> list[str]:
    """What one can be subscribed to that an item of a page is about."""
    found: list[str] = []
    for topic in town.topics:
        if page.key in topic.pages:
            found += _areas(topic, item) if topic.areas else [topic.key]
    return found


def _areas(topic: Topic, item: Item) -> list[str]:
    """The areas in whose category the item is."""
    marked = {words.fold(c) for c in item.categories}
    return [
        f"{topic.key}/{area.key}"
        for area in topic.areas
        if marked & {words.fold(name) for name in (*area.title.values(), *area.categories)}
    ]


def bulletin(town: Town, item: Item, names: list[str], alert: bool) -> Bulletin:
    """An item as it is sent: a notice when it is an alert, or all its topics are for notices."""
    topics = [town.topic(name.partition("/")[0]) for name in names]
    utility = alert or all(t is not None and t.category == "utility" for t in topics)
    text = item.text or item.summary
    return Bulletin({"*": item.title}, {"*": text}, item.url, "utility" if utility else "marketing")
