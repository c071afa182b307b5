"""``connector person``. What the commands do is in ``desk.py``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from connector.commands import terminal
from connector.commands.options import AsJson, OneConfig

app = typer.Typer(
    help="What is held about one person, its erasure, and what is forgotten by rule.", no_args_is_help=True
)

Who = Annotated[
    str, typer.Argument(help="a reference (SCV-7K3F-9Q), a phone number in any form, or WhatsApp's user id")
]


@app.command("export")
def person_export(who: Who, config: OneConfig) -> None:
    """Print everything that is held about one person, as JSON: what, where, since when.

    Example: connector person export "+34 600 000 001" --config config.toml > person.json
    """
    from .desk import Desk

    with Desk.open(config) as desk:
        print(terminal.as_json(desk.export(who)))


@app.command("erase")
def person_erase(
    who: Who,
    config: OneConfig,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase one person, and list the tickets that staff must look at. Evidence of consent stays for its own time.

    Example: connector person erase SCV-7K3F-9Q --config config.toml
    """
    from . import screen
    from .desk import Desk

    with Desk.open(config) as desk:
        if not yes:
            screen.tickets(terminal.err(), desk.tickets(who))
            typer.confirm("Erase everything about this person? It cannot be undone.", abort=True, err=True)
        erased = desk.erase(who)
    if as_json:
        print(terminal.as_json(asdict(erased)))
    else:
        screen.erased(terminal.out(), erased)


@app.command("retention")
def person_retention(
    config: OneConfig,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget now what is kept no longer; the service does it every night.

    Example: connector person retention --dry-run --config config.toml
    """
    from . import screen
    from .desk import Desk

    with Desk.open(config) as desk:
        found = desk.retention(dry_run=dry_run)
    if as_json:
        print(terminal.as_json(found))
        return
    screen.forgotten(terminal.out(), found, dry_run=dry_run)


@app.command("log")
def person_log(config: OneConfig, as_json: AsJson = False) -> None:
    """What was erased when, by which rule, as numbers: nobody is named.

    Example: connector person log --config config.toml
    """
    from . import screen
    from .desk import Desk

    with Desk.open(config) as desk:
        entries = desk.log()
    if as_json:
        print(terminal.as_json([asdict(entry) for entry in entries]))
        return
    screen.erasures(terminal.out(), entries)
