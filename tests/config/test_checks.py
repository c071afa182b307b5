"""What the check finds out on this machine and by comparing clocks; what it finds in files and on the other side has a
file for each mistake (``mistakes/``)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.commands.check import machine as this_machine
from connector.commands.check import whatsapp
from connector.config.settings import Privacy, Server, Settings
from connector.storage import sqlite
from connector.trackers import rest
from tests.e2e.way import port
from tests.trackers.redmine.servers import answering, response, serving

from .sides import Others, lay_out, run, told


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(25, ""), (-25, ""), (400, "7 min ahead of"), (-300, "5 min behind"), (90_000, "25 h ahead")],
)
def test_clocks(
    others: Others, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float, said: str
) -> None:
    clock = SimpleNamespace(time=lambda: time.time() + ahead)
    monkeypatch.setattr(whatsapp, "time", clock)
    monkeypatch.setattr(rest, "time", clock)
    free = port()
    lines = told(lay_out(tmp_path, {}, others.url, free), False, others.url, free)
    assert len(lines) == (2 if said else 0), lines
    if said:
        assert said in lines[0] and "WhatsApp's" in lines[0] and "NTP" in lines[0]
        assert "Redmine's" in lines[1]


def machine(folder: Path, **own: object) -> list[str]:
    settings = Settings(
        database=f"sqlite:///{folder}/connector.db",
        server=Server(**own),
        privacy=Privacy(key="a-key-of-the-tests-with-forty-characters"),
    )
    return [f.problem for f in this_machine.findings(settings)]


def test_our_own_service_on_the_port_is_no_obstacle(tmp_path: Path) -> None:
    with serving(answering(response("200 OK", b"ok", "Content-Type: text/plain\r\n"))) as url:
        assert machine(tmp_path, port=int(url.rpartition(":")[2])) == []
    with serving(answering(response("200 OK", b"<html>", ""))) as url:
        taken = int(url.rpartition(":")[2])
        assert machine(tmp_path, port=taken) == [f"port {taken} is taken by another program"]


@pytest.mark.parametrize("host", ["192.0.2.7", "no-such-host.invalid"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    (problem,) = machine(tmp_path, host=host, port=port())
    assert "no address of this machine" in problem


def test_the_command_prints_json_with_places_and_exits_by_errors(others: Others, tmp_path: Path) -> None:
    file = lay_out(tmp_path, {"mapping": {'prefix = "PRV"': 'prefix = "prv"'}}, others.url, port())
    made = run("check", "--config", str(file), "--offline", "--json")
    (found,) = json.loads(made.stdout)
    assert made.returncode == 1
    assert (found["severity"], found["line"], found["column"], found["key"]) == (
        "error",
        3,
        1,
        "channel.prefix",
    )
    assert found["file"].endswith("town.toml") and found["problem"] and found["mend"]
    good = tmp_path / "good"
    good.mkdir()
    made = run("check", "--config", str(lay_out(good, {}, others.url, port())))
    said = [sqlite.version(), "All is well."]
    assert (made.returncode, made.stdout, made.stderr.splitlines()) == (0, "", said)
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    settings = lay_out(wrong, {"config": {'level = "info"': 'level = "x"'}}, others.url, port())
    made = run("check", "--config", str(settings))
    assert made.returncode == 1 and "1 error, 0 warnings" in made.stderr
    assert "were not asked: mend the settings first" in made.stderr


def test_one_mistake_does_not_keep_the_other_side_from_being_asked(others: Others, tmp_path: Path) -> None:
    spoilt = {
        'prefix = "PRV"': 'prefix = "PRV"\nlangauges = ["ca"]',
        'tracker = "Incidència"': 'tracker = "Incidencies"',
    }
    free = port()
    lines = told(lay_out(tmp_path, {"mapping": spoilt}, others.url, free), False, others.url, free)
    assert [line.split(": ")[1] for line in lines] == ["channel.langauges", "menu[2].route.tracker"]
