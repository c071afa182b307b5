"""Boxes, of which MP4, 3GP, QuickTime, HEIC and AVIF are made (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .reader import Reader
from .refusal import bomb, broken

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box; ``start`` is where its head begins, ``body`` where that ends."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between ``start`` and ``end``, which they fill exactly. Raises ``Refused``."""
    read = Reader(data, start, end)
    for _ in range(_MOST):
        if not read.left:
            return
        begin = read.pos
        size, kind = read.u32(), read.take(4)
        if size == 1:
            size = read.u64()
        elif size == 0:
            size = read.end - begin
        body = read.pos
        if size < body - begin:
            raise broken("a box that is smaller than its head")
        read.skip(size - (body - begin))
        yield Box(kind, begin, body, read.pos)
    raise bomb("a file in hundreds of thousands of pieces")


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with that content."""
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """A box that says a version and flags first."""
    return box(kind, bytes((version,)), flags.to_bytes(3, "big"), *content)
