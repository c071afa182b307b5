"""Citizens' files between WhatsApp and the tracker: encrypted, in parts, gone as soon as they are on the ticket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from connector.toolkit.privacy import Sealer

from .tables import media, media_part

PART = 512 * 1024
"""Bytes a part; small enough that a large video holds the writer only for moments."""


@dataclass(frozen=True, slots=True)
class File:
    """A citizen's file. ``facts`` is the message's ``MediaIn`` as JSON."""

    id: int
    town: str
    person_id: int
    ref: str
    ticket_id: int | None
    facts: dict[str, Any]
    state: str
    size: int | None
    digest: str | None
    created_at: float


def create(
    connection: Connection,
    sealer: Sealer,
    *,
    town: str,
    person_id: int,
    ref: str,
    facts: dict[str, Any],
    now: float,
) -> None:
    """A file that is still at Meta."""
    connection.execute(
        media.insert().values(
            town=town, person_id=person_id, ref=ref, facts=sealer.seal(facts), state="waiting", created_at=now
        )
    )


def get(connection: Connection, sealer: Sealer, ref: str) -> File | None:
    """The file known under ``ref``."""
    row = connection.execute(select(media).where(media.c.ref == ref)).first()
    if row is None:
        return None
    return File(
        id=row.id, town=row.town, person_id=row.person_id, ref=row.ref, ticket_id=row.ticket_id,
        facts=sealer.open(row.facts), state=row.state, size=row.size, digest=row.digest, created_at=row.created_at,
    )  # fmt: skip


def add_part(connection: Connection, sealer: Sealer, file: File, n: int, data: bytes) -> None:
    """Store part ``n``; the same part again replaces it."""
    connection.execute(delete(media_part).where(media_part.c.media_id == file.id, media_part.c.n == n))
    connection.execute(
        media_part.insert().values(media_id=file.id, n=n, data=sealer.seal_bytes(data, f"{file.ref}/{n}"))
    )


def arrived(connection: Connection, file: File, size: int, digest: str) -> None:
    """All parts are stored. A file dropped meanwhile stays dropped."""
    connection.execute(
        update(media)
        .where(media.c.id == file.id, media.c.state == "waiting")
        .values(state="here", size=size, digest=digest)
    )


def content(connection: Connection, sealer: Sealer, file: File) -> bytes:
    """The whole content."""
    parts = connection.execute(
        select(media_part.c.n, media_part.c.data)
        .where(media_part.c.media_id == file.id)
        .order_by(media_part.c.n)
    )
    return b"".join(sealer.open_bytes(found.data, f"{file.ref}/{found.n}") for found in parts)


def settle(connection: Connection, file: File, state: str) -> None:
    """The file is ``done``, ``refused``, ``lost`` or ``dropped``: its content goes."""
    connection.execute(delete(media_part).where(media_part.c.media_id == file.id))
    connection.execute(update(media).where(media.c.id == file.id).values(state=state))


def belongs_to(connection: Connection, refs: tuple[str, ...], ticket_id: int) -> None:
    """The files go with that ticket."""
    connection.execute(update(media).where(media.c.ref.in_(refs)).values(ticket_id=ticket_id))
