"""Citizens who want something: they tap what the newest message offers, and wait as long as it takes."""

from __future__ import annotations

import asyncio
import base64
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e.way import option, words

if TYPE_CHECKING:
    from .world import World

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_PATHS = (
    ("menu:mayor",),
    ("menu:councillor", "choice:centre"),
    ("menu:councillor", "choice:platja"),
    ("menu:incident",),
    ("menu:mailbox",),
)
REFERENCE = re.compile(r"SCV-[0-9A-Z]{4}-[0-9A-Z]{2}")


@dataclass
class Request:
    """What somebody wanted to be sent. ``token`` stands in its words and nowhere else."""

    token: str
    pieces: list[str] = field(default_factory=list)
    photos: int = 0
    places: int = 0
    sent: bool = False
    receipt: str = ""


class Stuck(AssertionError):
    """Somebody waited in vain."""


@dataclass
class Citizen:
    """One person with a phone."""

    world: World
    n: int
    person: Any
    dice: random.Random
    requests: list[Request] = field(default_factory=list)
    trouble: str = ""
    done: bool = False
    left: float | None = None
    """When the town hall had heard that this person withdrew consent."""

    # --- the phone

    def chat(self) -> list[dict[str, Any]]:
        """What the town hall sent, oldest first."""
        return [m for m in self.world.meta.transcript(self.person) if m["direction"] == "out"]

    def send(self, **action: Any) -> str:
        self.world.trace(f"citizen {self.n} sends {action.get('id') or action['type']}")
        return str(self.world.meta.send(self.person, action))

    async def until(self, what: str, look: Callable[[], Any]) -> Any:
        end = self.world.loop.now + self.world.plan.patience
        while self.world.loop.now < end:
            if found := look():
                return found
            await self.world.news(self.person.id, end)
        raise Stuck(f"waited in vain for {what}")

    def offering(self, choice: str, since: int = 0) -> dict[str, Any] | None:
        """The newest message that has that option, not older than the chat was long at ``since``."""
        return next((m for m in reversed(self.chat()[since:]) if option(m, choice)[0]), None)

    async def tap(self, choice: str, since: int = 0) -> None:
        message = await self.until(f"an offer of {choice}", lambda: self.offering(choice, since))
        kind, title = option(message, choice)
        self.send(type=kind, id=choice, title=title, context=message["id"])

    async def heard(self, mine: list[str]) -> None:
        """Everything that was sent has arrived at the town hall."""
        own = self.world.meta.state.owners
        await self.until(
            "an answer to the webhook", lambda: all(own[wamid][1].status != "sent" for wamid in mine)
        )

    # --- what people do

    async def live(self, requests: int) -> None:
        try:
            begins = self.world.plan.begins[self.n : self.n + 1]
            await asyncio.sleep(*(begins or [self.dice.uniform(0, min(600, self.world.plan.rough / 4))]))
            self.send(type="text", body=self.dice.choice(("Hola", "Bon dia", "hola!!")))
            await self.tap("consent:yes")
            await self.until("the menu", lambda: self.offering("menu:mayor"))
            for n in range(requests):
                await self.request(n)
                await asyncio.sleep(self.dice.uniform(10, 1500))
                if self.world.plan.moves and self.dice.random() < self.world.plan.moves:
                    await self.heard([self.move()])
            if self.world.plan.leaves and self.dice.random() < self.world.plan.leaves:
                await self.heard([self.send(type="text", body="No accepto")])
                self.left = self.world.loop.now
        except Stuck as stuck:
            self.trouble = str(stuck)
        finally:
            self.done = True

    def move(self) -> str:
        """Another telephone number, or another user id; of a hidden number WhatsApp tells nothing."""
        if not self.person.hidden and self.dice.random() < 0.5:
            return self.send(type="system_number", phone=f"34600{self.n:02}{self.dice.randrange(10**4):04}")
        return self.send(type="system_user_id")

    async def request(self, n: int) -> None:
        dice = self.dice
        made = Request(f"P{self.n:02}R{n}T{dice.randrange(10**6):06}")
        self.requests.append(made)
        for choice in dice.choice(_PATHS):
            before = len(self.chat())
            if choice.startswith("menu:") and self.offering(choice) is None:
                self.send(type="text", body="menú")
            await self.tap(choice)
            await self.until("an answer to a choice", lambda before=before: len(self.chat()) > before)
            await asyncio.sleep(dice.uniform(0.5, 5))
        mine = []
        made.pieces = [
            f"{made.token}{'abc'[i]} Hi ha un fanal trencat"
            for i in range(2 if self.world.plan.gap is not None else dice.randint(1, 3))
        ]
        since = len(self.chat())
        for piece in made.pieces:
            since = len(self.chat())
            mine.append(self.send(type="text", body=piece))
            gap = dice.choice((0.0, 0.5, 3.0, 12.0))
            await asyncio.sleep(gap if self.world.plan.gap is None else self.world.plan.gap)
        photo = dice.random() < 0.3
        if photo if self.world.plan.photo is None else self.world.plan.photo:
            made.photos, since = 1, len(self.chat())
            mine.append(
                self.world.meta.send_file(
                    self.person, PIXEL + bytes(str(dice.random()), "ascii"), "image/png"
                )
            )
            await asyncio.sleep(dice.choice((0.0, 2.0)))
        place = dice.random() < 0.3
        if place if self.world.plan.place is None else self.world.plan.place:
            made.places, since = 1, len(self.chat())
            mine.append(self.send(type="location", latitude=41.6 + dice.random() / 10, longitude=2.6))
        await self.heard(mine)
        await self.tap("draft:send", since)
        made.sent = True
        if dice.random() < 0.1:
            await asyncio.sleep(dice.choice((0.0, 1.0)))
            await self.tap("draft:send", since)
        receipt = await self.until("the receipt", lambda: self._receipt(since))
        made.receipt = receipt

    def _receipt(self, since: int) -> str:
        for message in self.chat()[since:]:
            found = REFERENCE.search(words(message))
            if found and words(message).startswith("Rebut"):
                return found[0]
        return ""

    async def read(self) -> None:
        """Opens the chat now and then, and taps «read the answer» under a template."""
        tapped: set[str] = set()
        while True:
            await asyncio.sleep(self.dice.uniform(200, 900))
            self.world.meta.open_chat(self.person)
            for message in self.chat():
                if message["type"] != "template" or message["id"] in tapped:
                    continue
                tapped.add(message["id"])
                for button in (message["shown"] or {}).get("buttons", []):
                    if button["type"] == "QUICK_REPLY":
                        self.send(
                            type="button",
                            payload=button["payload"],
                            text=button["text"],
                            context=message["id"],
                        )
