"""What all tests share: the servers ``tests/servers/up`` started, a browser, free ports, and no silent skips.

A test that needs a server is marked ``real`` (and ``browser`` where it needs Chromium) and takes the server's
fixture. Where the server is missing the test is an error with the command that starts it, never skipped.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import shutil
import socket
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine
from xdist.scheduler import LoadScopeScheduling

from connector.storage import migrate, store
from tests.gate import marks

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.register_assert_rewrite("tests.trackers.contract")

# The gate gives the same answer to the same code; FUZZ=1 looks where nobody looked yet.
# Neither judges the speed of the machine.
_UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("gate", derandomize=True, **_UNHURRIED)
settings.register_profile("fuzz", print_blob=True, **_UNHURRIED)
settings.load_profile("fuzz" if os.environ.get("FUZZ") else "gate")

# A commit is on a disk before anything is promised, thousands of times in these tests, which kill programs and never the
# machine: where there is a disk in memory and room on it, that one will do. --basetemp chooses another place.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# What tests make is dropped soon, or kept until the end: looking through all of it again and again takes a tenth of the time.
gc.set_threshold(100_000, 50, 100)

START_SERVERS = 'start the servers first: eval "$(tests/servers/up)", or run `make test-real`'


def server_setting(name: str) -> str:
    """An environment variable that ``tests/servers/up`` exports; without it the test is an error."""
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set: {START_SERVERS}", pytrace=False)
    return value


@dataclass(frozen=True, slots=True)
class RedmineServer:
    """A running, seeded Redmine; what is in it is written in ``tests/servers/seed.rb``."""

    url: str
    """With Textile, as Redmine up to 5.0 has it by default."""
    commonmark_url: str
    """A second instance with the same seed, keys and ids, set to CommonMark (default from Redmine 5.1); on
    PostgreSQL, which large towns use, where the first is on SQLite."""
    commonmark_database_url: str
    """``postgresql://…`` of the second one's database."""
    project: str
    """Identifier of the project the bot is a member of."""
    keys: dict[str, str]
    """API key by login: ``admin``, ``oac``, ``whatsapp-bot``, ``alcalde``, ``regidor.centre`` …"""
    fixtures: dict[str, Any]
    """Ids by kind and name: ``fixtures["trackers"]["Incidència"]``, ``fixtures["users"]["oac"]["id"]``."""

    @property
    def api_key(self) -> str:
        """The bot's key: the account the connector uses."""
        return self.keys["whatsapp-bot"]


@pytest.fixture(scope="session", autouse=True)
def _schema_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty SQLite database gets the schema in one script, of what the migrations made once; tests/storage plays them."""

    @cache
    def script() -> str:
        made = create_engine(f"sqlite:///{tmp_path_factory.mktemp('schema') / 'empty.db'}")
        migrate.upgrade(made)
        with made.connect() as connection:
            driver: Any = connection.connection.driver_connection
            return "\n".join(driver.iterdump())

    def upgrade(engine: Engine) -> None:
        if engine.dialect.name == "sqlite" and migrate.revision(engine) is None:
            with contextlib.closing(engine.raw_connection()) as connection:
                connection.executescript(script())  # type: ignore[attr-defined]
        else:
            migrate.upgrade(engine)

    with mock.patch.object(store, "upgrade", upgrade):
        yield


@pytest.fixture(scope="session")
def redmine() -> RedmineServer:
    """The real Redmine. All tests share it and none resets it, so a test looks only at tickets it made."""
    fixtures = json.loads(Path(server_setting("REDMINE_FIXTURES")).read_text(encoding="utf-8"))
    return RedmineServer(
        url=server_setting("REDMINE_URL"),
        commonmark_url=server_setting("REDMINE_COMMONMARK_URL"),
        commonmark_database_url=server_setting("REDMINE_COMMONMARK_DATABASE_URL"),
        project=server_setting("REDMINE_PROJECT"),
        keys={login: user["api_key"] for login, user in fixtures["users"].items()},
        fixtures=fixtures,
    )


@pytest.fixture(scope="session")
def request_tracker() -> str:
    """Address of the real Request Tracker; what is in it is written in ``tests/servers/rt-seed.pl``. All tests share it
    and none resets it."""
    return server_setting("RT_URL")


@pytest.fixture(scope="session")
def helpdesk() -> str:
    """Address of the real django-helpdesk; what is in it is written in ``tests/servers/helpdesk/desk_seed.py``. All tests
    share it and none resets it."""
    return server_setting("HELPDESK_URL")


@pytest.fixture(scope="session")
def roundup() -> str:
    """Address of the real Roundup; what is in it is written in ``tests/servers/roundup/seed.py``. All tests share it and
    none resets it."""
    return server_setting("ROUNDUP_URL")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """``postgresql://…`` of a shared database; its user may create others: a test makes one of its own."""
    return server_setting("DATABASE_URL")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright's synchronous API.

    Playwright keeps an event loop running in this thread as long as the browser lives, so a module that uses
    it holds no asynchronous tests; that is why it lives for one module and not for the session.
    """
    from playwright.sync_api import sync_playwright

    executable = server_setting("CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--headless=new",
                "--no-sandbox",  # CI runs as root, where Chromium's sandbox cannot start
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def free_port() -> int:
    """A loopback TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


SHARES = {
    "tests/sim/test_sim.py": 2,
    "tests/faults/test_campaign.py": 2,
}
"""Files whose tests take long, and how many processes may share them. What the tests of another file share
is made once, in one process."""


BY_TRACKER = "tests/e2e/test_main_job.py"
"""What its tests share is made once for each tracker: each may have a process of its own."""
LONGEST = (
    "tests/faults/",
    BY_TRACKER,
    "tests/crashes/",
    "tests/e2e/",
    "tests/sim/",
    "tests/jobs/",
)
"""What begins first, so that nothing long is left for the end, when the other processes have nothing to do."""


class _Sharing(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        tracker = re.search(r"\[([a-z]+)", nodeid) if file == BY_TRACKER else None
        return f"{file}#{tracker[1] if tracker else zlib.crc32(nodeid.encode()) % SHARES.get(file, 1)}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in marks(item.nodeid):
            item.add_marker(mark)

    def rank(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Sharing(config, log)


# With CONNECTOR_NO_SKIPS=1 (`make test-real`) everything a test could need is installed, so a skipped test is
# one that only looks as if it ran: it counts as failed. An expected failure (xfail) does not.


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CONNECTOR_NO_SKIPS") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here (CONNECTOR_NO_SKIPS=1). {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
