"""Pictures made here, with something to be found planted in every place that a format has for it."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib

import pillow_heif
from PIL import Image, ImageCms, PngImagePlugin

from connector.toolkit.media import heif_items
from connector.toolkit.media.isobmff import box, full_box

pillow_heif.register_heif_opener()

SECRET = b"PLANTED-41.6230N-2.6650E"
SIZE = (96, 64)


def leaks(content: bytes) -> list[str]:
    """What is found of ``SECRET``, in the clear or as UTF-16."""
    wide = SECRET.decode()
    forms = {
        "plain": SECRET,
        "utf-16-le": wide.encode("utf-16-le"),
        "utf-16-be": wide.encode("utf-16-be"),
    }
    return [name for name, form in forms.items() if form in content]


def picture(seed: int = 1, size: tuple[int, int] = SIZE, mode: str = "RGB") -> Image.Image:
    """Coarse noise: every turn, cut or swapped colour shows."""
    rough = Image.frombytes(mode, (6, 4), random.Random(seed).randbytes(6 * 4 * len(mode)))
    return rough.resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    made = io.BytesIO()
    image.save(made, form, **options)
    return made.getvalue()


def opened(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Image appears to be a malformed MPO")
        image = Image.open(io.BytesIO(content))
    image.load()
    return image


def frames(content: bytes) -> list[tuple[bytes, int]]:
    """Pixels and duration of each frame of an animation."""
    image = Image.open(io.BytesIO(content))
    found = []
    for n in range(getattr(image, "n_frames", 1)):
        image.seek(n)
        found.append((image.convert("RGBA").tobytes(), int(image.info.get("duration", 0))))
    return found


def exif(turn: int = 1) -> bytes:
    """A TIFF block with place, maker, note of the maker, comment and thumbnail."""
    made = Image.Exif()
    made[0x0112] = turn
    made[0x010F] = SECRET.decode()
    made[0x9C9B] = SECRET.decode().encode("utf-16-le")
    made.get_ifd(0x8769)[0x927C] = SECRET
    made.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + SECRET
    made.get_ifd(0x8825).update(
        {1: "N", 2: (41.0, 37.0, 22.8), 3: "E", 4: (2.0, 39.0, 54.0), 29: SECRET.decode()}
    )
    return made.tobytes().removeprefix(b"Exif\0\0") + jpeg_thumbnail()


def jpeg_thumbnail() -> bytes:
    return saved(picture(9, (16, 12)), "JPEG", comment=SECRET)


def xmp() -> bytes:
    words = SECRET.decode()
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>{words}</exif:GPSLatitude></x:xmpmeta>'.encode()


def profile(planted: bool = True) -> bytes:
    """A colour profile that changes colours (red and green are swapped), made by somebody for something."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = made.index(b"rXYZ"), made.index(b"gXYZ")
    made[red : red + 4], made[green : green + 4] = b"gXYZ", b"rXYZ"
    if planted:
        made[48:56] = SECRET[:8]
        made += SECRET
        (count,) = struct.unpack_from(">I", made, 128)
        # one tag more: everything behind the table moves by its size
        for n in range(count):
            place = 132 + 12 * n + 4
            struct.pack_into(">I", made, place, struct.unpack_from(">I", made, place)[0] + 12)
        words = b"text\0\0\0\0" + SECRET + b"\0"
        made[132 + 12 * count : 132 + 12 * count] = struct.pack(">4sII", b"ser#", len(made) + 12, len(words))
        made += words
        struct.pack_into(">I", made, 128, count + 1)
        struct.pack_into(">I", made, 0, len(made))
    return bytes(made)


def as_shown(content: bytes) -> bytes:
    """Pixels as a screen shows them: turned, and with the colours the profile says."""
    image = opened(content)
    turned = image.copy()
    exif_of = image.getexif().get(0x0112, 1)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    if exif_of in turns:
        turned = turned.transpose(turns[exif_of])
    colours = image.info.get("icc_profile")
    if colours and turned.mode == "RGB":
        own = ImageCms.ImageCmsProfile(io.BytesIO(colours))
        turned = ImageCms.profileToProfile(turned, own, ImageCms.createProfile("sRGB"))
    return turned.convert("RGBA").tobytes()


