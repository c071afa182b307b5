"""Redmine's news and wiki, on the stand-in and on a real one: what is there, and what our account may not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.core.errors import ConnectorError, Forbidden, Gone, Misconfigured
from connector.core.ports import Publications
from connector.trackers.redmine import RedmineTracker

from . import support
from .test_redmine_standin import Server


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, free_port: int) -> Iterator[str]:
    if request.param == "real":
        yield request.getfixturevalue("redmine").url
        return
    with Server(free_port) as server:
        yield server.url


@pytest.fixture
def tracker(url: str) -> RedmineTracker:
    return support.tracker(url)


def test_the_newest_news_first(url: str, tracker: RedmineTracker) -> None:
    assert isinstance(tracker, Publications)
    found = tracker.news("atencio-ciutadana", 30)
    assert [n.title for n in found if n.title in ("Festa Major", "Recollida de mobles vells")] == [
        "Recollida de mobles vells",
        "Festa Major",
    ]
    feast = next(n for n in found if n.title == "Festa Major")
    assert feast.text == "Ja es pot consultar el programa de la *Festa Major*."
    assert feast.summary == "Programa disponible" and feast.key.startswith("news ")
    assert feast.at > 1_700_000_000 and len(tracker.news("atencio-ciutadana", 1)) == 1


def test_a_page_of_the_wiki(url: str, tracker: RedmineTracker) -> None:
    page = tracker.wiki("atencio-ciutadana", "Wiki")
    assert page.title == "Wiki" and "Horari de l'OAC" in page.text and page.at > 1_700_000_000
    with pytest.raises(Gone):
        tracker.wiki("atencio-ciutadana", "No hi és/../x?y")


def test_what_our_account_may_not_see(url: str, tracker: RedmineTracker) -> None:
    for project in ("obres-i-serveis", "no-such-project"):
        for ask in (lambda p=project: tracker.news(p, 5), lambda p=project: tracker.wiki(p, "Wiki")):  # type: ignore[misc]
            with pytest.raises((Forbidden, Gone, Misconfigured)):
                ask()
    wrong: Any = support.tracker(url, api_key="00" * 20)
    with pytest.raises(ConnectorError):
        wrong.news("atencio-ciutadana", 5)
