"""The commands. One function each, no logic: what they do is wired in ``wiring.py``."""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

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
app.add_typer(failed, name="failed")
app.add_typer(key, name="key")

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

ConfigOption = Annotated[list[Path], typer.Option("--config", "-c", help="config.toml of a municipality")]
OneConfig = Annotated[Path, typer.Option("--config", "-c", help="config.toml of a municipality")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]


def main() -> None:
    """Run the command line. Exits 0 (well), 1 (it failed) or 2 (used wrongly)."""
    try:
        app()
    except Misconfigured as error:
        _findings(error.findings, as_json=False)
        sys.exit(1)
    except ConnectorError as error:
        _err.print(f"connector: {error}")
        sys.exit(1)


def _findings(findings: tuple[Finding, ...] | list[Finding], as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=2))
        return
    for finding in findings:
        style = "red" if finding.severity == "error" else "yellow"
        _out.print(f"[{style}]{finding.severity}[/]  ", end="")
        _out.print(str(finding), markup=False)


@app.command()
def run(
    config: Annotated[list[Path] | None, typer.Argument(help="more config files, one a municipality")] = None,
    config_option: Annotated[list[Path] | None, typer.Option("--config", "-c", help="config.toml")] = None,
) -> None:
    """Start the service: web server, workers and poller in one process.

    Example: connector run --config config.toml
    """
    import uvicorn

    from connector import wiring
    from connector.toolkit.observe import configure_logging

    paths = [*(config_option or []), *(config or [])]
    if not paths:
        raise typer.BadParameter("which config file? connector run --config config.toml")
    municipalities = wiring.read(paths)
    settings = municipalities[0].settings
    configure_logging(settings.log.level, settings.log.format)
    service = wiring.Service(municipalities)
    # uvicorn stops gracefully and then raises the signal again: this makes that a clean exit
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        service.app,
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


@app.command()
def check(
    config: OneConfig,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at every setting, mapping and text, then at WhatsApp and the tracker. Exit 0 only when it would run.

    Example: connector check --config config.toml
    """
    from connector import checks

    findings = checks.everything(config, offline=offline)
    _findings(findings, as_json)
    errors = sum(f.severity == "error" for f in findings)
    if not as_json:
        _err.print(f"{errors} errors, {len(findings) - errors} warnings" if findings else "All is well.")
    if errors:
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
    from connector import demonstration

    demonstration.serve(
        port=port, browser=browser, redmine=redmine, api_key=api_key, desk_key=desk_key, mapping=mapping
    )


@app.command()
def status(config: OneConfig, as_json: AsJson = False) -> None:
    """What waits, what failed, and what is paused and why.

    Example: connector status --config config.toml
    """
    from connector import operations

    found = operations.status(config)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table("kind", "waiting", "failed", title=f"Oldest due: {found['oldest']:.0f} s ago")
    for kind in sorted({*found["waiting"], *found["failed"]}):
        table.add_row(kind, str(found["waiting"].get(kind, 0)), str(found["failed"].get(kind, 0)))
    _out.print(table)
    for pause in found["paused"]:
        _out.print(
            f"[red]paused[/] {pause['town']} {pause['destination']} since {_moment(pause['since'])}: {pause['reason']}"
        )


@failed.command("list")
def failed_list(config: OneConfig, as_json: AsJson = False) -> None:
    """Rows that failed for good, and why.

    Example: connector failed list --config config.toml
    """
    from connector import operations

    rows = operations.failed(config)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table("id", "municipality", "kind", "tries", "since", "why")
    for row in rows:
        table.add_row(
            str(row["id"]),
            row["town"],
            row["kind"],
            str(row["attempts"]),
            _moment(row["ended_at"]),
            row["error"] or "",
        )
    _out.print(table)


@failed.command("retry")
def failed_retry(ids: list[int], config: OneConfig) -> None:
    """Put failed rows back to work.

    Example: connector failed retry 17 18 --config config.toml
    """
    from connector import operations

    _each(ids, lambda row: operations.retry(config, row), "put back")


@failed.command("drop")
def failed_drop(ids: list[int], config: OneConfig) -> None:
    """Give failed rows up; the decision is kept as their outcome.

    Example: connector failed drop 17 --config config.toml
    """
    from connector import operations

    _each(ids, lambda row: operations.drop(config, row), "dropped")


def _each(ids: list[int], act: Any, done: str) -> None:
    missing = [row for row in ids if not act(row)]
    _out.print(f"{len(ids) - len(missing)} {done}")
    if missing:
        _err.print("no failed row " + ", ".join(map(str, missing)))
        raise typer.Exit(1)


@key.command("new")
def key_new() -> None:
    """Print a new key for privacy.key. Keep a copy: without it nothing that was stored can be read.

    Example: connector key new > secrets/privacy__key
    """
    from connector.toolkit.privacy import new_key

    print(new_key())


def _moment(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