# --- JPEG ------------------------------------------------------------------------------------------


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(turn: int = 1, *, planted: bool = True, **options: object) -> bytes:
    """A photo as a telephone makes it: everything in it that a photo can have."""
    plain = saved(picture(), "JPEG", quality=85, **options)
    if not planted:
        return plain
    extra = [
        segment(0xE0, b"JFXX\0\x10" + jpeg_thumbnail()),
        segment(0xE1, b"Exif\0\0" + exif(turn)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + xmp()),
        segment(0xE2, b"MPF\0" + SECRET),
        segment(0xED, b"Photoshop 3.0\0008BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET)) + SECRET),
        *(segment(0xE0 + n, SECRET) for n in range(16)),
        segment(0xFE, SECRET),
    ]
    jfif, rest = plain[2:20], plain[20:]
    assert jfif[:9] == b"\xff\xe0\0\x10JFIF\0"
    thumbnail = segment(0xE0, jfif[4:16] + b"\x04\x02" + SECRET)
    motion = plain + box(b"ftyp", b"mp42", bytes(4)) + box(b"moov", SECRET) + b"SEFT" + SECRET
    return b"\xff\xd8" + thumbnail + b"".join(extra) + rest + motion


def markers(content: bytes) -> list[int]:
    """The segments of a JPEG up to the first coded data."""
    found, pos = [content[1]], 2
    while found[-1] != 0xDA:
        found.append(content[pos + 1])
        pos += 2 + int.from_bytes(content[pos + 2 : pos + 4], "big")
    return found


# --- PNG -------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(turn: int = 1, *, planted: bool = True, mode: str = "RGB", **options: object) -> bytes:
    if not planted:
        return saved(picture(mode=mode), "PNG", **options)
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET.decode())
    words.add_text("Packed", SECRET.decode(), zip=True)
    words.add_itxt("XML:com.adobe.xmp", xmp().decode())
    made = saved(picture(mode=mode), "PNG", pnginfo=words, exif=exif(turn), icc_profile=profile(), **options)
    end = made.rindex(b"IEND") - 4
    more = (
        chunk(b"tIME", b"\x07\xea\x0b\x19\x0c\0\0") + chunk(b"prVt", SECRET) + chunk(b"tEXt", b"x\0" + SECRET)
    )
    # what a picture that was cut leaves behind its end: the rest of the picture before
    return made[:end] + more + made[end:] + made[100:] + SECRET


def kinds_of_chunks(content: bytes) -> list[bytes]:
    pos, found = 8, []
    while pos < len(content):
        (size,) = struct.unpack_from(">I", content, pos)
        found.append(content[pos + 4 : pos + 8])
        pos += 12 + size
    return found


# --- WebP ------------------------------------------------------------------------------------------


def riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(turn: int = 1, *, planted: bool = True, **options: object) -> bytes:
    image = picture(mode="RGBA")
    if not planted:
        return saved(image, "WEBP", **options)
    made = saved(image, "WEBP", exif=exif(turn), xmp=xmp(), icc_profile=profile(), **options)
    body = made[12:] + riff(b"PRVT", SECRET) + riff(b"EXIF", SECRET)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body + SECRET


def moving(form: str) -> bytes:
    """An animation of three frames."""
    rest = [picture(n, mode="RGBA") for n in (2, 3)]
    options = {"lossless": True} if form == "WEBP" else {}
    return saved(picture(1, mode="RGBA"), form, save_all=True, append_images=rest, duration=[80, 120, 160],
                 loop=0, exif=exif(), **options)  # fmt: skip


# --- HEIC ------------------------------------------------------------------------------------------


def heic(seed: int = 1, size: tuple[int, int] = SIZE, **options: object) -> bytes:
    return saved(picture(seed, size), "HEIF", quality=90, **options)


def tile(seed: int) -> tuple[bytes, bytes]:
    """Settings and coded picture of one tile of 64 x 64."""
    items = heif_items.read(heic(seed, (64, 64)))
    item = items.found[items.primary]
    return next(p.content for p in item.properties if p.kind == b"hvcC"), items.content(item)


