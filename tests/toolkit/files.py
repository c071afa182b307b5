"""Recordings and documents made here, with something to be found planted in every place that they have for it."""

from __future__ import annotations

import io
import struct
import zipfile

from connector.toolkit.media.isobmff import box, full_box

from .pictures import SECRET, jpeg_thumbnail, xmp

SEEN, HEARD, KEPT_TO_ITSELF = b"a picture that moves ", b"and what is heard ", SECRET * 3
_TIMES = struct.pack(">II", 0xC0FFEE00, 0xC0FFEE01)


# --- MP4 -------------------------------------------------------------------------------------------


def _track(
    number: int, handler: bytes, sizes: list[int], offset: int, tables: list[bytes] | None = None
) -> bytes:
    """One track, whose samples lie in one chunk at ``offset``."""
    tables = tables or [
        full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, len(sizes), 1)),
        full_box(b"stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)),
        full_box(b"stco", 0, 0, struct.pack(">II", 1, offset)),
    ]
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), box(b"test", bytes(8))),
        full_box(b"stts", 0, 0, struct.pack(">III", 1, len(sizes), 100)),
        *tables,
    )
    where = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, _TIMES, struct.pack(">IIHH", 1000, 1000, 0, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), handler, b"appl", bytes(8), SECRET, b"\0"),
        box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), where, table),
    )
    return box(
        b"trak",
        full_box(b"tkhd", 1, 3, _TIMES + _TIMES, struct.pack(">II", number, 0), bytes(68)),
        box(b"udta", box(b"name", SECRET)),
        full_box(b"meta", 0, 0, SECRET),
        media,
    )


def recording(
    brand: bytes = b"isom",
    *,
    tracks: tuple[bytes, ...] = (b"vide", b"soun", b"meta"),
    hidden: list[bytes] | None = None,
    more: bytes = b"",
    where: int | None = None,
) -> bytes:
    """What a telephone, a drone or an action camera records, with its descriptions. ``hidden``: tables of «meta»."""
    start = box(b"ftyp", brand, bytes(4), b"isom", brand) + box(b"free", SECRET)
    contents = {b"vide": SEEN, b"soun": HEARD, b"meta": KEPT_TO_ITSELF, b"text": KEPT_TO_ITSELF}
    media = b"".join(contents[t] for t in tracks)
    offset = len(start) + 8
    made = []
    for number, kind in enumerate(tracks, start=1):
        content = contents[kind]
        sizes = [len(content) // 3, len(content) - len(content) // 3]
        place = offset if where is None or kind != b"meta" else where
        made.append(_track(number, kind, sizes, place, hidden if kind == b"meta" else None))
        offset += len(content)
    described = box(
        b"udta",
        box(b"\xa9xyz", struct.pack(">HH", len(SECRET), 0x15C7), SECRET),
        full_box(b"loci", 0, 0, b"\x15\xc7", SECRET, bytes(16)),
        full_box(b"meta", 0, 0, full_box(b"hdlr", 0, 0, bytes(4), b"mdir", bytes(13)), box(b"ilst", SECRET)),
        box(b"XMP_", xmp()),
    )
    moov = box(
        b"moov",
        full_box(b"mvhd", 0, 0, _TIMES, bytes(88)),
        *made,
        described,
        full_box(b"meta", 0, 0, box(b"keys", b"com.apple.quicktime.location.ISO6709", SECRET)),
        box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), xmp()),
        box(b"free", SECRET),
        more,
    )
    return start + box(b"mdat", media) + moov + box(b"uuid", SECRET) + box(b"sefd", SECRET)


# --- Ogg, MP3, AAC, AMR ----------------------------------------------------------------------------


def checksum(page: bytes) -> int:
    """As RFC 3533 writes it down, bit by bit."""
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)) & 0xFFFFFFFF
    return found


