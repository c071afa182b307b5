"""The service as ``connector run`` starts it, with shorter waits: ``python -m tests.e2e.launch CONFIG.toml [LEASE]``.

What a test holds back must stay below ``settle`` (a ticket) and ``silence`` (a message), as in production, where they
are 90 and 120 seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from connector import wiring, worker
from connector.jobs import ticks
from connector.jobs.runtime import Pace
from connector.toolkit.observe import configure_logging

PACE = Pace(
    settle=2.5,
    fresh=0.5,
    aside=1.0,
    silence=2.5,
    first=0.2,
    longest=1.0,
    pause=(0.3, 1.0),
    away=(0.3, 1.0),
    spread=2.0,
    any_hour=True,
)
POLL = 0.4
"""Seconds; ``config.toml`` takes nothing below five."""


def main(config: Path, sweep: bool = False, lease: float | None = None) -> None:
    """Serve until stopped; with ``sweep`` the nightly sweep begins at once; ``lease`` in seconds."""
    if sweep:
        ticks._SWEEP = 1
    if lease is not None:
        worker._LEASE = lease
    municipalities = wiring.read([config])
    configure_logging("info", "json")
    service = wiring.Service(municipalities, pace=PACE)
    for town in service.towns.values():
        town.poll_every = POLL
    service.serve(municipalities[0].settings.server)


if __name__ == "__main__":
    main(Path(sys.argv[1]), lease=float(sys.argv[2]) if len(sys.argv) > 2 else None)
