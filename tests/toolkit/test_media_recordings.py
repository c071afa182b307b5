"""Recordings: descriptions are blotted out, what is seen and heard stays where it is."""

from __future__ import annotations

import struct

import pytest

from connector.toolkit import media
from connector.toolkit.media import Reason, Refused, Rules, plain
from connector.toolkit.media.isobmff import box, boxes, full_box

from . import files
from .files import HEARD, KEPT_TO_ITSELF, SECRET, SEEN, recording
from .pictures import leaks
from .test_media_pictures import cleaned, refused


@pytest.mark.parametrize(
    ("brand", "tracks", "kind"),
    [
        (b"isom", (b"vide", b"soun", b"meta"), "video/mp4"),
        (b"mp42", (b"vide", b"text", b"soun"), "video/mp4"),
        (b"3gp4", (b"vide", b"soun"), "video/3gpp"),
        (b"qt  ", (b"meta", b"vide", b"soun"), "video/quicktime"),
        (b"M4A ", (b"soun",), "audio/mp4"),
        (b"mp42", (b"soun", b"meta"), "audio/mp4"),
    ],
)
def test_of_a_recording_stays_what_one_sees_and_hears(
    brand: bytes, tracks: tuple[bytes, ...], kind: str
) -> None:
    before = recording(brand, tracks=tracks)
    after = cleaned(before, kind)
    assert leaks(before) and not leaks(after)
    assert len(after) == len(before), "nothing moved"
    for content in (c for c, of in ((SEEN, b"vide"), (HEARD, b"soun")) if of in tracks):
        assert after.find(content) == before.find(content) > 0
    assert [b.start for b in boxes(after)] == [b.start for b in boxes(before)]
    for trace in (b"xyz", b"loci", b"location", b"appl", struct.pack(">I", 0xC0FFEE00), b"uuid", b"sefd"):
        assert trace not in after
    assert after.count(b"trak") == sum(t in (b"vide", b"soun") for t in tracks)


