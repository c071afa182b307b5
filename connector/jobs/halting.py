"""Broadcasts that stand still, go on, are agreed to or called off: by a person, or by themselves."""

from __future__ import annotations

from connector.storage import broadcasts, recipients
from connector.storage.broadcasts import Broadcast
from connector.storage.store import Connection
from connector.toolkit.observe import get_logger

log = get_logger(__name__)


def stop(connection: Connection, one: Broadcast, why: str, now: float) -> bool:
    """It stands still until a person lets it go on. Always False: it may not be sent."""
    there = broadcasts.get(connection, one.id)
    if there is not None and there.state in (broadcasts.PLANNED, broadcasts.RUNNING):
        broadcasts.change(connection, one.id, now, state=broadcasts.PAUSED, why=why)
        log.error(
            "broadcast stopped", town=one.town, work=one.id, reason=why, mend="connector broadcast resume"
        )
    return False


def pause(connection: Connection, one: Broadcast, why: str, now: float) -> bool:
    """A person halts it. False when there is nothing to halt."""
    if one.state not in (broadcasts.PLANNED, broadcasts.RUNNING):
        return False
    broadcasts.change(connection, one.id, now, state=broadcasts.PAUSED, why=why)
    return True


def resume(connection: Connection, one: Broadcast, quality: int, now: float) -> bool:
    """A person lets it go on, whatever the number's ``quality`` is now. False when it does not stand still."""
    if one.state != broadcasts.PAUSED:
        return False
    state = broadcasts.PLANNED if one.began_at is None else broadcasts.RUNNING
    broadcasts.change(connection, one.id, now, state=state, due_at=now, quality=quality)
    return True


def agree(connection: Connection, one: Broadcast, by: str, now: float) -> bool:
    """A second person agrees: it may be sent. False when nobody has to, or it is the same person."""
    if one.state != broadcasts.PROPOSED or by.casefold() == one.made_by.casefold():
        return False
    broadcasts.change(connection, one.id, now, state=broadcasts.PLANNED, agreed_by=by)
    return True


def cancel(connection: Connection, one: Broadcast, why: str, now: float) -> bool:
    """Nobody else gets it. False when it has ended."""
    if one.state not in broadcasts.OPEN:
        return False
    recipients.call_off(connection, one.id, now)
    broadcasts.change(
        connection, one.id, now, state=broadcasts.CANCELLED, ended_at=now, why=why, gathered=None
    )
    return True
