"""A backup made while messages arrive, restored into an empty place: the service goes on from there.

The scripts are those of ``deploy/backup``. Between the backup and its restoring a ticket is created that the backup
does not know of: it is found and not created again.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.storage import work
from connector.storage.store import Connection, Store
from connector.toolkit.privacy import Sealer
from tests.databases import database

from .test_operators import connector as command_line
from .way import ROOT, Phone, Process, Way, configure, ids, mapping, port, reference_in, until, words

pytestmark = pytest.mark.real
SCRIPTS = ROOT / "deploy" / "backup"
PEOPLE = 25


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(
        [SCRIPTS / name, *arguments], capture_output=True, text=True, timeout=120, check=False, env=env
    )


@dataclass
class Town:
    """All parts, and where their data is."""

    parts: Way
    tracker: Process
    stack: ExitStack
    kind: str
    place: str
    """What the scripts call the database: a file, or an address."""

    def elsewhere(self) -> None:
        """Move the connector's configuration to an empty database."""
        before = (self.parts.folder / "config.toml").read_text(encoding="utf-8")
        folder = self.parts.folder / "new"
        folder.mkdir()
        url = self.stack.enter_context(database(self.kind, folder))
        self.place, before_place = _place(url), self.place
        old = f"sqlite:///{before_place}" if self.kind == "sqlite" else before_place
        assert f'database = "{old}"' in before
        changed = before.replace(f'database = "{old}"', f'database = "{url}"')
        (self.parts.folder / "config.toml").write_text(changed, encoding="utf-8")

    def written(self, number: str, text: str) -> Phone:
        """Somebody whose request is ready to be sent."""
        phone = self.parts.phone(f"Persona {number}", number)
        for choice in ("", "consent:yes", "menu:mayor"):
            phone.tap(choice) if choice else phone.type("Hola")
            phone.next()
        phone.type(text)
        assert "draft:send" in ids(phone.next())
        return phone


def _place(url: str) -> str:
    return url.removeprefix("sqlite:///") if url.startswith("sqlite") else url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    with _running(request.param, tmp_path) as running:
        yield running


@contextmanager
def _running(kind: str, folder: Path) -> Iterator[Town]:
    secret = {name: secrets.token_hex(12) for name in ("app_secret", "token", "verify")}
    meta, tracker, web = port(), port(), port()
    parts = [
        Process(
            "Meta's stand-in",
            [sys.executable, "-m", "connector.demo.meta", "--port", str(meta), "--webhook",
             f"http://127.0.0.1:{web}/webhook/whatsapp", "--app-secret", secret["app_secret"], "--access-token",
             secret["token"], "--verify-token", secret["verify"]],
            f"http://127.0.0.1:{meta}/_phone/people", folder / "meta.log",
        ),
        Process(
            "Redmine's stand-in", [sys.executable, "-m", "connector.demo.redmine", "--port", str(tracker)],
            f"http://127.0.0.1:{tracker}/issues.json", folder / "redmine.log",
        ),
    ]  # fmt: skip
    with ExitStack() as stack:
        url = stack.enter_context(database(kind, folder))
        config = configure(
            folder, port=web, meta=f"http://127.0.0.1:{meta}", redmine=f"http://127.0.0.1:{tracker}", database=url,
            mapping_file=mapping(folder), **secret,
        )  # fmt: skip
        service = Process(
            "the connector", [sys.executable, "-m", "tests.e2e.launch", str(config)],
            f"http://127.0.0.1:{web}/health/ready", folder / "connector.log",
        )  # fmt: skip
        for part in (*parts, service):
            stack.callback(part.stop)
            part.start()
        way = Way(
            f"http://127.0.0.1:{meta}",
            f"http://127.0.0.1:{tracker}",
            service,
            folder / "connector.db",
            folder,
        )
        yield Town(way, parts[1], stack, kind, _place(url))


