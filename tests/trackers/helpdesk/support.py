"""A seeded django-helpdesk, real or recorded, as the contract needs it."""

from __future__ import annotations

import contextlib
import functools
import mimetypes
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.core.errors import Gone
from connector.core.ticket import Created, NewTicket, Routing, Upload
from connector.trackers import inert
from connector.trackers.helpdesk import Config, HelpdeskTracker

from ..system import System

PASSWORD = "contrasenya-de-prova"
"""Of every account of the seed: a public test value."""
KEYS = {
    "admin": "ad" * 20,
    "whatsapp-bot": "b0" * 20,
    "oac": "0a" * 20,
    "alcalde": "a1" * 20,
    "regidor.centre": "c1" * 20,
    "regidora.platja": "c2" * 20,
    "regidor.muntanya": "c3" * 20,
    "operari.brigada": "d1" * 20,
}
"""Tokens of the seed, by login: public test values. The accounts are numbered in this order."""
ACCOUNTS = {login: n for n, login in enumerate(KEYS, 1)}
QUEUES = {"Alcaldia": 1, "Regidories": 2, "Incidències": 3, "Bústia ciutadana": 4}
PEOPLE = {
    "Oficina Atenció Ciutadana": 3,
    "Jordi Alcalde": 4,
    "Marc Regidor Centre": 5,
    "Laia Regidora Platja": 6,
    "Pau Regidor Muntanya": 7,
    "Nil Operari Brigada": 8,
}
BOT = "whatsapp-bot"
OUT_OF_SIGHT = 5
"""A queue the bot has no right in."""
OPEN, RESOLVED, CLOSED = 1, 3, 4
REFERENCE = "custom_referencia"
ROUTING = Routing(
    project="Incidències",
    assignee="Nil Operari Brigada",
    priority="High",
    status="Reopened",
    fields=(("Canal", "WhatsApp"), ("Barri", "Centre"), ("categoria", "Via pública")),
)


class HelpdeskStaff:
    """The citizens' office (OAC), with a key of its own."""

    def __init__(self, url: str, login: str = "oac") -> None:
        head = {"Authorization": f"Token {KEYS[login]}"}
        self.http = httpx.Client(base_url=f"{url}/api", timeout=30, headers=head)

    def call(self, method: str, path: str, **how: Any) -> Any:
        answer = self.http.request(method, path, **how)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def write(self, ticket_id: str, text: str, *, public: bool = True, file: tuple[str, bytes] | None = None, **more: Any) -> dict[str, Any]:  # fmt: skip
        """A follow-up, as the page writes it."""
        body = {"ticket": ticket_id, "comment": text, "public": public, **more}
        if not file:
            return self.call("POST", "/followups/", json=body)  # type: ignore[no-any-return]
        name, content = file
        files = {"attachments": (name, content, mimetypes.guess_type(name)[0])}
        return self.call("POST", "/followups/", data=body, files=files)  # type: ignore[no-any-return]

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        more = {"new_status": {"Resolved": RESOLVED, "Closed": CLOSED}[status]} if status else {}
        self.write(ticket_id, text, file=file, **more)

    def note_internally(self, ticket_id: str, text: str) -> None:
        self.write(ticket_id, text, public=False)

    def patch(self, ticket_id: str, **values: Any) -> None:
        """Change a ticket without a follow-up, as its board and the administration do."""
        self.call("PATCH", f"/tickets/{ticket_id}/", json=values)

    def close(self, ticket_id: str) -> None:
        self.write(ticket_id, "", public=False, new_status=CLOSED)

    def delete(self, ticket_id: str) -> None:
        self.call("DELETE", f"/tickets/{ticket_id}/")

    def move_out_of_sight(self, ticket_id: str) -> None:
        self.patch(ticket_id, queue=OUT_OF_SIGHT)

    def open(self, **values: Any) -> str:
        """A ticket made by hand; its id."""
        body = {"queue": QUEUES[ROUTING.project], "title": "Fet a mà", "description": "A mà", "priority": 3}
        return str(self.call("POST", "/tickets/", json={**body, **values})["id"])

    def open_with_reference(self, reference: str) -> str:
        return self.open(**{REFERENCE: reference})

    def ticket(self, ticket_id: str | int) -> dict[str, Any]:
        return self.call("GET", f"/tickets/{ticket_id}/")  # type: ignore[no-any-return]

    def public_notes(self, ticket_id: str) -> list[str]:
        _, *notes = self.ticket(ticket_id)["followup_set"]
        return [str(note["user"]) for note in notes if note["public"]]

    def subject(self, ticket_id: str) -> str:
        return str(self.ticket(ticket_id)["title"])


