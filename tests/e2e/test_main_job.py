"""The main job: five requests become five right tickets and five answers on the phone.

Runs against real trackers of each kind, and against Redmine's stand-in.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from connector.storage.sqlite import driver
from tests.conftest import server_setting
from tests.e2e.desks import REDMINE, TRACKERS, Desk, Tracker
from tests.e2e.way import Phone, Way, ids, reference_in, until, way, words


def picture(colour: tuple[int, int, int]) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(made, "PNG")
    return made.getvalue()


IN_THE_GATE = ("redmine",)
"""The gate plays it on this one; ``make test-real`` on all, and on the stand-in."""
ALL = [
    pytest.param("stand-in", marks=pytest.mark.long),
    *(
        pytest.param(kind, marks=[pytest.mark.real, *([] if kind in IN_THE_GATE else [pytest.mark.long])])
        for kind in TRACKERS
    ),
]


@dataclass
class Town:
    """All parts running, with one kind of tracker."""

    parts: Way
    tracker: Tracker

    def desk(self, login: str) -> Desk:
        return self.tracker.desk(self.parts.redmine, login)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.parts, name)


@pytest.fixture(scope="module", params=ALL)
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    tracker = TRACKERS.get(request.param, REDMINE)
    url = server_setting(tracker.address) if request.param in TRACKERS else ""
    lines = tracker.settings(url) if url else ""
    with way(tmp_path_factory.mktemp("way"), url, source=tracker.mapping, tracker=lines) as started:
        yield Town(started, tracker)


def begin(phone: Phone) -> None:
    """From «Hola» to the main menu."""
    phone.type("Hola")
    assert {"consent:yes", "consent:no"} <= set(ids(phone.next()))
    phone.tap("consent:yes")
    assert "menu:mayor" in ids(phone.next())


def number_of(parts: Town, reference: str, receipt: str) -> int:
    found = parts.desk("oac").tickets(reference)
    assert len(found) == 1, f"{len(found)} tickets for one reference"
    assert f"*{found[0]}*" in receipt
    return found[0]


def test_check_has_nothing_to_say_of_the_tracker(parts: Town) -> None:
    config = str(parts.folder / "config.toml")
    command = [sys.executable, "-m", "connector", "check", "--config", config, "--json"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ours)
    of_tracker = ("tracker", "menu", "councillors", "answers", "statuses")
    found = [f for f in json.loads(done.stdout) if f["key"].startswith(of_tracker)]
    # Redmine's API does not tell how large a file may be
    assert {f["key"] for f in found} <= {"tracker.max_attachment_bytes"}, found


REQUESTS = [
    # label, the way there, tracker, assignee, neighbourhood, who answers, how they are shown
    ("mayor", ["2"], "Alcaldia", "Jordi Alcalde", "", "alcalde"),
    (
        "councillor Centre",
        ["menu:councillor", "choice:centre"],
        "Regidories",
        "Marc Regidor Centre",
        "Centre",
        "regidor.centre",
    ),
    ("councillor Platja", ["3", "2"], "Regidories", "Laia Regidora Platja", "Platja", "regidora.platja"),
    (
        "councillor Muntanya",
        ["regidories", "MUNTANYA"],
        "Regidories",
        "Pau Regidor Muntanya",
        "Muntanya",
        "regidor.muntanya",
    ),
    ("incident", ["menu:incident"], "Incidència", "Brigada municipal", "", "oac"),
    ("mailbox", ["bustia ciutadana"], "Bústia ciutadana", "Oficina Atenció Ciutadana", "", "oac"),
]


@pytest.mark.parametrize(
    ("label", "path", "tracker", "assignee", "neighbourhood", "answers"),
    REQUESTS,
    ids=[r[0] for r in REQUESTS],
)
@pytest.mark.timeout(180)
def test_a_request_becomes_a_ticket_and_its_answer_comes_back(
    parts: Town, label: str, path: list[str], tracker: str, assignee: str, neighbourhood: str, answers: str
) -> None:
    hidden = label == "mailbox"
    which = [r[0] for r in REQUESTS].index(label)
    phone = parts.phone(f"Veí de prova {which}", f"346000010{which:02}", hidden=hidden)
    begin(phone)
    for step in path:
        phone.tap(step) if ":" in step else phone.type(step)
        phone.next()
    phone.type(f"Bon dia, això és {label}: #1 @oac {{{{include(Wiki)}}}} <b>hola</b>")
    phone.photo(picture((10 * which, 90, 200)), "la foto")
    phone.send(
        type="location",
        latitude=41.6212,
        longitude=2.6013,
        name="Plaça de l'Església",
        address="Carrer Major, 1",
    )
    summary = phone.next()
    assert ids(summary) == ["draft:send", "draft:location", "draft:cancel"]
    assert "1 foto" in words(summary) and "1 lloc" in words(summary)
    phone.tap("draft:send")
    receipt = phone.next()
    reference = reference_in(receipt)
    number = number_of(parts, reference, words(receipt))

    oac = parts.desk("oac")
    ticket = until("the photo on the ticket", lambda: t if (t := oac.ticket(number)).files else None)
    assert (ticket.kind, ticket.assignee) == (parts.tracker.called(tracker), parts.tracker.called(assignee))
    assert (ticket.author, ticket.channel) == ("Robot WhatsApp", "WhatsApp")
    assert ticket.neighbourhood == neighbourhood
    assert (float(ticket.latitude), float(ticket.longitude)) == pytest.approx((41.6212, 2.6013))
    assert "Carrer Major, 1" in ticket.address
    assert label in ticket.description and "openstreetmap" in ticket.description
    assert f"34600001{which}" not in ticket.everything, "no number on the ticket unless the mapping says so"
    assert Image.open(io.BytesIO(ticket.files[0])).size == (64, 48)

    staff = parts.desk(answers)
    staff.write(number, "Això no ha de sortir mai: és intern", private=True)
    staff.write(
        number,
        f"Hola, *gràcies* per la teva petició ({label}). Ho mirem.",
        file=("plànol.png", "image/png", picture((200, 200, 10))),
    )
    parts.push()
    answer = phone.next()
    assert answer["type"] == "image", "words and picture in one message"
    assert reference in words(answer) and "*gràcies*" in words(answer) and label in words(answer)
    staff.write(number, "Segona resposta")
    parts.push()
    second = phone.next()
    assert "Segona resposta" in words(second) and reference in words(second)
    staff.close(number)
    parts.push()
    closing = phone.next()
    assert reference in words(closing)
    phone.none_more(0 if which else 6)
    everything = " ".join(words(m) for m in phone.messages())
    assert "intern" not in everything


@pytest.mark.long  # it waits out what a slow tracker may take; the campaign kills in the gate
@pytest.mark.timeout(180)
def test_killed_in_the_middle_it_goes_on_where_it_was(parts: Town) -> None:
    phone = parts.phone("Veïna del tall", "34600001990")
    begin(phone)
    phone.tap("menu:mayor")
    phone.next()
    phone.type("Un missatge que no s'ha de perdre")
    parts.connector.kill()
    phone.photo(picture((1, 2, 3)))
    parts.connector.start()
    summary = words(phone.next(90))
    if "1 foto" not in summary:  # the program was back before Meta delivered the photo again
        summary = words(phone.next(90))
    assert "1 foto" in summary
    phone.tap("draft:send")
    time.sleep(0.05)
    parts.connector.kill()
    parts.connector.start()
    receipt = phone.next(150)
    reference = reference_in(receipt)
    oac = parts.desk("oac")
    found = until("the ticket", lambda: oac.tickets(reference), 150)
    assert len(found) == 1
    until("the photo on the ticket", lambda: oac.ticket(found[0]).files, 150)
    assert len(oac.tickets(reference)) == 1
    said = [words(m) for m in phone.messages() if reference in words(m)]
    assert len([w for w in said if "Rebut" in w]) == 1, said
    until("the number", lambda: [m for m in phone.messages() if f"*{found[0]}*" in words(m)], 60)


@pytest.mark.timeout(120)
def test_tickets_of_one_person_are_not_mixed_up(parts: Town) -> None:
    phone = parts.phone("Dues peticions", "34600001991")
    begin(phone)
    numbers = []
    for text in ("Primera petició", "Segona petició"):
        phone.tap("menu:mayor")
        phone.next()
        phone.type(text)
        phone.next()
        phone.type("1")
        receipt = phone.next()
        numbers.append((reference_in(receipt), number_of(parts, reference_in(receipt), words(receipt))))
    mayor = parts.desk("alcalde")
    for reference, number in reversed(numbers):
        mayor.write(number, f"Sobre {reference}")
    parts.push()
    answers = [phone.next(), phone.next()]
    for answer in answers:
        assert words(answer).count(reference_in(answer)) == 2, words(answer)
    assert {reference_in(a) for a in answers} == {r for r, _ in numbers}


def test_what_is_kept_is_unreadable_and_the_log_says_nobody(parts: Town) -> None:
    private = {
        **parts.private(),
        "Això no ha de sortir mai": "note",
        "plànol.png": "file name",
        "Carrer Major": "place",
    }
    kinds = Counter(private.values())
    # of everybody who wrote in the tests above, in the gate one fewer
    assert kinds["phone"] >= 7 and kinds["message id"] > 80 and kinds["text"] > 80, kinds
    assert kinds["name"] >= 7 and kinds["user_id"] >= 7
    backup = parts.folder / "backup.db"
    with closing(driver().connect(parts.database)) as database, closing(driver().connect(backup)) as copy:
        database.backup(copy)  # what «.backup» does
        files = {file.name: file.read_bytes() for file in (*parts.folder.glob("connector.db*"), backup)}
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files["connector.db with everything in it"] = parts.database.read_bytes()
    files["the log"] = (parts.folder / "connector.log").read_bytes()
    assert {"connector.db", "connector.db-wal", "backup.db"} <= set(files) and len(
        files["connector.db-wal"]
    ) > 10_000
    pixels = picture((0, 90, 200))[40:72]
    for name, content in files.items():
        readable = {text: what for text, what in private.items() if text.encode() in content}
        assert not readable, f"can be read in {name}: {readable}"
        assert pixels not in content, f"a photo can be seen in {name}"


@pytest.mark.timeout(180)
def test_every_row_ended_well(parts: Town) -> None:
    def open_rows() -> list[tuple[str, str]]:
        with driver().connect(f"file:{parts.database}?mode=ro", uri=True) as database:
            return database.execute(
                "SELECT kind, coalesce(error, '') FROM work WHERE ended_at IS NULL AND kind != 'poll'"
            ).fetchall()

    # what the kill interrupted while a ticket was written on waits for as long as the tracker may need
    until("nothing waits", lambda: not open_rows(), 150)
    with driver().connect(f"file:{parts.database}?mode=ro", uri=True) as database:
        failed = database.execute("SELECT kind, error FROM work WHERE outcome = 'failed'").fetchall()
        unexplained = database.execute(
            "SELECT count(*) FROM message WHERE direction = 'in' AND state = ''"
        ).fetchone()
    assert not failed
    assert unexplained == (0,)


def test_a_stop_is_quick_and_clean(parts: Town) -> None:
    started = time.monotonic()
    assert parts.connector.stop() == 0
    assert time.monotonic() - started < 10
    parts.connector.start()


def test_a_second_service_on_the_same_database_is_refused(parts: Town, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "connector", "run", "--config", str(parts.folder / "config.toml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "another connector is running" in second.stdout + second.stderr
