"""The commands. One function each, no logic: what they do is in ``commands/``, where large groups are declared too."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.commands import terminal
from connector.commands.broadcast.cli import app as broadcast
from connector.commands.init.cli import init
from connector.commands.options import AsJson, OneConfig
from connector.commands.person.cli import app as person
from connector.commands.terminal import err, out
from connector.core.errors import ConnectorError, Finding, Misconfigured

app = typer.Typer(
    name="connector",
    help="Citizens write on WhatsApp, staff answer in their ticket system.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
failed = typer.Typer(
    help="Work that failed for good: list it, put it back, or give it up.", no_args_is_help=True
)
key = typer.Typer(help="The key that encrypts what is kept.", no_args_is_help=True)
templates = typer.Typer(
    help="Message templates, with which people are reached after 24 hours.", no_args_is_help=True
)
app.command("init")(init)
app.add_typer(broadcast, name="broadcast")
app.add_typer(failed, name="failed")
app.add_typer(person, name="person")
app.add_typer(templates, name="templates")
app.add_typer(key, name="key")


def main() -> None:
    """Run the command line. Exits 0 (well), 1 (it failed) or 2 (used wrongly)."""
    try:
        app()
    except Misconfigured as error:
        _findings(error.findings, as_json=False)
        sys.exit(1)
    except ConnectorError as error:
        from connector.commands import screen

        screen.told(err(), f"connector: {error}")
        sys.exit(1)


def _findings(findings: tuple[Finding, ...] | list[Finding], as_json: bool) -> None:
    if as_json:
        print(terminal.as_json([asdict(f) for f in findings]))
        return
    from connector.commands import screen

    screen.findings(out(), findings)


def _many(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


@app.command()
def run(
    config: Annotated[list[Path] | None, typer.Argument(help="more config files, one a municipality")] = None,
    config_option: Annotated[list[Path] | None, typer.Option("--config", "-c", help="config.toml")] = None,
) -> None:
    """Start the service: web server, workers and poller in one process.

    Example: connector run --config config.toml
    """
    from connector import wiring
    from connector.toolkit.observe import configure_logging

    paths = [*(config_option or []), *(config or [])]
    if not paths:
        raise typer.BadParameter("which config file? connector run --config config.toml")
    municipalities = wiring.read(paths)
    settings = municipalities[0].settings
    configure_logging(settings.log.level, settings.log.format)
    wiring.Service(municipalities).serve(settings.server)


@app.command()
def check(
    config: OneConfig,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at every setting, mapping and text, then at WhatsApp and the tracker. Exit 0 only when it would run.

    Example: connector check --config config.toml
    """
    from connector.commands.check.everything import everything

    checked = everything(config, offline=offline)
    _findings(checked.findings, as_json)
    warnings = len(checked.findings) - checked.errors
    if checked.looked_at and not as_json:
        err().print(checked.looked_at, markup=False)
    if checked.not_asked:
        err().print(checked.not_asked, markup=False)
    if not as_json:
        counted = f"{_many(checked.errors, 'error')}, {_many(warnings, 'warning')}"
        err().print(counted if checked.findings else "All is well.")
    if checked.errors:
        raise typer.Exit(1)


@app.command()
def demo(
    port: Annotated[int, typer.Option("--port", envvar="PORT", help="Port of the page")] = 8000,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser")] = True,
    redmine: Annotated[str, typer.Option("--redmine", help="Use this Redmine instead of the stand-in")] = "",
    api_key: Annotated[
        str, typer.Option("--api-key", help="The connector's key there", show_default=False)
    ] = "",
    desk_key: Annotated[
        str,
        typer.Option(
            "--desk-key", help="Key of a staff member, for the desk of the page", show_default=False
        ),
    ] = "",
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Another mapping than sant-cebria")
    ] = None,
) -> None:
    """Phone and staff desk side by side in the browser; embedded database, no account anywhere.

    Example: connector demo --port 8000
    """
    from connector.commands.demo import serve

    serve(port=port, browser=browser, redmine=redmine, api_key=api_key, desk_key=desk_key, mapping=mapping)


