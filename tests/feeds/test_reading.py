"""What real feeds look like, and what they should never do to us."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.board import Item
from connector.core.errors import Rejected
from connector.feeds import agenda, items, news, reading, webpage
from tests.fuzz import examples

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC).timestamp()
MADRID = "Europe/Madrid"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>T</title><link>https://www.example.org</link>'


def item(n: int, more: str = "", text: str = "Text") -> str:
    return (
        f"<item><title>Notícia {n}</title><link>https://www.example.org/{n}</link><guid>g{n}</guid>"
        f"<pubDate>Tue, {24 - n:02} Nov 2026 10:00:00 +0100</pubDate><description>{text}</description>{more}</item>"
    )


def rss(*parts: str, encoding: str = "utf-8") -> bytes:
    return f"{HEAD}{''.join(parts)}</channel></rss>".encode(encoding)


def titles(content: bytes, **more: str) -> list[str]:
    return [i.title for i in news.read(content, **more)]


# --- RSS and Atom ----------------------------------------------------------------------------------


def test_rss_newest_first_with_everything() -> None:
    read = news.read(
        rss(item(3), item(1, "<category>Cultura</category><category>Música</category>"), item(2))
    )
    assert [i.title for i in read] == ["Notícia 1", "Notícia 2", "Notícia 3"]
    first = read[0]
    assert (first.summary, first.text, first.url) == ("Text", "", "https://www.example.org/1")
    assert first.at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC).timestamp()
    assert first.categories == ("Cultura", "Música")


def test_atom_with_relative_links_and_html() -> None:
    feed = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.example.org/a/">
      <title>T</title><id>urn:x</id><updated>2026-11-24T10:00:00Z</updated>
      <entry><title type="html">Fira &lt;b&gt;2026&lt;/b&gt; &amp;amp; mercat</title><id>urn:1</id><link href="fira"/>
      <published>2026-11-23T08:30:00+01:00</published><updated>2026-11-24T10:00:00Z</updated>
      <content type="html">&lt;p&gt;Hi haur\xc3\xa0 &lt;strong&gt;parades&lt;/strong&gt; i &lt;a href="mapa"&gt;un mapa&lt;/a&gt;.&lt;/p&gt;
      &lt;ul&gt;&lt;li&gt;Dissabte&lt;/li&gt;&lt;li&gt;Diumenge&lt;/li&gt;&lt;/ul&gt;&lt;script&gt;alert(1)&lt;/script&gt;</content></entry></feed>"""
    (found,) = news.read(feed, url="https://www.example.org/atom")
    assert found.title == "Fira 2026 & mercat" and found.url == "https://www.example.org/a/fira"
    assert found.at == datetime(2026, 11, 23, 7, 30, tzinfo=UTC).timestamp()
    whole = found.text or found.summary
    assert "Hi haurà *parades* i un mapa (https://www.example.org/a/mapa)." in whole
    assert "- Dissabte" in whole and "alert" not in whole and "<" not in whole


def test_links_are_seen_from_the_feed_and_ids_are_not() -> None:
    one = rss(
        item(1, text="&lt;a href='/mapa'&gt;mapa&lt;/a&gt;").replace("https://www.example.org/1", "n/1")
    )
    here, there = (
        news.read(one, url="https://www.example.org/a/b.rss"),
        news.read(one, url="http://example.org/c.rss"),
    )
    assert (
        here[0].url == "https://www.example.org/a/n/1" and "(https://www.example.org/mapa)" in here[0].summary
    )
    assert there[0].url == "http://example.org/n/1" and there[0].id == here[0].id


def test_rss_1_and_items_without_dates_stay_in_their_order() -> None:
    feed = b"""<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
      <channel rdf:about="x"><title>T</title><link>https://www.example.org</link></channel>
      <item rdf:about="https://www.example.org/b"><title>B</title><link>https://www.example.org/b</link></item>
      <item rdf:about="https://www.example.org/a"><title>A</title><link>https://www.example.org/a</link></item></rdf:RDF>"""
    assert titles(feed) == ["B", "A"]


def test_an_item_keeps_its_id_when_its_text_changes_and_two_feeds_agree_on_it() -> None:
    (before,), (after,) = news.read(rss(item(1))), news.read(rss(item(1, text="Un altre text")))
    assert before.id == after.id and before != after and len(before.id) == 16
    assert len(news.read(rss(item(1), item(1)))) == 1, "one that is there twice is one"
    assert news.read(rss(item(2)))[0].id != before.id


