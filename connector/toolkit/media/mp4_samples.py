"""Where in an MP4 file lies what a track recorded (ISO/IEC 14496-12, 8.7)."""

from __future__ import annotations

from collections.abc import Iterator

from .isobmff import Box, boxes
from .reader import Reader
from .refusal import broken


def samples(data: bytes, track: Box) -> Iterator[tuple[int, int]]:
    """Begin and end of each chunk of a track. Raises ``Refused``."""
    table = _table(data, track)
    if table is None:
        raise broken("a track whose recording cannot be found")
    sizes = _Sizes(data, table)
    groups = _Groups(data, table)
    offsets = table.get(b"co64") or table.get(b"stco")
    if offsets is None:
        raise broken("a track whose recording cannot be found")
    width = 8 if offsets.kind == b"co64" else 4
    row = _full(data, offsets)
    for n in range(row.u32()):
        start = row.number(width)
        yield start, start + sizes.next(groups.of(n))


def _table(data: bytes, track: Box) -> dict[bytes, Box] | None:
    inside = track
    for kind in (b"mdia", b"minf", b"stbl"):
        found = [b for b in boxes(data, inside.body, inside.end) if b.kind == kind]
        if len(found) != 1:
            return None
        inside = found[0]
    return {b.kind: b for b in boxes(data, inside.body, inside.end)}


def _full(data: bytes, at: Box) -> Reader:
    read = Reader(data, at.body, at.end)
    read.skip(4)
    return read


class _Sizes:
    """The sizes of all samples, added up chunk by chunk."""

    def __init__(self, data: bytes, table: dict[bytes, Box]) -> None:
        at = table.get(b"stsz") or table.get(b"stz2")
        if at is None:
            raise broken("a track whose recording cannot be found")
        self._row = _full(data, at)
        said = self._row.u32()
        self._same = said if at.kind == b"stsz" else 0
        self._bits = 32 if at.kind == b"stsz" else said & 0xFF
        if self._bits not in (4, 8, 16, 32):
            raise broken("a track with samples of no size")
        self._left = self._row.u32()
        self._half: int | None = None

    def next(self, count: int) -> int:
        """Bytes of the next ``count`` samples."""
        if count > self._left:
            raise broken("a track with fewer samples than it says")
        self._left -= count
        if self._same:
            return self._same * count
        return sum(self._one() for _ in range(count))

    def _one(self) -> int:
        if self._bits != 4:
            return self._row.number(self._bits // 8)
        if self._half is None:
            both = self._row.u8()
            self._half = both & 15
            return both >> 4
        half, self._half = self._half, None
        return half


class _Groups:
    """How many samples are in which chunk; asked in order."""

    def __init__(self, data: bytes, table: dict[bytes, Box]) -> None:
        at = table.get(b"stsc")
        if at is None:
            raise broken("a track whose recording cannot be found")
        self._row = _full(data, at)
        self._left = self._row.u32()
        self._count = 0
        self._next = self._ahead = 0
        self._advance()

    def _advance(self) -> None:
        self._count = self._ahead
        self._next = 1 << 62
        if self._left:
            self._left -= 1
            self._next, self._ahead = self._row.u32(), self._row.u32()
            self._row.skip(4)

    def of(self, chunk: int) -> int:
        """Samples in a chunk, counted from 0."""
        while chunk + 1 >= self._next:
            self._advance()
        return self._count
