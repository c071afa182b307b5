"""What operators ask of a database from outside the service: what waits, what failed, put back, give up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import phonenumbers

from connector import config, poster, wiring
from connector.core.errors import Finding, Misconfigured
from connector.core.texts import Texts
from connector.settings import Settings
from connector.storage import overview, work
from connector.storage.books import Books, balance
from connector.storage.store import Connection
from connector.texts import catalogues
from connector.whatsapp.templates import MISSING, Compared, compare, needed

T = TypeVar("T")


def _in(path: Path, job: Callable[[Connection], T]) -> T:
    store = wiring.open_store(config.load(path), migrate=False)
    try:
        return store.write_now(job)
    finally:
        store.close()


def status(path: Path) -> dict[str, Any]:
    """What waits and what failed by kind, the oldest due row, what is paused, last signs of life, alarms.

    Times are Unix seconds; ages are seconds.
    """
    now = time.time()

    def look(connection: Connection) -> dict[str, Any]:
        found = overview.look(connection, now)
        return {
            "waiting": found.waiting_count,
            "failed": found.failed_count,
            "oldest": found.oldest,
            "paused": [asdict(p) for p in found.paused],
            "templates": [asdict(t) for t in found.alarms],
            "broadcasts": [
                {"id": b.id, "town": b.town, "since": b.changed_at, "why": b.why} for b in found.halted
            ],
            "feeds": [asdict(f) for f in found.sources],
            "towns": found.signs,
            "numbers": {town: asdict(number) for town, number in found.numbers.items()},
            "gone": found.gone,
            "version": version("connector"),
            "database": connection.dialect.name,
            "database_version": ".".join(map(str, connection.dialect.server_version_info or ())),
        }

    return _in(path, look)


def ledger(path: Path) -> Books:
    """The books of the database: every message with its outcome, and what has none."""
    return _in(path, balance)


async def _templates(path: Path, push: bool) -> list[Compared]:
    (municipality,) = wiring.read([path])
    town = municipality.town
    wanted = needed(town, Texts(catalogues(town.languages, town.texts)))
    async with wiring.make_whatsapp(municipality.settings) as client:
        found = compare(wanted, await client.templates()) if wanted else []
        missing = [body for body, one in zip(wanted, found, strict=True) if one.state == MISSING]
        for body in missing if push else ():
            await client.create_template(body)
        if push and missing:
            found = compare(wanted, await client.templates())
    return found


def templates(path: Path) -> list[Compared]:
    """The message templates the mapping needs, against WhatsApp's list. Raises ``ConnectorError``."""
    return asyncio.run(_templates(path, push=False))


def push_templates(path: Path) -> tuple[list[str], list[Compared]]:
    """Hand in those that are missing; safe to repeat. The languages handed in, and all as they are afterwards."""
    before = {one.language for one in templates(path) if one.state == MISSING}
    return sorted(before), asyncio.run(_templates(path, push=True))


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


def failed(path: Path) -> list[dict[str, Any]]:
    """Rows that failed for good, without their content."""
    return _in(path, work.failed_rows)


def retry(path: Path, row: int) -> bool:
    """Put a failed row back."""
    return _in(path, lambda connection: work.reopen(connection, row, time.time()))


def adopt(path: Path, row: int, ticket: str) -> bool:
    """Put back a failed row that was to make a ticket: a person found that ticket in the tracker, under that number."""
    store = wiring.open_store(config.load(path), migrate=False)
    try:
        now = time.time()
        return store.write_now(lambda c: work.reopen_with(c, store.sealer, row, "create", now, ticket=ticket))
    finally:
        store.close()


def drop(path: Path, row: int) -> bool:
    """Give a failed row up."""
    return _in(path, lambda connection: work.drop(connection, row))
