"""JPEG, segment by segment: what a decoder needs is copied, everything else stays behind (ITU T.81, annex B).

No pixel is decoded. Gone are EXIF with maker notes, places and thumbnails, XMP, IPTC, comments, further pictures
and whatever comes after the end, such as the video of a «motion photo». Which way up it is, and its colours, stay.
"""

from __future__ import annotations

import re

from . import exif, icc
from .refusal import bomb, broken, pixels

MAGIC = b"\xff\xd8\xff"
_SEGMENTS = 20_000
_SCANS = 100
"""A progressive picture has about ten; each costs whoever shows it a pass over all pixels."""
_WINDOW = 1024 * 1024
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The end of coded data: not an escaped FF, not a restart marker."""
_PADDING = re.compile(rb"\xff+")
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_OTHER_FRAMES = frozenset(range(0xC0, 0xD0)) - _FRAMES - {0xC4, 0xCC} | {0xDC, 0xDE, 0xDF}
"""Lossless, hierarchical and arithmetically coded pictures, and a height that comes later: nobody sends those."""
_TABLES = frozenset((0xC4, 0xCC, 0xDB, 0xDD))
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_BARE = frozenset(range(0xD0, 0xD9)) | {0x00, 0x01}
_PROFILE = b"ICC_PROFILE\0"
_PIECE = 65_519 - len(_PROFILE)


def clean(data: bytes, most: int) -> bytes:
    """The picture alone, of at most ``most`` pixels. Raises ``Refused``."""
    jfif = adobe = b""
    turn = exif.UPRIGHT
    profile: dict[int, bytes] = {}
    body: list[bytes | memoryview] = []
    view = memoryview(data)
    frames = scans = 0
    pos = 2
    for _ in range(_SEGMENTS):
        marker, pos = _next(data, pos)
        if marker == _EOI:
            break
        if marker in _BARE:
            raise broken("a marker of a JPEG where none can be")
        start, pos = pos, pos + int.from_bytes(data[pos : pos + 2], "big")
        if pos < start + 2 or pos > len(data):
            raise broken("a segment of a JPEG ends too early")
        if marker in _FRAMES:
            height, width = (int.from_bytes(data[n : n + 2], "big") for n in (start + 3, start + 5))
            pixels(width, height, most)
            frames += 1
        elif marker in _OTHER_FRAMES:
            raise broken("a kind of JPEG that hardly anything can show")
        elif marker == _APP0 and data[start + 2 : start + 7] == b"JFIF\0" and pos >= start + 16:
            jfif = jfif or _segment(_APP0, data[start + 2 : start + 14] + b"\0\0")
        elif marker == _APP1 and data[start + 2 : start + 8] == b"Exif\0\0":
            turn = exif.orientation(data[start + 8 : pos]) if turn == exif.UPRIGHT else turn
        elif marker == _APP2 and data[start + 2 : start + 14] == _PROFILE and pos > start + 16:
            profile[data[start + 14]] = data[start + 16 : pos]
        elif marker == _APP14 and data[start + 2 : start + 7] == b"Adobe" and pos >= start + 14:
            adobe = adobe or _segment(_APP14, data[start + 2 : start + 14])
        if marker == _SOS:
            scans += 1
            pos = _coded(data, pos)
        if marker in _FRAMES or marker in _TABLES or marker == _SOS:
            body += [bytes((0xFF, marker)), view[start:pos]]
    else:
        raise bomb("a JPEG in thousands of pieces")
    if frames != 1 or not scans:
        raise broken("a JPEG without a picture, or with several in one")
    if scans > _SCANS:
        raise bomb("a JPEG with hundreds of passes")
    upright = b"" if turn == exif.UPRIGHT else _segment(_APP1, b"Exif\0\0" + exif.block(turn))
    head = [b"\xff\xd8", jfif, upright, *_colours(profile), adobe]
    return b"".join([*head, *body, b"\xff\xd9"])


def _next(data: bytes, pos: int) -> tuple[int, int]:
    """The marker at ``pos`` (it may be padded with FF), and where its segment begins."""
    padding = _PADDING.match(data, pos)
    if padding is None:
        raise broken("there is no marker where a JPEG needs one")
    end = padding.end()
    if end >= len(data):
        raise broken("a JPEG that ends too early")
    return data[end], end + 1


def _coded(data: bytes, pos: int) -> int:
    """Where the coded data that begin at ``pos`` end; in windows, as other threads wait for each search."""
    while pos < len(data):
        found = _MARKER.search(data, pos, pos + _WINDOW)
        if found:
            return found.start()
        pos += _WINDOW - 1
    raise broken("the picture of a JPEG ends too early")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _colours(pieces: dict[int, bytes]) -> list[bytes]:
    profile = icc.clean(b"".join(pieces[n] for n in sorted(pieces))) if pieces else None
    if profile is None:
        return []
    parts = [profile[n : n + _PIECE] for n in range(0, len(profile), _PIECE)]
    return [_segment(_APP2, _PROFILE + bytes((n, len(parts))) + p) for n, p in enumerate(parts, start=1)]