@app.command()
def status(
    config: OneConfig,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Every message with its outcome; exit 1 when one has none")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What waits, what failed, what is paused and since when; with --ledger what became of every message.

    Example: connector status --config config.toml
    """
    from connector.commands import screen
    from connector.commands import status as command

    if ledger:
        books = command.ledger(config)
        if as_json:
            print(terminal.as_json(books.data()))
        else:
            screen.books(out(), books)
        if not books.balanced:
            raise typer.Exit(1)
        return
    found = command.status(config)
    if as_json:
        print(terminal.as_json(found))
    else:
        screen.status(out(), found)


@failed.command("list")
def failed_list(config: OneConfig, as_json: AsJson = False) -> None:
    """Rows that failed for good, and why.

    Example: connector failed list --config config.toml
    """
    from connector.commands import failed as command
    from connector.commands import screen

    rows = command.rows(config)
    if as_json:
        print(terminal.as_json(rows))
        return
    screen.failed(out(), rows)


@failed.command("retry")
def failed_retry(
    ids: list[int],
    config: OneConfig,
    ticket: Annotated[
        str, typer.Option("--ticket", help="The ticket is in the tracker already, under this number")
    ] = "",
) -> None:
    """Put failed rows back to work.

    Example: connector failed retry 17 18 --config config.toml
    """
    from connector.commands import failed as command

    if ticket and len(ids) != 1:
        err().print("--ticket goes with one row")
        raise typer.Exit(2)
    _each(
        ids,
        lambda row: command.adopt(config, row, ticket) if ticket else command.retry(config, row),
        "put back",
    )


@failed.command("drop")
def failed_drop(ids: list[int], config: OneConfig) -> None:
    """Give failed rows up; the decision is kept as their outcome.

    Example: connector failed drop 17 --config config.toml
    """
    from connector.commands import failed as command

    _each(ids, lambda row: command.drop(config, row), "dropped")


def _each(ids: list[int], act: Any, done: str) -> None:
    missing = [row for row in ids if not act(row)]
    out().print(f"{len(ids) - len(missing)} {done}")
    if missing:
        err().print("no failed row " + ", ".join(map(str, missing)))
        raise typer.Exit(1)


@templates.command("list")
def templates_list(config: OneConfig, as_json: AsJson = False) -> None:
    """The message templates the mapping needs, and what WhatsApp says of each. Exit 1 when one cannot be used.

    Example: connector templates list --config config.toml
    """
    from connector.commands import templates as command

    _show_templates(command.compared(config), as_json)


@templates.command("push")
def templates_push(config: OneConfig, as_json: AsJson = False) -> None:
    """Hand in to WhatsApp what is missing; what is there already is left as it is.

    Example: connector templates push --config config.toml
    """
    from connector.commands import templates as command

    pushed, found = command.push(config)
    err().print(f"handed in: {', '.join(pushed)}" if pushed else "nothing was missing")
    _show_templates(found, as_json)


def _show_templates(found: list[Any], as_json: bool) -> None:
    if as_json:
        print(terminal.as_json([asdict(one) for one in found]))
    else:
        from connector.commands import screen

        screen.templates(out(), found)
    if any(one.alarming for one in found):
        raise typer.Exit(1)


@app.command()
def qr(
    config: OneConfig,
    number: Annotated[
        str, typer.Option("--number", help="Instead of asking WhatsApp for it", show_default=False)
    ] = "",
    text: Annotated[str, typer.Option("--text", help="What people send first")] = "Hola",
    folder: Annotated[Path, typer.Option("--folder", help="Where the files go")] = Path(),
    as_json: AsJson = False,
) -> None:
    """The link with which people start, its code (SVG) and a poster with it (PNG, A4, 300 dpi).

    Example: connector qr --config config.toml --folder poster
    """
    from connector.commands.qr import poster
    from connector.commands.qr.start import start

    made = start(config, folder, number, text)
    if as_json:
        print(terminal.as_json(asdict(made)))
        return
    if sys.stdout.isatty():
        print(poster.code_text(made.link))
    out().print(made.link, markup=False)
    for file in made.files:
        err().print(f"written  {file}", markup=False)


@key.command("new")
def key_new() -> None:
    """Print a new key for privacy.key. Keep a copy: without it nothing that was stored can be read.

    Example: connector key new > secrets/privacy__key
    """
    from connector.toolkit.privacy import new_key

    print(new_key())


@key.command("rotate")
def key_rotate(
    config: OneConfig,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take the old key away, once nothing needs it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing")] = False,
) -> None:
    """Encrypt everything that is kept with a new key, while the service runs; interrupted, run it again.

    Example: connector key rotate --config config.toml
    """
    from connector.commands import key as command
    from connector.commands import screen

    if finish:
        kept = command.finish(config)
        out().print(
            f"{kept.name} holds the new key alone. Backups made before still need the old one.", markup=False
        )
        return
    before = command.place(config)
    if len(before.keys) == 1 and not yes:
        typer.confirm(f"Put a new key in front of the old one in {before.name}?", abort=True, err=True)
    place = command.begin(config)
    err().print(
        f"The new key stands first in {place.name}. Copy it to where you keep the old one.", markup=False
    )
    if not yes:
        typer.confirm("Is it copied, so that everything can be encrypted with it?", abort=True, err=True)
    screen.rotation(out(), err(), command.carry_out(config))
    err().print("The old key may go now: connector key rotate --finish", markup=False)
