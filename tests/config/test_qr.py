"""The link, the code and the poster with which people start, read as a telephone reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from PIL import Image

from connector.commands.qr import poster
from connector.commands.qr.start import start
from connector.core.errors import Misconfigured
from connector.texts import available, built_in
from tests.e2e.way import port

from .sides import Others, lay_out, run
from .test_init import at_a_terminal

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LONG = (
    "Consell Comarcal de la Vall Fosca i Mancomunitat de Municipis de l’Alt Pirineu i de la Cerdanya Sobirana"
)


def read(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def sentences(*languages: str) -> list[poster.Sentences]:
    keys = ("call", "how", "what", "emergency")
    return [
        poster.Sentences(*(built_in(c)[f"poster.{k}"].format(hello="Hola") for k in keys)) for c in languages
    ]


def test_the_command_writes_what_a_telephone_can_read(others: Others, tmp_path: Path) -> None:
    file = lay_out(tmp_path, {}, others.url, port())
    made = run("qr", "--config", str(file), "--folder", str(tmp_path / "out"), "--json")
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert said["link"] == "https://wa.me/34600000100?text=Hola", "the number was asked from WhatsApp"
    svg, png = (Path(f) for f in said["files"])
    assert (svg.name, png.name) == ("town-qr.svg", "town-poster.png")
    with Image.open(png) as image:
        assert image.size == (2480, 3508) and round(image.info["dpi"][0]) == 300
        assert read(image) == [said["link"]]
        small = image.resize((620, 877))
    assert read(small) == [said["link"]], "also printed small, or from afar"
    assert svg.read_bytes().startswith(b"<?xml")


def test_another_number_and_another_word(others: Others, tmp_path: Path) -> None:
    file = lay_out(tmp_path, {}, "http://127.0.0.1:9", port())
    made = start(file, tmp_path, "+34 600-000-101", "Bon dia! Què tal & més?")
    assert made.link == "https://wa.me/34600000101?text=Bon%20dia%21%20Qu%C3%A8%20tal%20%26%20m%C3%A9s%3F"
    with Image.open(made.files[1]) as image:
        assert read(image) == [made.link]


@pytest.mark.parametrize("number", ["600", "34 600", "un número", "3" * 20])
def test_what_is_no_number_is_refused(others: Others, tmp_path: Path, number: str) -> None:
    file = lay_out(tmp_path, {}, others.url, port())
    with pytest.raises(Misconfigured, match="is no telephone number"):
        start(file, tmp_path, number, "Hola")


@pytest.mark.parametrize(
    ("name", "languages"), [("Ajuntament de Prova", ["ca"]), (LONG, available()), ("Ajuntament" * 6, ["ca"])]
)
def test_whatever_the_name_nothing_leaves_the_page_or_covers_the_code(
    name: str, languages: list[str]
) -> None:
    address = poster.link("34600000100", "Hola")
    page = Image.open(io.BytesIO(poster.poster_png(name, "+34 600 000 100", address, sentences(*languages))))
    assert read(page) == [address]
    for edge in ((0, 0, 90, page.height), (page.width - 90, 0, page.width, page.height)):
        colours = page.crop(edge).getcolors()
        assert colours is not None and len(colours) == 2, "only band and paper at the edges"
    code = page.crop((600, 1050, page.width - 600, 2200)).getcolors()
    assert code is not None and len(code) == 2, "sharp modules"
    assert page.crop((0, page.height - 40, page.width, page.height)).getcolors(1)


def test_at_a_terminal_the_code_can_be_tried_at_once(others: Others, tmp_path: Path) -> None:
    file = lay_out(tmp_path, {}, others.url, port())
    shown = at_a_terminal(["qr", "--config", str(file), "--folder", str(tmp_path)], [])
    assert "▀" in shown and "https://wa.me/34600000100?text=Hola" in shown
    assert (tmp_path / "town-poster.png").exists()


@pytest.mark.real
@pytest.mark.browser
def test_a_browser_shows_the_code_as_it_should_be(chromium: Browser, tmp_path: Path) -> None:
    address = poster.link("34600000100", "Hola")
    (tmp_path / "code.svg").write_bytes(poster.code_svg(address))
    assert b'width="410"' in poster.code_svg(address), "33 modules, and four of white on each side"
    page = chromium.new_page()
    page.goto((tmp_path / "code.svg").as_uri())
    assert read(Image.open(io.BytesIO(page.screenshot()))) == [address]
    page.close()