TABLES = {
    "one size for all": [
        full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, 2, 1)),
        full_box(b"stsz", 0, 0, struct.pack(">II", len(KEPT_TO_ITSELF) // 2, 2)),
    ],
    "small sizes": [
        full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, 2, 1)),
        full_box(b"stz2", 0, 0, struct.pack(">IIBB", 8, 2, len(KEPT_TO_ITSELF) // 2, len(KEPT_TO_ITSELF) // 2)),
    ],
    "tiny sizes": [
        full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, len(KEPT_TO_ITSELF) // 12, 1)),
        full_box(b"stz2", 0, 0, struct.pack(">II", 4, len(KEPT_TO_ITSELF) // 12), b"\xcc" * (len(KEPT_TO_ITSELF) // 24)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("label", TABLES)
@pytest.mark.parametrize("wide", [False, True])
def test_what_other_tracks_recorded_goes_however_it_is_listed(label: str, wide: bool) -> None:
    place = recording().index(KEPT_TO_ITSELF)
    where = full_box(b"co64" if wide else b"stco", 0, 0, struct.pack(">IQ" if wide else ">II", 1, place))
    before = recording(hidden=[*TABLES[label], where])
    after = cleaned(before, "video/mp4")
    assert leaks(before) and not leaks(after)


def test_a_track_in_many_chunks() -> None:
    place, half = recording().index(KEPT_TO_ITSELF), len(KEPT_TO_ITSELF) // 6
    tables = [
        full_box(b"stsc", 0, 0, struct.pack(">I6I", 2, 1, 1, 1, 3, 2, 1)),
        full_box(b"stsz", 0, 0, struct.pack(">II", half, 6)),
        full_box(
            b"stco", 0, 0, struct.pack(">I4I", 4, place, place + half, place + 2 * half, place + 4 * half)
        ),
    ]
    assert not leaks(cleaned(recording(hidden=tables), "video/mp4"))


def test_a_description_cannot_have_the_rest_blotted_out() -> None:
    head = recording().index(b"moov")
    refused(recording(where=head), Reason.BROKEN)
    refused(recording(where=1 << 31), Reason.BROKEN)
    endless = [
        full_box(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, 1, 1)),
        full_box(b"stsz", 0, 0, struct.pack(">II", 40, 10_000)),
        full_box(
            b"stco", 0, 0, struct.pack(">I", 10_000), struct.pack(">I", recording().index(SEEN)) * 10_000
        ),
    ]
    refused(recording(hidden=endless), Reason.BROKEN)


def test_a_recording_that_is_none_or_not_whole() -> None:
    refused(recording(tracks=(b"meta",)), Reason.TYPE)
    refused(box(b"ftyp", b"isom", bytes(4)) + box(b"moov"), Reason.BROKEN)
    refused(box(b"ftyp", b"isom", bytes(4)) + box(b"mdat", SECRET), Reason.BROKEN)
    elsewhere = recording().replace(full_box(b"url ", 0, 1), full_box(b"url ", 0, 0))
    refused(elsewhere, Reason.BROKEN)


def test_recordings_in_fragments() -> None:
    fragment = box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), box(b"udta", SECRET),
                   box(b"traf", full_box(b"tfhd", 0, 0, bytes(4)), box(b"uuid", SECRET)))  # fmt: skip
    before = recording(tracks=(b"vide",)) + fragment + box(b"mdat", SEEN)
    after = cleaned(before, "video/mp4")
    assert leaks(before) and not leaks(after) and after.count(SEEN) == 2
    refused(recording() + fragment + box(b"mdat", SEEN), Reason.TYPE)


def test_what_follows_a_recording_is_left_out_and_a_part_of_it_is_missed() -> None:
    whole = recording()
    assert cleaned(whole + b"\0\0\0", "video/mp4") == cleaned(whole, "video/mp4")
    assert cleaned(whole + b"SEFT" + SECRET, "video/mp4") == cleaned(whole, "video/mp4")
    refused(whole + box(b"mdat", SEEN)[:-1], Reason.BROKEN)


# --- sound -----------------------------------------------------------------------------------------


def test_the_comments_of_a_voice_message_are_empty() -> None:
    before = files.ogg()
    after = cleaned(before, "audio/ogg")
    assert leaks(before) and not leaks(after) and b"Lavf" not in after
    assert len(after) == len(before) and b"OpusTags" + bytes(8) in after
    start = 0
    for place in [n for n in range(1, len(after)) if after.startswith(b"OggS", n)] + [len(after)]:
        said = after[start:place]
        blank = said[:22] + bytes(4) + said[26:]
        assert struct.unpack("<I", said[22:26])[0] == files.checksum(blank)
        start = place


def test_an_ogg_file_that_is_no_sound_or_not_whole() -> None:
    whole = files.ogg()
    damaged = bytearray(whole)
    damaged[-1] ^= 1
    refused(bytes(damaged), Reason.BROKEN)
    refused(files.page(0, [b"\x80theora"], flags=2) + whole[47:], Reason.TYPE)
    refused(whole + files.page(0, [b"OpusHead"], flags=2, stream=8), Reason.TYPE)
    refused(files.page(0, [b"OpusHead" + bytes(11)], flags=2), Reason.BROKEN)


def test_an_mp3_without_its_tags() -> None:
    assert cleaned(files.mp3(), "audio/mpeg") == files.mp3(planted=False)


def test_other_sound_is_passed_on_as_it_is() -> None:
    assert cleaned(files.AAC, "audio/aac") == files.AAC
    assert cleaned(files.AMR, "audio/amr") == files.AMR
    refused(files.AMR[:-3], Reason.BROKEN)
    refused(b"#!AMR\n", Reason.BROKEN)
    refused(b"#!AMR\n" + b"\x7c" * 500_000, Reason.BOMB)
    refused(b"\xff\xf1" + SECRET, Reason.TYPE)
    refused(b"ID3\x04\0\0\0\0\0\x05" + SECRET, Reason.TYPE)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ("fffb9000", 417),
        ("fffb9200", 418),
        ("fff3a000", 313),
        ("ffe3a400", 576),
        ("fffd9000", 0),
        ("ffeb9000", 0),
        ("fffbf000", 0),
    ],
)
def test_sizes_of_frames(head: str, size: int) -> None:
    assert plain._mpeg(bytes.fromhex(head)) == size


def test_a_tag_in_a_tag_in_a_tag_takes_no_time() -> None:
    with pytest.raises(Refused):
        media.clean(b"ID3\x04\0\0\0\0\0\0" * 200_000, Rules())
