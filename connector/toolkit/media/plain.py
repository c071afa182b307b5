"""What is passed on as it is, or nearly: PDF, text, simple sound. It is looked at as far as it takes to know what it is."""

from __future__ import annotations

import re
from collections.abc import Callable

from .reader import Reader
from .refusal import Reason, Refused, bomb, broken

_WINDOW = 1024 * 1024
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROLS_WIDE = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_OTHER = (b"<", b"{\\rtf", b"%!", b"mime-version:", b"#!")
"""Beginnings of text that a program would not take for text: HTML, SVG, XML, RTF, PostScript, MHTML, scripts."""
_TAIL = 4096
_NESTED = 10
_FRAMES = 400_000
"""Of 20 ms each."""


def pdf(data: bytes) -> None:
    """Raises ``Refused`` when a PDF does not end where one ends (ISO 32000-1, 7.5.5)."""
    if b"%%EOF" not in data[-_TAIL:]:
        raise broken("a PDF that ends too early")


def text(data: bytes) -> bool:
    """Whether it is text: UTF-8, UTF-16 with its mark, or one of the old eight-bit codes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            words = data.decode("utf-16")
        except UnicodeDecodeError:
            return False
        return not _CONTROLS_WIDE.search(words) and not words.lstrip().lower().encode()[:20].startswith(
            _OTHER
        )
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower().startswith(_OTHER):
        return False
    return not any(_CONTROLS.search(data, n, n + _WINDOW) for n in range(0, len(data), _WINDOW))


def mp3(data: bytes) -> bytes:
    """The sound without tags and pictures before and after it (ID3v2.4 3.1; ID3v1). Raises ``Refused``."""
    start, end = 0, len(data)
    for _ in range(_NESTED):
        if data[start : start + 3] != b"ID3":
            break
        head = Reader(data, start + 5)
        footer = 10 if head.u8() & 0x10 else 0
        size = 0
        for n in head.take(4):
            size = size << 7 | n & 0x7F
        start = head.pos + size + footer
    if data[-128:-125] == b"TAG":
        end -= 128
    sound = data[start:end].lstrip(b"\0")
    if not _frames(sound, _mpeg):
        raise Refused(Reason.TYPE, "no sound that is known")
    return sound


def aac(data: bytes) -> None:
    """Raises ``Refused`` unless it begins with frames of AAC (ISO/IEC 13818-7, 6.2)."""
    if not _frames(data, _adts):
        raise Refused(Reason.TYPE, "no sound that is known")


def amr(data: bytes) -> None:
    """Raises ``Refused`` unless it is frames of AMR, narrow or wide, to the end (RFC 4867, 5)."""
    wide = data.startswith(b"#!AMR-WB\n")
    sizes = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5) if wide else (12, 13, 15, 17, 19, 20, 26, 31, 5)
    read = Reader(data, 9 if wide else 6)
    if not read.left:
        raise broken("a recording without anything recorded")
    for _ in range(_FRAMES):
        if not read.left:
            return
        mode = read.u8() >> 3 & 15
        if mode < len(sizes):
            read.skip(sizes[mode])
        elif mode not in (14, 15):
            raise broken("a recording with damaged frames")
    raise bomb("a recording of more than two hours in tiny pieces")


def _frames(data: bytes, size: Callable[[bytes], int]) -> bool:
    """Whether it begins with three frames, or with all there are."""
    pos = 0
    for _ in range(3):
        found = size(data[pos : pos + 8])
        if not found or pos + found > len(data):
            return False
        pos += found
        if pos == len(data):
            break
    return True


_RATES = (44_100, 48_000, 32_000)
_BITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def _mpeg(head: bytes) -> int:
    """Bytes of a frame of layer III, 0 when it is none (ISO/IEC 11172-3, 2.4.2.3; 13818-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate == 3 or bits in (0, 15):
        return 0
    full = version == 3
    hertz = _RATES[rate] // (1 if full else 2 if version == 2 else 4)
    kilobits = (_BITS_1 if full else _BITS_2)[bits]
    return (144 if full else 72) * kilobits * 1000 // hertz + (head[2] >> 1 & 1)


def _adts(head: bytes) -> int:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    found = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return found if found >= 7 else 0
