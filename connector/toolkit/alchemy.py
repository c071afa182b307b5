"""SQLAlchemy, loaded without what no database of ours needs. To be imported before anything of it is.

Ours are two drivers of eleven, and none that runs under greenlet, which brings a library of C++.
"""

from __future__ import annotations

from contextlib import ExitStack

from connector.toolkit.lean import later, without

_OTHERS = ("postgresql.asyncpg", "postgresql.pg8000", "postgresql.psycopg2cffi", "sqlite.aiosqlite", "sqlite.pysqlcipher")  # fmt: skip

with ExitStack() as _stack:
    _stack.enter_context(without("greenlet"))
    for _name in _OTHERS:
        _stack.enter_context(later(f"sqlalchemy.dialects.{_name}"))
    import sqlalchemy.dialects.postgresql
    import sqlalchemy.dialects.sqlite  # noqa: F401
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

__all__ = ["ArgumentError", "make_url"]
