"""A seeded Redmine, real, recorded or stood in for, as the contract needs it."""

from __future__ import annotations

import itertools
import time
from typing import Any

import httpx

from connector.core.ticket import Routing, Upload
from connector.trackers.redmine import Config, RedmineTracker

from ..system import System

KEYS = {"bot": "b0" * 20, "oac": "0a" * 20, "admin": "ad" * 20, "brigada": "d1" * 20, "alcalde": "a1" * 20}
"""API keys of the seed: public test values."""
ROUTING = Routing(
    project="atencio-ciutadana",
    tracker="Incidència",
    assignee="Brigada municipal",
    category="Via pública",
    priority="Alta",
    status="Nou",
    watchers=("Jordi Alcalde",),
    fields=(("1", "WhatsApp"), ("7", "Centre")),
)
OUT_OF_SIGHT = 2
"""Id of a project the bot is no member of."""


class RedmineStaff:
    """The citizens' office (OAC), by Redmine's API."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"X-Redmine-API-Key": KEYS["oac"]}, timeout=20)

    def _put(self, ticket_id: str, **issue: Any) -> None:
        self._http.put(f"/issues/{ticket_id}.json", json={"issue": issue}).raise_for_status()

    def reply(
        self, ticket_id: str, text: str, *, status: str = "", file: tuple[str, bytes] | None = None
    ) -> None:
        issue: dict[str, Any] = {"notes": text}
        if status:
            rows = self._http.get("/issue_statuses.json").json()["issue_statuses"]
            issue["status_id"] = next(s["id"] for s in rows if s["name"] == status)
        if file:
            name, content = file
            head = {"Content-Type": "application/octet-stream"}
            answer = self._http.post(
                "/uploads.json", params={"filename": name}, content=content, headers=head
            )
            token = answer.json()["upload"]["token"]
            issue["uploads"] = [{"token": token, "filename": name, "content_type": "image/jpeg"}]
        self._put(ticket_id, **issue)

    def note_internally(self, ticket_id: str, text: str) -> None:
        self._put(ticket_id, notes=text, private_notes=True)

    def close(self, ticket_id: str) -> None:
        self._put(ticket_id, status_id=5)

    def delete(self, ticket_id: str) -> None:
        self._http.delete(f"/issues/{ticket_id}.json").raise_for_status()

    def move_out_of_sight(self, ticket_id: str) -> None:
        self._put(ticket_id, project_id=OUT_OF_SIGHT)

    def open_with_reference(self, reference: str) -> str:
        issue = {
            "project_id": 1,
            "tracker_id": 6,
            "subject": "Fet a mà",
            "custom_fields": [{"id": 2, "value": reference}],
        }
        answer = self._http.post("/issues.json", json={"issue": issue})
        answer.raise_for_status()
        return str(answer.json()["issue"]["id"])

    def public_notes(self, ticket_id: str) -> list[str]:
        rows = self._issue(ticket_id, "journals")["journals"]
        return [j["notes"] for j in rows if j["notes"] and not j["private_notes"]]

    def subject(self, ticket_id: str) -> str:
        return str(self._issue(ticket_id)["subject"])

    def _issue(self, ticket_id: str, include: str = "") -> dict[str, Any]:
        answer = self._http.get(f"/issues/{ticket_id}.json", params={"include": include})
        answer.raise_for_status()
        return dict(answer.json()["issue"])


class Clock:
    """Seconds that a test lets pass; ``live`` also sleeps."""

    def __init__(self, live: bool) -> None:
        self._live = live
        self._now = 1000.0

    def __call__(self) -> float:
        return self._now

    def wait(self, seconds: float) -> None:
        self._now += seconds
        if self._live:
            time.sleep(seconds)


def tracker(url: str, key: str = KEYS["bot"], clock: Clock | None = None, **changes: Any) -> RedmineTracker:
    """The adapter as the seeded Redmine wants it configured."""
    settings: dict[str, Any] = {
        "url": url,
        "api_key": key,
        "reference_field": "2",
        "latitude_field": "4",
        "longitude_field": "5",
        "address_field": "6",
        "max_attachment_bytes": 5 << 20,
    }
    return RedmineTracker(Config(**{**settings, **changes}), clock=clock or Clock(live=False))


def system(url: str, *, live: bool, salt: str) -> System:
    """A Redmine under the contract."""
    clock = Clock(live)

    def broken(how: str) -> RedmineTracker:
        if how == "wrong_key":
            return tracker(url, "0f" * 20, clock)
        if how == "no_private_notes":
            return tracker(url, KEYS["brigada"], clock)
        if how == "unknown_filter":
            return tracker(url, KEYS["bot"], clock, reference_field="999")
        raise KeyError(how)

    return System(
        tracker=tracker(url, clock=clock),
        broken=broken,
        staff=RedmineStaff(url),
        routing=ROUTING,
        wait=clock.wait,
        new_second=_new_second if live else lambda: None,
        flag_status="Comentaris",
        flag_watcher="Oficina Atenció Ciutadana",
        closed_status="Tancat",
        right_to_internal_notes="Set notes as private",
        mistakes=(
            ("assignee", "Ningú Conegut", ""),
            ("category", "Centr", "Centre"),
            ("watchers", ("Jordi Alcald",), "Jordi Alcalde"),
        ),
        refused_value=("7", "Barri que no existeix"),
        refused_file=Upload("virus.exe", "application/octet-stream", b"MZ"),
        refused_why=".exe",
        salt=salt,
    )


def _new_second() -> None:
    time.sleep(1.0 - time.time() % 1.0)


_runs = itertools.count()


def fresh_salt() -> str:
    """New in every test of every run."""
    return f"{time.time_ns()} {next(_runs)}"
