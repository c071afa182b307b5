"""The town's website in the demo, and the desk's way to publish on it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from page_support import STAFF, Stage, until

from connector.feeds import agenda, news


@pytest.fixture
def web(stage: Stage) -> httpx.Client:
    return httpx.Client(base_url=stage.url, headers={"X-Desk-User": STAFF[0]}, timeout=20)


def titles(web: httpx.Client, feed: str) -> list[str]:
    return [i.title for i in news.read(web.get(f"/site/{feed}.rss").content)]


def test_what_is_published_is_in_the_feed_at_once(stage: Stage, web: httpx.Client) -> None:
    before = titles(web, "noticies")
    piece = {"title": "Mercat nou & fira", "text": "Dissabte.\nA la *plaça*.", "link": "", "alert": False}
    assert web.post("/desk/publish", json=piece).status_code == 201
    found = news.read(web.get("/site/noticies.rss").content)
    assert [i.title for i in found] == ["Mercat nou & fira", *before]
    assert "Dissabte. A la ∗plaça∗." in found[0].summary and found[0].url.startswith(
        "https://www.example.org/noticies/"
    )
    until("the connector is told", lambda: stage.published == 1)


def test_an_alert_is_a_notice_with_its_category(web: httpx.Client) -> None:
    alert = {
        "title": "Vent fort",
        "text": "Queda’t a casa",
        "link": "https://www.example.org/vent",
        "alert": True,
    }
    web.post("/desk/publish", json=alert)
    first, *rest = news.read(web.get("/site/avisos.rss").content)
    assert (first.title, first.url, first.categories) == ("Vent fort", alert["link"], ("Alerta",))
    assert rest and not any(i.categories for i in rest) and "Vent fort" not in titles(web, "noticies")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"title": " "}, ["title"]), ({"title": "x" * 121}, ["title"]), ({"text": ""}, ["text"]), ({"text": "x" * 1501}, ["text"]),
        ({"link": "javascript:alert(1)"}, ["link"]), ({"link": "www.example.org"}, ["link"]), ({"title": None, "text": []}, ["title", "text"]),
    ],
)  # fmt: skip
def test_what_cannot_be_published(
    stage: Stage, web: httpx.Client, change: dict[str, Any], wrong: list[str]
) -> None:
    answer = web.post("/desk/publish", json={"title": "a", "text": "b", "link": "", "alert": False} | change)
    assert (answer.status_code, answer.json()) == (422, {"wrong": wrong})
    for body in (b"", b"[]", b"{", b"x" * 100_000):
        assert web.post("/desk/publish", content=body).status_code == 422
    assert stage.published == 0


def test_only_staff_publish(stage: Stage, web: httpx.Client) -> None:
    for who in ("", "nobody", "admin"):
        assert (
            web.post(
                "/desk/publish", json={"title": "a", "text": "b"}, headers={"X-Desk-User": who}
            ).status_code
            == 403
        )
    assert stage.published == 0


@pytest.mark.parametrize("path", ["noticies.rss", "avisos.rss", "agenda.ics"])
def test_who_has_the_document_is_told_so(web: httpx.Client, path: str) -> None:
    first = web.get(f"/site/{path}")
    again = web.get(f"/site/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"") and first.headers["Last-Modified"].endswith("GMT")


def test_the_agenda_has_something_this_week(stage: Stage, web: httpx.Client) -> None:
    found = agenda.read(web.get("/site/agenda.ics").content, "utf-8", "Europe/Madrid", stage.site._began)
    assert {"Mercat setmanal", "L’hora del conte", "Concert de la coral", "Fira d’artesans"} == {
        i.title for i in found
    }
    assert all(i.at and i.at < stage.site._began + 8 * 86_400 for i in found[:4])
