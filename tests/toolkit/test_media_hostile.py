"""Files cut off, damaged and made up: taken or refused, never anything else, and never for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.toolkit import media
from connector.toolkit.media import TYPES, Clean, Refused, Rules
from connector.toolkit.media.isobmff import boxes
from tests.fuzz import examples

from . import files, pictures
from .pictures import leaks, picture, saved
from .test_media_documents import SAMPLES

RULES = Rules()
SMALL = {
    "image/jpeg": pictures.jpeg(planted=False),
    "image/png": saved(picture(size=(24, 16)), "PNG"),
    "image/webp": pictures.webp(planted=False, quality=50),
    "image/heic": pictures.phone_heic(1),
    "video/mp4": files.recording(),
    "audio/ogg": files.ogg(),
    "audio/amr": files.AMR,
    "application/pdf": files.PDF,
    "application/msword": files.compound("WordDocument"),
    "application/vnd.oasis.opendocument.text": files.odf("text"),
    next(k for k, e in TYPES.items() if e == ("docx",)): files.ooxml("docx"),
}

BORDERS = {
    "audio/amr": range(6, 6 + 32 * 6, 32),
    "audio/ogg": [n for n in range(1, len(SMALL["audio/ogg"])) if SMALL["audio/ogg"].startswith(b"OggS", n)],
}
"""Where a recording may end, as one does whose recorder was switched off."""


def taken(content: bytes) -> Clean | None:
    """The result, None when it was refused; anything else is an error."""
    try:
        return media.clean(content, RULES)
    except Refused as error:
        assert str(error)
        return None


def essential(kind: str) -> int:
    """How much of a sample there must be: what comes after the picture or recording may be missing."""
    content = SMALL[kind]
    last = {"image/heic": b"mdat", "video/mp4": b"moov"}.get(kind)
    if last:
        return next(b.end for b in boxes(content) if b.kind == last)
    # the last line end of a PDF; the last sector of an old document, which some programs leave short
    return len(content) - {"application/pdf": 1, "application/msword": 511}.get(kind, 0)


@pytest.mark.parametrize("kind", SMALL)
def test_cut_off_anywhere_it_is_refused(kind: str) -> None:
    whole = SMALL[kind]
    assert taken(whole)
    step = 1 if len(whole) < 6000 else 7
    for end in range(4, essential(kind), step):
        found = taken(whole[:end])
        if end in BORDERS.get(kind, ()):
            continue
        assert found is None or found.type == "text/plain", f"taken though cut off after {end} bytes"


@given(st.binary(max_size=300), st.sampled_from(sorted({s[:12] for s in SAMPLES.values()})))
@settings(max_examples=examples(400), deadline=None)
def test_anything_at_all(content: bytes, head: bytes) -> None:
    taken(content)
    taken(head + content)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample with bytes changed, taken out, doubled or put in, mostly where it says what follows."""
    content = bytearray(draw(st.sampled_from(list(SAMPLES.values()))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 400) - 1))
        what = draw(st.sampled_from(["set", "flip", "number", "out", "in", "double"]))
        span = draw(st.integers(1, 8) | st.integers(1, 200))
        if what == "set":
            content[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]))
        elif what == "flip":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "number":
            content[at : at + 4] = draw(st.sampled_from([0, 1, 7, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])).to_bytes(
                4, "big"
            )
        elif what == "out":
            del content[at : at + span]
        elif what == "in":
            content[at:at] = draw(st.binary(min_size=1, max_size=12))
        else:
            content[at:at] = content[at : at + span]
        if not content:
            break
    return bytes(content)


@given(damaged())
@settings(max_examples=examples(400), deadline=None)
def test_a_damaged_file_is_taken_or_refused(content: bytes) -> None:
    found = taken(content)
    if found is not None:
        assert media.clean(found.content, RULES) == found, "what was cleaned is clean"


@given(st.integers(0, 255), st.data())
@settings(max_examples=examples(300), deadline=None)
def test_a_damaged_description_hides_nothing(turn: int, data: st.DataObject) -> None:
    """Whatever is wrong inside EXIF, nothing but which way up comes through."""
    block = bytearray(pictures.exif(6))
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(0, min(120, len(block)) - 1))] = data.draw(st.integers(0, 255))
    plain = pictures.jpeg(planted=False)
    photo = plain[:2] + pictures.segment(0xE1, b"Exif\0\0" + bytes(block)) + plain[2:]
    after = media.clean(photo, RULES).content
    assert not leaks(after) and len(after) - len(plain) in (0, 36)
