"""What of a journal reaches the citizen: default-deny."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.core.answers import files_of, judge, words_of
from connector.core.texts import Texts
from connector.core.ticket import Entry, EntryKind, FileRef
from connector.texts import catalogues

from .talk import TOWN

FILE = FileRef("1", "f.pdf", "application/pdf", 10)
ONLY = TOWN.model_copy(update={"answers": TOWN.answers.model_copy(update={"only_from": ("Jordi Alcalde",)})})
NO_FILES = TOWN.model_copy(update={"answers": TOWN.answers.model_copy(update={"attachments": False})})


def entry(kind: EntryKind = EntryKind.PUBLIC_NOTE, text: str = "Hola", **more: object) -> Entry:
    values = {"author": "Jordi Alcalde", "author_id": "7", "by_connector": False, **more}
    return Entry("1", kind, datetime(2026, 11, 24, tzinfo=UTC), text=text, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("label", "given", "town", "note", "status"),
    [
        ("a public note", entry(), TOWN, True, False),
        ("a private note", entry(EntryKind.PRIVATE_NOTE), TOWN, False, False),
        (
            "a private note with a status that is told",
            entry(EntryKind.PRIVATE_NOTE, status="Tancat"),
            TOWN,
            False,
            False,
        ),
        ("our own note", entry(by_connector=True), TOWN, False, False),
        (
            "our own status",
            entry(EntryKind.STATUS, "", status="Tancat", by_connector=True),
            TOWN,
            False,
            False,
        ),
        ("an empty note", entry(text="  \n"), TOWN, False, False),
        ("files only", entry(text="", files=(FILE,)), TOWN, True, False),
        ("files only, and files stay", entry(text="", files=(FILE,)), NO_FILES, False, False),
        ("a status that is told", entry(EntryKind.STATUS, "", status="Tancat"), TOWN, False, True),
        ("a status that is not", entry(EntryKind.STATUS, "", status="Nou"), TOWN, False, False),
        ("a status nobody knows", entry(EntryKind.STATUS, "", status="Inventat"), TOWN, False, False),
        ("a note and a status", entry(status="Tancat"), TOWN, True, True),
        ("something else", entry(EntryKind.OTHER, "camp canviat"), TOWN, False, False),
        ("somebody the mapping names", entry(), ONLY, True, False),
        ("somebody else", entry(author="Nil Operari Brigada"), ONLY, False, False),
    ],
)
def test_judge(label: str, given: Entry, town: object, note: bool, status: bool) -> None:
    verdict = judge(given, town)  # type: ignore[arg-type]
    assert (verdict.note, verdict.status) == (note, status), label
    assert verdict.reason
    assert bool(files_of(given, verdict, town)) == (note and bool(given.files)) or town is NO_FILES  # type: ignore[arg-type]


@pytest.mark.parametrize(("how", "shown"), [("name", "Jordi Alcalde"), ("office", "alcalde"), ("none", "")])
def test_who_answers_is_shown_as_the_mapping_says(how: str, shown: str) -> None:
    town = TOWN.model_copy(update={"answers": TOWN.answers.model_copy(update={"author": how})})
    texts = Texts(catalogues(town.languages, {}))
    given = entry()
    said = words_of(given, judge(given, town), "SCV-7K3F-9Q", "Hola", town, texts, "ca")
    assert shown in said and "SCV-7K3F-9Q" in said and "Hola" in said
    assert shown or ("Jordi" not in said and "lcalde" not in said)