@contextlib.contextmanager
def tidy(url: str) -> Iterator[None]:
    """Delete afterwards the tickets that were made: each of them makes every call of everybody slower."""
    made: list[str] = []
    create, by_hand = HelpdeskTracker.create, HelpdeskStaff.open

    def noting(tracker: HelpdeskTracker, ticket: NewTicket) -> Created:
        made.append((created := create(tracker, ticket)).ticket_id)
        return created

    def opening(staff: HelpdeskStaff, **values: Any) -> str:
        made.append(ticket_id := by_hand(staff, **values))
        return ticket_id

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HelpdeskTracker, "create", noting)
        patched.setattr(HelpdeskStaff, "open", opening)
        yield
    for ticket_id in made:
        at_work(url)[1].http.delete(f"/tickets/{ticket_id}/")


class Pages:
    """The pages staff see, in a session of their own."""

    def __init__(self, url: str, login: str = "oac") -> None:
        self.http = httpx.Client(base_url=url, timeout=30, follow_redirects=True)
        self.http.get("/login/")
        self.post("/login/", username=login, password=PASSWORD, next="/tickets/")

    def post(self, path: str, **form: Any) -> httpx.Response:
        form["csrfmiddlewaretoken"] = self.http.cookies["csrftoken"]
        answer = self.http.post(path, data=form)
        answer.raise_for_status()
        return answer

    def merge(self, ticket_id: str, into: str) -> None:
        query = f"/tickets/merge?tickets={ticket_id}&tickets={into}"
        self.http.get(query).raise_for_status()
        # where a ticket has no submitter its page ends with an error, after all was done
        with contextlib.suppress(httpx.HTTPStatusError):
            self.post(query, chosen_ticket=into)

    def description(self, ticket_id: str) -> str:
        """The HTML of a ticket's text on its page."""
        page = self.http.get(f"/tickets/{ticket_id}/").text
        found = re.search(r'</ul>\s*</div>\s*</div>\s*(<p>.*?)<div class="row', page, re.DOTALL)
        assert found, "the page is another one"
        return found[1]


def shell(script: str) -> str:
    """Run with the models of the running server, for what its API does not do."""
    home = os.environ["HELPDESK_HOME_DIR"]
    parts = Path(__file__).parents[2] / "servers" / "helpdesk"
    place = {"PYTHONPATH": str(parts), "DJANGO_SETTINGS_MODULE": "desk_settings"}
    begin = "import django; django.setup()\nfrom helpdesk.models import *\n"
    done = subprocess.run(
        [f"{home}/venv/bin/python", "-c", begin + script],
        env={**os.environ, **place}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(text: str) -> str:
    """What a text of ours says: without what keeps it from being markup."""
    return re.sub(r"\\([\\`*\[_])", r"\1", text).replace(inert.ZWSP, "").replace("&lt;", "<")


def settings(url: str) -> str:
    """``[tracker]`` in ``config.toml``, as the comment in the mapping has it."""
    named = lambda numbers: ", ".join(f'"{name}" = {n}' for name, n in numbers.items())  # noqa: E731
    return (
        f'kind = "helpdesk"\nurl = "{url}"\napi_key = "{KEYS[BOT]}"\naccount = {ACCOUNTS[BOT]}\n'
        f"queues = {{ {named(QUEUES)} }}\npeople = {{ {named(PEOPLE)} }}"
    )


def tracker(url: str, login: str = BOT, **changes: Any) -> HelpdeskTracker:
    """The adapter as the seeded django-helpdesk wants it configured."""
    settings: dict[str, Any] = {
        "url": url,
        "api_key": KEYS[login],
        "account": ACCOUNTS[login],
        "queues": QUEUES,
        "people": PEOPLE,
        "reference_field": "Referència WhatsApp",
        "latitude_field": "Latitud",
        "longitude_field": "Longitud",
        "address_field": "Adreça",
    }
    return HelpdeskTracker(Config(**{**settings, **changes}))


@functools.cache
def at_work(url: str) -> tuple[HelpdeskTracker, HelpdeskStaff]:
    """The adapter and the office, once for all tests of a process."""
    return tracker(url), HelpdeskStaff(url)


def system(url: str, *, live: bool, salt: str) -> System:
    """A django-helpdesk under the contract."""
    adapter, staff = at_work(url) if live else (tracker(url), HelpdeskStaff(url))

    def broken(how: str) -> HelpdeskTracker:
        if how == "wrong_key":
            return tracker(url, api_key="no-es-aquesta")
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
        flag_status="Duplicate",
        flag_watcher="",
        closed_status="Closed",
        right_to_internal_notes="staff",
        mistakes=(
            ("assignee", "Ningú Conegut", ""),
            ("category", "Centre", ""),
            ("fields", (("Categoria", "Centr"),), "Centre"),
            ("watchers", ("Jordi Alcalde",), ""),
            ("priority", "2. Hig", "2. High"),
            ("status", "Resolve", "Resolved"),
        ),
        refused_value=("Barri", "Barri que no existeix"),
        refused_file=Upload("foto.heic", "image/heic", b"ftypheic"),
        refused_why=".heic",
        salt=salt,
        longest_subject=200,
        takes_empty_files=False,
        out_of_sight=Gone,
    )
