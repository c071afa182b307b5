"""Plays histories, each in a process of its own: ``python -m tests.sim.run 17`` replays one and prints what happened.

    python -m tests.sim.run 17                 that history, with its transcript
    python -m tests.sim.run 1..5000 -j 2       many, side by side; the seeds of red ones at the end
"""

from __future__ import annotations

import argparse
import gc
import os
import pickle
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .plan import Plan, from_seed
from .world import Result, World, template

MEMORY = Path("/dev/shm")


def folder() -> Path:
    """Where databases are made: in memory, where there is room for it."""
    made = Path(tempfile.mkdtemp(prefix="connector-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    template(made)
    return made


def play(plan: Plan, where: Path) -> Result:
    """One history in a process of its own: what the one before left behind would draw dice otherwise."""
    reading, writing = os.pipe()
    own = Path(tempfile.mkdtemp(dir=where))
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            gc.disable()
            try:
                result = World(plan, own).play()
            except BaseException:
                result = Result(plan.name or f"seed {plan.seed}", [traceback.format_exc()], "", 0, 0, 0, 0, {}, [])
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    for left in own.iterdir():
        left.unlink()
    own.rmdir()
    result: Result = pickle.loads(content)  # noqa: S301  our own child's
    return result


def many(seeds: Iterable[int], jobs: int, where: Path, make: Callable[[int], Plan] = from_seed) -> Iterator[tuple[int, Result]]:
    """Histories side by side, in the order of their seeds."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from ((seed, result) for seed, result in pool.map(lambda seed: (seed, play(make(seed), where)), seeds))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", help="17, or 1..500")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-v", "--verbose", action="store_true", help="the transcript, of one seed")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    where = folder()
    began = time.perf_counter()
    red: list[int] = []
    seen: Counter[str] = Counter()
    calls = commits = lives = 0
    for seed, result in many(seeds, given.jobs, where):
        seen.update(result.seen)
        calls, commits, lives = calls + result.calls, commits + result.commits, lives + result.lives
        if len(seeds) == 1 or given.verbose:
            print("\n".join(result.transcript))
        if result.differences:
            red.append(seed)
            print(f"seed {seed}:", *(f"\n    {d}" for d in result.differences[:6]), flush=True)
    took = time.perf_counter() - began
    print(f"{len(seeds)} histories in {took:.0f} s: {calls} calls, {commits} commits, {lives} lives; {len(red)} red {red[:40]}")
    print("; ".join(f"{what} {n}" for what, n in sorted(seen.items())))
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
