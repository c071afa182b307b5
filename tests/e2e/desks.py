"""Staff of the town hall at work in whatever tracker it has: what the main job needs of each, in the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from connector.trackers import inert
from tests.trackers.helpdesk import support as helpdesk
from tests.trackers.roundup import support as roundup
from tests.trackers.rt.support import BOT, PASSWORD, RTStaff
from tests.trackers.system import Staff as SystemStaff

from .way import KEYS, ROOT, Staff, field_of

File = tuple[str, str, bytes]
"""Name, type, content."""


@dataclass(frozen=True)
class Seen:
    """A ticket as staff see it."""

    number: int
    kind: str
    """What says what it is about: a tracker, a queue."""
    assignee: str
    author: str
    channel: str
    neighbourhood: str
    latitude: str
    longitude: str
    address: str
    description: str
    files: tuple[bytes, ...]
    everything: str
    """All of it as text."""


class Desk(Protocol):
    """One member of staff."""

    def tickets(self, reference: str) -> list[int]:
        """Numbers of all tickets that carry the reference."""

    def ticket(self, number: int) -> Seen: ...
    def write(self, number: int, text: str, *, private: bool = False, file: File | None = None) -> None: ...
    def close(self, number: int) -> None: ...


@dataclass(frozen=True)
class Tracker:
    """A kind of tracker: the variable with the address of the real one, its mapping, its part of ``config.toml`` by
    address, its staff by address and login.

    ``names`` are what it calls otherwise than the first one does.
    """

    address: str
    mapping: Path
    settings: Callable[[str], str]
    desk: Callable[[str, str], Desk]
    names: dict[str, str]

    def called(self, name: str) -> str:
        return self.names.get(name, name)


class RedmineDesk:
    def __init__(self, url: str, login: str) -> None:
        self.url = url
        self.staff = Staff(url, KEYS[login])

    def tickets(self, reference: str) -> list[int]:
        return [int(row["id"]) for row in self.staff.tickets(reference)]

    def ticket(self, number: int) -> Seen:
        issue = self.staff.ticket(number)
        return Seen(
            number=number,
            kind=issue["tracker"]["name"],
            assignee=issue["assigned_to"]["name"],
            author=issue["author"]["name"],
            channel=field_of(issue, 1),
            neighbourhood=field_of(issue, 7),
            latitude=field_of(issue, 4),
            longitude=field_of(issue, 5),
            address=field_of(issue, 6),
            description=issue["description"],
            files=tuple(self._content(a) for a in issue["attachments"]),
            everything=str(issue),
        )

    def _content(self, attachment: dict[str, Any]) -> bytes:
        path = attachment["content_url"].split("/attachments")[1]
        return self.staff.http.get(f"{self.url}/attachments{path}").content

    def write(self, number: int, text: str, *, private: bool = False, file: File | None = None) -> None:
        self.staff.write(number, text, private=private, file=file)

    def close(self, number: int) -> None:
        self.staff.write(number, "", status_id=5)


class StaffDesk:
    """What staff do, by the class with which the contract tests work in that system."""

    staff: SystemStaff

    def write(self, number: int, text: str, *, private: bool = False, file: File | None = None) -> None:
        if private:
            self.staff.note_internally(str(number), text)
        else:
            self.staff.reply(str(number), text, file=(file[0], file[2]) if file else None)

    def close(self, number: int) -> None:
        self.staff.close(str(number))


class RTDesk(StaffDesk):
    def __init__(self, url: str, login: str) -> None:
        self.staff = RTStaff(url, login)

    def tickets(self, reference: str) -> list[int]:
        params = {"query": f"'CF.{{Referència WhatsApp}}' = '{reference}'"}
        return [int(row["id"]) for row in self.staff.call("GET", "/tickets", params=params)["items"]]

    def ticket(self, number: int) -> Seen:
        ticket = self.staff.call("GET", f"/ticket/{number}")
        fields = {f["name"]: (f["values"] or [""])[0] for f in ticket["CustomFields"]}
        rows = self.staff.call(
            "GET", f"/ticket/{number}/attachments", params={"per_page": 100, "fields": "Filename"}
        )
        parts = [(row["Filename"], self.staff.content(row["id"])) for row in rows["items"]]
        name = lambda link: self.staff.call("GET", f"/{link['type']}/{link['id']}")  # noqa: E731
        return Seen(
            number=number,
            kind=name(ticket["Queue"])["Name"],
            assignee=name(ticket["Owner"])["RealName"],
            author=name(ticket["Creator"])["RealName"],
            channel=fields["Canal"],
            neighbourhood=fields["Barri"],
            latitude=fields["Latitud"],
            longitude=fields["Longitud"],
            address=fields["Adreça"],
            description=parts[0][1].decode().replace(inert.ZWSP, ""),
            files=tuple(content for filename, content in parts if filename),
            everything=str(ticket) + str(parts),
        )


class HelpdeskDesk(StaffDesk):
    def __init__(self, url: str, login: str) -> None:
        self.url = url
        self.staff = helpdesk.HelpdeskStaff(url, login)

    def tickets(self, reference: str) -> list[int]:
        rows = self.staff.call("GET", "/tickets/", params={"page_size": 100_000})["results"]
        return [int(row["id"]) for row in rows if row[helpdesk.REFERENCE] == reference]

    def ticket(self, number: int) -> Seen:
        ticket = self.staff.ticket(number)
        people = {n: name for name, n in helpdesk.PEOPLE.items()} | {2: "Robot WhatsApp"}
        queues = {n: name for name, n in helpdesk.QUEUES.items()}
        opening = ticket["followup_set"][0]
        files = [file for row in ticket["followup_set"] for file in row["followupattachment_set"]]
        return Seen(
            number=number,
            kind=queues[ticket["queue"]],
            assignee=people[ticket["assigned_to"]],
            author=people[opening["user"]],
            channel=ticket["custom_canal"],
            neighbourhood=ticket["custom_barri"],
            latitude=ticket["custom_latitud"],
            longitude=ticket["custom_longitud"],
            address=ticket["custom_adreca"],
            description=helpdesk.written(ticket["description"]),
            files=tuple(self.staff.http.get(file["file"]).content for file in files),
            everything=str(ticket),
        )

    def write(self, number: int, text: str, *, private: bool = False, file: File | None = None) -> None:
        super().write(number, text.replace("*", "**"), private=private, file=file)  # bold, in its Markdown


class RoundupDesk(StaffDesk):
    def __init__(self, url: str, login: str) -> None:
        self.staff = roundup.RoundupStaff(url, login)

    def tickets(self, reference: str) -> list[int]:
        rows = self.staff.call("GET", "/issue", params={"reference:": reference})["collection"]
        return [int(row["id"]) for row in rows]

    def ticket(self, number: int) -> Seen:
        issue = self.staff.get(
            f"issue/{number}", "project.name", "assignedto.realname", "creator.realname", "channel.name", "title",
            "neighbourhood.name", "latitude", "longitude", "address", "files", "messages", "keyword", "status",
        )  # fmt: skip
        messages = sorted((m["id"] for m in issue["messages"]), key=int)
        texts = [self.staff.get(f"msg/{i}", "content")["content"] for i in messages]
        return Seen(
            number=number,
            kind=issue["project.name"],
            assignee=issue["assignedto.realname"],
            author=issue["creator.realname"],
            channel=issue["channel.name"] or "",
            neighbourhood=issue["neighbourhood.name"] or "",
            latitude=str(issue["latitude"] or ""),
            longitude=str(issue["longitude"] or ""),
            address=issue["address"] or "",
            description=texts[0].replace(inert.ZWSP, ""),
            files=tuple(self.staff.content(f["id"]) for f in issue["files"]),
            everything=str(issue) + str(texts),
        )


REDMINE = Tracker(
    "REDMINE_URL",
    ROOT / "mappings" / "sant-cebria.toml",
    lambda url: f'url = "{url}"\napi_key = "{KEYS["whatsapp-bot"]}"',
    RedmineDesk,
    {},
)
RT = Tracker(
    "RT_URL",
    ROOT / "mappings" / "sant-cebria-rt.toml",
    lambda url: f'kind = "rt"\nurl = "{url}"\nuser = "{BOT}"\napi_key = "{PASSWORD}"',
    RTDesk,
    {"Incidència": "Incidències", "Brigada municipal": "Nil Operari Brigada"},
)
HELPDESK = Tracker(
    "HELPDESK_URL",
    ROOT / "mappings" / "sant-cebria-helpdesk.toml",
    helpdesk.settings,
    HelpdeskDesk,
    {"Incidència": "Incidències", "Brigada municipal": "Nil Operari Brigada"},
)
ROUNDUP = Tracker(
    "ROUNDUP_URL",
    ROOT / "mappings" / "sant-cebria-roundup.toml",
    lambda url: f'kind = "roundup"\nurl = "{url}"\napi_key = "{roundup.BOT}:{roundup.PASSWORD}"',
    RoundupDesk,
    {"Incidència": "Incidències", "Brigada municipal": "Nil Operari Brigada"},
)
TRACKERS = {"redmine": REDMINE, "rt": RT, "helpdesk": HELPDESK, "roundup": ROUNDUP}
"""By ``kind``. The main job and the campaign are played on each."""
