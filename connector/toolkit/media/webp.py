"""WebP, still and animated, chunk by chunk: what a decoder needs is copied (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from . import exif, icc
from .reader import Reader
from .refusal import bomb, broken, pixels

_CHUNKS = 50_000
_PICTURE = frozenset((b"VP8 ", b"VP8L"))
_ICC, _EXIF, _XMP = 0x20, 0x08, 0x04
_SHOWN = 0x12  # animation, alpha


def clean(data: bytes, most: int) -> bytes:
    """The picture alone, of at most ``most`` pixels. Raises ``Refused``."""
    whole = Reader(data, 4, order="little")
    end = 8 + whole.u32()
    if end > len(data):
        raise broken("a WebP that ends too early")
    canvas, colours, turn, pictures = b"", b"", exif.UPRIGHT, 0
    body: list[bytes | memoryview] = []
    for kind, content, stop in _chunks(data, 12, end):
        if kind == b"VP8X":
            if canvas or body:
                raise broken("a WebP with two heads")
            canvas = Reader(data, content, stop).take(10)
            width, height = (1 + int.from_bytes(canvas[n : n + 3], "little") for n in (4, 7))
            pixels(width, height, most)
        elif kind in _PICTURE:
            _measure(kind, data, content, stop, most)
            body.append(_chunk(kind, data[content:stop]))
            pictures += 1
        elif kind == b"ANMF":
            body.append(_chunk(kind, _frame(data, content, stop, most)))
            pictures += 1
        elif kind in (b"ALPH", b"ANIM"):
            body.append(_chunk(kind, data[content:stop]))
        elif kind == b"ICCP":
            colours = icc.clean(data[content:stop]) or b""
        elif kind == b"EXIF":
            turn = exif.orientation(data[content:stop]) if turn == exif.UPRIGHT else turn
    if not pictures:
        raise broken("a WebP without a picture")
    if canvas:
        flags = canvas[0] & _SHOWN | (_ICC if colours else 0) | (_EXIF if turn != exif.UPRIGHT else 0)
        body = [
            _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + canvas[4:]),
            *([_chunk(b"ICCP", colours)] if colours else []),
            *body,
            *([_chunk(b"EXIF", exif.block(turn))] if turn != exif.UPRIGHT else []),
        ]
    size = 4 + sum(map(len, body))
    return b"".join([b"RIFF", size.to_bytes(4, "little"), b"WEBP", *body])


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the content of each chunk."""
    read = Reader(data, start, end, order="little")
    for _ in range(_CHUNKS):
        if read.left == 0:
            return
        kind, size = read.take(4), read.u32()
        content = read.pos
        read.skip(size)
        yield kind, content, read.pos
        if size % 2 and read.left:
            read.skip(1)
    raise bomb("a WebP in thousands of pieces")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _frame(data: bytes, start: int, end: int, most: int) -> bytes:
    """One frame of an animation, with its picture and nothing else."""
    head = Reader(data, start, end).take(16)
    kept = []
    for kind, content, stop in _chunks(data, start + 16, end):
        if kind in _PICTURE:
            _measure(kind, data, content, stop, most)
        if kind in _PICTURE or kind == b"ALPH":
            kept.append(_chunk(kind, data[content:stop]))
    if not kept:
        raise broken("a frame of a WebP without a picture")
    return head + b"".join(kept)


def _measure(kind: bytes, data: bytes, start: int, end: int, most: int) -> None:
    """The size as the coded picture itself says (RFC 6386 9.1; RFC 9649 3.4)."""
    read = Reader(data, start, end, order="little")
    if kind == b"VP8L":
        if read.u8() != 0x2F:
            raise broken("the picture of a WebP is damaged")
        bits = read.u32()
        pixels(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), most)
        return
    read.skip(3)
    if read.take(3) != b"\x9d\x01\x2a":
        raise broken("the picture of a WebP is damaged")
    pixels(read.u16() & 0x3FFF, read.u16() & 0x3FFF, most)
