"""HEIC: the picture is taken out and put into a new file; nothing else comes along (ISO/IEC 23008-12).

Coded pictures, tiles, alpha planes, turning, mirroring, cropping and colours stay as they are, byte for byte. EXIF,
XMP, thumbnails, depth maps, further pictures, videos and what has no place in a picture stay behind.
"""

from __future__ import annotations

from . import heif_items, hevc, icc
from .heif_items import Item, Items, Property
from .isobmff import box, full_box
from .reader import Reader
from .refusal import Reason, Refused, bomb, broken, pixels

_CODED = b"hvc1"
_DERIVED = {b"grid": 4, b"iovl": 10, b"iden": None}
"""Pictures made of others, and where in their description width and height stand (6.6.2)."""
_KEPT = frozenset(
    (
        *(b"ispe", b"pixi", b"colr", b"hvcC", b"pasp", b"auxC", b"clli", b"mdcv", b"cclv", b"amve"),
        *(b"irot", b"imir", b"clap"),
    )
)
"""Properties a picture is shown by; the last three also turn it."""
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
_SETTINGS = 65_536
_MOST, _OWN = 65_535, 100
"""Parts a picture is made of, and properties it has."""
_TOGETHER = 4
"""All coded parts together (tiles reach over the border, and there is an alpha plane), in pictures of the largest size."""


def clean(data: bytes, most: int) -> bytes:
    """The picture alone, of at most ``most`` pixels. Raises ``Refused``."""
    items = heif_items.read(data)
    alphas = [i.id for i in items.found.values() if items.primary in i.masters and _is_alpha(i)]
    roots = [_picture(items, number) for number in dict.fromkeys((items.primary, *alphas))]
    wanted: dict[int, Item] = {}
    for root in roots:
        wanted |= {root.id: root} | {n: _coded(items, n) for n in root.parts}
    contents = {i.id: items.content(i) for i in wanted.values()}
    if (
        max(len(root.parts) for root in roots) > _MOST
        or max(len(i.properties) for i in wanted.values()) > _OWN
    ):
        raise bomb("a picture in tens of thousands of parts, or with hundreds of properties")
    if sum(map(len, contents.values())) > len(data):
        raise broken("parts of a picture lie upon each other")
    _measure(roots, wanted, contents, most)
    for item in wanted.values():
        if item.kind == _CODED:
            contents[item.id] = hevc.without_messages(contents[item.id], _settings(item))
    brand = b"heix" if b"heix" in items.brands else b"heic"
    return _write(brand, items.primary, wanted, contents)


def _picture(items: Items, number: int) -> Item:
    """An item that is shown: coded itself, or made of items that are."""
    item = items.found.get(number)
    if item is not None and item.kind in _DERIVED and item.parts:
        return item
    coded = _coded(items, number)
    coded.parts = []
    return coded


def _coded(items: Items, number: int) -> Item:
    item = items.found.get(number)
    if item is None or item.kind != _CODED:
        raise Refused(Reason.TYPE, "a picture in a coding that is not known, or made of made ones")
    return item


def _is_alpha(item: Item) -> bool:
    return any(p.kind == b"auxC" and p.content[4:].split(b"\0")[0] in _ALPHA for p in item.properties)


def _measure(roots: list[Item], wanted: dict[int, Item], contents: dict[int, bytes], most: int) -> None:
    """Sizes, as the properties say, as what is made of others says, and as the coding itself says."""
    coded: dict[bytes, int] = {}
    for item in wanted.values():
        sizes = [p.content for p in item.properties if p.kind == b"ispe"]
        if not sizes:
            raise broken("a picture of unknown size")
        read = Reader(sizes[0], 4)
        pixels(read.u32(), read.u32(), most)
        if item.kind == _CODED:
            settings = _settings(item)
            if settings not in coded:
                width, height = hevc.size(settings)
                pixels(width, height, most)
                coded[settings] = width * height
        elif (start := _DERIVED[item.kind]) is not None:
            read = Reader(contents[item.id], 1)
            width = 4 if read.u8() & 1 else 2
            read.pos = start
            pixels(read.number(width), read.number(width), most)
    # a part that is used a hundred times is decoded a hundred times
    used = [wanted[n] for root in roots for n in (root.parts or [root.id])]
    pixels(sum(coded[_settings(item)] for item in used), 1, _TOGETHER * most)