@pytest.mark.parametrize(
    "content",
    [
        rss(item(1), item(2), item(3)).replace(b"Text", b"Pa & vi <b>dolent", 1),
        rss(item(1), item(2), item(3))[:-40],
        rss(item(1), item(2), item(3)).replace(b"</guid>", b"", 1),
        b"\n\n  " + rss(item(1), item(2), item(3)),
        rss(item(1), item(2), item(3)).replace(b"Text", b"Text \x0b\x02", 1),
        rss(item(1), item(2), item(3, text="&nbsp;&eacute;&middot;")),
    ],
    ids=["tags", "cut off", "not closed", "space in front", "control characters", "entities"],
)
def test_broken_xml_is_read_as_far_as_it_goes(content: bytes) -> None:
    assert "Notícia 1" in titles(content) and len(titles(content)) >= 2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (rss(item(1), encoding="latin-1"), "application/rss+xml"),
        (rss(item(1), encoding="latin-1").replace(b"UTF-8", b"ISO-8859-1"), "text/xml"),
        (rss(item(1), encoding="cp1252"), "application/rss+xml; charset=utf-8"),
        (rss(item(1)).replace(b"UTF-8", b"ISO-8859-1"), "application/rss+xml; charset=utf-8"),
        (b"\xef\xbb\xbf" + rss(item(1)), ""),
        (rss(item(1), encoding="utf-16").replace("UTF-8".encode("utf-16-le"), "UTF-16".encode("utf-16-le")), ""),
        (rss(item(1)).replace(b"UTF-8", b"no-such-thing"), ""),
    ],
    ids=["latin-1 called utf-8", "latin-1", "windows called utf-8", "utf-8 called latin-1", "mark", "utf-16", "unknown"],
)  # fmt: skip
def test_wrong_encodings(content: bytes, kind: str) -> None:
    assert titles(content, kind=kind) == ["Notícia 1"]


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>404</body></html>", b"\x00\xff" * 50, b"{}", b"<rss", b"BEGIN:VCALENDAR"]
)
def test_what_is_no_feed_says_so(content: bytes) -> None:
    with pytest.raises(items.Unread, match="no RSS or Atom"):
        news.read(content)


def test_an_empty_feed_is_empty_and_no_mistake() -> None:
    assert news.read(rss()) == []


def test_texts_are_inert_one_line_where_they_should_be_and_cut() -> None:
    text = "&lt;p&gt;*no* _és_ ~meu~ ```codi```&lt;/p&gt;" + "paraula " * 2000
    content = rss(item(1, text=text)).replace(
        "Notícia 1".encode(), b"Un *t\xc3\xadtol*\n llarg " + b"x" * 300
    )
    (found,) = news.read(content)
    assert len(found.title) <= items.TITLE and "\n" not in found.title and "*" not in found.title
    assert len(found.summary) <= items.SUMMARY and len(found.text) <= items.TEXT
    assert not any(mark in found.text for mark in ("*no", "_és", "~meu", "```")), (
        "marks of others format nothing"
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://www.example.org/",
        "https://" + "x" * 3000,
        "https://a b",
        "data:text/html,x",
    ],
)
def test_links_are_web_addresses_or_none(url: str) -> None:
    assert items.web_address(url) == ""
    assert items.web_address(" https://www.example.org/à?b=1#c ") == "https://www.example.org/à?b=1#c"


def test_impossible_dates_are_none() -> None:
    for date in ("Mon, 99 Foo 2026", "0000-00-00", "Tue, 24 Nov 9999 10:00:00 GMT", "ahir"):
        content = rss(item(1)).replace(b"Tue, 23 Nov 2026 10:00:00 +0100", date.encode())
        assert news.read(content)[0].at is None


def test_a_long_feed_is_read_at_both_ends() -> None:
    many = [
        f"<item><title>N{n}</title><guid>{n}</guid><pubDate>{datetime.fromtimestamp(NOW - n * 3600, UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for n in range(1000)
    ]
    assert titles(rss(*many))[:3] == ["N0", "N1", "N2"] == titles(rss(*reversed(many)))[:3]


# --- iCalendar -------------------------------------------------------------------------------------


def ics(*events: str, head: str = "") -> bytes:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + head + "".join(events) + "END:VCALENDAR\r\n"
    ).encode()


