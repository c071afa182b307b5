"""Plays histories, each in a process of its own: ``python -m tests.sim.run 17`` replays one and prints what happened.

python -m tests.sim.run 17                 that history, with its transcript
python -m tests.sim.run 1..5000 -j 2       many, side by side; the seeds of red ones at the end
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import os
import pickle
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from connector.whatsapp.markup import to_whatsapp

from .plan import Plan, brief, from_seed
from .plans import PLANS
from .world import Result, World, template, town

MEMORY = Path("/dev/shm")
LONGEST = 60
"""Seconds after which a history is ended that does not end; one takes two or three."""


def folder() -> Path:
    """Where databases are made: in memory, where there is room for it."""
    made = Path(tempfile.mkdtemp(prefix="connector-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    template(made)
    _warm()
    return made


@cache
def _warm() -> None:
    """What is loaded and compiled when it is first used is so here, and not again in each history."""
    to_whatsapp("*Hola*", "textile")
    town()
    importlib.import_module("redminelib")
    gc.collect()
    gc.freeze()


def forget(where: Path) -> None:
    """Remove what ``folder`` made."""
    shutil.rmtree(where, ignore_errors=True)


class _Playing:
    """A history in a process of its own: what the one before left behind would draw dice otherwise."""

    def __init__(self, plan: Plan, where: Path) -> None:
        self.name = plan.name or f"seed {plan.seed}"
        self._own = Path(tempfile.mkdtemp(dir=where))
        self.pipe, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            self._play(plan, writing)
        os.close(writing)
        self._content = b""

    def _play(self, plan: Plan, writing: int) -> None:
        try:
            signal.alarm(LONGEST)
            gc.disable()
            try:
                result = World(plan, self._own).play()
            except BaseException:
                result = _broken(self.name, traceback.format_exc())
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result, pipe)
        finally:
            os._exit(0)  # no handler of the parent runs here

    def read(self) -> bool:
        """Take what it has to say; True when that was all."""
        piece = os.read(self.pipe, 1 << 16)
        self._content += piece
        return not piece

    def end(self) -> Result:
        os.close(self.pipe)
        os.waitpid(self._child, 0)
        shutil.rmtree(self._own)
        if not self._content:
            return _broken(self.name, f"it did not end within {LONGEST} s")
        result: Result = pickle.loads(self._content)
        return result


def _broken(name: str, why: str) -> Result:
    return Result(name, [why], "", 0, 0, 0, 0, {}, [])


def play(plan: Plan, where: Path) -> Result:
    """One history."""
    ((_, result),) = many([0], 1, where, lambda _: plan)
    return result


def many(
    seeds: Iterable[int], jobs: int, where: Path, make: Callable[[int], Plan] = from_seed
) -> Iterator[tuple[int, Result]]:
    """Histories side by side, as they end."""
    playing: dict[int, tuple[int, _Playing]] = {}
    left = iter(seeds)
    while True:
        while len(playing) < jobs and (seed := next(left, None)) is not None:
            begun = _Playing(make(seed), where)
            playing[begun.pipe] = (seed, begun)
        if not playing:
            return
        for pipe in select.select(list(playing), [], [])[0]:
            seed, begun = playing[pipe]
            if begun.read():
                del playing[pipe]
                yield seed, begun.end()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seeds", help="17, 1..500, or the name of a plan in plans.py")
    parser.add_argument("--brief", action="store_true", help="shorter ones, as the gate plays them")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-v", "--verbose", action="store_true", help="the transcript, of one seed")
    given = parser.parse_args()
    where = folder()
    atexit.register(forget, where)
    make = brief if given.brief else from_seed
    first, _, last = given.seeds.partition("..")
    if first in PLANS:
        seeds, make = range(1), lambda _: PLANS[first]()
    else:
        seeds = range(int(first), int(last or first) + 1)
    began = time.perf_counter()
    red: list[int] = []
    seen: Counter[str] = Counter()
    calls = commits = lives = 0
    for seed, result in many(seeds, given.jobs, where, make):
        seen.update(result.seen)
        calls, commits, lives = calls + result.calls, commits + result.commits, lives + result.lives
        if len(seeds) == 1:
            print("\n".join(result.transcript))
        if given.verbose:
            print(
                seed,
                f"{time.perf_counter() - began:.0f} s",
                result.digest[:12],
                result.calls,
                result.commits,
                result.lives,
                f"{result.seconds:.0f}",
                flush=True,
            )
        if result.differences:
            red.append(seed)
            print(f"seed {seed}:", *(f"\n    {d}" for d in result.differences[:6]), flush=True)
    took = time.perf_counter() - began
    print(
        f"{len(seeds)} histories in {took:.0f} s: {calls} calls, {commits} commits, {lives} lives; {len(red)} red {red[:40]}"
    )
    print("; ".join(f"{what} {n}" for what, n in sorted(seen.items())))
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
