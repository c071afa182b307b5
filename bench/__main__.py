"""``python -m bench [NAME …] [--quick] [--rounds N]``: measure, print, and write ``bench/RESULTS.md``.

Without names: all of them but the soak, which takes half an hour. What needs a server that is not there is left out,
and that is said.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time

from connector.toolkit.observe import configure_logging

from ._report import PAGE, Options, Section, machine, write

ALL = ("webhooks", "conversation", "polls", "answers", "tickets", "crowd", "footprint", "paid", "photos")
BY_NAME = (*ALL, "soak")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BY_NAME))
    parser.add_argument("--quick", action="store_true", help="only whether each still runs; writes no page")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    wrong = set(given.names) - set(BY_NAME)
    if wrong:
        parser.error(f"there is no benchmark {', '.join(sorted(wrong))}; there are {', '.join(BY_NAME)}")
    configure_logging("error")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then, too
    options = Options(given.quick, 1 if given.quick else given.rounds)
    about = machine()
    for name in given.names or ALL:
        began = time.monotonic()
        print(f"== {name}", file=sys.stderr, flush=True)
        section: Section | None = importlib.import_module(f"bench.{name}").measure(options)
        if section is None:
            print(f"{name}: left out, its server is not there (tests/servers/up starts it)", file=sys.stderr)
            continue
        print(section.text(), flush=True)
        if not options.quick:
            write(section, f"{about}; {options.rounds} runs, {time.monotonic() - began:.0f} s", PAGE)


if __name__ == "__main__":
    main()
