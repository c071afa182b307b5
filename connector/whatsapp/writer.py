"""HTML to WhatsApp's markup: ``*bold*`` ``_italic_`` ``~struck~`` ```` ```mono``` ```` ``> quote`` and lists.

WhatsApp formats only where marks hug words and stand between non-letters, and never across a line; so marks
are set per line, and emphasis that would have to begin or end inside of a word is left out. No word is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

_MARKS = {"bold": "*", "italic": "_", "struck": "~", "mono": "```"}
_STYLES = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th", "dt", "summary"), "bold"),
    **dict.fromkeys(("i", "em", "cite", "dfn", "var"), "italic"),
    **dict.fromkeys(("s", "del", "strike"), "struck"),
    **dict.fromkeys(("code", "pre", "tt", "kbd", "samp"), "mono"),
}
_NAMES = re.compile(r"\w+")
_BLOCKS = frozenset(
    _NAMES.findall(
        "address article aside blockquote body caption center dd details div dl dt fieldset figcaption "
        "figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table "
        "tbody tfoot thead tr ul"
    )
)
_INLINE = frozenset(
    _NAMES.findall(
        "a abbr acronym area audio b base bdi bdo big br button cite code col colgroup data del dfn em embed "
        "font head i iframe img input ins kbd label link map mark meta noscript object option param picture "
        "q rp rt ruby s samp script select small source span strike strong style sub sup svg td template "
        "textarea th time title track tt u var video wbr"
    )
)
_DEEPEST = 40
"""Tags nested deeper than this are read as if they were not there; their words are."""
_SPACE = re.compile(r"[ \t\n\r\f]+")
_LITERAL = re.compile(
    r"(?P<keep>(?:https?://|mailto:)\S+|(?<=[^\W_])[*~_]+(?=[^\W_]))|(?P<mark>[*~`_])", re.IGNORECASE
)
# The same look, and no meaning to WhatsApp.
_ALIKE = {"*": "∗", "~": "∼", "`": "‵", "_": "＿"}


def escape(text: str) -> str:
    """``text`` so that WhatsApp shows it literally: marks that could format become look-alikes.

    For names and titles of others inside of texts of ours. Marks inside of words and addresses stay, as
    WhatsApp takes them literally there (``joan_puig``); so do all words. A quote sign at the start of a line
    becomes «›».
    """
    return re.sub(r"(?m)^>", "›", _marks_alike(text))


def _marks_alike(text: str) -> str:
    return _LITERAL.sub(lambda m: m["keep"] or _ALIKE[m["mark"]], text)


@dataclass(slots=True)
class _Run:
    text: str
    styles: frozenset[str] = frozenset()
    raw: bool = False
    """No user's text: a link's address, which must stay as it is."""


@dataclass(slots=True)
class _Container:
    tag: str
    number: int = 0
    fresh: bool = True
    """A list item whose bullet is still to be written."""


@dataclass(slots=True)
class _Block:
    lines: list[str]
    group: int
    """Blocks of one list or table are not parted by empty lines; 0 is no group."""


@dataclass(slots=True)
class _Open:
    tag: str
    start: int
    value: str


class Writer(HTMLParser):
    """Feed it HTML; ``result()`` is the text. Takes any tag soup; unknown tags show as «‹tag›»."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._runs: list[_Run] = []
        self._styles: list[tuple[str, str]] = []
        self._inside: list[_Container] = []
        self._opened: list[_Open] = []
        self._blocks: list[_Block] = []
        self._group = 0
        self._cells = 0
        self._hidden = 0

    def result(self) -> str:
        """Everything fed so far, as WhatsApp text without white space around it."""
        self.close()
        for left in reversed(self._opened):
            self._after(left)
        self._opened.clear()
        self._flush()
        text, before = "", -1
        for block in self._blocks:
            if text:
                text += "\n" if block.group and block.group == before else "\n\n"
            text += "\n".join(block.lines)
            before = block.group
        return text.strip()

    # --- tags ---

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _BLOCKS and tag not in _INLINE:
            self._unknown((self.get_starttag_text() or "")[1:].rstrip(">"))
            return
        if tag in _BLOCKS:
            self._border(tag)
        if tag in ("ul", "ol", "blockquote", "li", "table", "dl"):
            self._enter(tag, given)
        if tag in ("td", "th"):
            if any(run.text.strip() for run in self._runs):
                self._runs.append(_Run(" | ", raw=True))
            self._cells += 1
        if tag in _STYLES and len(self._styles) < _DEEPEST:
            self._styles.append((tag, _STYLES[tag]))
        if tag in ("script", "style"):
            self._hidden += 1
        self._void(tag, given)
        if tag in ("a", "abbr", "acronym") and len(self._opened) < _DEEPEST:
            self._opened.append(_Open(tag, len(self._runs), given.get("href" if tag == "a" else "title", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("br", "hr", "img", "input") and (tag in _BLOCKS or tag in _INLINE):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _BLOCKS and tag not in _INLINE:
            self._unknown(f"/{tag}")
            return
        if tag in ("a", "abbr", "acronym"):
            for left in reversed(self._opened):
                if left.tag == tag:
                    self._opened.remove(left)
                    self._after(left)
                    break
        if tag in _BLOCKS:
            self._border(tag)
        if tag in ("td", "th"):
            self._cells = max(0, self._cells - 1)
        if tag in ("script", "style"):
            self._hidden = max(0, self._hidden - 1)
        for i in range(len(self._styles) - 1, -1, -1):
            if self._styles[i][0] == tag:
                del self._styles[i]
                break
        for i in range(len(self._inside) - 1, -1, -1):
            if self._inside[i].tag == tag:
                del self._inside[i:]
                break
        if not self._inside:
            self._group += self._group % 2  # even: outside of any group

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._add(data)

    def unknown_decl(self, data: str) -> None:
        self._add(data)

    def handle_pi(self, data: str) -> None:
        self._add(data)

    def _unknown(self, inner: str) -> None:
        """A tag that HTML has not was meant as text: ``<name>``, ``<https://…>``."""
        address = re.match(r"(?:https?:|mailto:)|\S+@\S+$", inner, re.IGNORECASE)
        self._add(inner.rstrip("/") if address else f"‹{inner}›")

    def _void(self, tag: str, given: dict[str, str]) -> None:
        if tag == "br":
            self._runs.append(_Run(" " if self._cells else "\n", raw=True))
        elif tag == "hr":
            self._add("———")
            self._border(tag)
        elif tag == "img":
            name = given.get("alt") or given.get("src", "").partition("?")[0].rpartition("/")[2]
            if name:
                self._add(f"[{name}]")
        elif tag == "input" and given.get("type") == "checkbox":
            self._add("☑ " if "checked" in given else "☐ ")

    def _enter(self, tag: str, given: dict[str, str]) -> None:
        number = 0
        if tag == "ol":
            start = given.get("start", "")
            number = int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1
        if tag == "li" and self._inside:
            holder = self._inside[-1]
            if holder.tag == "li":  # the one before was not closed
                self._inside.pop()
                holder = self._inside[-1] if self._inside else holder
            if holder.tag == "ol":
                number, holder.number = holder.number, holder.number + 1
        if tag != "blockquote" and not any(c.tag != "blockquote" for c in self._inside):
            self._group += 1 + self._group % 2  # odd: a new group
        if len(self._inside) < _DEEPEST:
            self._inside.append(_Container(tag, number))

    def _after(self, left: _Open) -> None:
        """The address after a link's text, the long form after an abbreviation."""
        shown = "".join(run.text for run in self._runs[left.start :]).strip()
        value = left.value.strip()
        if left.tag == "a":
            if not re.match(r"(?:https?|mailto|tel|ftp):", value, re.IGNORECASE):
                return
            value = re.sub(r"^(?:mailto|tel):", "", value, flags=re.IGNORECASE)
            bare = re.sub(r"^https?://(?:www\.)?|/$", "", value)
            if bare in (shown, re.sub(r"^https?://(?:www\.)?|/$", "", shown)):
                return
        if value and value != shown:
            # Brackets inside of the address would end a link of WhatsApp's too early.
            self._runs.append(_Run(f" ({value})" if shown else value, raw=left.tag == "a"))

    # --- text ---

    def _add(self, data: str) -> None:
        styles = frozenset(style for _, style in self._styles)
        if "mono" in styles:
            styles = frozenset({"mono"})
        if any(tag in ("pre", "textarea") for tag, _ in self._styles):
            self._runs.append(_Run(data.replace("\r\n", "\n").replace("\t", "    "), styles))
        else:
            self._runs.append(_Run(_SPACE.sub(" ", data), styles))

    def _border(self, tag: str) -> None:
        if self._cells and tag not in ("tr", "table", "tbody", "thead", "tfoot"):
            self._runs.append(_Run(" ", raw=True))
        else:
            self._cells = 0
            self._flush()

    def _flush(self) -> None:
        lines = list(map(_line, _lines(self._runs)))
        self._runs.clear()
        for left in self._opened:
            left.start = 0
        while lines and not lines[0].strip():
            del lines[0]
        while lines and not lines[-1].strip():
            del lines[-1]
        if not lines:
            return
        quote = "> " if any(c.tag == "blockquote" for c in self._inside) else ""
        listed = [c for c in self._inside if c.tag == "li"]
        first = rest = "  " * len(listed)
        if listed and listed[-1].fresh:
            listed[-1].fresh = False
            bullet = f"{listed[-1].number}. " if listed[-1].number else "- "
            first = "  " * (len(listed) - 1) + bullet
        shown = [
            (quote + (rest if i else first) + line).rstrip() if line else "" for i, line in enumerate(lines)
        ]
        self._blocks.append(_Block(shown, self._group if self._group % 2 else 0))


def _lines(runs: list[_Run]) -> list[list[_Run]]:
    found: list[list[_Run]] = [[]]
    for run in runs:
        for i, part in enumerate(run.text.split("\n")):
            if i:
                found.append([])
            if part:
                found[-1].append(_Run(part, run.styles, run.raw))
    return found


def _line(runs: list[_Run]) -> str:
    """One line: every word in its styles, marks hugging words, properly nested."""
    words: list[_Run] = []
    gaps: list[str] = []
    """White space before each of ``words``."""
    gap = ""
    for run in runs:
        core = run.text.strip()
        gap += run.text[: len(run.text) - len(run.text.lstrip())]
        if not core:
            continue
        words.append(_Run(_literal(core, run), run.styles, run.raw))
        gaps.append(gap if words[:-1] or "mono" in run.styles else "")
        gap = run.text[len(run.text.rstrip()) :]
    _drop_inside_words(words, gaps)
    text, opened = "", list[str]()
    for run, gap in zip(words, gaps, strict=True):
        keep = 0
        while keep < len(opened) and opened[keep] in run.styles:
            keep += 1
        text += "".join(_MARKS[style] for style in reversed(opened[keep:]))
        del opened[keep:]
        new = sorted(run.styles - set(opened))
        text += (gap if "mono" in run.styles else _SPACE.sub(" ", gap)) + "".join(_MARKS[s] for s in new)
        opened += new
        text += run.text
    return text + "".join(_MARKS[style] for style in reversed(opened))


def _literal(core: str, run: _Run) -> str:
    if run.raw:
        return core
    return core.replace("`", "‵") if "mono" in run.styles else _marks_alike(core)


def _drop_inside_words(words: list[_Run], gaps: list[str]) -> None:
    """Take away styles that would begin after a letter or end before one; repeated until none is left."""
    pairs = [(a, b) for a, b, gap in zip(words, words[1:], gaps[1:], strict=False) if not gap]
    changed = True
    while changed:
        changed = False
        pairs.reverse()  # a style taken away spreads over its stretch in one sweep, whichever way
        for left, right in pairs:
            for run, other, letter in (
                (left, right, right.text[0].isalnum()),
                (right, left, left.text[-1].isalnum()),
            ):
                # A style that ends here although the other one goes on is closed and opened again here, too.
                if letter and run.styles - other.styles:
                    run.styles &= other.styles
                    changed = True
