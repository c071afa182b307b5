"""Staff with a seed: they read the tickets of the campaign and write notes, public and private, straight into Redmine."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from tests.e2e.way import KEYS

from .citizens import picture

SECRET = "NOMÉS-PER-AL-PERSONAL"
"""In every private note: it must never be seen outside."""
CLOSED = 5
_LOOK = 1.0
_ABREAST = 6


@dataclass(slots=True)
class Note:
    """One note. ``written``, ``edited`` and ``hidden`` are Unix seconds of when that was done, 0 for never."""

    token: str
    kind: str
    ticket: int
    request: str
    file: bytes = b""
    written: float = 0.0
    edited: float = 0.0
    hidden: float = 0.0


@dataclass
class Staff:
    """The staff of the town hall. ``run`` marks the tickets that are theirs: a real Redmine is shared."""

    redmine: str
    seed: int
    run: str
    notes: list[Note] = field(default_factory=list)
    tickets: dict[str, list[int]] = field(default_factory=dict)
    """By the token of a request: the tickets that hold it."""
    kinds: ClassVar = ("plain", "plain", "plain", "file", "edited", "hidden", "private", "private")

    def __post_init__(self) -> None:
        self.http = httpx.AsyncClient(
            base_url=self.redmine, headers={"X-Redmine-API-Key": KEYS["oac"]}, timeout=120, trust_env=False
        )
        self._newest = 0
        self._slots = asyncio.Semaphore(_ABREAST)
        self._writing: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self.http.aclose()

    async def begin(self) -> None:
        """What is there now is of others."""
        rows = (await self._get("/issues.json", status_id="*", sort="id:desc", limit="1"))["issues"]
        self._newest = max((int(r["id"]) for r in rows), default=0)
        self.first = self._newest + 1

    async def work(self, over: Callable[[], bool]) -> None:
        """Answer every new ticket once, until ``over`` and nothing new comes."""
        while True:
            last = over()
            found = await self._look()
            if last and not found and not self._writing:
                return
            await asyncio.sleep(_LOOK)

    async def _look(self) -> int:
        """Take up tickets made since the last look; their number."""
        fresh = []
        offset = 0
        while True:
            rows = (
                await self._get(
                    "/issues.json", status_id="*", sort="id:desc", limit="100", offset=str(offset)
                )
            )["issues"]
            fresh += [r for r in rows if r["id"] > self._newest]
            if len(rows) < 100 or rows[-1]["id"] <= self._newest:
                break
            offset += 100
        for row in sorted(fresh, key=lambda r: int(r["id"])):
            self._newest = int(row["id"])
            for token in sorted(set(re.findall(rf"{self.run}P\d+R\d", row["description"] or ""))):
                self._take_up(token, int(row["id"]))
        return len(fresh)

    def _take_up(self, token: str, number: int) -> None:
        """A ticket holds a request: it is answered, the first of them."""
        known = self.tickets.setdefault(token, [])
        known.append(number)
        if len(known) == 1:
            task = asyncio.create_task(self._answer(token, number))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _answer(self, token: str, ticket: int) -> None:
        dice = random.Random(f"{self.seed}/staff/{token.removeprefix(self.run)}")
        kinds = ["plain", *(dice.choice(self.kinds) for _ in range(dice.choice((0, 1, 1, 2))))]
        dice.shuffle(kinds)
        for n, kind in enumerate(kinds):
            await asyncio.sleep(dice.choice((0.0, 0.0, 0.2, 1.0, 3.0)))
            note = Note(f"{token}N{n}", kind, ticket, token)
            self.notes.append(note)
            async with self._slots:
                await self._write(note, dice, close=n == len(kinds) - 1 and dice.random() < 0.1)

    async def _write(self, note: Note, dice: random.Random, *, close: bool) -> None:
        text = f"Hola! *Gràcies* per escriure'ns, «ho mirem» 👷 {note.token} versió u"
        issue: dict[str, Any] = {"notes": text, "private_notes": note.kind == "private"}
        if note.kind == "private":
            issue["notes"] = f"{SECRET} {note.token}"
        if note.kind == "file":
            note.file = picture(dice)
            issue["uploads"] = [await self._upload(note)]
        if close:
            issue["status_id"] = CLOSED
        await self._put(f"/issues/{note.ticket}.json", {"issue": issue})
        note.written = time.time()
        if note.kind in ("edited", "hidden"):
            journals = (await self._get(f"/issues/{note.ticket}.json", include="journals"))["issue"][
                "journals"
            ]
            journal = next(j["id"] for j in journals if note.token in (j["notes"] or ""))
            await asyncio.sleep(dice.choice((0.0, 0.3, 2.0)))
            if note.kind == "edited":
                await self._put(
                    f"/journals/{journal}.json",
                    {"journal": {"notes": text.replace("versió u", "versió dos")}},
                )
                note.edited = time.time()
            else:
                await self._put(f"/journals/{journal}.json", {"journal": {"private_notes": True}})
                note.hidden = time.time()

    async def _upload(self, note: Note) -> dict[str, str]:
        done = await self.http.post(
            "/uploads.json", params={"filename": f"{note.token}.png"}, content=note.file,
            headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip
        done.raise_for_status()
        token = str(done.json()["upload"]["token"])
        return {"token": token, "filename": f"{note.token}.png", "content_type": "image/png"}

    async def ticket(self, number: int) -> dict[str, Any]:
        """A ticket with its journals and files."""
        found: dict[str, Any] = (await self._get(f"/issues/{number}.json", include="journals,attachments"))[
            "issue"
        ]
        return found

    async def content(self, attachment: dict[str, Any]) -> bytes:
        """The bytes of a file on a ticket."""
        done = await self.http.get(f"/attachments/download/{attachment['id']}/{attachment['filename']}")
        done.raise_for_status()
        return done.content

    async def _get(self, path: str, **params: str) -> dict[str, Any]:
        done = await self.http.get(path, params=params)
        done.raise_for_status()
        found: dict[str, Any] = done.json()
        return found

    async def _put(self, path: str, body: dict[str, Any]) -> None:
        (await self.http.put(path, json=body)).raise_for_status()
