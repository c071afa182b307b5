"""Citizens' words can be stored and sent; a subject keeps its reference; a file name stays in its folder."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from connector.trackers import inert


@given(st.text() | st.text(alphabet=st.characters(categories=["Cc", "Cs", "Cn", "Zl", "Zp"])))
def test_clean_text_can_be_stored_and_sent(text: str) -> None:
    cleaned = inert.clean(text)
    cleaned.encode()
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert inert.clean(cleaned) == cleaned


@given(st.text(max_size=300), st.integers(min_value=20, max_value=400))
def test_a_cut_is_visible_and_within_its_limit(text: str, limit: int) -> None:
    cleaned = inert.clean(text, limit)
    assert len(cleaned.encode()) <= limit
    assert cleaned == inert.clean(text) or cleaned.endswith(inert.CUT)


@given(st.text(max_size=600), st.integers(min_value=60, max_value=255))
def test_a_subject_ends_with_its_reference(words: str, limit: int) -> None:
    subject = inert.subject(words, "SCV-7K3F-9Q", limit)
    assert len(subject) <= limit
    assert subject.endswith("[SCV-7K3F-9Q]")
    assert "\n" not in subject and not set(subject) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    assert inert.reference_in(subject) == "SCV-7K3F-9Q"


@given(st.text(max_size=400), st.integers(min_value=60, max_value=200))
def test_a_subject_can_be_measured_in_bytes(words: str, limit: int) -> None:
    subject = inert.subject(words, "SCV-7K3F-9Q", limit, lambda text: len(text.encode()))
    assert len(subject.encode()) <= limit and subject.endswith("[SCV-7K3F-9Q]")
    whole = inert.subject(words, "SCV-7K3F-9Q", 4000, lambda text: len(text.encode()))
    assert subject == whole or "…" in subject


@given(st.text(max_size=300))
def test_a_plain_text_has_no_address_that_would_be_a_link(text: str) -> None:
    broken = inert.plain(f"{text} https://exemple.cat {text}")
    assert "://" not in broken
    assert broken.replace(inert.ZWSP, "") == inert.clean(f"{text} https://exemple.cat {text}").replace(
        inert.ZWSP, ""
    )


@given(st.text(max_size=300))
def test_a_file_name_has_no_folder_and_keeps_its_kind(text: str) -> None:
    for given_name in (text, f"../{text}.pdf", f"carpeta\\{text}"):
        name = inert.filename(given_name)
        assert not set(name) & set('/\\:*?"') and 0 < len(name) <= 120
    name = inert.filename("llarg" * 40 + ".pdf")
    assert len(name) == 120 and name.endswith(".pdf")
    assert inert.filename_with(name, "ab" * 32).endswith("-abababab.pdf")
