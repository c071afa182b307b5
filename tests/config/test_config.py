"""Settings: which source wins, what each mistake is told as, and that no secret is ever told."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from connector import config
from connector.commands.check import files, media
from connector.commands.check.secrets import weak
from connector.config.layers import SECRETS as SECRET_SETTINGS
from connector.config.settings import Section, Settings
from connector.core.errors import Finding, Misconfigured
from connector.toolkit.media import Rules
from connector.trackers.redmine import config as redmine
from connector.wiring import make_clamd
from tests.clamd import clamd
from tests.fuzz import examples

HERE = Path(__file__).parent

CONFIG = """\
mapping = "town.toml"

[server]
port = 8081

[whatsapp]
phone_number_id = 100000000000001
business_account_id = "200000000000002"
access_token = "token-in-file"
app_secret = "app-secret-in-file"
verify_token = "verify-in-file"

[tracker]
url = "https://tiquets.example.org/"
api_key = "key-in-file"
text_format = "common_mark"

[privacy]
key = "0123456789abcdef0123456789abcdef"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "town.toml").write_text((HERE / "town.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str = CONFIG, secrets: dict[str, str] | None = None) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    for name, content in (secrets or {}).items():
        (folder / "secrets").mkdir(exist_ok=True, mode=0o700)
        (folder / "secrets" / name).write_text(content, encoding="utf-8")
        (folder / "secrets" / name).chmod(0o600)
    return file


KEY = "Zq3vL8mXw0rT5yBn2cKd7fHj9sGa4pQe"
SECRETS = {
    "whatsapp__access_token": "token-in-secrets",
    "whatsapp__app_secret": "app-secret-in-secrets",
    "whatsapp__verify_token": "verify-in-secrets",
    "tracker__api_key": "key-in-secrets",
    "privacy__key": KEY,
}
PLAIN = "\n".join(row for row in CONFIG.splitlines() if "in-file" not in row and not row.startswith("key ="))
"""The settings without their secrets."""


def token(folder: Path, env: dict[str, str] | None = None, **secrets: str) -> str:
    return config.load(write(folder, secrets=secrets), env or {}).whatsapp.access_token.get_secret_value()


# --- which source wins ------------------------------------------------------------------------------

ENV = {"CONNECTOR_WHATSAPP__ACCESS_TOKEN": "token-in-environment"}


def test_environment_before_secret_file_before_toml_before_default(folder: Path) -> None:
    assert token(folder) == "token-in-file"
    assert token(folder, whatsapp__access_token="token-in-secrets\n") == "token-in-secrets"
    assert token(folder, ENV, whatsapp__access_token="token-in-secrets") == "token-in-environment"
    assert config.load(write(folder), {}).server.port == 8081
    assert config.load(write(folder), {}).server.host == "127.0.0.1"
    assert config.load(write(folder), {"CONNECTOR_SERVER__PORT": "9000"}).server.port == 9000


@pytest.mark.parametrize("name", ["CONNECTOR_WHATSAPP__ACCESS_TOKEN", "connector_whatsapp__access_token"])
def test_a_secret_file_may_have_the_variables_name(folder: Path, name: str) -> None:
    assert token(folder, **{name: "token-in-secrets"}) == "token-in-secrets"


def test_an_empty_variable_counts_as_not_set(folder: Path) -> None:
    assert token(folder, {"CONNECTOR_WHATSAPP__ACCESS_TOKEN": ""}) == "token-in-file"


def test_the_process_environment_is_used_by_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_SERVER__PORT", "9001")
    assert config.load(write(folder)).server.port == 9001
    assert Settings().server.port == 8080  # built directly, nothing is read from outside


def test_the_folder_of_secrets_can_be_named_by_variable(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("run")
    (elsewhere / "whatsapp__access_token").write_text("token-elsewhere")
    env = {"CONNECTOR_SECRETS_DIR": str(elsewhere)}
    assert config.load(write(folder), env).whatsapp.access_token.get_secret_value() == "token-elsewhere"


def test_files_of_others_among_the_secrets_are_left_alone(folder: Path) -> None:
    found = config.read(write(folder, secrets={"other_program_password": "x", "tls.key": "y"}), {})[1]
    assert found == []


# --- values as they come out ------------------------------------------------------------------------


def test_values(folder: Path) -> None:
    settings = config.load(write(folder), {})
    assert settings.whatsapp.phone_number_id == "100000000000001"
    assert settings.tracker.url == "https://tiquets.example.org"
    assert settings.tracker.extras() == {"text_format": "common_mark"}
    assert settings.mapping == folder / "town.toml"
    assert settings.database_url == f"sqlite:///{folder}/var/connector.db"


@pytest.mark.parametrize("value", ['["new", "old"]', '"new,old"', '" new , old "'])
def test_app_secret_may_be_several(folder: Path, value: str) -> None:
    text = CONFIG.replace('"app-secret-in-file"', value)
    assert config.load(write(folder, text), {}).whatsapp.app_secrets == ("new", "old")


def test_what_is_accepted_of_files(folder: Path) -> None:
    settings = config.load(write(folder), {}).media
    assert settings.rules == Rules() and settings.clamd == ""
    env = {"CONNECTOR_MEDIA__ACCEPT": "image/jpeg, application/pdf", "CONNECTOR_MEDIA__MAX_MEGAPIXELS": "12"}
    rules = config.load(write(folder), env).media.rules
    assert rules.accept == {"image/jpeg", "application/pdf"} and rules.pixels == 12_000_000


def scanner(settings: Settings) -> list[Finding]:
    return media.findings(make_clamd(settings), settings)


def test_check_asks_the_scanner_whether_it_takes_as_much(folder: Path) -> None:
    with clamd() as daemon:
        env = {"CONNECTOR_MEDIA__CLAMD": daemon.address, "CONNECTOR_MEDIA__MAX_BYTES": "900000"}
        assert scanner(config.load(write(folder), env)) == []
        daemon.longest = 100_000
        (small,) = scanner(config.load(write(folder), env))
    (away,) = scanner(config.load(write(folder), env))
    assert (small.severity, small.key) == ("warning", "CONNECTOR_MEDIA__MAX_BYTES")
    assert "StreamMaxLength" in small.mend
    assert (away.severity, away.key) == ("error", "CONNECTOR_MEDIA__CLAMD") and "running" in away.mend
    assert scanner(config.load(write(folder), {})) == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql(folder: Path, scheme: str) -> None:
    env = {"CONNECTOR_DATABASE": f"{scheme}://connector:hunter22@db.example.org:5433/connector"}
    settings = config.load(write(folder), env)
    assert settings.database_url == "postgresql+psycopg://connector:hunter22@db.example.org:5433/connector"
    assert settings.database_shown == "postgresql+psycopg://connector:***@db.example.org:5433/connector"


def test_sqlite_absolute_stays(folder: Path) -> None:
    env = {"CONNECTOR_DATABASE": "sqlite:////srv/connector.db"}
    assert config.load(write(folder), env).database_url == "sqlite:////srv/connector.db"


# --- mistakes ---------------------------------------------------------------------------------------


class Mistake(NamedTuple):
    old: str
    new: str
    key: str
    line: int
    words: tuple[str, ...]
    severity: str = "error"


MISTAKES = {
    "unknown key": Mistake("port = 8081", "prot = 8081", "server.prot", 4, ("did you mean «port»",)),
    "unknown table": Mistake("[privacy]", "[privacity]\n[privacy]", "privacity", 18, ("«privacy»",)),
    "key in the wrong table": Mistake(
        "port = 8081", "poll_every = 9", "server.poll_every", 4, ("it belongs to tracker",)
    ),
    "top key under a header": Mistake(
        "port = 8081", 'database = "sqlite:///x.db"', "server.database", 4, ("above the first [table]",)
    ),
    "port as text": Mistake("8081", '"eighty"', "server.port", 4, ("whole number", "1 to 65535")),
    "port too high": Mistake("8081", "80810", "server.port", 4, ("at most 65535",)),
    "a table that is a text": Mistake("[server]\nport = 8081", "server = 1", "server", 3, ("table",)),
    "id with the number's plus": Mistake(
        "100000000000001", '"+34600000100"', "whatsapp.phone_number_id", 7, ("digits only", "not the number")
    ),
    "token in two lines": Mistake(
        '"token-in-file"', '"""token-\nin-file"""', "whatsapp.access_token", 9, ("copy it again",)
    ),
    "token missing": Mistake(
        'access_token = "token-in-file"\n',
        "",
        "whatsapp.access_token",
        6,
        (
            "CONNECTOR_WHATSAPP__ACCESS_TOKEN",
            "secrets/whatsapp__access_token",
            "in [whatsapp]",
            "system user",
        ),
    ),
    "app secret empty": Mistake(
        '"app-secret-in-file"', '" "', "whatsapp.app_secret", 10, ("CONNECTOR_WHATSAPP__APP_SECRET", "forged")
    ),
    "mapping missing": Mistake(
        'mapping = "town.toml"', "", "mapping", 0, ("CONNECTOR_MAPPING", "set mapping")
    ),
    "mapping elsewhere": Mistake("town.toml", "twon.toml", "mapping", 1, ("no file", "this file's folder")),
    "key too short": Mistake(
        "0123456789abcdef0123456789abcdef",
        "123456",
        "privacy.key",
        19,
        ("32 characters", "connector key new"),
    ),
    "key missing": Mistake(
        'key = "0123456789abcdef0123456789abcdef"', "", "privacy.key", 18, ("`connector key new` prints one",)
    ),
    "address without https": Mistake(
        "https://tiquets.example.org/", "tiquets.example.org", "tracker.url", 14, ("https://",)
    ),
    "address with password": Mistake(
        "https://tiquets", "https://bot:hunter22@tiquets", "tracker.url", 14, ("user or a password",)
    ),
    "address with a question": Mistake("org/", "org/?key=hunter22", "tracker.url", 14, ("«?»",)),
    "tracker in the clear": Mistake(
        "https://tiquets", "http://tiquets", "tracker.url", 14, ("unencrypted", "https://"), "warning"
    ),
    "Meta in the clear": Mistake(
        "[tracker]",
        'api_url = "http://graph.example.org"\n[tracker]',
        "whatsapp.api_url",
        13,
        ("unencrypted",),
    ),
    "api version": Mistake(
        "[tracker]", 'api_version = "23"\n[tracker]', "whatsapp.api_version", 13, ('"v23.0"',)
    ),
    "secrets elsewhere": Mistake(
        "\n[server]", 'secrets_dir = "nowhere"\n[server]', "secrets_dir", 2, ("no folder",)
    ),
    "database in memory": Mistake(
        "\n[server]", 'database = "sqlite://"\n[server]', "database", 2, ("outlive", "sqlite:///var")
    ),
    "database of another kind": Mistake(
        "\n[server]",
        'database = "mysql://bot:hunter22@db/x"\n[server]',
        "database",
        2,
        ("not known", "postgresql"),
    ),
    "database as a path": Mistake(
        "\n[server]", 'database = "var/connector.db"\n[server]', "database", 2, ("no database address",)
    ),
    "database without name": Mistake(
        "\n[server]",
        'database = "postgresql://u:hunter22@db"\n[server]',
        "database",
        2,
        ("name of the database",),
    ),
    "a type nobody can tell": Mistake(
        "[privacy]",
        '[media]\naccept = ["image/png", "image/jpg"]\n[privacy]',
        "media.accept",
        19,
        ("told by its content", "did you mean «image/jpeg»?"),
    ),
    "no types at all": Mistake(
        "[privacy]", "[media]\naccept = []\n[privacy]", "media.accept", 19, ("empty",)
    ),
    "files larger than WhatsApp brings": Mistake(
        "[privacy]", "[media]\nmax_bytes = 209715200\n[privacy]", "media.max_bytes", 19, ("104857600",)
    ),
    "a scanner without a scheme": Mistake(
        "[privacy]", '[media]\nclamd = "hunter22:3310"\n[privacy]', "media.clamd", 19, ("tcp://", "unix:/")
    ),
    "log level": Mistake("[privacy]", '[log]\nlevel = "hunter22"\n[privacy]', "log.level", 19, ('"info"',)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_one_finding(name: str, folder: Path) -> None:
    mistake = MISTAKES[name]
    assert mistake.old in CONFIG
    file = write(folder, CONFIG.replace(mistake.old, mistake.new, 1))
    found = config.read(file, {})[1]

    assert [(f.severity, f.key) for f in found] == [(mistake.severity, mistake.key)]
    assert found[0].file == str(file)
    assert (found[0].line or 0) == mistake.line
    for words in mistake.words:
        assert words in f"{found[0].problem} — {found[0].mend}"
    assert "hunter22" not in str(found[0])
    if mistake.severity == "error":
        with pytest.raises(Misconfigured):
            config.load(file, {})


def test_all_findings_at_once(folder: Path) -> None:
    text = (
        CONFIG.replace("8081", "0").replace('"key-in-file"', '""').replace("[privacy]", "[privacy]\nkeep = 1")
    )
    with pytest.raises(Misconfigured) as caught:
        config.load(write(folder, text), {"CONNECTOR_WHATSAPP__API_VERSION": "latest"})
    found = {f.key for f in caught.value.findings}
    assert found == {"server.port", "tracker.api_key", "privacy.keep", "CONNECTOR_WHATSAPP__API_VERSION"}


def test_a_wrong_variable_is_named_not_the_file(folder: Path) -> None:
    (finding,) = config.read(write(folder), {"CONNECTOR_SERVER__PORT": "x"})[1]
    assert (finding.file, finding.line, finding.key) == ("environment", None, "CONNECTOR_SERVER__PORT")


def test_a_wrong_secret_file_is_named(folder: Path) -> None:
    (finding,) = config.read(write(folder, secrets={"privacy__key": "hunter22"}), {})[1]
    assert finding.file == str(folder / "secrets" / "privacy__key")
    assert "hunter22" not in str(finding)


def test_names_that_set_nothing(folder: Path) -> None:
    env = {"CONNECTOR_WHATSAP__ACCESS_TOKEN": "hunter22", "CONNECTOR_PORT_8080_TCP": "tcp://x"}
    found = config.read(write(folder, secrets={"whatsapp__acces_token": "hunter22"}), env)[1]
    assert {f.severity for f in found} == {"warning"}
    said = "\n".join(map(str, found))
    assert "did you mean CONNECTOR_WHATSAPP__ACCESS_TOKEN?" in said
    assert "did you mean whatsapp__access_token?" in said
    assert "hunter22" not in said


def test_two_files_for_one_secret(folder: Path) -> None:
    secrets = {"tracker__api_key": "one", "CONNECTOR_TRACKER__API_KEY": "two"}
    (finding,) = config.read(write(folder, secrets=secrets), {})[1]
    assert "keep one of the two" in finding.mend


def test_secret_files_that_are_none(folder: Path) -> None:
    file = write(folder, secrets={"tracker__api_key": "\n"})
    (folder / "secrets" / "whatsapp__access_token").write_bytes(b"\xff\xfe\x00hunter22")
    found = {Path(f.file).name: f for f in config.read(file, {})[1]}
    assert "is empty" in found["tracker__api_key"].problem
    assert "not text" in found["whatsapp__access_token"].problem


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_secrets_that_everybody_can_read(folder: Path) -> None:
    file = write(folder)
    file.chmod(0o644)
    (finding,) = config.read(file, {})[1]
    assert (finding.severity, finding.key, finding.line) == ("warning", "whatsapp.access_token", 9)
    assert "chmod" in finding.mend


def test_no_file_at_all(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="no such file"):
        config.load(folder / "absent.toml", {})


# --- the adapter's own keys -------------------------------------------------------------------------


def test_the_adapters_config_is_made(folder: Path) -> None:
    settings = config.load(write(folder), {"CONNECTOR_TRACKER__TIMEOUT": "12"})
    made = config.tracker_config(settings, redmine.Config, {"reference_field": "2"})
    assert made.url == "https://tiquets.example.org"
    assert (made.text_format, made.timeout, made.reference_field) == ("common_mark", 12, "2")
    assert made.api_key.get_secret_value() == "key-in-file"


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("timeuot = 3", "tracker.timeuot", "did you mean «timeout»?"),
        ('reference_field = "9"', "tracker.reference_field", "unknown key"),
        ("timeout = 0", "tracker.timeout", "more than 0"),
    ],
)
def test_the_adapters_mistakes_have_a_line(folder: Path, line: str, key: str, words: str) -> None:
    settings = config.load(write(folder, CONFIG.replace("[privacy]", f"{line}\n[privacy]")), {})
    with pytest.raises(Misconfigured) as caught:
        config.tracker_config(settings, redmine.Config, {"reference_field": "2"})
    (finding,) = caught.value.findings
    assert (finding.file, finding.line, finding.key) == (str(folder / "config.toml"), 18, key)
    assert words in str(finding)


def test_unknown_tracker_keys(folder: Path) -> None:
    settings = config.load(write(folder), {})
    assert config.unknown_tracker_keys(settings, {"text_format"}) == []
    assert "text_format" in str(config.unknown_tracker_keys(settings, set())[0])


# --- no secret is ever told -------------------------------------------------------------------------

SECRET_KEYS = ["access_token", "app_secret", "verify_token", "api_key", "webhook_secret", "key", "password"]


def told(value: object) -> str:
    """Everything a log, a traceback or an export could show of it."""
    parts = [str(value), repr(value)]
    if isinstance(value, Settings):
        parts += [value.model_dump_json(), json.dumps(value.model_dump(mode="json"), default=str)]
        parts += [str(value.model_dump()), repr(vars(value)), repr(value._layers), value.database_shown]
    if isinstance(value, BaseException):
        parts += traceback.format_exception(value)
        assert value.__context__ is None  # what pydantic raised holds the input
    return "\n".join(parts)


def test_settings_never_show_a_secret(folder: Path) -> None:
    text = CONFIG.replace(
        "[privacy]", 'webhook_secret = "hook-hunter22"\npassword = "own-hunter22"\n[privacy]'
    )
    env = {"CONNECTOR_DATABASE": "postgresql://connector:db-hunter22@db.example.org/connector"}
    shown = told(config.load(write(folder, text), env))
    for secret in ("in-file", "hunter22", "0123456789abcdef"):
        assert secret not in shown
    assert "phone_number_id" in shown


@hypothesis_settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(SECRET_KEYS),
    how=st.sampled_from(['"{}"', '["{}", 1]', '{{ inner = "{}" }}', "{}", '"{} broken"', '"""{}\n"""']),
    twist=st.sampled_from(["", "port = 8081|port = 0", "[privacy]|[privacity]", "mapping =|mapping", '/"|"']),
)
def test_errors_never_show_a_secret(folder: Path, where: str, how: str, twist: str) -> None:
    secret = "EAAG7hunter22Zq0hunter22Zq0"
    line = f"{where} = {how.format(secret)}"
    rows = [line if row.startswith(f"{where} =") else row for row in CONFIG.splitlines()]
    if line not in rows:
        rows.insert(rows.index("[privacy]"), line)
    text = "\n".join(rows)
    if twist:
        text = text.replace(*twist.split("|"), 1)
    file = write(folder, text)
    settings, found = config.read(file, {})
    assert secret not in "\n".join(map(repr, found))
    if settings is not None:
        assert secret not in told(settings)
        return
    with pytest.raises(Misconfigured) as caught:
        config.load(file, {})
    assert secret not in told(caught.value)


def test_places_that_are_kept_hold_no_values(folder: Path) -> None:
    settings = config.load(write(folder, secrets={"tracker__api_key": "in-a-file"}), ENV)
    kept = pickle.dumps(settings._layers)
    for secret in (b"in-file", b"in-a-file", b"in-environment"):
        assert secret not in kept


# --- how secrets are kept --------------------------------------------------------------------------


def kept(folder: Path, secrets: dict[str, str] | None = None, text: str = PLAIN) -> list[Finding]:
    return files.findings(write(folder, text, SECRETS | (secrets or {})), {})


def test_secrets_in_plain_text_are_one_warning(folder: Path) -> None:
    (finding,) = files.findings(write(folder, CONFIG.replace("0123456789abcdef" * 2, KEY)), {})
    assert (finding.severity, finding.key, finding.line) == ("warning", "whatsapp.access_token", 9)
    assert "privacy.key" in finding.problem and "privacy__key" in finding.mend
    assert KEY not in str(finding)


@pytest.mark.parametrize(
    "key",
    [
        "0123456789abcdef" * 2,
        "a" * 40,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "la clau de l'ajuntament nou 2026",
    ],
)
def test_a_key_that_can_be_guessed(folder: Path, key: str) -> None:
    (finding,) = kept(folder, {"privacy__key": f"{KEY},{key}"})
    assert (finding.severity, finding.key) == ("warning", "privacy.key")
    assert "connector key new" in finding.mend and key not in str(finding)


@given(st.binary(min_size=16, max_size=48))
def test_a_key_of_chance_is_not_called_guessable(raw: bytes) -> None:
    digest = hashlib.sha256(raw).digest()
    assert not weak(base64.urlsafe_b64encode(digest).decode())


def test_one_secret_used_twice(folder: Path) -> None:
    (finding,) = kept(folder, {"whatsapp__verify_token": "app-secret-in-secrets"})
    assert (finding.key, "whatsapp.app_secret" in finding.problem) == ("whatsapp.verify_token", True)


def test_every_secret_setting_is_known_as_one() -> None:
    found = {
        (table, name)
        for table, field in Settings.model_fields.items()
        if isinstance(field.default, Section)
        for name, inner in type(field.default).model_fields.items()
        if isinstance(inner.default, SecretStr)
    }
    assert set(SECRET_SETTINGS) == found


def test_a_secret_file_for_everybody(folder: Path) -> None:
    write(folder, PLAIN, SECRETS)
    file = folder / "secrets" / "privacy__key"
    for mode, told in ((0o600, 0), (0o640, 0), (0o644, 1), (0o660, 1)):
        file.chmod(mode)
        found = files.findings(folder / "config.toml", {})
        assert [(f.file, f.severity) for f in found] == [(str(file), "warning")] * told, oct(mode)


# --- everything together ----------------------------------------------------------------------------


def test_nothing_is_found_in_files_that_are_right(folder: Path) -> None:
    assert files.findings(write(folder, PLAIN, SECRETS), {}) == []


def test_the_mapping_is_looked_at_though_settings_are_wrong(folder: Path) -> None:
    town = folder / "town.toml"
    town.write_text(town.read_text(encoding="utf-8").replace('"PRV"', '"prv"'), encoding="utf-8")
    found = files.findings(write(folder, PLAIN.replace("8081", "0"), SECRETS), {})
    assert [(Path(f.file).name, f.key) for f in found] == [
        ("config.toml", "server.port"),
        ("town.toml", "channel.prefix"),
    ]
    assert all(isinstance(f, Finding) and f.line for f in found)


def test_files_without_settings(folder: Path) -> None:
    (finding,) = files.findings(folder / "absent.toml", {})
    assert "no such file" in finding.problem
