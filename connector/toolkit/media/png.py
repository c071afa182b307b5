"""PNG and animated PNG, chunk by chunk: what a decoder needs is copied (W3C PNG, third edition)."""

from __future__ import annotations

import zlib

from . import exif, icc
from .reader import Reader
from .refusal import bomb, broken, pixels

MAGIC = b"\x89PNG\r\n\x1a\n"
_CHUNKS = 200_000
_NEEDED = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND"))
_KEPT = _NEEDED | frozenset(
    (
        *(b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"cICP", b"mDCV", b"cLLI"),
        *(b"acTL", b"fcTL", b"fdAT"),
    )
)
"""Pixels, colours, animation. Not: texts, times, EXIF, XMP, suggested palettes, whatever is private."""


def clean(data: bytes, most: int) -> bytes:
    """The picture alone, of at most ``most`` pixels. Raises ``Refused``."""
    read = Reader(data, len(MAGIC))
    body: list[bytes | memoryview] = []
    view = memoryview(data)
    turn, colours, drawn = exif.UPRIGHT, b"", False
    for n in range(_CHUNKS):
        start = read.pos
        size, kind = read.u32(), read.take(4)
        content = read.pos
        read.skip(size + 4)
        if (n == 0) != (kind == b"IHDR"):
            raise broken("a PNG does not begin with its header")
        if kind in _KEPT:
            if zlib.crc32(view[content - 4 : read.pos - 4]) != int.from_bytes(
                view[read.pos - 4 : read.pos], "big"
            ):
                raise broken("a chunk of a PNG is damaged")
            if kind == b"IHDR":
                head = Reader(data, content, read.pos - 4)
                pixels(head.u32(), head.u32(), most)
            drawn = drawn or kind == b"IDAT"
            body.append(view[start : read.pos])
        elif kind == b"eXIf":
            turn = exif.orientation(data[content : read.pos - 4]) if turn == exif.UPRIGHT else turn
        elif kind == b"iCCP" and not drawn:
            colours = colours or _colours(data[content : read.pos - 4])
        elif not kind[0] & 0x20:
            raise broken("a PNG needs something that nobody knows")
        if kind == b"IEND":
            break
    else:
        raise bomb("a PNG in hundreds of thousands of pieces")
    if not drawn:
        raise broken("a PNG without a picture")
    upright = b"" if turn == exif.UPRIGHT else _chunk(b"eXIf", exif.block(turn))
    return b"".join([MAGIC, body[0], colours, upright, *body[1:]])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def _colours(content: bytes) -> bytes:
    """The chunk with the cleaned profile, "" when it cannot be read."""
    _, end, packed = content.partition(b"\0")
    unpack = zlib.decompressobj()
    try:
        profile = unpack.decompress(packed[1:], icc.LARGEST) if end and packed[:1] == b"\0" else b""
    except zlib.error:
        return b""
    cleaned = icc.clean(profile)
    return b"" if cleaned is None else _chunk(b"iCCP", b"icc\0\0" + zlib.compress(cleaned, 9))
