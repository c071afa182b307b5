"""The main job: five requests become five right tickets and five answers on the phone.

Runs against Redmine's stand-in (``make test``) and against the real one (marker ``real``).
"""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import RedmineServer
from tests.e2e.way import Phone, Way, field_of, ids, reference_in, until, way, words


def picture(colour: tuple[int, int, int]) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(made, "PNG")
    return made.getvalue()


@pytest.fixture(scope="module", params=["stand-in", pytest.param("redmine", marks=pytest.mark.real)])
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    server: RedmineServer | None = request.getfixturevalue("redmine") if request.param == "redmine" else None
    with way(tmp_path_factory.mktemp("way"), server.url if server else "") as started:
        yield started


def begin(phone: Phone) -> None:
    """From «Hola» to the main menu."""
    phone.type("Hola")
    assert {"consent:yes", "consent:no"} <= set(ids(phone.next()))
    phone.tap("consent:yes")
    assert "menu:mayor" in ids(phone.next())


def number_of(parts: Way, reference: str, receipt: str) -> int:
    found = parts.staff("oac").tickets(reference)
    assert len(found) == 1, f"{len(found)} tickets for one reference"
    assert f"*{found[0]['id']}*" in receipt
    return int(found[0]["id"])


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
    parts: Way, label: str, path: list[str], tracker: str, assignee: str, neighbourhood: str, answers: str
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

    oac = parts.staff("oac")
    issue = until("the photo on the ticket", lambda: t if (t := oac.ticket(number))["attachments"] else None)
    assert (issue["tracker"]["name"], issue["assigned_to"]["name"]) == (tracker, assignee)
    assert issue["author"]["name"] == "Robot WhatsApp"
    assert field_of(issue, 1) == "WhatsApp"
    assert field_of(issue, 7) == neighbourhood
    assert float(field_of(issue, 4)) == pytest.approx(41.6212) and float(field_of(issue, 5)) == pytest.approx(
        2.6013
    )
    assert field_of(issue, 6) and "Carrer Major, 1" in field_of(issue, 6)
    assert label in issue["description"] and "openstreetmap" in issue["description"]
    assert f"34600001{which}" not in str(issue), "no number on the ticket unless the mapping says so"
    photo = issue["attachments"][0]
    got = oac.http.get(
        photo["content_url"].replace(photo["content_url"].split("/attachments")[0], parts.redmine)
    )
    assert Image.open(io.BytesIO(got.content)).size == (64, 48)

    staff = parts.staff(answers)
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
    staff.write(number, "", status_id=5)
    parts.push()
    closing = phone.next()
    assert reference in words(closing)
    phone.none_more(0 if which else 6)
    everything = " ".join(words(m) for m in phone.messages())
    assert "intern" not in everything


@pytest.mark.timeout(180)
def test_killed_in_the_middle_it_goes_on_where_it_was(parts: Way) -> None:
    phone = parts.phone("Veïna del tall", "34600001990")
    begin(phone)
    phone.tap("menu:mayor")
    phone.next()
    phone.type("Un missatge que no s'ha de perdre")
    parts.connector.kill()
    phone.photo(picture((1, 2, 3)))
    parts.connector.start()
    assert "1 foto" in words(phone.next(90))
    phone.tap("draft:send")
    time.sleep(0.05)
    parts.connector.kill()
    parts.connector.start()
    receipt = phone.next(150)
    reference = reference_in(receipt)
    oac = parts.staff("oac")
    found = until("the ticket", lambda: oac.tickets(reference), 150)
    assert len(found) == 1
    until("the photo on the ticket", lambda: oac.ticket(found[0]["id"])["attachments"], 150)
    assert len(oac.tickets(reference)) == 1
    said = [words(m) for m in phone.messages() if reference in words(m)]
    assert len([w for w in said if "Rebut" in w]) == 1, said
    until("the number", lambda: [m for m in phone.messages() if f"*{found[0]['id']}*" in words(m)], 60)


@pytest.mark.timeout(120)
def test_tickets_of_one_person_are_not_mixed_up(parts: Way) -> None:
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
    mayor = parts.staff("alcalde")
    for reference, number in reversed(numbers):
        mayor.write(number, f"Sobre {reference}")
    parts.push()
    answers = [phone.next(), phone.next()]
    for answer in answers:
        assert words(answer).count(reference_in(answer)) == 2, words(answer)
    assert {reference_in(a) for a in answers} == {r for r, _ in numbers}


def test_what_is_kept_is_unreadable_and_the_log_says_nobody(parts: Way) -> None:
    secrets = (
        "34600001",
        "Veí de prova",
        "Un missatge que no",
        "la foto",
        "gràcies",
        "Carrer Major",
        "wamid.",
    )
    with sqlite3.connect(parts.database) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in [parts.database, *parts.folder.glob("connector.db-*")]:
        kept = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in kept, f"{secret} can be read in {file.name}"
    log = (parts.folder / "connector.log").read_text()
    for secret in secrets:
        assert secret not in log, f"{secret} is in the log"


def test_every_row_ended_well(parts: Way) -> None:
    def open_rows() -> list[tuple[str, str]]:
        with sqlite3.connect(f"file:{parts.database}?mode=ro", uri=True) as database:
            return database.execute(
                "SELECT kind, coalesce(error, '') FROM work WHERE ended_at IS NULL AND kind != 'poll'"
            ).fetchall()

    until("nothing waits", lambda: not open_rows(), 60)
    with sqlite3.connect(f"file:{parts.database}?mode=ro", uri=True) as database:
        failed = database.execute("SELECT kind, error FROM work WHERE outcome = 'failed'").fetchall()
        unexplained = database.execute(
            "SELECT count(*) FROM message WHERE direction = 'in' AND state = ''"
        ).fetchone()
    assert not failed
    assert unexplained == (0,)


def test_a_stop_is_quick_and_clean(parts: Way) -> None:
    started = time.monotonic()
    assert parts.connector.stop() == 0
    assert time.monotonic() - started < 10
    parts.connector.start()


def test_a_second_service_on_the_same_database_is_refused(parts: Way, tmp_path: Path) -> None:
    import subprocess
    import sys

    second = subprocess.run(
        [sys.executable, "-m", "connector", "run", "--config", str(parts.folder / "config.toml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "another connector is running" in second.stdout + second.stderr
