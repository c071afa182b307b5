"""The operations page: who gets in, what a form needs, what it does; and that it shows no citizen."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from connector import config
from connector.storage import pauses
from connector.web.ops.words import LANGUAGES, asked_for
from connector.wiring import Service
from connector.worker import ERRANDS, STEPS

from .ops_stage import MAPPING, PASSWORD, fill, service

TEXTS = Path(__file__).resolve().parents[2] / "connector" / "web" / "ops" / "texts"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Service]:
    made = service(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def web(made: Service) -> TestClient:
    return browser(made)


def browser(made: Service, host: str = "127.0.0.1", base: str = "http://testserver") -> TestClient:
    return TestClient(made.app, base_url=base, client=(host, 50000), headers={"Accept-Language": "en"})


def token(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert found, page
    return found.group(1)


def log_in(web: TestClient, password: str = PASSWORD) -> str:
    """The page that comes of it."""
    form = {"token": token(web.get("/ops/login").text), "password": password}
    return web.post("/ops/login", data=form).text


def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    made = service(tmp_path, password="")
    assert browser(made).get("/ops").status_code == 404
    made.store.close()


def test_nobody_sees_anything_without_the_password(made: Service, web: TestClient) -> None:
    failed = fill(made)
    for path in ("/ops", f"/ops/failed/{failed[0]}/drop"):
        answer = web.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/login")
    for path in ("/ops/logout", f"/ops/failed/{failed[0]}/retry", f"/ops/failed/{failed[0]}/drop"):
        assert web.post(path, data={"token": "x"}, follow_redirects=False).status_code == 303
    assert "Log in" in log_in(web, "wrong password")
    assert 'role="alert"' in log_in(web, "")
    assert "How everything stands" in log_in(web)
    assert (
        len(
            made.store.read_now(
                lambda c: c.exec_driver_sql("SELECT id FROM work WHERE outcome = 'failed'").all()
            )
        )
        == 3
    )


def test_what_is_shown_names_no_citizen_and_runs_nothing(made: Service, web: TestClient) -> None:
    fill(made)
    page = log_in(web)
    for words in ("Failed for good", "create the ticket", "SCV-7K3F-9Q", "Template resposta_disponible (es)", "paused",
                  "Tracker can&#39;t be blank", "2 new entries", "medium", "2K", "The tracker is neither"):  # fmt: skip
        assert words in page, words
    for secret in ("34600000001", "wamid.ABC", "fanal de la Maria", "<script", "<img src=x", PASSWORD):
        assert secret not in page, secret
    assert "&lt;script&gt;" in page, "it is shown as it is"
    headers = web.get("/ops").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"] and headers["cache-control"] == "no-store"
    assert "style=" not in page and "<style" not in page


def test_a_failed_row_is_put_back_or_dropped_after_a_question(made: Service, web: TestClient) -> None:
    first, second, _ = fill(made)
    form = {"token": token(log_in(web))}
    answer = web.post(f"/ops/failed/{first}/retry", data=form)
    assert "put back to work" in answer.text
    outcome = "SELECT outcome, ended_at IS NULL, payload IS NULL FROM work WHERE id = {}"
    state = lambda row: tuple(made.store.read_now(lambda c: c.exec_driver_sql(outcome.format(row)).one()))  # noqa: E731
    assert state(first) == (None, 1, 0)
    question = web.get(f"/ops/failed/{second}/drop").text
    assert f"Drop work {second}?" in question and state(second) == ("failed", 0, 0)
    answer = web.post(f"/ops/failed/{second}/drop", data={"token": token(question)})
    assert "It was dropped" in answer.text and state(second) == ("dropped by operator", 0, 1)
    assert "somebody else" in web.post(f"/ops/failed/{second}/drop", data=form).text
    assert "somebody else" in web.get(f"/ops/failed/{second}/drop").text


def test_a_form_from_elsewhere_does_nothing(made: Service, web: TestClient) -> None:
    first, *_ = fill(made)
    log_in(web)
    other = browser(made)
    foreign = token(other.get("/ops/login").text)
    for form in ({}, {"token": ""}, {"token": foreign}, {"token": "x" * 5000}):
        assert web.post(f"/ops/failed/{first}/retry", data=form).status_code == 403
        assert web.post("/ops/logout", data=form).status_code == 403
    assert web.get("/ops").status_code == 200, "still logged in"
    answer = other.post("/ops/login", data={"token": "", "password": PASSWORD})
    assert answer.status_code == 403 and "expired" in answer.text


def test_cookies_are_signed_change_at_login_and_end_together(made: Service, web: TestClient) -> None:
    web.get("/ops/login")
    before = web.cookies["connector_ops"]
    header = web.get("/ops/login").headers["set-cookie"].lower()
    assert "httponly" in header and "samesite=strict" in header and "path=/ops" in header
    assert "secure" not in header, "plain http on this machine"
    log_in(web)
    cookie = web.cookies["connector_ops"]
    assert cookie != before and cookie.startswith("in.")
    for forged in (
        cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        before.replace("before.", "in.", 1),
        "in.1.x.y",
        "é",
        "in",
    ):
        thief = browser(made)
        thief.cookies.set("connector_ops", forged.encode("ascii", "replace").decode(), path="/ops")
        assert thief.get("/ops", follow_redirects=False).status_code == 303
    copy = browser(made)
    copy.cookies.set("connector_ops", cookie, path="/ops")
    assert copy.get("/ops", follow_redirects=False).status_code == 200
    web.post("/ops/logout", data={"token": token(web.get("/ops").text)})
    assert copy.get("/ops", follow_redirects=False).status_code == 303, "a copied cookie is worthless now"


def test_a_login_ends_by_itself_and_with_another_password(made: Service, tmp_path: Path) -> None:
    log_in(web := browser(made))
    assert made.ops is not None
    sessions = made.ops.sessions
    real, sessions.clock = sessions.clock, lambda: real() + 8 * 3600
    assert web.get("/ops", follow_redirects=False).status_code == 303
    sessions.clock = real
    assert web.get("/ops", follow_redirects=False).status_code == 200
    cookie = web.cookies["connector_ops"]
    made.store.close()
    other = service(tmp_path, password="another password it is")
    again = browser(other)
    again.cookies.set("connector_ops", cookie, path="/ops")
    assert again.get("/ops", follow_redirects=False).status_code == 303
    other.store.close()
    same = service(tmp_path)
    again = browser(same)
    again.cookies.set("connector_ops", cookie, path="/ops")
    assert again.get("/ops", follow_redirects=False).status_code == 200, "a restart ends no login"
    same.store.close()


def test_who_guesses_is_slowed_down(made: Service) -> None:
    web = browser(made)
    for _ in range(5):
        assert "That is not the password" in log_in(web, "guess number one")
    answer = web.post("/ops/login", data={"token": token(web.get("/ops/login").text), "password": PASSWORD})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert "How everything stands" in log_in(browser(made, "::1")), "somebody else is not"


def test_only_on_this_machine_or_over_https(made: Service) -> None:
    answer = browser(made, "192.0.2.7").get("/ops/login")
    assert answer.status_code == 403 and "safe connection" in answer.text and "password" not in answer.cookies
    assert browser(made, "192.0.2.7").post("/ops/login", data={"password": PASSWORD}).status_code == 403
    safe = browser(made, "192.0.2.7", "https://testserver")
    assert "secure" in safe.get("/ops/login").headers["set-cookie"].lower()
    assert "How everything stands" in log_in(safe)


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "ca"), ("de", "ca"), ("es-MX,en;q=0.3", "es"), ("en;q=0.2, ca;q=0.9", "ca"), ("fr,en-GB;q=0.5,*;q=0.1", "en"),
     ("en;q=0", "ca"), ("en;q=x,es;q=0.1", "es"), (";;,,=", "ca")],
)  # fmt: skip
def test_the_language_is_the_browsers(header: str, language: str) -> None:
    assert asked_for(header).language == language


def test_every_language_has_every_text_and_every_kind_of_work_a_name() -> None:
    tables = {code: tomllib.loads((TEXTS / f"{code}.toml").read_text(encoding="utf-8")) for code in LANGUAGES}
    gaps = re.compile(r"\{\w+\}")
    for code, texts in tables.items():
        assert list(texts) == list(tables["ca"]), f"{code}.toml has the keys of ca.toml in their order"
        for key, words in texts.items():
            assert words.strip() and sorted(gaps.findall(words)) == sorted(gaps.findall(tables["ca"][key])), (
                code,
                key,
            )
    kinds = {*STEPS, *(kind for errands in ERRANDS.values() for kind in errands)}
    named = {key.removeprefix("kind.") for key in tables["ca"] if key.startswith("kind.")}
    assert kinds == named, "give a new kind of work a name in connector/web/ops/texts/"


def test_check_asks_for_the_password_of_a_page_that_is_on(tmp_path: Path) -> None:
    example = (TEXTS.parents[3] / "config.example.toml").read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(example.replace("ops = false", "ops = true"), encoding="utf-8")
    filled = {f"CONNECTOR_{name}": value for name, value in (
        ("MAPPING", str(MAPPING)), ("WHATSAPP__PHONE_NUMBER_ID", "1"), ("WHATSAPP__BUSINESS_ACCOUNT_ID", "2"),
        ("WHATSAPP__ACCESS_TOKEN", "t"), ("WHATSAPP__APP_SECRET", "s"), ("WHATSAPP__VERIFY_TOKEN", "v"),
        ("TRACKER__URL", "https://tiquets.exemple.cat"), ("TRACKER__API_KEY", "k"), ("PRIVACY__KEY", "k" * 40),
    )}  # fmt: skip
    (missing,) = config.read(tmp_path / "config.toml", filled)[1]
    assert missing.key == "server.ops_password" and missing.line and "/ops asks for it" in missing.problem
    (short,) = config.read(tmp_path / "config.toml", filled | {"CONNECTOR_SERVER__OPS_PASSWORD": "short"})[1]
    assert "OPS_PASSWORD" in short.key and "12 characters" in short.problem and "short" not in str(short)
    assert (
        config.read(tmp_path / "config.toml", filled | {"CONNECTOR_SERVER__OPS_PASSWORD": PASSWORD})[1] == []
    )


def test_a_refused_mapping_is_an_alarm(made: Service, web: TestClient) -> None:
    log_in(web)
    (town,) = made.towns
    made.store.write_now(
        lambda c: pauses.refuse(c, town, "mapping", "town.toml:3:1: channel.prefix: wrong", time.time())
    )
    page = web.get("/ops").text
    assert "the former one stays in use" in page and "town.toml:3:1: channel.prefix" in page
