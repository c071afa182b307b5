"""Pictures: what was planted is gone, what one sees is the same."""

from __future__ import annotations

import struct

import pytest

from connector.toolkit import media
from connector.toolkit.media import Reason, Refused, Rules, heif_items
from connector.toolkit.media import jpeg as jpeg_file
from connector.toolkit.media import webp as webp_file

from . import pictures
from .pictures import SECRET, as_shown, chunk, frames, kinds_of_chunks, leaks, opened, picture, saved, segment

RULES = Rules()


def cleaned(content: bytes, kind: str) -> bytes:
    found = media.clean(content, RULES)
    assert found.type == kind
    assert media.clean(content, RULES) == found, "the same every time"
    again = media.clean(found.content, RULES)
    assert again.content == found.content, "nothing is left to clean"
    return found.content


def refused(content: bytes, reason: Reason, rules: Rules = RULES) -> str:
    with pytest.raises(Refused) as caught:
        media.clean(content, rules)
    assert caught.value.reason == reason, str(caught.value)
    assert not leaks(str(caught.value).encode())
    return str(caught.value)


# --- JPEG ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("progressive", [False, True])
def test_of_a_photo_stays_what_one_sees(turn: int, progressive: bool) -> None:
    before = pictures.jpeg(turn, progressive=progressive, icc_profile=pictures.profile())
    assert leaks(before)
    after = cleaned(before, "image/jpeg")
    assert not leaks(after)
    assert as_shown(after) == as_shown(before)
    assert dict(opened(after).getexif()) == ({0x0112: turn} if turn > 1 else {}), "which way up, and no more"
    assert pictures.markers(after)[: 3 + (turn > 1)] == [0xD8, 0xE0, *([0xE1] if turn > 1 else []), 0xE2]
    assert not set(pictures.markers(after)[3 + (turn > 1) :]) & set(range(0xE0, 0x100))
    assert after.endswith(b"\xff\xd9") and after.count(b"\xff\xd8\xff") == 1, "one picture, nothing behind it"


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_of_jpeg(mode: str) -> None:
    before = saved(picture().convert(mode), "JPEG", quality=80, comment=SECRET)
    after = cleaned(before, "image/jpeg")
    assert not leaks(after)
    assert opened(after).tobytes() == opened(before).tobytes()


def test_a_photo_without_anything_stays_as_it_is() -> None:
    plain = pictures.jpeg(planted=False)
    assert cleaned(plain, "image/jpeg") == plain


def test_a_profile_in_several_pieces() -> None:
    before = saved(picture(), "JPEG", icc_profile=pictures.profile().ljust(140_000, b"\0"))
    assert before.count(b"ICC_PROFILE\0") > 1
    assert as_shown(cleaned(before, "image/jpeg")) == as_shown(before)


def test_an_orientation_in_either_order_of_bytes() -> None:
    for order, head in (("<", b"II*\0"), (">", b"MM\0*")):
        block = head + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
        photo = saved(picture(), "JPEG", exif=b"Exif\0\0" + block)
        assert opened(cleaned(photo, "image/jpeg")).getexif()[0x0112] == 6


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff" + SECRET, SECRET]
)
def test_exif_that_cannot_be_read_goes_and_the_photo_stays(block: bytes) -> None:
    plain = pictures.jpeg(planted=False)
    photo = plain[:2] + segment(0xE1, b"Exif\0\0" + block) + plain[2:]
    assert cleaned(photo, "image/jpeg") == plain


@pytest.mark.parametrize("size", [(20_000, 20_000), (65_500, 65_500), (0, 5)])
def test_the_size_in_the_head_of_a_jpeg_counts(size: tuple[int, int]) -> None:
    plain = bytearray(pictures.jpeg(planted=False))
    at = plain.index(b"\xff\xc0") + 5
    plain[at : at + 4] = struct.pack(">HH", *size)
    refused(bytes(plain), Reason.BROKEN if 0 in size else Reason.PIXELS)


def test_a_jpeg_of_hundreds_of_passes() -> None:
    photo = pictures.jpeg(planted=False, progressive=True)
    last = photo.rindex(b"\xff\xda")
    refused(photo[:-2] + photo[last:-2] * jpeg_file._SCANS + b"\xff\xd9", Reason.BOMB)
    tiny = segment(0xFE, b"") * jpeg_file._SEGMENTS
    refused(photo[:2] + tiny + photo[2:], Reason.BOMB)


