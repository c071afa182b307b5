"""A seeded Request Tracker, real or recorded, as the contract needs it."""

from __future__ import annotations

import base64
import functools
import json
import mimetypes
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from connector.core.ticket import Routing, Upload
from connector.trackers.rt import Config, RequestTracker

from ..system import System

PASSWORD = "contrasenya-de-prova"
"""Of every account of the seed: a public test value."""
BOT = "whatsapp-bot"
ROUTING = Routing(
    project="Incidències",
    assignee="Nil Operari Brigada",
    priority="High",
    status="new",
    watchers=("Jordi Alcalde", "Laia Regidora Platja"),
    fields=(("Canal", "WhatsApp"), ("Barri", "Centre"), ("Categoria", "Via pública")),
)
OUT_OF_SIGHT = "Obres i serveis"
"""A queue the bot has no right in."""


class RTStaff:
    """The citizens' office (OAC), in a session of its own."""

    def __init__(self, url: str, user: str = "oac") -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self.http.post("/NoAuth/Login.html", data={"user": user, "pass": PASSWORD})

    def call(self, method: str, path: str, **how: Any) -> Any:
        answer = self.http.request(method, f"/REST/2.0{path}", **how)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        body = {"Content": text, "ContentType": "text/plain", **({"Status": status} if status else {})}
        if file:
            name, content = file
            data, files = (
                {"JSON": json.dumps(body)},
                {"Attachments": (name, content, mimetypes.guess_type(name)[0])},
            )
            self.call("POST", f"/ticket/{ticket_id}/correspond", data=data, files=files)
        else:
            self.call("POST", f"/ticket/{ticket_id}/correspond", json=body)

    def note_internally(self, ticket_id: str, text: str) -> None:
        body = {"Content": text, "ContentType": "text/plain"}
        self.call("POST", f"/ticket/{ticket_id}/comment", json=body)

    def content(self, attachment: str) -> bytes:
        """The bytes of an attachment."""
        return base64.b64decode(self.call("GET", f"/attachment/{attachment}")["Content"] or "")

    def put(self, ticket_id: str, **values: Any) -> None:
        self.call("PUT", f"/ticket/{ticket_id}", json=values)

    def close(self, ticket_id: str) -> None:
        self.put(ticket_id, Status="resolved")

    def delete(self, ticket_id: str) -> None:
        self.call("DELETE", f"/ticket/{ticket_id}")

    def move_out_of_sight(self, ticket_id: str) -> None:
        self.put(ticket_id, Queue=OUT_OF_SIGHT)

    def open(self, **values: Any) -> str:
        """A ticket made by hand; its id."""
        body = {
            "Queue": ROUTING.project,
            "Subject": "Fet a mà",
            "Content": "A mà",
            "ContentType": "text/plain",
        }
        return str(self.call("POST", "/ticket", json={**body, **values})["id"])

    def open_with_reference(self, reference: str) -> str:
        return self.open(CustomFields={"Referència WhatsApp": reference})

    def public_notes(self, ticket_id: str) -> list[str]:
        query = f"ObjectType = 'RT::Ticket' AND ObjectId = {ticket_id} AND Type = 'Correspond'"
        rows = self.call("GET", "/transactions", params={"query": query, "fields": "Creator"})["items"]
        return [str(row["Creator"]["id"]) for row in rows]

    def subject(self, ticket_id: str) -> str:
        return str(self.call("GET", f"/ticket/{ticket_id}")["Subject"])


def tracker(url: str, user: str = BOT, secret: str = PASSWORD, **changes: Any) -> RequestTracker:
    """The adapter as the seeded RT wants it configured."""
    settings: dict[str, Any] = {
        "url": url,
        "user": user,
        "api_key": secret,
        "reference_field": "Referència WhatsApp",
        "latitude_field": "Latitud",
        "longitude_field": "Longitud",
        "address_field": "Adreça",
    }
    return RequestTracker(Config(**{**settings, **changes}))


