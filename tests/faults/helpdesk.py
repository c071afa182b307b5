"""Staff of a town hall with django-helpdesk: the same script, all of it."""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import Any

import httpx

from tests.trackers.helpdesk.support import ACCOUNTS, BOT, CLOSED, KEYS, REFERENCE, written

from .citizens import picture
from .staff import SECRET, Note, Staff

_EVERYTHING = 100_000


class HelpdeskStaff(Staff):
    """What it gives of a ticket has the shape of the other one's, which the books read."""

    async def begin(self) -> None:
        head = {"Authorization": f"Token {KEYS['oac']}"}
        self.http = httpx.AsyncClient(
            base_url=f"{self.redmine}/api", headers=head, timeout=120, trust_env=False
        )
        self._newest = max((row["id"] for row in await self._rows()), default=0)
        self.first = self._newest + 1

    async def _rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get("/tickets/", page_size=str(_EVERYTHING)))["results"]
        return found

    async def _look(self) -> int:
        fresh = [row for row in await self._rows() if row["id"] > self._newest]
        for row in sorted(fresh, key=lambda r: int(r["id"])):
            self._newest = int(row["id"])
            for token in sorted(set(re.findall(rf"{self.run}P\d+R\d", row["description"]))):
                self._take_up(token, self._newest)
        return len(fresh)

    async def _write(self, note: Note, dice: random.Random, *, close: bool) -> None:
        text = f"Hola! *Gràcies* per escriure'ns, «ho mirem» 👷 {note.token} versió u"
        private = note.kind == "private"
        body: dict[str, Any] = {"ticket": note.ticket, "comment": text, "public": not private}
        if private:
            body["comment"] = f"{SECRET} {note.token}"
        if close:
            body["new_status"] = CLOSED
        how: dict[str, Any] = {"json": body}
        if note.kind == "file":
            note.file = picture(dice)
            how = {"data": body, "files": {"attachments": (f"{note.token}.png", note.file, "image/png")}}
        done = await self.http.post("/followups/", **how)
        done.raise_for_status()
        note.written = time.time()
        if note.kind in ("edited", "hidden"):
            await asyncio.sleep(dice.choice((0.0, 0.3, 2.0)))
            changed = (
                {"comment": text.replace("versió u", "versió dos")}
                if note.kind == "edited"
                else {"public": False}
            )
            (await self.http.patch(f"/followups/{done.json()['id']}/", json=changed)).raise_for_status()
            setattr(note, note.kind, time.time())

    async def ticket(self, number: int) -> dict[str, Any]:
        ticket = await self._get(f"/tickets/{number}/")
        opening, *rows = ticket["followup_set"]
        assert opening["user"] == ACCOUNTS[BOT], "the follow-up that a new ticket gets"
        journals = [
            {
                "user": {"name": "Robot WhatsApp" if row["user"] == ACCOUNTS[BOT] else "Staff"},
                "notes": row["comment"],
                "private_notes": not row["public"],
            }
            for row in rows
        ]
        return {
            "id": number,
            "description": written(ticket["description"]),
            "custom_fields": [{"id": 2, "value": ticket[REFERENCE]}],
            "journals": journals,
            "attachments": [file for row in rows for file in row["followupattachment_set"]],
        }

    async def content(self, attachment: dict[str, Any]) -> bytes:
        done = await self.http.get(attachment["file"])
        done.raise_for_status()
        return done.content
