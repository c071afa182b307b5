"""Meta's limits, and cutting texts to them.

Lengths are Unicode code points, which is what the contract's schema counts; Meta does not say what it counts.
Sources are sections of CLOUD-API.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]  # grapheme clusters

# --- messages (section 3) --------------------------------------------------------------------------

TEXT_BODY = 4096
LIST_BODY = 4096
LIST_ROWS = 10
"""In all sections together."""
LIST_BUTTON = 20
ROW_ID = 200
ROW_TITLE = 24
ROW_DESCRIPTION = 72
BUTTONS = 3
BUTTON_ID = 256
BUTTON_TITLE = 20
BUTTONS_BODY = 1024
LINK_BODY = 1024
LINK_BUTTON = 20
ASK_PLACE_BODY = 1024
HEADER = 60
FOOTER = 60
CAPTION = 1024
FILENAME = 240
"""From the contract's schema; Meta names none."""
MEDIA_ID = 200
"""From the contract's schema."""
KEY = 512
"""``biz_opaque_callback_data``."""

# --- templates (sections 3 and 6) ------------------------------------------------------------------

TEMPLATE_NAME = 512
TEMPLATE_BODY = 1024
TEMPLATE_PARAMETER = 1024
TEMPLATE_BUTTONS = 10
TEMPLATE_PAYLOAD = 256
TEMPLATE_FOOTER = 60
TEMPLATE_BUTTON_TITLE = 25

# --- media, in bytes (section 4) -------------------------------------------------------------------

MB = 1024 * 1024
IMAGE_BYTES = 5 * MB
AUDIO_BYTES = 16 * MB
VIDEO_BYTES = 16 * MB
DOCUMENT_BYTES = 100 * MB
INCOMING_BYTES = 100 * MB


@dataclass(frozen=True, slots=True)
class Sendable:
    """Media types of one kind, and the bytes that a file of it may have."""

    types: frozenset[str]
    most: int


SENDABLE = {
    "image": Sendable(frozenset({"image/jpeg", "image/png"}), IMAGE_BYTES),
    "audio": Sendable(
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}), AUDIO_BYTES
    ),
    "video": Sendable(frozenset({"video/mp4", "video/3gpp"}), VIDEO_BYTES),
    "document": Sendable(
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
        DOCUMENT_BYTES,
    ),
}
"""What can be sent, by kind (section 4); a sticker never is. Citizens can send us anything."""

# --- webhooks (section 1) --------------------------------------------------------------------------

WEBHOOK_BYTES = 3 * MB
"""Meta's largest payload; the body limit must be above it."""
CHALLENGE = 256
"""Longest challenge that is sent back; ours, Meta's are about ten digits."""

# --- times, in seconds (sections 3 to 5) -----------------------------------------------------------

WINDOW_SECONDS = 24 * 3600
"""Customer service window, from the timestamp of the person's last message."""
INCOMING_MEDIA_SECONDS = 7 * 24 * 3600
UPLOADED_MEDIA_SECONDS = 30 * 24 * 3600
TYPING_SECONDS = 25

ELLIPSIS = "…"
_SMALLEST = 32
_MARKED = 1000  # so far after a piece the end of a marked stretch is looked for
_MONO = re.compile(r"```(?=[^`])[\s\S]*?[^`]```")
_INLINE = [re.compile(rf"(?<![^\W_])\{m}(?![\s{m}])[^\n]*?(?<![\s{m}])\{m}(?![^\W_])") for m in "*_~"]
# Where a text may be cut, best first: after a paragraph, a line, a sentence, a word.
_BORDERS = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.!?…])[\"'»”)\]]*\s+"),
    re.compile(r"\s+"),
)


def measure(text: str) -> int:
    """Length of ``text`` in code points, the unit of all limits here."""
    return len(text)


def one_line(text: str) -> str:
    """``text`` with every run of white space as one space: as a template parameter must be (section 6)."""
    return " ".join(text.split())


