"""Sources of information: looked at when due, their last good copy shown, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.core.information import Page
from connector.feeds.check import findings
from connector.feeds.fetching import Fetcher
from connector.jobs import feeds as jobs
from connector.storage import feeds
from tests.databases import BOTH, database
from tests.feeds.website import Website, answer, endless, status, website

from .rig import Citizen, Rig, rig_on_sockets

MINUTE, DAY = 60.0, 86_400.0


@pytest.fixture(scope="module", params=BOTH)
def _rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """On sockets: what is fetched here comes from websites of the test."""
    folder = tmp_path_factory.mktemp("rig")
    with database(request.param, folder) as url, rig_on_sockets(folder, url) as made:
        yield made


@pytest.fixture
def site(rig: Rig) -> Iterator[Website]:
    """A website of the town's own, and nothing else fetched, for one test."""
    runtime = rig.town
    kept = runtime.town, runtime.conversation, runtime.fetcher
    with website() as made:
        page = Page(
            key="news", title={"ca": "Notícies"}, source="feed", feed=f"{made.url}/n.rss", refresh_minutes=15
        )
        use(rig, page)
        runtime.fetcher = Fetcher(("127.0.0.1",), most=1024 * 1024)
        rig.change("DELETE FROM feed_item")
        rig.change("DELETE FROM feed")
        runtime.seen = None
        rig.later(MINUTE)  # a minute is one slot
        yield made
    runtime.town, runtime.conversation, runtime.fetcher = kept
    runtime.seen = None


def use(rig: Rig, *pages: Page) -> None:
    """The town has these pages and no others that are fetched."""
    runtime = rig.town
    keys = {p.key for p in pages}
    rest = tuple(p for p in runtime.town.pages if not p.remote and p.key not in keys)
    runtime.town = runtime.town.model_copy(update={"pages": (*rest, *pages)})
    runtime.conversation = type(runtime.conversation)(
        runtime.town, runtime.texts, runtime.conversation.new_id
    )


def rss(rig: Rig, *numbers: int, text: str = "Text") -> bytes:
    items = "".join(
        f"<item><title>Notícia {n}</title><guid>g{n}</guid><description>{text}</description>"
        f"<pubDate>{datetime.fromtimestamp(rig.now() - n * 60, UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for n in numbers
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    )


def tick(rig: Rig, seconds: float = 0.0) -> None:
    """So much later the clock ticks, twice, as it would with two replicas."""
    rig.later(seconds)
    store, town = rig.demo.service.store, rig.town
    for _ in range(2):
        store.write_now(lambda c: jobs.tick(c, town, rig.now()))
    rig.work()


def reader(rig: Rig) -> Citizen:
    return rig.citizen().accept()


def page(citizen: Citizen, key: str = "notícies") -> str:
    citizen.new()
    citizen.type(key)
    return citizen.said()[-1]


def state(rig: Rig) -> dict[str, Any]:
    (found,) = rig.demo.service.store.read_now(lambda c: feeds.every(c, rig.town.name))
    return {name: getattr(found, name) for name in ("failures", "problem", "good_at", "due_at", "whole_at")}


def outcomes(rig: Rig) -> list[str]:
    return [o for (o,) in rig.sql("SELECT outcome FROM work WHERE kind = 'feed' ORDER BY id")]


def test_a_feed_is_looked_at_when_it_is_due_and_only_what_changed_is_read(rig: Rig, site: Website) -> None:
    site.pages["/n.rss"] = rss(rig, 1, 2)
    tick(rig)
    assert site.seen("/n.rss") == 1, "two ticks, one look"
    citizen = reader(rig)
    assert "Notícia 1" in page(citizen) and "Notícia 3" not in page(citizen)
    tick(rig, 10 * MINUTE)
    assert site.seen("/n.rss") == 1, "not due yet"
    tick(rig, 8 * MINUTE)
    assert (
        site.seen("/n.rss") == 2 and site.asked[-1][1]["if-none-match"] and outcomes(rig)[-1] == "unchanged"
    )
    site.pages["/n.rss"] = rss(rig, 1, 2, 3)
    tick(rig, 18 * MINUTE)
    assert outcomes(rig)[-1] == "3 items, 1 of them new, 1 to be sent"
    assert "Notícia 3" in page(citizen)


def test_once_a_day_it_is_read_whole_whatever_it_says(rig: Rig, site: Website) -> None:
    site.pages["/n.rss"] = rss(rig, 1)
    tick(rig)
    tick(rig, DAY + 60)
    assert "if-none-match" not in site.asked[-1][1] and outcomes(rig)[-1] == "1 items, 0 of them new"


