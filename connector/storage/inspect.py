"""A database before the service uses it: reachable, ours, of which release. Nothing is made, nothing changed."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from connector.core.errors import Finding, Misconfigured
from connector.toolkit.privacy import Sealer, WrongKey

from . import tables
from .dialect import unopened
from .migrate import EMPTY, behind
from .sqlite import engine_options, unfit

_PATIENCE = 10
"""Seconds a server gets to answer."""


def inspect(url: str, sealer: Sealer) -> list[Finding]:
    """What stands in the way of using ``url``, with the keys ``database`` and ``privacy.key``."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite:
        if found := unfit():
            return found
        file = Path(str(parsed.database))
        if not file.exists() or not file.stat().st_size:
            return _makeable(file)
        if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
            problem = f"this account may not write {file} and its folder"
            return [_error(problem, "give both to the account that the service runs as")]
    options = {} if sqlite else {"connect_timeout": _PATIENCE}
    address = parsed if sqlite else parsed.set(drivername="postgresql+psycopg")
    looking = create_engine(address, connect_args=options, hide_parameters=True, **engine_options(address))
    try:
        there = behind(looking)
        if there == EMPTY:
            return _may_make_tables(looking)
        found = []
        if there:
            mend = "make a backup; the first start of this release brings it up to date"
            found.append(Finding("warning", f"the database {there}", mend, key="database"))
        return found + _readable(looking, sealer)
    except Misconfigured as error:
        return list(error.findings)
    except DatabaseError as error:
        mend = (
            "move it away, or name another file"
            if sqlite
            else "is the server running, and are address, account and password right?"
        )
        return [_error(f"the database cannot be opened: {unopened(error)}", mend)]
    finally:
        looking.dispose()


def _error(problem: str, mend: str, key: str = "database") -> Finding:
    return Finding("error", problem, mend, key=key)


def _makeable(file: Path) -> list[Finding]:
    """Whether a file that is not there yet can be made."""
    there = next(folder for folder in file.parents if folder.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return []
    return [_error(f"this account may not make {file}", f"let it write in {there}, or name another place")]


def _may_make_tables(looking: Engine) -> list[Finding]:
    if looking.dialect.name != "postgresql":
        return []
    with looking.connect() as connection:
        asked = text(
            "SELECT current_user, current_schema(), has_schema_privilege(current_schema(), 'CREATE')"
        )
        user, schema, may = connection.execute(asked).one()
    if may:
        return []
    # since PostgreSQL 15 nobody but the owner may make tables in «public»
    mend = f'make "{user}" the owner of the database, or: GRANT CREATE ON SCHEMA {schema or "public"} TO "{user}"'
    return [_error("this account may make no tables in the database", mend)]


def _readable(looking: Engine, sealer: Sealer) -> list[Finding]:
    """Whether our key opens what is stored."""
    with looking.begin() as connection:
        row = connection.execute(select(tables.keep.c.value).where(tables.keep.c.name == "pepper")).first()
    try:
        if row is not None:
            sealer.open_bytes(row.value, "pepper")
    except WrongKey as error:
        problem, _, mend = str(error).partition("; ")
        return [_error(problem, mend, "privacy.key")]
    return []