def test_what_was_backed_up_while_messages_came_is_restored_and_goes_on(town: Town) -> None:
    parts, service = town.parts, town.parts.connector
    asked = town.written("34600008001", "Quan obre la piscina?")
    asked.tap("draft:send")
    reference = reference_in(asked.next())
    staff = parts.staff("oac")
    number = until("the ticket", lambda: staff.tickets(reference))[0]["id"]
    waits, begun = (
        town.written("34600008002", "Hi ha un forat al carrer"),
        town.written("34600008003", "Un banc trencat"),
    )

    # the tracker stands still, so that a request waits for it; and people write while the backup is made
    assert town.tracker.process is not None
    town.tracker.process.send_signal(signal.SIGSTOP)
    waits.tap("draft:send")
    phones = [parts.phone(f"Veí {n}", f"346000090{n:02}") for n in range(PEOPLE)]
    writing = threading.Thread(target=lambda: [phone.type("Hola") for phone in phones])
    writing.start()
    made = script("connector-backup", town.place, str(parts.folder / "backups"))
    writing.join()
    town.tracker.process.send_signal(signal.SIGCONT)
    assert made.returncode == 0, made.stderr
    backup = made.stdout.strip()
    raw = Path(backup).read_bytes()
    for secret in (b"34600008001", b"Quan obre", b"piscina", b"wamid."):
        assert secret not in raw, "a backup can be read without the key"

    late = reference_in(waits.next(90))
    until("a ticket that the backup does not know of", lambda: staff.tickets(late), 60)
    until("everybody is asked for consent", lambda: all(phone.messages() for phone in phones), 60)
    service.kill()
    town.elsewhere()

    restored = script("connector-restore", backup, town.place)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    again = script("connector-restore", backup, town.place)
    assert again.returncode == 1 and ("already" in again.stderr or "not empty" in again.stderr)
    staff.write(number, "Cada dia de deu a vuit.")
    service.start()
    assert "Cada dia de deu a vuit" in words(asked.next(60))
    begun.tap("draft:send")
    third = reference_in(begun.next(60))
    fresh = town.written("34600008004", "Gràcies!")
    fresh.tap("draft:send")
    fourth = reference_in(fresh.next(60))
    for one in (reference, late, third, fourth):
        found = until("the ticket", lambda one=one: staff.tickets(one), 60)  # type: ignore[misc]
        assert len(found) == 1, f"{len(found)} tickets for {one}"
    until("the books balance", lambda: command_line(parts, "status", "--ledger").returncode == 0, 60)
    assert len(staff.tickets(late)) == 1
    asked.none_more(0)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_may_have_been_done_since_is_looked_for_first(kind: str, tmp_path: Path) -> None:
    (there := tmp_path / "there").mkdir()
    sealer = Sealer("a-key-of-the-tests-with-forty-characters")
    with database(kind, tmp_path) as before, database(kind, there) as after:
        store = Store(before, sealer)

        def put(connection: Connection) -> None:
            for kind in ("create", "send"):
                work.put(connection, sealer, town="t", lane=kind, kind=kind, payload={}, now=1)
            work.claim(connection, sealer, kinds=["create"], now=2, lease=9e9, limit=1)

        store.write_now(put)
        made = script("connector-backup", _place(before), str(tmp_path / "b"))
        assert script("connector-restore", made.stdout.strip(), _place(after)).returncode == 0, made.stderr
        store.close()
        restored = Store(after, sealer)
        asked = "SELECT kind, tried_at IS NOT NULL, lease_until IS NULL FROM work ORDER BY id"
        rows = restored.read_now(lambda c: [tuple(r) for r in c.exec_driver_sql(asked)])
        assert rows == [("create", True, True), ("send", False, True)]
        restored.close()


def test_the_scripts_say_what_they_cannot_do(tmp_path: Path) -> None:
    assert script("connector-backup").returncode == 2
    nothing = script("connector-backup", str(tmp_path / "no.db"), str(tmp_path / "b"))
    assert nothing.returncode == 1 and "no database" in nothing.stderr
    nothing = script("connector-restore", str(tmp_path / "no.db"), str(tmp_path / "c.db"))
    assert nothing.returncode == 1 and "no backup" in nothing.stderr
    away = script("connector-backup", "postgresql://connector@127.0.0.1:1/x", str(tmp_path / "b"))
    assert away.returncode != 0 and not list((tmp_path / "b").iterdir())
