"""A note in the tracker's markup as a WhatsApp text.

Textile and Markdown go through a library to HTML and from there through ``writer.py``. Whatever happens on
the way, every word that staff can see is in the result and in order: where a library drops one, the note is
sent as it was typed.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

from connector.core.ticket import Markup

from .writer import Writer, escape

__all__ = ["Markup", "escape", "to_whatsapp"]

_LONGEST = 15_000
"""Longer notes are sent as typed: the Textile library's time grows faster than its input."""
_MACRO = re.compile(r"!?\{\{[^\W\d]\w*(?:\([^\n{}]*?\))?(?:[ \t]*\n.*?\n)?\}\}", re.DOTALL)
_COLLAPSE = re.compile(r"\{\{collapse(?:\(([^\n{}]*?)\))?[ \t]*\n(.*?)\n[ \t]*\}\}", re.DOTALL)
_WIKI = re.compile(r"\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]+))?\]\]")
_PRE = re.compile(
    r"<pre\b[^>\n]*>(?:\s*<code\b[^>\n]*>)?(.*?)(?:</code>\s*)?</pre>", re.DOTALL | re.IGNORECASE
)
_COLOUR = re.compile(r"%\{[^}\n]*\}([^%\n]*)%")
_ATTRIBUTES = r"(?:\([^)\n]*\)|\{[^}\n]*\}|\[[^\]\n]*\]|[<>=])*"
_SIGNATURE = re.compile(
    rf"(?m)^(?:h[1-6]|bq|bc|p|pre|fn\d+|notextile|###|table){_ATTRIBUTES}\.{{1,2}}(?=\s)(?::\S+)?"
)
_TAG = re.compile(r"<(?=[/A-Za-z!?])([^<>]*)>")
_OPENING = re.compile(r"<(?=[/A-Za-z!?])")
_SHIELD = "\ue000"
_WORD = re.compile(r"[^\W_]+")
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def to_whatsapp(text: str, markup: Markup) -> str:
    """``text`` in WhatsApp's markup, without white space around it; "" when it shows nothing.

    Macros are left out (``{{collapse}}`` keeps its content), images become their name in brackets,
    links ``text (address)``, tables one line a row. What looks like an HTML tag in the result is put between
    ‹ ›. Any length; see ``limits.split``. Never raises.
    """
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    if markup in ("textile", "markdown"):
        text = _without_macros(text)
    try:
        shown = _converted(text, markup)
    except (
        Exception
    ):  # a library met what its authors did not think of; the words matter more than their looks
        shown = _as_typed(text, markup)
    return _tidy(shown)


def _converted(text: str, markup: Markup) -> str:
    if markup == "plain" or (len(text) > _LONGEST and markup != "html"):
        return text
    if markup == "html":
        return _written(text)
    shown = _written(_textile(text) if markup == "textile" else _markdown(text))
    wanted = _seen_in_textile(text) if markup == "textile" else _seen_in_markdown(text)
    return shown if _holds(shown, wanted) else text


def _as_typed(text: str, markup: Markup) -> str:
    return html.unescape(_TAG.sub(" ", text)) if markup == "html" else text


def _written(source: str) -> str:
    writer = Writer()
    writer.feed(source)
    return writer.result()


def _tidy(text: str) -> str:
    text = _CONTROL.sub("", text)
    text = re.sub(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>", r"\1", text)
    text = _TAG.sub(r"‹\1›", text)
    closed = text.rfind(">")  # tags around tags: what still opens one before it is none either
    text = _OPENING.sub("‹", text[: max(closed, 0)]) + text[max(closed, 0) :]
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _without_macros(text: str) -> str:
    for _ in range(5):  # nested ones, from the outside in
        text, found = _COLLAPSE.subn(lambda m: f"{m[1] or ''}\n\n{m[2]}", text)
        if not found:
            break
    text = _MACRO.sub("", text)
    return _WIKI.sub(lambda m: (m[2] or m[1]).strip(), text)


# --- Textile ---------------------------------------------------------------------------------------


@cache
def _library() -> Any:
    """The library without its typography: trackers change no quotes, dashes or «(c)» either. Loaded with the first
    answer that needs it, as the one for Markdown is: either takes megabytes."""
    import textile

    class Textile(textile.Textile):  # type: ignore[misc]
        def glyphs(self, text: str) -> str:
            return text

    return Textile


def _textile(text: str) -> str:
    parts = []
    end = 0
    for pre in _PRE.finditer(text):
        parts += [_textile_part(text[end : pre.start()]), f"<pre>{html.escape(html.unescape(pre[1]))}</pre>"]
        end = pre.end()
    return "\n".join([*parts, _textile_part(text[end:])])


def _textile_part(text: str) -> str:
    if not text.strip():
        return ""
    # «Restricted» shows HTML as text, as trackers do.
    # «#12» begins a list for the library, and is a ticket for a tracker.
    text = re.sub(r"(?m)^(?=[#*]+\d)", _SHIELD, _COLOUR.sub(r"\1", text.replace(_SHIELD, "")))
    converted: str = _library()(restricted=True, html_type="html5").parse(text)
    return converted.replace(_SHIELD, "")


def _seen_in_textile(text: str) -> str:
    text = _COLOUR.sub(r"\1", text)
    text = re.sub(r"</?(?:pre|code)\b[^>\n]*>", " ", text)
    text = _SIGNATURE.sub(" ", text)
    text = re.sub(r"!(?:[<>=]|\([^)\n]*\)|\{[^}\n]*\})*(\S+?)(?:\(([^)\n]*)\))?!(?::\S+)?", r" \2 ", text)
    text = re.sub(r"(?<=\"):\S+", " ", text)
    text = re.sub(r"(?m)^\|?[_\\/<>=^~\d.]*\.(?=\s)|\|[_\\/<>=^~\d]+\.", " ", text)
    return html.unescape(text)


# --- Markdown --------------------------------------------------------------------------------------


def _markdown(text: str) -> str:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"breaks": True, "html": True}).enable(["table", "strikethrough"])
    converted: str = parser.render(text)
    return converted


def _seen_in_markdown(text: str) -> str:
    text = re.sub(r"(?m)^\s*(?:```|~~~)[^\n`]*$", " ", text)
    text = re.sub(r"(?m)^\s{0,3}\[[^\]\n]+\]:\s*\S+.*$", " ", text)
    text = re.sub(r"!\[([^\]\n]*)\]\([^)\n]*\)", r" \1 ", text)
    text = re.sub(r"\]\([^)\n]*\)|\]\[[^\]\n]*\]", " ", text)
    text = re.sub(r"(?m)^\s*\d+[.)]\s", " ", text)
    return html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", " ", text))


def _holds(shown: str, wanted: str) -> bool:
    """Whether all words of ``wanted`` are in ``shown``, in order."""
    position = 0
    for word in _WORD.findall(wanted):
        found = shown.find(word, position)
        if found < 0:
            return False
        position = found + len(word)
    return True
