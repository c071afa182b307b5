"""Staff who see nothing but the tracker: they write notes, public and private, change, hide and delete them."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.e2e.way import KEYS

from .network import ask

if TYPE_CHECKING:
    from .world import World

TOKEN = re.compile(r"P\d\dR\dT\d{6}")
KINDS = (
    "public",
    "public",
    "public",
    "private",
    "private",
    "edited",
    "hidden",
    "deleted",
    "published",
    "solved",
    "file",
)
DAY = 86_400.0


@dataclass
class Note:
    """What staff wrote. ``token`` stands in it and nowhere else; times in seconds of the history."""

    token: str
    kind: str
    ticket: int
    request: str
    written: float
    changed: float = 0.0
    """When it was edited, hidden, deleted or published; 0 when it was not (yet)."""
    order: int = 0


@dataclass
class Staff:
    """Everybody in the town hall."""

    world: World
    dice: random.Random
    notes: list[Note] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    busy: int = 0
    trouble: str = ""

    async def call(
        self, method: str, path: str, body: Any = None, key: str = "oac", raw: bytes | None = None
    ) -> Any:
        """One call of Redmine's API, by somebody with that login. Raises ``AssertionError`` on a refusal."""
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if raw is not None else "application/json"
        headers = {"X-Redmine-API-Key": KEYS[key], "Content-Type": kind}
        request = httpx.Request(method, f"http://redmine.sim{path}", headers=headers, content=content)
        answer = await ask(self.world.redmine.app, request, content)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body[:200]!r}"
        return json.loads(answer.body) if answer.body.strip() else None

    def tickets(self, token: str) -> list[Any]:
        """Tickets in whose words that token stands."""
        return [i for i in self.world.redmine.db.issues.values() if token in (i.description or "")]

    async def live(self) -> None:
        """Look for new tickets now and then, and answer each."""
        while True:
            await asyncio.sleep(self.dice.uniform(20, 200))
            for number, issue in sorted(self.world.redmine.db.issues.items()):
                found = TOKEN.search(issue.description or "")
                if number not in self.seen and found:
                    self.seen.add(number)
                    if not any(n.request == found[0] for n in self.notes):
                        self.busy += 1
                        asyncio.get_running_loop().create_task(self._answer(number, found[0]))

    async def _answer(self, number: int, token: str) -> None:
        try:
            for n in range(self.dice.randint(bool(self.world.plan.kinds), self.world.plan.notes)):
                late = self.dice.random() < self.world.plan.days
                soon = self.dice.choice((0.3, 20, min(400, self.world.plan.rough / 4)))
                soon = soon if self.world.plan.think is None else self.world.plan.think
                await asyncio.sleep(self.dice.uniform(DAY, 1.2 * DAY) if late else soon)
                await self._note(number, token, n)
        except AssertionError as error:
            self.trouble = str(error)
        finally:
            self.busy -= 1

    async def _note(self, number: int, request: str, n: int) -> None:
        kind = self.dice.choice(self.world.plan.kinds or KINDS)
        note = Note(f"N{request[1:]}{n}X", kind, number, request, self.world.loop.now, order=len(self.notes))
        self.notes.append(note)
        self.world.trace(f"staff write {kind} note {note.token} on {number}")
        change: dict[str, Any] = {
            "notes": f"{note.token} Ho mirem demà",
            "private_notes": kind in ("private", "published"),
        }
        if kind == "solved":
            change["status_id"] = self._status("Resolt")
        if kind == "file":
            made = await self.call(
                "POST", f"/uploads.json?filename={note.token}.txt", raw=f"{note.token} plànol".encode()
            )
            change["uploads"] = [
                {
                    "token": made["upload"]["token"],
                    "filename": f"{note.token}.txt",
                    "content_type": "text/plain",
                }
            ]
        await self.call("PUT", f"/issues/{number}.json", {"issue": change})
        if kind in ("edited", "hidden", "deleted", "published"):
            await asyncio.sleep(self.dice.choice((0.5, 10, 60, 600)))
            found = (await self.call("GET", f"/issues/{number}.json?include=journals"))["issue"]["journals"]
            entry = next(j for j in found if note.token in (j["notes"] or ""))
            new = {
                "edited": {"notes": f"{note.token} Ho mirem avui"},
                "hidden": {"private_notes": True},
                "deleted": {"notes": ""},
                "published": {"private_notes": False},
            }[kind]
            note.changed = self.world.loop.now
            self.world.trace(f"staff {kind} note {note.token}")
            await self.call("PUT", f"/journals/{entry['id']}.json", {"journal": new})

    def _status(self, name: str) -> int:
        return next(s.id for s in self.world.redmine.db.statuses.values() if s.name == name)
