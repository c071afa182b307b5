"""A citizen to talk with the pure conversation: no clock, no database, nothing is sent."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connector import mapping
from connector.core.conversation import Conversation
from connector.core.events import Effect, Event, Message, Quiet, Say, Step, Submit, Wake
from connector.core.model import (
    Address,
    AskPlaceOut,
    ButtonsOut,
    Content,
    Inbound,
    ListOut,
    MediaIn,
    MediaKind,
    Outgoing,
    PlaceIn,
    ReplyIn,
    TextIn,
)
from connector.core.state import State
from connector.core.texts import Texts
from connector.core.town import Town
from connector.texts import catalogues

ROOT = Path(__file__).resolve().parents[2]
TOWN = mapping.load(ROOT / "mappings" / "sant-cebria.toml")
WHO = Address(user_id="ES.10000000000000000001", phone="34600000001")
START = 1_795_426_800.0


def talk_of(town: Town) -> Conversation:
    """The conversation of a town, with ids that count up."""
    ids = itertools.count(1)
    return Conversation(town, Texts(catalogues(town.languages, town.texts)), lambda: f"d{next(ids)}")


def body_of(message: Outgoing) -> str:
    """The text of a message."""
    return str(getattr(message, "body", ""))


def ids_of(message: Outgoing) -> list[str]:
    """The ids that can be tapped under a message."""
    match message:
        case ListOut(rows=rows):
            return [r.id for r in rows]
        case ButtonsOut(buttons=buttons):
            return [b.id for b in buttons]
        case AskPlaceOut():
            return ["(place)"]
        case _:
            return []


@dataclass
class Citizen:
    """Somebody who writes. ``said`` is everything the town hall said, ``done`` every effect."""

    talk: Conversation
    state: State = field(default_factory=State)
    now: float = START
    said: list[Say] = field(default_factory=list)
    done: list[Effect] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    wake: Wake | None = None
    count: int = 0

    def step(self, event: Event) -> list[str]:
        """One step; the bodies of what was said in it."""
        before = self.state
        self.state, step = self.talk.step(self.state, event, self.now)
        assert State.model_validate_json(self.state.model_dump_json(exclude_defaults=True)) == self.state
        self._take(step)
        assert step.outcome, (before, event)
        return [body_of(e.message) for e in step.effects if isinstance(e, Say)]

    def _take(self, step: Step) -> None:
        self.outcomes.append(step.outcome)
        for effect in step.effects:
            self.done.append(effect)
            if isinstance(effect, Say):
                self.said.append(effect)
            if isinstance(effect, Wake):
                self.wake = effect

    def send(self, content: Content, **more: object) -> list[str]:
        self.count += 1
        self.now += 1
        at = datetime.fromtimestamp(self.now, UTC)
        inbound = Inbound(f"wamid.{self.count}", at, WHO, "100000000000001", content)
        return self.step(Message(inbound, f"k{self.count}", **more))  # type: ignore[arg-type]

    def type(self, text: str) -> list[str]:
        return self.send(TextIn(text))

    def tap(self, choice: str, about: str = "") -> list[str]:
        return self.send(ReplyIn(choice, ""), about=about)

    def photo(
        self, caption: str | None = None, kind: MediaKind = MediaKind.IMAGE, voice: bool = False
    ) -> list[str]:
        return self.send(MediaIn(kind, f"m{self.count}", "image/jpeg", caption=caption, voice=voice))

    def place(self) -> list[str]:
        return self.send(PlaceIn(41.62, 2.6, "Plaça", "Carrer Major, 1"))

    def wait(self) -> list[str]:
        """The alarm after a burst goes off."""
        wake, self.wake = self.wake, None
        if wake is None:
            return []
        self.now += wake.seconds
        return self.step(Quiet(wake.draft, wake.revision))

    def later(self, hours: float) -> None:
        self.now += hours * 3600

    @property
    def last(self) -> Outgoing:
        return self.said[-1].message

    @property
    def sent(self) -> list[Submit]:
        return [e for e in self.done if isinstance(e, Submit)]


def newcomer(town: Town = TOWN) -> Citizen:
    """Somebody who never wrote."""
    return Citizen(talk_of(town))


def accepted(town: Town = TOWN, language: str = "") -> Citizen:
    """Somebody who accepted and sees the menu."""
    citizen = newcomer(town)
    citizen.type("Hola")
    if language and language != town.languages[0]:
        citizen.tap(f"lang:{language}")
    citizen.tap("consent:yes")
    return citizen


def writing(option: str = "menu:mayor", town: Town = TOWN) -> Citizen:
    """Somebody who is writing to the mayor."""
    citizen = accepted(town)
    citizen.tap(option)
    return citizen