# --- PNG -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_of_a_png_stays_what_one_sees(turn: int, mode: str) -> None:
    before = pictures.png(turn, mode=mode)
    assert leaks(before)
    after = cleaned(before, "image/png")
    assert not leaks(after)
    assert as_shown(after) == as_shown(before)
    upright = [b"eXIf"] if turn > 1 else []
    assert kinds_of_chunks(after) == [b"IHDR", b"iCCP", *upright, b"IDAT", b"IEND"]
    assert not leaks(opened(after).info["icc_profile"])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_every_depth_of_a_png(mode: str) -> None:
    image = picture().convert("L").convert(mode) if mode != "P" else picture().quantize(16)
    before = saved(image, "PNG", transparency=1) if mode == "P" else saved(image, "PNG")
    after = cleaned(before, "image/png")
    assert opened(after).convert("RGBA").tobytes() == opened(before).convert("RGBA").tobytes()


@pytest.mark.parametrize(("form", "kind"), [("PNG", "image/png"), ("WEBP", "image/webp")])
def test_an_animation_goes_on_moving(form: str, kind: str) -> None:
    before = pictures.moving(form)
    assert leaks(before)
    after = cleaned(before, kind)
    assert not leaks(after)
    assert len(frames(after)) == 3
    assert frames(after) == frames(before)


def test_a_damaged_or_strange_png() -> None:
    plain = pictures.png(planted=False)
    damaged = bytearray(plain)
    damaged[plain.index(b"IDAT") + 9] ^= 1
    refused(bytes(damaged), Reason.BROKEN)
    end = len(plain) - 12
    refused(plain[:8] + plain[end:], Reason.BROKEN)
    refused(plain[:33] + plain[end:], Reason.BROKEN)
    refused(plain[:33] + chunk(b"NeED", b"x") + plain[33:], Reason.BROKEN)
    large = chunk(b"IHDR", struct.pack(">II", 30_000, 30_000) + plain[24:29])
    refused(plain[:8] + large + plain[33:], Reason.PIXELS)


def test_a_profile_that_unfolds_without_end_is_left_out() -> None:
    before = saved(picture(), "PNG", icc_profile=bytes(40 * 1024 * 1024))
    assert len(before) < 100_000
    assert kinds_of_chunks(cleaned(before, "image/png")) == [b"IHDR", b"IDAT", b"IEND"]


# --- WebP ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("lossless", [False, True])
def test_of_a_webp_stays_what_one_sees(turn: int, lossless: bool) -> None:
    before = pictures.webp(turn, lossless=lossless, quality=80)
    assert leaks(before)
    after = cleaned(before, "image/webp")
    assert not leaks(after)
    assert as_shown(after) == as_shown(before)
    assert opened(after).info["icc_profile"]
    assert dict(opened(after).getexif()) == ({0x0112: turn} if turn > 1 else {})


def test_a_simple_webp_stays_as_it_is() -> None:
    plain = saved(picture(), "WEBP", quality=80)
    assert b"VP8X" not in plain
    assert cleaned(plain, "image/webp") == plain
    assert cleaned(plain + SECRET, "image/webp") == plain


def test_the_size_of_a_webp_counts_wherever_it_is_said() -> None:
    rules = Rules(pixels=96 * 64 - 1)
    for before in (
        pictures.webp(planted=False),
        pictures.moving("WEBP"),
        saved(picture(), "WEBP", lossless=True),
    ):
        media.clean(before, RULES)
        refused(before, Reason.PIXELS, rules)
    # a small canvas, and a large picture on it
    small = bytearray(pictures.moving("WEBP"))
    at = small.index(b"VP8X") + 12
    small[at : at + 6] = bytes(6)
    refused(bytes(small), Reason.PIXELS, rules)
    tiny = pictures.riff(b"JUNK", b"") * webp_file._CHUNKS
    plain = saved(picture(), "WEBP")
    refused(b"RIFF" + struct.pack("<I", len(plain) - 8 + len(tiny)) + plain[8:] + tiny, Reason.BOMB)


# --- HEIC ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_of_a_telephones_heic_stays_what_one_sees(turned: int) -> None:
    before = pictures.phone_heic(turned)
    assert leaks(before) and opened(before).info["exif"]
    after = cleaned(before, "image/heic")
    assert not leaks(after)
    assert opened(before).size == ((64, 128) if turned % 2 else (128, 64))
    assert as_shown(after) == as_shown(before)
    assert {i.kind for i in heif_items.read(after).found.values()} == {b"grid", b"hvc1"}
    assert len(heif_items.read(after).found) == 3, "two tiles and what they make: no thumbnail, no depth map"
    shown = opened(after)
    assert not shown.info.get("exif") and not shown.info.get("xmp") and not shown.info["thumbnails"]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_heic_of_another_maker(mode: str) -> None:
    before = saved(
        picture(mode=mode), "HEIF", quality=90, exif=b"Exif\0\0" + pictures.exif(6), xmp=pictures.xmp()
    )
    assert leaks(before)
    after = cleaned(before, "image/heic")
    assert not leaks(after)
    assert opened(after).mode == opened(before).mode
    assert opened(after).tobytes() == opened(before).tobytes(), "with its transparency"


