"""RSS and Atom, as they are found in the wild, into items: the newest first."""

from __future__ import annotations

import calendar
import re
import time
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser

from connector.core.board import Item

from . import items

_EARLIEST, _LATEST = 0.0, 4_102_444_800.0  # 1970 to 2100: other dates are mistakes

_ENDS = 100
"""Items at each end of a long feed that are looked at: the newest stand first, or last."""
_HREF = re.compile(r"(<a\b[^<>]*?\bhref=[\"'])([^\"'<>]*)", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:item|entry)\s*>", re.IGNORECASE)


def read(content: bytes, kind: str = "", url: str = "") -> list[Item]:
    """The items of a feed; ``kind`` is its ``Content-Type``, ``url`` what relative links are seen from.

    Mistakes in the document are forgiven as far as items can be found in it. Raises ``Unread`` when it is no feed.
    """
    # Without the address of the feed: the library would make it a part of each item's id, and then an item had
    # another id at another address.
    found = feedparser.parse(_shortened(content), response_headers={"content-type": kind} if kind else {})
    torn = isinstance(found.get("bozo_exception"), SAXException)
    if not found.entries and (torn or not found.get("version")):
        raise items.Unread("this is no RSS or Atom feed, or it is broken before its first item")
    made: dict[str, Item] = {}
    for entry in found.entries:
        item = _item(entry, url)
        made.setdefault(item.id, item)
    listed = list(made.values())
    if all(item.at is not None for item in listed):
        listed.sort(key=lambda item: -(item.at or 0))
    return listed[: items.ITEMS]


def _shortened(content: bytes) -> bytes:
    """A long feed without its middle: the library takes a second for each million bytes."""
    closed = [m.end() for m in _CLOSED.finditer(content)]
    if len(closed) <= 2 * _ENDS:
        return content
    return content[: closed[_ENDS - 1]] + content[closed[-_ENDS - 1] :]


def _item(entry: Any, base: str) -> Item:
    title, link = str(entry.get("title", "")), str(entry.get("link", ""))
    identity = str(entry.get("id") or link)
    bodies = [str(part.get("value", "")) for part in entry.get("content", [])]
    text = max([*bodies, str(entry.get("summary", ""))], key=len)
    at = _moment(entry.get("published_parsed") or dict.get(entry, "updated_parsed"))
    return items.make(
        identity or f"{title}\n{text}",
        title,
        _HREF.sub(lambda m: m[1] + _joined(base, m[2]), text),
        url=_joined(base, link) if link else "",
        at=at,
        categories=tuple(str(tag.get("term") or "") for tag in entry.get("tags", [])),
    )


def _joined(base: str, link: str) -> str:
    """A link as seen from ``base``."""
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def _moment(parsed: time.struct_time | None) -> float | None:
    """Unix seconds of a time in UTC; None for none, and for one that cannot be meant."""
    if parsed is None:
        return None
    try:
        at = float(calendar.timegm(parsed))
    except (ValueError, OverflowError):
        return None
    return at if _EARLIEST < at < _LATEST else None
