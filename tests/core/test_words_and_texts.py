"""Folding of what is typed; texts complete in every language, with the right plurals; references."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connector
from connector.core import words
from connector.core.references import pattern, reference
from connector.core.texts import Texts
from connector.texts import available, built_in, catalogues

SOURCE = "\n".join(p.read_text(encoding="utf-8") for p in Path(connector.__file__).parent.rglob("*.py"))
TEXTS = Texts(catalogues(["ca", "es", "en"], {}))


@pytest.mark.parametrize(
    ("typed", "same"),
    [("MENÚ", "menu"), ("  Menú. ", "menu"), ("Cancel·la", "cancela"), ("cancel.la", "cancela"), ("¿Idioma?", "idioma"),
     ("«Hola»", "hola"), ("*Envia*", "envia"), ("d’acord", "d'acord"), ("bon\u00a0 dia", "bon dia"), ("?", "?")],
)  # fmt: skip
def test_fold(typed: str, same: str) -> None:
    assert words.fold(typed).replace("cancella", "cancela") == same


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1", 1),
        (" 3. ", 3),
        ("opció 4", 4),
        ("Opción 12", 12),
        ("2️⃣", 2),
        ("５", 5),
        ("0", 0),
        ("1a", None),
        ("1 2", None),
        ("carrer 3", None),
    ],
)
def test_number(typed: str, number: int | None) -> None:
    assert words.number(typed) == number


@given(st.text())
def test_folding_never_raises_and_folds_once(text: str) -> None:
    words.number(text), words.is_blank(text), words.is_greeting(text)
    assert isinstance(words.fold(text), str)


def _fields(entry: object) -> set[str]:
    forms = entry.values() if isinstance(entry, dict) else [entry]
    found = [
        {
            name
            for _, name, _, _ in string.Formatter().parse(str(f).replace("{{", "").replace("}}", ""))
            if name
        }
        for f in forms
    ]
    assert all(f == found[0] for f in found)
    return found[0]


@pytest.mark.parametrize("language", available())
def test_every_language_has_every_text_with_the_same_places_to_fill(language: str) -> None:
    ours, theirs = built_in("ca"), built_in(language)
    assert set(ours) == set(theirs)
    for key, entry in ours.items():
        assert _fields(entry) == _fields(theirs[key]), key
        assert str(theirs[key]).strip()


def test_every_text_is_used_and_every_text_used_exists() -> None:
    keys = set(built_in("ca"))
    used = set(re.findall(r"[\"']([a-z]+\.[a-z_]+)[\"']", SOURCE))
    families = {"count", "skipped", "file", "staff", "receipt", "draft", "edit", "revoke"}
    for key in keys:
        assert key in used or key.split(".")[0] in families, f"{key} is used nowhere"
    for key in used:
        if key.split(".")[0] in {k.split(".")[0] for k in keys} and re.search(
            rf'(texts|t)\([^)]*"{re.escape(key)}"', SOURCE
        ):
            assert key in keys, f"{key} does not exist"


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [("ca", 1, "1 foto"), ("ca", 2, "2 fotos"), ("ca", 5, "5 fotos"), ("ca", 1_000_000, "1000000 de fotos"), ("es", 1, "1 foto"),
     ("es", 2, "2 fotos"), ("es", 1_000_000, "1000000 de fotos"), ("en", 1, "1 photo"), ("en", 0, "0 photos"), ("en", 2, "2 photos")],
)  # fmt: skip
def test_plurals(language: str, n: int, text: str) -> None:
    assert TEXTS(language, "count.image", n=n).replace(".", "").replace(",", "").replace("\u00a0", "") == text


@given(st.binary(min_size=8, max_size=8))
def test_references_are_short_plain_and_found_again(noise: bytes) -> None:
    made = reference("SCV", noise)
    assert re.fullmatch(r"SCV-[0-9A-Z]{4}-[0-9A-Z]{2}", made)
    assert not set(made[4:]) & set("01OIL5S2Z8B")
    assert pattern("SCV").search(f"sobre {made.lower().replace('-', ' ')} encara res")


@pytest.mark.parametrize(
    ("typed", "found"),
    [("SCV-7K3F-9Q", True), ("scv-7k3f-9q", True), ("scv 7k3f 9q", True), ("SCV7K3F9Q", True), ("Scv – 7k3f – 9q", True),
     ("SCV.7K3F.9Q", True), ("la SCV-7K3F-9Q, si us plau", True), ("SCV-7K3F", False), ("XSCV-7K3F-9Q", False),
     ("SCV-7K3F-9QA", False), ("SCV-0I1L-9Q", False), ("ABC-7K3F-9Q", False)],
)  # fmt: skip
def test_references_are_found_however_they_are_typed(typed: str, found: bool) -> None:
    match = pattern("SCV").search(typed)
    assert (match is not None) is found
    if match:
        assert "".join(match.groups()).upper() == "7K3F9Q"
