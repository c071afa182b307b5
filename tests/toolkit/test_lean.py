"""What a service does without, and that it still works."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e.way import ROOT

_UNWANTED = (
    "rich", "pygments", "click", "urllib3", "greenlet", "holidays.countries.albania", "sqlalchemy.dialects.postgresql.asyncpg",
)  # fmt: skip
_SHOW = f"print(*sorted(n for n in sys.modules if n in {_UNWANTED}))"


def loaded(code: str) -> str:
    """What is loaded of what should not be, in a process of its own that runs ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{_SHOW}"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import connector.toolkit.http, connector.toolkit.observe",
        "import connector.trackers.redmine",
        "import connector.cli",
        "import connector.config.settings, connector.storage.store, connector.toolkit.observe",
        "from connector.core.opening import regions\nassert 'CT' in regions('ES')",
    ],
)
def test_it_is_not_loaded(code: str) -> None:
    assert loaded(code) == ""


def test_whoever_wants_them_gets_them_afterwards() -> None:
    code = (
        "import connector.toolkit.observe, connector.trackers.redmine, connector.core.opening\n"
        "import rich.console, requests, holidays, greenlet\n"
        "from redminelib.engines import SyncEngine\n"
        "assert SyncEngine.create_session(timeout=3).timeout == 3\n"
        "assert requests.Session() and rich.console.Console()\n"
        "assert len(holidays.list_supported_countries()) > 200"
    )
    assert "urllib3" in loaded(code) and "rich" in loaded(code)
