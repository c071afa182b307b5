"""Office documents, new (OOXML, ODF: zip) and old (compound files): what they are, and that they are no trap.

They are passed on as they are: who wrote them and when stays in them. Refused is what holds macros, is encrypted in a
way that hides what it is, is damaged, or unfolds to far more than a document does.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from .reader import Reader
from .refusal import Reason, Refused, bomb, broken

ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OOXML = "application/vnd.openxmlformats-officedocument."
_MAIN = {
    b"wordprocessingml.document.main+xml": f"{_OOXML}wordprocessingml.document",
    b"spreadsheetml.sheet.main+xml": f"{_OOXML}spreadsheetml.sheet",
    b"presentationml.presentation.main+xml": f"{_OOXML}presentationml.presentation",
}
_ODF = {f"application/vnd.oasis.opendocument.{kind}" for kind in ("text", "spreadsheet", "presentation")}
_ENTRIES = 10_000
_DIRECTORY = 2 * 1024 * 1024
_UNFOLDED = 512 * 1024 * 1024
_PIECE = 256 * 1024
_STREAMS = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
_PROGRAMS = frozenset(("Macros", "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR"))
_LISTED = 109
_END = 0xFFFFFFFA
"""Sector numbers from here on mean something else than a sector ([MS-CFB] 2.1)."""


def zipped(data: bytes) -> str:
    """The type of a document that is a zip archive. Raises ``Refused``."""
    _directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _archive(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise broken(f"an archive that cannot be unpacked ({type(error).__name__})") from None
    except RuntimeError:  # what zipfile raises when a password is needed
        raise Refused(Reason.TYPE, "an archive with a password") from None


def _directory(data: bytes) -> None:
    """Look at the table of contents before anything reads it: its size is what a reader allocates."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0:
        raise broken("an archive without a table of contents")
    read = Reader(data, end + 8, order="little")
    read.skip(2)
    count, size, start = read.u16(), read.u32(), read.u32()
    if count > _ENTRIES or size > _DIRECTORY:
        raise bomb("an archive of thousands of files")
    if data[max(0, end - 20) : end - 16] == b"PK\x06\x07" or start + size != end or read.u16() != read.left:
        raise broken("an archive in front of which or behind which there is something else")


def _archive(archive: zipfile.ZipFile) -> str:
    entries = archive.infolist()
    names = {e.filename for e in entries}
    if sum(e.file_size for e in entries) > _UNFOLDED or len(names) != len(entries):
        raise bomb("an archive that unfolds to hundreds of megabytes, or holds a file twice")
    if any(e.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for e in entries):
        raise broken("an archive that is packed as no document is")
    kind = _kind(archive, names)
    for entry in entries:
        # to its end, and no further than it says: that is also where its checksum is compared
        with archive.open(entry) as file:
            while file.read(_PIECE):
                pass
    return kind


def _kind(archive: zipfile.ZipFile, names: set[str]) -> str:
    if any(n.lower().endswith("vbaproject.bin") or n.startswith(("Basic/", "Scripts/")) for n in names):
        raise Refused(Reason.MACROS, "a document with macros")
    if "[Content_Types].xml" in names:
        with archive.open("[Content_Types].xml") as file:
            types = file.read(1024 * 1024)
        if b"macroEnabled" in types:
            raise Refused(Reason.MACROS, "a document with macros")
        found = [kind for main, kind in _MAIN.items() if main in types]
        if len(found) == 1:
            return found[0]
    elif "mimetype" in names:
        with archive.open("mimetype") as file:
            said = file.read(200).decode("ascii", "replace").strip()
        if said in _ODF:
            return said
    raise Refused(Reason.TYPE, "an archive that is no office document")


def compound(data: bytes) -> str:
    """The type of a document that is a compound file ([MS-CFB]). Raises ``Refused``."""
    names = _names(data)
    if names & _PROGRAMS:
        raise Refused(Reason.MACROS, "a document with macros")
    found = {kind for stream, kind in _STREAMS.items() if stream in names}
    if len(found) != 1:
        raise Refused(Reason.TYPE, "a compound file that is no office document, or an encrypted one")
    return found.pop()


def _names(data: bytes) -> set[str]:
    """What streams and folders there are (2.6)."""
    head = Reader(data, 30, order="little")
    shift = head.u16()
    if shift not in (9, 12):
        raise broken("a compound file with sectors of an odd size")
    size = 1 << shift
    if not _whole(data, size):
        raise broken("a compound file that ends too early")
    head.pos = 48
    sector = head.u32()
    names: set[str] = set()
    for _ in range(len(data) // size + 1):
        if sector >= _END:
            return names
        start = (sector + 1) * size
        if start + size > len(data):
            break
        for at in range(start, start + size, 128):
            length = int.from_bytes(data[at + 64 : at + 66], "little")
            if 2 <= length <= 64 and data[at + 66]:
                names.add(data[at : at + length - 2].decode("utf-16-le", "replace"))
        sector = _next(data, sector, size)
    raise broken("a compound file whose table of contents does not end")


def _next(data: bytes, sector: int, size: int) -> int:
    """The sector that follows, by the allocation table (2.3)."""
    table, at = divmod(sector, size // 4)
    return _number(data, (_table(data, table, size) + 1) * size + 4 * at)


def _table(data: bytes, number: int, size: int) -> int:
    """In which sector a part of the allocation table is; the head says, or a list of sectors (2.5)."""
    if number < _LISTED:
        return _number(data, 76 + 4 * number)
    further, entry = divmod(number - _LISTED, size // 4 - 1)
    listed = _number(data, 68)
    for _ in range(further):
        listed = _number(data, (listed + 2) * size - 4)
    return _number(data, (listed + 1) * size + 4 * entry)


def _whole(data: bytes, size: int) -> bool:
    """Whether the last sector that is in use is there."""
    count = _number(data, 44)
    if count > len(data) // size:
        return False
    for number in reversed(range(count)):
        start = (_table(data, number, size) + 1) * size
        if start + size > len(data):
            return False
        used = data[start : start + size].rstrip(b"\xff")
        if used:
            last = number * (size // 4) + (len(used) - 1) // 4
            return (last + 1) * size < len(data)
    return False


def _number(data: bytes, place: int) -> int:
    return Reader(data, min(place, len(data)), order="little").u32()
