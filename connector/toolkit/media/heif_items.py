"""The items of a HEIC file: what there is, where it lies, what belongs to what (ISO/IEC 14496-12, 8.11)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .isobmff import Box, boxes
from .reader import Reader
from .refusal import bomb, broken

_MOST = 65_535
_PROPERTIES = 10_000
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Property:
    """``content`` is what stands in the property's box."""

    kind: bytes
    content: bytes
    essential: bool


@dataclass(slots=True)
class Item:
    """``parts`` are the items it is made of, ``masters`` those whose alpha plane or depth map it may be."""

    id: int
    kind: bytes
    hidden: bool
    inside: bool = False
    extents: list[tuple[int, int]] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    masters: set[int] = field(default_factory=set)
    premultiplied: set[int] = field(default_factory=set)
    properties: list[Property] = field(default_factory=list)


@dataclass(slots=True)
class Items:
    """All items of ``data``; ``brands`` are what ``ftyp`` says, ``idat`` is where those lie that are kept with the descriptions."""

    data: bytes
    brands: frozenset[bytes]
    primary: int
    found: dict[int, Item]
    idat: Box | None

    def content(self, item: Item) -> bytes:
        """What an item consists of. Raises ``Refused``."""
        base, end = 0, len(self.data)
        if item.inside:
            if self.idat is None:
                raise broken("a picture lies where there is nothing")
            base, end = self.idat.body, self.idat.end
        parts, total = [], 0
        for offset, size in item.extents:
            read = Reader(self.data, base, end)
            read.skip(offset)
            parts.append(read.take(size or read.left))
            total += len(parts[-1])
            if total > len(self.data):
                raise broken("parts of a picture lie upon each other")
        return b"".join(parts)


def read(data: bytes) -> Items:
    """What the file says it holds. Raises ``Refused``."""
    top = {b.kind: b for b in boxes(data)}
    if {b"ftyp", b"meta"} - top.keys():
        raise broken("a picture without its description")
    inner = {b.kind: b for b in boxes(data, top[b"meta"].body + 4, top[b"meta"].end)}
    if {b"pitm", b"iloc", b"iinf", b"iprp"} - inner.keys():
        raise broken("a picture whose description is not whole")
    if sum(b.end - b.start for b in inner.values() if b.kind != b"idat") > _LARGEST:
        raise bomb("a picture that is described at a length of megabytes")
    version, start = _full(data, inner[b"pitm"])
    primary = start.number(2 if version == 0 else 4)
    found = _items(data, inner[b"iinf"])
    _locate(data, inner[b"iloc"], found)
    if b"iref" in inner:
        _relate(data, inner[b"iref"], found)
    _describe(data, inner[b"iprp"], found)
    brands = data[top[b"ftyp"].body : top[b"ftyp"].end]
    named = frozenset(brands[n : n + 4] for n in range(0, min(len(brands), 400), 4) if n != 4)
    return Items(data, named, primary, found, inner.get(b"idat"))


def _full(data: bytes, at: Box) -> tuple[int, Reader]:
    """The version of a box, and a reader behind its flags."""
    read = Reader(data, at.body, at.end)
    version = read.u8()
    read.skip(3)
    return version, read


def _items(data: bytes, at: Box) -> dict[int, Item]:
    version, head = _full(data, at)
    head.skip(2 if version == 0 else 4)
    found: dict[int, Item] = {}
    for entry in boxes(data, head.pos, at.end):
        newer, row = _full(data, entry)
        if entry.kind != b"infe" or newer not in (2, 3):
            continue
        hidden = bool(data[entry.body + 3] & 1)
        number = row.number(2 if newer == 2 else 4)
        if row.u16():
            continue  # protected
        found[number] = Item(number, row.take(4), hidden)
    if len(found) > _MOST:
        raise bomb("a picture in tens of thousands of pieces")
    return found


def _locate(data: bytes, at: Box, found: dict[int, Item]) -> None:
    version, row = _full(data, at)
    sizes = row.u16()
    offset, length, base, index = (sizes >> n & 15 for n in (12, 8, 4, 0))
    if not offset + length:
        raise broken("a picture lies nowhere")
    for _ in range(row.number(2 if version < 2 else 4)):
        number = row.number(2 if version < 2 else 4)
        method = row.u16() & 15 if version else 0
        elsewhere = row.u16()
        begin = row.number(base)
        extents = []
        for _ in range(row.u16()):
            row.skip(index if version else 0)
            extents.append((begin + row.number(offset), row.number(length)))
        if number in found and not elsewhere and method in (0, 1):
            found[number].inside = method == 1
            found[number].extents = extents


def _relate(data: bytes, at: Box, found: dict[int, Item]) -> None:
    version, head = _full(data, at)
    width = 2 if version == 0 else 4
    for entry in boxes(data, head.pos, at.end):
        row = Reader(data, entry.body, entry.end)
        item = found.get(row.number(width))
        others = [row.number(width) for _ in range(row.u16())]
        if item is None:
            continue
        if entry.kind == b"dimg":
            item.parts += others
        elif entry.kind == b"auxl":
            item.masters |= set(others)
        elif entry.kind == b"prem":
            item.premultiplied |= set(others)


def _describe(data: bytes, at: Box, found: dict[int, Item]) -> None:
    known: list[tuple[bytes, bytes]] = []
    for part in boxes(data, at.body, at.end):
        if part.kind == b"ipco":
            known = [(p.kind, data[p.body : p.end]) for p in boxes(data, part.body, part.end)]
    if len(known) > _PROPERTIES:
        raise bomb("a picture with thousands of properties")
    for part in boxes(data, at.body, at.end):
        if part.kind != b"ipma":
            continue
        version, row = _full(data, part)
        wide = bool(data[part.body + 3] & 1)
        for _ in range(row.u32()):
            item = found.get(row.number(2 if version == 0 else 4))
            for _ in range(row.u8()):
                said = row.number(2 if wide else 1)
                essential, index = divmod(said, 0x8000 if wide else 0x80)
                if index > len(known):
                    raise broken("a picture needs a property that is not there")
                if item is not None and index:
                    item.properties.append(Property(*known[index - 1], bool(essential)))
