"""One message through the log: from the webhook to the ticket, to the answer, to «read»; and nothing else in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from connector.toolkit.observe import configure_logging, following, get_logger
from tests.toolkit.pictures import png

from .rig import Rig


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program logs, as JSON lines."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging("info", "json")
    out = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_message_is_followed_to_its_ticket_and_to_its_answer(rig: Rig, log: io.StringIO) -> None:
    citizen, other = rig.citizen().accept(), rig.citizen().accept()
    citizen.tap("menu:mayor")
    citizen.type("El fanal de davant de casa no s'encén")
    (trace,) = {n["trace"] for n in lines(log)[-3:] if n["event"] == "message received"}
    citizen.file(png(planted=False), "image/png")
    rig.later(30)
    other.write("Una altra cosa")
    citizen.tap("draft:send")
    (request,) = [n for n in lines(log) if n["event"] == "request"]
    reference = request["reference"]
    assert request["trace"] == trace, "a request goes by its first message"
    received = [n["trace"] for n in lines(log) if n["event"] == "message received"]
    assert len(received) == len(set(received))
    assert trace in request["messages"].split() and len(request["messages"].split()) == 3
    assert set(request["messages"].split()) <= set(received), "the photo and the tap are named there too"

    number = rig.ticket(reference)["id"]
    rig.staff().write(number, "Demà hi anem")
    rig.poll()
    assert "Demà hi anem" in citizen.said()[-1]
    rig.demo.meta.open_chat(citizen.person)
    rig.work()

    mine = [n for n in lines(log) if n.get("trace") == trace]
    story = [n.get("kind", n["event"]) for n in mine]
    assert {"message received", "inbound", "attach"} <= set(story), story
    order = [story.index(what) for what in ("request", "create", "staff answered", "answer")]
    assert order == sorted(order), story
    after = mine[story.index("request") :]
    assert {n["reference"] for n in after} == {reference}, "from the request on every line has its reference"
    assert [n["kind"] for n in after if n.get("kind") == "send"] == ["send"] * 2, "the receipt and the answer"
    about = [n for n in lines(log) if n.get("reference") == reference]
    assert {"status delivered", "status read"} <= {n.get("outcome") for n in about}
    assert {n.get("trace", trace) for n in about} == {trace}, "no other message's line speaks of this request"
    whole = log.getvalue()
    for words in ("fanal", "Demà", "Persona", "346000", "wamid"):
        assert words not in whole, f"{words} is in the log"


def test_a_message_that_comes_twice_is_told_apart(rig: Rig, log: io.StringIO) -> None:
    rig.whatsapp_fault(webhook="duplicate", count=1)
    rig.citizen().type("Hola")
    received = [(n["event"], n["trace"]) for n in lines(log) if n["event"].startswith("message received")]
    assert [event for event, _ in received] == ["message received", "message received again"]
    assert len({trace for _, trace in received}) == 1
    taken = [n["trace"] for n in lines(log) if n.get("kind") == "inbound"]
    assert taken == [received[0][1]]


def test_nobody_can_forge_a_line(log: io.StringIO) -> None:
    with following("abcdefabcdef", "SCV-7K3F-9Q"):
        get_logger("t").warning(
            "not done", reason='a"\n{"event": "forged"}\r\x1b[2K\u2028x', nobody="private"
        )
        try:
            int("the words of 34600000001")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    first, second = lines(log)
    assert "\n" not in first["reason"] and "\x1b" not in first["reason"] and first["nobody"] == "…"
    assert second["raised"].startswith("ValueError at test_following.py:") and "words" not in str(second)
    assert {n["trace"] for n in (first, second)} == {"abcdefabcdef"}
    get_logger("t").info("later")
    assert "trace" not in lines(log)[-1]
