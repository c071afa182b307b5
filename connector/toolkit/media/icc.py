"""Colour profiles: what a picture's colours need stays, names, dates, makers and texts go (ICC.1:2022).

A profile may say which screen or camera it was made for, with a serial number and the date.
"""

from __future__ import annotations

import struct

from .reader import Reader
from .refusal import Refused

LARGEST = 4 * 1024 * 1024
_HEADER = 128
_TAGS = 100
_KEPT = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"), (b"XYZ ",)),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), (b"curv", b"para")),
    **dict.fromkeys(
        (b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"), (b"mft1", b"mft2", b"mAB ", b"mBA ")
    ),
    b"chad": (b"sf32",),
    b"cicp": (b"cicp",),
}
"""What colours are computed from, by tag, with the types that may stand there."""
_NAME = b"icc"


def clean(profile: bytes) -> bytes | None:
    """The same colours without anything else; None when it is no profile that can be read."""
    try:
        return _clean(profile)
    except Refused:
        return None


def _clean(profile: bytes) -> bytes | None:
    if len(profile) > LARGEST or profile[36:40] != b"acsp":
        return None
    read = Reader(profile)
    head = bytearray(read.take(_HEADER))
    count = read.u32()
    if count > _TAGS:
        return None
    found: dict[bytes, bytes] = {}
    for _ in range(count):
        tag, start, size = read.take(4), read.u32(), read.u32()
        data = Reader(profile, min(start, len(profile))).take(size)
        if data[:4] in _KEPT.get(tag, ()):
            found[tag] = data
    if not found:
        return None
    # maker of the module, date, platform, maker and model of the device, creator, digest, and what is reserved
    for start, end in ((4, 8), (24, 36), (40, 44), (48, 56), (80, 128)):
        head[start:end] = bytes(end - start)
    newer = head[8] >= 4
    text = _localised() if newer else b"text" + bytes(4) + _NAME + b"\0"
    found[b"cprt"], found[b"desc"] = text, text if newer else _description()
    return _build(head, found)


def _build(head: bytearray, tags: dict[bytes, bytes]) -> bytes:
    table, body, places = bytearray(), bytearray(), dict[bytes, int]()
    start = _HEADER + 4 + 12 * len(tags)
    for tag in sorted(tags):
        data = tags[tag]
        if data not in places:  # the three curves are mostly one
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += tag + places[data].to_bytes(4, "big") + len(data).to_bytes(4, "big")
    head[0:4] = (start + len(body)).to_bytes(4, "big")
    return bytes(head) + len(tags).to_bytes(4, "big") + bytes(table) + bytes(body)


def _localised() -> bytes:
    """The required texts of version 4: one record, in no language."""
    words = _NAME.decode().encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(words), 28) + words


def _description() -> bytes:
    """The required text of version 2."""
    return b"desc" + bytes(4) + (len(_NAME) + 1).to_bytes(4, "big") + _NAME + bytes(1 + 4 + 4 + 2 + 1 + 67)
