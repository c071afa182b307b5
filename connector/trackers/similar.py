"""Names as people write them, against those a tracker has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


def norm(name: str) -> str:
    """For comparing names: case and runs of spaces do not matter."""
    return " ".join(name.split()).casefold()


def pick(wanted: str, known: Mapping[int, str]) -> int | None:
    """The id for a name or an id; None when unknown, or when two have that name."""
    hits = [i for i, name in known.items() if norm(name) == norm(wanted)]
    if len(hits) == 1:
        return hits[0]
    if wanted.isascii() and wanted.isdigit() and int(wanted) in known:
        return int(wanted)
    return None


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """«did you mean «x»?», or the first few there are, or ""."""
    names = {norm(n): n for n in known}
    near = difflib.get_close_matches(norm(wanted), names, n=1, cutoff=0.5)
    if near:
        return f"did you mean «{names[near[0]]}»?"
    some = sorted(names.values())[:8]
    return ("there are: " + ", ".join(some)) if some else ""
