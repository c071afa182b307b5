"""``connector templates``: the message templates a mapping needs, against what WhatsApp has."""

from __future__ import annotations

import asyncio
from pathlib import Path

from connector import wiring
from connector.core.texts import Texts
from connector.texts import catalogues
from connector.whatsapp.templates import MISSING, Compared, compare, needed


async def _compared(path: Path, push: bool) -> list[Compared]:
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


def compared(path: Path) -> list[Compared]:
    """The message templates the mapping needs, against WhatsApp's list. Raises ``ConnectorError``."""
    return asyncio.run(_compared(path, push=False))


def push(path: Path) -> tuple[list[str], list[Compared]]:
    """Hand in those that are missing; safe to repeat. The languages handed in, and all as they are afterwards."""
    before = {one.language for one in compared(path) if one.state == MISSING}
    return sorted(before), asyncio.run(_compared(path, push=True))
