"""What the commands print for people: tables and one line a finding. ``--json`` prints the same as data."""

from __future__ import annotations

import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from connector.commands.key import Progress
from connector.core.errors import Finding
from connector.storage.books import Books
from connector.toolkit.observe import harmless
from connector.whatsapp.templates import Compared

_QUIET = 24 * 3600
"""Seconds without a notification from WhatsApp after which it is worth a look: Meta has no history to ask for."""


def findings(out: Console, found: Iterable[Finding]) -> None:
    """One line a finding."""
    for finding in found:
        style = "red" if finding.severity == "error" else "yellow"
        told(out, str(finding), f"{finding.severity}  ", style)


def moment(at: float | None) -> str:
    """A time in the machine's own zone."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def ago(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def told(out: Console, text: str, mark: str = "", style: str = "") -> None:
    """A sentence; on a terminal its lines end between words and begin under the first, elsewhere it is one line."""
    text = harmless(text)
    lines = textwrap.wrap(text, max(20, out.width - len(mark))) if out.is_terminal else [text]
    for n, line in enumerate(lines or [""]):
        out.print(Text(harmless(mark) if n == 0 else " " * len(mark), style), end="")
        out.print(line, markup=False)


def grid(*columns: str, numbers: int = 0) -> Table:
    """A table without frames; the last ``numbers`` columns are numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, no_wrap=True, justify="right" if n >= len(columns) - numbers else "left")
    return table


def words(table: Table, *cells: str, style: str = "") -> None:
    """A row of words: nothing in them is a colour or moves the cursor."""
    table.add_row(*(Text(harmless(cell)) for cell in cells), style=style or None)


def status(out: Console, found: dict[str, Any]) -> None:
    """The page of ``connector status``: what needs a person first."""
    now = time.time()
    alarms = _alarms(found, now)
    for alarm in alarms:
        told(out, alarm, "! ", "red")
    if not alarms:
        out.print("[green]All is well.[/]")
    if found["towns"]:
        towns = grid("municipality", "tracker read", "WhatsApp heard", "mapping taken")
        for town, signs in sorted(found["towns"].items()):
            words(towns, town, *(_since(signs, name, now) for name in ("poll", "webhook", "mapping")))
        out.print()
        out.print(towns)
    if found["numbers"]:
        numbers = grid("number of", "quality", "limit", "token", "asked")
        for town, told_us in sorted(found["numbers"].items()):
            token = "refused" if told_us["problem"] else "accepted"
            quality, limit = (told_us[name].lower() or "not said" for name in ("quality", "limit"))
            words(numbers, town, quality, limit, token, f"{ago(now - told_us['at'])} ago")
        out.print()
        out.print(numbers)
    work = grid("work", "waiting", "failed", numbers=2)
    for kind in sorted({*found["waiting"], *found["failed"]}):
        words(work, kind, str(found["waiting"].get(kind, 0)), str(found["failed"].get(kind, 0)))
    if work.row_count:
        out.print()
        out.print(work)
        if found["oldest"] >= 1:
            out.print(f"the oldest that is due has been so for {ago(found['oldest'])}", markup=False)
    out.print()
    database = f"{found['database']} {found['database_version']}"
    out.print(f"connector {found['version']}, {database}", markup=False)


def _since(signs: dict[str, float], name: str, now: float) -> str:
    return f"{ago(now - signs[name])} ago" if name in signs else "not yet"


def failed(out: Console, rows: Sequence[dict[str, Any]]) -> None:
    """The page of ``connector failed list``: rows that failed for the same reason together."""
    if not rows:
        out.print("[green]Nothing failed for good.[/]")
        return
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["kind"], row["error"] or "no reason was kept"), []).append(row)
    for n, ((kind, reason), members) in enumerate(groups.items()):
        if n:
            out.print()
        told(out, reason, f"{kind}: ", "bold")
        table = grid("id", "since", "tries", "municipality")
        for one in members:
            words(table, str(one["id"]), moment(one["ended_at"]), str(one["attempts"]), one["town"])
        out.print(Padding(table, (0, 0, 0, 2)))
    out.print()
    ids = " ".join(str(row["id"]) for row in rows[:3])
    more = " …" if len(rows) > 3 else ""
    told(out, f"when the reason is mended:  connector failed retry {ids}{more}")


