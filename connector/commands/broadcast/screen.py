"""What ``connector broadcast`` prints for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from connector.commands.screen import grid, moment, told
from connector.core.parts import say
from connector.core.town import Town
from connector.storage import broadcasts
from connector.storage.broadcasts import Broadcast

from .newsroom import Look, Preview, Standing

_WORDS = {
    "waiting": "wait",
    "trying": "are being sent",
    "accepted": "taken by WhatsApp",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "left": "had left before their turn",
    "stopped": "want no marketing messages (WhatsApp)",
    "cancelled": "not sent: called off",
    "unknown": "perhaps sent when it was called off",
    "failed": "failed",
}
_OVER = (broadcasts.DONE, broadcasts.CANCELLED)
_LOOK = 1.0
"""Seconds between two looks."""
_SPAN = 30.0
"""Seconds over which the rate is taken."""


def preview(out: Console, found: Preview, town: Town) -> None:
    """The page of ``connector broadcast preview``."""
    for look in found.looks:
        _look(out, look, found)
    out.print()
    lines = [f"{town.subject(name, town.languages[0])} ({name}): {many} people" for name, many in found.each]
    people = found.reach.people
    lines.append(
        f"{people} people in all; {found.reach.open} of them wrote within 24 hours and get it without a template"
    )
    if found.price is None:
        lines.append("price: not known; put those of Meta's rate card into [broadcasts] of the mapping")
    else:
        lines.append(f"price: {found.price:.2f} {found.currency} at most (category {found.category})")
    when = "at once" if not found.why and found.begins <= time.time() + 1 else f"on {moment(found.begins)}"
    why = f" ({found.why})" if found.why else ""
    lines.append(f"begins {when}{why}, takes about {length(found.seconds)}")
    for line in lines:
        told(out, line)
    for warning in found.warnings:
        told(out, warning, "! ", "yellow")


def _look(out: Console, look: Look, found: Preview) -> None:
    same = " ".join(look.template.split()) == " ".join(look.message.split())
    shown = [("with the template " + (found.template or "(none)"), look.template)]
    if not same:
        shown.append(("without it, where the window is open", look.message))
    for what, body in shown:
        text = Text(f"{body}\n\n[ {look.button} ]")
        panel = Panel(text, title=f"{look.language} · {what}", title_align="left", box=box.ROUNDED, width=64)
        out.print(panel, soft_wrap=False)


def length(seconds: float) -> str:
    """A length of time as people say it."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(1.0, seconds):.0f} seconds"


def made(out: Console, one: Broadcast) -> None:
    """What became of a decision."""
    said = {
        broadcasts.PROPOSED: f"waits for a second person: connector broadcast approve {one.id} --by NAME",
        broadcasts.PLANNED: "is sent by the service, from " + moment(one.due_at) + " on",
        broadcasts.RUNNING: "goes on",
        broadcasts.PAUSED: f"stands still: connector broadcast resume {one.id}",
        broadcasts.DONE: "is over",
        broadcasts.CANCELLED: "was called off",
    }[one.state]
    told(out, f"Broadcast {one.id} {said}.")


def standing(out: Console, found: Standing) -> None:
    """The page of ``connector broadcast show``."""
    one = found.one
    why = f": {one.why}" if one.why else ""
    told(
        out,
        f"Broadcast {one.id}, {'an alert, ' if one.alert else ''}{one.state} since {moment(one.changed_at)}{why}",
    )
    told(out, say(one.bulletin.title, ""), "  ")
    second = f", approved by {one.agreed_by}" if one.agreed_by else ""
    told(out, f"to {', '.join(one.topics)}; made by {one.made_by} on {moment(one.created_at)}{second}", "  ")
    table = grid("people", "", numbers=1)
    for outcome, many in sorted(found.counts.items(), key=lambda pair: -pair[1]):
        state, _, reason = outcome.partition(": ")
        table.add_row(_WORDS.get(state, state) + (f": {reason}" if reason else ""), str(many))
    table.add_row("together", str(found.people), style="bold")
    out.print()
    out.print(table)


def every(out: Console, found: Sequence[Standing]) -> None:
    """The page of ``connector broadcast list``."""
    if not found:
        out.print("Nothing was sent to anybody yet.")
        return
    table = grid("number", "state", "since", "title", "people", "wait", "delivered", "failed", numbers=4)
    for each in found:
        one, counts = each.one, each.counts
        failed = sum(many for what, many in counts.items() if what.startswith("failed"))
        title = say(one.bulletin.title, "")
        numbers = (each.people, each.left, counts["delivered"] + counts["read"], failed)
        table.add_row(
            str(one.id),
            one.state,
            moment(one.changed_at),
            title[:32] + "…" * (len(title) > 32),
            *map(str, numbers),
        )
    out.print(table)
    for each in found:
        if each.one.why and each.one.state not in _OVER:
            told(out, each.one.why, f"{each.one.id}  ", "yellow")


def follow(out: Console, err: Console, look: Callable[[], Standing], clock: Callable[[], float]) -> None:
    """A bar until it is over, with rate and remaining time; then how it ended."""
    seen: list[tuple[float, int]] = []
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"),
    )  # fmt: skip
    found = look()
    try:
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("", total=None, pace="")
            while found.one.state not in _OVER:
                done, now = found.people - found.counts["waiting"] - found.counts["trying"], clock()
                seen = [*(s for s in seen if now - s[0] < _SPAN), (now, done)]
                total = max(found.people, done + found.left)
                why = f" ({found.one.why})" if found.one.why else ""
                bar.update(
                    task, description=f"{found.one.state}{why}", completed=done, total=total or None,
                    pace=pace(seen, found.left),
                )  # fmt: skip
                time.sleep(_LOOK)
                found = look()
    except KeyboardInterrupt:
        err.print(f"The service goes on with it: connector broadcast show {found.one.id} --follow")
        return
    standing(out, found)


def pace(seen: Sequence[tuple[float, int]], left: int) -> str:
    """«58/s, 12 minutes left» from what was seen of late."""
    (first, before), (last, now) = seen[0], seen[-1]
    if last <= first or now <= before:
        return ""
    rate = (now - before) / (last - first)
    return f"{rate:.0f}/s, {length(left / rate)} left"
