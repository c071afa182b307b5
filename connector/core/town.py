"""One municipality, as its mapping file says it: typed, frozen, complete.

Only the shape and the rules that need no file are here; ``connector/mapping/load.py`` reads ``mappings/NAME.toml``
into it and turns every mistake into a finding with file, line, key and mend.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .information import Alert, Emergency, Holidays, Office, Page
from .open_data import OpenData
from .parts import Key, Language, Localized, NameOrId, Part, say
from .ticket import Routing
from .topics import Broadcasts, Topic

__all__ = [
    "Alert",
    "Emergency",
    "Holidays",
    "Localized",
    "Office",
    "OpenData",
    "Page",
    "Part",
    "Topic",
    "Town",
    "say",
]


class Channel(Part):
    name: str
    """Who speaks, as citizens know it («Ajuntament de Sant Cebrià de Vallalta»)."""
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,6}$")]
    """First part of every reference, 2 to 6 capitals or digits («SCV» gives SCV-7K3F-9Q)."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("ca", "es", "en")
    """Languages offered, by two-letter code; the first one greets those whose language is not known yet."""
    time_zone: str = "Europe/Madrid"
    """IANA name; dates and hours in messages are of this zone."""
    e_office: str
    """Address of the electronic office (seu electrònica), where things get a registry entry."""
    other_ways: Localized
    """Another way to reach the town hall (telephone, counter, hours), for who refuses or is in a hurry."""


class Consent(Part):
    version: str
    """Changes when the text changes; who accepted another version is asked again."""
    controller: str
    """Who is responsible for the data, with its contact."""
    policy_url: str
    """Address of the full data-protection notice."""
    contact: str
    """Where rights are exercised (the data-protection officer's address)."""
    keep: Localized
    """How long data is kept, in words («12 mesos»)."""
    authority: str = "apdcat.gencat.cat"
    """Where to complain."""
    text: Localized = Field(default_factory=dict)
    """Replaces the built-in data-protection message (it must then say all the law asks for)."""


class Route(Part):
    """Where requests go in the tracker. What is empty comes from ``[tracker]``, else from the tracker itself."""

    project: NameOrId = ""
    """Identifier or id of the project."""
    tracker: NameOrId = ""
    """Kind of ticket, by the name the tracker shows, or its id."""
    assignee: NameOrId = ""
    """Person or group, by the name the tracker shows, or its id."""
    category: NameOrId = ""
    """By the name the tracker shows, or its id."""
    priority: NameOrId = ""
    """By the name the tracker shows, or its id."""
    status: NameOrId = ""
    """Status a new ticket starts in, by the name the tracker shows, or its id."""
    watchers: tuple[NameOrId, ...] = ()
    """People or groups, by the names the tracker shows, or their ids."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Custom fields by id (or name where the bot may list them) and their fixed values."""
    private: bool = False
    """Whether only staff with the right to see private tickets see it."""


class Option(Part):
    """One option of the main menu, in the order of the file."""

    key: Key
    """Becomes the id ``menu:<key>``; never reuse one for something else: people tap weeks-old menus."""
    kind: Literal["info", "request", "councillor", "topics"]
    """``info`` shows the pages; ``request`` takes a message; ``councillor`` asks for a councillor first; ``topics`` offers
    subscriptions."""
    title: Localized
    """Name of the option, at most 24 characters together with its number («1. »)."""
    description: Localized = Field(default_factory=dict)
    """Second line of the row in the list, at most 72 characters."""
    to: Localized = Field(default_factory=dict)
    """Who gets it, as in «Message to {to}»."""
    prompt: Localized = Field(default_factory=dict)
    """Replaces the built-in invitation to write."""
    receipt: Localized = Field(default_factory=dict)
    """What happens next, after «received»; replaces the built-in sentence."""
    words: tuple[str, ...] = ()
    """More words by which it can be typed."""
    place: Literal["optional", "ask", "required"] = "optional"
    """Whether a request should say where it is."""
    route: Route = Field(default_factory=Route)
    """Where its requests go in the tracker."""


class Councillor(Part):
    key: Key
    """Becomes the id ``choice:<key>``."""
    name: str
    """As citizens see it, at most 24 characters together with its number («1. »)."""
    role: Localized = Field(default_factory=dict)
    """Shown under the name with the neighbourhood («Regidora de Turisme»), at most 72 characters in all."""
    neighbourhood: str = ""
    """Shown to the citizen and put into the tracker's neighbourhood field."""
    route: Route = Field(default_factory=Route)
    """What differs from the option's route, usually the assignee and the category."""


class TrackerMap(Part):
    """What holds for all requests of this town in the tracker."""

    project: NameOrId
    """Identifier or id of the project requests go to when their route says no other."""
    reference_field: NameOrId
    """Custom field (text) that holds the reference; without it a lost answer could make a second ticket."""
    latitude_field: NameOrId = ""
    longitude_field: NameOrId = ""
    address_field: NameOrId = ""
    neighbourhood_field: NameOrId = ""
    pseudonym_field: NameOrId = ""
    """Custom field that gets a code that is the same for all tickets of one person, and says nothing else."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Custom fields with a fixed value on every ticket."""
    show_name: bool = False
    """Whether staff see the name a person gave themselves on WhatsApp."""
    show_phone: bool = False
    """Whether staff see the person's number."""
    map_url: str = (
        "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}"
    )
    """Link to a map, shown under a place."""


class OnFailed(Part):
    """How a ticket shows that an answer did not reach the citizen, besides the private note."""

    status: NameOrId = ""
    """Status it gets, by the name the tracker shows, or its id."""
    watchers: tuple[NameOrId, ...] = ()
    """People who watch it from then on, by the names the tracker shows, or their ids."""


