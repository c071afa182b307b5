"""What is sent to many: which broadcast goes now, which waits, which stands still and why. ``spreading`` sends it.

One row of work a town (``broadcast``) sends a few seconds' worth at a time, of whatever is most urgent then. Recipients
have a table of their own and are no rows of work: a hundred thousand of them make nobody's answer wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.core import sending_hours
from connector.core.bulletin import Bulletin
from connector.core.town import Town
from connector.storage import broadcasts, in_lane, numbers, pauses
from connector.storage.broadcasts import Broadcast
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit.observe import get_logger

from . import account, spreading
from .halting import cancel, stop
from .runtime import DAY, Ending, Later, Runtime

log = get_logger(__name__)

_ASK = 300.0
"""Seconds between two questions for the number's quality while something is sent."""
_STALE = DAY
"""What is sent by itself and found no room within so long is news no more."""


def lane(town: str) -> str:
    """The lane of the one row of work that sends a town's broadcasts."""
    return f"broadcast:{town}"


def soon(connection: Connection, rt: Runtime, now: float) -> None:
    """Look at what is to be sent now."""
    here = lane(rt.name)
    if not in_lane.hasten(connection, here, now):
        rt.put(connection, lane=here, kind="broadcast", payload={}, now=now)


def plan(
    connection: Connection,
    name: str,
    town: Town,
    bulletin: Bulletin,
    topics: Sequence[str],
    *,
    alert: bool,
    made_by: str,
    now: float,
    at: float | None = None,
    source: str = "",
) -> int | None:
    """Something to send to a town's subscribers, now or ``at`` a time. Its number; None when it was made of that
    ``source`` already."""
    wanted = town.broadcasts.approval
    agreed = wanted == "none" or (wanted == "news" and alert)
    made = broadcasts.create(
        connection, name, bulletin, topics, alert=alert, made_by=made_by, agreed=agreed, now=now,
        due_at=now if at is None else at, source=source,
    )  # fmt: skip
    if made is not None:
        log.info("broadcast planned", town=name, work=made, kind="alert" if alert else bulletin.category)
    return made


def first_time(connection: Connection, name: str, town: Town, now: float) -> tuple[float, str]:
    """When news may begin that are to be sent from ``now`` on, and why not before ("" when at once)."""
    after = sending_hours.next_time(town, now)
    if after > now:
        return after, "outside the hours in which news are sent"
    most = town.broadcasts.a_day
    if broadcasts.began_since(connection, name, sending_hours.midnight(town, now)) >= most:
        tomorrow = sending_hours.next_time(town, sending_hours.midnight(town, now, 1))
        return tomorrow, f"{most} were sent today already"
    return now, ""


async def send(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: send a few seconds' worth of the most urgent broadcast."""
    chosen = await rt.store.write(lambda connection: choose(connection, rt, now))
    if chosen is not None:
        raise Later(await spreading.Slice(rt, chosen, now).send(), "more is to be sent")
    due = await rt.store.read(lambda connection: broadcasts.next_due(connection, rt.name))
    if due is not None:
        raise Later(max(due, now + 1), "the next broadcast is not due yet")
    return lambda connection, at: "nothing is to be sent"


def choose(connection: Connection, rt: Runtime, now: float) -> Broadcast | None:
    """The broadcast that goes now; those that may not say why, and when they are looked at again."""
    for one in broadcasts.unfinished(connection, rt.name):
        if one.state not in (broadcasts.PLANNED, broadcasts.RUNNING) or one.due_at > now:
            continue
        if _may(connection, rt, one, now):
            account.soon(connection, rt, now, int(now // _ASK))
            if one.state == broadcasts.PLANNED:
                _begin(connection, rt, one, now)
            elif one.why:
                broadcasts.change(connection, one.id, now)
            return broadcasts.get(connection, one.id)
    return None


def _may(connection: Connection, rt: Runtime, one: Broadcast, now: float) -> bool:
    """Whether it may be sent at this moment."""
    paused = [p for p in pauses.every(connection) if (p.town, p.destination) == (rt.name, "whatsapp")]
    if paused and paused[0].until > now:
        return _wait(connection, one, paused[0].until, paused[0].reason, now)
    hurried = one.alert or rt.pace.any_hour
    if not hurried and one.began_at is None:
        after, why = first_time(connection, rt.name, rt.town, now)
        if why and one.source and after - one.created_at > _STALE:
            return not cancel(connection, one, f"{why}, and after a day it is news no more", now)
        if why:
            return _wait(connection, one, after, why, now)
    elif not hurried and (after := sending_hours.next_time(rt.town, now)) > now:
        return _wait(connection, one, after, "outside the hours in which news are sent", now)
    number = numbers.get(connection, rt.name)
    grade = number.grade if number is not None else 0
    if number is not None and grade and grade < (one.quality or 2):
        return stop(connection, one, f"the number's quality is {number.quality}", now)
    return True


def _wait(connection: Connection, one: Broadcast, due_at: float, why: str, now: float) -> bool:
    broadcasts.change(connection, one.id, now, due_at=due_at, why=why)
    return False


def _begin(connection: Connection, rt: Runtime, one: Broadcast, now: float) -> None:
    number = numbers.get(connection, rt.name)
    grade = number.grade if number is not None else 0
    broadcasts.change(connection, one.id, now, state=broadcasts.RUNNING, began_at=now, quality=grade)
    log.info("broadcast begun", town=rt.name, work=one.id)