def _settings(item: Item) -> bytes:
    for part in item.properties:
        if part.kind == b"hvcC" and len(part.content) <= _SETTINGS:
            return part.content
    raise broken("a picture without the settings of its coding")


def _property(kind: bytes, content: bytes) -> bytes | None:
    """One property as it is kept, None when it is not."""
    if kind not in _KEPT:
        return None
    if kind == b"colr" and content[:4] in (b"prof", b"rICC"):
        profile = icc.clean(content[4:])
        return None if profile is None else box(kind, content[:4], profile)
    if kind == b"auxC":
        return box(kind, content[:4], content[4:].split(b"\0")[0], b"\0")
    return box(kind, hevc.settings(content) if kind == b"hvcC" else content)


def _write(brand: bytes, primary: int, wanted: dict[int, Item], contents: dict[int, bytes]) -> bytes:
    numbers = {old: new for new, old in enumerate(wanted, start=1)}
    inside = b"".join(contents[i] for i in wanted if wanted[i].kind in _DERIVED)
    ftyp = box(b"ftyp", brand, bytes(4), b"mif1", brand)

    def meta(offset: int) -> bytes:
        return full_box(
            b"meta", 0, 0,
            full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", 0, 0, numbers[primary].to_bytes(2, "big")),
            _places(wanted, contents, numbers, offset),
            _list(wanted, numbers),
            _references(wanted, numbers),
            _properties(wanted, numbers),
            *([box(b"idat", inside)] if inside else []),
        )  # fmt: skip

    # the numbers in it have a fixed width: where the pictures begin does not change how long it is
    offset = len(ftyp) + len(meta(0)) + 8
    outside = [contents[i] for i in wanted if wanted[i].kind == _CODED]
    return b"".join([ftyp, meta(offset), box(b"mdat", *outside)])


def _places(
    wanted: dict[int, Item], contents: dict[int, bytes], numbers: dict[int, int], offset: int
) -> bytes:
    at = {False: 0, True: offset}
    rows = []
    for old, item in wanted.items():
        outside = item.kind == _CODED
        size = len(contents[old])
        row = (numbers[old], 2), (int(not outside), 2), (0, 2), (1, 2), (at[outside], 4), (size, 4)
        rows.append(b"".join(n.to_bytes(width, "big") for n, width in row))
        at[outside] += size
    return full_box(b"iloc", 1, 0, b"\x44\x00", len(rows).to_bytes(2, "big"), *rows)


def _list(wanted: dict[int, Item], numbers: dict[int, int]) -> bytes:
    rows = [
        full_box(b"infe", 2, int(item.hidden), numbers[old].to_bytes(2, "big"), b"\0\0", item.kind, b"\0")
        for old, item in wanted.items()
    ]
    return full_box(b"iinf", 0, 0, len(rows).to_bytes(2, "big"), *rows)


def _references(wanted: dict[int, Item], numbers: dict[int, int]) -> bytes:
    rows = []
    for old, item in wanted.items():
        masters = [m for m in wanted if m in item.masters]
        weighted = [w for w in wanted if w in item.premultiplied]
        for kind, ids in ((b"dimg", item.parts), (b"auxl", masters), (b"prem", weighted)):
            if ids:
                row = numbers[old], len(ids), *(numbers[i] for i in ids)
                rows.append(box(kind, *(n.to_bytes(2, "big") for n in row)))
    return full_box(b"iref", 0, 0, *rows) if rows else b""


def _properties(wanted: dict[int, Item], numbers: dict[int, int]) -> bytes:
    kept: dict[Property, bytes | None] = {}
    known: dict[bytes, int] = {}
    rows = []
    for old, item in wanted.items():
        own = []
        for part in item.properties:
            if part.essential and part.kind not in _KEPT:
                raise broken("a picture needs something that nobody knows")
            if part not in kept:
                kept[part] = _property(part.kind, part.content)
            if (made := kept[part]) is not None:
                index = known.setdefault(made, len(known) + 1)
                own.append((part.essential << 15 | index).to_bytes(2, "big"))
        rows.append(numbers[old].to_bytes(2, "big") + len(own).to_bytes(1, "big") + b"".join(own))
    ipma = full_box(b"ipma", 0, 1, len(rows).to_bytes(4, "big"), *rows)
    return box(b"iprp", box(b"ipco", *known), ipma)
