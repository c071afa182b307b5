"""Citizens' files between WhatsApp and the tracker: cleaned, encrypted, in parts, gone as soon as they are on the ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from connector.toolkit.privacy import Sealer

from .tables import media, media_part

PART = 512 * 1024
"""Bytes a part; small enough that a large video holds the writer only for moments."""

LEFT_OUT = ("refused", "lost")


@dataclass(frozen=True, slots=True)
class File:
    """A citizen's file. ``facts`` is the message's ``MediaIn`` as JSON; once the file is stored ``mime`` is what it is.

    A file that is waiting and has a ``digest`` is stored and not scanned yet. One that is left out has ``why`` and
    ``detail`` in its facts, and ``told`` when the citizen knows.
    """

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
    return None if row is None else _file(sealer, row)


def _file(sealer: Sealer, row: Row[Any]) -> File:
    return File(
        id=row.id, town=row.town, person_id=row.person_id, ref=row.ref, ticket_id=row.ticket_id,
        facts=sealer.open(row.facts), state=row.state, size=row.size, digest=row.digest, created_at=row.created_at,
    )  # fmt: skip


def brought_since(connection: Connection, person_id: int, since: float) -> int:
    """Bytes of a person's files that were stored, of those that came since then."""
    mine = select(func.coalesce(func.sum(media.c.size), 0))
    return int(
        connection.execute(
            mine.where(media.c.person_id == person_id, media.c.created_at > since)
        ).scalar_one()
    )


def add_part(connection: Connection, sealer: Sealer, file: File, n: int, data: bytes) -> None:
    """Store part ``n``; the same part again replaces it."""
    connection.execute(delete(media_part).where(media_part.c.media_id == file.id, media_part.c.n == n))
    connection.execute(
        media_part.insert().values(media_id=file.id, n=n, data=sealer.seal_bytes(data, f"{file.ref}/{n}"))
    )


def arrived(
    connection: Connection,
    sealer: Sealer,
    file: File,
    *,
    size: int,
    digest: str,
    facts: dict[str, Any],
    scanned: bool,
) -> bool:
    """All parts are stored; until the file is ``scanned`` it stays waiting. A file dropped meanwhile stays dropped."""
    changed = connection.execute(
        update(media)
        .where(media.c.id == file.id, media.c.state == "waiting")
        .values(state="here" if scanned else "waiting", size=size, digest=digest, facts=sealer.seal(facts))
    )
    if not changed.rowcount:
        connection.execute(delete(media_part).where(media_part.c.media_id == file.id))
    return bool(changed.rowcount)


def scanned(connection: Connection, file: File) -> None:
    """Nothing was found in a file that is stored."""
    connection.execute(
        update(media).where(media.c.id == file.id, media.c.state == "waiting").values(state="here")
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
    """The file is ``done`` or ``dropped``: its content goes."""
    connection.execute(delete(media_part).where(media_part.c.media_id == file.id))
    connection.execute(update(media).where(media.c.id == file.id).values(state=state))


def with_reason(file: File, state: str, why: str, detail: str) -> File:
    """``file`` as it is when it is ``refused`` or ``lost`` for good, with what people are told of it."""
    return replace(file, state=state, facts={**file.facts, "why": why, "detail": detail})


def leave(connection: Connection, sealer: Sealer, file: File) -> None:
    """Store a file ``with_reason``; its content goes. One that was dropped meanwhile stays dropped."""
    connection.execute(delete(media_part).where(media_part.c.media_id == file.id))
    connection.execute(
        update(media)
        .where(media.c.id == file.id, media.c.state.in_(("waiting", "here")))
        .values(state=file.state, facts=sealer.seal(file.facts))
    )


def left_out(connection: Connection, sealer: Sealer, ticket_id: int) -> list[File]:
    """The files of a ticket that will not be on it, and of which the citizen was not told yet."""
    rows = connection.execute(
        select(media).where(media.c.ticket_id == ticket_id, media.c.state.in_(LEFT_OUT)).order_by(media.c.id)
    )
    return [file for row in rows if "told" not in (file := _file(sealer, row)).facts]


def told(connection: Connection, sealer: Sealer, file: File) -> None:
    """The citizen was told that the file is left out."""
    facts = sealer.seal({**file.facts, "told": True})
    connection.execute(update(media).where(media.c.id == file.id).values(facts=facts))


def belongs_to(connection: Connection, refs: tuple[str, ...], ticket_id: int) -> None:
    """The files go with that ticket."""
    connection.execute(update(media).where(media.c.ref.in_(refs)).values(ticket_id=ticket_id))
