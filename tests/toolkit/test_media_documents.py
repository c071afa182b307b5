"""Documents, names, and what is let in at all."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

import pytest

from connector.toolkit import media
from connector.toolkit.media import TYPES, Reason, Rules

from . import files, pictures
from .files import SECRET
from .test_media_pictures import cleaned, refused

SAMPLES = {
    "image/jpeg": pictures.jpeg(6),
    "image/png": pictures.png(6),
    "image/webp": pictures.webp(6),
    "image/heic": pictures.phone_heic(1),
    "video/mp4": files.recording(),
    "video/3gpp": files.recording(b"3gp4"),
    "video/quicktime": files.recording(b"qt  "),
    "audio/ogg": files.ogg(),
    "audio/mp4": files.recording(b"M4A ", tracks=(b"soun",)),
    "audio/mpeg": files.mp3(),
    "audio/aac": files.AAC,
    "audio/amr": files.AMR,
    "application/pdf": files.PDF,
    "text/plain": "El fanal de la plaça està trencat\n".encode(),
    "application/msword": files.compound("WordDocument"),
    "application/vnd.ms-excel": files.compound("Workbook"),
    "application/vnd.ms-powerpoint": files.compound("PowerPoint Document"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": files.ooxml("docx"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": files.ooxml("xlsx"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": files.ooxml("pptx"),
    "application/vnd.oasis.opendocument.text": files.odf("text"),
    "application/vnd.oasis.opendocument.spreadsheet": files.odf("spreadsheet"),
    "application/vnd.oasis.opendocument.presentation": files.odf("presentation"),
}
UNTOUCHED = [k for k in TYPES if k.startswith(("application/", "text/"))]


def test_there_is_a_sample_of_every_type() -> None:
    assert list(SAMPLES) == list(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_a_file_is_known_by_its_content(kind: str) -> None:
    after = cleaned(SAMPLES[kind], kind)
    assert (after == SAMPLES[kind]) is (kind in UNTOUCHED or kind in ("audio/aac", "audio/amr"))
    refused(SAMPLES[kind], Reason.TYPE, Rules(accept=frozenset(TYPES) - {kind}))
    refused(SAMPLES[kind], Reason.SIZE, Rules(most=len(SAMPLES[kind]) - 1))


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\0" + bytes(60), b"\x7fELF\x02\x01\x01" + bytes(60), b"#!/bin/sh\nrm -rf /\n", b"GIF89a" + bytes(30),
        b"<!DOCTYPE html><script>alert(1)</script>", b"\xef\xbb\xbf\n <svg onload='x'/>", b"<?xml version='1.0'?><a/>",
        "\ufeff<html>".encode("utf-16-le"), b"{\\rtf1\\object}", b"%!PS-Adobe", b"MIME-Version: 1.0\n",
        b"II*\0" + bytes(40), b"Rar!\x1a\x07\0", b"7z\xbc\xaf\x27\x1c" + bytes(30), b"\x1f\x8b\x08" + bytes(30),
        b"BM" + bytes(60), b"RIFF\x24\0\0\0WAVEfmt ", b"\x1aE\xdf\xa3" + bytes(20), b"words\0and more", b"\0",
        files.archive({"readme.txt": b"Hola"}), files.compound("__nameid_version1.0"), b"CWS" + bytes(20),
    ],
)  # fmt: skip
def test_what_is_of_no_type_that_is_known_is_refused(content: bytes) -> None:
    refused(content, Reason.TYPE)


def test_an_empty_file() -> None:
    refused(b"", Reason.BROKEN)


@pytest.mark.parametrize(
    "content",
    [
        "Hola, què tal?\r\n\tBé",
        "\ufeffamb marca",
        "nom;carrer\nPere;Major\n",
        "日本語",
        "a < b",
        "\x1b[1mfort\x1b[0m",
    ],
)
def test_text_in_any_alphabet(content: str) -> None:
    assert cleaned(content.encode(), "text/plain") == content.encode()
    assert cleaned(("\ufeff" + content).encode("utf-16-le"), "text/plain")


def test_text_in_an_old_code() -> None:
    assert cleaned("plaça de l’església".encode("cp1252"), "text/plain")


def test_a_pdf_must_end() -> None:
    refused(files.PDF[:-8], Reason.BROKEN)
    assert cleaned(files.PDF + b"\0" * 900, "application/pdf")


# --- archives --------------------------------------------------------------------------------------


def test_documents_with_programs_in_them() -> None:
    refused(files.ooxml("docx", {"word/vbaProject.bin": b"x"}), Reason.MACROS)
    refused(files.ooxml("xlsx", main="ms-excel.sheet.macroEnabled.main+xml"), Reason.MACROS)
    refused(files.odf("text", {"Basic/Standard/Module1.xml": b"x"}), Reason.MACROS)
    refused(files.compound("WordDocument", "Macros"), Reason.MACROS)
    refused(files.compound("Workbook", "_VBA_PROJECT_CUR"), Reason.MACROS)


def test_archives_that_unfold_to_more_than_documents_do() -> None:
    zeros = bytes(1024 * 1024)
    large = files.ooxml("docx", {f"word/media/{n}": zeros for n in range(3)})
    assert cleaned(large, media.TYPES and next(k for k, e in TYPES.items() if e == ("docx",)))
    lying = bytearray(large)
    for at in [m.start() for m in re.finditer(re.escape(b"PK\x01\x02"), large)]:
        struct.pack_into("<I", lying, at + 24, 200 * 1024 * 1024)
    refused(bytes(lying), Reason.BOMB)
    small = bytearray(large)
    for at in [m.start() for m in re.finditer(re.escape(b"PK\x01\x02"), large)]:
        struct.pack_into("<I", small, at + 24, 100)
    refused(bytes(small), Reason.BROKEN)
    refused(files.archive({str(n): b"" for n in range(10_001)}), Reason.BOMB)


def test_archives_that_are_two_things_at_once() -> None:
    document = files.ooxml()
    refused(document + b"behind", Reason.BROKEN)
    refused(b"PK\x03\x04" + document, Reason.BROKEN)
    twice = document.replace(b"word/document.xml", b"word/dacument.xml")
    end = twice.index(b"PK\x01\x02")
    entries = twice[end : twice.index(b"PK\x05\x06")]
    doubled = bytearray(twice[:end] + entries * 2 + twice[twice.index(b"PK\x05\x06") :])
    at = doubled.index(b"PK\x05\x06")
    struct.pack_into("<HHI", doubled, at + 8, 4, 4, 2 * len(entries))
    refused(bytes(doubled), Reason.BOMB)


def test_archives_that_cannot_be_unpacked() -> None:
    document = files.ooxml()
    damaged = bytearray(document)
    damaged[document.index(b"word/document.xml") + 20] ^= 0xFF
    refused(bytes(damaged), Reason.BROKEN)
    locked = bytearray(document)
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for at in [m.start() for m in re.finditer(re.escape(sign), document)]:
            locked[at + flags] |= 1
    refused(bytes(locked), Reason.TYPE)
    other = files.archive(
        {"mimetype": b"application/vnd.oasis.opendocument.text", "a": b"x"}, zipfile.ZIP_LZMA
    )
    refused(other, Reason.BROKEN)


def test_old_documents_of_any_size() -> None:
    large = files.compound("WordDocument", "1Table", "a", "b", "c", sectors=16_000)
    assert len(large) > 512 * 128 * 109, "its table of contents is found through a list of lists"
    assert cleaned(large, "application/msword") == large
    endless = bytearray(files.compound("WordDocument"))
    table = 512 + 512 * 3
    struct.pack_into("<I", endless, table, 0)
    refused(bytes(endless), Reason.BROKEN)
    refused(files.compound("WordDocument", "Workbook"), Reason.TYPE)
    refused(files.compound("EncryptedPackage"), Reason.TYPE)


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("foto.JPG", "image/jpeg", "foto.JPG"),
        ("foto.png", "image/jpeg", "foto.jpg"),
        ("joc.exe", "image/jpeg", "joc.exe.jpg"),
        ("plànol", "application/pdf", "plànol.pdf"),
        ("informe.v2", "application/pdf", "informe.v2.pdf"),
        ("dades.csv", "text/plain", "dades.csv"),
        ("pàgina.html", "text/plain", "pàgina.html.txt"),
        ("nota.docx", "application/pdf", "nota.pdf"),
        (".pdf", "application/pdf", ".pdf.pdf"),
        ("", "video/mp4", ".mp4"),
    ],
)
def test_a_name_says_what_the_file_is(name: str, kind: str, wanted: str) -> None:
    assert media.filename(name, kind) == wanted


def test_every_type_has_an_ending_of_its_own() -> None:
    first = [media.suffix(kind) for kind in TYPES]
    assert len(set(first)) == len(first)
    assert media.suffix("application/x-unknown") == ""


def test_no_decoder_is_run_on_strangers_files() -> None:
    code = "".join(p.read_text(encoding="utf-8") for p in Path(media.__file__).parent.glob("*.py"))
    assert "PIL" not in code and SECRET.decode() not in code
