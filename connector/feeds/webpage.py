"""A web page into one item: its title, and what it says of itself in its head.

No more is taken: what is content and what is navigation or a cookie notice can only be guessed.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from connector.core.board import Item

from . import items

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w.-]+)", re.IGNORECASE)
_HEAD = 1024 * 1024
"""Bytes in which a page's head is looked for."""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.said: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (given.get("property") or given.get("name") or "").lower()
            self.said.setdefault(name, given.get("content", "").strip())
        self._inside = tag == "title" and not self.title

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data


def read(content: bytes, charset: str, url: str) -> list[Item]:
    """The page as one item. Raises ``Unread`` when it has no title."""
    own = _CHARSET.search(content[:4096])
    head = _Head()
    head.feed(items.decoded(content[:_HEAD], charset or (own[1].decode("ascii") if own else "")))
    title = head.said.get("og:title") or head.title.strip()
    if not title:
        raise items.Unread("this is no web page: it has no title")
    text = head.said.get("og:description") or head.said.get("description") or ""
    return [items.make(url, title, text, markup="plain", url=url)]
