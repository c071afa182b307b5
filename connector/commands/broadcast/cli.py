"""``connector broadcast``: news and alerts to the subscribers. What the commands do is in ``newsroom.py``."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.commands.options import AsJson, OneConfig
from connector.commands.terminal import err, out

if TYPE_CHECKING:
    from .newsroom import Draft, Newsroom, Standing

app = typer.Typer(
    help="News and alerts to those who subscribed: look at it first, send, halt, follow.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(help="its number, as connector broadcast list shows it")]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", "-t", help="To whom: a topic of the mapping, or TOPIC/AREA; may be repeated"),
]
Title = Annotated[str, typer.Option("--title", help="One line")]
Words = Annotated[str, typer.Option("--text", help="What it says")]
Link = Annotated[str, typer.Option("--link", help="Where there is more")]
Item = Annotated[
    str,
    typer.Option(
        "--item", help="PAGE: the newest item of a page's feed or of the tracker's news; or PAGE/ID"
    ),
]
File = Annotated[
    Path | None,
    typer.Option("--file", help="TOML with title, text and link, each a text or { ca = …, es = … }"),
]
Alert = Annotated[bool, typer.Option("--alert", help="Urgent: at any hour, before everything else")]
At = Annotated[str, typer.Option("--at", help="Not before, local time: 2026-12-01 10:00")]
By = Annotated[str, typer.Option("--by", help="Who does this; your account's name otherwise")]


def _room(config: Path) -> Any:
    from .newsroom import Newsroom

    return Newsroom.open(config)


def _who(by: str) -> str:
    return by.strip() or getpass.getuser()


def _draft(
    room: Newsroom,
    topics: list[str] | None,
    alert: bool,
    title: str,
    text: str,
    link: str,
    item: str,
    file: Path | None,
) -> Draft:
    return room.draft(topics or (), alert=alert, title=title, text=text, link=link, item=item, file=file)


@app.command("preview")
def preview(
    config: OneConfig,
    topic: Topics = None,
    title: Title = "",
    text: Words = "",
    link: Link = "",
    item: Item = "",
    file: File = None,
    alert: Alert = False,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """How it looks on the phone, whom it reaches, what it costs, when it goes. Nothing is sent.

    Example: connector broadcast preview --item news --topic news --config config.toml
    """
    from . import screen

    with _room(config) as room:
        draft = _draft(room, topic, alert, title, text, link, item, file)
        found = room.preview(draft, room.moment(at) if at else None)
        if as_json:
            print(json.dumps(asdict(found), ensure_ascii=False, indent=2))
            return
        screen.preview(out(), found, room.town)


@app.command("send")
def send(
    config: OneConfig,
    topic: Topics = None,
    title: Title = "",
    text: Words = "",
    link: Link = "",
    item: Item = "",
    file: File = None,
    alert: Alert = False,
    at: At = "",
    by: By = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing")] = False,
    follow: Annotated[bool, typer.Option(help="Show how far it is until it is over")] = True,
    as_json: AsJson = False,
) -> None:
    """Show it, ask, and hand it to the service, which sends it; then follow it. Ctrl+C stops following, not sending.

    Example: connector broadcast send --title "Tall d'aigua" --text "Dijous, de 9 a 13 h." --topic notices --config config.toml
    """
    from . import screen

    with _room(config) as room:
        draft = _draft(room, topic, alert, title, text, link, item, file)
        moment = room.moment(at) if at else None
        found = room.preview(draft, moment)
        if not yes:
            screen.preview(err(), found, room.town)
            typer.confirm(f"Send it to {found.reach.people} people?", abort=True, err=True)
        one = room.send(draft, _who(by), moment)
        if as_json:
            print(json.dumps({"broadcast": one.id, "state": one.state, "people": found.reach.people}))
            return
        screen.made(out(), one)
        if follow and one.state != "proposed" and out().is_terminal:
            screen.follow(out(), err(), lambda: room.standing(one.id), room.clock)


def _decide(config: Path, number: int, what: str, by: str) -> None:
    from . import screen

    with _room(config) as room:
        screen.made(out(), room.decide(number, what, _who(by)))


@app.command("pause")
def pause(number: Number, config: OneConfig, by: By = "") -> None:
    """Halt it; who has it has it, the others wait.

    Example: connector broadcast pause 12 --config config.toml
    """
    _decide(config, number, "pause", by)


@app.command("resume")
def resume(number: Number, config: OneConfig, by: By = "") -> None:
    """Let it go on, also when it stopped by itself.

    Example: connector broadcast resume 12 --config config.toml
    """
    _decide(config, number, "resume", by)


@app.command("approve")
def approve(number: Number, config: OneConfig, by: By = "") -> None:
    """Agree to it as the second person, where the mapping asks for one.

    Example: connector broadcast approve 12 --by "Maria Puig" --config config.toml
    """
    _decide(config, number, "approve", by)


@app.command("cancel")
def cancel(number: Number, config: OneConfig, by: By = "") -> None:
    """Call it off: nobody else gets it.

    Example: connector broadcast cancel 12 --config config.toml
    """
    _decide(config, number, "cancel", by)


@app.command("list")
def list_all(config: OneConfig, as_json: AsJson = False) -> None:
    """The newest, and how each stands.

    Example: connector broadcast list --config config.toml
    """
    from . import screen

    with _room(config) as room:
        found = room.every()
    if as_json:
        print(json.dumps([_data(one) for one in found], ensure_ascii=False, indent=2))
        return
    screen.every(out(), found)


@app.command("show")
def show(
    number: Number,
    config: OneConfig,
    follow: Annotated[bool, typer.Option("--follow", help="Show how far it is until it is over")] = False,
    as_json: AsJson = False,
) -> None:
    """How it stands: sent, delivered, read, failed and why.

    Example: connector broadcast show 12 --follow --config config.toml
    """
    from . import screen

    with _room(config) as room:
        if as_json:
            print(json.dumps(_data(room.standing(number)), ensure_ascii=False, indent=2))
        elif follow:
            screen.follow(out(), err(), lambda: room.standing(number), room.clock)
        else:
            screen.standing(out(), room.standing(number))


def _data(found: Standing) -> dict[str, Any]:
    return {**asdict(found.one), "outcomes": dict(found.counts), "people": found.people, "left": found.left}
