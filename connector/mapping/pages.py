"""What must hold for pages, offices, holidays, alerts and emergency words of a mapping."""

from __future__ import annotations

from collections.abc import Iterator

from connector.config.findings import Report, did_you_mean
from connector.config.toml_file import KeyPath, dotted
from connector.core import words
from connector.core.information import Page
from connector.core.opening import regions
from connector.core.town import Town

from .rules import is_web
from .screens import units

ENTRY_ROOM, ALERT_ROOM = 3500, 300
_FETCHED = ("feed", "calendar", "web")
_SHORTEST = 4
"""Letters of an emergency word: shorter ones are in everything people write."""


def check(town: Town, report: Report) -> None:
    """Put every finding about ``town`` into ``report``."""
    for i, page in enumerate(town.pages):
        _source(page, ("pages", i), report)
        _alerting(page, ("pages", i), report)
    for rule in (_entries, _typed, _offices, _holidays, _alerts, _emergency, _links):
        rule(town, report)


def _source(page: Page, at: KeyPath, report: Report) -> None:
    """Each source needs its own keys and has no use for those of the others."""
    if any(f.key == dotted((*at, "source")) for f in report.findings):
        return  # which one was meant is not known
    if page.source == "text" and not page.items and not any(t.strip() for t in page.body.values()):
        report.error(at, "this page says nothing", 'give it a body, [[pages.items]] or a source = "…"')
    if page.source in _FETCHED and not page.feed.strip():
        report.error((*at, "source"), "it does not say where that is", 'add feed = "https://…"')
    if page.source == "tracker-wiki" and not page.wiki.strip():
        report.error((*at, "source"), "it does not say which page", 'add wiki = "…", its name in the address')
    for key, used in (
        ("feed", page.source in _FETCHED),
        ("wiki", page.source == "tracker-wiki"),
        ("project", page.source.startswith("tracker-")),
        ("search", page.source in ("feed", "calendar", "tracker-news")),
    ):
        if getattr(page, key) and not used:
            report.warning(
                (*at, key), f"never used, as source is «{page.source}»", "take it out, or change the source"
            )
    if page.items and page.source != "text":
        report.error(
            (*at, "items"), f"never shown, as source is «{page.source}»", "give them a page of their own"
        )
    if page.feed.startswith("http://"):
        mend = "use https:// if the site has it: on the way anybody could change what citizens read"
        report.warning((*at, "feed"), "this address is not encrypted", mend)


def _alerting(page: Page, at: KeyPath, report: Report) -> None:
    if page.source in ("feed", "calendar", "tracker-news"):
        return
    for key in ("alerts", "alert_categories"):
        if getattr(page, key):
            report.warning((*at, key), "this page has no items that could be alerts", "take it out")


def _entries(town: Town, report: Report) -> None:
    for i, page in enumerate(town.pages):
        seen: dict[str, int] = {}
        for j, entry in enumerate(page.items):
            at: KeyPath = ("pages", i, "items", j)
            if entry.key in seen:
                first = report.line(("pages", i, "items", seen[entry.key], "key"))
                report.error(
                    (*at, "key"), f"«{entry.key}» is already the key on {first}", "give each its own key"
                )
            seen.setdefault(entry.key, j)
            for code, title in entry.title.items():
                if "\n" in title:
                    report.error(_in(at, "title", code), "a title is one line", "take the line break out")
            for code, text in entry.text.items():
                if (much := units(text)) > ENTRY_ROOM:
                    problem = f"it has {much} characters, at most {ENTRY_ROOM} fit in a message"
                    report.error(_in(at, "text", code), problem, f"shorten it by {much - ENTRY_ROOM}")


def _in(at: KeyPath, name: str, code: str) -> KeyPath:
    return (*at, name) if code == "*" else (*at, name, code)


def _typed(town: Town, report: Report) -> None:
    """A word that is the name of an option or a command leads there, and never to the entry."""
    taken = {
        words.fold(name): path
        for table in ("menu", "pages")
        for i, item in enumerate(getattr(town, table))
        for path, name in _named((table, i), item.title, item.words)
    }
    commands = words.MENU | words.LANGUAGE | words.HELP | words.THANKS
    for at, name in _findable(town):
        folded = words.fold(name)
        if folded in taken:
            problem = f"who types «{name}» gets what is on {report.line(taken[folded])}, not this"
            report.warning(at, problem, "use another word, or take the other one out")
        elif folded in commands:
            report.warning(at, f"«{name}» is a command in every conversation", "use another word")


