"""Cutting texts: never too long, no word lost, nothing broken in the middle."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.whatsapp.limits import fit, measure, one_line, split
from tests.fuzz import examples

CLUSTERS = [
    "a",
    "bé",
    "👨‍👩‍👧‍👦",
    "🇪🇸",
    "e\u0301",
    " ",
    "\n",
    "\n\n",
    ". ",
    "*",
    "_",
    "~",
    "```",
    "paraula",
    "*negreta i més*",
]
TEXTS = st.lists(st.sampled_from(CLUSTERS), max_size=120).map("".join)


def bare(text: str) -> str:
    return re.sub(r"[\s*_~`]", "", text)


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("Enllumenat públic", 24, "Enllumenat públic"),
        ("Enllumenat públic i voreres", 24, "Enllumenat públic i…"),
        ("Enllumenat, voreres", 12, "Enllumenat…"),
        ("Desoxiribonucleic", 10, "Desoxirib…"),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 9, "👨‍👩‍👧‍👦…"),
        ("*Molt important avui*", 18, "*Molt important…*"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_fit(text: str, limit: int, wanted: str) -> None:
    assert fit(text, limit) == wanted


@settings(max_examples=examples(200), deadline=None)
@given(TEXTS, st.integers(0, 60))
def test_fit_fits(text: str, limit: int) -> None:
    found = fit(text, limit)
    assert measure(found) <= limit
    assert bare(text).startswith(bare(found).removesuffix("…"))
    assert (found == text) == (len(text) <= limit) or text.endswith("…")


def test_split_prefers_paragraphs_then_lines_then_sentences_then_words() -> None:
    assert split("", 40) == []
    assert split("  curt ", 40) == ["curt"]
    assert split("a" * 30 + "\n\n" + "b" * 30 + "\nc", 40) == ["a" * 30, "b" * 30 + "\nc"]
    assert split("Una frase ben llarga. Una altra frase que ja no hi cap", 40) == [
        "Una frase ben llarga.",
        "Una altra frase que ja no hi cap",
    ]
    assert split("paraula " * 9, 40) == [
        "paraula paraula paraula paraula paraula",
        "paraula " * 3 + "paraula",
    ]


def test_split_keeps_emphasis_whole_or_reopens_it() -> None:
    assert split("Abans d'això ve un text *i ara la negreta llarga* fi", 40) == [
        "Abans d'això ve un text",
        "*i ara la negreta llarga* fi",
    ]
    pieces = split("*" + "mot " * 30 + "fi*", 40)
    assert len(pieces) > 2
    assert all(re.fullmatch(r"\*\S[^*]*\S\*", piece) for piece in pieces)


def test_too_small_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        split("x", 10)


@settings(max_examples=examples(300), deadline=None)
@given(TEXTS, st.integers(32, 90))
def test_split_loses_nothing(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < measure(piece) <= limit for piece in pieces)
    assert bare("".join(pieces)) == bare(text)
    graphemes = set(regex.findall(r"\X", bare(text)))
    assert {c for piece in pieces for c in regex.findall(r"\X", bare(piece))} <= graphemes


def test_a_giant_cluster_is_cut_all_the_same() -> None:
    giant = "e" + "\u0301" * 500
    assert "".join(split(giant, 40)) == giant


def test_long_texts_are_quick_enough() -> None:
    assert len(split("*a" * 30_000, 4096)) >= 15


def test_one_line() -> None:
    assert one_line(" a\n\tb     c ") == "a b c"
