"""A stand-in for ClamAV's daemon: INSTREAM as clamd(8) has it, and strict about it."""

from __future__ import annotations

import contextlib
import socketserver
import sys
import threading
import time
from collections.abc import Iterator

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file every scanner knows (https://www.eicar.org/download-anti-malware-testfile/)."""


class FakeClamd(socketserver.ThreadingTCPServer):
    """Finds ``EICAR`` wherever it stands. ``says`` replaces its answer, "" hangs up, None is silence."""

    allow_reuse_address = True
    daemon_threads = True
    longest = 1_000_000
    says: str | None = "as usual"

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Talk)
        self.scanned: list[bytes] = []

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.server_address[1]}"

    def judge(self, content: bytes) -> str | None:
        if self.says != "as usual":
            return self.says
        if len(content) > self.longest:
            return "INSTREAM size limit exceeded. ERROR"
        self.scanned.append(content)
        return "stream: Eicar-Test-Signature FOUND" if EICAR in content else "stream: OK"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of ours."""


class _Talk(socketserver.StreamRequestHandler):
    server: FakeClamd

    def handle(self) -> None:
        content = bytearray()
        command = self.rfile.read(10)
        if command != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        while size := int.from_bytes(self.rfile.read(4), "big"):
            piece = self.rfile.read(size)
            assert len(piece) == size, "the client left in the middle"
            content += piece
            if len(content) > self.server.longest:
                break  # clamd does not wait for the rest
        answer = self.server.judge(bytes(content))
        if answer is None:
            time.sleep(3)
        elif answer:
            self.wfile.write(answer.encode() + b"\0")


@contextlib.contextmanager
def clamd(port: int = 0) -> Iterator[FakeClamd]:
    """One that runs in a thread."""
    with FakeClamd(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    with FakeClamd(int(sys.argv[1])) as daemon:
        daemon.serve_forever()
