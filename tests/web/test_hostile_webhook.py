"""Whatever is posted, and signed: never a 5xx, never a step that fails, and the books balance."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from connector.storage import books
from connector.wiring import Service
from tests import odd
from tests.fuzz import examples

from .test_webhook import SAMPLES, SECRET, envelope, message
from .test_webhook import service as _service

BODIES = [path.read_bytes() for path in sorted((SAMPLES / "webhooks").glob("*.json"))]
PEOPLE = sorted({f"346000000{n:02}" for n in range(1, 12)})
FUZZ = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))


class Stage:
    """A service whose steps are carried out when a test says so, an hour apart, with people who have accepted."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.web = TestClient(service.app)
        self.ahead = 0.0
        raw = service.store._writer.raw_connection()
        raw.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]  nothing here is about a power cut
        raw.close()
        service.worker.clock = lambda: time.time() + self.ahead
        for n, phone in enumerate(PEOPLE):
            hello = {**message(9000 + n, phone), "text": {"body": "Hola"}}
            yes = {
                **message(9100 + n, phone),
                "type": "interactive",
                "interactive": {"button_reply": {"id": "consent:yes"}},
            }
            assert self.post(envelope([hello, yes])) == 200
        self.work()

    def post(self, body: bytes, signed: bool = True, **headers: str) -> int:
        if signed:
            headers["X-Hub-Signature-256"] = (
                "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            )
        return self.web.post("/webhook/whatsapp", content=body, headers=headers).status_code

    def work(self) -> None:
        """Carry out every step there is, also those that wait for an alarm."""
        for _ in range(3):
            while self.service.store.write_now(self.service.worker._batch):
                pass
            self.ahead += 3600

    def stumbled(self) -> list[Any]:
        sql = "SELECT kind, error FROM work WHERE error IS NOT NULL OR outcome = 'failed'"
        return list(self.service.store.read_now(lambda c: c.exec_driver_sql(sql).all()))

    def whole(self, body: bytes) -> None:
        """Post it and do all that follows."""
        assert self.post(body) == 200
        self.work()
        assert self.stumbled() == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = _service.__wrapped__(tmp_path_factory.mktemp("hostile"))  # type: ignore[attr-defined]
    stage = Stage(next(made))
    yield stage
    found = stage.service.store.read_now(books.balance)
    assert found.unexplained == [] and found.received == found.inbound.total() > len(PEOPLE)
    stage.service.store.close()


@given(st.sampled_from(BODIES), odd.changes(1, 12) | odd.changes(4, 12))
@FUZZ
def test_notifications_with_values_of_any_type(stage: Stage, body: bytes, changes: list[odd.Change]) -> None:
    stage.whole(odd.bent(body, changes))


JSON = st.recursive(odd.VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["object", "entry", "changes", "value", "field", "messages", "statuses", "contacts", "metadata", "id", "type", "text"]), inner, max_size=4
), max_leaves=12)  # fmt: skip


@given(JSON)
@example({"entry": [{"changes": [{"field": "messages", "value": {"messages": [[]]}}]}]})
@FUZZ
def test_json_of_any_form(stage: Stage, value: Any) -> None:
    stage.whole(json.dumps(value).encode("utf-8", "surrogatepass"))


TEXT = json.dumps(message(1)).encode()
RAW = {
    "nothing": b"",
    "utf-16": envelope([message(2)]).decode().encode("utf-16"),
    "a bom": b"\xef\xbb\xbf" + envelope([message(3)]),
    "invalid utf-8": envelope([message(4)]).replace(b"m4", b"m\xff\xfe4"),
    "nul": envelope([message(5)]).replace(b'"m5"', b'"m\\u00005"'),
    "a lone surrogate": envelope([message(6)]).replace(b'"m6"', b'"m\\ud8006"'),
    "keys twice": envelope([message(7)]).replace(b'"type"', b'"id": {}, "id": "wamid.TEST7", "type"'),
    "a number without an end": envelope([message(8)]).replace(b'"1795426800"', b"9" * 300_000),
    "an exponent": envelope([message(9)]).replace(b'"1795426800"', b"1e999999999"),
    "nested": b"[" * 1_000_000,
    "nested objects": b'{"entry":' * 100_000,
    "nested in a value": envelope([{**message(10), "x": 0}]).replace(b'"x": 0', b'"x": ' + b"[" * 500 + b"]" * 500),
    "folded": gzip.compress(envelope([message(11)])),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_bytes_of_any_kind(stage: Stage, name: str) -> None:
    assert stage.post(RAW[name], **({"Content-Encoding": "gzip"} if name == "folded" else {})) == 200
    stage.work()
    assert stage.stumbled() == []


@given(st.binary(max_size=200))
@FUZZ
def test_any_bytes(stage: Stage, body: bytes) -> None:
    assert stage.post(body) == 200
    assert stage.post(body, signed=False) == 401


@given(st.text(max_size=90) | st.binary(max_size=90).map(lambda raw: raw.decode("latin-1")))
@FUZZ
def test_any_signature(stage: Stage, signature: str) -> None:
    raw = signature.encode("latin-1", "replace").translate(None, b"\r\n\x00")
    answer = stage.web.post("/webhook/whatsapp", content=TEXT, headers=[(b"X-Hub-Signature-256", raw)])  # type: ignore[arg-type]
    assert answer.status_code == 401
    pushed = stage.web.post("/webhook/tracker", content=TEXT, headers=[(b"X-Redmine-Signature-256", raw)])  # type: ignore[arg-type]
    assert pushed.status_code == 401


def test_a_body_in_pieces_without_its_length(stage: Stage) -> None:
    body = envelope([message(12)])
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    pieces = (body[n : n + 7] for n in range(0, len(body), 7))
    assert (
        stage.web.post(
            "/webhook/whatsapp", content=pieces, headers={"X-Hub-Signature-256": signature}
        ).status_code
        == 200
    )
    endless = (b"x" * 65536 for _ in range(1000))
    assert stage.web.post("/webhook/whatsapp", content=endless).status_code == 413


def test_replayed_days_later_and_in_another_order_nothing_happens_again(stage: Stage) -> None:
    bodies = [envelope([message(n, PEOPLE[n % 3])]) for n in range(100, 130)]
    for body in bodies:
        stage.whole(body)
    states = stage.service.store.read_now(lambda c: c.exec_driver_sql("SELECT id, state FROM person").all())
    rows = stage.service.store.read_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM work").scalar())
    stage.ahead += 3 * 86_400
    for body in reversed(bodies):
        stage.whole(body)
    assert (
        stage.service.store.read_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM work").scalar())
        == rows
    )
    assert (
        stage.service.store.read_now(lambda c: c.exec_driver_sql("SELECT id, state FROM person").all())
        == states
    )
