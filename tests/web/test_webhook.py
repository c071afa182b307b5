"""Accepted is kept: 200 only after everything is on disk, whatever arrives, once each."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from connector import mapping
from connector.config.settings import Privacy, Settings, Tracker, WhatsApp
from connector.core.errors import NotKept
from connector.storage import pauses, work
from connector.wiring import Municipality, Service

SAMPLES = Path(__file__).resolve().parents[1] / "whatsapp" / "contract_data" / "samples"
MAPPING = Path(__file__).resolve().parents[2] / "mappings" / "sant-cebria.toml"
SECRET = "app-secret-of-the-tests"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(
        mapping=MAPPING,
        database=f"sqlite:///{tmp_path / 'c.db'}",  # type: ignore[arg-type]
        whatsapp=WhatsApp(
            api_url="http://127.0.0.1:9",
            phone_number_id="100000000000001",
            business_account_id="200000000000001",
            access_token="token",  # type: ignore[arg-type]
            app_secret=SECRET,  # type: ignore[arg-type]
            verify_token="verify-me",  # type: ignore[arg-type]
        ),
        tracker=Tracker(url="http://127.0.0.1:9", api_key="key", webhook_secret="push"),  # type: ignore[arg-type]
        privacy=Privacy(key="a-key-of-the-tests-with-forty-characters"),  # type: ignore[arg-type]
    )
    made = Service([Municipality("sant-cebria", settings, mapping.load(MAPPING))])
    yield made
    made.store.close()


@pytest.fixture
def web(service: Service) -> TestClient:
    # without its lifespan: nothing is carried out, what was accepted stays to be counted
    return TestClient(service.app)


def post(web: TestClient, body: bytes, signature: str | None = "right") -> int:
    headers = {}
    if signature == "right":
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    return web.post("/webhook/whatsapp", content=body, headers=headers).status_code


def count(service: Service, kind: str = "%") -> int:
    sql = f"SELECT count(*) FROM work WHERE kind LIKE '{kind}'"
    return int(service.store.read_now(lambda c: c.exec_driver_sql(sql).scalar()))


def message(n: int, phone: str = "34600000001") -> dict[str, Any]:
    return {
        "from": phone,
        "id": f"wamid.TEST{n}",
        "timestamp": "1795426800",
        "type": "text",
        "text": {"body": f"m{n}"},
    }


def envelope(messages: list[dict[str, Any]], channel: str = "100000000000001") -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": channel}, "messages": messages}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def test_the_handshake(web: TestClient) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "12345", "hub.verify_token": "verify-me"}
    answer = web.get("/webhook/whatsapp", params=query)
    assert (answer.status_code, answer.text) == (200, "12345")
    wrong = web.get("/webhook/whatsapp", params={**query, "hub.verify_token": "no"})
    assert wrong.status_code == 403 and "12345" not in wrong.text


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "sha256=é"])
def test_without_the_right_signature_nothing_is_kept(
    web: TestClient, service: Service, signature: str | None
) -> None:
    body = envelope([message(1)])
    headers = {} if signature is None else {"X-Hub-Signature-256": signature.encode()}
    answer = web.post("/webhook/whatsapp", content=body, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401 and count(service) == 0


def test_too_large_is_refused_while_reading(web: TestClient, service: Service) -> None:
    assert post(web, b"x" * (4_194_304 + 1)) == 413
    assert count(service) == 0


def test_what_cannot_be_stored_is_not_accepted(web: TestClient, service: Service) -> None:
    service.store.close()
    assert post(web, envelope([message(1)])) == 500


@pytest.mark.timeout(30)
def test_a_database_that_cannot_even_begin_holds_up_nobody_afterwards(
    web: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(job: Any) -> Any:
        raise NotKept("the database cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(service.store, "write", away)
        assert post(web, envelope([message(1)])) == 500
    assert post(web, envelope([message(1)])) == 200


def test_every_sample_shuffled_and_doubled_is_kept_once(web: TestClient, service: Service) -> None:
    bodies = [p.read_bytes() for p in sorted((SAMPLES / "webhooks").glob("*.json"))]
    assert len(bodies) == 75
    wamids = set()
    for body in bodies:
        for entry in json.loads(body)["entry"]:
            for change in entry["changes"]:
                wamids |= {m["id"] for m in change["value"].get("messages", ())}
    twice = bodies * 2
    random.Random(7).shuffle(twice)
    assert {post(web, body) for body in twice} == {200}
    sql = "SELECT count(*) FROM work WHERE key LIKE 'in:%'"
    assert service.store.read_now(lambda c: c.exec_driver_sql(sql).scalar()) == len(wamids)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"entry": 7}', b"\xff\xfe", b'{"entry":[{"changes":[{}]}]}']
)
def test_what_nobody_understands_is_accepted(web: TestClient, body: bytes) -> None:
    assert post(web, body) == 200


def test_a_batch_of_a_thousand(web: TestClient, service: Service) -> None:
    messages = [message(n, f"346000{n % 50:05}") for n in range(1000)]
    assert post(web, envelope(messages)) == 200
    assert count(service, "inbound") == 1000


def test_a_message_for_another_number_is_kept_and_not_answered(web: TestClient, service: Service) -> None:
    assert post(web, envelope([message(1)], channel="999")) == 200
    assert (count(service, "notice"), count(service, "inbound")) == (1, 0)


def test_the_trackers_push_needs_its_secret(web: TestClient, service: Service) -> None:
    body = b'{"type":"issue.updated"}'
    good = hmac.new(b"push", body, hashlib.sha256).hexdigest()

    def send(signature: str) -> int:
        headers = {"X-Redmine-Signature-256": signature}
        return web.post("/webhook/tracker", content=body, headers=headers).status_code

    assert [send(f"sha256={good}"), send("sha256=" + "0" * 64), send("")] == [202, 401, 401]
    assert count(service, "poll") == 1


@pytest.mark.parametrize(
    ("query", "code"), [("?secret=push", 202), ("?secret=pus", 401), ("?secret=", 401), ("", 401)]
)
def test_a_tracker_that_cannot_sign_names_the_secret_in_the_address(
    web: TestClient, service: Service, query: str, code: int
) -> None:
    body = b'{"ticket": {"id": 4711, "status": 4}, "followup_id": 1}'
    assert web.post(f"/webhook/tracker{query}", content=body).status_code == code
    assert count(service, "poll") == (code == 202)


def test_health_and_metrics(web: TestClient) -> None:
    assert web.get("/health/live").status_code == 200
    ready = web.get("/health/ready")
    assert ready.status_code == 503 and "workers" in ready.json()["reason"]
    assert "connector_webhooks_total" in web.get("/metrics").text


def test_ready_names_what_is_paused_and_counts_what_failed(web: TestClient, service: Service) -> None:
    def play(connection: Any) -> None:
        pauses.begin(
            connection,
            "sant-cebria",
            "whatsapp",
            "the token has expired",
            1_795_426_800,
            (15, 900),
            "refused",
        )
        town = next(iter(service.towns.values()))
        town.put(connection, lane="x", kind="send", payload={}, now=1)
        (row,) = work.claim(connection, service.store.sealer, kinds=["send"], now=2, lease=9, limit=1)
        work.fail(connection, row, "refused", 3)

    service.store.write_now(play)
    service.worker.alive = True
    ready = web.get("/health/ready")
    assert ready.status_code == 200 and ready.json()["failed"] == {"send": 1}
    (paused,) = ready.json()["paused"]
    assert (paused["destination"], paused["reason"]) == ("whatsapp", "the token has expired")


def test_ready_says_when_the_database_is_away(web: TestClient, service: Service) -> None:
    service.worker.alive = True
    service.store.close()
    ready = web.get("/health/ready")
    assert ready.status_code == 503 and "database" in ready.json()["reason"]
