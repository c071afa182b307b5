"""The health of our business number, by WhatsApp's own word: its quality, its limit, and whether our token is good."""

from __future__ import annotations

from dataclasses import replace

from connector.core.errors import ConnectorError, Forbidden
from connector.storage import in_lane, numbers
from connector.storage.numbers import Number
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit.observe import get_logger

from .runtime import Ending, Runtime

log = get_logger(__name__)

_WORSE = ("YELLOW", "RED")


async def look(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: ask WhatsApp about the number. A token that is refused is remembered before it pauses the number."""
    try:
        told = await rt.whatsapp.phone()
    except Forbidden as error:
        problem = str(error)
        await rt.store.write(lambda connection: _refused(connection, rt, problem, now))
        raise
    except ConnectorError as error:
        why = str(error)
        return lambda connection, at: f"left until the next time: {why}"
    found = Number(
        quality=str(told.get("quality_rating") or "").upper(),
        limit=str(told.get("whatsapp_business_manager_messaging_limit") or ""),
        name_status=str(told.get("name_status") or ""),
    )

    def end(connection: Connection, at: float) -> str:
        before = numbers.get(connection, rt.name)
        numbers.save(connection, rt.name, found, at)
        if found.quality in _WORSE and (before is None or before.quality != found.quality):
            mend = "see WhatsApp Manager: what people blocked or reported"
            log.error("the number's quality fell", town=rt.name, state=found.quality, mend=mend)
        return f"quality {found.quality.lower() or 'unknown'}"

    return end


def _refused(connection: Connection, rt: Runtime, problem: str, now: float) -> None:
    before = numbers.get(connection, rt.name) or Number()
    numbers.save(connection, rt.name, replace(before, problem=problem), now)


def soon(connection: Connection, rt: Runtime, now: float, slot: int | None = None) -> None:
    """Ask now; once a ``slot``, whatever number of replicas, or because something happened (as ``templating.soon``)."""
    lane = f"number:{rt.name}"
    if slot is None and in_lane.is_untouched(connection, lane):
        return
    key = None if slot is None else f"{lane}:{slot}"
    rt.put(connection, lane=lane, kind="number", payload={}, now=now, key=key)
