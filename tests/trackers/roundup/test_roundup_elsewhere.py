"""The adapter as somebody else's distribution: the same package under another name, found by its entry point."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connector
from connector import mapping, wiring
from connector.config.settings import Settings
from connector.config.settings import Tracker as Section
from connector.core.ports import Tracker
from connector.wiring import Municipality

from ..redmine.support import fresh_salt
from . import support

ROOT = Path(connector.__file__).parent
TOWN = mapping.load(ROOT.parent / "mappings" / "sant-cebria-roundup.toml")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The distribution, as pip would have installed it."""
    package = tmp_path / "town_roundup"
    shutil.copytree(ROOT / "trackers" / "roundup", package, ignore=shutil.ignore_patterns("__pycache__"))
    info = tmp_path / "town_roundup-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: town-roundup\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[connector.trackers]\ntown = town_roundup:RoundupTracker\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("town_roundup")]:
        del sys.modules[name]


def make(url: str) -> Tracker:
    key = f"{support.BOT}:{support.PASSWORD}"
    section = Section.model_validate({"kind": "town", "url": url, "api_key": key, "overlap": 90})
    return wiring.make_tracker(Municipality("town", Settings(tracker=section), TOWN))


def test_nothing_of_it_is_ours(elsewhere: None) -> None:
    assert type(make("http://roundup.test")).__module__ == "town_roundup.adapter"
    parts = [module for name, module in sys.modules.items() if name.startswith("town_roundup.")]
    named = {getattr(value, "__module__", "") for part in parts for value in vars(part).values()}
    assert not [name for name in named if str(name).startswith("connector.trackers.roundup")]


@pytest.mark.long
@pytest.mark.real
def test_it_does_its_work_there(roundup: str, elsewhere: None) -> None:
    tracker, real = make(roundup), support.system(roundup, live=True, salt=fresh_salt())
    assert tracker.verify(list(TOWN.routings())) == []
    created = tracker.create(real.ticket("elsewhere"))
    assert created.dropped == ()
    real.staff.reply(created.ticket_id, "Hola")
    assert [entry.text for entry in tracker.read(created.ticket_id).entries] == ["Hola"]
