"""The few statements that SQLite and PostgreSQL both know and SQLAlchemy only offers by dialect."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Compiled, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

# Statements are put together once and then given their values: putting one together takes several times as long as
# SQLite takes to carry it out. SQLAlchemy's own cache does that for all but those with ON CONFLICT.
_statements: dict[tuple[object, ...], Compiled] = {}


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that takes ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _new(
    connection: Connection, table: Table, unique: Sequence[str], columns: Sequence[str], many: bool
) -> Any:
    name = (connection.dialect.name, table, *unique, "new", many, *columns)
    if name not in _statements:
        statement = insert(connection, table).on_conflict_do_nothing(index_elements=list(unique))
        # asked for by RETURNING: drivers count the rows of such a statement differently
        _statements[name] = statement.returning(*(table.c[one] for one in unique)).compile(
            dialect=connection.dialect, column_keys=list(columns), for_executemany=many
        )
    return _statements[name]


def insert_once(connection: Connection, table: Table, unique: Sequence[str], values: dict[str, Any]) -> bool:
    """Insert a row unless one with the same ``unique`` columns is there. True when it was inserted."""
    return (
        connection.execute(_new(connection, table, unique, list(values), False), values).first() is not None
    )


def insert_all(connection: Connection, table: Table, unique: str, rows: Sequence[dict[str, Any]]) -> set[Any]:
    """As ``insert_once``, for rows that have the same columns: the values of ``unique`` that were inserted."""
    if not rows:
        return set()
    statement = _new(connection, table, (unique,), list(rows[0]), len(rows) > 1)
    return set(connection.execute(statement, rows if len(rows) > 1 else rows[0]).scalars())


def upsert(connection: Connection, table: Table, where: dict[str, Any], values: dict[str, Any]) -> None:
    """Insert ``where | values``, or set ``values`` on the row whose primary key is ``where``."""
    name = (connection.dialect.name, table, *where, "set", *values)
    if name not in _statements:
        statement = insert(connection, table)
        new = {column: statement.excluded[column] for column in values}
        _statements[name] = statement.on_conflict_do_update(index_elements=list(where), set_=new).compile(
            dialect=connection.dialect, column_keys=[*where, *values]
        )
    connection.execute(_statements[name], {**where, **values})  # type: ignore[call-overload]


_LOCK = select(func.unnest(bindparam("names", type_=postgresql.ARRAY(Text))).label("name")).subquery()
_ALONE = select(_LOCK.c.name).where(func.pg_try_advisory_xact_lock(func.hashtextextended(_LOCK.c.name, 0)))


def alone(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of ``names`` that no other open transaction was given. On SQLite there is no other that writes.

    Two names may share a number of PostgreSQL's: then one of them is refused without need, and is asked for again.
    """
    if connection.dialect.name != "postgresql":
        return set(names)
    return {found.name for found in connection.execute(_ALONE, {"names": list(names)})}


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What is done inside is undone alone when it raises; what stands before it stays."""
    if connection.dialect.name == "postgresql":
        with connection.begin_nested():
            yield
        return
    # SQLAlchemy's own takes fifty times as long, and there are several in each transaction
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("SAVEPOINT one")
    try:
        yield
    except BaseException:
        # none is left when SQLite has rolled the whole transaction back: ``beyond`` says so
        with contextlib.suppress(Exception):
            raw.execute("ROLLBACK TO one")
            raw.execute("RELEASE one")
        raise
    raw.execute("RELEASE one")


_BEYOND = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk gives an error, or is full",
    "SQLITE_READONLY": "the file or its folder may not be written",
    "SQLITE_NOMEM": "there is no memory left",
    "SQLITE_CORRUPT": "the file is damaged: restore a backup",
    "SQLITE_NOTADB": "the file is no database",
    "SQLITE_BUSY": "another program holds the file",
    "SQLITE_CANTOPEN": "the file cannot be opened",
}
"""SQLite's errors that are not one statement's (https://www.sqlite.org/rescode.html), and what to say of them."""
_STATES = {
    "25": "the server is read-only",
    "53": "the server has no disk, memory or connection left",
    "57": "the server is being stopped",
    "58": "the server has an error of its own",
}
"""PostgreSQL's classes of the same kind: the first two characters of its SQLSTATE (its manual, appendix A)."""


def _sqlite_name(error: BaseException) -> str:
    """``SQLITE_IOERR`` of ``SQLITE_IOERR_WRITE``, "" for any other error."""
    name = str(getattr(getattr(error, "orig", error), "sqlite_errorname", ""))
    return "_".join(name.split("_")[:2])


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def beyond(connection: Connection, error: BaseException) -> bool:
    """Whether an error inside a savepoint leaves nothing of the whole transaction that can be kept.

    SQLite rolls a transaction back by itself when the disk is full: a savepoint after that would begin another one,
    and what stood before it would be lost without anybody being told.
    """
    if connection.invalidated or _sqlite_name(error) in _BEYOND or _sqlstate(error)[:2] in _STATES:
        return True
    raw = connection.connection.dbapi_connection
    return getattr(raw, "in_transaction", True) is False


def deadlocked(error: BaseException) -> bool:
    """Whether a transaction was ended because it and another one waited for each other: it may just be repeated."""
    return _sqlstate(error) in ("40P01", "40001")


def trouble(error: BaseException) -> str:
    """Why the database did not take a transaction, in words without values."""
    known = _BEYOND.get(_sqlite_name(error)) or _STATES.get(_sqlstate(error)[:2])
    return f"{known} ({type(error).__name__})" if known else type(error).__name__


def unopened(error: BaseException) -> str:
    """Why there is no way to the database, in its own first words: they name server and user, never a password."""
    known = _BEYOND.get(_sqlite_name(error)) or _STATES.get(_sqlstate(error)[:2])
    said = str(getattr(error, "orig", error)).strip().splitlines()
    return known or (said[0] if said else type(error).__name__)
