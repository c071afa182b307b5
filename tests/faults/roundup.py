"""Staff of a town hall with Roundup: the same script, by its REST interface."""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import Any

import httpx

from tests.trackers.roundup.support import OFFICE, PASSWORD

from .citizens import picture
from .staff import SECRET, Note, Staff


class RoundupStaff(Staff):
    """What it gives of a ticket has the shape of the other one's, which the books read."""

    async def begin(self) -> None:
        head = {"X-Requested-With": "rest", "Origin": self.redmine, "Accept": "*/*"}
        self.http = httpx.AsyncClient(
            base_url=f"{self.redmine}/rest/data", auth=(OFFICE, PASSWORD), headers=head, timeout=120, trust_env=False
        )  # fmt: skip
        rows = (await self._call("GET", "/issue"))["collection"]
        self._newest = max((int(r["id"]) for r in rows), default=0)
        self.first = self._newest + 1

    async def _look(self) -> int:
        rows = (await self._call("GET", "/issue", params={"creator": "whatsapp-bot"}))["collection"]
        fresh = sorted(int(r["id"]) for r in rows if int(r["id"]) > self._newest)
        for number in fresh:
            self._newest = number
            words = (await self.ticket(number))["description"]
            for token in sorted(set(re.findall(rf"{self.run}P\d+R\d", words))):
                self._take_up(token, number)
        return len(fresh)

    async def _write(self, note: Note, dice: random.Random, *, close: bool) -> None:
        text = f"Hola! *Gràcies* per escriure'ns, «ho mirem» 👷 {note.token} versió u"
        said: dict[str, Any] = {
            "content": text,
            "author": OFFICE,
            "date": ".",
            "public": note.kind != "private",
        }
        if note.kind == "private":
            said["content"] = f"{SECRET} {note.token}"
        issue: dict[str, Any] = {"status": "resolved"} if close else {}
        if note.kind == "file":
            note.file = picture(dice)
            name = f"{note.token}.png"
            parts: Any = {
                "content": (name, note.file, "image/png"),
                "name": (None, name),
                "type": (None, "image/png"),
            }
            said["files"] = [(await self._call("POST", "/file", files=parts))["id"]]
            issue["files"] = f"+{said['files'][0]}"
        message = (await self._call("POST", "/msg", json=said))["id"]
        await self._change(f"/issue/{note.ticket}", {**issue, "messages": f"+{message}"})
        note.written = time.time()
        if note.kind in ("edited", "hidden"):
            await asyncio.sleep(dice.choice((0.0, 0.3, 2.0)))
            if note.kind == "edited":
                await self._change(f"/msg/{message}", {"content": text.replace("versió u", "versió dos")})
                note.edited = time.time()
            else:
                await self._change(f"/msg/{message}", {"public": False})
                note.hidden = time.time()

    async def ticket(self, number: int) -> dict[str, Any]:
        fields = {"@fields": "reference,messages,files", "@verbose": 0}
        issue = (await self._call("GET", f"/issue/{number}", params=fields))["attributes"]
        messages = [await self._item("msg", i, "content,public,creator.realname") for i in issue["messages"]]
        files = [await self._item("file", i, "name") for i in issue["files"]]
        messages.sort(key=lambda m: int(m["id"]))
        description, notes = messages[0]["content"] if messages else "", messages[1:]
        return {
            "id": number,
            "description": description,
            "custom_fields": [{"id": 2, "value": issue["reference"] or ""}],
            "journals": [
                {
                    "user": {"name": m["creator.realname"]},
                    "notes": m["content"],
                    "private_notes": not m["public"],
                }
                for m in notes
            ],
            "attachments": [{"id": f["id"], "filename": f["name"]} for f in files],
        }

    async def content(self, attachment: dict[str, Any]) -> bytes:
        done = await self.http.get(f"/file/{attachment['id']}/binary_content")
        done.raise_for_status()
        return done.content

    async def _item(self, klass: str, item: str, fields: str) -> dict[str, Any]:
        asked = {"@fields": f"id,{fields}", "@verbose": 3}
        found: dict[str, Any] = (await self._call("GET", f"/{klass}/{item}", params=asked))["attributes"]
        return found

    async def _change(self, path: str, properties: dict[str, Any]) -> None:
        """Again, when somebody else was quicker."""
        while True:
            etag = (await self._call("GET", path, params={"@fields": "id"}))["@etag"]
            done = await self.http.patch(path, json=properties, headers={"If-Match": etag})
            if done.status_code != 412:
                done.raise_for_status()
                return

    async def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        done = await self.http.request(method, path, **sent)
        done.raise_for_status()
        found: dict[str, Any] = done.json()["data"]
        return found
