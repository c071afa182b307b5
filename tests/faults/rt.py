"""Staff of a town hall with Request Tracker: the same script, as far as RT has it (its replies cannot be changed)."""

from __future__ import annotations

import base64
import json
import random
import re
import time
from typing import Any

import httpx

from tests.trackers.rt.support import PASSWORD

from .citizens import picture
from .staff import SECRET, Note, Staff

_REFERENCE = "Referència WhatsApp"


class RTStaff(Staff):
    """What it gives of a ticket has the shape of the other one's, which the books read."""

    kinds = ("plain", "plain", "file", "private")

    async def begin(self) -> None:
        self.http = httpx.AsyncClient(base_url=self.redmine, timeout=120, trust_env=False)
        await self.http.post("/NoAuth/Login.html", data={"user": "oac", "pass": PASSWORD})
        rows = (await self._rt("/tickets", query="id > 0", orderby="id", order="DESC", per_page=1))["items"]
        self._newest = max((int(r["id"]) for r in rows), default=0)
        self.first = self._newest + 1

    async def _look(self) -> int:
        rows = (await self._rt("/tickets", query=f"id > {self._newest}", orderby="id", per_page=100))["items"]
        for row in rows:
            self._newest = int(row["id"])
            words = (await self.ticket(self._newest))["description"]
            for token in sorted(set(re.findall(rf"{self.run}P\d+R\d", words))):
                self._take_up(token, self._newest)
        return len(rows)

    async def _write(self, note: Note, dice: random.Random, *, close: bool) -> None:
        text = f"Hola! *Gràcies* per escriure'ns, «ho mirem» 👷 {note.token} versió u"
        body: dict[str, Any] = {"Content": text, "ContentType": "text/plain"}
        if note.kind == "private":
            body["Content"] = f"{SECRET} {note.token}"
        if close:
            body["Status"] = "resolved"
        files = None
        if note.kind == "file":
            note.file = picture(dice)
            files = {"Attachments": (f"{note.token}.png", note.file, "image/png")}
        what = "comment" if note.kind == "private" else "correspond"
        how: dict[str, Any] = (
            {"data": {"JSON": json.dumps(body)}, "files": files} if files else {"json": body}
        )
        (await self.http.post(f"/REST/2.0/ticket/{note.ticket}/{what}", **how)).raise_for_status()
        note.written = time.time()

    async def ticket(self, number: int) -> dict[str, Any]:
        ticket = await self._rt(f"/ticket/{number}")
        history = await self._rt(
            "/transactions", query=f"ObjectType = 'RT::Ticket' AND ObjectId = {number}", per_page=100,
            fields="Type,Creator", **{"fields[Creator]": "RealName"},
        )  # fmt: skip
        fields = "Filename,TransactionId,ContentType"
        parts = (await self._rt(f"/ticket/{number}/attachments", per_page=100, fields=fields))["items"]
        texts = {
            p["TransactionId"]: p["id"]
            for p in parts
            if p["ContentType"] == "text/plain" and not p["Filename"]
        }
        journals, description = [], ""
        for row in history["items"]:
            words = (await self.content({"id": texts[row["id"]]})).decode() if row["id"] in texts else ""
            if row["Type"] == "Create":
                description = words
            elif row["Type"] in ("Correspond", "Comment"):
                private = row["Type"] == "Comment"
                user = {"name": row["Creator"]["RealName"]}
                journals.append({"user": user, "notes": words, "private_notes": private})
        values = [f["values"] for f in ticket["CustomFields"] if f["name"] == _REFERENCE]
        return {
            "id": number,
            "description": description,
            "custom_fields": [{"id": 2, "value": values[0][0] if values and values[0] else ""}],
            "journals": journals,
            "attachments": [{"id": p["id"], "filename": p["Filename"]} for p in parts if p["Filename"]],
        }

    async def content(self, attachment: dict[str, Any]) -> bytes:
        return base64.b64decode((await self._rt(f"/attachment/{attachment['id']}"))["Content"] or "")

    async def _rt(self, path: str, **params: str | int) -> dict[str, Any]:
        done = await self.http.get(f"/REST/2.0{path}", params=params)
        done.raise_for_status()
        found: dict[str, Any] = done.json()
        return found
