"""MP4, 3GP and QuickTime: what says where, when and with what it was recorded is blotted out in place.

Picture and sound stay where they are, byte for byte, and so does everything that points at them. Boxes with
descriptions («©xyz» and «loci» are places) become free space of zeros, whole tracks of other data (positions of a
drone or action camera) with everything they recorded, times and names of programs zeros (ISO/IEC 14496-12; QTFF).
"""

from __future__ import annotations

from .isobmff import Box, boxes
from .mp4_samples import samples
from .reader import Reader
from .refusal import Reason, Refused, bomb, broken

_SEEN, _HEARD = b"vide", b"soun"
_LARGEST = 16 * 1024 * 1024
_PIECES = 16
"""Places in a file where recordings lie, when some of it has to be blotted out."""
_TREE: dict[bytes, frozenset[bytes]] = {
    b"": frozenset((b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"ssix", b"prft")),
    b"moov": frozenset((b"mvhd", b"iods", b"trak", b"mvex")),
    b"mvex": frozenset((b"mehd", b"trex", b"leva")),
    b"trak": frozenset((b"tkhd", b"tapt", b"edts", b"mdia")),
    b"mdia": frozenset((b"mdhd", b"hdlr", b"minf")),
    b"minf": frozenset((b"vmhd", b"smhd", b"nmhd", b"gmhd", b"hdlr", b"dinf", b"stbl")),
    b"dinf": frozenset((b"dref",)),
    b"stbl": frozenset(
        (
            *(b"stsd", b"stts", b"ctts", b"cslg", b"stsc", b"stsz", b"stz2", b"stco", b"co64"),
            *(b"stss", b"stsh", b"stps", b"sdtp", b"subs", b"sbgp", b"sgpd", b"saiz", b"saio"),
        )
    ),
    b"moof": frozenset((b"mfhd", b"traf")),
    b"traf": frozenset((b"tfhd", b"tfdt", b"trun", b"sdtp", b"subs", b"sbgp", b"sgpd", b"saiz", b"saio")),
}
"""What may stand in what; in the others nothing is looked at, and what is not listed is blotted out."""


def clean(data: bytes) -> tuple[bytes, str]:
    """The recording without descriptions, and its type. Raises ``Refused``."""
    top = _top(data)
    kinds = {b.kind for b in top}
    if b"moov" not in kinds or not kinds & {b"mdat", b"moof"}:
        raise broken("a recording without its description, or without anything recorded")
    if sum(b.end - b.start for b in top if b.kind == b"moov") > _LARGEST:
        raise bomb("a recording that is described at a length of megabytes")
    made = bytearray(data[: top[-1].end])
    handlers: set[bytes] = set()
    for at in top:
        if at.kind == b"moov":
            handlers |= _movie(data, made, at, [b for b in top if b.kind == b"mdat"], b"moof" in kinds)
        elif at.kind == b"moof":
            _tidy(data, made, at)
        elif at.kind not in _TREE[b""]:
            _blot(made, at)
    if not handlers:
        raise Refused(Reason.TYPE, "a recording with neither picture nor sound")
    return bytes(made), _type(data, top[0], handlers)


def _top(data: bytes) -> list[Box]:
    """The boxes of the file. What follows the last one is left out, unless it is part of the recording."""
    found = []
    try:
        for at in boxes(data):
            found.append(at)
    except Refused:
        end = found[-1].end if found else 0
        if not found or data[end + 4 : end + 8] in _TREE[b""]:
            raise
    return found


def _type(data: bytes, first: Box, handlers: set[bytes]) -> str:
    brand = data[first.body : first.body + 4]
    if brand == b"qt  ":
        return "video/quicktime"
    if brand[:2] == b"3g":
        return "video/3gpp"
    return "video/mp4" if _SEEN in handlers else "audio/mp4"


def _blot(made: bytearray, at: Box) -> None:
    """Make a box free space: zeros of the same size."""
    name = at.body - 4 if at.body - at.start == 8 else at.start + 4
    made[name : name + 4] = b"free"
    made[at.body : at.end] = bytes(at.end - at.body)


def _movie(data: bytes, made: bytearray, movie: Box, media: list[Box], fragments: bool) -> set[bytes]:
    """Blot out what is not seen or heard; the handlers of what is."""
    kept = set()
    blotted = 0
    for at in _tidy(data, made, movie):
        if at.kind != b"trak":
            continue
        handler = _handler(data, at)
        if handler in (_SEEN, _HEARD):
            kept.add(handler)
            continue
        if fragments:
            raise Refused(Reason.TYPE, "a recording in fragments with other data than picture and sound")
        if len(media) > _PIECES:
            raise broken("a recording in many pieces, with other data than picture and sound")
        for start, end in samples(data, at):
            blotted += end - start
            if blotted > len(data) or not any(m.body <= start and end <= m.end for m in media):
                raise broken("what was recorded lies where it cannot")
            made[start:end] = bytes(end - start)
        _blot(made, at)
    return kept


def _tidy(data: bytes, made: bytearray, around: Box) -> list[Box]:
    """Blot out, at any depth, what is not listed in ``_TREE``; the boxes that stay, of the first level."""
    stay = []
    for at in boxes(data, around.body, around.end):
        if at.kind not in _TREE[around.kind]:
            _blot(made, at)
            continue
        stay.append(at)
        if at.kind in _TREE:
            _tidy(data, made, at)
        elif at.kind in (b"mvhd", b"tkhd", b"mdhd"):
            size = 16 if data[at.body : at.body + 1] == b"\x01" else 8  # made, changed
            Reader(data, at.body, at.end).skip(4 + size)
            made[at.body + 4 : at.body + 4 + size] = bytes(size)
        elif at.kind == b"hdlr":
            Reader(data, at.body, at.end).skip(24)
            made[at.body + 12 : at.end] = bytes(at.end - at.body - 12)  # makers and names of programs
        elif at.kind == b"dref":
            _local(data, at)
    return stay


def _handler(data: bytes, track: Box) -> bytes:
    for media in boxes(data, track.body, track.end):
        if media.kind == b"mdia":
            for at in boxes(data, media.body, media.end):
                if at.kind == b"hdlr":
                    return data[at.body + 8 : at.body + 12]
    return b""


def _local(data: bytes, at: Box) -> None:
    """What is recorded must be in this file: an address in it would be asked for by whoever plays it."""
    read = Reader(data, at.body, at.end)
    read.skip(8)
    for entry in boxes(data, read.pos, at.end):
        if data[entry.body + 3 : entry.body + 4] != b"\x01":
            raise broken("a recording that is somewhere else")
