"""How rough a history is: from a seed, or written by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from .network import Fate

HOUR = 3600.0
NOTE = re.compile(r"N\d\dR\dT\d{6}\dX")
"""The token of a note."""
SOON = ("public", "private", "edited", "hidden", "deleted", "solved", "file")
"""Kinds of notes whose answers come soon: what is made public later is found by the nightly sweep, which is far away."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From and until in seconds of the history; ``where`` is ``meta``, ``redmine``, ``webhook`` or ``disk``."""

    where: str
    begins: float
    ends: float
    how: str = "refused"
    """``refused``, ``silent``, or a status."""


@dataclass
class Plan:
    """What goes wrong. Probabilities are of one call or commit, as long as it is rough."""

    seed: int = 0
    name: str = ""
    people: int = 3
    requests: int = 2
    """Of one person, at most."""
    notes: int = 2
    """On one ticket, at most."""
    rough: float = 2 * HOUR
    """Seconds until the world is calm."""
    poll_every: float = 30
    lost: float = 0.0
    refused: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    die_at_call: float = 0.0
    die_at_commit: float = 0.0
    full: float = 0.0
    terminate: float = 0.0
    """SIGTERM and a new start, in one minute."""
    duplicates: float = 0.0
    late: float = 0.0
    """Notifications of WhatsApp that arrive again an hour or two after they were given up."""
    never: float = 0.0
    """Of the answers, so many does WhatsApp refuse for good."""
    moves: float = 0.0
    """Of the people, so many get another number or user id after a request."""
    leaves: float = 0.0
    """Of the people, so many withdraw their consent after their last request."""
    outages: list[Outage] = field(default_factory=list)
    jumps: list[tuple[float, float]] = field(default_factory=list)
    """When the machine's clock is set, and by how much."""
    away: tuple[float, float] = (1.0, 20.0)
    """Seconds until a process that ended runs again, from and to."""
    days: float = 0.0
    """Of the notes, so many are written more than a day after the person last wrote."""
    calls: Callable[[str, httpx.Request, int], Fate | None] | None = None
    """A hand-written plan: the fate of the call with that number to that name, or None."""
    commits: Callable[[int, str], str] | None = None
    """A hand-written plan: what becomes of a commit, by its number, ``before`` or ``after``."""
    kinds: tuple[str, ...] = ()
    """What kinds of notes staff write; all of them otherwise."""
    think: float | None = None
    """Seconds until staff write, and between their notes; several otherwise."""
    gap: float | None = None
    """Seconds between two messages of a citizen; several otherwise."""
    photo: bool | None = None
    place: bool | None = None
    """Whether a request has one; by chance otherwise."""
    begins: tuple[float, ...] = ()
    """When the first, second … person begins; by chance otherwise."""
    patience: float = 3 * 24 * HOUR
    """Seconds after which somebody who waits says so, and after which the world must have come to rest: far more than
    anything lasts."""
    also: Callable[[Any], list[str]] | None = None
    """What must hold besides, of the world at the end."""

    def __post_init__(self) -> None:
        self.dice = random.Random(f"plan {self.seed}")
        self.now: Callable[[], float] = lambda: 0.0
        self.counts: dict[str, int] = {}
        self.judged: dict[str, bool] = {}
        """Answers, by their token, and whether WhatsApp refuses them for good."""
        self.seen: dict[str, int] = {}
        """How often what went wrong."""

    # --- what the world asks

    def calm(self) -> bool:
        return self.now() > self.rough

    def _happened(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def fate(self, name: str, request: httpx.Request) -> Fate:
        """Of a call that is about to be made."""
        self.counts[name] = n = self.counts.get(name, 0) + 1
        if self.calls is not None and (given := self.calls(name, request, n)) is not None:
            self._happened(f"{name} as written")
            return given
        fate = self._fate(name)
        if name == "meta" and self.never and self._is_refused(request):
            fate = Fate(error=131026)
        if (
            fate.error
            or fate.lost
            or fate.refused
            or fate.status
            or fate.dies
            or fate.after > 5
            or fate.before > 5
        ):
            self._happened(
                f"{name} {fate.error or fate.lost or fate.dies or fate.status or ('refused' if fate.refused else 'slow')}"
            )
        return fate

    def _is_refused(self, request: httpx.Request) -> bool:
        found = NOTE.search(request.content.decode("utf-8", "replace")) if request.method == "POST" else None
        if found and found[0] not in self.judged:
            self.judged[found[0]] = self.dice.random() < self.never
        return bool(found) and self.judged[found[0]]

    def _fate(self, name: str) -> Fate:
        dice, now = self.dice, self.now()
        usual = Fate(before=dice.uniform(0.005, 0.15), after=dice.uniform(0.005, 0.15))
        for outage in self.outages:
            if outage.where == name and outage.begins <= now < outage.ends:
                if outage.how == "refused":
                    return Fate(refused=True)
                if outage.how == "silent":
                    return Fate(after=10_000, lost="after", effect=False)
                return Fate(status=int(outage.how), effect=False)
        if self.calm():
            return usual
        x = dice.random()
        for chance, make in (
            (self.lost / 2, lambda: Fate(lost="before", after=dice.uniform(0, 10))),
            (self.lost / 2, lambda: Fate(lost="after", after=dice.uniform(0, 10))),
            (self.refused, lambda: Fate(refused=True)),
            (self.errors / 3, lambda: Fate(status=dice.choice((500, 502, 503)), effect=False)),
            (self.errors / 3, lambda: Fate(status=dice.choice((500, 502, 504)), effect=True)),
            (self.errors / 3, lambda: Fate(status=429 if name == "redmine" else 503, effect=False, retry_after=dice.randrange(1, 90))),
            (self.slow / 2, lambda: Fate(before=dice.uniform(5, 80), after=0.1)),
            (self.slow / 2, lambda: Fate(before=0.1, after=dice.uniform(5, 80))),
            (self.die_at_call / 2, lambda: Fate(dies="before")),
            (self.die_at_call / 2, lambda: Fate(dies="after")),
            (self.late * (name == "webhook"), lambda: Fate(before=dice.uniform(60, min(7200, self.rough)), after=0.1)),
        ):  # fmt: skip
            if x < chance:
                return make()
            x -= chance
        return usual

    def commit(self, number: int, when: str) -> str:
        """What becomes of a commit: «» for nothing, ``full`` or ``die``."""
        if self.commits is not None:
            return self._commit_happened(self.commits(number, when), when)
        now = self.now()
        if when == "before" and any(o.where == "disk" and o.begins <= now < o.ends for o in self.outages):
            return self._commit_happened("full", when)
        if self.calm():
            return ""
        x = self.dice.random()
        if x < self.die_at_commit / 2:
            return self._commit_happened("die", when)
        if when == "before" and x < self.die_at_commit / 2 + self.full:
            return self._commit_happened("full", when)
        return ""

    def _commit_happened(self, what: str, when: str) -> str:
        if what:
            self._happened(f"commit {what} {when}")
        return what


def brief(seed: int) -> Plan:
    """As ``from_seed``, in less time."""
    made = from_seed(seed)
    short = 0.1 * HOUR / made.rough
    made.rough *= short
    made.outages = [
        replace(o, begins=o.begins * short, ends=o.begins * short + (o.ends - o.begins) / 8)
        for o in made.outages
    ]
    made.jumps = [(at * short, by) for at, by in made.jumps]
    made.poll_every, made.days, made.people, made.requests = 120, 0.0, min(made.people, 2), 1
    made.patience = 3 * HOUR
    made.kinds = SOON
    return made


def from_seed(seed: int) -> Plan:
    """Another history for each number: from calm to wild, with faults of every kind alone and together."""
    dice = random.Random(f"history {seed}")

    def some(most: float) -> float:
        return dice.random() ** 2 * most if dice.random() < 0.5 else 0.0

    rough = dice.choice((0.3, 0.5, 0.5, 1.0, 2.0)) * HOUR
    outages = [
        Outage(where, begins := dice.uniform(0, rough), begins + dice.uniform(10, 4000), how)
        for where, how in (
            ("meta", "refused"), ("meta", "503"), ("redmine", "refused"), ("redmine", "silent"), ("redmine", "500"),
            ("webhook", "refused"), ("disk", ""),
        )
        if dice.random() < 0.15
    ]  # fmt: skip
    days = dice.choice((0.0, 0.0, 0.0, 0.0, 0.4))
    jumps = (
        [(dice.uniform(0, rough), dice.choice((-7200.0, -90.0, -1.0, 2.0, 60.0)))]
        if dice.random() < 0.1
        else []
    )
    return Plan(
        seed=seed,
        people=dice.randint(1, 3),
        requests=dice.randint(1, 2),
        notes=dice.randint(1, 3),
        rough=rough,
        poll_every=900 if days else dice.choice((30, 60, 60, 120)),
        lost=some(0.1),
        refused=some(0.1),
        errors=some(0.1),
        slow=some(0.05),
        die_at_call=some(0.03),
        die_at_commit=some(0.01),
        full=some(0.02),
        terminate=some(0.05),
        duplicates=some(0.2),
        late=some(0.1),
        never=some(0.3),
        moves=dice.choice((0.0, 0.3)),
        leaves=dice.choice((0.0, 0.0, 0.3)),
        outages=outages,
        jumps=jumps,
        away=dice.choice(((0.5, 5.0), (1.0, 30.0), (100.0, 400.0))),
        days=days,
        kinds=() if days else SOON,
    )
