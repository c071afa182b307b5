"""Write down what a real Redmine answers: ``python -m tests.demo.redmine.record URL [SCENARIO…]``.

The server must hold the seed of the tests (``tests/servers/``) and be otherwise idle. Without names, all
scenarios are recorded anew; with names, only those.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .recorder import run
from .scenarios import SCENARIOS

REAL = Path(__file__).with_name("real.json")


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    url, names = arguments[0], arguments[1:]
    known = json.loads(REAL.read_text()) if REAL.exists() else {}
    for name in names or SCENARIOS:
        known[name] = run(SCENARIOS[name], url)
    kept = {name: known[name] for name in SCENARIOS if name in known}
    REAL.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(names or SCENARIOS)} recorded, {len(kept)} in {REAL.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
