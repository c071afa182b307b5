"""The mapping changes while the service runs: what is good is taken whole, what is not changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import mapping as mapping_file
from connector.jobs import reloading
from connector.storage import pauses
from tests.databases import BOTH, database
from tests.e2e.way import ids, mapping, reference_in

from .rig import Rig
from .rig import rig as start_rig

NEW = """
[[menu]]
key = "pool"
kind = "request"
title = { ca = "Piscina", es = "Piscina", en = "Swimming pool" }
[menu.route]
tracker = "Incidència"
assignee = "Oficina Atenció Ciutadana"

[[councillors]]"""


@pytest.fixture(scope="module", params=BOTH)
def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, Path]]:
    folder = tmp_path_factory.mktemp("rig")
    file = mapping(folder)
    reloading._STILL = 0.001
    with database(request.param, folder) as url, start_rig(folder, url, file) as rig:
        yield rig, file
    reloading._STILL = 0.3


@pytest.fixture
def original(town: tuple[Rig, Path]) -> Iterator[str]:
    """The mapping as it was, which it is again afterwards."""
    rig, file = town
    text = file.read_text(encoding="utf-8")
    yield text
    change(rig, file, text)
    assert alarm(rig) is None


def change(rig: Rig, file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    look(rig)


def look(rig: Rig) -> None:
    """What the service does every few seconds."""
    rig.loop.run_until_complete(rig.demo.service._reloading.look())
    rig.work()


def alarm(rig: Rig) -> pauses.Pause | None:
    found = rig.demo.service.store.read_now(pauses.every)
    return next((p for p in found if p.destination == "mapping"), None)


def test_a_new_option_is_on_the_menu_and_works(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    before = rig.town.tracker
    citizen = rig.citizen().accept()
    assert "menu:pool" not in ids(citizen.got()[-1])
    change(rig, file, original.replace("\n[[councillors]]", NEW, 1))
    assert rig.town.tracker is before, "what the adapter has looked up is kept"
    citizen.type("menú")
    assert "menu:pool" in ids(citizen.got()[-1])
    citizen.tap("menu:pool")
    citizen.type("L'aigua és freda")
    rig.later(30)
    citizen.new()
    citizen.tap("draft:send")
    reference = reference_in(citizen.new()[-1])
    rig.later(1)
    assert rig.ticket(reference)["assigned_to"]["name"] == "Oficina Atenció Ciutadana"


def test_a_button_of_an_option_that_is_gone_gets_a_friendly_answer(
    town: tuple[Rig, Path], original: str
) -> None:
    rig, file = town
    change(rig, file, original.replace("\n[[councillors]]", NEW, 1))
    citizen = rig.citizen().accept()
    half = rig.citizen().accept()
    half.tap("menu:pool")
    half.type("L'aigua és freda")
    change(rig, file, original)
    citizen.tap("menu:pool")
    assert "menu:mayor" in ids(citizen.got()[-1]) and "menu:pool" not in ids(citizen.got()[-1])
    # a request to it that was being written goes to somebody else, and nothing of it is lost
    rig.later(30)
    assert {"menu:mayor", "menu:incident"} <= set(ids(half.got()[-1]))
    half.tap("menu:mayor")
    half.new()
    half.tap("draft:send")
    assert "L'aigua és freda" in rig.ticket(reference_in(half.new()[-1]))["description"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('prefix = "SCV"', 'prefix = "scv"', "channel.prefix"),
        ('kind = "info"', "kind = info", "not valid TOML"),
        ('assignee = "Jordi Alcalde"', 'asignee = "Jordi Alcalde"', "did you mean «assignee»?"),
        ("", None, "no such file"),
    ],
    ids=["value", "syntax", "key", "gone"],
)
def test_a_broken_one_is_refused_and_the_former_one_stays(
    town: tuple[Rig, Path],
    original: str,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str | None,
    said: str,
) -> None:
    rig, file = town
    before = rig.town.town
    if new is None:
        file.unlink()
    else:
        assert old in original
        file.write_text(original.replace(old, new, 1), encoding="utf-8")
    look(rig)
    first = alarm(rig)
    assert first is not None and said in first.reason and file.name in first.reason
    assert rig.town.town is before
    look(rig)
    assert alarm(rig) == first, "since when it is so stays"
    citizen = rig.citizen().accept()
    assert "menu:mayor" in ids(citizen.got()[-1]), "the service goes on as before"
    logged = capsys.readouterr()
    assert "the former one stays" in logged.out + logged.err


def test_a_pipe_in_its_place_is_refused_and_holds_nothing_up(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    before = rig.town.town
    file.unlink()
    os.mkfifo(file)
    try:
        rig.loop.run_until_complete(asyncio.wait_for(rig.demo.service._reloading.look(), 20))
        refused = alarm(rig)
        assert refused is not None and file.name in refused.reason
        assert rig.town.town is before
    finally:
        file.unlink()


def test_another_replica_that_took_its_own_file_does_not_hide_ours(
    town: tuple[Rig, Path], original: str
) -> None:
    rig, file = town
    change(rig, file, original.replace('prefix = "SCV"', 'prefix = "scv"'))
    rig.demo.service.store.write_now(lambda c: pauses.accept(c, rig.town.name, "mapping"))
    look(rig)
    assert alarm(rig) is not None


def test_comments_and_touching_change_nothing(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    before = rig.town.conversation
    change(rig, file, "# a word to whom reads this\n" + original)
    os.utime(file)
    look(rig)
    assert rig.town.conversation is before


def test_other_fields_make_another_adapter(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    before = rig.town.tracker
    change(rig, file, original.replace("reference_field = 2 ", "reference_field = 8 "))
    assert rig.town.tracker is not before
    assert rig.town.tracker.names._reference_field == "8"  # type: ignore[attr-defined]


def test_a_prefix_of_another_town_is_refused(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    service = rig.demo.service
    ours = service._municipalities[rig.town.name]
    whatsapp = ours.settings.whatsapp.model_copy(update={"phone_number_id": "100000000000009"})
    other = type(ours)(
        "altre-poble",
        ours.settings.model_copy(update={"whatsapp": whatsapp}),
        ours.town.model_copy(update={"channel": ours.town.channel.model_copy(update={"prefix": "ALT"})}),
    )
    service._municipalities["altre-poble"] = other
    try:
        change(rig, file, original.replace('prefix = "SCV"', 'prefix = "ALT"'))
        found = alarm(rig)
        assert found is not None and "ALT" in found.reason
    finally:
        del service._municipalities["altre-poble"]


def test_health_says_what_is_refused_and_since_when(town: tuple[Rig, Path], original: str) -> None:
    rig, file = town
    change(rig, file, original.replace('prefix = "SCV"', 'prefix = "scv"'))
    rig.demo.service.worker.alive = True
    answer = rig.loop.run_until_complete(rig.demo.service.health.ready(None))  # type: ignore[arg-type]
    (paused,) = json.loads(answer.body)["paused"]
    assert (paused["town"], paused["destination"]) == (rig.town.name, "mapping")
    assert paused["since"] and "channel.prefix" in paused["reason"]
    assert mapping_file.read(file)[0] is None
