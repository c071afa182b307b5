"""Reads documents of others in a process of its own, with so much time and memory and none of our secrets.

Libraries for feeds take time that grows with what they are given, and they are given anything: a document that keeps
one busy for ever ends with its process, and the service never notices.

This module is both sides: ``read`` starts ``python -m connector.feeds.reading`` and hands it the document.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import sys
from dataclasses import asdict
from typing import Any

from connector.core.board import Item
from connector.core.errors import Rejected, Unavailable

CPU_SECONDS, WALL_SECONDS = 30, 120.0
"""Ten million bytes, a feed or a calendar, take one second of a core."""
MEMORY = 2 * 1024**3
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZDIR", "SYSTEMROOT")
"""Variables the reader gets: those that could be secrets are none of its business."""
_CHARSET = re.compile(r"charset=[\"']?\s*([\w.-]+)", re.IGNORECASE)


async def read(
    what: str, content: bytes, *, kind: str, url: str, zone: str, now: float, seconds: float = WALL_SECONDS
) -> list[Item]:
    """The items of a document; ``what`` is ``feed``, ``calendar`` or ``web``, ``kind`` its ``Content-Type``.

    Raises ``Rejected`` with what is wrong with it, or that it takes too long.
    """
    head = {"what": what, "kind": kind, "url": url, "zone": zone, "now": now}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
    )
    try:
        said, _ = await asyncio.wait_for(
            process.communicate(json.dumps(head).encode() + b"\n" + content), timeout=seconds
        )
    except TimeoutError:
        raise Rejected("the document takes too long to read") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    try:
        answer = json.loads(said)
    except ValueError:
        if process.returncode in (0, 1):
            raise Unavailable("the program that reads documents did not start") from None
        raise Rejected("the document takes too much time or memory to read") from None
    if "problem" in answer:
        raise Rejected(str(answer["problem"]))
    return [item_of(one) for one in answer["items"]]


def item_of(values: dict[str, Any]) -> Item:
    """An item of its JSON."""
    return Item(**{**values, "categories": tuple(values["categories"])})


def document(head: dict[str, Any], content: bytes) -> list[Item]:
    """What the process does. Raises ``Unread``."""
    # the libraries are only here: the service starts without them
    from . import agenda, news, webpage

    found = _CHARSET.search(head["kind"])
    charset = found[1] if found else ""
    if head["what"] == "calendar":
        return agenda.read(content, charset, head["zone"], head["now"])
    if head["what"] == "web":
        return webpage.read(content, charset, head["url"])
    return news.read(content, head["kind"], head["url"])


def _main() -> None:
    from .items import Unread

    os.nice(10)
    with contextlib.suppress(ValueError, OSError):  # not every system knows both limits
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    head = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    try:
        answer: dict[str, Any] = {"items": [asdict(item) for item in document(head, content)]}
    except Unread as error:
        answer = {"problem": error.problem}
    except Exception as error:  # a library met what its authors did not think of
        answer = {"problem": f"the document cannot be read ({type(error).__name__})"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