def page(
    number: int, packets: list[bytes], flags: int = 0, stream: int = 7, lacing: bytes | None = None
) -> bytes:
    content = b"".join(packets)
    sizes = lacing or b"".join(bytes([255] * (len(p) // 255) + [len(p) % 255]) for p in packets)
    head = (
        b"OggS\0"
        + bytes((flags,))
        + struct.pack("<QIII", 0, stream, number, 0)
        + bytes((len(sizes),))
        + sizes
    )
    whole = head + content
    return whole[:22] + struct.pack("<I", checksum(whole)) + whole[26:]


def ogg(comments: bytes = SECRET * 20) -> bytes:
    """A voice message with comments that reach over two pages."""
    head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0"
    tags = b"OpusTags" + struct.pack("<I", 4) + b"Lavf" + struct.pack("<II", 1, len(comments)) + comments
    first, rest = tags[:255], tags[255:]
    return (
        page(0, [head], flags=2)
        + page(1, [first], lacing=b"\xff")
        + page(2, [rest, b"\xfc\xff\xfe"], flags=1)
        + page(3, [b"\xfc" * 30], flags=4)
    )


def mp3(planted: bool = True) -> bytes:
    frame = b"\xff\xfb\x90\x00".ljust(417, b"\x55")
    if not planted:
        return frame * 3
    words = SECRET + jpeg_thumbnail()
    size = bytes(len(words) >> n & 0x7F for n in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + words + frame * 3 + b"TAG" + SECRET.ljust(125, b"\0")


AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc".ljust(16, b"\x21") * 4
AMR = b"#!AMR\n" + b"\x3c".ljust(32, b"\x11") * 5


# --- documents -------------------------------------------------------------------------------------

PDF = b"%PDF-1.4\n1 0 obj\n<< /Author (" + SECRET + b") >>\nendobj\ntrailer << >>\nstartxref\n9\n%%EOF\n"
_MAIN = {
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation.main+xml"),
}


def archive(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(name, (2026, 11, 25, 12, 0, 0)), content, compress_type=method)
    return made.getvalue()


def ooxml(kind: str = "docx", more: dict[str, bytes] | None = None, main: str = "") -> bytes:
    part, said = _MAIN[kind]
    types = f'<Types><Override PartName="/{part}" ContentType="application/vnd.{main or said}"/></Types>'
    return archive({"[Content_Types].xml": types.encode(), part: b"<w>Hola</w>" * 20, **(more or {})})


def odf(kind: str = "text", more: dict[str, bytes] | None = None) -> bytes:
    said = f"application/vnd.oasis.opendocument.{kind}".encode()
    return archive({"mimetype": said, "content.xml": b"<office/>" * 20, **(more or {})})


def compound(*names: str, sectors: int = 0) -> bytes:
    """An old document with streams of those names; the table of contents is two sectors, far apart."""
    entries = [name.encode("utf-16-le") for name in ("Root Entry", *names)]
    rows = b"".join(
        e.ljust(64, b"\0") + struct.pack("<HBB", len(e) + 2, 5 if n == 0 else 2, 1) + bytes(60)
        for n, e in enumerate(entries)
    ).ljust(1024, b"\0")
    last = 2 + sectors
    tables = 1
    while tables * 128 < last + 1 + tables + 1:
        tables += 1
    # tables stand at the end; the first 109 of them are listed in the head, the rest in a list behind them
    listed = [last + 1 + n for n in range(tables)]
    numbers = [last, *range(2, last), 0xFFFFFFFE, 0xFFFFFFFE, *[0xFFFFFFFD] * tables, 0xFFFFFFFC]
    after = struct.pack(f"<{len(numbers)}I", *numbers).ljust(512 * tables, b"\xff")
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", head, 44, tables, 0)
    struct.pack_into("<I", head, 68, last + 1 + tables)
    struct.pack_into("<109I", head, 76, *(listed[:109] + [0xFFFFFFFF] * max(0, 109 - tables)))
    rest = b"".join(struct.pack("<I", n) for n in listed[109:]).ljust(508, b"\xff") + b"\xfe\xff\xff\xff"
    body = rows[:512] + SECRET.ljust(512 * (last - 1), b"\0") + rows[512:]
    return bytes(head) + body + after + rest
