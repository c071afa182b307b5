"""Every code of Meta's table, and the answers that are none of Meta's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.core.errors import Ambiguous, ConnectorError, Forbidden, Rejected, Throttled, Unavailable
from connector.whatsapp import errors
from connector.whatsapp.errors import Action, actions, classify, explain

from .samples import load

TABLE = json.loads((errors.resources.files("connector.whatsapp") / "error_actions.json").read_text("utf-8"))[
    "codes"
]
SECRET = "34600000001"

# What the worker sees, by what the table says; in the table's own words.
CLASSES: dict[frozenset[str], type[ConnectorError]] = {
    frozenset({"PAUSE_NUMBER", "OPERATOR"}): Forbidden,
    frozenset({"RETRY"}): Unavailable,
    frozenset({"PAUSE_NUMBER", "RETRY"}): Throttled,
    frozenset({"PAUSE_USER", "RETRY"}): Throttled,
    frozenset({"PAUSE_NUMBER", "LATER"}): Throttled,
    frozenset({"LATER"}): Throttled,
    frozenset({"FIX"}): Rejected,
    frozenset({"NEVER"}): Rejected,
    frozenset({"TEMPLATE"}): Rejected,
    frozenset({"OPERATOR"}): Rejected,
    frozenset({"FIX", "OPERATOR"}): Rejected,
    frozenset({"NEVER", "OPERATOR"}): Rejected,
    frozenset({"STOP_TEMPLATE", "OPERATOR"}): Rejected,
}


def answer(code: object, **more: Any) -> bytes:
    return json.dumps({"error": {"message": SECRET, "code": code, "fbtrace_id": "A1", **more}}).encode()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row["code"]))
@pytest.mark.parametrize("wrote", [True, False])
def test_every_code(row: dict[str, Any], wrote: bool) -> None:
    for edge in str(row["code"]).split("-"):
        error = classify(row["http"] or 400, answer(int(edge)), wrote=wrote)
        wanted = CLASSES[frozenset(row["actions"])]
        assert isinstance(error, wanted)
        assert isinstance(error, Throttled) == (wanted is Throttled)
        assert error.retryable == (wanted in (Unavailable, Throttled))
        assert isinstance(error, errors.WhatsAppError)
        assert (error.code, error.trace) == (edge, "A1")
        assert error.actions == frozenset(row["actions"]) == actions(int(edge))
        assert row["title"] in str(error)
        assert SECRET not in str(error)


def test_codes_that_are_strings() -> None:
    assert classify(400, answer("131047")).code == "131047"


@pytest.mark.parametrize(
    ("http", "transient", "wanted"),
    [
        (500, False, Ambiguous),
        (503, True, Unavailable),
        (400, True, Unavailable),
        (401, False, Forbidden),
        (403, False, Forbidden),
        (429, False, Throttled),
        (400, False, Rejected),
        (404, False, Rejected),
    ],
)
def test_unknown_codes(http: int, transient: bool, wanted: type[ConnectorError]) -> None:
    error = classify(http, answer(999999, is_transient=transient), wrote=True)
    assert isinstance(error, wanted)
    assert error.code == "999999"


@pytest.mark.parametrize(
    ("http", "written", "read"),
    [
        (200, Ambiguous, Unavailable),
        (502, Ambiguous, Unavailable),
        (504, Ambiguous, Unavailable),
        (408, Ambiguous, Unavailable),
        (302, Forbidden, Forbidden),
        (401, Forbidden, Forbidden),
        (403, Forbidden, Forbidden),
        (429, Throttled, Throttled),
        (413, Rejected, Rejected),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "x"}', b"\xff", b"[" * 100_000])
def test_answers_that_are_not_metas(
    http: int, written: type[ConnectorError], read: type[ConnectorError], body: bytes
) -> None:
    assert isinstance(classify(http, body, wrote=True), written)
    assert isinstance(classify(http, body), read)
    assert classify(http, body).code == f"http-{http}"


def test_waits() -> None:
    assert classify(400, answer(4)).retry_after == errors.LATER_SECONDS
    assert classify(400, answer(4), retry_after=7).retry_after == 7
    assert classify(400, answer(131056)).retry_after is None
    assert classify(500, answer(131057)).retry_after == 60


def test_a_wrong_id_of_ours_stops_the_number() -> None:
    assert isinstance(classify(400, answer(100, error_subcode=33)), Forbidden)
    assert isinstance(classify(400, answer(100)), Rejected)


@pytest.mark.parametrize("number", range(5, 15))
def test_sample_answers(number: int) -> None:
    sample = load("responses", f"{number:02}_")
    body = sample["body"] if isinstance(sample["body"], dict) else sample["body"].encode()
    wanted = [
        Throttled,
        Throttled,
        Throttled,
        Forbidden,
        Rejected,
        Rejected,
        Rejected,
        Unavailable,
        Unavailable,
    ]
    assert isinstance(classify(sample["http_status"], body, wrote=True), [*wanted, Ambiguous][number - 5])


def test_explanations() -> None:
    assert explain(131047).startswith("131047 Re-engagement message. 24-hour window closed")
    assert "999" in explain(999)
    assert explain(None)
    assert actions(None) == {Action.NEVER, Action.OPERATOR}
    assert Action.PAUSE_NUMBER in actions(250)
