"""Adapters are found by name, also those of other distributions; nothing else in the program knows one by its name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

import connector
from connector import mapping, wiring
from connector.config.settings import Settings, Tracker
from connector.core.errors import Misconfigured
from connector.wiring import Municipality

ROOT = Path(connector.__file__).parent
TOWN = mapping.load(ROOT.parent / "mappings" / "sant-cebria.toml")
DISTRIBUTION = """
from pydantic import BaseModel

class Config(BaseModel):
    url: str
    shelf: int = 3
    reference_field: str = ""

class PaperTracker:
    config_type = Config
    def __init__(self, config):
        self.config = config
"""
NAMES = {
    "open311": r"Open311Tracker|trackers[./]open311\b|[\"']open311[\"']",  # the standard itself is spoken elsewhere too
    "helpdesk": r"(?i)helpdesk",
    "redmine": r"(?i)redmine",
    "roundup": r"(?i)roundup",
    "rt": r"(?i:request[ -]tracker)|\bRT\d?\b|trackers[./]rt\b|[\"']rt[\"']",
}
"""How the program would speak of an adapter that we have, by its ``kind``."""
ALLOWED = {
    "wiring.py",  # joins them
    "commands/demo.py",  # the demo is played with one of them
    "cli.py:redmine",
    "config/settings.py:kind",
}
"""Where an adapter may be named: a file, or the line of it that holds a word."""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution somebody else made and installed."""
    (tmp_path / "paper_tracker.py").write_text(DISTRIBUTION)
    info = tmp_path / "paper_tracker-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-tracker\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[connector.trackers]\npaper = paper_tracker:PaperTracker\nbroken = paper_tracker:Nothing\nredmine = paper_tracker:PaperTracker\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "paper_tracker", raising=False)
    return tmp_path


def municipality(kind: str, **more: object) -> Municipality:
    tracker = Tracker.model_validate({"kind": kind, "url": "https://paper.example", "api_key": "x", **more})
    return Municipality("town", Settings(tracker=tracker), TOWN)


def test_an_adapter_of_another_distribution_gets_its_settings_and_the_mappings_fields(
    distribution: Path,
) -> None:
    tracker = wiring.make_tracker(municipality("paper", shelf=7))
    assert type(tracker).__name__ == "PaperTracker"
    config = tracker.config  # type: ignore[attr-defined]
    assert (config.url, config.shelf) == ("https://paper.example", 7)
    assert config.reference_field == TOWN.tracker.reference_field


def test_a_key_it_does_not_have_is_found(distribution: Path) -> None:
    with pytest.raises(Misconfigured, match="did you mean «shelf»"):
        wiring.make_tracker(municipality("paper", shelv=7))


def test_one_that_cannot_be_loaded_is_said_in_words(distribution: Path) -> None:
    with pytest.raises(Misconfigured, match="«broken» cannot be loaded"):
        wiring.make_tracker(municipality("broken"))


def test_ours_cannot_be_replaced_by_a_name(distribution: Path) -> None:
    assert type(wiring.make_tracker(municipality("redmine"))).__name__ == "RedmineTracker"


def test_an_unknown_one_is_told_which_there_are(distribution: Path) -> None:
    with pytest.raises(Misconfigured) as told:
        wiring.make_tracker(municipality("paperr"))
    assert {"paper", *wiring.TRACKERS} <= set(re.findall(r"[a-z0-9_]+", str(told.value)))


def test_no_adapter_is_named_outside_its_package_and_the_wiring() -> None:
    assert set(NAMES) == set(wiring.TRACKERS)
    named = []
    for file in sorted(ROOT.rglob("*.py")):
        place = file.relative_to(ROOT).as_posix()
        own = next((kind for kind in NAMES if place.startswith(f"trackers/{kind}/")), "")
        if place in ALLOWED or place.startswith("demo/"):
            continue
        words = [word for where, _, word in (a.partition(":") for a in ALLOWED) if where == place]
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            found = [k for k, name in NAMES.items() if k != own and re.search(name, line)]
            if found and not any(word in line for word in words):
                named.append(f"{place}:{n}: {line.strip()}")
    assert not named, "\n".join(named)


@pytest.mark.parametrize("place", [*wiring.TRACKERS.values(), *wiring.SURVEYS.values()])
def test_what_is_loaded_when_it_is_needed_is_where_it_is_said_to_be(place: str) -> None:
    assert callable(resolve_name(place))
