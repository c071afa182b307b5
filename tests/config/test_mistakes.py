"""Fifty and more typical mistakes of somebody with one afternoon, each with the line that ``connector check`` says.

A file in ``mistakes/`` is a good configuration (``mistakes/base``) with one thing done wrong:

    config, mapping   what is replaced in config.toml and in the mapping, or added at its end ("" = "…")
    secrets, env      secret files and variables (false: the file is not there)
    encoding, mode    of config.toml
    redmine, meta     what is wrong on the other side; then the servers are asked
    says              the whole output; {folder}, {meta}, {redmine} and {port} stand for what differs by run
"""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.storage.store import Store
from connector.toolkit.privacy import Sealer
from tests.e2e.way import port

from .sides import HERE, Others, lay_out, told

MISTAKES = sorted(HERE.glob("*.toml"))


def test_there_is_nothing_to_say_of_the_base(others: Others, tmp_path: Path) -> None:
    free = port()
    assert told(lay_out(tmp_path, {}, others.url, free), False, others.url, free) == []


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_the_mistake_is_told_and_nothing_else(
    path: Path, others: Others, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake = tomllib.loads(path.read_text(encoding="utf-8"))
    free = port()
    file = lay_out(tmp_path, mistake, others.url, free)
    for name, value in mistake.get("env", {}).items():
        monkeypatch.setenv(name, value)
    with stored_before(tmp_path, mistake), taken(free, mistake):
        others.spoil(mistake.get("redmine", {}), mistake.get("meta", {}))
        online = bool({"redmine", "meta", "online"} & set(mistake))
        assert told(file, not online, others.url, free) == mistake["says"]


@contextmanager
def stored_before(folder: Path, mistake: dict[str, Any]) -> Iterator[None]:
    """A database that was written with another key."""
    if key := mistake.get("stored_with"):
        Store(f"sqlite:///{folder}/var/connector.db", Sealer(key)).close()
    yield


@contextmanager
def taken(number: int, mistake: dict[str, Any]) -> Iterator[None]:
    """Another program on our port."""
    if not mistake.get("port_taken"):
        yield
        return
    with socket.create_server(("127.0.0.1", number)):
        yield


def test_there_are_fifty() -> None:
    assert len(MISTAKES) >= 50


@pytest.mark.parametrize(
    "how", [{"encoding": "utf-8-sig", "mapping_encoding": "utf-8-sig"}, {"newline": "\r\n"}]
)
def test_what_windows_editors_do_is_no_mistake(others: Others, tmp_path: Path, how: dict[str, str]) -> None:
    free = port()
    file = lay_out(tmp_path, how, others.url, free)
    for each in (file, tmp_path / "town.toml") if "newline" in how else ():
        each.write_bytes(each.read_bytes().replace(b"\n", b"\r\n").replace(b" = ", b"\t=\t"))
    assert told(file, True, others.url, free) == []
