"""``connector broadcast``: what is sent to the subscribers, as communication staff see it. All of it is done in the
database; a service that runs sends it, from within seconds on."""

from __future__ import annotations

import math
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector.commands.town_database import TownDatabase
from connector.config.settings import Settings
from connector.core.bulletin import Bulletin
from connector.core.errors import Rejected
from connector.core.parts import localized
from connector.core.texts import Texts
from connector.core.town import Town
from connector.feeds.looking import sources
from connector.jobs import broadcasting, halting, publishing
from connector.storage import broadcasts, feeds, numbers, recipients, subscriptions, templates
from connector.storage.broadcasts import Broadcast
from connector.storage.store import Connection, Store
from connector.storage.subscriptions import Reach
from connector.texts import catalogues
from connector.whatsapp import bulletins

_OVERHEAD = 0.1
"""So much of WhatsApp's daily limit is left to templates of answers."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent, to whom."""

    bulletin: Bulletin
    topics: tuple[str, ...]
    alert: bool


@dataclass(frozen=True, slots=True)
class Look:
    """How it looks on a phone in one language: with the template, and in an open window."""

    language: str
    template: str
    message: str
    button: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen. Prices are in the mapping's currency, None when it names none; times are Unix seconds."""

    looks: list[Look]
    category: str
    template: str
    reach: Reach
    each: list[tuple[str, int]]
    """By topic, how many are subscribed to it."""
    price: float | None
    currency: str
    begins: float
    why: str
    """Why not at once, "" when it is."""
    seconds: float
    """How long it takes at the number's pace, days of waiting for WhatsApp's limit included."""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a broadcast stands: ``counts`` by outcome, of ``people`` in all."""

    one: Broadcast
    counts: Counter[str]
    left: int

    @property
    def people(self) -> int:
        """Everybody it is for, as far as they are known."""
        return self.counts.total()


class Newsroom(TownDatabase):
    """One municipality's database, as communication staff see it."""

    def __init__(
        self, settings: Settings, town: Town, store: Store, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(settings, town, store, clock)
        self.texts = Texts(catalogues(town.languages, town.texts))

    # --- what is to be sent ---------------------------------------------------------------------------

    def draft(
        self,
        topics: Sequence[str],
        *,
        alert: bool = False,
        title: str = "",
        text: str = "",
        link: str = "",
        item: str = "",
        file: Path | None = None,
    ) -> Draft:
        """What was asked for on the command line. Raises ``Rejected`` with what is wrong and what to do."""
        known = [name for topic in self.town.topics for name in topic.names]
        names = list(dict.fromkeys(n for name in topics for n in self._names(name)))
        if item:
            page, _, key = item.partition("/")
            found = self._item(page, key)
            names = names or publishing.topics_of(self.town, found[0], found[1])
            bulletin = publishing.bulletin(self.town, found[1], names, alert)
        else:
            bulletin = self._written(title, text, link, file, names, alert)
        if not names:
            raise Rejected(
                f"to whom? --topic is one of: {', '.join(known) or 'none, the mapping has no [[topics]]'}"
            )
        return Draft(bulletin, tuple(names), alert)

    def _names(self, name: str) -> tuple[str, ...]:
        """A topic with areas stands for all of them."""
        topic = self.town.topic(name)
        if topic is not None:
            return topic.names
        if not self.town.subject(name, self.town.languages[0]):
            known = [n for t in self.town.topics for n in (t.key, *t.names)]
            raise Rejected(f"there is no topic «{name}»: there are {', '.join(dict.fromkeys(known))}")
        return (name,)

    def _item(self, key: str, wanted: str) -> Any:
        page = self.town.page(key)
        where = sources(self.town)
        if page is None or key not in where:
            raise Rejected(f"there is no page «{key}» with news from elsewhere: there are {', '.join(where)}")
        board = self.store.read_now(lambda connection: feeds.board(connection, self.name, where))
        copy = board.copies.get(key)
        items = copy.items if copy is not None else ()
        if not items:
            raise Rejected(
                f"nothing is known of «{key}» yet: is the service running, can it read its source?"
            )
        found = items[0] if not wanted else next((i for i in items if i.id == wanted), None)
        if found is None:
            listed = "; ".join(f"{key}/{i.id} ({i.title})" for i in items[:5])
            raise Rejected(f"«{key}» has no item «{wanted}». The newest: {listed}")
        return page, found

    def _written(
        self, title: str, text: str, link: str, file: Path | None, names: Sequence[str], alert: bool
    ) -> Bulletin:
        said: dict[str, Any] = {"title": title, "text": text, "link": link}
        if file is not None:
            try:
                said = {**said, **tomllib.loads(file.read_text(encoding="utf-8"))}
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise Rejected(f"{file} cannot be read: {error}") from None
        if unknown := sorted(set(said) - {"title", "text", "link"}):
            raise Rejected(f"{file}: what is «{unknown[0]}»? A broadcast has title, text and link")
        if not said["title"] or not said["text"]:
            raise Rejected(
                'it needs a title and a text: --title "…" --text "…", --item PAGE, or --file FILE.toml'
            )
        for what in ("title", "text"):
            if not all(isinstance(v, str) and v.strip() for v in localized(said[what]).values()):
                raise Rejected(f"the {what} is a text, or one a language: {{ ca = …, es = … }}")
        topics = [self.town.topic(name.partition("/")[0]) for name in names]
        utility = alert or all(t is not None and t.category == "utility" for t in topics)
        return Bulletin(
            localized(said["title"]),
            localized(said["text"]),
            str(said["link"]),
            "utility" if utility else "marketing",
        )

    def moment(self, text: str) -> float:
        """«2026-12-01 10:00», in the town's time. Raises ``Rejected``."""
        try:
            given = datetime.fromisoformat(text.strip())
        except ValueError:
            raise Rejected(f"«{text}» is no time: write it like 2026-12-01 10:00") from None
        zone = ZoneInfo(self.town.channel.time_zone)
        at = (given if given.tzinfo else given.replace(tzinfo=zone)).timestamp()
        if at < self.clock() - 60:
            raise Rejected(f"«{text}» is over")
        return at

    # --- what would happen ----------------------------------------------------------------------------

    def preview(self, draft: Draft, at: float | None = None) -> Preview:
        """How it looks, whom it reaches, what it costs, when it goes and how long it takes."""
        return self._do(partial(self._preview, draft=draft, at=at))

    def _preview(self, connection: Connection, draft: Draft, at: float | None) -> Preview:
        now = self.clock()
        own, marketing = self.town.templates, draft.bulletin.category == "marketing"
        name = own.news if marketing else own.notice
        counted = partial(subscriptions.reach, connection, self.name, marketing=marketing, until=now)
        reach = counted(topics=draft.topics)
        begins, why = at if at is not None else now, ""
        if not draft.alert:
            begins, why = broadcasting.first_time(connection, self.name, self.town, begins)
        outside = reach.people - reach.open if name else 0
        number = numbers.get(connection, self.name)
        own_pace = self.settings.whatsapp
        pace = own_pace.messages_per_second * own_pace.broadcast_percent / 100
        limit = number.people if number is not None and number.people is not None else 250.0
        days = math.ceil(outside / (limit * (1 - _OVERHEAD))) - 1 if outside and limit != math.inf else 0
        return Preview(
            looks=[self._look(draft.bulletin, name, code) for code in self.town.languages],
            category=draft.bulletin.category,
            template=name,
            reach=reach,
            each=[(topic, counted(topics=[topic]).people) for topic in draft.topics],
            price=self._price(outside, reach.open, marketing),
            currency=self.town.broadcasts.currency,
            begins=begins,
            why=why,
            seconds=max(0, days) * 86_400 + (outside + reach.open) / pace,
            warnings=self._warnings(connection, draft, name, reach, limit),
        )

    def _look(self, bulletin: Bulletin, name: str, code: str) -> Look:
        message = bulletins.message(bulletin, code, self.texts)
        return Look(
            code,
            bulletins.body(bulletin, name or "none", code, self.texts),
            message.body,
            self.texts(code, "template.stop"),
        )

    def _price(self, templates_sent: int, messages: int, marketing: bool) -> float | None:
        """A message in an open window costs what a utility template does (CLOUD-API.md 0 and 5)."""
        own = self.town.broadcasts
        template = own.marketing_price if marketing else own.utility_price
        if (templates_sent and not template) or (messages and not own.utility_price):
            return None
        return templates_sent * template + messages * own.utility_price

    def _warnings(
        self, connection: Connection, draft: Draft, name: str, reach: Reach, limit: float
    ) -> list[str]:
        found = []
        if not name:
            key = "news" if draft.bulletin.category == "marketing" else "notice"
            found.append(
                f"{reach.people - reach.open} people do not get it: the mapping names no template ([templates] {key})"
            )
        known = {t.language: t for t in templates.every(connection, self.name) if t.name == name}
        for code in self.town.languages if name else ():
            state = known[code].state if code in known else "not known to WhatsApp: connector templates push"
            if state != templates.APPROVED:
                found.append(f"the template {name} ({code}) is {state.lower()}")
        if reach.stopped:
            found.append(
                f"{reach.stopped} people stopped marketing messages in WhatsApp itself, and do not get it"
            )
        if reach.people - reach.open > limit:
            found.append(
                f"WhatsApp lets templates reach {limit:.0f} people a day: the rest get it on later days"
            )
        number = numbers.get(connection, self.name)
        if number is not None and number.quality in ("YELLOW", "RED"):
            found.append(f"the number's quality is {number.quality.lower()}: people block or report it")
        return found

    # --- what is decided ------------------------------------------------------------------------------

    def send(self, draft: Draft, by: str, at: float | None = None) -> Broadcast:
        """Hand it over to the service."""
        now = self.clock()

        def make(connection: Connection) -> Broadcast:
            made = broadcasting.plan(
                connection, self.name, self.town, draft.bulletin, draft.topics, alert=draft.alert, made_by=by, now=now,
                at=at,
            )  # fmt: skip
            assert made is not None
            return self._one(connection, made)

        return self._do(make)

    def _one(self, connection: Connection, number: int) -> Broadcast:
        found = broadcasts.get(connection, number, self.name)
        if found is None:
            raise Rejected(f"there is no broadcast {number}: connector broadcast list")
        return found

    def decide(self, number: int, what: str, by: str) -> Broadcast:
        """``pause``, ``resume``, ``cancel`` or ``approve`` it. Raises ``Rejected`` when that cannot be."""
        now = self.clock()

        def change(connection: Connection) -> Broadcast:
            one = self._one(connection, number)
            grade = told.grade if (told := numbers.get(connection, self.name)) is not None else 0
            done = {
                "pause": lambda: halting.pause(connection, one, f"paused by {by}", now),
                "resume": lambda: halting.resume(connection, one, grade, now),
                "cancel": lambda: halting.cancel(connection, one, f"cancelled by {by}", now),
                "approve": lambda: halting.agree(connection, one, by, now),
            }[what]()
            if not done and what == "approve" and one.state == broadcasts.PROPOSED:
                raise Rejected(
                    f"{one.made_by} made broadcast {number}: somebody else has to approve it (--by NAME)"
                )
            if not done:
                raise Rejected(f"broadcast {number} is {one.state}: there is nothing to {what}")
            return self._one(connection, number)

        return self._do(change)

    def standing(self, number: int) -> Standing:
        """How it stands now."""
        return self.store.read_now(
            lambda connection: self._standing(connection, self._one(connection, number))
        )

    def every(self) -> list[Standing]:
        """The newest, the newest first."""
        return self.store.read_now(
            lambda connection: [
                self._standing(connection, one) for one in broadcasts.every(connection, self.name)
            ]
        )

    def _standing(self, connection: Connection, one: Broadcast) -> Standing:
        counts = Counter(one.counts) + recipients.counts(connection, one.id)
        waiting = counts["waiting"] + counts["trying"]
        if one.gathered is not None and one.state in broadcasts.OPEN:
            marketing = one.bulletin.category == "marketing"
            waiting = max(
                waiting,
                subscriptions.reach(connection, self.name, one.topics, marketing=marketing, until=0).people,
            )
        return Standing(one, counts, waiting)
