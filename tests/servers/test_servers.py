"""The servers are what the other tests take them for, and the rules of ``tests/conftest.py`` hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.trackers.helpdesk.support import KEYS as HELPDESK_KEYS
from tests.trackers.roundup.support import BOT, OFFICE, WORKS, staff

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.conftest import RedmineServer

CONFTEST = Path(__file__).parents[1] / "conftest.py"

SKIPPING = """
import pytest
@pytest.mark.skip(reason="the reason given")
def test_marked(): ...
def test_called():
    pytest.skip("the reason given")
"""
SKIPPING_MODULE = 'import pytest\npytest.skip("the reason given", allow_module_level=True)\n'
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"
NEEDS_SERVER = "def test_it(redmine): ...\n"
PASSING = "def test_it(): ...\n"


def run_pytest(folder: Path, test: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Pytest in a process of its own, with our conftest and one test file; no server is known to it."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_one.py").write_text(test + PASSING.replace("test_it", "test_passing"), encoding="utf-8")
    ours = ("CONNECTOR_", "REDMINE_", "RT_", "HELPDESK_", "ROUNDUP_", "PYTEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    inherited["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), str(folder)]
    return subprocess.run(
        command, cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("test", "failures"), [(SKIPPING, "1 failed, 1 passed, 1 error"), (SKIPPING_MODULE, "1 error")]
)
def test_a_skipped_test_fails_where_nothing_may_be_skipped(tmp_path: Path, test: str, failures: str) -> None:
    strict = run_pytest(tmp_path, test, CONNECTOR_NO_SKIPS="1")
    assert strict.returncode != 0
    assert failures in strict.stdout
    assert "the reason given" in strict.stdout
    relaxed = run_pytest(tmp_path, test)
    assert "failed" not in relaxed.stdout
    assert "skipped" in relaxed.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, EXPECTED_FAILURE, CONNECTOR_NO_SKIPS="1")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 xfailed" in done.stdout


def test_a_missing_server_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, NEEDS_SERVER)
    assert done.returncode != 0
    assert "REDMINE_FIXTURES is not set" in done.stdout
    assert "tests/servers/up" in done.stdout
    assert "1 passed, 1 error" in done.stdout


def get(url: str, key: str) -> Any:
    request = urllib.request.Request(url, headers={"X-Redmine-API-Key": key})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.real
def test_both_redmines_answer_to_every_seeded_account(redmine: RedmineServer) -> None:
    for url in (redmine.url, redmine.commonmark_url):
        for login, key in redmine.keys.items():
            user = get(f"{url}/users/current.json", key)["user"]
            assert user["login"] == login
            assert user["id"] == redmine.fixtures["users"][login]["id"]
        project = get(f"{url}/projects/{redmine.project}.json", redmine.api_key)["project"]
        assert project["id"] == redmine.fixtures["projects"][redmine.project]


@pytest.mark.real
def test_one_redmine_renders_textile_and_the_other_commonmark(redmine: RedmineServer) -> None:
    """The seeded wiki page starts with ``h1.``, a heading in Textile and plain words in CommonMark."""
    for url, expected in ((redmine.url, "<h1"), (redmine.commonmark_url, "h1. Atenció ciutadana")):
        request = urllib.request.Request(
            f"{url}/projects/{redmine.project}/wiki", headers={"X-Redmine-API-Key": redmine.api_key}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert expected in answer.read().decode("utf-8")


@pytest.mark.long
@pytest.mark.real
def test_request_tracker_lets_the_seeded_accounts_in(request_tracker: str) -> None:
    fixtures = json.loads(Path(os.environ["RT_FIXTURES"]).read_text(encoding="utf-8"))
    for login, user in fixtures["users"].items():
        request = urllib.request.Request(
            f"{request_tracker}/REST/2.0/user/{login}", headers={"Authorization": f"token {user['token']}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["id"] == user["id"]


@pytest.mark.long
@pytest.mark.real
def test_django_helpdesk_lets_the_seeded_accounts_in(helpdesk: str) -> None:
    for login, key in HELPDESK_KEYS.items():
        request = urllib.request.Request(
            f"{helpdesk}/api/tickets/", headers={"Authorization": f"Token {key}"}
        )
        if login == "operari.brigada":  # not marked as staff
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(request, timeout=30)
            continue
        with urllib.request.urlopen(request, timeout=30) as answer:
            seen = {ticket["queue"] for ticket in json.load(answer)["results"]}
        assert seen == ({1, 2, 3, 4, 5} if login in ("admin", "oac") else {1, 2, 3, 4})


@pytest.mark.long
@pytest.mark.real
def test_roundup_lets_the_seeded_accounts_in(roundup: str) -> None:
    for login in (BOT, OFFICE, WORKS):
        (found,) = staff(roundup, login).call("GET", "/user", params={"username:": login})["collection"]
        assert found["id"]


@pytest.mark.real
def test_postgres_keeps_any_text_and_lets_a_test_make_its_own_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert connection.execute("select 'plaça 🌳'").fetchone() == ("plaça 🌳",)
        right = connection.execute("select rolcreatedb from pg_roles where rolname = current_user")
        assert right.fetchone() == (True,)


@pytest.mark.real
@pytest.mark.browser
def test_chromium_runs_a_page(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("<p>1</p><script>document.querySelector('p').textContent += ' ✓'</script>")
    assert page.inner_text("p") == "1 ✓"
