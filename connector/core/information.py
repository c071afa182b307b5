"""The tables of a mapping that inform: pages and where they come from, offices and their hours, alerts, emergencies."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from . import hours
from .parts import Key, Localized, NameOrId, Part


def _day(value: Any) -> Any:
    """TOML's own dates are texts here: a day may leave the year out."""
    return value.isoformat() if type(value) is date else value


def _checked_day(value: str) -> str:
    hours.year_day(value)
    return value


def _checked_week(value: tuple[str, ...]) -> tuple[str, ...]:
    hours.week(value)
    return value


def _checked_spans(value: tuple[str, ...]) -> tuple[str, ...]:
    hours.spans(value)
    return value


def _through(value: Any) -> Any:
    """A day without an hour lasts until its end."""
    return datetime.combine(value + timedelta(days=1), datetime.min.time()) if type(value) is date else value


def _from(value: Any) -> Any:
    return datetime.combine(value, datetime.min.time()) if type(value) is date else value


Day = Annotated[str, BeforeValidator(_day), AfterValidator(_checked_day)]
"""``12-24`` (every year) or ``2026-12-24``."""
WeekLines = Annotated[tuple[str, ...], AfterValidator(_checked_week)]
"""Lines like ``mon-fri 9:00-14:00, 16:00-19:00``."""


class Entry(Part):
    """One thing on a page that can be looked up by a word: a procedure, a service."""

    key: Key
    """Becomes the id ``page:<page>/<key>``; never reuse one for something else."""
    title: Localized
    """Its name; in a list at most 24 characters of it are shown, together with its number («1. »)."""
    text: Localized = Field(default_factory=dict)
    """WhatsApp markup, at most 3500 characters."""
    url: str = ""
    """Where there is more, shown under the text."""
    words: tuple[str, ...] = ()
    """More words by which it is found."""


class Page(Part):
    """A page of municipal information."""

    key: Key
    """Becomes the id ``page:<key>``."""
    title: Localized
    """Name of the page, at most 24 characters together with its number («1. »)."""
    description: Localized = Field(default_factory=dict)
    """Second line of the row in the list, at most 72 characters."""
    body: Localized = Field(default_factory=dict)
    """WhatsApp markup (*bold* _italic_ ~struck~), at most 4096 characters; above what comes from elsewhere."""
    url: str = ""
    """Where there is more, shown under the text."""
    words: tuple[str, ...] = ()
    """More words by which it can be typed."""
    source: Literal["text", "hours", "feed", "calendar", "tracker-news", "tracker-wiki", "web"] = "text"
    """Where the content comes from: this file, the opening hours of [[offices]], an RSS or Atom feed, an iCalendar
    feed, the tracker's news, a page of its wiki, or a web page."""
    feed: str = ""
    """Address of the feed, the calendar or the web page."""
    project: NameOrId = ""
    """The tracker's project whose news or wiki it is; tracker.project otherwise."""
    wiki: str = ""
    """Name of the wiki page."""
    show: Annotated[int, Field(ge=1, le=8)] = 5
    """So many of the newest items, when they fit in one message."""
    days: Annotated[int, Field(ge=1, le=62)] = 7
    """A calendar shows what is on in so many days, today included."""
    refresh_minutes: Annotated[int, Field(ge=5, le=1440)] = 15
    """How often the source is looked at."""
    search: bool = False
    """Whether the items of a feed are found by a typed word, as those of [[pages.items]] always are."""
    alerts: bool = False
    """Whether its items are shown above the main menu: those of a calendar while they last."""
    alert_categories: tuple[str, ...] = ()
    """When given, only items in one of these categories (as the feed names them) are alerts."""
    alert_hours: Annotated[float, Field(gt=0, le=720)] = 24
    """So long after it was published an item of a feed is shown above the main menu."""
    items: tuple[Entry, ...] = ()
    """What can be looked up on this page."""

    @property
    def remote(self) -> bool:
        """Whether its content is fetched."""
        return self.source not in ("text", "hours")

    def entry(self, key: str) -> Entry | None:
        """The entry with that key."""
        return next((e for e in self.items if e.key == key), None)


class Season(Part):
    """Other hours for a part of the year."""

    since: Day
    """First day, 08-01 (every year) or 2026-08-01."""
    until: Day
    """Last day."""
    week: WeekLines
    """The whole week of that season: hours like «mon-fri 9:00-14:00»."""

    def holds(self, day: date) -> bool:
        """Whether it is that season."""
        return hours.within(day, hours.year_day(self.since), hours.year_day(self.until))


class SpecialDay(Part):
    """One day with hours of its own, or closed."""

    date: Day
    """12-24 (every year) or 2026-12-24."""
    hours: Annotated[tuple[str, ...], AfterValidator(_checked_spans)] = ()
    """Like «9:00-12:00»; none means closed."""
    why: Localized = Field(default_factory=dict)
    """What is said of it («Nit de Nadal»)."""


class Office(Part):
    """A place with opening hours."""

    key: Key
    """Becomes the id ``page:<hours page>/<key>``."""
    name: Localized
    """As citizens know it («Oficina d’Atenció Ciutadana»)."""
    words: tuple[str, ...] = ()
    """More words by which it is asked for («està oberta la deixalleria?»)."""
    note: Localized = Field(default_factory=dict)
    """Address, telephone and whatever else is shown with the hours."""
    week: WeekLines
    """Its hours, lines like «mon-fri 9:00-14:00, 16:00-19:00»."""
    seasons: tuple[Season, ...] = ()
    """Parts of the year with other hours; the first that fits counts."""
    days: tuple[SpecialDay, ...] = ()
    """Single days with other hours, which go before everything else."""
    on_holidays: bool = False
    """Whether it opens on public holidays as on other days."""

    @cached_property
    def regular(self) -> hours.Week:
        """The hours outside of seasons."""
        return hours.week(self.week)

    def week_of(self, day: date) -> hours.Week:
        """The hours of the season a day is in."""
        season = next((s for s in self.seasons if s.holds(day)), None)
        return hours.week(season.week) if season else self.regular


class LocalHoliday(Part):
    date: Day
    """12-24 (every year) or 2026-12-24."""
    name: Localized
    """What is celebrated."""


class Holidays(Part):
    """Public holidays: offices are closed then, unless they say otherwise."""

    country: str = ""
    """ISO 3166 code whose national holidays hold (ES); empty: only the local ones."""
    region: str = ""
    """ISO 3166-2 code of the region without the country (CT)."""
    local: tuple[LocalHoliday, ...] = ()
    """The town's own."""


class Alert(Part):
    """Something everybody who opens the menu should see, for a time."""

    text: Localized
    """WhatsApp markup, at most 300 characters."""
    url: str = ""
    """Where there is more."""
    since: Annotated[datetime | None, BeforeValidator(_from)] = None
    """From then on: 2026-11-24 or 2026-11-24T18:00:00, local time."""
    until: Annotated[datetime, BeforeValidator(_through)]
    """Until then: a day is included whole; local time."""


class Emergency(Part):
    """When a citizen is told to call 112 before anything else."""

    words: tuple[str, ...] = ()
    """More words and phrases that say so, besides the built-in ones."""
    hours: Annotated[float, Field(gt=0, le=168)] = 6
    """So long after the notice it is not repeated."""
