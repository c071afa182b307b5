"""What every kind of source is made into: items with texts for WhatsApp, inert and cut."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass

from connector.core.board import Item
from connector.whatsapp.limits import fit, one_line
from connector.whatsapp.markup import Markup, escape, to_whatsapp

TITLE, SUMMARY, TEXT, URL = 150, 300, 3500, 2000
"""Longest parts of an item, in characters."""
ITEMS = 300
"""Most items of one source that are kept."""
_HTML = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]+|#\d+);")
_PICTURE = re.compile(r"<(?:img|figure|video|audio|iframe)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Unread(Exception):
    """A document that is not what it should be; ``problem`` is a sentence for who looks after it."""

    problem: str


def make(
    identity: str,
    title: str,
    text: str = "",
    *,
    markup: Markup = "html",
    url: str = "",
    at: float | None = None,
    until: float | None = None,
    whole_day: bool = False,
    place: str = "",
    categories: tuple[str, ...] = (),
) -> Item:
    """An item of what a source says. ``identity`` is what the source knows it by; ``markup`` that of ``text``."""
    shown = to_whatsapp(_PICTURE.sub("", text) if markup == "html" else text, markup)
    shown = escape(shown) if markup == "plain" else shown
    summary = fit(one_line(shown), SUMMARY)
    whole = fit(shown, TEXT)
    return Item(
        id=hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:16],
        title=plain(title, TITLE) or summary or "…",
        summary=summary,
        text="" if whole == summary else whole,
        url=web_address(url),
        at=at,
        until=until,
        whole_day=whole_day,
        place=plain(place, TITLE),
        categories=tuple(one_line(c)[:TITLE] for c in categories[:20] if c.strip()),
    )


def plain(text: str, limit: int) -> str:
    """One inert line without tags."""
    return fit(escape(one_line(html.unescape(_TAG.sub(" ", text)))), limit)


def web_address(url: str) -> str:
    """``url`` when a phone can open it, "" otherwise."""
    url = url.strip()
    whole = re.fullmatch(r"https?://[^\s<>\"]+", url, re.IGNORECASE)
    return url if whole and len(url) <= URL else ""


def looks_like_html(text: str) -> bool:
    """Whether a text that may be either is HTML."""
    return _HTML.search(text) is not None


def decoded(content: bytes, charset: str = "") -> str:
    """Text of bytes whose encoding is said, or said wrongly: what is UTF-8 is that, the rest as Windows writes it."""
    for name in ("utf-8-sig", charset):
        try:
            return content.decode(name) if name else content.decode("ascii")
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")