def vevent(*lines: str) -> str:
    return "BEGIN:VEVENT\r\n" + "\r\n".join(lines) + "\r\nEND:VEVENT\r\n"


def dates(content: bytes, now: float = NOW, **more: str) -> list[tuple[str, str]]:
    """Title and local beginning of each event."""
    read = agenda.read(content, more.get("charset", ""), MADRID, now)
    return [(i.title, f"{datetime.fromtimestamp(i.at or 0, ZoneInfo(MADRID)):%d/%m %H:%M}") for i in read]


WEEKLY = vevent("UID:m", "SUMMARY:Mercat", "DTSTART;TZID=Europe/Madrid:20260103T090000", "DTEND;TZID=Europe/Madrid:20260103T140000", "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Madrid:20261205T090000")  # fmt: skip


def test_a_weekly_event_keeps_its_hour_over_the_change_of_the_clock_and_its_exceptions() -> None:
    october = datetime(2026, 10, 20, tzinfo=UTC).timestamp()
    found = dates(ics(WEEKLY), october)
    assert found[:3] == [("Mercat", "24/10 09:00"), ("Mercat", "31/10 09:00"), ("Mercat", "07/11 09:00")]
    assert ("Mercat", "05/12 09:00") not in found and ("Mercat", "12/12 09:00") in found


def test_occurrences_have_ids_of_their_own_that_stay() -> None:
    first, later = (agenda.read(ics(WEEKLY), "", MADRID, NOW + n * 86_400) for n in (0, 8))
    assert len({i.id for i in first}) == len(first)
    assert {i.id for i in later[:-1]} <= {i.id for i in first} | {later[-1].id, later[-2].id}
    moved = vevent("UID:m", "SUMMARY:Mercat", "RECURRENCE-ID;TZID=Europe/Madrid:20261128T090000", "DTSTART;TZID=Europe/Madrid:20261129T100000")  # fmt: skip
    changed = agenda.read(ics(WEEKLY, moved), "", MADRID, NOW)
    assert changed[0].id == first[0].id and changed[0].at != first[0].at


def test_whole_days_and_hours_without_a_zone_are_the_towns() -> None:
    read = agenda.read(
        ics(
            vevent("UID:a", "SUMMARY:Fira", "DTSTART;VALUE=DATE:20261128", "DTEND;VALUE=DATE:20261130"),
            vevent("UID:b", "SUMMARY:Contes", "DTSTART:20261127T173000", "DURATION:PT1H"),
            vevent("UID:c", "SUMMARY:Utc", "DTSTART:20261127T173000Z"),
            vevent("UID:d", "SUMMARY:Tokyo", "DTSTART;TZID=Asia/Tokyo:20261128T020000"),
        ),
        "", MADRID, NOW,
    )  # fmt: skip
    by = {i.title: i for i in read}
    zone = ZoneInfo(MADRID)
    assert by["Fira"].whole_day and by["Fira"].at == datetime(2026, 11, 28, tzinfo=zone).timestamp()
    assert by["Fira"].until == datetime(2026, 11, 30, tzinfo=zone).timestamp()
    assert by["Contes"].at == datetime(2026, 11, 27, 17, 30, tzinfo=zone).timestamp()
    assert by["Contes"].until == (by["Contes"].at or 0) + 3600
    assert by["Utc"].at == (by["Contes"].at or 0) + 3600 and by["Tokyo"].at == (by["Utc"].at or 0) - 1800


def test_a_zone_that_the_calendar_defines_itself() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Casa Nostra\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    event = vevent("UID:a", "SUMMARY:Acte", "DTSTART;TZID=Casa Nostra:20261128T200000")
    assert dates(ics(event, head=zone)) == [("Acte", "28/11 20:00")]


def test_private_cancelled_and_past_events_are_left_out_and_long_ones_that_last_are_not() -> None:
    found = dates(
        ics(
            vevent("UID:a", "SUMMARY:Privat", "CLASS:PRIVATE", "DTSTART:20261128T200000"),
            vevent("UID:b", "SUMMARY:Anul·lat", "STATUS:CANCELLED", "DTSTART:20261128T200000"),
            vevent("UID:c", "SUMMARY:Passat", "DTSTART:20251128T200000"),
            vevent("UID:d", "SUMMARY:Exposició", "DTSTART;VALUE=DATE:20260901", "DTEND;VALUE=DATE:20270101"),
            vevent("UID:e", "SUMMARY:Lluny", "DTSTART:20281128T200000"),
        )
    )
    assert found == [("Exposició", "01/09 00:00")]


