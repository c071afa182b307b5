"""A new key while the real program runs and people write to it, killed in the middle; and no start without the key."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector import config, wiring
from connector.cli import app
from connector.commands import key as rotation
from connector.commands import status
from connector.core.errors import Misconfigured
from connector.storage import resealing
from connector.storage.store import Store
from connector.toolkit.privacy import Sealer, WrongKey
from tests.databases import BOTH, database

from .way import ROOT, Phone, Way, configure, ids, port, until, way

KEY = "a-key-of-the-tests-with-forty-characters"


def connector(parts: Way, *words: str, crash: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connector", *words, "--config", str(parts.folder / "config.toml")]
    env = {**os.environ, **({"CONNECTOR_CRASH": crash} if crash else {})}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )


@dataclass
class Traffic:
    """People who write all the time; each message must be taken in."""

    parts: Way
    phones: list[Phone] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self) -> None:
        n = 0
        while not self.stop.is_set() and n < 400:
            n += 1
            phone = self.parts.phone(f"Persona {n}", f"34600{500_000 + n}")
            self.phones.append(phone)
            phone.type("Hola")
            phone.type("accepto")
            phone.type("alcaldia")
            phone.photo(b"\x89PNG" + bytes(2000), f"foto {n}")
            self.stop.wait(0.1)

    def end(self) -> None:
        self.stop.set()
        assert self.thread is not None
        self.thread.join()


@pytest.fixture(params=BOTH)
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with database(request.param, tmp_path) as url, way(tmp_path, database=url) as running:
        yield running


@pytest.fixture
def traffic(parts: Way) -> Iterator[Traffic]:
    """More of it than one batch of a rotation holds, and no end of it."""
    made = Traffic(parts)
    made.start()
    until("a little is there", lambda: len(made.phones) > 10)
    yield made
    made.end()


def settings_of(parts: Way) -> tuple[str, list[str]]:
    settings = config.load(parts.folder / "config.toml")
    return settings.database_url, settings.privacy.key.get_secret_value().split(",")


@pytest.mark.long
@pytest.mark.timeout(240)
def test_everything_is_under_the_new_key_and_nobody_noticed(parts: Way, traffic: Traffic) -> None:
    place = parts.folder / "config.toml"
    killed = connector(parts, "key", "rotate", "--yes", crash="key.written")
    assert killed.returncode == -9, killed
    url, (new, old) = settings_of(parts)
    assert old == KEY and place.stat().st_mode & 0o777 == 0o600
    killed = connector(parts, "key", "rotate", "--yes", crash="key.batch:2")
    assert killed.returncode == -9 and "SIGKILL at crash point key.batch" in killed.stderr, killed
    assert settings_of(parts)[1] == [new, old], "what was interrupted goes on with the same key"
    with pytest.raises(WrongKey):
        Store(url, Sealer(new), migrate=False)
    with pytest.raises(Misconfigured, match="still need the old key"):
        rotation.finish(place)
    done = CliRunner().invoke(app, ["key", "rotate", "--yes", "--config", str(place)])
    assert done.exit_code == 0 and "everything is under the new key" in done.stdout, done
    finished = CliRunner().invoke(app, ["key", "rotate", "--finish", "--config", str(place)])
    assert finished.exit_code == 0 and settings_of(parts)[1] == [new], finished
    assert not any(key in done.output + finished.output for key in (new, old))
    until(
        "the service takes it up",
        lambda: parts.connector.log.read_text().count("privacy.key was changed") == 2,
    )
    later = len(traffic.phones)
    until("and people go on writing", lambda: len(traffic.phones) > later + 3)
    traffic.end()

    def answered() -> bool:
        return all(any("menu:mayor" in ids(m) for m in phone.messages()) for phone in traffic.phones)

    until("everybody got their menu", answered)
    until("nothing is on its way", lambda: not status.ledger(place).waiting)
    books = status.ledger(place)
    assert books.balanced and books.received == 4 * len(traffic.phones), "nothing is lost"
    alone = Store(url, Sealer(new), migrate=False)
    assert resealing.left(alone) == 0
    assert not any(batch.unreadable for batch in resealing.reseal(alone)), "nothing is under the old key"
    alone.close()
    log = parts.connector.log.read_text()
    assert not any(word in log for word in ("another key", "step failed", new, old))


@pytest.mark.parametrize(
    ("key", "said"), [("", "privacy.key: is missing"), ("f" * 40, "encrypted with another key")]
)
def test_without_the_key_the_program_does_not_start(tmp_path: Path, key: str, said: str) -> None:
    secret = dict.fromkeys(("app_secret", "token", "verify"), "x" * 20)
    place = configure(
        tmp_path, port=port(), meta="http://127.0.0.1:1", redmine="http://127.0.0.1:1", **secret
    )
    wiring.open_store(config.load(place)).close()
    place.write_text(place.read_text(encoding="utf-8").replace(KEY, key), encoding="utf-8")
    command = [sys.executable, "-m", "connector", "run", "--config", str(place)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1 and said in refused.stdout, refused
