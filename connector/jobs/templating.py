"""What WhatsApp says of our message templates, and which of them can be sent now."""

from __future__ import annotations

from dataclasses import replace

from connector.core.outgoing import TemplateOut
from connector.storage import in_lane, templates
from connector.storage.store import Connection
from connector.storage.work import Row
from connector.toolkit.observe import get_logger
from connector.whatsapp.templates import APPROVED, Compared, compare, needed

from .runtime import Ending, Runtime

log = get_logger(__name__)


def lane(rt: Runtime, name: str, person: int) -> str:
    """Where a person's template waits until WhatsApp lets it be sent."""
    return f"template:{rt.name}:{name}:{person}"


async def refresh(rt: Runtime, row: Row, now: float) -> Ending:
    """Errand: ask WhatsApp for the state of the templates we need; what waited for one goes out."""
    wanted = needed(rt.town, rt.texts)
    if not wanted:
        return lambda connection, at: "the mapping needs none"
    found = compare(wanted, await rt.whatsapp.templates())

    def end(connection: Connection, at: float) -> str:
        for one in found:
            learn(connection, rt, one, at)
        for name in {one.name for one in found if one.usable}:
            release(connection, rt, name, at)
        return ", ".join(f"{one.language} {one.state.lower()}" for one in found)

    return end


def learn(connection: Connection, rt: Runtime, one: Compared, now: float) -> None:
    """Store what WhatsApp says; a change for the worse is an alarm."""
    reason = one.problem if one.alarming else ""
    changed = templates.save(connection, rt.name, one.name, one.language, one.state, reason, now)
    if changed and one.alarming:
        log.error("template cannot be relied on", town=rt.name, template=one.name, language=one.language,
                  state=one.state, reason=one.problem, mend=one.mend)  # fmt: skip


def release(connection: Connection, rt: Runtime, name: str, now: float) -> int:
    """What waited for this template goes on; the number of messages."""
    prefix = lane(rt, name, 0)[:-1]
    return sum(
        in_lane.bring_back(connection, found, f"out:{found.removeprefix(prefix)}", now)
        for found in in_lane.lanes(connection, prefix)
    )


def sendable(connection: Connection, rt: Runtime, message: TemplateOut) -> TemplateOut | None:
    """The template in a language that can be sent: the person's, else another of the town's; None for none now.

    One that WhatsApp was never asked about may be tried: its answer says more.
    """
    states = {t.language: t.state for t in templates.every(connection, rt.name) if t.name == message.name}
    if states.get(message.language, APPROVED) == APPROVED:
        return message
    for language in rt.town.languages:
        if states.get(language) == APPROVED:
            return replace(message, language=language)
    return None


def soon(connection: Connection, rt: Runtime, now: float, slot: int | None = None) -> None:
    """Ask WhatsApp about the templates now; once a ``slot``, whatever number of replicas, or because something happened:
    then once more after a question that may have been asked before it."""
    asked = f"templates:{rt.name}"
    if slot is None and in_lane.is_untouched(connection, asked):
        return
    key = None if slot is None else f"{asked}:{slot}"
    rt.put(connection, lane=asked, kind="templates", payload={}, now=now, key=key)
