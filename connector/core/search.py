"""Finds what a typed word means among titles and words: accents, case, plurals and endings are free."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .words import fold

_SAYS_NOTHING = """
    el la els les l un una uns unes de d del dels i o a al als en per pel pels amb meu meva meus meves mi mis m t s n em
    los las lo y e u para por con su sus me se the an of and or to for in on my is it i
    puc puedo can pot puede vull voldria necessito com on quan fer es qué que quiero querría necesito cómo dónde cuándo hacer
    want need how where when get do what informació información information sobre about
    tràmit tràmits trámite trámites procedure procedures si us plau favor please
"""
_STOP = frozenset(map(fold, _SAYS_NOTHING.split()))
_LEAST = 4
"""Shorter words are only found whole: «dni» is not «dniester»."""
_NAMED, _TOLD = 4, 1
_SPLIT = re.compile(r"[^\w]+")


def significant(text: str) -> list[str]:
    """The words of a text that say what it is about, folded."""
    folded = fold(text).replace("'", " ")
    return [w for w in _SPLIT.split(folded) if w and w not in _STOP]


@lru_cache(maxsize=8192)
def known(text: str) -> tuple[str, ...]:
    """``significant`` of what the town says. It is remembered, so never for what a person wrote."""
    return tuple(significant(text))


def same(typed: str, known: str) -> bool:
    """Whether two folded words are one word in other forms: «obres» and «obra», «empadronar» and «empadronament»."""
    if typed == known or _stem(typed) == _stem(known):
        return True
    shorter, longer = sorted((typed, known), key=len)
    if len(shorter) < _LEAST:
        return False
    if longer.startswith(shorter):
        return True
    common = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return common >= max(_LEAST + 1, 0.6 * len(longer))


def _stem(word: str) -> str:
    """Without the endings of plural and gender in Catalan, Spanish and English."""
    for ending in ("s", "e", "a", "o"):
        if word.endswith(ending) and len(word) > 3:
            word = word[:-1]
            if ending != "s":
                break
    # «beca» and «beques», «platja» and «platges»
    for written, said in (("qu", "c"), ("gu", "g"), ("j", "g")):
        if word.endswith(written):
            return word.removesuffix(written) + said
    return word


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found. ``id`` is what a tap on it would send."""

    id: str
    title: str
    """In the language of who asks."""
    names: tuple[str, ...]
    """Titles and words in all languages."""
    text: str = ""


def find(wanted: Sequence[str], entries: Iterable[Entry]) -> list[Entry]:
    """The entries that ``wanted`` (``significant`` words) may mean, the best first; [] for none.

    An entry is found by any word of its names, or when all of ``wanted`` stand in its text. Only entries of the best
    kind are given: those with more of the words, or with the words as a name of theirs.
    """
    scored = []
    for n, entry in enumerate(entries):
        names = [known(name) for name in entry.names]
        named = [w for name in names for w in name]
        told = known(entry.text)
        points = [_points(w, named, told) for w in wanted]
        hits = sum(p > 0 for p in points)
        if hits == len(wanted) > 0 or _NAMED in points:
            whole = tuple(wanted) in names
            scored.append(((-whole, -hits, -max(points), -sum(points), n), entry))
    scored.sort(key=lambda s: s[0])
    return [entry for score, entry in scored if score[:3] == scored[0][0][:3]]


def _points(word: str, named: Sequence[str], told: Sequence[str]) -> int:
    if any(same(word, w) for w in named):
        return _NAMED
    return _TOLD if any(same(word, w) for w in told) else 0


def names_all(wanted: Sequence[str], entry: Entry) -> bool:
    """Whether every word is in the entry's names: it can hardly be anything else."""
    named = [w for name in entry.names for w in known(name)]
    return bool(wanted) and all(any(same(w, n) for n in named) for w in wanted)
