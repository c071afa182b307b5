"""The parts of the whole way as processes, a citizen's phone and a staff member's hands.

Nothing of the connector is imported to make things happen: Meta's stand-in, the program itself and, where no
real Redmine is asked for, Redmine's stand-in each run as a process and are reached over HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "admin": "ad" * 20,
    "alcalde": "a1" * 20,
    "regidor.centre": "c1" * 20,
    "regidora.platja": "c2" * 20,
    "regidor.muntanya": "c3" * 20,
    "oac": "0a" * 20,
    "operari.brigada": "d1" * 20,
    "whatsapp-bot": "b0" * 20,
}
T = TypeVar("T")


def port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def until(what: str, look: Callable[[], T], seconds: float = 60) -> T:
    """The first true value of ``look``; fails with ``what`` when none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@dataclass
class Process:
    """A program that can be started, killed without warning, and started again."""

    name: str
    command: list[str]
    ready: str
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **self.env}
            )
        until(f"{self.name} answers; see its log:\n{self.tail()}", self._answers, 60)

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.tail()}")
        try:
            return httpx.get(self.ready, timeout=5).status_code < 500
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL: it gets no chance to tidy up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within 15 s:\n{self.tail()}") from None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


class Phone:
    """One citizen's phone."""

    def __init__(self, meta: str, name: str, phone: str, hidden: bool = False) -> None:
        self.http = httpx.Client(
            base_url=meta, timeout=30, trust_env=False
        )  # in threads: pytest changes the environment
        made = self.http.post("/_phone/people", json={"name": name, "phone": phone, "hidden": hidden})
        made.raise_for_status()
        self.id = made.json()["id"]
        self.number = phone
        self.read_so_far = 0

    def messages(self) -> list[dict[str, Any]]:
        """What the town hall sent, oldest first."""
        found = self.http.get(f"/_phone/people/{self.id}/messages").json()
        return [m for m in found if m["direction"] == "out"]

    def send(self, **message: Any) -> str:
        """Send something of any kind; its message id."""
        done = self.http.post(f"/_phone/people/{self.id}/send", json=message)
        done.raise_for_status()
        return str(done.json()["id"])

    def type(self, text: str) -> str:
        return self.send(type="text", body=text)

    def tap(self, choice: str) -> str:
        """Tap the option with that id in the newest message that has it."""
        for message in reversed(self.messages()):
            kind, title = option(message, choice)
            if kind:
                return self.send(type=kind, id=choice, title=title, context=message["id"])
        raise AssertionError(f"no message offers {choice}")

    def photo(self, content: bytes, caption: str = "") -> None:
        sent = self.http.post(
            f"/_phone/people/{self.id}/send",
            data={"kind": "image", "caption": caption},
            files={"file": ("foto.png", content, "image/png")},
        )
        sent.raise_for_status()

    def next(self, seconds: float = 60) -> dict[str, Any]:
        """The next message that was not looked at yet."""
        found = until("a message on the phone", lambda: self.messages()[self.read_so_far :], seconds)
        self.read_so_far += 1
        return found[0]

    def none_more(self, seconds: float) -> None:
        """Nothing more arrives for a while."""
        time.sleep(seconds)
        more = self.messages()[self.read_so_far :]
        assert not more, [words(m) for m in more]


