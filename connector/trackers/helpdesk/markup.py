"""Citizens' words in django-helpdesk: shown as written, and doing nothing there.

It renders descriptions and notes with Python-Markdown (nl2br, fenced code; HTML is escaped), makes links of ``#12`` and
writes on ticket 12 that it was spoken of; and a note that comes by the API is run as a Django template first. What
Markdown does with whole lines needs their beginning, and is kept from it by an invisible zero width space, as tags,
entities and numbers are. Only what stands for itself inside a line is escaped in Markdown's own way.
"""

from __future__ import annotations

import re

from connector.trackers.inert import ZWSP, label, one_line, plain

_LINE = re.compile(r"(?m)^(?=[^\S\n]*[\W\d_])(?=.)")
_INLINE = re.compile(r"[\\`*\[]|(?<![^\W_])_|_(?![^\W_])")
_TAG = re.compile(r"[{}](?=[{}%#])|[%#](?=\})")
_NUMBER = re.compile(r"#(?=\d)")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_MAIL = re.compile(r"<(?=[^<>\s!]+@[^@<>\s]+>)")


def markdown(text: str) -> str:
    """A text of which Markdown, Django and django-helpdesk make nothing."""
    text = plain(text)
    text = _INLINE.sub(r"\\\g<0>", text)
    text = _TAG.sub(rf"\g<0>{ZWSP}", text)
    text = _NUMBER.sub(f"#{ZWSP}", _ENTITY.sub(f"&{ZWSP}", text))
    # the one thing that neither a backslash nor a space of no width keeps from being a link
    text = _MAIL.sub("&lt;", text)
    return _LINE.sub(ZWSP, text)


def fact(what: str, value: str) -> str:
    """«Label: value»; the label is ours, the value is inert."""
    return f"{label(what)}: {markdown(one_line(value)) or '-'}"


def link(url: str) -> str:
    """A link of our own."""
    return f"<{url}>"
