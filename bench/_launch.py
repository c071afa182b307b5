"""The service as ``connector run`` starts it, without Meta's limit of messages a second: that is what is measured.

``python -m bench._launch CONFIG.toml [--idle]``; with ``--idle`` webhooks are taken in and nothing is carried out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from connector import wiring
from connector.storage.buckets import Rate
from connector.toolkit.observe import configure_logging


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--idle", action="store_true")
    given = parser.parse_args()
    municipalities = wiring.read([given.config])
    settings = municipalities[0].settings
    configure_logging(settings.log.level, settings.log.format)
    service = wiring.Service(municipalities)
    for town in service.towns.values():
        town.rate = Rate(1e6, 1e6)
    if given.idle:

        async def idle() -> None:
            service.worker.alive = True

        service.worker.start = idle  # type: ignore[method-assign]
    service.serve(settings.server)


if __name__ == "__main__":
    main()
