"""Files of people: what they are by their content, and the same without what says more than one sees or hears.

Pure functions, bytes in, bytes out, no pixel decoded: the code that others found holes in, decoders, is not run on
strangers' files. What a file is called or said to be does not count. See ``docs/decisions/0008-files.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from . import heif, jpeg, mp4, office, ogg, plain, png, webp
from .refusal import Reason, Refused

__all__ = ["TYPES", "Clean", "Reason", "Refused", "Rules", "clean", "filename", "suffix"]

MB = 1024 * 1024
TYPES: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png", "apng"),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif"),
    "video/mp4": ("mp4", "m4v"),
    "video/3gpp": ("3gp", "3gpp", "3g2"),
    "video/quicktime": ("mov", "qt"),
    "audio/ogg": ("ogg", "opus", "oga"),
    "audio/mp4": ("m4a", "mp4"),
    "audio/mpeg": ("mp3",),
    "audio/aac": ("aac",),
    "audio/amr": ("amr", "awb"),
    "application/pdf": ("pdf",),
    "text/plain": ("txt", "text", "csv", "md", "log"),
    "application/msword": ("doc", "dot"),
    "application/vnd.ms-excel": ("xls", "xlt"),
    "application/vnd.ms-powerpoint": ("ppt", "pps"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
}
"""Every type that is known by its content, with the endings of names it may have; the first is the usual one."""
_ENDINGS = frozenset(ending for endings in TYPES.values() for ending in endings)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is accepted. ``most`` is in bytes, ``pixels`` of one picture, width times height."""

    accept: frozenset[str] = frozenset(TYPES)
    most: int = 100 * MB
    pixels: int = 128_000_000


@dataclass(frozen=True, slots=True)
class Clean:
    """A file that may be passed on; ``type`` is one of ``TYPES``."""

    content: bytes
    type: str


def clean(data: bytes, rules: Rules) -> Clean:
    """The file as it may be passed on; the same bytes give the same result. Raises ``Refused``."""
    if not data:
        raise Refused(Reason.BROKEN, "it is empty")
    if len(data) > rules.most:
        raise Refused(Reason.SIZE, f"{len(data)} bytes, more than {rules.most}")
    found = _clean(data, rules.pixels)
    if found.type not in rules.accept:
        raise Refused(Reason.TYPE, f"{found.type} is not accepted")
    return found


def _clean(data: bytes, most: int) -> Clean:
    if data.startswith(jpeg.MAGIC):
        return Clean(jpeg.clean(data, most), "image/jpeg")
    if data.startswith(png.MAGIC):
        return Clean(png.clean(data, most), "image/png")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Clean(webp.clean(data, most), "image/webp")
    if data[4:8] == b"ftyp":
        if data[8:12] in _PICTURES:
            return Clean(heif.clean(data, most), "image/heic")
        return Clean(*mp4.clean(data))
    if data.startswith(ogg.MAGIC):
        return Clean(ogg.clean(data), "audio/ogg")
    if data.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        plain.amr(data)
        return Clean(data, "audio/amr")
    if data.startswith(b"%PDF-"):
        plain.pdf(data)
        return Clean(data, "application/pdf")
    if data.startswith(office.ZIP):
        return Clean(data, office.zipped(data))
    if data.startswith(office.COMPOUND):
        return Clean(data, office.compound(data))
    if data[:2] in (b"\xff\xf0", b"\xff\xf1", b"\xff\xf8", b"\xff\xf9"):
        plain.aac(data)
        return Clean(data, "audio/aac")
    if data.startswith(b"ID3") or (data[0] == 0xFF and len(data) > 1 and data[1] & 0xE6 == 0xE2):
        return Clean(plain.mp3(data), "audio/mpeg")
    if plain.text(data):
        return Clean(data, "text/plain")
    raise Refused(Reason.TYPE, "its content is of no type that is known")


_PICTURES = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"))


def suffix(kind: str) -> str:
    """The usual ending of a type's file names, with its dot; "" for a type that is not known."""
    return f".{TYPES[kind][0]}" if kind in TYPES else ""


def filename(name: str, kind: str) -> str:
    """``name`` with an ending that says what the file is."""
    path = PurePosixPath(name)
    ending = path.suffix.removeprefix(".").lower()
    if ending in TYPES[kind]:
        return name
    return (path.stem if ending in _ENDINGS else name) + suffix(kind)
