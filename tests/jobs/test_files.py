"""Citizens' files on their way: cleaned, scanned, and what is refused told once with its reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connector.toolkit.clamd import Clamd
from tests.clamd import EICAR, FakeClamd
from tests.clamd import clamd as start_clamd
from tests.e2e.way import reference_in
from tests.toolkit import files, pictures

from .rig import PACE, Citizen, Rig, pdf

PHOTO = pictures.jpeg(6)


@pytest.fixture
def clamd(rig: Rig) -> Iterator[FakeClamd]:
    with start_clamd() as daemon:
        rig.town.clamd = Clamd(daemon.address, timeout=30)
        yield daemon
    rig.town.clamd = None


def sent(citizen: Citizen) -> str:
    """The request is sent, with what was attached: its reference."""
    citizen.rig.later(30)
    citizen.new()
    citizen.tap("draft:send")
    citizen.rig.later(5)
    return receipt(citizen)


def receipt(citizen: Citizen) -> str:
    """The reference in the next message; what came after it is still to be read."""
    message = citizen.got()[citizen.seen]
    citizen.seen += 1
    return reference_in(message)


def attached(rig: Rig, reference: str) -> dict[str, tuple[str, bytes]]:
    """Name -> type and content of what is on the ticket."""
    staff = rig.staff("oac")
    return {
        a["filename"]: (a["content_type"], _content(staff.http, a))
        for a in rig.ticket(reference)["attachments"]
    }


def _content(http: httpx.Client, attachment: dict[str, Any]) -> bytes:
    return http.get(f"/attachments/download/{attachment['id']}/{attachment['filename']}").content


def left_out(citizen: Citizen) -> list[str]:
    return [w for w in citizen.said() if "No hem pogut adjuntar" in w]


def stored(rig: Rig) -> list[bytes]:
    """Every part of a file in the database, opened."""
    store = rig.demo.service.store
    rows = rig.sql(
        "SELECT m.ref, p.n, p.data FROM media m JOIN media_part p ON p.media_id = m.id ORDER BY m.id, p.n"
    )
    return [store.sealer.open_bytes(bytes(data), f"{ref}/{n}") for ref, n, data in rows]


# --- cleaned ---------------------------------------------------------------------------------------


def test_a_photo_with_a_place_in_it_arrives_without(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb fotos del telèfon")
    citizen.file(PHOTO, "image/jpeg")
    citizen.file(pictures.phone_heic(1), "application/octet-stream", kind="document", filename="IMG_0001.jpg")
    citizen.file(files.recording(), "video/mp4")
    assert len(stored(rig)) == 3 and not any(map(pictures.leaks, stored(rig))), "not even at rest"
    reference = sent(citizen)
    found = attached(rig, reference)
    assert [kind for kind, _ in found.values()] == ["image/jpeg", "image/heic", "video/mp4"]
    assert [name.rpartition(".")[2] for name in found] == ["jpg", "heic", "mp4"]
    assert "IMG_0001.heic" in found, "its name says what it is"
    assert not any(pictures.leaks(content) for _, content in found.values())
    photo = next(content for kind, content in found.values() if kind == "image/jpeg")
    assert pictures.as_shown(photo) == pictures.as_shown(PHOTO)
    assert left_out(citizen) == []


def test_a_file_whose_attaching_got_no_answer_is_there_once(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb una foto")
    citizen.file(PHOTO, "image/jpeg")
    rig.tracker_fault(match="PUT */issues/*", drop="after")
    reference = sent(citizen)
    rig.later(PACE.settle + 5)
    assert len(attached(rig, reference)) == 1
    assert rig.sql("SELECT DISTINCT state FROM media m JOIN ticket t ON t.id = m.ticket_id WHERE reference = ?",
                   reference) == [("done",)]  # fmt: skip


# --- refused ---------------------------------------------------------------------------------------


def test_what_is_refused_is_one_message_with_every_reason_and_a_note_each(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb de tot")
    citizen.file(PHOTO, "image/jpeg")
    citizen.file(b"MZ\x90\0" + bytes(500), "application/pdf", kind="document", filename="../factura.pdf")
    citizen.file(b"\x7fELF" + bytes(500), "image/jpeg", kind="document", filename="foto.jpg")
    citizen.file(PHOTO[:900], "image/jpeg")
    citizen.file(PHOTO[:800], "image/jpeg")
    citizen.file(
        files.ooxml("docx", {"word/vbaProject.bin": b"x"}), "application/msword", filename="carta.docm"
    )
    reference = sent(citizen)
    assert len(attached(rig, reference)) == 1
    (told,) = left_out(citizen)
    assert f"*{reference}*" in told
    assert "• «factura.pdf» i «foto.jpg»: tipus de fitxer no admès\n" in told
    assert "• 2 fotos: contingut malmès o incomplet\n" in told
    assert "• «carta.docm»: document amb macros, que no admetem. Envia-ho en PDF." in told
    notes = [n for n in rig.notes(reference) if n.startswith("🔒") and "No s’ha adjuntat" in n]
    assert len(notes) == 5 and sum("(factura.pdf)" in n for n in notes) == 1
    assert sum("(carta.docm)" in n for n in notes) == 1, "by the names they had"
    assert stored(rig) == []
    rig.later(3600)
    assert left_out(citizen) == [], "told once"


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_reasons_in_other_languages(rig: Rig, language: str) -> None:
    for why in (
        "type",
        "size",
        "pixels",
        "broken",
        "bomb",
        "macros",
        "virus",
        "unscanned",
        "tracker",
        "lost",
    ):
        said = rig.town.texts(language, f"file.why_{why}", most=100)
        assert said and said != rig.town.texts("ca", f"file.why_{why}", most=100)


def test_a_file_that_is_larger_than_is_accepted_is_refused_and_not_lost(rig: Rig) -> None:
    before = rig.town.files
    rig.town.files = replace(before, most=1000)
    try:
        citizen = rig.citizen().write("Amb un fitxer gran")
        citizen.file(pdf("x" * 2000), "application/pdf", filename="gran.pdf")
        reference = sent(citizen)
        (told,) = left_out(citizen)
        assert "«gran.pdf»: massa gran" in told
        assert len([n for n in rig.notes(reference) if "gran.pdf" in n]) == 1
    finally:
        rig.town.files = before
    assert not rig.paused()


def test_a_link_that_leads_elsewhere_is_not_followed_and_whatsapp_goes_on(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb una foto")
    media = rig.demo.meta.media
    before, media.public_url = media.public_url, "https://evil.example.org"
    try:
        citizen.file(PHOTO, "image/jpeg")
        reference = sent(citizen)
        for _ in range(6):
            rig.later(60)
        assert not rig.paused() and not rig.failed()
    finally:
        media.public_url = before
    (told,) = left_out(citizen)
    assert reference in told and "• 1 foto: no ens ha arribat de WhatsApp" in told
    assert attached(rig, reference) == {}


def test_a_file_that_comes_late_and_is_refused_is_told_too(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb un fitxer que triga")
    citizen.file(b"\x7fELF" + bytes(500), "application/pdf", kind="document", filename="un.pdf")
    for _ in range(3):
        rig.whatsapp_fault(match="download", http=500)
    citizen.file(b"\x7fELF" + bytes(600), "application/pdf", kind="document", filename="dos.pdf")
    citizen.new()
    citizen.tap("draft:send")
    reference = receipt(citizen)
    (first,) = left_out(citizen)
    assert "«un.pdf»" in first and "«dos.pdf»" not in first
    for _ in range(6):
        rig.later(60)
    (second,) = left_out(citizen)
    assert "«dos.pdf»" in second and "«un.pdf»" not in second
    assert len([n for n in rig.notes(reference) if "No s’ha adjuntat" in n]) == 2


def test_notes_do_not_wait_for_a_file(rig: Rig) -> None:
    citizen = rig.citizen().write("Amb un fitxer que triga")
    for _ in range(4):
        rig.whatsapp_fault(match="download", http=500)
    citizen.file(PHOTO, "image/jpeg")
    citizen.new()
    citizen.tap("draft:send")
    reference = receipt(citizen)
    store = rig.demo.service.store
    store.write_now(lambda c: rig.town.note(c, reference, "No espera", key=f"n:{reference}", now=rig.now()))
    rig.work()
    assert any("No espera" in n for n in rig.notes(reference)) and not attached(rig, reference)
    for _ in range(8):
        rig.later(60)
    assert len(attached(rig, reference)) == 1


def test_a_file_of_a_draft_that_is_dropped_while_it_is_fetched_leaves_nothing(rig: Rig) -> None:
    citizen = rig.citizen().write("Ho deixo")
    rig.whatsapp_fault(match="download", http=500)
    citizen.file(PHOTO, "image/jpeg")
    rig.later(30)
    citizen.tap("draft:cancel")
    rig.later(600)
    assert stored(rig) == []


# --- scanned ---------------------------------------------------------------------------------------


def test_a_virus_is_refused_and_told(rig: Rig, clamd: FakeClamd) -> None:
    citizen = rig.citizen().write("Amb un virus")
    citizen.file(PHOTO, "image/jpeg")
    citizen.file(pdf(EICAR.decode()), "application/pdf", filename="factura.pdf")
    reference = sent(citizen)
    found = attached(rig, reference)
    assert len(found) == 1, "the photo"
    (told,) = left_out(citizen)
    assert "«factura.pdf»: programa maliciós" in told and "Eicar" not in told
    (note,) = [n for n in rig.notes(reference) if "factura.pdf" in n]
    assert note.startswith("🔒") and "Eicar-Test-Signature" in note
    ((_, photo),) = found.values()
    assert hashlib.sha256(photo).digest() in [hashlib.sha256(c).digest() for c in clamd.scanned], (
        "what was scanned"
    )
    assert stored(rig) == []


def test_while_the_scanner_is_away_files_wait_and_tickets_do_not(rig: Rig) -> None:
    with start_clamd() as daemon:
        address = daemon.address
    rig.town.clamd = Clamd(address, timeout=30)
    try:
        citizens = [rig.citizen().write(f"Petició {n}") for n in range(PACE.stumbles + 1)]
        for citizen in citizens:
            citizen.file(PHOTO, "image/jpeg")
        references = [sent(citizen) for citizen in citizens]
        for _ in range(10):
            rig.later(3600)
        assert all(rig.ticket(r)["subject"] for r in references), "the tickets are there"
        assert not any(attached(rig, r) for r in references), "no file is, unscanned"
        assert rig.paused() == ["clamd"] and not rig.failed()
        assert "virus scanner" in rig.sql("SELECT reason FROM pause")[0][0], "as health and status show it"
        # the citizen was told that the answer comes later; nothing is said of files that only wait
        assert not any(left_out(citizen) for citizen in citizens)
        staff = rig.staff("oac")
        staff.write(rig.ticket(references[0])["id"], "Ja ho hem vist")
        rig.poll()
        rig.later(5)
        assert any("Ja ho hem vist" in w for w in citizens[0].said()), "and so do answers"
        with start_clamd(int(address.rpartition(":")[2])) as daemon:
            for _ in range(5):
                rig.later(1000)
            assert [len(attached(rig, r)) for r in references] == [1] * len(references)
            assert len(daemon.scanned) == len(references)
        assert not rig.paused()
    finally:
        rig.town.clamd = None


def test_a_file_that_is_too_large_for_the_scanner_is_not_passed_unscanned(rig: Rig, clamd: FakeClamd) -> None:
    clamd.longest = 100
    citizen = rig.citizen().write("Amb un fitxer gran")
    citizen.file(pdf("x" * 2000), "application/pdf", filename="gran.pdf")
    reference = sent(citizen)
    assert attached(rig, reference) == {}
    (told,) = left_out(citizen)
    assert "massa gran per passar-hi l’antivirus" in told
    assert len([n for n in rig.notes(reference) if "gran.pdf" in n]) == 1 and not rig.paused()


def test_files_that_wait_for_a_scanner_go_on_when_none_is_configured_any_more(rig: Rig) -> None:
    with start_clamd() as daemon:
        rig.town.clamd = Clamd(daemon.address, timeout=30)
    citizen = rig.citizen().write("Amb una foto")
    citizen.file(PHOTO, "image/jpeg")
    reference = sent(citizen)
    assert attached(rig, reference) == {}
    rig.town.clamd = None
    for _ in range(3):
        rig.later(1000)
    assert len(attached(rig, reference)) == 1


# --- of staff --------------------------------------------------------------------------------------


def answered(rig: Rig, name: str, kind: str, content: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """Staff answer with a file: what the citizen got, and what staff are told on the ticket."""
    citizen = rig.citizen()
    reference, number = citizen.request()
    citizen.new()
    before = len(rig.notes(reference))
    rig.staff().write(number, "Aquí ho tens", file=(name, kind, content))
    rig.poll()
    rig.later(2)
    return citizen.new(), [n for n in rig.notes(reference)[before:] if n.startswith("🔒")]


def test_a_file_of_staff_goes_as_what_it_is(rig: Rig) -> None:
    (got,), notes = answered(rig, "plànol.png", "image/png", files.PDF)
    assert got["type"] == "document" and got["content"]["filename"] == "plànol.pdf"
    assert "Aquí ho tens" in got["content"]["caption"] and not notes


def test_a_photo_of_staff_goes_without_its_place(rig: Rig) -> None:
    (got,), notes = answered(rig, "abans.jpg", "", PHOTO)
    assert got["type"] == "image" and not notes
    content = rig.demo.meta.media.get(got["content"]["id"])
    assert content is not None and not pictures.leaks(content.data)
    assert pictures.as_shown(content.data) == pictures.as_shown(PHOTO)


@pytest.mark.parametrize(
    ("name", "kind", "content", "reason"),
    [
        ("foto.heic", "image/heic", pictures.phone_heic(), "WhatsApp no envia fitxers d’aquest tipus"),
        ("foto.jpg", "image/jpeg", b"MZ\x90\0" + bytes(300), "WhatsApp no envia fitxers d’aquest tipus"),
        ("foto.jpg", "image/jpeg", PHOTO[:700], "està malmès"),
        ("carta.docx", "", files.ooxml("docx", {"word/vbaProject.bin": b"x"}), "porta macros"),
    ],
)  # fmt: skip
def test_a_file_of_staff_that_whatsapp_does_not_send_stays_and_they_are_told(
    rig: Rig, name: str, kind: str, content: bytes, reason: str
) -> None:
    (got,), notes = answered(rig, name, kind, content)
    assert got["type"] == "text"
    assert "Aquí ho tens" in got["content"]["body"] and name in got["content"]["body"]
    (note,) = notes
    assert name in note and reason in note


def test_a_file_of_staff_that_is_too_large_for_whatsapp_stays(rig: Rig) -> None:
    assert rig.demo.redmine is not None
    rig.demo.redmine.db.settings.attachment_max_kb = 20_000
    video = files.recording(tracks=(b"vide",)) + files.box(b"mdat", bytes(16 * 1024 * 1024))
    (got,), (note,) = answered(rig, "vídeo.mp4", "video/mp4", video)
    assert got["type"] == "text" and "vídeo.mp4" in note and "és més gran del que WhatsApp admet" in note
