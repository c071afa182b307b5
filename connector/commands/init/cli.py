"""``connector init``, the command with the most flags: every question can be answered by one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.commands.terminal import err, out
from connector.core.errors import Finding, Misconfigured


class _Talk:
    """The terminal, for the questions of ``init``; with ``--yes`` nobody is asked."""

    def __init__(self, interactive: bool) -> None:
        self.interactive = interactive

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:
        if not self.interactive:
            return default
        return str(
            typer.prompt(question, default=default, hide_input=hidden, show_default=bool(default), err=True)
        )

    def tell(self, sentence: str) -> None:
        if self.interactive:
            err().print(sentence, markup=False)


def _flag(flag: str, words: str, *, variable: str = "") -> Any:
    return typer.Option(
        f"--{flag}", help=words, envvar=variable or None, show_default=False, show_envvar=bool(variable)
    )


def init(
    folder: Annotated[Path, typer.Argument(help="where the files go")] = Path(),
    name: Annotated[str | None, _flag("name", "name of the town hall, as citizens know it")] = None,
    prefix: Annotated[str | None, _flag("prefix", "in front of every reference, 2 to 6 capitals")] = None,
    languages: Annotated[str | None, _flag("languages", "ca,es,en: the first one greets")] = None,
    web: Annotated[str | None, _flag("web", "web site of the town hall")] = None,
    e_office: Annotated[str | None, _flag("e-office", "address of the electronic office")] = None,
    policy_url: Annotated[str | None, _flag("policy-url", "page with the data-protection notice")] = None,
    contact: Annotated[str | None, _flag("contact", "where people exercise their rights (e-mail)")] = None,
    telephone: Annotated[str | None, _flag("telephone", "telephone, counter and hours, in one line")] = None,
    tracker: Annotated[str | None, _flag("tracker", "kind of ticket system")] = None,
    tracker_url: Annotated[str | None, _flag("tracker-url", "its address")] = None,
    api_key: Annotated[
        str | None,
        _flag("api-key", "key of the connector's account there", variable="CONNECTOR_TRACKER__API_KEY"),
    ] = None,
    project: Annotated[str | None, _flag("project", "project that requests go to")] = None,
    reference_field: Annotated[str | None, _flag("reference-field", "custom field for the reference")] = None,
    mayor: Annotated[str | None, _flag("mayor", "who gets what is written to the mayor")] = None,
    incident: Annotated[str | None, _flag("incident", "who gets incidents")] = None,
    mailbox: Annotated[str | None, _flag("mailbox", "who gets everything else")] = None,
    councillor: Annotated[
        list[str] | None,
        typer.Option(
            "--councillor", help="«Name in the tracker=Neighbourhood», once for each", show_default=False
        ),
    ] = None,
    business_account_id: Annotated[
        str | None, _flag("business-account-id", "id of the WhatsApp Business Account")
    ] = None,
    phone_number_id: Annotated[str | None, _flag("phone-number-id", "id of the number")] = None,
    access_token: Annotated[
        str | None,
        _flag("access-token", "token of a system user", variable="CONNECTOR_WHATSAPP__ACCESS_TOKEN"),
    ] = None,
    app_secret: Annotated[
        str | None, _flag("app-secret", "secret of the Meta app", variable="CONNECTOR_WHATSAPP__APP_SECRET")
    ] = None,
    verify_token: Annotated[
        str | None,
        _flag(
            "verify-token",
            "word for Meta's form; else one is made",
            variable="CONNECTOR_WHATSAPP__VERIFY_TOKEN",
        ),
    ] = None,
    whatsapp_api_url: Annotated[
        str | None, _flag("whatsapp-api-url", "another host than Meta's, for tests and providers")
    ] = None,
    database: Annotated[
        str | None, _flag("database", "sqlite:///FILE or postgresql://…", variable="CONNECTOR_DATABASE")
    ] = None,
    host: Annotated[str | None, _flag("host", "address the web server listens on")] = None,
    port: Annotated[str | None, _flag("port", "port the web server listens on")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="a setting of the tracker, as text_format=common_mark", show_default=False
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: flags and defaults")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what is there (never over the key)")
    ] = False,
) -> None:
    """Ask a few questions and write settings, secrets and a mapping, ready for check.

    Answers are suggested by the tracker where it can be reached. Example: connector init /etc/connector
    """
    from connector import wiring
    from connector.commands import screen

    from .answers import Given
    from .files import written
    from .questions import gather

    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here: add --yes, and what is needed by flags")
    if (folder / "config.toml").exists() and not force:
        raise Misconfigured(
            [
                Finding(
                    "error",
                    "is there already",
                    "name another folder, or add --force",
                    str(folder / "config.toml"),
                )
            ]
        )
    flags = {k.replace("_", "-"): v for k, v in locals().items() if isinstance(v, str)}
    flags |= {f"set-{name.strip()}": value for name, _, value in (s.partition("=") for s in setting or ())}
    given = Given(flags, councillor)
    month = datetime.now(UTC).strftime("%Y-%m")
    talk = _Talk(not yes)
    try:
        answers = gather(
            given, talk, list(wiring.TRACKERS), wiring.survey, wiring.whatsapp_numbers, month=month
        )
    except Misconfigured as error:
        screen.findings(err(), error.findings)
        raise typer.Exit(2) from None
    for file in written(answers, folder, overwrite=force):
        out().print(f"written  {file}", markup=False)
    err().print(f"next:  connector check --config {folder / 'config.toml'}", markup=False)
