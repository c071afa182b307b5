"""What IT does from the command line, on the running program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from click.testing import Result
from typer.testing import CliRunner

from connector.cli import app

from .way import ROOT, Way, ids, reference_in, until, way


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with way(tmp_path_factory.mktemp("way")) as running:
        yield running


def connector(parts: Way, *words: str, crash: str = "") -> subprocess.CompletedProcess[str]:
    """A command as IT starts it: another process."""
    command = [sys.executable, "-m", "connector", *words, "--config", str(parts.folder / "config.toml")]
    env = {**os.environ, **({"CONNECTOR_CRASH": crash} if crash else {})}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def here(parts: Way, *words: str, said: str = "") -> Result:
    """The same in this process, beside the running one; a process of its own takes a second to start."""
    return CliRunner().invoke(app, [*words, "--config", str(parts.folder / "config.toml")], input=said)


def test_templates_are_missing_then_handed_in_once(parts: Way) -> None:
    before = here(parts, "templates", "list", "--json")
    assert before.exit_code == 1
    assert [t["state"] for t in json.loads(before.stdout)] == ["MISSING"] * 9
    pushed = connector(parts, "templates", "push")
    assert pushed.returncode == 0 and "handed in: ca, en, es" in pushed.stderr, pushed.stderr
    again = here(parts, "templates", "push", "--json")
    assert again.exit_code == 0 and "nothing was missing" in again.stderr
    assert {t["name"] for t in json.loads(again.stdout)} == {
        "resposta_disponible",
        "noticia_municipal",
        "avis_municipal",
    }
    assert here(parts, "templates", "list").exit_code == 0
    checked = here(parts, "check", "--json")
    assert "templates.answer" not in checked.stdout, "check has nothing to say any more"


def test_status_is_a_page_and_the_ledger_balances(parts: Way) -> None:
    phone = parts.phone("Persona", "34600000091")
    phone.type("Hola")
    phone.next()
    page = connector(parts, "status")
    assert page.returncode == 0 and "All is well" in page.stdout and "34600000091" not in page.stdout, page
    found = json.loads(here(parts, "status", "--json").stdout)
    assert found["towns"]["sant-cebria"].keys() >= {"poll", "webhook"} and found["paused"] == []
    until("every message has its outcome", lambda: here(parts, "status", "--ledger").exit_code == 0)
    books = json.loads(here(parts, "status", "--ledger", "--json").stdout)
    assert books["balanced"] and books["received"] == 1 and books["sent"] == 1


def test_a_changed_mapping_is_taken_and_a_broken_one_refused_while_it_runs(parts: Way) -> None:
    file = parts.folder / "sant-cebria.toml"
    original = file.read_text(encoding="utf-8")
    phone = parts.phone("Persona", "34600000092")
    phone.type("Hola")
    phone.next()
    phone.tap("consent:yes")
    assert "menu:pool" not in ids(phone.next())
    option = """[[menu]]
key = "pool"
kind = "request"
title = { ca = "Piscina", es = "Piscina", en = "Swimming pool" }
route = { assignee = "Oficina Atenció Ciutadana" }

[[councillors]]"""
    file.write_text(original.replace("[[councillors]]", option, 1), encoding="utf-8")

    def menu() -> list[str]:
        phone.type("menú")
        return ids(phone.next())

    until("the new option on the menu", lambda: "menu:pool" in menu())

    file.write_text(
        original.replace('title = { ca = "Alcaldia"', 'titel = { ca = "Alcaldia"'), encoding="utf-8"
    )
    assert parts.connector.process is not None
    parts.connector.process.send_signal(signal.SIGHUP)  # need not wait for the next look
    said = until("the alarm", lambda: s if "the mapping" in (s := here(parts, "status").stdout) else "")
    assert "former one stays" in said and "did you mean «title»?" in said and "sant-cebria.toml" in said
    assert "menu:pool" in menu(), "the one before it stays"
    assert "former one stays" in parts.connector.tail()

    file.write_text(original, encoding="utf-8")
    until("all is well again", lambda: "the mapping" not in here(parts, "status").stdout)
    assert "menu:pool" not in menu()
    phone.tap("menu:pool")
    assert "menu:mayor" in ids(phone.next()), "an old button gets the menu"


def test_one_person_is_exported_and_erased_while_the_service_runs(parts: Way) -> None:
    phone = parts.phone("Persona que ho demana", "34600000094")
    phone.type("Hola")
    for choice in ("consent:yes", "menu:mayor"):
        phone.next()
        phone.tap(choice)
    phone.next()
    phone.type("Esborreu-me, si us plau")
    assert "draft:send" in ids(phone.next())
    phone.tap("draft:send")
    reference = reference_in(phone.next())
    exported = connector(parts, "person", "export", "+34 600 000 094")
    found = json.loads(exported.stdout)
    assert (
        exported.returncode == 0
        and exported.stderr == ""
        and found["person"]["name"] == "Persona que ho demana"
    )
    (request,) = found["requests"]
    assert request["content"]["words"] == "Esborreu-me, si us plau" and request["ticket"]
    unsure = here(parts, "person", "erase", reference, said="n\n")
    assert unsure.exit_code == 1 and reference in unsure.stderr, "asked, and nobody said yes"
    killed = connector(parts, "person", "erase", "600000094", "--yes", crash="person.erased")
    assert killed.returncode == -9
    assert json.loads(here(parts, "person", "export", reference).stdout)["person"]["phone"], "all or nothing"
    erased = connector(parts, "person", "erase", "600000094", "--yes", "--json")
    assert erased.returncode == 0, erased
    (ticket,) = json.loads(erased.stdout)["tickets"]
    assert ticket == {
        "reference": reference,
        "ticket": request["ticket"],
        "url": request["url"],
        "state": "open",
    }
    assert here(parts, "person", "erase", reference, "--yes").exit_code == 1, "nothing is held any more"
    log = json.loads(here(parts, "person", "log", "--json").stdout)
    assert log[-1]["rule"] == "asked for" and "600000094" not in json.dumps(log)
    assert "asked for" in here(parts, "person", "log").stdout
    journals = lambda: parts.staff("oac").ticket(int(request["ticket"]))["journals"]  # noqa: E731
    until("staff read it on the ticket", lambda: [j for j in journals() if "esborrat" in j["notes"]])
    assert "evidence" in here(parts, "person", "retention", "--dry-run").stdout
    until("every message has its outcome", lambda: here(parts, "status", "--ledger").exit_code == 0)
