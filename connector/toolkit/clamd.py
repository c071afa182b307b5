"""A client of ClamAV's daemon: one question, «is there something in these bytes?» (clamd(8), INSTREAM).

The protocol is three writes and a line, and the packages for it stand still; so it is written out here.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from dataclasses import dataclass

from connector.core.errors import Rejected, Unavailable

FORMS = "tcp://127.0.0.1:3310 or unix:/run/clamav/clamd.ctl"
_PIECE = 256 * 1024
_LONGEST_ANSWER = 4096
_ADDRESS = re.compile(
    r"tcp://(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s/:\[\]]+)):(?P<port>\d{1,5})|unix:(?P<path>/\S+)"
)
_NAME = re.compile(r"stream: (?P<name>.{1,200}) FOUND")
_UNSCANNED = "Heuristics.Limits.Exceeded"
"""What it says with ``AlertExceedsMax`` of what it did not look at to the end (clamd.conf(5))."""
_ODD = re.compile(r"[^\w.:/()-]+")


@dataclass(frozen=True, slots=True)
class Clamd:
    """A daemon at ``address``; a question is answered within ``timeout`` seconds. Raises ``ValueError`` for no address."""

    address: str
    timeout: float = 120

    def __post_init__(self) -> None:
        found = _ADDRESS.fullmatch(self.address)
        if not found or int(found["port"] or 1) not in range(1, 65_536):
            raise ValueError(f"this is no address of clamd — write {FORMS}")

    def scan(self, content: bytes) -> str:
        """The name of what was found, "" for nothing. It blocks: call it in a thread.

        Raises ``Unavailable`` when there is no answer, and ``Rejected`` (code «size») when the daemon does not take
        that many bytes or does not look at all of them.
        """
        end = time.monotonic() + self.timeout
        try:
            with self._connect(end) as connection:
                # it hangs up on what is too long before it has all of it; what it said before can still be read
                with contextlib.suppress(ConnectionError):
                    _stream(connection, content, end)
                answer = _line(connection, end).decode("utf-8", "replace")
        except TimeoutError:
            raise _waits("did not answer in time", "clamd-slow") from None
        except (OSError, EOFError) as error:
            raise _waits(f"cannot be reached ({type(error).__name__})", "clamd-away") from None
        if answer == "stream: OK":
            return ""
        found = _NAME.fullmatch(answer)
        if found and not found["name"].startswith(_UNSCANNED):
            return _ODD.sub("_", found["name"])
        if found or "size limit exceeded" in answer:
            sentence = "The virus scanner (clamd) does not take that much: raise its StreamMaxLength, MaxFileSize and MaxScanSize"
            raise Rejected(sentence, code="size")
        raise _waits("could not scan a file", "clamd-error")

    def _connect(self, end: float) -> socket.socket:
        found = _ADDRESS.fullmatch(self.address)
        assert found is not None
        if not found["path"]:
            return socket.create_connection((found["v6"] or found["host"], int(found["port"])), _left(end))
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_left(end))
            connection.connect(found["path"])
        except OSError:
            connection.close()
            raise
        return connection


def _waits(what: str, code: str) -> Unavailable:
    return Unavailable(f"The virus scanner (clamd) {what}. The file waits", code=code)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _stream(connection: socket.socket, content: bytes, end: float) -> None:
    """The command, the bytes in pieces that say how long they are, and an empty piece at the end."""
    connection.sendall(b"zINSTREAM\0")
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        connection.settimeout(_left(end))
        connection.sendall(len(piece).to_bytes(4, "big") + piece)
    connection.sendall(bytes(4))


def _line(connection: socket.socket, end: float) -> bytes:
    """Up to the zero byte that ends an answer, or the end. Raises ``EOFError`` when there is none."""
    answer = bytearray()
    while b"\0" not in answer and len(answer) < _LONGEST_ANSWER:
        connection.settimeout(_left(end))
        piece = connection.recv(_LONGEST_ANSWER)
        if not piece:
            break
        answer += piece
    if not answer:
        raise EOFError
    return bytes(answer).partition(b"\0")[0].strip()