def templates(out: Console, found: Sequence[Compared]) -> None:
    """The page of ``connector templates list``."""
    if not found:
        out.print(
            "the mapping needs no message templates: answers after 24 hours wait until the person writes"
        )
        return
    table = grid("template", "language", "state", "category")
    for one in found:
        words(table, one.name, one.language, one.state.lower(), one.category.lower())
    out.print(table)
    for one in found:
        if one.problem:
            out.print()
            mend = f": {one.mend}" if one.mend else ""
            told(out, f"{one.problem}{mend}", f"{one.name} ({one.language})  ", "yellow")


def _paused(p: dict[str, Any]) -> str:
    since = moment(p["since"])
    if p["destination"] == "mapping":
        return f"{p['town']}: the mapping was changed and is refused since {since}, the former one stays: {p['reason']}"
    return f"{p['town']}: {p['destination']} is left alone since {since}: {p['reason']}"


def _alarms(found: dict[str, Any], now: float) -> list[str]:
    lines = [_paused(p) for p in found["paused"]]
    lines += [
        f"{t['town']}: template {t['name']} ({t['language']}) is {t['state'].lower()} since {moment(t['since'])}: "
        f"{t['reason']}. See connector templates list"
        for t in found["templates"]
    ]
    lines += [
        f"{f['town']}: page {f['name']} cannot be read"
        + (f", its copy is of {moment(f['good_at'])}" if f["good_at"] else ", and never was")
        + f": {f['problem']}"
        for f in found["feeds"]
    ]
    lines += [
        f"{b['town']}: broadcast {b['id']} stands still since {moment(b['since'])}: {b['why']}. When that is mended: "
        f"connector broadcast resume {b['id']}"
        for b in found["broadcasts"]
    ]
    for town, number in sorted(found["numbers"].items()):
        if number["problem"]:
            lines.append(f"{town}: WhatsApp does not accept the token: {number['problem']}")
        if number["quality"] in ("YELLOW", "RED"):
            lines.append(
                f"{town}: the quality of the number is {number['quality'].lower()}: people report or block it"
            )
    failed = sum(found["failed"].values())
    if failed:
        lines.append(f"{failed} rows failed for good: see connector failed list")
    lines += [f"ticket {reference} is {why}" for reference, why in found["gone"].items()]
    lines += [
        f"{town}: no notification from WhatsApp for {ago(now - signs['webhook'])}"
        for town, signs in sorted(found["towns"].items())
        if now - signs.get("webhook", now) > _QUIET
    ]
    return lines


def books(out: Console, found: Books) -> None:
    """The page of ``connector status --ledger``."""
    for title, total, counts in (
        ("messages from citizens", found.received, found.inbound),
        ("messages to citizens", found.sent, found.outbound),
        ("requests", None, found.requests),
        ("journal entries", None, found.answers),
        ("files from citizens", None, found.files),
        ("news and notices, a person each", None, found.news),
    ):
        if not counts:
            continue
        table = grid(title, "", numbers=1)
        for what, n in Counter(counts).most_common():
            words(table, what, str(n))
        if total is not None:
            words(table, "together", str(counts.total()), style="bold")
        out.print(table)
        out.print()
    for title, lines in (("on its way", found.waiting), ("without an outcome", found.unexplained)):
        if lines:
            out.print(f"[bold]{title}: {len(lines)}[/]")
            for line in lines:
                reason = f": {line.reason}" if line.reason else ""
                told(out, f"{line.town} {line.id} since {moment(line.since)}, {line.what}{reason}", "  ")
            out.print()
    out.print("[green]balanced[/]" if found.balanced else "[red]not balanced[/]")


def rotation(out: Console, err: Console, steps: Iterable[Progress]) -> None:
    """How far ``connector key rotate`` is, and what it did."""
    last = Progress()
    with Bar(console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        for last in steps:
            late = f"waiting until {len(last.waiting)} running services use the new key"
            what = late if last.waiting else "encrypting anew"
            bar.update(task, description=what, completed=last.done, total=last.total or None)
    out.print(f"{last.resealed} values encrypted anew; everything is under the new key.")
    if last.unreadable:
        told(
            out,
            f"{last.unreadable} cannot be read with any key in privacy.key: left as they are.",
            "! ",
            "red",
        )
