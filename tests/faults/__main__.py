"""``python -m tests.faults --people 2000 --kills 300``: a campaign of any size; exit 1 when the books differ."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .campaign import Plan, run, say


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same script")
    parser.add_argument("--rate", type=float, default=0.12, help="share of calls that are disturbed")
    parser.add_argument("--abreast", type=int, default=40, help="people who write at the same time")
    parser.add_argument(
        "--tracker", default="", help="kind of a real one, started by tests/servers/up; a stand-in otherwise"
    )
    parser.add_argument(
        "--postgres", action="store_true", help="PostgreSQL, restarted once, instead of SQLite"
    )
    parser.add_argument("--replicas", type=int, default=1, help="with --postgres")
    parser.add_argument(
        "--folder", type=Path, help="where logs and the database stay; by default nothing stays"
    )
    given = vars(parser.parse_args())
    folder: Path | None = given.pop("folder")
    plan = Plan(**given, say=say)
    with tempfile.TemporaryDirectory(prefix="connector-faults-") as passing:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                parser.error(f"{folder} is not empty: the books would count what an earlier campaign left")
        report = asyncio.run(run(plan, folder or Path(passing)))
    print("\n".join(report.lines()))
    return 1 if report.books.differences else 0


if __name__ == "__main__":
    sys.exit(main())
