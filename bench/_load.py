"""Meta as a load: a process that delivers signed webhooks and, when asked to, waits for the messages that follow.

``python -m bench._load`` reads one JSON object from stdin (``Spec``) and prints one (what it saw). It is written
against sockets and knows nothing of HTTP but what it needs, so that it costs a fraction of any server it measures;
``bench/webhooks.py`` measures it against a server that does nothing, too.

Closed loop: each connection sends its next request when the last was answered. Open loop: requests have their times,
and a wait counts from the time a request was due, not from when a connection was free for it (no coordinated
omission).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import resource
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import uvloop

CHANNEL = "100000000000001"
ACCOUNT = "200000000000001"


@dataclass
class Spec:
    """What to do. Bounded by ``count`` and by ``seconds``, whichever is reached first."""

    ports: list[int] = field(default_factory=list)
    """Replicas share the connections between them."""
    secret: str = ""
    count: int = 1000
    seconds: float = 60.0
    connections: int = 32
    rate: float = 0.0
    """Requests a second, 0 for as many as the other side takes."""
    people: int = 1000
    first_person: int = 0
    story: list[str] = field(default_factory=lambda: ["Hola"])
    """What a person sends, one after the other, again and again: a text, or ``@id`` for a tap."""
    path: str = "/webhook/whatsapp"
    salt: str = "0"
    """Makes the ids of messages different from those of another run."""
    api_port: int = 0
    """Of ``bench/_whatsapp.py``, 0 for none."""
    replies: int = 0
    """End when so many messages were taken there, not only when all webhooks were answered."""


def phone(n: int) -> str:
    return f"346{n:08d}"


def message(spec: Spec, n: int, now: int) -> dict[str, Any]:
    """The ``n``-th message of a run."""
    who = phone(spec.first_person + n % spec.people)
    said = spec.story[n // spec.people % len(spec.story)]
    content: dict[str, Any] = {"type": "text", "text": {"body": said}}
    if said.startswith("@"):
        reply = {"type": "button_reply", "button_reply": {"id": said[1:], "title": "Opció"}}
        content = {"type": "interactive", "interactive": reply}
    wamid = f"wamid.HBgL{who}{spec.salt}FQIAEhgg{n:020d}"
    return envelope(
        contacts=[{"profile": {"name": f"Persona {n % spec.people}"}, "wa_id": who}],
        messages=[{"from": who, "id": wamid, "timestamp": str(now), **content}],
    )


def envelope(**parts: Any) -> dict[str, Any]:
    """A notification of our number."""
    metadata = {"display_phone_number": "34600000100", "phone_number_id": CHANNEL}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **parts}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": ACCOUNT, "changes": [{"value": value, "field": "messages"}]}],
    }


def request(spec: Spec, body: dict[str, Any]) -> bytes:
    """A whole HTTP request, signed."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    signature = hmac.new(spec.secret.encode(), raw, hashlib.sha256).hexdigest()
    head = (
        f"POST {spec.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
        f"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return head.encode() + raw


class Answers:
    """Takes HTTP/1.1 messages with a Content-Length apart; ``feed`` gives each that is whole."""

    def __init__(self) -> None:
        self.buffer = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        self.buffer = self.buffer + data if self.buffer else data
        found = []
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            at = head.lower().find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + size:
                break
            found.append((head, self.buffer[end + 4 : end + 4 + size]))
            self.buffer = self.buffer[end + 4 + size :]
        return found


class Load:
    """Delivers the webhooks of a ``Spec``."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        now = int(time.time())
        self.queue = deque(request(spec, message(spec, n, now)) for n in range(spec.count))
        self.due: deque[float] = deque()
        self.free: list[Connection] = []
        self.waits: list[float] = []
        self.codes: dict[str, int] = {}
        self.answered = self.broken = 0
        self.done = asyncio.Event()
        self.opening: set[asyncio.Task[None]] = set()
        self.began = self.ended = 0.0
        self.taken: dict[str, Any] = {}

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for n in range(self.spec.connections):
            port = self.spec.ports[n % len(self.spec.ports)]
            await self.connect(port)
        if self.spec.replies:
            await loop.create_connection(lambda: Waiting(self), "127.0.0.1", self.spec.api_port)
        cpu = _cpu()
        self.began = time.monotonic()
        if self.spec.rate:
            step = 1 / self.spec.rate
            self.due.extend(self.began + step * n for n in range(self.spec.count))
            paced = asyncio.create_task(self.pace())
        else:
            for connection in list(self.free):
                self.next(connection)
        try:
            await asyncio.wait_for(self.done.wait(), self.spec.seconds)
        except TimeoutError:
            self.queue.clear()
        if self.spec.rate:
            paced.cancel()
        ended = max(self.ended, self.taken.get("last", 0.0)) or time.monotonic()
        waits = sorted(self.waits)
        return {
            "answered": self.answered, "codes": self.codes, "broken": self.broken,
            "seconds": ended - self.began, "accepted_seconds": (self.ended or ended) - self.began,
            "taken": self.taken.get("taken", 0), "cpu": _cpu() - cpu,
            **{f"p{p}": _quantile(waits, p / 100) for p in (50, 90, 99)}, "max": waits[-1] if waits else 0.0,
        }  # fmt: skip

    async def connect(self, port: int) -> None:
        """One more connection."""
        await asyncio.get_running_loop().create_connection(lambda: Connection(self, port), "127.0.0.1", port)

    def open(self, port: int) -> None:
        """The same, from where nobody can wait."""
        task = asyncio.get_running_loop().create_task(self.connect(port))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def pace(self) -> None:
        """Open loop: hand out what is due."""
        while self.due:
            now = time.monotonic()
            while self.free and self.due and self.due[0] <= now:
                self.free.pop().send(self.queue.popleft(), self.due.popleft())
            await asyncio.sleep(max(0.0, min(0.001, self.due[0] - now)) if self.due else 0)

    def next(self, connection: Connection) -> None:
        if self.spec.rate:
            if self.due and self.due[0] <= time.monotonic():
                connection.send(self.queue.popleft(), self.due.popleft())
            else:
                self.free.append(connection)
        elif self.queue:
            connection.send(self.queue.popleft(), time.monotonic())

    def took(self, code: str, wait: float) -> None:
        self.answered += 1
        self.waits.append(wait)
        self.codes[code] = self.codes.get(code, 0) + 1
        if self.answered == self.spec.count:
            self.ended = time.monotonic()
        self.look()

    def look(self) -> None:
        if self.answered >= self.spec.count and (self.taken or not self.spec.replies):
            self.done.set()


class Connection(asyncio.Protocol):
    def __init__(self, load: Load, port: int) -> None:
        self.load = load
        self.port = port
        self.answers = Answers()
        self.since = 0.0
        self.asked = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.load.next(self) if self.load.began else self.load.free.append(self)

    def send(self, data: bytes, since: float) -> None:
        self.since, self.asked = since, True
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        for head, _ in self.answers.feed(data):
            self.asked = False
            self.load.took(head[9:12].decode(), time.monotonic() - self.since)
            self.load.next(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self.load.done.is_set():
            return
        if self.asked:
            self.load.broken += (
                1  # whoever delivers webhooks would do so again; here it counts as not answered
            )
        elif self in self.load.free:
            self.load.free.remove(self)  # servers close connections that say nothing for a while
        self.load.open(self.port)


class Waiting(asyncio.Protocol):
    """Asks WhatsApp's stand-in to say when all replies came."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.answers = Answers()

    def connection_made(self, transport: Any) -> None:
        transport.write(f"GET /_await/{self.load.spec.replies} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        for _, body in self.answers.feed(data):
            self.load.taken = json.loads(body)
            self.load.look()


def _quantile(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))] if ordered else 0.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    spec = Spec(**json.loads(sys.stdin.read()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(Load(spec).run())))


if __name__ == "__main__":
    main()
