"""Citizens' words in Redmine's page: shown as written, and doing nothing there.

Redmine runs markup in any text: ``{{macro}}``, ``#1``, ``[[wiki]]``, ``user:oac``, ``!http://…/image.png!``,
bare addresses. Everything between ``<code>`` tags is left alone by both of its formatters and by the passes
for links and macros after them (``parse_non_pre_blocks``), and unlike ``<pre>`` it still wraps. So every
line is one piece of inline code inside a quotation. Two things happen on the raw text, before any markup is
looked at, and are broken up with an invisible zero width space: macros, and the people to be notified by
``@login`` (Redmine 5.0 ``lib/redmine/acts/mentionable.rb`` only skips ``<pre>`` and fences, not ``<code>``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.trackers.inert import ZWSP, clean, label, one_line

_MACRO = re.compile(r"([{}])(?=\1)")
_MENTION = re.compile(r"(?<![A-Za-z0-9_])@(?=[A-Za-z0-9_.@-])")
_MENTION_AGAIN = re.compile(r"@(?=@)")
_OFFTAG = re.compile(r"<(?=/?(?:code|pre|kbd|notextile|redpre))", re.IGNORECASE)
_REDCLOTH = re.compile(r"(?<=x%)(?=x%)|(?<=:redsh)(?=#)")


def textile(text: str) -> str:
    """A quotation in Textile (Redmine's RedCloth 3), line by line inline code."""
    return "\n\n".join("bq. " + "\n".join(map(_textile_code, lines)) for lines in _paragraphs(text))


def common_mark(text: str) -> str:
    """A quotation in CommonMark, line by line inline code, ended by hard breaks."""
    return "\n>\n".join(
        "  \n".join(f"> {_common_mark_code(line)}" for line in lines) for lines in _paragraphs(text)
    )


def textile_fact(what: str, value: str) -> str:
    """«Label: value» in Textile; the label is ours, the value is inert."""
    return f"{label(what)}: {_textile_code(one_line(value) or '-')}"


def common_mark_fact(what: str, value: str) -> str:
    """«Label: value» in CommonMark; the label is ours, the value is inert."""
    return f"{label(what)}: {_common_mark_code(one_line(value) or '-')}"


def _paragraphs(text: str) -> list[list[str]]:
    """Lines grouped by empty lines; the look of spaces kept (HTML would fold them)."""
    found: list[list[str]] = [[]]
    for line in clean(text).split("\n"):
        if line.strip():
            found[-1].append(_spaces(line.rstrip().expandtabs(4)))
        elif found[-1]:
            found.append([])
    return [lines for lines in found if lines]


def _spaces(line: str) -> str:
    body = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(body)) + re.sub(" (?= )", "\u00a0", body)


def _broken(line: str) -> str:
    line = _MACRO.sub(rf"\1{ZWSP}", line)
    return _MENTION_AGAIN.sub(f"@{ZWSP}", _MENTION.sub(f"@{ZWSP}", line))


def _textile_code(line: str) -> str:
    # A tag that ends the code, and RedCloth's own place holders for «&» and for kept attributes.
    line = _REDCLOTH.sub(ZWSP, _OFFTAG.sub(f"<{ZWSP}", _broken(line)))
    return f"<code>{line}</code>"


def _common_mark_code(line: str) -> str:
    # A code span ends at a run of exactly as many backticks as began it (CommonMark 0.31 6.1).
    line = _broken(line)
    runs = {len(run) for run in re.findall("`+", line)}
    fence = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    return f"{fence} {line} {fence}"


FORMATS: dict[str, tuple[Callable[[str], str], Callable[[str, str], str], Callable[[str], str]]] = {
    "textile": (textile, textile_fact, lambda url: url),
    "common_mark": (common_mark, common_mark_fact, lambda url: f"<{url}>"),
}
"""By text format: citizens' words, a fact, and a link of our own."""
