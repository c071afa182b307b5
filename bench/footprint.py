"""Memory, and the time from the start until the program is ready."""

from __future__ import annotations

import time

from connector.storage.store import Store
from connector.toolkit.privacy import Sealer

from ._report import Options, Section
from ._stage import KEY, connector, redmine
from .conversation import steps

_WHY = (
    "What an hour of load leaves is in the soak. Idle, the libraries are nearly all of it: SQLAlchemy, cryptography, "
    "pydantic, the calendar of holidays. What a service needs of them not at all is not loaded any more "
    "(`toolkit/lean.py`: consoles, other databases' drivers, other countries, other ticket systems)."
)


def measure(options: Options) -> Section:
    section = Section("Start and memory")
    people, bursts = options.of(300, 5), options.of(8, 2)
    ready, idle, own, growth, loaded = [], [], [], [], []
    with redmine() as url:
        for _ in range(options.rounds):
            began = time.monotonic()
            with connector(url, ready="/health/ready", prepare=_made) as servers:
                ready.append(time.monotonic() - began - servers[0].waited)
                time.sleep(options.of(5, 0))
                idle.append(servers[0].memory())
                own.append(servers[0].memory("Pss_Anon"))
                seen = []
                for _ in range(bursts):
                    steps(servers, people)
                    seen.append(servers[0].memory())
                loaded.append(max(seen))
                growth.append(seen[-1] - seen[len(seen) // 2])
    section.figure("start → ready", ready, "s", "≤ 2", lambda s: s <= 2)
    section.figure("resident memory, idle", idle, "MB", "≤ 90", lambda mb: mb <= 90)
    section.figure("of it not code of libraries, which lies in files", own, "MB")
    section.figure(f"resident memory after {bursts} bursts of {people * 6} conversation steps", loaded, "MB")
    section.figure("of that grown in the second half of the bursts", growth, "MB", "≤ 2", lambda mb: mb <= 2)
    section.notes.append(_WHY)
    return section


def _made(url: str) -> None:
    """A database with tables: what makes them is not kept in memory for long, but counts in the first start."""
    Store(url, Sealer(KEY)).close()
