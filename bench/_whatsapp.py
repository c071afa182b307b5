"""WhatsApp's API as a process that takes every message at once, and counts. To other questions it answers «nothing».

``python -m bench._whatsapp PORT [WEBHOOKS SECRET]``: with the port of a connector it also reports each message as sent
and as delivered there. ``GET /_await/N`` is answered when N messages were taken since the last such question
that was answered, with when the last of them was (seconds, the system's monotonic clock).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from typing import Any

import uvloop

from ._load import Answers, Spec, envelope, request


class Counts:
    def __init__(self, spec: Spec | None) -> None:
        self.spec = spec
        self.delivering: asyncio.Queue[bytes] = asyncio.Queue()
        self.taken = self.read = 0
        self.last = 0.0
        self.asked: tuple[int, Any] | None = None

    def look(self) -> None:
        """Answer who waits, and begin anew."""
        if self.asked is not None and self.taken >= self.asked[0]:
            write(
                self.asked[1],
                json.dumps({"taken": self.taken, "read": self.read, "last": self.last}).encode(),
            )
            self.asked = None
            self.taken = self.read = 0


class Api(asyncio.Protocol):
    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.requests = Answers()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        counts = self.counts
        for head, body in self.requests.feed(data):
            if head.startswith(b"GET /_await/"):
                counts.asked = int(head[12:].split(b" ", 1)[0]), self.transport
            elif not head.startswith(b"POST"):
                write(self.transport, b'{"data":[]}')
            elif b'"status"' in body[:100]:
                counts.read += 1
                write(self.transport, b'{"success":true}')
            else:
                counts.taken += 1
                counts.last = time.monotonic()
                made = b"wamid.HBgLOUT%020d" % time.perf_counter_ns()
                write(self.transport, b'{"messaging_product":"whatsapp","messages":[{"id":"%s"}]}' % made)
                if counts.spec is not None:
                    counts.delivering.put_nowait(
                        request(counts.spec, _statuses(made.decode(), json.loads(body)))
                    )
            counts.look()


def write(transport: Any, answer: bytes) -> None:
    transport.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(answer), answer)
    )


def _statuses(wamid: str, sent: dict[str, Any]) -> dict[str, Any]:
    """The notification that the message was sent and is on the phone."""
    common = {
        "id": wamid, "timestamp": str(int(time.time())), "recipient_id": str(sent.get("to", "")).lstrip("+"),
        "biz_opaque_callback_data": sent.get("biz_opaque_callback_data"),
    }  # fmt: skip
    return envelope(statuses=[{**common, "status": state} for state in ("sent", "delivered")])


async def _deliver(counts: Counts, port: int) -> None:
    """One notification after the other; what cannot be delivered is tried again, as Meta does."""
    while True:
        whole = await counts.delivering.get()
        for wait in itertools.chain((0.05, 0.2, 1), itertools.repeat(5)):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(whole)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                writer.close()
                if b" 200 " in head.split(b"\r\n", 1)[0]:
                    break
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(wait)


async def serve(port: int, webhooks: int = 0, secret: str = "") -> None:
    counts = Counts(Spec(secret=secret) if webhooks else None)
    delivering = [asyncio.create_task(_deliver(counts, webhooks)) for _ in range(4 if webhooks else 0)]
    server = await asyncio.get_running_loop().create_server(lambda: Api(counts), "127.0.0.1", port)
    await server.serve_forever()
    del delivering


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), *(int(port) for port in sys.argv[2:3]), *sys.argv[3:]))
