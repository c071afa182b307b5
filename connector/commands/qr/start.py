"""With what people start: the link to the chat, and the files that lead to it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

import phonenumbers

from connector import wiring
from connector.config.settings import Settings
from connector.core.errors import Finding, Misconfigured
from connector.core.texts import Texts
from connector.texts import catalogues

from . import poster


@dataclass(frozen=True, slots=True)
class Start:
    """With what people start: the address, and the files that lead to it."""

    link: str
    number: str
    files: list[Path]


def start(path: Path, folder: Path, number: str, hello: str) -> Start:
    """Write code and poster into ``folder``; the number is asked from WhatsApp where none is given."""
    (municipality,) = wiring.read([path])
    digits, shown = _telephone(number or asyncio.run(_number(municipality.settings)))
    town = municipality.town
    texts = Texts(catalogues(town.languages, town.texts))
    said = [
        poster.Sentences(
            texts(code, "poster.call"),
            texts(code, "poster.how", hello=hello),
            texts(code, "poster.what"),
            texts(code, "poster.emergency"),
        )
        for code in town.languages
    ]
    link = poster.link(digits, hello)
    made = {
        f"{municipality.name}-qr.svg": poster.code_svg(link),
        f"{municipality.name}-poster.png": poster.poster_png(town.channel.name, shown, link, said),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return Start(link, shown, [folder / name for name in made])


def _telephone(written: str) -> tuple[str, str]:
    """The digits of a number with its country, and how people read it. Raises ``Misconfigured``."""
    digits = "".join(c for c in written if c.isdecimal())
    with contextlib.suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(f"+{digits}")
        if phonenumbers.is_possible_number(number):
            return digits, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    mend = "write it whole, with its country: --number 34600000100"
    raise Misconfigured([Finding("error", f"«{written}» is no telephone number", mend)])


async def _number(settings: Settings) -> str:
    async with wiring.make_whatsapp(settings) as client:
        return str((await client.phone()).get("display_phone_number", ""))