def _texts(content: Any) -> Iterator[str]:
    """What can be read in a message, ids left out."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name not in ("id", "type", "mime_type", "sha256", "url", "context"):
                yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)
    elif isinstance(content, str):
        yield content


def words(message: dict[str, Any]) -> str:
    """The text of a message of any kind."""
    content = message["content"]
    match message["type"]:
        case "interactive":
            return str(content["body"]["text"])
        case "text":
            return str(content["body"])
        case "template":
            return json.dumps(content, ensure_ascii=False)
        case _:
            return str(content.get("caption", ""))


def option(message: dict[str, Any], choice: str) -> tuple[str, str]:
    """How that option is tapped, and its title; ("", "") when it is not there."""
    if message["type"] != "interactive":
        return "", ""
    action = message["content"]["action"]
    for button in action.get("buttons", ()):
        if button["reply"]["id"] == choice:
            return "button_reply", button["reply"]["title"]
    for section in action.get("sections", ()):
        for row in section["rows"]:
            if row["id"] == choice:
                return "list_reply", row["title"]
    return "", ""


def ids(message: dict[str, Any]) -> list[str]:
    """The ids of all options of a message."""
    if message["type"] != "interactive" or "action" not in message["content"]:
        return []
    action = message["content"]["action"]
    rows = [row["id"] for section in action.get("sections", ()) for row in section["rows"]]
    return [*(b["reply"]["id"] for b in action.get("buttons", ())), *rows]


class Staff:
    """One member of staff with an API key of their own."""

    def __init__(self, redmine: str, key: str) -> None:
        self.http = httpx.Client(
            base_url=redmine, headers={"X-Redmine-API-Key": key}, timeout=60, trust_env=False
        )

    def tickets(self, reference: str) -> list[dict[str, Any]]:
        """All tickets with that reference, by asking for all and looking at each."""
        params = {"status_id": "*", "limit": "100", "sort": "id:desc", "cf_2": reference}
        found = self.http.get("/issues.json", params=params).json()["issues"]
        return [i for i in found if field_of(i, 2) == reference]

    def ticket(self, number: int) -> dict[str, Any]:
        got = self.http.get(f"/issues/{number}.json", params={"include": "journals,attachments,watchers"})
        got.raise_for_status()
        issue: dict[str, Any] = got.json()["issue"]
        return issue

    def write(
        self,
        number: int,
        note: str,
        *,
        private: bool = False,
        file: tuple[str, str, bytes] | None = None,
        **more: Any,
    ) -> None:
        issue: dict[str, Any] = {"notes": note, "private_notes": private, **more}
        if file is not None:
            name, kind, content = file
            up = self.http.post(
                "/uploads.json",
                params={"filename": name},
                content=content,
                headers={"Content-Type": "application/octet-stream"},
            )
            up.raise_for_status()
            issue["uploads"] = [
                {"token": up.json()["upload"]["token"], "filename": name, "content_type": kind}
            ]
        self.http.put(f"/issues/{number}.json", json={"issue": issue}).raise_for_status()


def field_of(issue: dict[str, Any], number: int) -> str:
    """The value of a custom field, "" when it is not there."""
    return next((str(f["value"] or "") for f in issue.get("custom_fields", ()) if f["id"] == number), "")


REFERENCE = re.compile(r"SCV-[0-9A-Z]{4}-[0-9A-Z]{2}")


def reference_in(message: dict[str, Any]) -> str:
    """The reference a message speaks of."""
    found = REFERENCE.search(words(message))
    assert found, words(message)
    return found.group()


@dataclass
class Way:
    """All parts, running."""

    meta: str
    redmine: str
    connector: Process
    database: Path
    folder: Path

    def phone(self, name: str, number: str, hidden: bool = False) -> Phone:
        return Phone(self.meta, name, number, hidden)

    def staff(self, login: str) -> Staff:
        return Staff(self.redmine, KEYS[login])

    def push(self) -> None:
        """What Redmine 7's webhook would do: hasten the next poll."""
        body = b'{"type":"issue.updated"}'
        signature = hmac.new(b"push-secret-of-the-tests", body, hashlib.sha256).hexdigest()
        headers = {"X-Redmine-Signature-256": f"sha256={signature}"}
        address = self.connector.ready.replace("/health/ready", "/webhook/tracker")
        assert httpx.post(address, content=body, headers=headers).status_code == 202

    def faults(self, *faults: dict[str, Any]) -> None:
        httpx.post(f"{self.meta}/_phone/faults", json=list(faults)).raise_for_status()

    def private(self) -> dict[str, str]:
        """Every number, name, user id and message id of everybody who wrote, and every line of six characters or more
        that they wrote or got, with what each is. What stands in the data-protection message too names nobody."""
        found: dict[str, str] = {}
        notices: set[str] = set()
        with httpx.Client(base_url=self.meta, timeout=30) as http:
            for person in http.get("/_phone/people").json():
                found |= {
                    str(person[what]): what for what in ("phone", "name", "user_id") if person.get(what)
                }
                for message in http.get(f"/_phone/people/{person['id']}/messages").json():
                    found[message["id"]] = "message id"
                    if "consent:yes" in ids(message):
                        notices.add(words(message))
                    lines = (line for text in _texts(message["content"]) for line in text.splitlines())
                    found |= {line: "text" for line in lines if len(line) >= 6}
        return {text: what for text, what in found.items() if not any(text in notice for notice in notices)}


