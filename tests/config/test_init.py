"""``connector init``: what the tracker suggests, what is written, and that the check has nothing against it."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from connector import mapping, wiring
from connector.commands.check import files
from connector.commands.check.everything import everything
from connector.commands.init.answers import Given, guess_fields, people, prefix, slug
from connector.commands.init.files import toml, written
from connector.commands.init.questions import gather
from connector.core.errors import Finding, Misconfigured
from connector.core.survey import Field, Offer
from connector.mapping.rules import texts_of
from connector.texts import available
from tests.e2e.way import ROOT, port

from .sides import SECRETS, Others, run

TOWN = {
    "name": "Ajuntament de Sant Feliu de Prova",
    "e-office": "https://seu.example.org",
    "policy-url": "https://www.example.org/dades",
    "contact": "dpd@example.org",
    "telephone": "600 000 100, plaça de la Vila, 1",
}


class Nobody:
    """Answers nothing, and keeps what it is told."""

    interactive = False

    def __init__(self) -> None:
        self.told: list[str] = []

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:
        return default

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)


def flags(others: Others, tracker: str = "", **more: str) -> dict[str, str]:
    return {
        **TOWN,
        "tracker-url": tracker or f"{others.url}/tracker",
        "api-key": SECRETS["tracker__api_key"],
        "business-account-id": "200000000000001",
        "access-token": SECRETS["whatsapp__access_token"],
        "app-secret": SECRETS["whatsapp__app_secret"],
        "verify-token": SECRETS["whatsapp__verify_token"],
        "whatsapp-api-url": others.url,
        "port": str(port()),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def answers(given: dict[str, str], talk: Nobody | None = None, councillors: list[str] | None = None) -> Any:
    return gather(
        Given(given, councillors), talk or Nobody(), ["redmine"], wiring.survey, wiring.whatsapp_numbers,
        month="2026-11",
    )  # fmt: skip


def checked(folder: Path) -> list[Finding]:
    return everything(folder / "config.toml", offline=False).findings


def test_the_tracker_suggests_everything_and_the_check_passes(others: Others, tmp_path: Path) -> None:
    found = answers(flags(others))
    assert (found.prefix, found.project, found.phone_number_id) == (
        "SFP",
        "atencio-ciutadana",
        "100000000000001",
    )
    assert {k: w.assignee for k, w in found.options.items()} == {
        "mayor": "Jordi Alcalde",
        "councillor": "",
        "incident": "Brigada municipal",
        "mailbox": "Oficina Atenció Ciutadana",
    }
    assert [(p.key, p.category, p.neighbourhood) for p in found.councillors] == [
        ("centre", "Centre", "Centre"),
        ("platja", "Platja", "Platja"),
        ("muntanya", "Muntanya", "Muntanya"),
    ]
    written(found, tmp_path, overwrite=False)
    told = checked(tmp_path)
    assert {f.key for f in told} <= {"templates.answer", "tracker.max_attachment_bytes"}, told
    assert all(f.severity == "warning" for f in told)
    town = mapping.load(tmp_path / "mappings" / "sant-feliu-de-prova.toml")
    fields = town.tracker
    assert (fields.reference_field, fields.pseudonym_field, fields.neighbourhood_field) == ("2", "3", "7")
    assert (fields.latitude_field, fields.longitude_field, fields.address_field) == ("4", "5", "6")
    assert fields.fields == {"1": "WhatsApp"}
    assert set(town.statuses) == {"Tancat", "Rebutjat"}
    assert [o.route.tracker for o in town.menu[1:]] == [
        "Alcaldia",
        "Regidories",
        "Incidència",
        "Bústia ciutadana",
    ]


@pytest.mark.real
def test_the_same_on_a_real_redmine_by_the_command(others: Others, tmp_path: Path, redmine: Any) -> None:
    given = flags(others, redmine.url)
    env = {
        **os.environ,
        "CONNECTOR_TRACKER__API_KEY": redmine.api_key,
        "CONNECTOR_WHATSAPP__ACCESS_TOKEN": given.pop("access-token"),
        "CONNECTOR_WHATSAPP__APP_SECRET": given.pop("app-secret"),
        "CONNECTOR_WHATSAPP__VERIFY_TOKEN": given.pop("verify-token"),
    }
    given.pop("api-key")
    words = [part for name, value in given.items() for part in (f"--{name}", value)]
    made = program("init", str(tmp_path), "--yes", *words, env=env)
    assert made.returncode == 0, made.stderr
    assert "written  " in made.stdout and redmine.api_key not in made.stdout + made.stderr
    looked = program("check", "--config", str(tmp_path / "config.toml"))
    assert looked.returncode == 0, looked.stdout
    assert "error" not in looked.stdout


def program(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, at no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "connector", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_secrets_are_apart_and_nobody_elses(others: Others, tmp_path: Path) -> None:
    written(answers(flags(others)), tmp_path, overwrite=False)
    kept = tmp_path / "secrets"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    there = {f.name: f for f in kept.iterdir()}
    assert set(there) == set(SECRETS)
    assert {stat.S_IMODE(f.stat().st_mode) for f in there.values()} == {0o600}
    shown = (tmp_path / "config.toml").read_text() + next((tmp_path / "mappings").iterdir()).read_text()
    for name, value in SECRETS.items():
        assert value not in shown
        assert there[name].read_text().strip() == value or name == "privacy__key"


def test_a_password_of_the_database_is_a_secret(others: Others, tmp_path: Path) -> None:
    url = "postgresql://connector:hunter22@db.example.org/connector"
    written(answers(flags(others, database=url)), tmp_path, overwrite=False)
    assert "hunter22" not in (tmp_path / "config.toml").read_text()
    assert (tmp_path / "secrets" / "database").read_text().strip() == url
    settings = files.look(tmp_path / "config.toml", {}).settings
    assert settings is not None and "hunter22" in settings.database_url


def test_nothing_is_written_over_and_the_key_never(others: Others, tmp_path: Path) -> None:
    found = answers(flags(others))
    written(found, tmp_path, overwrite=False)
    before = {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    with pytest.raises(Misconfigured, match="is there already"):
        written(answers(flags(others, telephone="600 000 999")), tmp_path, overwrite=False)
    assert {f: f.read_bytes() for f in before} == before
    written(answers(flags(others, telephone="600 000 999")), tmp_path, overwrite=True)
    assert "600 000 999" in next((tmp_path / "mappings").iterdir()).read_text()
    key = tmp_path / "secrets" / "privacy__key"
    assert key.read_bytes() == before[key]


def test_a_tracker_that_is_away_is_no_obstacle(others: Others, tmp_path: Path) -> None:
    talk = Nobody()
    given = flags(others, "http://127.0.0.1:9", project="prova", reference_field="2", mayor="Anna Prova")
    written(answers(given, talk, ["Pere Sud=Sud"]), tmp_path, overwrite=False)
    assert any("names have to be typed" in line for line in talk.told)
    assert files.findings(tmp_path / "config.toml", {}) == []
    town = mapping.load(next((tmp_path / "mappings").iterdir()))
    assert [(c.name, c.route.assignee, c.neighbourhood) for c in town.councillors] == [
        ("Pere Sud", "Pere Sud", "Sud")
    ]
    assert (town.tracker.project, town.menu[1].route.assignee) == ("prova", "Anna Prova")


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    made = run("init", str(tmp_path), "--yes", "--prefix", "scv", "--languages", "ca,xx")
    assert made.returncode == 2
    for flag in (
        "--name",
        "--e-office",
        "--policy-url",
        "--contact",
        "--telephone",
        "--tracker-url",
        "--api-key",
    ):
        assert f"{flag}: is needed" in made.stderr
    assert "--prefix: it has 2 to 6 capitals" in made.stderr and "no texts in xx" in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_wants_yes(tmp_path: Path) -> None:
    made = run("init", str(tmp_path))
    assert made.returncode == 2 and "--yes" in made.stderr


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("web", "https://[x", "write the address whole"),
        ("port", "80800", "1 to 65535"),
        ("database", "mysql://x/y", "not known"),
        ("tracker", "jira", "there are: redmine"),
        ("business-account-id", "el nostre", "digits only"),
    ],
)
def test_a_flag_that_is_wrong(others: Others, flag: str, value: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        answers({**flags(others), flag: value})
    assert f"--{flag}: " in str(caught.value) and said in str(caught.value)


def test_somebody_the_tracker_does_not_know(others: Others) -> None:
    with pytest.raises(Misconfigured, match="nobody there is called «Pere Sud»"):
        answers(flags(others), councillors=["Pere Sud"])
    with pytest.raises(Misconfigured, match="--mayor: there is no such one"):
        answers(flags(others, mayor="Pere Sud"))


def test_a_neighbourhood_the_list_does_not_have_leaves_its_field_out(others: Others, tmp_path: Path) -> None:
    talk = Nobody()
    found = answers(flags(others), talk, ["Laia Regidora Platja=La Platja"])
    assert any("does not have La Platja" in line for line in talk.told)
    written(found, tmp_path, overwrite=False)
    assert not [f for f in checked(tmp_path) if f.severity == "error"]


@pytest.mark.parametrize("languages", ["ca", "es,en", ",".join(available())])
@pytest.mark.parametrize(
    "name",
    ["Ajuntament de Prova", 'Ajuntament de «Prova» "Nova" \\ #1 {x}', "Consell Comarcal de l'Alt Penedès"],
)
def test_a_mapping_in_any_language_for_any_name_has_no_findings(
    others: Others, tmp_path: Path, languages: str, name: str
) -> None:
    written(answers(flags(others, languages=languages, name=name)), tmp_path, overwrite=False)
    file = next((tmp_path / "mappings").iterdir())
    town, findings = mapping.read(file)
    braces = [f for f in findings if "is not filled in here" in f.problem]
    assert findings == braces and bool(braces) == ("{x}" in name)
    assert town is not None and town.channel.name == name
    for path, text in texts_of(town):
        assert not text or set(text) in ({"*"}, set(town.languages)), path


def test_there_are_words_for_every_language_we_speak() -> None:
    words = tomllib.loads(
        (ROOT / "connector" / "commands" / "init" / "words.toml").read_text(encoding="utf-8")
    )
    assert set(words) == set(available())
    assert {frozenset(table) for table in words.values()} == {frozenset(words["ca"])}


@examples(st.text() | st.lists(st.text(max_size=5), max_size=3) | st.integers() | st.booleans())
def test_toml_is_read_as_it_was_written(value: Any) -> None:
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


@pytest.mark.parametrize(
    ("name", "short", "long"),
    [
        ("Ajuntament de Sant Cebrià de Vallalta", "SCV", "sant-cebria-de-vallalta"),
        ("Ajuntament de Girona", "GIR", "girona"),
        ("Ajuntament de l'Hospitalet de Llobregat", "HL", "l-hospitalet-de-llobregat"),
        ("Ayuntamiento de Las Palmas", "PAL", "las-palmas"),
        ("Ajuntament d’Ús", "US", "us"),
        ("Ajuntament", "AJU", "ajuntament"),
        ("Consell Comarcal de la Vall d'Aran i del Port de la Bonaigua Alta", "VAPB", "la-vall-d-aran-i-del-port-de-la-bonaigua"),
    ],
)  # fmt: skip
def test_what_follows_from_a_name(name: str, short: str, long: str) -> None:
    assert (prefix(name), slug(name)) == (short, long)


def test_fields_are_known_by_their_names_and_a_reference_takes_text() -> None:
    offer = Offer(
        fields=(
            Field("1", "Referència cadastral (número)", False),
            Field("8", "Referencia de WhatsApp", True),
            Field("5", "LATITUD", False),
            Field("9", "Barrio", True),
        )
    )
    assert {p: f.id for p, f in guess_fields(offer).items()} == {
        "reference": "8",
        "latitude": "5",
        "neighbourhood": "9",
    }


def test_councillors_with_long_and_equal_names() -> None:
    made = people([("Maria Assumpció Puigdemont i Subirachs", "Centre"), ("Pere Sud", "Centre")], Offer())
    assert [p.key for p in made] == ["centre", "centre-2"]
    assert made[0].shown == "Maria Assumpció" and made[0].name.endswith("Subirachs")


ANSWERS = [
    ("Name of the town hall", "Ajuntament de Sant Feliu de Prova"), ("Prefix", "sfp"), ("Prefix", ""), ("Languages", "ca,es"),
    ("Web site", "https://www.example.org"), ("Electronic office", ""), ("Page with", ""), ("Where people", ""),
    ("Telephone", "600 000 100"), ("Kind of", ""), ("Its address", "tiquets.example.org"), ("Its address", "{tracker}"),
    ("API key", "{wrong}"), ("Another address", "y"), ("Its address", "{tracker}"), ("API key", "{key}"), ("Project", "1"),
    ("Custom field", ""), ("to the mayor", "4"), ("incidents", "Brigada municipal"), ("everything else", "-"),
    ("Councillors", "6, Marc Regidor Centre"), ("Neighbourhood of Laia", ""), ("Neighbourhood of Marc", "-"),
    ("Account ID", "200000000000001"), ("Access token", "{token}"), ("Phone number ID", ""), ("App secret", "{secret}"),
    ("Database", ""), ("Port", "{port}"),
]  # fmt: skip


def test_at_a_real_terminal(others: Others, tmp_path: Path) -> None:
    values = {
        "tracker": f"{others.url}/tracker", "wrong": "0f" * 20, "key": SECRETS["tracker__api_key"], "port": str(port()),
        "token": SECRETS["whatsapp__access_token"], "secret": SECRETS["whatsapp__app_secret"],
    }  # fmt: skip
    shown = at_a_terminal(
        ["init", str(tmp_path), "--whatsapp-api-url", others.url],
        [(q, a.format(**values)) for q, a in ANSWERS],
    )
    assert "signed in as Robot WhatsApp" in shown and "it has 2 to 6 capitals" in shown
    assert "write the address whole" in shown and "does not accept our API key" in shown
    for hidden in ("key", "wrong", "token", "secret"):
        assert values[hidden] not in shown, "what is secret is not shown while it is typed"
    town = mapping.load(tmp_path / "mappings" / "sant-feliu-de-prova.toml")
    assert [o.key for o in town.menu] == ["info", "mayor", "councillor", "incident"]
    assert [(c.name, c.neighbourhood) for c in town.councillors] == [
        ("Laia Regidora Platja", "Platja"),
        ("Marc Regidor Centre", "Centre"),
    ]
    assert town.consent.policy_url == "https://www.example.org/proteccio-de-dades"
    assert (tmp_path / "secrets" / "whatsapp__access_token").read_text().strip() == values["token"]
    # the webhook's word was made here, so the one Meta's stand-in has is another's
    assert {f.key for f in checked(tmp_path) if f.severity == "error"} == {"whatsapp.verify_token"}


def at_a_terminal(words: list[str], talk: list[tuple[str, str]]) -> str:
    """What the program shows on a terminal of its own, where each question is answered when it is asked."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "connector", *words])
    shown, read, left, end = "", 0, list(talk), time.monotonic() + 60
    try:
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:
                    break  # the program ended
                if not piece:
                    break
                shown += piece.decode("utf-8", "replace")
            elif left and left[0][0] in shown[read:]:
                read = len(shown)
                os.write(terminal, left.pop(0)[1].encode() + b"\n")
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert not left, f"never asked: {left[0][0]}\n{shown}"
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown
