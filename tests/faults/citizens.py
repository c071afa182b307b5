"""Citizens with a seed: what each will write is a script, how it goes depends on the answers they get."""

from __future__ import annotations

import asyncio
import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from tests.e2e.way import ids, option, words

PATIENCE = 240.0
"""Seconds after which a citizen gives up waiting: far more than any fault lasts, so something was lost."""

_SAYINGS = (
    "Hi ha un fanal trencat davant de l'escola",
    "Els contenidors del carrer d'en Pere fan pudor 🗑️🐀",
    "«Això no pot ser», diu la veïna; i té raó",
    "Preu: 3 € & <b>cap</b> rebut, #1 @oac {{include(Wiki)}} [[Wiki]]",
    "h2. Un títol que no ho és\n\n* ni una llista\n* ni dues",
    "*Urgent*: _cal_ arreglar-ho ~demà~ avui",
    '!http://example.org/imatge.png! i "enllaç":http://example.org',
    "L'àvia 👵🏽 hi va caure; 🚑 va venir tard",
    "Línia u\nLínia dos\n\nLínia quatre, després d'una de buida",
    "<code>select *</code> <pre>no</pre> `codi` ```",
    "¿Pueden venir mañana? El niño se hizo daño…",
    "The street is dark — 24/7 — since “Monday”",
)
_HELLO = ("Hola", "Bon dia", "hola!!", "Bona tarda", "Ei")
_PATHS: tuple[tuple[str, ...], ...] = (
    ("menu:mayor",),
    ("2",),
    ("menu:councillor", "choice:centre"),
    ("menu:councillor", "choice:platja"),
    ("3", "choice:muntanya"),
    ("menu:incident",),
    ("4",),
    ("menu:mailbox",),
    ("bustia ciutadana",),
)  # fmt: skip


def picture(dice: random.Random) -> bytes:
    """A small PNG that no other is equal to."""
    made = io.BytesIO()
    Image.frombytes("RGB", (12, 8), dice.randbytes(12 * 8 * 3)).save(made, "PNG")
    return made.getvalue()


def pixels(content: bytes) -> bytes:
    """What a picture shows, whatever its metadata say."""
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


@dataclass(slots=True)
class Piece:
    """One message of a request. ``kind`` is text, photo or place; ``edit`` the words that replace it."""

    kind: str
    text: str = ""
    photo: bytes = b""
    place: tuple[float, float] = (0.0, 0.0)
    edit: str = ""
    pause: float = 0.0

    @property
    def lasting(self) -> str:
        """The words that stay."""
        return self.edit or self.text


@dataclass(slots=True)
class Request:
    """What somebody will ask for, and what became of it."""

    token: str
    path: tuple[str, ...]
    pieces: list[Piece]
    twice: bool
    """They tap «send» twice."""
    at_night: bool
    """They write while the program is down."""
    sent: bool = False
    receipt: str = ""


@dataclass(slots=True)
class Citizen:
    """A script, and the phone it is played on."""

    n: int
    name: str
    phone: str
    hidden: bool
    impatient: bool
    hello: str
    thanks: bool
    reads: bool
    types: bool
    """They type what others tap."""
    requests: list[Request]
    pid: str = ""
    wrote: int = 0
    trouble: str = ""


def citizen(seed: int, n: int, run: str) -> Citizen:
    """The script of the ``n``-th citizen; ``run`` marks its words, and nothing else depends on it."""
    dice = random.Random(f"{seed}/citizen/{n}")
    requests = []
    for r in range(dice.choice((1, 1, 1, 2))):
        token = f"{run}P{n:05d}R{r}"
        pieces = []
        for p in range(dice.randint(1, 4)):
            mark = f"{token}T{p}"
            text = f"{dice.choice(_SAYINGS)} {mark}"
            edit = f"{dice.choice(_SAYINGS)} E{mark}" if dice.random() < 0.1 else ""
            pieces.append(Piece("text", text, edit=edit, pause=dice.choice((0.0, 0.0, 0.1, 0.5, 1.2))))
        for p in range(dice.choice((0, 0, 1, 1, 2))):
            caption = f"foto {token}F{p}" if dice.random() < 0.5 else ""
            photo = Piece("photo", caption, picture(dice), pause=dice.choice((0.0, 0.1, 0.4)))
            pieces.insert(dice.randint(1, len(pieces)), photo)
        if dice.random() < 0.3:
            place = (41.6 + dice.random() / 10, 2.6 + dice.random() / 10)
            pieces.append(Piece("place", place=place))
        requests.append(
            Request(token, dice.choice(_PATHS), pieces, dice.random() < 0.2, dice.random() < 0.15)
        )
    return Citizen(
        n, f"Veí {n} de prova", f"34600{n:06d}", dice.random() < 0.2, dice.random() < 0.25, dice.choice(_HELLO),
        dice.random() < 0.3, dice.random() < 0.5, dice.random() < 0.2, requests,
    )  # fmt: skip


class Phones:
    """All phones of the stand-in: one stream of events for what comes, one client for what goes."""

    def __init__(self, meta: str) -> None:
        self.http = httpx.AsyncClient(base_url=meta, timeout=60, trust_env=False)
        self.inbox: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.ticked: dict[str, set[str]] = defaultdict(set)
        """By person: ids of their own messages that have their second tick (the webhook was answered)."""
        self.arrived = 0
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._listening: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()

    async def start(self) -> None:
        self._listening = asyncio.create_task(self._listen())
        await asyncio.wait_for(self.ready.wait(), 30)

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.http.aclose()

    async def _listen(self) -> None:
        async with self.http.stream("GET", "/_phone/events", timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith(":"):
                    self.ready.set()
                elif line.startswith("data: "):
                    self._take(json.loads(line[6:]))

    def _take(self, event: dict[str, Any]) -> None:
        person = event["person"]
        if "message" in event and event["message"]["direction"] == "out":
            self.inbox[person].append(event["message"])
            self.arrived += 1
        elif event.get("status") in ("delivered", "read"):
            self.ticked[person].add(event["id"])
        self._news[person].set()

    async def until(self, person: str, what: str, look: Callable[[], Any]) -> Any:
        """The first true value of ``look``, asked again whenever something happens on that phone."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := look()):
                    self._news[person].clear()
                    await self._news[person].wait()
                return found
        except TimeoutError:
            raise Stuck(f"waited {PATIENCE:.0f} s for {what}") from None

    async def post(self, path: str, **given: Any) -> Any:
        done = await self.http.post(f"/_phone/{path}", **given)
        assert done.status_code < 300, done.text
        return done.json()

    async def transcript(self, person: str) -> list[dict[str, Any]]:
        return list((await self.http.get(f"/_phone/people/{person}/messages")).json())


class Stuck(Exception):
    """A citizen waited too long for something."""


RECEIPT = re.compile(r"^Rebut, gràcies!.*?(SCV-[0-9A-Z]{4}-[0-9A-Z]{2})", re.DOTALL)


class Hand:
    """A citizen at their phone."""

    def __init__(self, citizen: Citizen, phones: Phones, night: Callable[[], Awaitable[None]]) -> None:
        self.citizen = citizen
        self.phones = phones
        self.night = night
        self.mine: list[str] = []
        self.dice = random.Random(f"hand/{citizen.n}/{citizen.phone}")

    async def live(self) -> None:
        """The whole script. What goes wrong is kept in ``trouble``, for the books."""
        citizen = self.citizen
        try:
            given = {"name": citizen.name, "phone": citizen.phone, "hidden": citizen.hidden}
            citizen.pid = (await self.phones.post("people", json=given))["id"]
            await self._hello()
            for request in citizen.requests:
                await self._ask(request)
        except Stuck as error:
            citizen.trouble = str(error)

    async def _hello(self) -> None:
        for _ in range(2 if self.citizen.impatient else 1):
            await self._type(self.citizen.hello)
        await self._choose("consent:yes", "1")
        await self._offered("menu:mayor")

    async def _ask(self, request: Request) -> None:
        if request is not self.citizen.requests[0]:
            # a number typed is one of those shown last
            before = self._seen()
            await self._tap("menu:home")
            await self._offered("menu:mayor", before)
        for step in request.path:
            before = self._seen()
            if ":" in step:
                await self._offered(step)
                await self._tap(step)
            else:
                await self._type(step)
            if not self.citizen.impatient:
                await self._offered("menu:home", before)
        if request.at_night:
            await self.night()
        begun = self._seen()
        for piece in request.pieces:
            await self._say(piece)
            await asyncio.sleep(piece.pause)
        await self._ticks()
        await self._offered("draft:send", begun)
        for _ in range(2 if request.twice else 1):
            await self._tap("draft:send")
        request.sent = True
        before = {r.receipt for r in self.citizen.requests}

        def receipt() -> str:
            found = [m[1] for x in self._inbox() if (m := RECEIPT.search(words(x)))]
            return next((f for f in found if f not in before), "")

        request.receipt = await self._until(f"the receipt of {request.token}", receipt)
        if self.citizen.thanks:
            await self._type("Moltes gràcies!")
        if self.citizen.reads:
            await self.phones.post(f"people/{self.citizen.pid}/read")

    async def _say(self, piece: Piece) -> None:
        match piece.kind:
            case "photo":
                data = {"kind": "image", "caption": piece.text}
                files = {"file": ("foto.png", piece.photo, "image/png")}
                await self._send(data=data, files=files)
            case "place":
                await self._send(
                    json={"type": "location", "latitude": piece.place[0], "longitude": piece.place[1]}
                )
            case _:
                wamid = await self._type(piece.text)
                if piece.edit:
                    await self._send(json={"type": "edit", "message_id": wamid, "body": piece.edit})

    # --- what hands do -----------------------------------------------------------------------------

    def _inbox(self) -> list[dict[str, Any]]:
        return self.phones.inbox[self.citizen.pid]

    def _seen(self) -> int:
        return len(self._inbox())

    async def _until(self, what: str, look: Callable[[], Any]) -> Any:
        return await self.phones.until(self.citizen.pid, what, look)

    async def _offered(self, choice: str, since: int = 0) -> None:
        await self._until(f"«{choice}»", lambda: any(choice in ids(m) for m in self._inbox()[since:]))

    async def _ticks(self) -> None:
        """Both ticks under everything written so far."""
        ticked = self.phones.ticked[self.citizen.pid]
        await self._until("the second tick", lambda: ticked.issuperset(self.mine))

    async def _choose(self, choice: str, typed: str) -> None:
        await self._offered(choice)
        await (self._type(typed) if self.citizen.types else self._tap(choice))

    async def _send(self, **given: Any) -> str:
        wamid = str((await self.phones.post(f"people/{self.citizen.pid}/send", **given))["id"])
        self.mine.append(wamid)
        self.citizen.wrote += 1
        return wamid

    async def _type(self, text: str) -> str:
        return await self._send(json={"type": "text", "body": text})

    async def _tap(self, choice: str) -> None:
        for message in reversed(self._inbox()):
            kind, title = option(message, choice)
            if kind:
                await self._send(json={"type": kind, "id": choice, "title": title, "context": message["id"]})
                return
        raise AssertionError(f"no message offers {choice}")
