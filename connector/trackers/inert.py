"""Citizens' words and file names on their way into a tracker: what every adapter needs, whatever markup follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from connector.core.ticket import NewTicket, Place

ZWSP = "\u200b"
MAX_BYTES = 48_000
"""UTF-8 bytes of a text; MySQL's TEXT, where a tracker may keep it, holds 65 535 with all markup."""
CUT = "[…]"
"""Stands where a text was cut."""

_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029\u0085\v\f]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_NOT_CHARACTERS = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LABEL = re.compile(r"[^\w '’().·/-]|_")
_SCHEME = re.compile(r"(?<=:)(?=//)")
_REFERENCE_AT_END = re.compile(r"\[([A-Z0-9]{2,6}(?:-[A-Z0-9]+)+)\]\s*$")
_FILENAME_BAD = re.compile(r"[/?%*:|\"'<>\\\x00-\x1f\x7f]+")
_LONGEST_FILENAME = 120


def clean(text: str, max_bytes: int = MAX_BYTES) -> str:
    """Without control characters and NUL (servers store them), line ends ``\\n``, non-characters replaced.

    Cut to ``max_bytes`` of UTF-8, visibly.
    """
    text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    text = _NOT_CHARACTERS.sub("\ufffd", text)
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text
    room = max(max_bytes - len(f"\n{CUT}".encode()), 0)
    return raw[:room].decode(errors="ignore").rstrip() + f"\n{CUT}"


def one_line(text: str, max_bytes: int = 4_000) -> str:
    """Cleaned, on one line, and without characters that turn the direction of what follows on that line."""
    return " ".join(_DIRECTIONS.sub("", clean(text, max_bytes)).split())


def subject(words: str, reference: str, limit: int = 255, measure: Callable[[str], int] = len) -> str:
    """«first words… [REFERENCE]», at most ``limit`` by ``measure`` (characters, unless the tracker counts bytes), the
    reference always whole and last."""
    tail = f"[{reference}]"
    head = one_line(words)
    room = limit - measure(tail) - 1
    if measure(head) > room:
        cut = head[:room]
        while cut and measure(cut) > room - measure("…"):
            cut = cut[:-1]
        space = cut.rfind(" ")
        head = (cut[:space] if space > len(cut) // 2 else cut).rstrip() + "…"
    return f"{head} {tail}" if head else tail


def reference_in(subject: str) -> str | None:
    """The reference that ``subject`` put at the end, None when there is none."""
    match = _REFERENCE_AT_END.search(subject)
    return match[1] if match else None


def plain(text: str) -> str:
    """For a tracker that shows text as it is and at most makes links of addresses: cleaned, addresses broken up."""
    return _SCHEME.sub(ZWSP, clean(text))


def label(text: str) -> str:
    """A label of ours, without anything that could be markup."""
    return _LABEL.sub(" ", one_line(text)).strip() or "-"


def description(
    ticket: NewTicket, place_label: str, map_url: str, *, quiet: Callable[[str], str] = plain
) -> str:
    """What a ticket says: the citizen's words, then the facts, then the places with coordinates and a link to a map, with
    empty lines between. ``quiet`` makes a citizen's words do nothing on the page that staff see."""
    parts = [quiet(ticket.words)]
    parts += [_fact(name, value, quiet) for name, value in ticket.facts]
    for place in ticket.places:
        latitude, longitude = coordinates(place)
        said = ", ".join(part for part in (place.name, place.address) if part.strip())
        where = f"{said} ({latitude}, {longitude})" if said else f"{latitude}, {longitude}"
        parts += [_fact(place_label, where, quiet), map_url.format(latitude=latitude, longitude=longitude)]
    return "\n\n".join(part for part in parts if part.strip())


def coordinates(place: Place) -> tuple[str, str]:
    """Latitude and longitude as they are written on a ticket: to the millimetre, and never as 1e-05."""
    return f"{place.latitude:.8f}", f"{place.longitude:.8f}"


def _fact(name: str, value: str, quiet: Callable[[str], str]) -> str:
    return f"{label(name)}: {quiet(one_line(value)) or '-'}"


def filename(name: str) -> str:
    """A file name without a folder, forbidden characters as ``_``; 120 characters at most."""
    name = _FILENAME_BAD.sub("_", one_line(re.split(r"[/\\]", name)[-1])) or "fitxer"
    path = PurePosixPath(name)
    suffix = path.suffix[:20]
    return name if len(name) <= _LONGEST_FILENAME else path.stem[: _LONGEST_FILENAME - len(suffix)] + suffix


def filename_with(name: str, digest: str) -> str:
    """The name of a file when another one of that name is there: with the beginning of its digest."""
    path = PurePosixPath(name)
    return filename(f"{path.stem[: _LONGEST_FILENAME - 40]}-{digest[:8]}{path.suffix}")
