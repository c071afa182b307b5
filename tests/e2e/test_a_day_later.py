"""More than 24 hours later, by the clock of the real program: a template goes out, and the tap brings the answer."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from connector.jobs.runtime import Pace
from tests.conftest import RedmineServer, server_setting

from .test_operators import connector
from .way import ids, reference_in, until, way, words

HOURS = 25
PACE_FRESH = Pace().fresh
PDF = ("planol.pdf", "application/pdf", b"%PDF-1.4\n% el planol de la vorera\n%%EOF\n")


@pytest.mark.real
def test_the_answer_waits_for_the_tap_and_comes_whole(redmine: RedmineServer, tmp_path: Path) -> None:
    with way(tmp_path, redmine.url) as parts:
        assert connector(parts, "templates", "push").returncode == 0
        phone = parts.phone("Persona", "34600000077")
        phone.type("Hola")
        phone.next()
        phone.tap("consent:yes")
        phone.next()
        phone.tap("menu:mayor")
        phone.next()
        phone.type("Quan arreglareu la vorera?")
        assert "draft:send" in ids(phone.next())
        phone.tap("draft:send")
        reference = reference_in(phone.next())
        number = until("the ticket", lambda: parts.staff("oac").tickets(reference))[0]["id"]
        assert parts.connector.stop() == 0

        # nobody wrote for a day and an hour; Redmine and this test stay in the present
        parts.connector.env = {
            "LD_PRELOAD": server_setting("FAKETIME_LIBRARY"),
            "FAKETIME": f"+{HOURS}h",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        httpx.post(f"{parts.meta}/_phone/clock", json={"offset": HOURS * 3600}).raise_for_status()
        parts.connector.start()
        parts.staff("alcalde").write(number, "La setmana que ve.", file=PDF)
        parts.staff("alcalde").write(number, "I el carrer, al març.")
        parts.staff("alcalde").write(number, "Això no ho ha de veure ningú", private=True)
        parts.staff("alcalde").write(number, "Aquesta la retirem abans que la llegeixi")
        template = phone.next(90)
        assert template["type"] == "template" and reference in words(template), words(template)
        phone.none_more(6)
        admin = parts.staff("admin")
        (late,) = [j for j in admin.ticket(number)["journals"] if "la retirem" in j["notes"]]
        hidden = admin.http.put(f"/journals/{late['id']}.json", json={"journal": {"private_notes": True}})
        hidden.raise_for_status()
        phone.none_more(PACE_FRESH)
        phone.send(
            type="button", payload=f"reply:{reference}", text="Llegeix la resposta", context=template["id"]
        )
        first, second = phone.next(60), phone.next(60)
        assert first["type"] == "document" and "setmana que ve" in words(first)
        assert "al març" in words(second)
        phone.none_more(4)
        hidden_words = ("no ho ha de veure", "la retirem")
        assert not [m for m in phone.messages() if any(w in words(m) for w in hidden_words)]