class Answers(Part):
    """What of a ticket reaches the citizen. Only public notes ever do."""

    author: Literal["name", "office", "none"] = "office"
    """Who is said to answer: the tracker's name of the person, what ``authors`` says, or nobody."""
    authors: dict[str, Localized] = Field(default_factory=dict)
    """By the tracker's name: what the citizen is shown («Jordi Alcalde» = «L'alcalde»). Others: the channel."""
    only_from: tuple[str, ...] = ()
    """When given, only notes of these people (the tracker's names) reach citizens."""
    attachments: bool = True
    """Whether files added with a public note go along."""
    on_failed: OnFailed = Field(default_factory=OnFailed)
    """What is done with a ticket whose answer did not reach the citizen."""


class Templates(Part):
    """Message templates approved by Meta, used when the 24-hour customer service window is closed."""

    answer: str = ""
    """Name of the utility template «there is an answer», with a quick reply; "" means wait for the citizen."""
    news: str = ""
    """Name of the marketing template for topics of that category; "" reaches only who wrote in the last 24 hours."""
    notice: str = ""
    """Name of the utility template for notices and alerts; "" reaches only who wrote in the last 24 hours."""


class Timing(Part):
    quiet_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    """So long after the last message of a burst the summary comes."""
    draft_hours: Annotated[float, Field(gt=0, le=23)] = 6
    """A draft untouched for longer is asked about before anything is added to it."""
    receipt_seconds: Annotated[float, Field(ge=0, le=120)] = 8
    """So long the receipt waits for the ticket's number."""
    sweep_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:00"
    """When every night all open tickets are read whole (within the hour after it, local time)."""
    report_hours: Annotated[float, Field(ge=0, le=72)] = 4
    """So long after an answer staff are told what became of it; sooner when it was read or failed."""


class Town(Part):
    """The whole mapping of one municipality."""

    channel: Channel
    consent: Consent
    menu: Annotated[tuple[Option, ...], Field(min_length=1)]
    councillors: tuple[Councillor, ...] = ()
    pages: tuple[Page, ...] = ()
    offices: tuple[Office, ...] = ()
    holidays: Holidays = Field(default_factory=Holidays)
    alerts: tuple[Alert, ...] = ()
    emergency: Emergency = Field(default_factory=Emergency)
    topics: tuple[Topic, ...] = ()
    broadcasts: Broadcasts = Field(default_factory=Broadcasts)
    tracker: TrackerMap
    statuses: dict[str, Localized] = Field(default_factory=dict)
    """By the tracker's status name: what the citizen is told when a ticket gets there. Others: nothing."""
    answers: Answers = Field(default_factory=Answers)
    templates: Templates = Field(default_factory=Templates)
    open_data: OpenData = Field(default_factory=OpenData)
    timing: Timing = Field(default_factory=Timing)
    texts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By language: built-in texts to replace (the keys of ``connector/texts/ca.toml``)."""

    @property
    def languages(self) -> tuple[str, ...]:
        return self.channel.languages

    def option(self, key: str) -> Option | None:
        """The menu option with that key."""
        return next((o for o in self.menu if o.key == key), None)

    def councillor(self, key: str) -> Councillor | None:
        """The councillor with that key."""
        return next((c for c in self.councillors if c.key == key), None)

    def page(self, key: str) -> Page | None:
        """The page with that key."""
        return next((p for p in self.pages if p.key == key), None)

    def office(self, key: str) -> Office | None:
        """The office with that key."""
        return next((o for o in self.offices if o.key == key), None)

    def topic(self, key: str) -> Topic | None:
        """The topic with that key."""
        return next((t for t in self.topics if t.key == key), None)

    def subject(self, name: str, language: str) -> str:
        """What ``<topic>`` or ``<topic>/<area>`` is called; "" when one can't subscribe to it (any more)."""
        key, _, part = name.partition("/")
        topic = self.topic(key)
        if topic is None or name not in topic.names:
            return ""
        area = topic.area(part)
        title = say(topic.title, language)
        return f"{title}: {say(area.title, language)}" if area else title

    def routing(self, option: Option, councillor: Councillor | None = None) -> Routing:
        """Where a request goes: the councillor's words before the option's before the town's."""
        routes = [r for r in (councillor.route if councillor else None, option.route) if r is not None]

        def first(name: str) -> str:
            return next((str(v) for r in routes if (v := getattr(r, name))), "")

        fields = dict(self.tracker.fields)
        for route in reversed(routes):
            fields.update(route.fields)
        if councillor and councillor.neighbourhood and self.tracker.neighbourhood_field:
            fields.setdefault(self.tracker.neighbourhood_field, councillor.neighbourhood)
        watchers = tuple(dict.fromkeys(w for r in routes for w in r.watchers))
        return Routing(
            project=first("project") or self.tracker.project,
            tracker=first("tracker"),
            assignee=first("assignee"),
            category=first("category"),
            priority=first("priority"),
            status=first("status"),
            watchers=watchers,
            fields=tuple(fields.items()),
            private=any(r.private for r in routes),
        )

    def routings(self) -> list[tuple[str, Routing]]:
        """Everything the mapping may ask of the tracker, with the mapping key that asks for it."""
        found: list[tuple[str, Routing]] = []
        for i, option in enumerate(self.menu):
            if option.kind == "request":
                found.append((f"menu[{i}].route", self.routing(option)))
            elif option.kind == "councillor":
                found += [
                    (f"councillors[{j}].route", self.routing(option, c))
                    for j, c in enumerate(self.councillors)
                ]
        failed = self.answers.on_failed
        if failed.status or failed.watchers:
            wanted = Routing(project=self.tracker.project, status=failed.status, watchers=failed.watchers)
            found.append(("answers.on_failed", wanted))
        return found
