"""What ``connector person`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from connector.commands.screen import moment, told
from connector.storage.erasing import Entry

from .desk import WHAT, Erased, Ticket


def tickets(out: Console, found: Sequence[Ticket]) -> None:
    """The requests of somebody who is to be erased, or was."""
    if not found:
        out.print("No request of this person is known.")
    for one in found:
        number = f"ticket {one.ticket}, " if one.ticket else ""
        told(out, f"{number}{one.state} {one.url}".strip(), f"{one.reference}  ")


def erased(out: Console, done: Erased) -> None:
    """What ``connector person erase`` did, and what is left to people."""
    counts = ", ".join(f"{what} {n}" for what, n in done.counts.items())
    told(out, f"Erased: {counts}. This is entry {done.number} of the log.")
    if done.tickets:
        told(
            out,
            "These tickets still hold what the person wrote and attached. Staff decide what has to be done with them; on "
            "those that are open a private note says that answers will not arrive any more.",
        )
        tickets(out, done.tickets)


def forgotten(out: Console, found: Mapping[str, int], *, dry_run: bool) -> None:
    """The page of ``connector person retention``."""
    out.print("to forget" if dry_run else "forgotten")
    for name, n in found.items():
        told(out, WHAT[name], f"{n:>9}  {name:<{max(map(len, WHAT))}}  ")


def erasures(out: Console, found: Sequence[Entry]) -> None:
    """The page of ``connector person log``."""
    for entry in found:
        counts = ", ".join(f"{what} {n}" for what, n in entry.counts.items())
        told(out, f"{entry.rule}: {counts}", f"{entry.number:>6}  {moment(entry.at)}  ")
    if not found:
        out.print("Nothing was erased yet.")
