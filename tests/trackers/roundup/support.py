"""The seeded Roundup of ``tests/servers/roundup/seed.py``: its adapter, its accounts, and the office that works in it."""

from __future__ import annotations

import functools
from typing import Any

import httpx
from pydantic import SecretStr

from connector.core.ticket import Routing, Upload
from connector.trackers.roundup import Config, RoundupTracker

from ..redmine.support import Clock, _new_second
from ..system import System

BOT, OFFICE, WORKS, TEMPORARY = "whatsapp-bot", "oac", "operari.brigada", "treballador.temporal"
PASSWORD = "contrasenya-de-prova"
OUT_OF_SIGHT = "Obres i serveis"
ROUTING = Routing(
    project="Incidències",
    assignee="Nil Operari Brigada",
    category="Via pública",
    priority="wish",
    watchers=("Jordi Alcalde", "regidor.centre"),
    fields=(("channel", "WhatsApp"), ("neighbourhood", "Centre")),
)


def tracker(url: str, login: str = BOT, password: str = PASSWORD, **changes: Any) -> RoundupTracker:
    """The adapter as the seeded Roundup wants it configured."""
    settings: dict[str, Any] = {
        "url": url,
        "api_key": SecretStr(f"{login}:{password}"),
        "reference_field": "reference",
        "latitude_field": "latitude",
        "longitude_field": "longitude",
        "address_field": "address",
    }
    return RoundupTracker(Config(**{**settings, **changes}))


class RoundupStaff:
    """Somebody at the town hall, by Roundup's REST interface."""

    def __init__(self, url: str, login: str = OFFICE) -> None:
        head = {"X-Requested-With": "rest", "Origin": url}
        self.login = login
        self.http = httpx.Client(
            base_url=f"{url}/rest/data", auth=(login, PASSWORD), headers=head, timeout=60, trust_env=False
        )

    def call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        answer = self.http.request(method, path, **sent)
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    def get(self, what: str, *fields: str) -> dict[str, Any]:
        """Properties of an item («issue/7»), links by name."""
        data = self.call("GET", f"/{what}", params={"@fields": ",".join(fields), "@verbose": 3})
        found: dict[str, Any] = data["attributes"]
        return found

    def change(self, what: str, **properties: Any) -> None:
        etag = self.call("GET", f"/{what}", params={"@fields": "id"})["@etag"]
        self.call("PATCH", f"/{what}", json=properties, headers={"If-Match": etag})

    def retire(self, what: str) -> None:
        etag = self.call("GET", f"/{what}", params={"@fields": "id"})["@etag"]
        self.call("DELETE", f"/{what}", headers={"If-Match": etag})

    def message(self, text: str, *, public: bool, files: list[str] | None = None) -> str:
        sent = {"content": text, "author": self.login, "date": ".", "public": public, "files": files or []}
        return str(self.call("POST", "/msg", json=sent)["id"])

    def file(self, name: str, content: bytes) -> str:
        parts: Any = {
            "content": (name, content, "image/jpeg"),
            "name": (None, name),
            "type": (None, "image/jpeg"),
        }
        return str(self.call("POST", "/file", files=parts)["id"])

    def content(self, file_id: str) -> bytes:
        answer = self.http.get(f"/file/{file_id}/binary_content", headers={"Accept": "*/*"})
        answer.raise_for_status()
        return answer.content

    def messages(self, ticket_id: str) -> list[dict[str, Any]]:
        """All but the first one, which is what the ticket says."""
        ids = [m["id"] for m in self.get(f"issue/{ticket_id}", "messages")["messages"]]
        return [
            self.get(f"msg/{i}", "content", "public", "creator", "author") for i in sorted(ids, key=int)[1:]
        ]

    # --- ``tests/trackers/system.Staff`` -----------------------------------------------------------

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        files = [self.file(*file)] if file else []
        changed: dict[str, Any] = {"messages": f"+{self.message(text, public=True, files=files)}"}
        changed |= {"files": f"+{files[0]}"} if files else {}
        self.change(f"issue/{ticket_id}", **changed, **({"status": status} if status else {}))

    def note_internally(self, ticket_id: str, text: str) -> None:
        self.change(f"issue/{ticket_id}", messages=f"+{self.message(text, public=False)}")

    def close(self, ticket_id: str) -> None:
        self.change(f"issue/{ticket_id}", status="resolved")

    def delete(self, ticket_id: str) -> None:
        self.retire(f"issue/{ticket_id}")

    def move_out_of_sight(self, ticket_id: str) -> None:
        self.change(f"issue/{ticket_id}", project=OUT_OF_SIGHT)

    def open_with_reference(self, reference: str) -> str:
        made = {"title": "Fet a mà", "project": "Incidències", "reference": reference}
        return str(self.call("POST", "/issue", json=made)["id"])

    def public_notes(self, ticket_id: str) -> list[str]:
        return [m["content"] for m in self.messages(ticket_id) if m["public"]]

    def subject(self, ticket_id: str) -> str:
        return str(self.get(f"issue/{ticket_id}", "title")["title"])


@functools.cache
def staff(url: str, login: str = OFFICE) -> RoundupStaff:
    """The same connection for all tests of a process."""
    return RoundupStaff(url, login)


def system(url: str, *, live: bool, salt: str) -> System:
    """A Roundup under the contract."""

    def broken(how: str) -> RoundupTracker:
        if how == "wrong_key":
            return tracker(url, password="una-altra")
        if how == "no_private_notes":
            return tracker(url, WORKS)
        if how == "unknown_filter":
            return tracker(url, reference_field="referencia")
        raise KeyError(how)

    return System(
        tracker=tracker(url),
        broken=broken,
        staff=staff(url),
        routing=ROUTING,
        wait=Clock(live).wait,
        new_second=_new_second if live else lambda: None,
        flag_status="need-eg",
        flag_watcher="Oficina Atenció Ciutadana",
        closed_status="resolved",
        right_to_internal_notes="internal notes",
        mistakes=(
            ("assignee", "Ningú Conegut", ""),
            ("category", "Centr", "Centre"),
            ("priority", "wis", "wish"),
            ("watchers", ("Jordi Alcald",), "Jordi Alcalde"),
            ("fields", (("neighbourhood", "Barri que no existeix"),), ""),
        ),
        refused_value=("neighbourhood", "Barri que no existeix"),
        refused_file=Upload("virus.exe", "application/octet-stream", b"MZ"),
        refused_why="exe",
        salt=salt,
        takes_empty_files=False,
    )