def phone_heic(turned: int = 0) -> bytes:
    """A picture as a telephone makes it: tiles, thumbnail, EXIF, XMP, depth map, further data, all as items."""
    tiles = [tile(1), tile(2)]
    thumbnail = tile(3)
    rows: list[tuple[int, bytes, bytes, list[int], int]] = []  # id, kind, content, properties, hidden
    common = [2, 3]
    rows += [(n, b"hvc1", coded, [n + 3, *common], 1) for n, (_, coded) in enumerate(tiles, start=1)]
    rows.append(
        (3, b"grid", bytes((0, 0, 0, 1)) + struct.pack(">HH", 128, 64), [1, 3, *([7] if turned else [])], 0)
    )
    rows.append((4, b"hvc1", thumbnail[1], [6, *common], 1))
    rows.append((5, b"Exif", bytes(4) + exif(), [], 1))
    rows.append((6, b"mime", xmp(), [], 1))
    rows.append((7, b"hvc1", tiles[0][1], [4, *common, 8], 1))
    rows.append((8, b"uri ", SECRET, [], 1))
    properties = [
        full_box(b"ispe", 0, 0, struct.pack(">II", 128, 64)),
        full_box(b"ispe", 0, 0, struct.pack(">II", 64, 64)),
        box(b"colr", b"prof", profile()),
        *(box(b"hvcC", settings + SECRET) for settings, _ in (*tiles, thumbnail)),
        box(b"irot", bytes((turned,))),
        full_box(b"auxC", 0, 0, b"urn:mpeg:hevc:2015:auxid:2\0" + SECRET),
        full_box(b"udes", 0, 0, SECRET + b"\0"),
        box(b"uuid", SECRET),
    ]
    references = [
        (b"dimg", 3, [1, 2]), (b"thmb", 4, [3]), (b"cdsc", 5, [3]), (b"cdsc", 6, [3]), (b"auxl", 7, [3]),
    ]  # fmt: skip
    return container(rows, properties, references)


def container(
    rows: list[tuple[int, bytes, bytes, list[int], int]],
    properties: list[bytes],
    references: list[tuple[bytes, int, list[int]]],
    primary: int = 3,
) -> bytes:
    ftyp = box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")

    def infe(number: int, kind: bytes, hidden: int) -> bytes:
        more = {b"mime": b"application/rdf+xml\0", b"uri ": SECRET + b"\0"}.get(kind, b"")
        return full_box(b"infe", 2, hidden, struct.pack(">HH4s", number, 0, kind), SECRET + b"\0", more)

    def meta(offset: int) -> bytes:
        places, inside = [], b""
        for number, kind, content, _, _ in rows:
            if kind == b"grid":
                places.append(struct.pack(">HHHHII", number, 1, 0, 1, len(inside), len(content)))
                inside += content
            else:
                places.append(struct.pack(">HHHHII", number, 0, 0, 1, offset, len(content)))
                offset += len(content)
        associated = [
            struct.pack(">HB", number, len(own)) + bytes(0x80 | n for n in own)
            for number, _, _, own, _ in rows
        ]
        refs = [box(k, struct.pack(f">HH{len(to)}H", a, len(to), *to)) for k, a, to in references]
        return full_box(
            b"meta", 0, 0,
            full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(12), SECRET, b"\0"),
            full_box(b"pitm", 0, 0, struct.pack(">H", primary)),
            full_box(b"iloc", 1, 0, b"\x44\0", struct.pack(">H", len(places)), *places),
            full_box(b"iinf", 0, 0, struct.pack(">H", len(rows)), *(infe(n, k, h) for n, k, _, _, h in rows)),
            full_box(b"iref", 0, 0, *refs),
            box(b"iprp", box(b"ipco", *properties),
                full_box(b"ipma", 0, 0, struct.pack(">I", len(rows)), *associated)),
            box(b"idat", inside),
        )  # fmt: skip

    offset = len(ftyp) + len(meta(0)) + 8
    outside = [content for _, kind, content, _, _ in rows if kind != b"grid"]
    return ftyp + meta(offset) + box(b"mdat", *outside, SECRET) + box(b"uuid", SECRET) + box(b"mpvd", SECRET)
