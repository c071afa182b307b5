"""A citizen to talk with the pure conversation: no clock, no database, nothing is sent.

Whatever is said goes through the real builder of WhatsApp's messages and the strict schema of the contract;
every state goes through JSON and back; and no piece of a request is ever lost.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from jsonschema import Draft202012Validator

from connector import mapping
from connector.core.address import Address
from connector.core.board import Board
from connector.core.conversation import Conversation
from connector.core.events import (
    Consented,
    Effect,
    Event,
    Forget,
    Joined,
    Left,
    Message,
    Quiet,
    Say,
    Step,
    Submit,
    Wake,
)
from connector.core.incoming import Content, Inbound, MediaIn, MediaKind, PlaceIn, ReplyIn, RevokeIn, TextIn
from connector.core.outgoing import AskPlaceOut, ButtonsOut, ListOut, Outgoing
from connector.core.state import Item, State
from connector.core.texts import Texts
from connector.core.town import Town
from connector.texts import catalogues
from connector.whatsapp.payloads import build

ROOT = Path(__file__).resolve().parents[2]
TOWN = mapping.load(ROOT / "mappings" / "sant-cebria.toml")
WHO = Address(user_id="ES.10000000000000000001", phone="34600000001")
START = 1_795_426_800.0
SCHEMA = Draft202012Validator(
    json.loads(
        (ROOT / "tests/whatsapp/contract_data/schemas/outgoing-message.schema.json").read_text(
            encoding="utf-8"
        )
    )
)
IDS = ("consent", "menu", "page", "choice", "draft", "more", "lang", "data", "topic")
DROPS = ("draft dropped", "consent refused", "consent withdrawn")
"""Outcomes in which a person gives up what they wrote."""


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


def check_message(message: Outgoing) -> None:
    """What Meta would refuse is an error here."""
    problems = [e.message for e in SCHEMA.iter_errors(build(message, WHO, key="k"))]
    assert not problems, problems
    assert len(set(ids_of(message))) == len(ids_of(message))


def items_of(state: State) -> tuple[Item, ...]:
    """Every piece of a request that a state holds."""
    return (*(state.draft.items if state.draft else ()), *state.held)


def nothing_lost(before: State, event: Event, after: State, step: Step) -> None:
    """Every piece is still there once, or in the request just sent, or given up by the person, its file too."""
    had = {i.key: i for i in items_of(before)}
    have = [i.key for i in items_of(after)]
    assert len(set(have)) == len(have), "a piece is there twice"
    gone = set(had) - set(have)
    for sent in (e for e in step.effects if isinstance(e, Submit)):
        assert len(set(sent.keys)) == len(sent.keys) and set(sent.keys) <= gone
        pieces = sorted((had[k] for k in sent.keys), key=lambda i: i.at)
        assert sent.words == "\n\n".join(i.text for i in pieces if i.text)
        assert sent.files == tuple(i.media for i in pieces if i.kind == "media")
        assert len(sent.places) == sum(i.kind == "place" for i in pieces)
        gone -= set(sent.keys)
    revoked = isinstance(event, Message) and isinstance(event.inbound.content, RevokeIn)
    assert not gone or revoked or step.outcome in DROPS, step.outcome
    forgotten = {ref for e in step.effects if isinstance(e, Forget) for ref in e.refs}
    assert forgotten == {had[key].media for key in gone if had[key].media}


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
    topics: tuple[str, ...] = ()
    """What they are subscribed to, as the store would know it."""
    board: Board = field(default_factory=Board)
    """What the town's sources say."""

    def step(self, event: Event) -> list[str]:
        """One step; the bodies of what was said in it."""
        before = self.state
        self.state, step = self.talk.seeing(self.board, self.now).step(self.state, event, self.now)
        assert State.model_validate_json(self.state.model_dump_json(exclude_defaults=True)) == self.state
        assert step.outcome, (before, event)
        nothing_lost(before, event, self.state, step)
        self._take(step)
        return [body_of(e.message) for e in step.effects if isinstance(e, Say)]

    def _take(self, step: Step) -> None:
        self.outcomes.append(step.outcome)
        for effect in step.effects:
            self.done.append(effect)
            if isinstance(effect, Say):
                check_message(effect.message)
                self.said.append(effect)
            if isinstance(effect, Wake):
                self.wake = effect
            if isinstance(effect, Joined):
                self.topics += (effect.topic,)
            if isinstance(effect, Left):
                self.topics = tuple(t for t in self.topics if t not in effect.topics)
            if isinstance(effect, Consented) and not effect.given:
                self.topics = ()

    def send(self, content: Content, **more: object) -> list[str]:
        self.count += 1
        self.now += 1
        at = datetime.fromtimestamp(self.now, UTC)
        inbound = Inbound(f"wamid.{self.count}", at, WHO, "100000000000001", content)
        more = {"topics": self.topics, **more}
        return self.step(Message(inbound, f"k{self.count}", **more))  # type: ignore[arg-type]

    def go(self, *lines: str) -> list[str]:
        """Several things in a row: an id is tapped (as on the newest message that offers it), the rest is typed.

        ``.`` lets the alarm after a burst go off. What the last of them brought is given back.
        """
        answer: list[str] = []
        for line in lines:
            if line == ".":
                answer = self.wait()
            elif line.partition(":")[0] in IDS:
                answer = self.tap(
                    line, next((s.about for s in reversed(self.said) if line in ids_of(s.message)), "")
                )
            else:
                answer = self.type(line)
        return answer

    @property
    def outcome(self) -> str:
        return self.outcomes[-1]

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