def fit(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` code points: cut at a word, with an ellipsis; unchanged when it fits.

    A first word longer than the limit is cut between grapheme clusters. WhatsApp marks that the cut leaves
    open are closed.
    """
    if measure(text) <= limit:
        return text
    if limit < 1:
        return ""
    spans = _spans(text[: limit + max(limit, _MARKED)])
    for room in range(limit - 1, -1, -1):
        cut = _word_cut(text, room)
        kept = text[:cut].rstrip(" \t\n,;:–—-")
        closing = _open_at(spans, len(kept))[::-1]
        if len(kept) + 1 + sum(map(len, closing)) <= limit:
            return kept + ELLIPSIS + "".join(closing) if kept else ELLIPSIS
    return ELLIPSIS


def split(text: str, limit: int) -> list[str]:
    """``text`` as pieces of at most ``limit`` code points (at least 32), in order; [] when it says nothing.

    Cut after a paragraph, else a line, a sentence, a word, a grapheme cluster; never inside of ``*bold*``,
    ``_italic_``, ``~struck~`` or a mono block unless that alone is longer than a piece: then it is closed
    and opened again.
    """
    if limit < _SMALLEST:
        raise ValueError(f"pieces of {limit} characters are too small to split a text into")
    pieces, rest = [], text.strip()
    while measure(rest) > limit:
        spans = _spans(rest[: limit + max(limit, _MARKED)])
        cut, marks = _cut(rest, limit, spans)
        pieces.append(rest[:cut].rstrip() + "".join(reversed(marks)))
        rest = "".join(marks) + rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Start, end and mark of everything WhatsApp would format in ``text``."""
    mono = [(m.start(), m.end(), "```") for m in _MONO.finditer(text)]
    found = [
        (m.start(), m.end(), m[0][0])
        for pattern in _INLINE
        for m in pattern.finditer(text)
        if not any(a <= m.start() < b or a < m.end() <= b for a, b, _ in mono)
    ]
    return sorted(mono + found)


def _open_at(spans: list[tuple[int, int, str]], position: int) -> list[str]:
    return [mark for start, end, mark in spans if start < position < end]


def _cut(text: str, limit: int, spans: list[tuple[int, int, str]]) -> tuple[int, list[str]]:
    """Where to cut, and the marks open there in the order they were opened."""
    for border, least in zip(_BORDERS, (limit // 2, limit // 3, limit // 3, limit // 4), strict=True):
        for found in reversed(list(border.finditer(text, 0, limit + 1))):
            # The white space goes with neither piece: what counts is where the words before it end.
            if least <= found.start() <= limit and not _open_at(spans, found.start()):
                return found.start() or found.end(), []
    # One marked stretch fills the piece: close it here and open it again in the next one.
    for room in range(limit, limit // 2, -1):
        cut = _word_cut(text, room)
        marks = _open_at(spans, cut)
        inside_a_mark = any(a < cut < a + len(m) or b - len(m) < cut < b for a, b, m in spans)
        hugged = cut > 0 and not text[cut - 1].isspace() and text[cut - 1] not in "*_~`"
        if (
            cut + sum(map(len, marks)) <= limit
            and cut > 2 * sum(map(len, marks))
            and hugged
            and not inside_a_mark
        ):
            return cut, marks
    return _grapheme_cut(text, limit), []


def _word_cut(text: str, room: int) -> int:
    """The last position up to ``room`` after a word; between graphemes when words leave over half empty."""
    if room >= len(text):
        return len(text)
    cut = room
    while cut > room // 2 and not (text[cut].isspace() and not text[cut - 1].isspace()):
        cut -= 1
    return cut if cut > room // 2 else _grapheme_cut(text, room)


def _grapheme_cut(text: str, room: int) -> int:
    """The last border between grapheme clusters up to ``room``; ``room`` itself inside of a giant one."""
    end = 0
    for found in regex.finditer(r"\X", text, pos=0, endpos=min(len(text), room + 64)):
        if found.end() > room:
            break
        end = found.end()
    return end or room
