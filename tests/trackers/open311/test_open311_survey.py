"""What ``connector init`` is told by an Open311 server, and that what it writes then has nothing against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import mapping, wiring
from connector.commands.check.everything import everything
from connector.commands.init.answers import Answers, Given
from connector.commands.init.files import written
from connector.commands.init.questions import gather
from connector.core.errors import Misconfigured
from connector.core.survey import Choice
from connector.trackers.open311.survey import Open311Survey
from tests.config.test_init import TOWN, Nobody

from .standin import JURISDICTION, KEY, Standin, serving

SETTINGS = {"jurisdiction": JURISDICTION, "without_place": "Sant Feliu de Prova"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Standin()) as address:
        yield address


def test_what_there_is_to_choose_from(url: str) -> None:
    survey = Open311Survey(url, KEY, {"jurisdiction": JURISDICTION})
    assert "10 services" in survey.account()
    assert Choice("VIA", "Via pública (VIA)") in survey.projects()
    offer = survey.offer("VIA")
    assert offer.closed == ("closed",) and not offer.people
    assert [(f.id, f.text) for f in offer.fields] == [
        ("BARRI", False), ("MATERIAL", False), ("REF", True), ("ALTURA", True), ("description", True),
    ]  # fmt: skip
    assert survey.takes("VIA", "BARRI", "Centre") and not survey.takes("VIA", "BARRI", "Enlloc")
    assert survey.takes("VIA", "REF", "anything") and survey.takes("BUSTIA", "BARRI", "Enlloc")


def gathered(url: str, **settings: str) -> tuple[Answers, list[str]]:
    flags = {**TOWN, "tracker": "open311", "tracker-url": url, "api-key": KEY}
    flags |= {f"set-{name}": value for name, value in settings.items()}
    talk = Nobody()
    found = gather(
        Given(flags, []), talk, list(wiring.TRACKERS), wiring.survey, wiring.whatsapp_numbers, month="2026-11"
    )  # fmt: skip
    return found, talk.told


def test_what_is_written_has_nothing_against_it(url: str, tmp_path: Path) -> None:
    found, _ = gathered(url, **SETTINGS)
    assert (found.project, found.fields["reference"]) == ("VIA", "description")
    written(found, tmp_path, overwrite=False)
    town = mapping.load(tmp_path / "mappings" / "sant-feliu-de-prova.toml")
    assert town.tracker.reference_field == "description" and set(town.statuses) == {"closed"}
    told = everything(tmp_path / "config.toml", offline=False).findings
    assert [f for f in told if f.key.startswith(("tracker", "menu", "statuses", "answers"))] == []


def test_a_setting_that_cannot_be_is_named(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        gathered(url, jurisdiction=JURISDICTION, format="yaml")
    assert refused.value.findings
    with pytest.raises(Misconfigured) as refused:
        wiring.survey("open311", url, KEY, {"format": "yaml"})
    (finding,) = refused.value.findings
    assert "tracker.format" in finding.problem and "json" in finding.problem
    with pytest.raises(Misconfigured) as refused:
        wiring.survey("open311", "no address", KEY, {})
    assert "address or key" in refused.value.findings[0].problem