def mapping(
    folder: Path, *, quiet: float = 1, receipt: float = 6, report: float = 3.6, failed: str = "",
    source: Path = ROOT / "mappings" / "sant-cebria.toml",
) -> Path:  # fmt: skip
    """Sant Cebrià's mapping, with a town that doesn't wait long: ``quiet``, ``receipt`` and ``report`` are its seconds.

    ``failed`` is the status that a ticket gets when its answer does not arrive.
    """
    text = source.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^quiet_seconds *=.*$", f"quiet_seconds = {quiet}", text)
    text = re.sub(r"(?m)^receipt_seconds *=.*$", f"receipt_seconds = {receipt}", text)
    text = re.sub(r"(?m)^report_hours *=.*$", f"report_hours = {report / 3600:.6f}", text)
    assert f"quiet_seconds = {quiet}\n" in text
    # the town's website is nowhere: its pages say so, and nothing else waits for it
    text = text.replace('feed = "https://www.example.org/', 'feed = "http://127.0.0.1:9/')
    if failed:
        text = text.replace("# [answers.on_failed]", "[answers.on_failed]")
        text, n = re.subn(r"(?m)^# status = .*$", f'status = "{failed}"', text)
        assert n == 1 and "\n[answers.on_failed]" in text
    made = folder / "sant-cebria.toml"
    made.write_text(text, encoding="utf-8")
    return made


def configure(
    folder: Path, *, port: int, meta: str, redmine: str, token: str, app_secret: str, verify: str,
    mapping_file: Path | None = None, database: str = "sqlite:///connector.db", clamd: str = "", tracker: str = "",
) -> Path:  # fmt: skip
    """A ``config.toml`` in ``folder`` for a connector between ``meta`` and ``redmine``; with a mapping beside it.

    ``tracker`` are the lines of ``[tracker]`` that say which it is, when it is not that Redmine.
    """
    tracker = tracker or f'url = "{redmine}"\napi_key = "{KEYS["whatsapp-bot"]}"'
    config = folder / "config.toml"
    config.write_text(
        f"""
mapping = "{mapping_file or mapping(folder)}"
database = "{database}"
[server]
port = {port}
[whatsapp]
api_url = "{meta}"
phone_number_id = "100000000000001"
business_account_id = "200000000000001"
access_token = "{token}"
app_secret = "{app_secret}"
verify_token = "{verify}"
[tracker]
{tracker}
poll_every = 5
webhook_secret = "push-secret-of-the-tests"
[media]
clamd = "{clamd}"
[privacy]
key = "a-key-of-the-tests-with-forty-characters"
""",
        encoding="utf-8",
    )
    config.chmod(0o600)
    return config


@contextmanager
def way(
    folder: Path,
    redmine: str = "",
    database: str = "sqlite:///connector.db",
    mapping_file: Path | None = None,
    *,
    source: Path | None = None,
    tracker: str = "",
) -> Iterator[Way]:
    """Start everything in ``folder``; ``redmine`` is the address of a real one, "" for the stand-in.

    ``source`` and ``tracker`` are the mapping and the lines of ``[tracker]`` of another kind of tracker.
    """
    python = sys.executable
    meta_port, web_port = port(), port()
    meta_url, web_url = f"http://127.0.0.1:{meta_port}", f"http://127.0.0.1:{web_port}"
    app_secret, token, verify = (secrets.token_hex(12) for _ in range(3))
    parts = [
        Process(
            "Meta's stand-in",
            [python, "-m", "connector.demo.meta", "--port", str(meta_port), "--webhook", f"{web_url}/webhook/whatsapp",
             "--app-secret", app_secret, "--access-token", token, "--verify-token", verify],
            f"{meta_url}/_phone/people",
            folder / "meta.log",
        )
    ]  # fmt: skip
    if not redmine:
        tracker_port = port()
        redmine = f"http://127.0.0.1:{tracker_port}"
        parts.append(
            Process(
                "Redmine's stand-in",
                [python, "-m", "connector.demo.redmine", "--port", str(tracker_port)],
                f"{redmine}/issues.json",
                folder / "redmine.log",
            )
        )
    config = configure(
        folder,
        port=web_port,
        meta=meta_url,
        redmine=redmine,
        token=token,
        app_secret=app_secret,
        verify=verify,
        database=database,
        mapping_file=mapping(folder, source=source) if source else mapping_file,
        tracker=tracker,
    )
    connector = Process(
        "the connector",
        [python, "-m", "connector", "run", "--config", str(config)],
        f"{web_url}/health/ready",
        folder / "connector.log",
    )
    started: list[Process] = []
    try:
        for part in [*parts, connector]:
            started.append(part)
            part.start()
        yield Way(meta_url, redmine, connector, folder / "connector.db", folder)
    finally:
        for part in reversed(started):
            part.stop()
