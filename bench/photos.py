"""A photo of 12 megapixels: cleaned, against Pillow alone; and how webhooks fare meanwhile."""

from __future__ import annotations

import io
import random
import threading
import time
from collections.abc import Callable

from PIL import Image, ImageOps

from connector.toolkit.media import Rules, clean

from ._report import Options, Section
from ._stage import Server, folder, whole_way

SIZE = (4000, 3000)


def measure(options: Options) -> Section:
    section = Section("A photo of 12 megapixels")
    photo = _photo(options)
    ours, pillow = [], []
    for _ in range(options.rounds):
        ours.append(1 / _took(lambda: clean(photo, Rules())))
        pillow.append(1 / _took(lambda: _with_pillow(photo)))
    section.versus(
        "photos cleaned in a second, one core",
        ours,
        "/s",
        "Pillow: turned, written without metadata",
        pillow,
        0.8,
    )
    section.notes.append(
        f"The photo is a JPEG of {len(photo) / 1e6:.1f} MB. No pixel is decoded (docs/decisions/0008-files.md)."
    )
    with folder() as place, whole_way(place) as (way, server):
        phone = way.phone("Persona", "+34600000001")
        phone.type("Hola")
        phone.next()
        phone.tap("consent:yes")
        phone.next()
        phone.tap("menu:mayor")
        phone.next()
        alone, busy, carried = [], [], 0
        for _ in range(options.rounds):
            alone.append(_waits(server, options))
            stop = threading.Event()

            def photos(stop: threading.Event = stop) -> None:
                nonlocal carried
                while not stop.is_set():
                    phone.photo(photo)
                    carried += 1
                    time.sleep(0.5)

            sender = threading.Thread(target=photos)
            sender.start()
            busy.append(_waits(server, options))
            stop.set()
            sender.join()
        section.versus(
            "99 of 100 webhooks at a steady 50/s wait less than",
            busy,
            "ms",
            "without photos",
            alone,
            None,
            least=False,
        )
        section.notes.append(
            f"Meanwhile {carried} such photos, two a second, were fetched from WhatsApp, cleaned and stored."
        )
    return section


def _waits(server: Server, options: Options) -> float:
    rate, seconds = 50, options.of(10, 1)
    seen = server.load(count=rate * seconds, rate=rate, connections=8, seconds=seconds * 3)
    assert seen["codes"] == {"200": rate * seconds}, seen["codes"]
    return float(seen["p99"] * 1000)


def _took(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _photo(options: Options) -> bytes:
    """Noise in which every block has something, with the metadata of a phone."""
    small = Image.frombytes("RGB", (800, 600), random.Random(1).randbytes(800 * 600 * 3))
    image = small.resize(SIZE if not options.quick else (400, 300), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = 6, "Phone", "2026:11:25 10:00:00"
    made = io.BytesIO()
    image.save(made, "JPEG", quality=90, exif=exif)
    return made.getvalue()


def _with_pillow(photo: bytes) -> bytes:
    """The least one does with it: turn it as it is to be seen, write it without metadata."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(photo)))
    made = io.BytesIO()
    image.save(made, "JPEG", quality=90)
    return made.getvalue()
