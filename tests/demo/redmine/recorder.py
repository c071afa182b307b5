"""Runs scenarios against a Redmine (real or stand-in) and writes down every answer in a comparable form.

What differs from run to run is replaced by a label: ids of things a scenario made (``<issue 1>``), times
(``<time>``, fractions would show), today's date, the scenario's own reference and the server's address.
Everything else, status, content type and body, is kept as it came.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

KEYS = {
    "bot": "b0" * 20,
    "oac": "0a" * 20,
    "admin": "ad" * 20,
    "alcalde": "a1" * 20,
    "centre": "c1" * 20,
    "brigada": "d1" * 20,
    "wrong": "00" * 20,
    "nobody": "",
}
PASSWORD = "contrasenya-de-prova"

_TIME = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
_KINDS = {
    "issue": ("issue", 0),
    "issues": ("issue", 0),
    "parent": ("issue", 0),
    "children": ("issue", 0),
    "journals": ("journal", 0),
    "attachment": ("attachment", 0),
    "attachments": ("attachment", 0),
    "upload": ("attachment", 0),
    "relation": ("relation", 0),
    "relations": ("relation", 0),
    "project": ("project", 2),
    "projects": ("project", 2),
    "membership": ("membership", 11),
    "memberships": ("membership", 11),
    "enabled_modules": ("module", 10),
    "user": ("user", 12),
    "author": ("user", 12),
    "assigned_to": ("user", 12),
    "watchers": ("user", 12),
}
"""JSON key -> (what its ``id`` is, highest id that the seed made and that is therefore kept)."""


class Recorder:
    """One scenario's session: requests as different people, every answer recorded in ``steps``."""

    def __init__(self, url: str, wait: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.ref = f"PAR-{secrets.token_hex(6)}"
        self.steps: list[dict[str, Any]] = []
        self._wait = wait
        self._labels: dict[tuple[str, int], str] = {}
        self._http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def wait(self, seconds: float = 1.1) -> None:
        """Let the server's clock pass into another second."""
        self._wait(seconds)

    def call(
        self,
        method: str,
        path: str,
        *,
        who: str = "bot",
        body: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        record: bool = True,
        show: Callable[[Any], Any] | None = None,
    ) -> httpx.Response:
        """Send one request. ``who`` is a name in ``KEYS`` or a key itself; ``show`` picks what is recorded of a body."""
        sent = dict(headers or {})
        key = KEYS.get(who, who)
        if key:
            sent["X-Redmine-API-Key"] = key
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        answer = self._http.request(method, path, content=content, headers=sent)
        if record:
            self.note(f"{who if who in KEYS else 'other'} {method} {path}", answer, show)
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """GET; returns the parsed body, or None where it is not JSON."""
        answer = self.call("GET", path, **options)
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None

    def put(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return self.call("PUT", path, body=body, **options)

    def post(self, path: str, body: Any, **options: Any) -> Any:
        """POST JSON; returns the parsed body, or None."""
        answer = self.call("POST", path, body=body, **options)
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.call("DELETE", path, **options)

    def issue(self, *, record: bool = False, who: str = "bot", **fields: Any) -> int:
        """Create an issue with the scenario's reference in custom field 2; returns its id."""
        issue = {
            "project_id": 1,
            "tracker_id": 6,
            "subject": f"Prova {self.ref}",
            "custom_fields": [{"id": 2, "value": self.ref}],
        } | fields
        made = self.post("/issues.json", {"issue": issue}, who=who, record=record)
        number = int(made["issue"]["id"])
        self.label("issue", number)
        return number

    def upload(self, name: str, data: bytes, *, who: str = "bot", record: bool = False) -> str:
        """Upload ``data``; returns the token."""
        answer = self.call(
            "POST",
            f"/uploads.json?filename={name}",
            who=who,
            content=data,
            headers={"Content-Type": "application/octet-stream"},
            record=record,
        )
        return str(answer.json()["upload"]["token"])

    def found(self, query: str, **options: Any) -> None:
        """Record which issues a list query finds (labels, in order), and its total."""
        self.call("GET", f"/issues.json?{query}", show=_hits, **options)

    def say(self, what: str, value: Any) -> None:
        """Record a value worked out from answers."""
        self.steps.append({"step": self._text(what), "value": self.normal(value)})

    def note(self, step: str, answer: httpx.Response, show: Callable[[Any], Any] | None = None) -> None:
        kind = answer.headers.get("content-type", "")
        entry: dict[str, Any] = {"step": self._text(step), "status": answer.status_code, "type": kind}
        if "location" in answer.headers:
            entry["location"] = self._text(answer.headers["location"])
        if "www-authenticate" in answer.headers:
            entry["authenticate"] = answer.headers["www-authenticate"]
        if not answer.content:
            entry["body"] = None
        elif "json" in kind:
            parsed = answer.json()
            entry["body"] = self.normal(show(parsed) if show else parsed)
        elif kind.startswith("text/html"):
            entry["body"] = "<a page>"
        else:
            entry["body"] = f"<{len(answer.content)} bytes>"
            entry["disposition"] = answer.headers.get("content-disposition")
        self.steps.append(entry)

    def label(self, kind: str, number: int) -> str:
        """The stable name of a thing this scenario made."""
        known = sum(1 for k, _ in self._labels if k == kind)
        return self._labels.setdefault((kind, number), f"<{kind} {known + 1}>")

    def normal(self, value: Any, key: str = "") -> Any:
        """The comparable form of a JSON value that stands under ``key``."""
        if isinstance(value, list):
            return [self.normal(item, key) for item in value]
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, dict):
            return value
        kind, seeded = _KINDS.get(key, ("", 0))
        out: dict[str, Any] = {}
        for name, item in value.items():
            if name == "id" and kind and isinstance(item, int) and item > seeded:
                out[name] = self.label(kind, item)
            elif name in ("issue_id", "issue_to_id", "hit") and isinstance(item, int):
                out[name] = self.label("issue", item)
            elif name == "last_login_on":
                out[name] = "<time or null>"
            elif name in ("old_value", "new_value") and item and _names_an_issue(value):
                out[name] = self.label("issue", int(item))
            elif name == "name" and value.get("property") == "attachment":
                out[name] = self.label("attachment", int(item))
            elif name == "token":
                out[name] = re.sub(r"\A\d+\.[0-9a-f]{64}\Z", "<token>", item)
            elif name == "login" and str(item).startswith("par-"):
                out[name] = "<login>"
            elif name in ("api_key",) and item not in KEYS.values():
                out[name] = "<key>"
            else:
                out[name] = self.normal(item, name)
        return out

    def _text(self, text: str) -> str:
        if _TIME.match(text):
            return "<time>"
        if text == datetime.now(UTC).strftime("%Y-%m-%d"):
            return "<today>"
        text = (
            text.replace(self.url, "<server>").replace(self.ref.lower(), "<ref>").replace(self.ref, "<REF>")
        )
        text = text.replace(httpx.URL(self.url).netloc.decode().replace(":", "%3A"), "<host>")
        for kind, path in (
            ("issue", r"(issues/)(\d+)"),
            ("relation", r"(relations/)(\d+)"),
            ("attachment", r"(attachments(?:/download|/thumbnail)?(?:/|%2F)(?:download%2F)?)(\d+)"),
            ("journal", r"(journals/)(\d+)"),
        ):
            text = re.sub(path, lambda m, k=kind: m[1] + self.label(k, int(m[2])), text)
        for kind, path, seeded in (
            ("project", r"(project(?:s/|_id=))(\d+)", 2),
            ("user", r"((?:users|watchers)/)(\d+)", 12),
            ("membership", r"(memberships/)(\d+)", 11),
        ):
            text = re.sub(
                path,
                lambda m, k=kind, s=seeded: m[1] + (self.label(k, int(m[2])) if int(m[2]) > s else m[2]),
                text,
            )
        text = re.sub(
            r"(?<=issue_id=)[!\d,|]+|(?<=v\[issue_id\]\[\]=)\d+",
            lambda m: re.sub(r"\d+", lambda n: self._labels.get(("issue", int(n[0])), n[0]), m[0]),
            text,
        )
        return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "<time>", text)


def _names_an_issue(detail: dict[str, Any]) -> bool:
    return detail.get("property") == "relation" or detail.get("name") in ("child_id", "parent_id")


def _hits(body: Any) -> Any:
    if "issues" not in body:
        return body
    return {"total": body.get("total_count"), "hits": [{"hit": issue["id"]} for issue in body["issues"]]}


Scenario = Callable[[Recorder], None]


def run(scenario: Scenario, url: str, wait: Callable[[float], None] = time.sleep) -> list[dict[str, Any]]:
    """The recorded steps of one scenario on the Redmine at ``url``."""
    recorder = Recorder(url, wait)
    try:
        scenario(recorder)
    finally:
        recorder.close()
    return recorder.steps
