"""The client of the virus scanner, against one that speaks its protocol."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.core.errors import Rejected, Unavailable
from connector.toolkit.clamd import Clamd
from tests.clamd import EICAR, FakeClamd
from tests.clamd import clamd as start_clamd
from tests.e2e.way import until


@pytest.fixture
def daemon() -> Iterator[FakeClamd]:
    with start_clamd() as found:
        yield found


def test_a_file_is_scanned_whole(daemon: FakeClamd) -> None:
    content = bytes(range(256)) * 3000
    assert Clamd(daemon.address).scan(content) == ""
    assert Clamd(daemon.address).scan(b"") == ""
    assert daemon.scanned == [content, b""]
    assert Clamd(daemon.address).scan(content[:600_000] + EICAR) == "Eicar-Test-Signature"


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_file_that_is_too_long_for_it(daemon: FakeClamd, size: int) -> None:
    with pytest.raises(Rejected, match="StreamMaxLength") as caught:
        Clamd(daemon.address).scan(bytes(size))
    assert caught.value.code == "size"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        None,
        "stream: Can't allocate memory ERROR",
        "stream: OK too",
        "FOUND",
        "stream:  FOUND",
        "x" * 9000,
    ],
)
def test_without_a_proper_answer_nothing_is_clean(daemon: FakeClamd, answer: str | None) -> None:
    daemon.says = answer
    with pytest.raises(Unavailable):
        Clamd(daemon.address, timeout=0.5).scan(b"words")


def test_what_it_calls_a_find_is_a_name(daemon: FakeClamd) -> None:
    daemon.says = "stream: Win.Test\n<b>{x}</b> FOUND"
    with pytest.raises(Unavailable):
        Clamd(daemon.address).scan(b"words")
    daemon.says = "stream: Win.Test-1;<b>{x} FOUND"
    assert Clamd(daemon.address).scan(b"words") == "Win.Test-1_b_x_"


def test_one_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for address in (f"tcp://127.0.0.1:{port}", "unix:/nowhere/clamd.ctl", "tcp://nobody.invalid:3310"):
        with pytest.raises(Unavailable) as caught:
            Clamd(address).scan(b"words")
        assert caught.value.code == "clamd-away"


def test_one_behind_a_socket_of_the_file_system(tmp_path: Path) -> None:
    place = tmp_path / "clamd.ctl"

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            heard = b""
            while not heard.endswith(bytes(4)):
                heard += connection.recv(1000)
            assert heard == b"zINSTREAM\0" + (5).to_bytes(4, "big") + b"words" + bytes(4)
            connection.sendall(b"stream: OK\0")

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen()
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        assert Clamd(f"unix:{place}").scan(b"words") == ""
        thread.join()


def test_what_it_did_not_look_at_is_not_clean(daemon: FakeClamd) -> None:
    daemon.says = "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"
    with pytest.raises(Rejected, match="MaxFileSize"):
        Clamd(daemon.address).scan(b"words")


@pytest.fixture
def real(tmp_path: Path, free_port: int) -> Iterator[Clamd]:
    """Debian's clamd, with one signature."""
    program = os.environ.get("CLAMD") or pytest.fail('start the servers first: eval "$(tests/servers/up)"')
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "test.ndb").write_text(f"Eicar-by-hand:0:0:{EICAR.hex()}\n")
    config = tmp_path / "clamd.conf"
    config.write_text(
        f"Foreground yes\nDatabaseDirectory {tmp_path}/db\nTCPAddr 127.0.0.1\nTCPSocket {free_port}\n"
        "StreamMaxLength 3M\nMaxFileSize 2M\nMaxScanSize 2M\nAlertExceedsMax yes\n"
    )
    found = Clamd(f"tcp://127.0.0.1:{free_port}", timeout=30)
    with subprocess.Popen([program, "--config-file", str(config)], stdout=subprocess.DEVNULL) as process:
        try:
            until("clamd answers", lambda: _answers(found), 60)
            yield found
        finally:
            process.kill()


def _answers(clamd: Clamd) -> bool:
    try:
        return clamd.scan(b"") == ""
    except Unavailable:
        return False


@pytest.mark.real
def test_the_real_one(real: Clamd) -> None:
    assert real.scan(b"words") == ""
    assert real.scan(bytes(1_000_000)) == ""
    assert real.scan(EICAR).startswith("Eicar-by-hand")
    for size in (2_500_000, 3_500_000, 90_000_000):
        with pytest.raises(Rejected):
            real.scan(bytes(size))


@pytest.mark.parametrize("address", ["tcp://[::1]:3310", "tcp://clamd:3310", "unix:/run/clamav/clamd.ctl"])
def test_addresses(address: str) -> None:
    assert Clamd(address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:3310",
        "tcp://clamd",
        "tcp://clamd:0",
        "tcp://clamd:99999",
        "unix:clamd.ctl",
        "http://x:1",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="3310"):
        Clamd(address)
