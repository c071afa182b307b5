"""Sound in Ogg: names, places, pictures and programs in its comments are blotted out in place (RFC 3533, 7845, 5334)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from .refusal import Reason, Refused, bomb, broken

MAGIC = b"OggS"
_HEAD = 27
_PAGES = 200_000
_COMMENTS = {
    b"OpusHead": (b"OpusTags", b""),
    b"\x01vorbis": (b"\x03vorbis", b"\x01"),
    b"Speex   ": (b"", b""),
}
"""By how the first packet begins: how the comments begin, and what stands behind them."""
_MIRROR = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))


@dataclass(frozen=True, slots=True)
class _Page:
    start: int
    body: int
    end: int
    lacing: bytes


def clean(data: bytes) -> bytes:
    """The sound with empty comments; nothing moves. Raises ``Refused``."""
    pages = list(_pages(data))
    first = data[pages[0].body : pages[0].end]
    found = next((how for begin, how in _COMMENTS.items() if first.startswith(begin)), None)
    if found is None:
        raise Refused(Reason.TYPE, "an Ogg file with something else than sound that is known")
    begin, behind = found
    places, touched = _second_packet(pages)
    size = sum(end - start for start, end in places)
    blank = (begin + bytes(8) + behind).ljust(size, b"\0")
    if len(blank) != size or not data[places[0][0] : places[0][1]].startswith(begin):
        raise broken("a recording without its comments")
    made = bytearray(data)
    done = 0
    for start, end in places:
        made[start:end] = blank[done : done + end - start]
        done += end - start
    for page in touched:
        made[page.start + 22 : page.start + 26] = _checksum(made, page)
    return bytes(made)


def _pages(data: bytes) -> Iterator[_Page]:
    """All pages, which fill the file and are of one stream."""
    pos, stream = 0, data[14:18]
    for n in range(_PAGES):
        if n and pos == len(data):
            return
        head = data[pos : pos + _HEAD]
        if len(head) < _HEAD or head[:5] != MAGIC + b"\0":
            raise broken("an Ogg file that is damaged")
        lacing = data[pos + _HEAD : pos + _HEAD + head[26]]
        page = _Page(pos, pos + _HEAD + len(lacing), pos + _HEAD + len(lacing) + sum(lacing), lacing)
        if len(lacing) < head[26] or page.end > len(data) or head[22:26] != _checksum(data, page):
            raise broken("an Ogg file that is damaged")
        if head[14:18] != stream or bool(head[5] & 2) != (n == 0):
            raise Refused(Reason.TYPE, "an Ogg file with several streams")
        yield page
        pos = page.end
    raise bomb("an Ogg file of hundreds of thousands of pages")


def _checksum(data: bytes | bytearray, page: _Page) -> bytes:
    """The page's checksum: zlib's polynomial, with the bits of every byte the other way round and no complement."""
    whole = data[page.start : page.start + 22] + bytes(4) + data[page.start + 26 : page.end]
    mirrored = zlib.crc32(whole.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    # mirrored bits, lowest byte first, are the plain ones, highest byte first; the field is lowest byte first
    return mirrored.to_bytes(4, "big").translate(_MIRROR)


def _second_packet(pages: list[_Page]) -> tuple[list[tuple[int, int]], list[_Page]]:
    """Where the second packet lies, and on which pages; the first one fills the first page."""
    places, touched = [], []
    for page in pages[1:]:
        pos = page.body
        touched.append(page)
        for size in page.lacing:
            places.append((pos, pos + size))
            pos += size
            if size < 255:
                return places, touched
    raise broken("an Ogg file that ends too early")
