"""The service as ``connector run`` starts it, with shorter waits: ``python -m tests.faults.launch CONFIG.toml …``.

The rule of the campaign: what the network and the kills keep back stays below ``settle`` (a ticket) and
``silence`` (a message), as in production, where they are 90 and 120 seconds.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import uvicorn

from connector import wiring
from connector.jobs.runtime import Pace
from connector.toolkit.observe import configure_logging


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path, nargs="+")
    parser.add_argument("--settle", type=float, required=True)
    parser.add_argument("--silence", type=float, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    municipalities = wiring.read(given.config)
    configure_logging("info", "json")
    pace = Pace(
        settle=given.settle,
        fresh=2.0,
        aside=5.0,
        silence=given.silence,
        first=0.3,
        longest=3.0,
        pause=(0.5, 3.0),
        away=(0.5, 3.0),
        spread=10.0,
    )
    service = wiring.Service(municipalities, pace=pace)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        service.app, host="127.0.0.1", port=given.port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=5,
    )  # fmt: skip


if __name__ == "__main__":
    main()