def test_a_message_inside_the_coded_picture_goes() -> None:
    items = heif_items.read(pictures.heic())
    item = items.found[items.primary]
    settings = next(p.content for p in item.properties if p.kind == b"hvcC")
    note = bytes((39 << 1, 1, 5, len(SECRET))) + SECRET + b"\x80"
    coded = len(note).to_bytes(4, "big") + note + items.content(item)
    rows = [(3, b"hvc1", coded, [1, 2], 0)]
    size = pictures.full_box(b"ispe", 0, 0, struct.pack(">II", *pictures.SIZE))
    before = pictures.container(rows, [pictures.box(b"hvcC", settings), size], [])
    after = cleaned(before, "image/heic")
    assert leaks(before) and not leaks(after)
    assert opened(after).tobytes() == opened(pictures.heic()).tobytes()


def test_the_size_of_a_heic_counts_wherever_it_is_said() -> None:
    plain = pictures.phone_heic()
    assert media.clean(plain, Rules(pixels=128 * 64))
    refused(plain, Reason.PIXELS, Rules(pixels=128 * 64 - 1))
    # a lie in the description: the coding itself says 64 x 64
    small = plain.replace(struct.pack(">II", 64, 64), struct.pack(">II", 1, 1))
    small = small.replace(struct.pack(">II", 128, 64), struct.pack(">II", 2, 2))
    small = small.replace(struct.pack(">HH", 128, 64), struct.pack(">HH", 2, 2))
    assert small != plain
    refused(small, Reason.PIXELS, Rules(pixels=64 * 64 - 1))
    # and one in the picture that is made of others
    wide = plain.replace(struct.pack(">HH", 128, 64), struct.pack(">HH", 60_000, 60_000))
    refused(wide, Reason.PIXELS)


def test_a_heic_that_says_the_same_bytes_are_many_pictures() -> None:
    count, size = 200, 100_000
    rows = [(n, b"hvc1", bytes(size if n == 1 else 0), [1, 2], 1) for n in range(1, count)]
    rows.append((300, b"grid", bytes((0, 0, 0, count - 2)) + struct.pack(">HH", 60, 60), [2], 0))
    properties = [
        pictures.box(b"hvcC", pictures.tile(1)[0]),
        pictures.full_box(b"ispe", 0, 0, struct.pack(">II", 64, 64)),
    ]
    made = bytearray(
        pictures.container(rows, properties, [(b"dimg", 300, list(range(1, count)))], primary=300)
    )
    first = made.index(b"iloc") + 8 + 2 + 2
    for n in range(1, count - 1):  # all of them lie where the first one does
        at = first + 16 * n
        made[at + 8 : at + 16] = made[first + 8 : first + 16]
    refused(bytes(made), Reason.BROKEN)


@pytest.mark.parametrize("parts", [[2] * 256, [2]])
def test_a_heic_whose_parts_are_made_of_parts_or_used_without_end(parts: list[int]) -> None:
    settings, coded = pictures.tile(1)
    inner = (b"hvc1", coded) if len(parts) > 1 else (b"grid", bytes(4) + struct.pack(">HH", 64, 64))
    rows = [
        (1, b"grid", bytes((0, 0, 15, 15)) + struct.pack(">HH", 64, 64), [2], 0),
        (2, *inner, [1, 2], 1),
        (3, b"hvc1", coded, [1, 2], 1),
    ]
    properties = [
        pictures.box(b"hvcC", settings),
        pictures.full_box(b"ispe", 0, 0, struct.pack(">II", 64, 64)),
    ]
    made = pictures.container(rows, properties, [(b"dimg", 1, parts), (b"dimg", 2, [3])], primary=1)
    refused(made, Reason.PIXELS if len(parts) > 1 else Reason.TYPE, Rules(pixels=64 * 64 * 60))


def test_a_heic_with_more_of_something_than_there_is_room_for() -> None:
    settings, coded = pictures.tile(1)
    size = pictures.full_box(b"ispe", 0, 0, struct.pack(">II", 64, 64))
    own = [1, *[2] * 200]
    refused(
        pictures.container(
            [(1, b"hvc1", coded, own, 0)], [pictures.box(b"hvcC", settings), size], [], primary=1
        ),
        Reason.BOMB,
    )
    grid = [(1, b"grid", bytes(4) + struct.pack(">HH", 64, 64), [1], 0), (2, b"hvc1", coded, [2, 1], 1)]
    twice = [(b"dimg", 1, [2] * 40_000)] * 2
    refused(pictures.container(grid, [size, pictures.box(b"hvcC", settings)], twice, primary=1), Reason.BOMB)
    many = [pictures.box(b"hvcC", settings), size, *[pictures.box(b"free")] * 10_000]
    refused(pictures.container([(1, b"hvc1", coded, [1, 2], 0)], many, [], primary=1), Reason.BOMB)


def test_other_pictures_in_the_same_container_are_no_heic() -> None:
    refused(saved(picture(), "AVIF"), Reason.TYPE)