def test_folded_lines_escapes_html_and_places() -> None:
    event = vevent("UID:a", "SUMMARY:Concert de la coral\\, amb", "  molts amics", "LOCATION:Església\\nPlaça", "DESCRIPTION:<b>Entrada</b> lliure", "URL:https://www.example.org/c", "DTSTART:20261128T200000", "CATEGORIES:Música,Cultura")  # fmt: skip
    (found,) = agenda.read(ics(event), "", MADRID, NOW)
    assert found.title == "Concert de la coral, amb molts amics" and found.place == "Església Plaça"
    assert (found.summary, found.url, found.categories) == ("*Entrada* lliure", "https://www.example.org/c", ("Música", "Cultura"))  # fmt: skip


def test_one_broken_event_takes_no_other_with_it() -> None:
    good = vevent("UID:a", "SUMMARY:Bo", "DTSTART;TZID=Europe/Madrid:20261128T200000")
    for bad in (
        vevent("UID:b", "SUMMARY:Dolent", "DTSTART:ahir"),
        vevent("UID:b", "SUMMARY:Dolent", "DTSTART:20261128T200000", "RRULE:FREQ=MAI"),
        vevent("UID:b", "sense dos punts", "DTSTART:20261128T200000"),
        vevent("UID:b", "SUMMARY:Sense hora"),
        vevent("UID:b", "SUMMARY:Sempre", "DTSTART:20261124T000000Z", "RRULE:FREQ=SECONDLY"),
    ):
        assert ("Bo", "28/11 20:00") in dates(ics(bad, good)), bad
    assert dates(ics(good)[:-10]) == [("Bo", "28/11 20:00")], "cut off"
    assert dates(ics(good).decode().encode("utf-16"), charset="utf-16") == [("Bo", "28/11 20:00")]
    latin = (
        ics(vevent("UID:a", "SUMMARY:Nadal a la plaça", "DTSTART:20261128T200000")).decode().encode("latin-1")
    )
    assert dates(latin)[0][0] == "Nadal a la plaça"


def test_what_is_no_calendar_says_so() -> None:
    with pytest.raises(items.Unread, match="no iCalendar"):
        agenda.read(b"<html>", "", MADRID, NOW)


# --- web pages -------------------------------------------------------------------------------------


def test_a_web_page_is_its_title_and_what_it_says_of_itself() -> None:
    page = "<html><head><title>Piscina | Web</title><meta property='og:title' content='Piscina municipal'><meta name=description content='Horaris i *preus*'><script>x</script></head><body>galetes</body>"
    (found,) = webpage.read(page.encode("latin-1"), "", "https://www.example.org/p")
    assert (found.title, found.url) == ("Piscina municipal", "https://www.example.org/p")
    assert "preus" in found.summary and "*preus*" not in found.summary and "galetes" not in found.summary
    plain = "<title>Notícies</title>".encode("cp1252")
    assert webpage.read(plain, "", "https://www.example.org/")[0].title == "Notícies"
    with pytest.raises(items.Unread, match="no title"):
        webpage.read(b"%PDF-1.4", "", "https://www.example.org/")


# --- in a process of its own -----------------------------------------------------------------------


async def read(what: str, content: bytes, seconds: float = 60) -> list[Item]:
    return await reading.read(
        what, content, kind="", url="https://www.example.org/", zone=MADRID, now=NOW, seconds=seconds
    )


async def test_the_reader_gives_the_same_as_the_functions() -> None:
    assert await read("feed", rss(item(1), item(2))) == news.read(rss(item(1), item(2)))
    assert await read("calendar", ics(WEEKLY)) == agenda.read(ics(WEEKLY), "", MADRID, NOW)
    with pytest.raises(Rejected, match="no RSS or Atom"):
        await read("feed", b"nothing")


async def test_ten_million_bytes_are_read_in_one_go() -> None:
    filling = "paraules i més paraules " * 80
    big = rss(*(item(n % 20, text=filling).replace(f"g{n % 20}<", f"g{n}<") for n in range(5000)))
    calendar = ics(*(vevent(f"UID:u{n}", f"SUMMARY:Acte {n}", "DTSTART:20151128T200000", f"DESCRIPTION:{filling[:250]}") for n in range(28_000)), WEEKLY)  # fmt: skip
    assert min(len(big), len(calendar)) > 9_000_000
    assert len(await read("feed", big)) > 100
    assert {i.title for i in await read("calendar", calendar)} == {"Mercat"}


