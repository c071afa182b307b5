"""One mistake in topics, their templates or how broadcasts are sent gives one finding, at its line, with a mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_mapping import TOWN, Mistake, findings

MORE = """
[[menu]]
key = "subscribe"
kind = "topics"
title = { ca = "Notícies", es = "Noticias" }

[[pages]]
key = "news"
source = "feed"
feed = "https://www.example.org/n.rss"
title = { ca = "Actualitat", es = "Actualidad" }

[[topics]]
key = "all"
title = { ca = "Tot", es = "Todo" }
pages = ["news"]

[[topics]]
key = "near"
category = "utility"
title = { ca = "El meu barri", es = "Mi barrio" }
areas = [
  { key = "nord", title = { ca = "Nord", es = "Norte" } },
  { key = "sud", title = { ca = "Sud", es = "Sur" } },
]

[broadcasts]
hours = "8:00-21:00"
a_day = 2
approval = "news"
"""
BASE = (
    TOWN.replace('answer = "hi_ha_resposta"', 'answer = "hi_ha_resposta"\nnews = "noticia"\nnotice = "avis"')
    + MORE
)
MISTAKES = [
    Mistake("a page that is not there", 'pages = ["news"]', 'pages = ["new"]', "topics[0].pages[0]", "pages = [", ("no page", "did you mean «news»?")),
    Mistake("a page without anything new", 'pages = ["news"]', 'pages = ["hours"]', "topics[0].pages[0]", "pages = [", ("nothing new", "by hand")),
    Mistake("same topic twice", 'key = "near"', 'key = "all"', "topics[1].key", 'key = "all"\ncategory', ("already the key on line",)),
    Mistake("a reserved key", 'key = "near"', 'key = "stop"', "topics[1].key", 'key = "stop"', ("connector's own",)),
    Mistake("same area twice", 'key = "sud", title = { ca = "Sud"', 'key = "nord", title = { ca = "Sud"', "topics[1].areas[1].key", '  { key = "nord", title = { ca = "Sud"', ("already the key on line",)),
    Mistake("a title that is too long", '"Tot"', f'"{"a" * 25}"', "topics[0].title.ca", "aaaa", ("at most 24", "by 4")),
    Mistake("an area's title that is too long", '"Sud"', f'"{"a" * 25}"', "topics[1].areas[1].title.ca", '  { key = "sud"', ("at most 24", "by 4")),
    Mistake("unknown category", 'category = "utility"', 'category = "urgent"', "topics[1].category", "category =", ('"marketing" or "utility"',)),
    Mistake("nobody sees them", 'kind = "topics"', 'kind = "request"', "topics[0]", "[[topics]]", ("no menu option leads here",), "warning"),
    Mistake("no template for them", 'news = "noticia"\n', "", "topics[0]", "[[topics]]", ("within 24 hours", "templates push"), "warning"),
    Mistake("no name of a template", '"noticia"', '"Notícia"', "templates.news", "news = ", ("no name of a template",)),
    Mistake("two templates of one name", '"avis"', '"noticia"', "templates.notice", "notice = ", ("templates.news, too",)),
    Mistake("no hours", '"8:00-21:00"', '"8-21"', "broadcasts.hours", '"8-21"', ("are no hours",)),
    Mistake("too many a day", "a_day = 2", "a_day = 50", "broadcasts.a_day", "a_day = 50", ("at most 10",)),
    Mistake("unknown approval", '"news"\n', '"yes"\n', "broadcasts.approval", '"yes"', ('"none", "news" or "all"',)),
]  # fmt: skip


def test_the_base_is_right(tmp_path: Path) -> None:
    assert findings(BASE, tmp_path) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_one_mistake_one_finding(mistake: Mistake, tmp_path: Path) -> None:
    head, found, tail = BASE.rpartition(mistake.old)
    assert found
    text = head + mistake.new + tail
    seen = findings(text, tmp_path)
    assert [(f.severity, f.key) for f in seen] == [(mistake.severity, mistake.key)], seen
    assert seen[0].line == text[: text.index(mistake.at)].count("\n") + 1
    said = f"{seen[0].problem} — {seen[0].mend}"
    for words in mistake.words:
        assert words in said


def test_an_option_that_leads_to_nothing(tmp_path: Path) -> None:
    start, end = BASE.index("[[topics]]"), BASE.index("[broadcasts]")
    (found,) = findings(BASE[:start] + BASE[end:], tmp_path)
    assert found.key == "menu[3].kind" and "no topics" in found.problem


def test_what_is_agreed_to_must_be_whole(tmp_path: Path) -> None:
    address = "https://www.example.org/" + "a" * 700
    text = BASE.replace("https://www.example.org/dades", address)
    assert {f.key for f in findings(text, tmp_path)} >= {"topics[0].title"}
