"""What the commands print, on a narrow terminal, on a wide one and into a file."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import Any

import pytest
from rich.console import Console

from connector.commands import screen, terminal
from connector.commands.person.desk import Ticket
from connector.commands.person.screen import tickets
from connector.core.errors import Finding
from connector.storage.books import Books
from connector.whatsapp.templates import Compared

REASON = "WhatsApp refused it (131026 Message undeliverable [not on WhatsApp, terms not accepted, old app, blocked]; Meta does not say which)"
FOUND: dict[str, Any] = {
    "paused": [
        {
            "town": "sant-cebria",
            "destination": "tracker",
            "since": 1.8e9,
            "reason": "Redmine does not let us in",
        },
        {
            "town": "sant-cebria",
            "destination": "mapping",
            "since": 1.8e9,
            "reason": "x.toml:65:1: menu[1].titel: unknown key",
        },
    ],
    "templates": [],
    "feeds": [{"town": "sant-cebria", "name": "news", "good_at": 1.8e9, "problem": "no RSS or Atom feed"}],
    "broadcasts": [{"id": 7, "town": "sant-cebria", "since": 1.8e9, "why": "the number's quality is RED"}],
    "failed": {"send": 2},
    "waiting": {"create": 12, "receipt": 1},
    "gone": {},
    "towns": {"sant-cebria": {"poll": 1.8e9, "webhook": 1.8e9, "mapping": 1.8e9}, "altre-poble": {}},
    "numbers": {
        "sant-cebria": {"quality": "YELLOW", "limit": "TIER_2K", "problem": "", "at": 1.8e9},
        "altre-poble": {"quality": "", "limit": "", "problem": "190 the token has expired", "at": 1.8e9},
    },
    "oldest": 700.0,
    "version": "0.1.0",
    "database": "sqlite",
    "database_version": "3.53.4",
}
ROWS = [
    {"id": n, "town": "sant-cebria", "kind": kind, "attempts": 1, "ended_at": 1.8e9, "error": REASON}
    for n, kind in ((163, "send"), (166, "send"), (170, "create"))
]
TEMPLATES = [
    Compared(
        "resposta_disponible",
        "ca",
        "REJECTED",
        "UTILITY",
        "WhatsApp rejected it",
        "change [texts] and [templates]",
    ),
    Compared("resposta_disponible", "es", "APPROVED", "UTILITY", "", ""),
]
FINDING = Finding(
    "error",
    "it has 27 characters, at most 24 fit in a row of a list",
    "shorten it by 3",
    "t.toml",
    30,
    "menu[1].title.es",
    30,
)


def shown(width: int, terminal: bool, what: str) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=True
    )
    {
        "status": lambda: screen.status(console, FOUND),
        "failed": lambda: screen.failed(console, ROWS),
        "templates": lambda: screen.templates(console, TEMPLATES),
        "findings": lambda: screen.findings(console, [FINDING]),
    }[what]()
    return out.getvalue()


@pytest.mark.parametrize("what", ["status", "failed", "templates", "findings"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_longer_than_the_terminal(what: str, width: int) -> None:
    assert max(map(len, shown(width, True, what).splitlines())) <= width


def test_brackets_are_words_and_no_colours() -> None:
    assert "change [texts] and [templates]" in shown(80, True, "templates").replace("\n", " ").replace(
        "  ", ""
    )
    assert "[not on WhatsApp" in shown(120, False, "failed")
    assert "menu[1].titel" in shown(80, False, "status")


def test_status_says_how_number_and_token_are() -> None:
    page = shown(120, False, "status")
    assert page.endswith("connector 0.1.0, sqlite 3.53.4\n")
    assert "tier_2k" in page and "yellow: people report or block it" in page
    assert "altre-poble: WhatsApp does not accept the token: 190" in page


def test_into_a_file_a_sentence_is_one_line() -> None:
    assert shown(80, False, "findings") == f"error  {FINDING}\n"
    assert REASON in shown(40, False, "failed")


def test_what_failed_for_the_same_reason_stands_together() -> None:
    page = shown(120, True, "failed")
    assert page.count("send: WhatsApp refused it") == 1 and page.count("create: WhatsApp refused it") == 1
    assert "connector failed retry 163 166 170" in page


def test_status_begins_with_what_needs_a_person() -> None:
    page = shown(80, True, "status").splitlines()
    assert page[0].startswith("! sant-cebria: tracker is left alone since")
    assert any(line.startswith("! sant-cebria: the mapping was changed and is refused") for line in page)
    assert any(
        line.startswith("! sant-cebria: page news cannot be read, its copy is of 2027") for line in page
    )
    assert any(line.split() == ["altre-poble", "not", "yet", "not", "yet", "not", "yet"] for line in page)
    assert any("12 min" in line and "oldest" in line for line in page)
    quiet = {
        **FOUND,
        "paused": [],
        "feeds": [],
        "broadcasts": [],
        "failed": {},
        "waiting": {},
        "towns": {},
        "numbers": {},
    }
    out = io.StringIO()
    screen.status(Console(file=out, width=80), quiet)
    assert out.getvalue().startswith("All is well.")


HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\r\n\u202efalse [red]x[/] [/] \x00"


def test_words_of_others_move_no_cursor_and_are_no_colours() -> None:
    """What a tracker, a citizen or a mapping says is words, whatever stands in it."""
    out = io.StringIO()
    console = Console(file=out, width=400, force_terminal=True, color_system=None, highlight=False)
    rows = [{**ROWS[0], "error": HOSTILE, "town": HOSTILE}]
    screen.failed(console, rows)
    books = Books(received=1, inbound=Counter({f"cannot be taken: unsupported ({HOSTILE})": 1}))
    screen.books(console, books)
    screen.findings(console, [Finding("error", HOSTILE, HOSTILE, HOSTILE)])
    tickets(console, [Ticket(HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    shown = out.getvalue().replace("\n", "")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert shown.count("[red]x[/] [/]") >= 4, "as it was written"


def test_data_moves_no_cursor_either_and_is_the_same() -> None:
    made = terminal.as_json({"text": HOSTILE})
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", made)
    assert json.loads(made) == {"text": HOSTILE}