def _named(at: KeyPath, title: dict[str, str], more: tuple[str, ...]) -> Iterator[tuple[KeyPath, str]]:
    for code, name in title.items():
        yield _in(at, "title", code), name
    for j, word in enumerate(more):
        yield (*at, "words", j), word


def _findable(town: Town) -> Iterator[tuple[KeyPath, str]]:
    for i, page in enumerate(town.pages):
        for j, entry in enumerate(page.items):
            yield from _named(("pages", i, "items", j), entry.title, entry.words)
    for i, office in enumerate(town.offices):
        for j, word in enumerate(office.words):
            yield ("offices", i, "words", j), word


def _offices(town: Town, report: Report) -> None:
    seen: dict[str, int] = {}
    for i, office in enumerate(town.offices):
        if office.key in seen:
            first = report.line(("offices", seen[office.key], "key"))
            report.error(
                ("offices", i, "key"),
                f"«{office.key}» is already the key on {first}",
                "give each its own key",
            )
        seen.setdefault(office.key, i)
    shown = [i for i, page in enumerate(town.pages) if page.source == "hours"]
    if shown and not town.offices:
        report.error(
            ("pages", shown[0], "source"),
            "there are no offices whose hours could be shown",
            "add [[offices]]",
        )
    if town.offices and not shown:
        mend = 'add a page with source = "hours"'
        report.warning(("offices", 0), "no page shows the hours, so nobody is told them", mend)
    given = town.holidays
    if (
        town.offices
        and not given.country
        and not given.local
        and not all(o.on_holidays for o in town.offices)
    ):
        mend = 'add [holidays] with country = "ES" and region = "CT", or whatever yours are'
        report.warning(("offices", 0), "no public holidays are known, so it is said to be open on them", mend)


def _holidays(town: Town, report: Report) -> None:
    given = town.holidays
    if given.region and not given.country:
        report.error(("holidays", "region"), "a region needs its country", 'add country = "ES"')
    if not given.country:
        return
    known = regions(given.country)
    if known is None:
        mend = "write its two letters, like ES"
        report.error(("holidays", "country"), f"no holidays are known of «{given.country}»", mend)
    elif given.region and given.region not in known:
        near = did_you_mean(given.region, known)
        mend = f"did you mean «{near}»?" if near else f"one of {', '.join(sorted(known))}"
        report.error(("holidays", "region"), f"«{given.country}» has no region «{given.region}»", mend)


def _alerts(town: Town, report: Report) -> None:
    for i, alert in enumerate(town.alerts):
        if alert.since is not None and alert.since.replace(tzinfo=None) >= alert.until.replace(tzinfo=None):
            report.error(("alerts", i, "until"), "it ends before it begins", "until must be later than since")
        for code, text in alert.text.items():
            if (much := units(text)) > ALERT_ROOM:
                problem = f"it has {much} characters, at most {ALERT_ROOM} are shown above the menu"
                report.error(_in(("alerts", i), "text", code), problem, f"shorten it by {much - ALERT_ROOM}")


def _emergency(town: Town, report: Report) -> None:
    for i, word in enumerate(town.emergency.words):
        if len(words.fold(word)) < _SHORTEST:
            mend = "write a phrase that says that something happens now"
            report.error(("emergency", "words", i), f"«{word}» is in too much of what people write", mend)


def _links(town: Town, report: Report) -> None:
    wanted: list[tuple[KeyPath, str]] = [
        *((("pages", i, "feed"), page.feed) for i, page in enumerate(town.pages)),
        *(
            (("pages", i, "items", j, "url"), entry.url)
            for i, page in enumerate(town.pages)
            for j, entry in enumerate(page.items)
        ),
        *((("alerts", i, "url"), alert.url) for i, alert in enumerate(town.alerts)),
    ]
    for path, address in wanted:
        if address.strip() and not is_web(address):
            report.error(path, "this is no web address", "write it whole: https://host.example/page")