def test_a_server_without_etags_is_not_read_twice(rig: Rig, site: Website) -> None:
    content = rss(rig, 1)
    site.pages["/n.rss"] = lambda handler: answer(handler, 200, content)
    tick(rig)
    tick(rig, 18 * MINUTE)
    assert outcomes(rig)[-2:] == ["1 items, 0 of them new", "unchanged"]


BADLY: tuple[Any, ...] = (
    status(500),
    status(404),
    endless(b"x" * 65536),
    b"<html>Manteniment</html>",
    b"",
    status(302, Location="ftp://x"),
)


def test_the_last_good_copy_stays_with_its_date(rig: Rig, site: Website) -> None:
    site.pages["/n.rss"] = rss(rig, 1)
    tick(rig)
    citizen = reader(rig)
    assert "_Dades de" not in page(citizen)
    good = state(rig)["good_at"]
    for failures, badly in enumerate(BADLY, 1):
        site.pages["/n.rss"] = badly
        tick(rig, max(0.0, state(rig)["due_at"] - rig.now()) + 1)
        found = state(rig)
        assert (found["failures"], found["good_at"]) == (failures, good) and found["problem"]
    assert found["due_at"] - rig.now() > 1200, "later and later"
    assert not rig.failed() and not rig.paused(), "nothing is stopped"
    store = rig.demo.service.store
    assert [store.read_now(lambda c, at=at: len(feeds.away(c, at))) for at in (good, good + 1)] == [0, 1]  # type: ignore[misc]
    rig.later(3600)
    shown = page(citizen)
    assert "Notícia 1" in shown and "_Dades de" in shown
    site.pages["/n.rss"] = rss(rig, 1, 2)
    tick(rig, 3600)
    shown = page(citizen)
    assert state(rig)["failures"] == 0 and "_Dades de" not in shown and "Notícia 2" in shown


def test_who_asks_us_to_come_later_is_left_alone_so_long(rig: Rig, site: Website) -> None:
    site.pages["/n.rss"] = status(429, Retry_After="3000")
    tick(rig)
    assert state(rig)["due_at"] - rig.now() > 2900


def test_a_feed_that_is_away_keeps_no_other_and_no_citizen_waiting(rig: Rig, site: Website) -> None:
    site.pages |= {"/n.rss": endless(b"x" * 65536), "/o.rss": rss(rig, 7)}
    other = Page(key="other", title={"ca": "Altres"}, source="feed", feed=f"{site.url}/o.rss")
    use(rig, rig.town.town.page("news"), other)  # type: ignore[arg-type]
    tick(rig)
    citizen = reader(rig)
    assert "Notícia 7" in page(citizen, "altres") and "no t’ho podem mostrar" in page(citizen)


def test_what_is_news_since_a_time_is_told_once_and_never_what_was_there_from_the_start(
    rig: Rig, site: Website
) -> None:
    def news(since: float) -> list[str]:
        known = rig.demo.service.store.read_now(lambda c: feeds.news(c, rig.town.name, "news", since))
        return [k.item.title for k in known]

    site.pages["/n.rss"] = rss(rig, 1, 2)
    tick(rig)
    assert news(0) == [], "a new channel does not begin with last year's news"
    began = rig.now()
    site.pages["/n.rss"] = rss(rig, 1, 2, 3, text="Un altre text")
    tick(rig, 18 * MINUTE)
    assert news(0) == news(began) == ["Notícia 3"] and news(rig.now()) == []
    site.pages["/n.rss"] = rss(rig, 3)
    tick(rig, 18 * MINUTE)
    site.pages["/n.rss"] = rss(rig, 1, 3)
    tick(rig, 18 * MINUTE)
    assert news(began) == ["Notícia 3"], "what comes back is not new"
    store = rig.demo.service.store
    assert store.write_now(lambda c: feeds.forget(c, rig.now() - 1000)) == 1, "2 left long ago"
    assert store.write_now(lambda c: feeds.forget(c, rig.now())) == 0, "what is listed is never forgotten"


def test_another_address_is_another_source(rig: Rig, site: Website) -> None:
    site.pages |= {"/n.rss": rss(rig, 1), "/m.rss": rss(rig, 2, 3)}
    tick(rig)
    here = rig.town.town.page("news")
    assert here is not None
    use(rig, here.model_copy(update={"feed": f"{site.url}/m.rss"}))
    rig.town.seen = None
    citizen = reader(rig)
    assert "no t’ho podem mostrar" in page(citizen), "never the other one's content"
    tick(rig, MINUTE)
    assert "Notícia 2" in page(citizen) and "Notícia 1" not in page(citizen)
    assert not rig.demo.service.store.read_now(lambda c: feeds.news(c, rig.town.name, "news", 0))


