"""Named points at which a test kills the program: where a crash would lose, double or leak something if it could.

A point does nothing (one look at a variable) unless the environment variable ``CONNECTOR_CRASH`` names it when the
program starts. Then the process ends there by SIGKILL: nothing is tidied up, no handler runs, as when power fails.

    CONNECTOR_CRASH=create.trying            the first time that the point is reached
    CONNECTOR_CRASH=errand.called/send:3     the third time, counting only work of kind «send»
    CONNECTOR_CRASH='step.done/inbound:2 > store.committed'    the first time that the second is reached after the first
    CONNECTOR_CRASH='stop at send.trying'    SIGSTOP instead: it stands still there until it gets SIGCONT

``POINTS`` lists all of them. Each stands in the code exactly once, and ``tests/crashes`` kills at each.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "CONNECTOR_CRASH"

POINTS: Mapping[str, str] = {
    "migrate.version": "a version of the schema is applied, the next one and the commit are still to come",
    "store.pepper": "a new database has its tables, and its pepper is not committed",
    "store.group": "the writes of a group were made, COMMIT is still to come",
    "store.committed": "COMMIT returned, those who wait for it do not know yet",
    "webhook.kept": "everything in a notification is written and not committed: Meta has no answer",
    "webhook.stored": "everything in a notification is committed, and 200 is not answered",
    "step.done": "a step wrote its effects and the end of its row, not committed",
    "errand.claimed": "a row is leased, and nothing was done for it",
    "errand.called": "everybody outside was called and answered, and nothing is written of it",
    "errand.ending": "what follows from the answer and the end of the row are written, not committed",
    "errand.failed": "what a failure asks for is written, not committed",
    "errand.stopped": "the program is stopping: what hung was cancelled, its rows are not given back yet",
    "inbound.released": "answers that waited for the customer service window are brought back, not committed",
    "send.trying": "that a message is about to be sent is committed, and Meta was not called",
    "send.held": "a message is set aside behind a template, not committed",
    "status.settled": "a status proved that a message went whose answer was lost, not committed",
    "status.again": "a message that failed after all is opened again, not committed",
    "create.trying": "that a ticket is about to be made is committed, and the tracker was not called",
    "create.looked": "a second try has looked for the ticket of the first, and nothing is written of it",
    "create.posted": "the tracker made the ticket, and its wishes were not compared",
    "attach.uploaded": "a file is in the tracker and on no ticket",
    "attach.put": "a file is on its ticket, and nobody looked whether it is",
    "note.put": "an internal note is on its ticket, and nobody looked whether it is",
    "flag.put": "a ticket has the status that says that an answer failed, and nobody looked whether it has",
    "recheck.anew": "an answer that waited is made anew, as its note was changed meanwhile, not committed",
    "recheck.withdrawn": "an answer that waited is withdrawn, as its note was hidden meanwhile, not committed",
    "media.fetched": "a citizen's file was fetched, and nothing of it is stored",
    "media.part": "a part of a citizen's file is stored, others are not",
    "broadcast.gathered": "some of those a broadcast is for are written, others are not, not committed",
    "broadcast.trying": "that a few get a broadcast now is committed, and Meta was not called",
    "broadcast.called": "Meta was called for one person of a broadcast, and nothing is written of it",
    "key.written": "a new key stands in front of the old one where it is kept, and nothing is encrypted with it",
    "key.batch": "a few values are encrypted anew with the new key, others are not",
    "person.erased": "everything about a person is erased, and tickets and log say so, not committed",
    "upload.answered": "a file of an answer is at Meta, and the answer is not handed to the sender",
}
"""Every point, and what is half done there."""


@dataclass(slots=True)
class _Plan:
    """The points still to be reached, in order: name, kind of work ("" for any), how many times."""

    steps: list[tuple[str, str, int]]
    signal: signal.Signals
    lock: threading.Lock


def parse(text: str) -> list[tuple[str, str, int]]:
    """``"a.b/send:2 > c.d"`` as ``[("a.b", "send", 2), ("c.d", "", 1)]``. Raises ``ValueError`` for a name nobody knows."""
    steps = []
    for part in filter(None, (piece.strip() for piece in text.split(">"))):
        place, _, times = part.partition(":")
        name, _, kind = place.partition("/")
        if name not in POINTS:
            raise ValueError(f"{VARIABLE}: there is no crash point «{name}»; they are {', '.join(POINTS)}")
        if times and not (times.isdecimal() and int(times) > 0):
            raise ValueError(f"{VARIABLE}: «{times}» is not how many times «{place}» is to be reached")
        steps.append((name, kind, int(times or 1)))
    return steps


_STOP = "stop at "
_plan: _Plan | None = None


def arm(text: str) -> None:
    """End the program where ``text`` says (see above); "" for nowhere. Raises ``ValueError`` for what is no point."""
    global _plan  # noqa: PLW0603  one program, one plan
    stop = text.startswith(_STOP)
    steps = parse(text.removeprefix(_STOP))
    how = signal.SIGSTOP if stop else signal.SIGKILL
    _plan = _Plan(steps, how, threading.Lock()) if steps else None


arm(os.environ.get(VARIABLE, ""))


def point(name: str, kind: str = "") -> None:
    """The program may be killed here. ``kind`` is the kind of work, at a point that several kinds pass."""
    if _plan is not None:
        _reach(_plan, name, kind)


def _reach(plan: _Plan, name: str, kind: str) -> None:
    if name not in POINTS:
        raise ValueError(f"crash point «{name}» is not listed in toolkit/crash.py")
    with plan.lock:
        if not plan.steps:
            return
        wanted, of, left = plan.steps[0]
        if name != wanted or of not in ("", kind):
            return
        if left > 1:
            plan.steps[0] = (wanted, of, left - 1)
            return
        del plan.steps[0]
        if plan.steps:
            return
        # holding the lock: no other thread gets any further either
        os.write(2, f"{plan.signal.name} at crash point {name}{'/' + kind if kind else ''}\n".encode())
        os.kill(os.getpid(), plan.signal)