BOMB = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY a%d "%s">' % (n, (b"&a%d;" % (n - 1) if n > 1 else b"&a;") * 20) for n in range(1, 12)
) + b"]><rss version='2.0'><channel><item><title>&a11;</title></item></channel></rss>"  # fmt: skip
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><rss version="2.0"><channel><item><title>Aqu\xc3\xad: &x;</title></item></channel></rss>'


async def test_entities_neither_explode_nor_fetch() -> None:
    try:
        for found in await read("feed", BOMB):
            assert len(found.title) <= items.TITLE
    except Rejected:
        pass  # to refuse it is as good
    read_out = await read("feed", OUTSIDE)
    assert "root" not in str(read_out)


async def test_a_document_that_keeps_the_reader_busy_ends_with_it() -> None:
    busy = ics(
        vevent("UID:a", "SUMMARY:x", "DTSTART:19000101T000000Z", "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30")
    )
    began = time.process_time()
    with pytest.raises(Rejected, match=r"too (?:long|much)"):
        await read("calendar", busy, seconds=1.5)
    assert time.process_time() - began < 5, "it was busy in another process"


async def test_the_reader_gets_none_of_our_secrets(monkeypatch: Any) -> None:
    seen: dict[str, Any] = {}
    real = reading.asyncio.create_subprocess_exec

    async def spy(*command: str, **options: Any) -> Any:
        seen.update(options["env"])
        return await real(*command, **options)

    monkeypatch.setenv("CONNECTOR_WHATSAPP__ACCESS_TOKEN", "synthetic-token")
    monkeypatch.setattr(reading.asyncio, "create_subprocess_exec", spy)
    await read("feed", rss(item(1)))
    assert "PATH" in seen and not [name for name in seen if name.startswith("CONNECTOR")]


# --- anything at all -------------------------------------------------------------------------------

PIECES = st.sampled_from([HEAD, item(1), item(2, "<category/>"), "<item>", "</item>", "<title>", "</channel></rss>", "<![CDATA[", "]]>", "&#0;", "&x;", "<pubDate>x</pubDate>", "<guid/>", "<link>://</link>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>"])  # fmt: skip
LINES = st.sampled_from(["BEGIN:VCALENDAR\r\n", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "END:VCALENDAR\r\n", "DTSTART:20261128T200000\r\n", "DTSTART;VALUE=DATE:20261128\r\n", "DTEND:20261127T200000\r\n", "RRULE:FREQ=DAILY;COUNT=3\r\n", "RRULE:FREQ=YEARLY;BYDAY=9ZZ\r\n", "UID:a\r\n", "UID:b\r\n", "RECURRENCE-ID:20261128T200000\r\n", "SUMMARY:x\r\n", "DURATION:-P9W\r\n", "EXDATE:x\r\n", "TZID\r\n", WEEKLY])  # fmt: skip


def sound(found: list[Item]) -> None:
    assert len({i.id for i in found}) == len(found) <= items.ITEMS
    for one in found:
        assert one.title and "\n" not in one.title
        assert (
            len(one.title) <= items.TITLE
            and len(one.summary) <= items.SUMMARY
            and len(one.text) <= items.TEXT
        )
        assert one.until is None or one.at is None or one.until > one.at


@given(st.one_of(st.binary(max_size=200), st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14).map(lambda p: "".join(p).encode("utf-8", "replace"))))  # fmt: skip
@settings(max_examples=examples(120), deadline=None)
def test_any_feed_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(items.Unread):
        sound(news.read(content))


@given(st.lists(st.one_of(LINES, st.text(max_size=8)), max_size=18))
@settings(max_examples=examples(120), deadline=None)
def test_any_calendar_is_read_or_refused(parts: list[str]) -> None:
    content = ("BEGIN:VCALENDAR\r\n" + "".join(parts)).encode("utf-8", "replace")
    with contextlib.suppress(items.Unread):
        sound(agenda.read(content, "", MADRID, NOW))


@given(st.text(max_size=200), st.sampled_from(["html", "plain"]))
@settings(max_examples=examples(100), deadline=None)
def test_any_text_becomes_an_item(text: str, markup: Any) -> None:
    sound([items.make(text, text, text, markup=markup, url=text)])