@functools.cache
def at_work(url: str) -> tuple[RequestTracker, RTStaff]:
    """The adapter and the office, logged in once for all tests of a process."""
    return tracker(url), RTStaff(url)


def system(url: str, *, live: bool, salt: str) -> System:
    """An RT under the contract."""
    adapter, staff = at_work(url) if live else (tracker(url), RTStaff(url))

    def broken(how: str) -> RequestTracker:
        if how == "wrong_key":
            return tracker(url, secret="no-es-aquesta")
        if how == "no_private_notes":
            return tracker(url, "operari.brigada")
        if how == "unknown_filter":
            return tracker(url, reference_field="Cap camp així")
        raise KeyError(how)

    return System(
        tracker=adapter,
        broken=broken,
        staff=staff,
        routing=ROUTING,
        wait=time.sleep if live else lambda seconds: None,
        new_second=lambda: None,
        flag_status="stalled",
        flag_watcher="Oficina Atenció Ciutadana",
        closed_status="resolved",
        right_to_internal_notes="CommentOnTicket",
        mistakes=(
            ("assignee", "Ningú Conegut", ""),
            ("category", "Centre", ""),
            ("fields", (("Categoria", "Centr"),), "Centre"),
            ("watchers", ("Jordi Alcald",), "Jordi Alcalde"),
            ("priority", "Hig", "High"),
            ("status", "resolve", "resolved"),
        ),
        refused_value=("Barri", "Barri que no existeix"),
        refused_file=Upload("buit.jpg", "image/jpeg", b""),
        refused_why="empty",
        salt=salt,
        longest_subject=200,
        takes_empty_files=False,
    )


def token(user: str) -> str:
    """An authentication token of an account of the running server."""
    fixtures = json.loads(Path(os.environ["RT_FIXTURES"]).read_text(encoding="utf-8"))
    return str(fixtures["users"][user]["token"])


def perl(script: str, *words: str) -> str:
    """Run as RT's own administrator on the machine would: for rights, which REST2 does not change."""
    home = os.environ["RT_HOME_DIR"]
    place = {
        "RT_SITE_CONFIG": f"{home}/RT_SiteConfig.pm",
        "RT_SITE_CONFIG_DIR": f"{home}/conf.d",
        "PERL5LIB": "/usr/share/request-tracker5/lib",
    }
    command = ["perl", "-CSDA", "-Mutf8", "-MRT=-init", "-e", script, *words]
    done = subprocess.run(
        command, env={**os.environ, **place}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_QUEUE = """
my ($name, @rights) = @ARGV;
my $queue = RT::Queue->new(RT->SystemUser);
$queue->Create(Name => $name);
my $bot = RT::User->new(RT->SystemUser);
$bot->Load('whatsapp-bot');
$bot->PrincipalObj->GrantRight(Right => $_, Object => $queue) for @rights;
"""
_REVOKE = """
my ($name, $right) = @ARGV;
my $queue = RT::Queue->new(RT->SystemUser);
$queue->Load($name);
my $bot = RT::User->new(RT->SystemUser);
$bot->Load('whatsapp-bot');
my ($ok, $message) = $bot->PrincipalObj->RevokeRight(Right => $right, Object => $queue);
die $message unless $ok;
"""
RIGHTS = (
    "SeeQueue", "ShowTicket", "ShowTicketComments", "SeeCustomField", "CreateTicket", "CommentOnTicket", "ModifyTicket",
    "ModifyCustomField",
)  # fmt: skip
"""What the connector's account needs in a queue."""


def make_queue(*rights: str) -> str:
    """A queue of this test alone, in which the bot has these rights; its name."""
    name = f"Cua d'un test {time.time_ns()}"
    perl(_QUEUE, name, *(rights or RIGHTS))
    return name


def revoke(queue: str, right: str) -> None:
    """Take a right in a queue from the bot."""
    perl(_REVOKE, queue, right)
