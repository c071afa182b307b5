"""What is done when an errand fails: tried again and when, held, paused, given to a person. Never dropped.

What WhatsApp's codes ask for is in ``whatsapp/error_actions.json``; a code may come in the answer to a call or,
after a 200, in a ``failed`` status. Both end here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connector.core.errors import (
    Ambiguous,
    ConnectorError,
    Forbidden,
    Gone,
    NotKept,
    Rejected,
    Throttled,
    Unavailable,
    Unsettled,
)
from connector.storage import in_lane, pauses, sent, work
from connector.storage.sent import Sent
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit import crash
from connector.toolkit.observe import get_logger
from connector.whatsapp.errors import Action, WhatsAppError, actions, explain

from . import moving, reports, sending
from .runtime import Runtime

log = get_logger(__name__)

WHOLE = frozenset({"send", "media", "poll", "create", "sweep"})
"""Kinds in which «forbidden» speaks of the whole destination; in the others it may be one ticket out of sight."""
PROBES = frozenset({"send", "media", "templates", "poll", "create", "scan"})
"""Kinds that try a destination again after a pause: none that may end without a call to it."""
REFUSED, OUTAGE = "refused", "outage"
"""Why a destination is paused: it does not let us, or it cannot be reached."""
_PROVES = {REFUSED: frozenset({"send", "poll", "create"}), OUTAGE: PROBES}
"""Kinds whose success ends a pause. That a file can be fetched says nothing of a number that may not send."""
_MOST = {"1": 3, "131000": 5}
"""Tries of what Meta calls its own fault without saying that it passes (CLOUD-API.md 10)."""
_PAIR = 4.0
"""131056: try again after 4^X seconds, X = 0, 1, 2 … (CLOUD-API.md 5)"""
_PAIR_MOST = 6


@dataclass(frozen=True, slots=True)
class Failed:
    """A row whose errand raised ``error``; ``destination`` is ``whatsapp``, ``tracker`` or ``clamd``.

    ``answered``: the destination gave a proper answer since the errand began, so it is not away.
    """

    row: Row
    destination: str
    error: Exception
    reason: str
    answered: bool = False


def after(connection: Connection, rt: Runtime, failed: Failed, now: float) -> None:
    """Decide about a row that failed, in one transaction. Raises ``LeaseLost``."""
    row, error, sealer = failed.row, failed.error, rt.store.sealer
    log.warning("not done", kind=row.kind, work=row.id, town=row.town, attempts=row.attempts, error=failed.reason,
                code=getattr(error, "code", None))  # fmt: skip
    if isinstance(error, WhatsAppError):
        _by_code(connection, rt, failed, error, now)
        return
    wait = rt.pace.backoff(row.attempts)
    if isinstance(error, NotKept):
        # our own database was away: says nothing of the destination, and nothing of whether a call was made
        work.later(connection, sealer, row, now + wait, failed.reason, counted=False)
        return
    if isinstance(error, ConnectorError) and error.retry_after:
        wait = max(wait, error.retry_after)
    if isinstance(error, Forbidden) and row.kind in WHOLE:
        pause(connection, rt, failed.destination, failed.reason, now)
        work.later(connection, sealer, row, now + wait, failed.reason, untried=True, counted=False)
    elif isinstance(error, Throttled):
        pause(connection, rt, failed.destination, failed.reason, now, seconds=wait, cause=OUTAGE)
        work.later(connection, sealer, row, now + wait, failed.reason, untried=True, counted=False)
    elif isinstance(error, Ambiguous | Unavailable):
        if failed.answered:
            # one call of several went wrong: a pause would stop those that go well
            pauses.lift(connection, rt.name, failed.destination, [OUTAGE], now)
        else:
            stumble(connection, rt, failed.destination, failed.reason, now)
            wait = min(wait, rt.pace.away[1])
        untried = isinstance(error, Unavailable)
        work.later(connection, sealer, row, now + wait, failed.reason, untried=untried)
    elif isinstance(error, Unsettled):
        give_up(connection, rt, row, failed.reason, now, forget=True)
    elif isinstance(error, Rejected | Gone | ValueError) or row.attempts >= rt.pace.attempts:
        give_up(connection, rt, row, failed.reason, now)
    else:
        # an error of ours may come after the call was made: what was tried stays tried
        work.later(connection, sealer, row, now + wait, failed.reason)


def _by_code(connection: Connection, rt: Runtime, failed: Failed, error: WhatsAppError, now: float) -> None:
    row, reason = failed.row, failed.reason
    if Action.TEMPLATE in error.actions and row.kind == "send":
        sending.shut(connection, rt, row, now)
        return
    if Action.STOP_TEMPLATE in error.actions and row.kind == "send":
        sending.stop_template(connection, rt, row, error.code, reason, now)
        return
    wait = _wait(connection, rt, error.actions, error.code, row.attempts, error.retry_after, reason, now)
    if wait is None and isinstance(error, Ambiguous):
        wait = rt.pace.backoff(row.attempts)
    if wait is None:
        give_up(connection, rt, row, reason, now)
        return
    # the number is at fault, or the person's pace, not the row
    counted = not error.actions & {Action.PAUSE_NUMBER, Action.LATER}
    if isinstance(error, Ambiguous) or (
        counted and error.code not in _MOST and Action.PAUSE_USER not in error.actions
    ):
        stumble(connection, rt, "whatsapp", reason, now)
    work.later(connection, rt.store.sealer, row, now + wait, reason,
               untried=not isinstance(error, Ambiguous), counted=counted)  # fmt: skip


def undelivered(
    connection: Connection, rt: Runtime, row: Sent, code: int | None, about: str, now: float
) -> str:
    """WhatsApp took a message and says later that it failed.

    Returns ``again`` or ``held`` when it will go out once more, ``failed`` when it is given to a person.
    """
    acts, reason = actions(code), f"WhatsApp took it and did not deliver it ({explain(code)})"
    known = str(code) if code is not None else ""
    log.warning("not delivered", work=row.id, town=rt.name, code=known)
    wait = None
    if known == moving.UNDELIVERABLE and row.whole:
        moved = moving.since(connection, rt, sent.content(connection, rt.store.sealer, row))
        if moved is not None:
            sent.again(connection, rt.store.sealer, row, now, reason, **moved)
            return "again"
    if acts & {Action.TEMPLATE, Action.STOP_TEMPLATE}:
        if row.whole:
            opened = sent.again(connection, rt.store.sealer, row, now, reason)
            if Action.TEMPLATE in acts:
                sending.shut(connection, rt, opened, now)
            else:
                sending.stop_template(connection, rt, opened, known, reason, now)
            return "held"
    else:
        wait = _wait(connection, rt, acts, known, row.attempts, None, reason, now)
    if wait is None or not row.whole:
        sent.failed(connection, row, reason)
        log.error("failed for good", kind="send", work=row.id, town=rt.name, error=reason)
        reports.send_failed(connection, rt, key=row.key, about=about, reason=reason, now=now)
        return "failed"
    sent.again(connection, rt.store.sealer, row, now + wait, reason)
    crash.point("status.again")
    return "again"


def _wait(
    connection: Connection,
    rt: Runtime,
    acts: frozenset[Action],
    code: str,
    attempts: int,
    retry_after: float | None,
    reason: str,
    now: float,
) -> float | None:
    """Seconds until the next try of what failed with ``code``, None for never; pauses the number where it is asked for."""
    wait = max(rt.pace.backoff(attempts), retry_after or 0.0)
    if Action.PAUSE_NUMBER in acts:
        halt(connection, rt, acts, reason, wait, now)
        return wait
    if Action.PAUSE_USER in acts:
        # the lane of a person is carried out in order: their next message waits with this one, nobody else's
        return max(_PAIR ** min(max(0, attempts - 1), _PAIR_MOST), retry_after or 0.0)
    if Action.LATER in acts:
        return wait
    if Action.RETRY in acts:
        most = _MOST.get(code)
        if most is None:
            return wait
        if attempts >= most:
            return None
        # spread evenly doubled over the time in which such a fault passes, if it does
        spread = rt.pace.spread * float(2 ** (attempts - 1)) / float(2 ** (most - 1) - 1)
        return max(wait, spread)
    return None


def halt(
    connection: Connection, rt: Runtime, acts: frozenset[Action], reason: str, wait: float, now: float
) -> None:
    """Nothing is sent by this number for a while: for ``wait`` seconds where it passes, until it works otherwise."""
    passing = acts & {Action.RETRY, Action.LATER}
    pause(connection, rt, "whatsapp", reason, now, seconds=wait if passing else None)


def give_up(
    connection: Connection, rt: Runtime, row: Row, reason: str, now: float, *, forget: bool = False
) -> None:
    """The row failed for good: listed until a person retries or drops it; staff of its ticket are told."""
    work.fail(connection, row, reason, now, forget=forget)
    log.error("failed for good", kind=row.kind, work=row.id, town=row.town, error=reason)
    if row.kind == "send":
        about = str(row.payload["about"] or "")
        reports.send_failed(
            connection, rt, key=row.key or f"work:{row.id}", about=about, reason=reason, now=now
        )


def _paces(rt: Runtime) -> dict[str, tuple[float, float]]:
    return {REFUSED: rt.pace.pause, OUTAGE: rt.pace.away}


def pause(
    connection: Connection,
    rt: Runtime,
    destination: str,
    reason: str,
    now: float,
    *,
    seconds: float | None = None,
    cause: str = REFUSED,
) -> None:
    """Leave a destination alone, each time again twice as long; ``seconds`` where it was said for how long."""
    begun = pauses.begin(connection, rt.name, destination, reason, now, _paces(rt)[cause], cause, seconds)
    log.error(
        "paused", destination=destination, town=rt.name, reason=reason, seconds=round(begun.until - now)
    )


def stumble(connection: Connection, rt: Runtime, destination: str, reason: str, now: float) -> None:
    """A call failed in a way that may be the whole destination's: after several in a row it is left alone."""
    begun = pauses.stumble(
        connection, rt.name, destination, reason, now, rt.pace.stumbles, _paces(rt), OUTAGE
    )
    if begun is not None:
        log.error(
            "paused", destination=destination, town=rt.name, reason=reason, seconds=round(begun.until - now)
        )


def proven(
    connection: Connection, rt: Runtime, destination: str, kind: str, kinds: Collection[str], now: float
) -> None:
    """A call of that kind succeeded: what it proves to work is no longer paused, once the pause has passed, and what
    else is done there (``kinds``) no longer waits because calls failed before."""
    causes = [cause for cause, kinds in _PROVES.items() if kind in kinds]
    if not causes:
        return
    ended = pauses.lift(connection, rt.name, destination, causes, now)
    if ended is None:
        return
    if ended.until > ended.since:
        log.warning("works again", destination=destination, town=rt.name)
    if destination != "whatsapp":  # there each row waits as long as its own code asks for
        in_lane.wake(connection, rt.name, kinds, now, before=now + 1.2 * rt.pace.longest)