def test_an_address_that_does_not_answer_shows_nothing_of_the_one_before(rig: Rig, site: Website) -> None:
    site.pages["/n.rss"] = rss(rig, 1)
    tick(rig)
    here = rig.town.town.page("news")
    assert here is not None
    use(rig, here.model_copy(update={"feed": f"{site.url}/nowhere.rss"}))
    tick(rig, MINUTE)
    assert state(rig)["failures"] == 1 and "no t’ho podem mostrar" in page(reader(rig))


def test_a_source_whose_turn_has_not_come_is_not_asked_for_again(rig: Rig, site: Website) -> None:
    store, town = rig.demo.service.store, rig.town
    for _ in range(3):
        store.write_now(lambda c: jobs.tick(c, town, rig.now()))
        rig.ahead += 2 * MINUTE
    rig.work()
    assert site.seen("/n.rss") == 1


def test_what_is_published_during_a_look_is_found_by_the_next(rig: Rig, site: Website) -> None:
    store, town = rig.demo.service.store, rig.town

    def published_meanwhile(handler: Any) -> None:
        content = rss(rig, 1)
        site.pages["/n.rss"] = rss(rig, 1, 2)
        rig.loop.call_soon_threadsafe(lambda: store.submit(lambda c: jobs.soon(c, town, rig.now())))
        answer(handler, 200, content)

    site.pages["/n.rss"] = published_meanwhile
    tick(rig)
    assert "Notícia 2" in page(reader(rig))


def test_a_page_that_left_the_mapping_ends_its_row(rig: Rig, site: Website) -> None:
    store, town = rig.demo.service.store, rig.town
    store.write_now(lambda c: jobs.tick(c, town, rig.now()))
    use(rig)
    rig.work()
    assert outcomes(rig)[-1] == "the mapping has this source no more"


def test_the_trackers_news_and_wiki(rig: Rig, site: Website) -> None:
    use(
        rig,
        Page(key="tn", title={"ca": "Novetats"}, source="tracker-news"),
        Page(key="tw", title={"ca": "Guia"}, source="tracker-wiki", wiki="Wiki"),
        Page(key="gone", title={"ca": "Perduda"}, source="tracker-wiki", wiki="Nope"),
    )
    tick(rig)
    citizen = reader(rig)
    news = rig.staff("oac").http.get("/projects/atencio-ciutadana/news.json").json()["news"]
    shown = page(citizen, "novetats")
    assert all(n["title"] in shown for n in news) and rig.url not in shown, "citizens cannot open the tracker"
    wiki = rig.staff("oac").http.get("/projects/atencio-ciutadana/wiki/Wiki.json").json()["wiki_page"]
    shown = page(citizen, "guia")
    assert wiki["text"].split()[-1].strip(".*") in shown and "h1." not in shown
    assert "no t’ho podem mostrar" in page(citizen, "perduda")
    problems = {
        f.name: f.problem for f in rig.demo.service.store.read_now(lambda c: feeds.every(c, rig.town.name))
    }
    assert not problems["tn"] and not problems["tw"] and problems["gone"]


def test_the_check_says_which_source_cannot_be_shown_and_where(rig: Rig, site: Website) -> None:
    site.pages |= {"/n.rss": rss(rig, 1), "/html": b"<html><title>x</title></html>", "/empty": rss(rig)}
    runtime = rig.town
    pages = [
        Page(key=key, title={"ca": key}, source=source, feed=feed, wiki="Nope")  # type: ignore[arg-type]
        for key, source, feed in (
            ("good", "feed", f"{site.url}/n.rss"), ("html", "feed", f"{site.url}/html"), ("ics", "calendar", f"{site.url}/html"),
            ("none", "feed", f"{site.url}/nope"), ("empty", "feed", f"{site.url}/empty"), ("wiki", "tracker-wiki", ""),
        )
    ]  # fmt: skip
    town = runtime.town.model_copy(update={"pages": tuple(pages)})
    found = rig.loop.run_until_complete(findings(town, runtime.tracker, runtime.fetcher))
    assert [(f.severity, f.key) for f in found] == [
        ("warning", f"pages[{n}].{'source' if n == 5 else 'feed'}") for n in range(1, 6)
    ]
    said = [f"{f.problem} {f.mend}" for f in found]
    for words, one in zip(
        ("no RSS", "no iCalendar", "nothing at this address", "no items", "module Wiki"), said, strict=True
    ):
        assert words in one
    private = rig.loop.run_until_complete(findings(town, runtime.tracker, Fetcher()))
    assert "feeds.private_hosts" in private[0].mend
