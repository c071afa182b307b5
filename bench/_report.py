"""Figures side by side with their baseline, and the page they are written on.

A figure is measured several times; its baseline each time right before or after it, on the same machine, so that
what else runs there touches both. Shown is the median, and the least and the most in brackets.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "bench" / "RESULTS.md"
_HEAD = """# What was measured

`make bench` writes this page; `bench/` holds the programs. Each figure stands beside a baseline that was measured in the
same run, a moment before or after it. Shown is the median of the runs, in brackets the least and the most. Loads come
from processes of their own over loopback and are bounded in number and time. «Met» compares the median with the goal.
"""


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure. ``quick``: only whether each benchmark still runs, its figures mean nothing."""

    quick: bool = False
    rounds: int = 5

    def of(self, whole: int, quick: int) -> int:
        """A count or a number of seconds."""
        return quick if self.quick else whole


@dataclass
class Line:
    """One row of a table. ``ratio`` is ours to the baseline's, round by round; ``met`` None where there is no goal."""

    what: str
    ours: Sequence[float]
    unit: str
    baseline: str = ""
    ratio: Sequence[float] = ()
    goal: str = ""
    met: bool | None = None

    def cells(self) -> list[str]:
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return [
            self.what,
            f"{spread(self.ours)} {self.unit}".strip(),
            self.baseline,
            spread(self.ratio),
            self.goal,
            met,
        ]


@dataclass
class Section:
    """What one benchmark found."""

    title: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def versus(
        self, what: str, ours: Sequence[float], unit: str, baseline: str, base: Sequence[float], goal: float | None,
        *, least: bool = True,
    ) -> None:  # fmt: skip
        """A figure beside its baseline's, measured in the same rounds; the goal is a ratio, the least or the most."""
        ratio = [a / b for a, b in zip(ours, base, strict=True) if b]
        sign, met = "≥" if least else "≤", None
        if goal is not None and ratio:
            middle = statistics.median(ratio)
            met = middle >= goal if least else middle <= goal
        self.lines.append(
            Line(
                what,
                ours,
                unit,
                f"{baseline}: {spread(base)}",
                ratio,
                f"{sign} {goal:g} ×" if goal else "",
                met,
            )
        )

    def figure(
        self,
        what: str,
        ours: Sequence[float],
        unit: str,
        goal: str = "",
        met: Callable[[float], bool] | None = None,
    ) -> None:
        """A figure whose goal is a number of its own."""
        fits = met(statistics.median(ours)) if met is not None and ours else None
        self.lines.append(Line(what, ours, unit, goal=goal, met=fits))

    def text(self) -> str:
        """As Markdown, with its heading."""
        out = [f"## {self.title}", ""]
        if self.lines:
            rows = [["", "measured", "baseline in the same run", "ratio", "goal", "met"], ["---"] * 6]
            rows += [line.cells() for line in self.lines]
            out += ["| " + " | ".join(row) + " |" for row in rows] + [""]
        for note in self.notes:
            out += [note, ""]
        return "\n".join(out)


def spread(values: Sequence[float]) -> str:
    """The median, and the least and the most where there are several."""
    if not values:
        return ""
    middle = shown(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({shown(min(values))}–{shown(max(values))})"


def shown(value: float) -> str:
    """Three figures that matter."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}".replace(",", "\u202f")
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def machine() -> str:
    """What it was measured on: no name of the machine, no path."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _read("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _read("/proc/meminfo") if line.startswith("MemTotal")), 0)
    commit = _git("rev-parse", "--short=10", "HEAD") or "unknown"
    dirty = " with changes" if _git("status", "--porcelain", "--", "connector", "bench/*.py") else ""
    libraries = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("uvicorn", "starlette", "sqlalchemy", "httpx")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit}{dirty}; {os.cpu_count()} × {cpu}, "
        f"{memory / 1024**2:.0f} GB, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, {libraries}; "
        f"load of the machine {os.getloadavg()[0]:.1f} before the first run"
    )


def _read(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def write(section: Section, about: str, page: Path = PAGE) -> None:
    """Put a section on the page, in place of what stood there of it."""
    text = page.read_text() if page.exists() else _HEAD
    whole = section.text().replace("\n", f"\n\n_{about}_\n", 1).rstrip() + "\n"
    found = re.compile(rf"^## {re.escape(section.title)}\n.*?(?=^## |\Z)", re.M | re.S)
    text = found.sub(lambda _: whole + "\n", text) if found.search(text) else text.rstrip() + "\n\n" + whole
    page.write_text(text.rstrip() + "\n")
