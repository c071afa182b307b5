"""Which SQLite opens an embedded database, and which ones must not (docs/decisions/0016-which-sqlite.md).

One process takes one of them for everything: two libraries on one file would drop each other's locks, which POSIX
keeps for a process and not for who opened the file.
"""

from __future__ import annotations

import contextlib
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import URL

from connector.core.errors import Finding

_DRIVERS = ("pysqlite3.dbapi2", "sqlite3.dbapi2")
_SINCE, _FIXED = (3, 7, 0), (3, 51, 3)
_MENDED = ((3, 44, 6), (3, 50, 7))
"""The first good ones of two older series."""


def affected(version: tuple[int, ...]) -> bool:
    """Whether a SQLite can damage a file in WAL mode when two connections write or checkpoint at the same moment.

    https://sqlite.org/wal.html#walresetbug
    """
    if any(version[:2] == first[:2] and version >= first for first in _MENDED):
        return False
    return _SINCE <= version < _FIXED


@cache
def driver() -> Any:
    """The module that opens every SQLite file of this process.

    That is pysqlite3, which brings a SQLite of its own, unless the standard library's is newer or the only one without
    the fault.
    """
    there = []
    for name in _DRIVERS:
        with contextlib.suppress(ImportError):
            there.append(import_module(name))
    if not there:
        raise ImportError("this Python has no SQLite")
    return max(there, key=lambda one: (not affected(one.sqlite_version_info), one.sqlite_version_info))


def engine_options(url: URL) -> dict[str, Any]:
    """What ``create_engine`` has to be told about ``url``: nothing when it is no SQLite file."""
    return {"module": driver()} if url.get_backend_name() == "sqlite" else {}


def version() -> str:
    """«SQLite 3.53.4 (pysqlite3)»."""
    module = driver()
    return f"SQLite {module.sqlite_version} ({module.__name__.partition('.')[0]})"


def unfit() -> list[Finding]:
    """Why no service may run on an embedded database here; empty when one may."""
    if not affected(driver().sqlite_version_info):
        return []
    problem = f"{version()} can damage the database when a command writes while the service runs"
    mend = (
        "install what the lock file names (make install), which brings a newer one; where it has none for this "
        "machine, use PostgreSQL, or a Python whose SQLite is 3.51.3 or newer"
    )
    return [Finding("error", problem, mend, key="database")]
