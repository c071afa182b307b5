"""One mistake in pages, offices, holidays or alerts gives one finding, at its line, with a mend that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_mapping import TOWN, Mistake, findings

MORE = """
[[pages]]
key = "news"
source = "feed"
feed = "https://www.example.org/n.rss"
title = { ca = "Notícies", es = "Noticias" }

[[pages]]
key = "open"
source = "hours"
title = { ca = "Obert", es = "Abierto" }

[[pages]]
key = "procedures"
title = { ca = "Tràmits", es = "Trámites" }
[[pages.items]]
key = "register"
title = { ca = "Padró", es = "Padrón" }
text = { ca = "Text", es = "Texto" }
url = "https://www.example.org/padro"
words = ["empadronament"]
[[pages.items]]
key = "works"
title = { ca = "Obres", es = "Obras" }

[[offices]]
key = "oac"
name = { ca = "Oficina", es = "Oficina" }
words = ["ajuntament"]
week = ["mon-fri 9:00-14:00"]
seasons = [{ since = "08-01", until = "08-31", week = ["mon 9:00-13:00"] }]
days = [{ date = "12-24", hours = ["9:00-12:00"] }]

[holidays]
country = "ES"
region = "CT"
local = [{ date = 2026-09-16, name = { ca = "Festa", es = "Fiesta" } }]

[[alerts]]
text = { ca = "Compte", es = "Cuidado" }
since = 2026-11-24T08:00:00
until = 2026-11-25

[emergency]
words = ["riera desbordada"]
hours = 6
"""
BASE = TOWN + MORE
MISTAKES = [
    Mistake("page without content", 'body = { ca = "De 9 a 14 h", es = "De 9 a 14 h" }\n', "", "pages[0]", "[[pages]]", ("says nothing", "body")),
    Mistake("unknown source", 'source = "feed"', 'source = "rss"', "pages[1].source", 'source = "rss"', ('"feed"', '"calendar"')),
    Mistake("feed without address", 'feed = "https://www.example.org/n.rss"\n', "", "pages[1].source", 'source = "feed"', ("where that is", "feed =")),
    Mistake("feed that is no address", "https://www.example.org/n.rss", "www.example.org/n.rss", "pages[1].feed", "feed = ", ("no web address",)),
    Mistake("feed on an open line", "https://www.example.org/n.rss", "http://www.example.org/n.rss", "pages[1].feed", "feed = ", ("not encrypted", "https"), "warning"),
    Mistake("wiki without its page", 'source = "feed"\nfeed = "https://www.example.org/n.rss"', 'source = "tracker-wiki"', "pages[1].source", 'source = "tracker-wiki"', ("which page", "wiki")),
    Mistake("key of another source", 'source = "feed"\n', 'source = "feed"\nwiki = "Inici"\n', "pages[1].wiki", "wiki =", ("never used",), "warning"),
    Mistake("alerts of what has no items", 'source = "hours"', 'source = "hours"\nalerts = true', "pages[2].alerts", "alerts = true", ("no items",), "warning"),
    Mistake("too many items", 'source = "feed"\n', 'source = "feed"\nshow = 20\n', "pages[1].show", "show = 20", ("at most 8",)),
    Mistake("looked at too often", 'source = "feed"\n', 'source = "feed"\nrefresh_minutes = 1\n', "pages[1].refresh_minutes", "refresh_minutes", ("at least 5",)),
    Mistake("same entry twice", 'key = "works"', 'key = "register"', "pages[3].items[1].key", 'key = "register"\ntitle = { ca = "Obres"', ("already the key on line",)),
    Mistake("unknown key of an entry", 'words = ["empadronament"]', 'word = ["empadronament"]', "pages[3].items[0].word", "word =", ("did you mean «words»?",)),
    Mistake("entry too long", '"Text", es = "Texto"', f'"{"a" * 3600}", es = "Texto"', "pages[3].items[0].text.ca", "aaaa", ("3600", "by 100")),
    Mistake("entry's address", "https://www.example.org/padro", "padro", "pages[3].items[0].url", 'url = "padro"', ("no web address",)),
    Mistake("entry hidden by an option", '"empadronament"', '"queixa"', "pages[3].items[0].words[0]", 'words = ["queixa"]\n[[pages.items]]', ("gets what is on line",), "warning"),
    Mistake("entry hidden by a command", '"empadronament"', '"ajuda"', "pages[3].items[0].words[0]", '"ajuda"', ("is a command",), "warning"),
    Mistake("no hours", '"mon-fri 9:00-14:00"', '"mon-fri 9-14"', "offices[0].week", "9-14", ("are no hours", "mon-fri 9:00-14:00")),
    Mistake("no day of the week", '"mon 9:00-13:00"', '"dilluns 9:00-13:00"', "offices[0].seasons[0].week", "dilluns", ("are no days", "mon, tue")),
    Mistake("no day of the year", '"08-31"', '"31-08"', "offices[0].seasons[0].until", "31-08", ("is no day", "12-24")),
    Mistake("hours that overlap", '["9:00-12:00"]', '["9:00-12:00", "11:00-13:00"]', "offices[0].days[0].hours", "11:00", ("overlap",)),
    Mistake("offices nobody sees", 'source = "hours"', 'body = { ca = "x", es = "x" }', "offices[0]", "[[offices]]", ("no page shows", 'source = "hours"'), "warning"),
    Mistake("no holidays", 'country = "ES"\nregion = "CT"\nlocal = [{ date = 2026-09-16, name = { ca = "Festa", es = "Fiesta" } }]', "", "offices[0]", "[[offices]]", ("no public holidays", "[holidays]"), "warning"),
    Mistake("country", 'country = "ES"', 'country = "Espanya"', "holidays.country", "Espanya", ("no holidays are known", "two letters")),
    Mistake("region", 'region = "CT"', 'region = "CAT"', "holidays.region", "CAT", ("no region", "did you mean «CT»?")),
    Mistake("region without country", 'country = "ES"\n', "", "holidays.region", "region", ("needs its country",)),
    Mistake("alert that ends first", "until = 2026-11-25", "until = 2026-11-23", "alerts[0].until", "until = 2026-11-23", ("ends before it begins",)),
    Mistake("alert without end", "until = 2026-11-25\n", "", "alerts[0].until", "[[alerts]]", ("is missing", "local time")),
    Mistake("alert too long", '"Compte"', f'"{"a" * 301}"', "alerts[0].text.ca", "aaaa", ("at most 300", "by 1")),
    Mistake("emergency word in everything", '"riera desbordada"', '"ai"', "emergency.words[0]", '"ai"', ("too much",)),
]  # fmt: skip


def test_the_base_is_right(tmp_path: Path) -> None:
    assert findings(BASE, tmp_path) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_one_mistake_one_finding(mistake: Mistake, tmp_path: Path) -> None:
    assert mistake.old in BASE
    head, _, tail = BASE.partition(mistake.old)
    text = head + mistake.new + tail
    found = findings(text, tmp_path)
    assert [(f.severity, f.key) for f in found] == [(mistake.severity, mistake.key)]
    assert found[0].line == text[: text.index(mistake.at)].count("\n") + 1
    said = f"{found[0].problem} — {found[0].mend}"
    for words in mistake.words:
        assert words in said


def test_offices_without_an_hours_page_and_the_other_way_round(tmp_path: Path) -> None:
    start, end = BASE.index("[[offices]]"), BASE.index("[holidays]")
    (found,) = findings(BASE[:start] + BASE[end:], tmp_path)
    assert found.key == "pages[2].source" and "no offices" in found.problem
