"""Draws the code and the poster, and makes the link they hold.

Fonts are Source Sans Pro, Regular and Bold (Adobe, SIL Open Font License 1.1, ``fonts/OFL.txt``): the poster looks the
same on every machine, whatever fonts that has.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote

import segno
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 2480, 3508  # A4 at 300 dpi
_DPI = 300
_HEAD = 560
_MARGIN = 200
_QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""
_INK, _BAND, _PAPER = "#10201c", "#0b4f45", "#ffffff"


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the poster says in one language."""

    call: str
    how: str
    what: str
    emergency: str


def link(number: str, hello: str) -> str:
    """The address that opens a chat with ``number`` (digits with the country) and ``hello`` in it, ready to be sent."""
    return f"https://wa.me/{number}?text={quote(hello)}"


def code_svg(address: str) -> bytes:
    """The code alone, for printers: any size stays sharp."""
    out = io.BytesIO()
    _code(address).save(out, kind="svg", border=_QUIET, scale=10, dark=_INK, light=_PAPER, title=address)
    return out.getvalue()


def code_text(address: str) -> str:
    """The code in block characters, to be tried from a terminal."""
    out = io.StringIO()
    _code(address).terminal(out, border=_QUIET, compact=True)
    return out.getvalue()


def poster_png(name: str, number: str, address: str, said: Sequence[Sentences]) -> bytes:
    """An A4 poster: who, how and the code; the first of ``said`` large, the other languages under the code."""
    page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(page)
    first, *others = said
    left, right, foot = _MARGIN, WIDTH - _MARGIN, HEIGHT - 330
    draw.rectangle((0, 0, WIDTH, _HEAD), fill=_BAND)
    _fitted(draw, name, (left, 90, right, 320), 150, bold=True, fill=_PAPER)
    _fitted(draw, first.what, (left, 350, right, _HEAD - 60), 84, fill=_PAPER)
    top = _fitted(draw, first.call, (left, _HEAD + 90, right, _HEAD + 340), 190, bold=True) + 40
    top = _code_at(page, address, top, 1500 if others else 1850) + 20
    top = _fitted(draw, first.how, (left, top, right, top + 230), 92, bold=True) + 50
    room = (foot - top) // max(1, len(others))
    for each in others:
        lower = _fitted(draw, each.call, (left, top, right, top + room // 2), 72, bold=True)
        _fitted(draw, each.how, (left, lower, right, top + room - 10), 66)
        top += room
    lower = _fitted(draw, number, (left, foot + 20, right, foot + 150), 100, bold=True, fill=_BAND)
    _fitted(draw, first.emergency, (left, lower, right, HEIGHT - 60), 60)
    out = io.BytesIO()
    page.save(out, "PNG", dpi=(_DPI, _DPI))
    return out.getvalue()


def _code(address: str) -> segno.QRCode:
    return segno.make_qr(address, error="q")


def _code_at(page: Image.Image, address: str, top: int, size: int) -> int:
    """Draw the code in whole pixels, centred, at most ``size`` large; the lower end of it."""
    rows = [bytes(row) for row in _code(address).matrix_iter(border=_QUIET)]
    scale = size // len(rows)
    small = Image.new("1", (len(rows), len(rows)), 1)
    small.putdata([0 if dark else 1 for row in rows for dark in row])
    code = small.resize((len(rows) * scale,) * 2, Image.Resampling.NEAREST).convert("RGB")
    page.paste(code, ((WIDTH - code.width) // 2, top))
    return top + code.height


@cache
def _font(bold: bool, size: int) -> ImageFont.FreeTypeFont:
    name = "SourceSansPro-Bold.otf" if bold else "SourceSansPro-Regular.otf"
    return ImageFont.truetype(io.BytesIO((files(__package__) / "fonts" / name).read_bytes()), size)


def _fitted(
    draw: ImageDraw.ImageDraw,
    text: str,
    box: tuple[int, int, int, int],
    size: int,
    *,
    bold: bool = False,
    fill: str = _INK,
) -> int:
    """Write ``text`` centred into ``box``, in as many lines as it needs and smaller where it must be; its lower end."""
    left, top, right, bottom = box
    while True:
        font = _font(bold, size)
        lines = _wrapped(text, font, right - left)
        height = round(size * 1.25)
        wide = max(map(font.getlength, lines))
        if (len(lines) * height <= bottom - top and wide <= right - left) or size <= 24:
            break
        size -= 4
    lines = _balanced(text, font, lines)
    for n, line in enumerate(lines):
        draw.text(((left + right) / 2, top + n * height), line, font=font, fill=fill, anchor="ma")
    return top + len(lines) * height


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _balanced(text: str, font: ImageFont.FreeTypeFont, lines: list[str]) -> list[str]:
    """As many lines, of about the same length: no word stands alone."""
    width = max(map(font.getlength, lines))
    while len(lines) > 1 and len(narrower := _wrapped(text, font, int(width))) == len(lines):
        lines, width = narrower, width * 0.97
    return lines
