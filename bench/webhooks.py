"""Accepted webhooks a second, one message each, on disk before 200; and how long one waits at a steady rate."""

from __future__ import annotations

from contextlib import ExitStack

from . import _parts
from ._report import Options, Section
from ._stage import POSTGRES, Server, baseline, connector

CONNECTIONS = 64
NOWHERE = "http://127.0.0.1:9"
_WHY = (
    "The baseline without storage spends its time in uvicorn and Starlette alone, and we have that, too. All of it is "
    "Python in one process, so that processor times add up: with the parts above, each as small as it could be made "
    "(statements are put together once, notifications that come together are one write and one insert, a line of the log "
    "costs a third of what it did), the ratio to nothing at all cannot reach what a store in another language would. "
    "One process is a choice (docs/decisions/0002-one-work-table.md): a message is on disk before it is answered, and no "
    "broker has to be run. A large town at ten times its day sends 14 a second."
)


def measure(options: Options) -> Section:
    count = options.of(8000, 60)
    section = Section("Webhooks taken in")
    kinds = ["sqlite", *(["postgresql"] if POSTGRES else [])]
    with ExitStack() as stack:
        plain = stack.enter_context(baseline("plain"))
        pywa = stack.enter_context(baseline("pywa"))
        ours = {kind: stack.enter_context(connector(NOWHERE, kind, idle=True))[0] for kind in kinds}
        servers = [plain, pywa, *ours.values()]
        for server in servers:
            server.load(count=min(500, count), connections=CONNECTIONS)
        speed: dict[str, list[float]] = {server.name: [] for server in servers}
        cost: dict[str, list[float]] = {server.name: [] for server in servers}
        for _ in range(options.rounds):
            for server in servers:
                seen = server.load(count=count if server is not pywa else count // 2, connections=CONNECTIONS)
                assert seen["codes"] == {"200": seen["answered"]}, seen["codes"]
                speed[server.name].append(seen["answered"] / seen["seconds"])
                cost[server.name].append(seen["server_cpu"] / seen["answered"] * 1e6)
        for kind, goal in (("sqlite", 0.55), ("postgresql", 0.4)):
            if kind not in ours:
                continue
            name = ours[kind].name
            section.versus(f"{name}, webhooks/s", speed[name], "/s", "no storage", speed["plain"], goal)
            section.versus(f"{name}, webhooks/s", speed[name], "/s", "pywa on FastAPI", speed["pywa"], 1.3)
            section.versus(f"{name}, processor time", cost[name], "µs", "no storage", cost["plain"], None)
        _parts.measure(section, options)
        for server in ours.values():
            for rate in (1000, 3000):
                _steady(section, server, rate, options)
    section.notes.append(_WHY)
    if not POSTGRES:
        section.notes.append("PostgreSQL was not there.")
    return section


def _steady(section: Section, server: Server, rate: int, options: Options) -> None:
    """How long an answer takes from when its request was due, not from when a connection was free for it."""
    seconds = options.of(10, 1)
    rate = min(rate, options.of(rate, 50))
    half, most, wrong = [], [], 0
    for _ in range(options.rounds):
        seen = server.load(count=rate * seconds, rate=rate, connections=CONNECTIONS, seconds=seconds * 3)
        half.append(seen["p50"] * 1000)
        most.append(seen["p99"] * 1000)
        wrong += rate * seconds - seen["codes"].get("200", 0)
    where = f"{server.name} at a steady {rate:,}/s".replace(",", "\u202f")
    section.figure(f"{where}, half wait less than", half, "ms", "≤ 5", lambda v: v <= 5)
    section.figure(f"{where}, 99 of 100 wait less than", most, "ms", "≤ 50", lambda v: v <= 50)
    section.figure(f"{where}, not answered with 200", [wrong], "", "0", lambda v: v == 0)
