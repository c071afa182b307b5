"""The signature vectors of the contract, and the handshake."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from connector.whatsapp.signature import handshake, verify

from .samples import FOLDER

VECTORS = json.loads((FOLDER / "signature-vectors.json").read_text())
SECRET = VECTORS["app_secret"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    body, header = base64.b64decode(vector["body_base64"]), vector["header"]
    assert verify(body, header, [SECRET]) is vector["valid"]
    assert verify(body, header, ["another", SECRET]) is vector["valid"]
    assert verify(body, header, [SECRET, "another"]) is vector["valid"]
    assert verify(body, header.encode() if header else header, [SECRET]) is vector["valid"]
    assert verify(body + b" ", header, [SECRET]) is False
    assert verify(body, header, ["another"]) is (vector["name"] == "wrong_secret" and False)


def test_no_or_empty_secrets_fit_nothing() -> None:
    import hashlib
    import hmac

    body = b"{}"
    header = "sha256=" + hmac.new(b"", body, hashlib.sha256).hexdigest()
    assert not verify(body, header, [])
    assert not verify(body, header, [""])
    assert not verify(body, "sha256=\udcff", ["x"])


QUERY = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "tòken"}


def test_handshake() -> None:
    assert handshake(QUERY, ["tòken"]) == "1158201444"
    assert handshake(QUERY, ["old", "tòken"]) == "1158201444"


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "token"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "1" * 257},
        {"hub.challenge": "a\nb"},
        {"hub.challenge": "é"},
    ],
)
def test_handshake_refused(changed: dict[str, str]) -> None:
    assert handshake({**QUERY, **changed}, ["tòken"]) is None


def test_handshake_without_a_token_of_ours() -> None:
    assert handshake({**QUERY, "hub.verify_token": ""}, [""]) is None
    assert handshake({}, [""]) is None
