"""What WhatsApp last said of each message template of a town."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from .dialect import upsert
from .tables import template

APPROVED = "APPROVED"


@dataclass(frozen=True, slots=True)
class Template:
    """``state`` is Meta's word (APPROVED, PENDING, REJECTED, PAUSED, DISABLED …); ``since`` in Unix seconds."""

    town: str
    name: str
    language: str
    state: str
    reason: str
    since: float


def save(
    connection: Connection, town: str, name: str, language: str, state: str, reason: str, now: float
) -> bool:
    """Store what WhatsApp says. True when the state is another than before."""
    where = (template.c.town == town, template.c.name == name, template.c.language == language)
    old = connection.execute(select(template.c.state).where(*where).with_for_update()).first()
    if old is not None and old.state == state:
        connection.execute(template.update().where(*where).values(reason=reason or None))
        return False
    values = {"state": state, "reason": reason or None, "since": now}
    upsert(connection, template, {"town": town, "name": name, "language": language}, values)
    return True


def every(connection: Connection, town: str | None = None) -> list[Template]:
    """All templates that were ever heard of, of one town or of all."""
    query = select(template).order_by(template.c.town, template.c.name, template.c.language)
    if town is not None:
        query = query.where(template.c.town == town)
    return [
        Template(r.town, r.name, r.language, r.state, r.reason or "", r.since)
        for r in connection.execute(query)
    ]
