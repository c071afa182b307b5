"""Of EXIF only one thing is kept: which way up the picture is (Exif 2.32, 4.6.4 A; TIFF 6.0)."""

from __future__ import annotations

from .reader import Reader
from .refusal import Refused

UPRIGHT = 1
_ORIENTATION = 0x0112
_SHORT = 3


def orientation(block: bytes) -> int:
    """1 to 8, as the tag of that name says in a TIFF block; 1 when it says nothing or cannot be read."""
    block = block.removeprefix(b"Exif\0\0")
    try:
        found = _find(block)
    except Refused:
        return UPRIGHT
    return found if 1 <= found <= 8 else UPRIGHT


def _find(block: bytes) -> int:
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return UPRIGHT
    read = Reader(block, 4, order="little" if block[:1] == b"I" else "big")
    first = read.u32()
    if first > len(block):
        return UPRIGHT
    read.pos = first
    for _ in range(read.u16()):
        tag, kind, count, value = read.u16(), read.u16(), read.u32(), read.u16()
        read.skip(2)
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
            return value
    return UPRIGHT


def block(turn: int) -> bytes:
    """A TIFF block that says ``turn`` and nothing else."""
    entry = b"".join(n.to_bytes(2, "big") for n in (_ORIENTATION, _SHORT, 0, 1, turn, 0))
    return b"MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)
