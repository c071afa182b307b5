"""Brings a database to the schema of this program, with Alembic, and refuses one that is newer.

Alembic itself is loaded only where something is to be done: it takes ten megabytes that a service would keep.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from connector.core.errors import Finding, Misconfigured

if TYPE_CHECKING:
    from alembic.config import Config

EMPTY = "is empty"
_FOLDER = Path(__file__).parent / "migrations"
_TABLE = "alembic_version"


def alembic_config() -> Config:
    """Alembic's configuration, without a file: the versions beside this module."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def versions() -> list[str]:
    """The schemas this program knows, oldest first: a version's file begins with its number."""
    return sorted(file.name.split("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def revision(engine: Engine) -> str | None:
    """The schema a database has, None for an empty one."""
    with engine.connect() as connection, connection.begin():
        if not inspect(connection).has_table(_TABLE):
            return None
        found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608  a name of ours
        return None if found is None else str(found)


def behind(engine: Engine) -> str:
    """What a database lacks, in words: "" for this program's schema. Raises ``Misconfigured`` for a newer one."""
    current, known = revision(engine), versions()
    if current == known[-1]:
        return ""
    _refuse_newer(current, known)
    return (
        EMPTY
        if current is None
        else f"is of an older release (schema {current}, this program has {known[-1]})"
    )


def compare(engine: Engine) -> None:
    """Raises ``Misconfigured`` unless the database has exactly this program's schema."""
    if there := behind(engine):
        mend = "start the service of this release once (connector run): it brings the database up to date"
        raise Misconfigured([Finding("error", f"the database {there}", mend, key="database")])


def _refuse_newer(current: str | None, known: list[str]) -> None:
    if current is None or current in known:
        return
    problem = f"the database is of a newer release (schema {current})"
    mend = "run that release, or restore the backup made before the upgrade"
    raise Misconfigured([Finding("error", problem, mend, key="database")])


def upgrade(engine: Engine) -> None:
    """Run the versions that are missing. Raises ``Misconfigured`` for a database newer than the program."""
    current, known = revision(engine), versions()
    _refuse_newer(current, known)
    if current == known[-1]:
        return
    from alembic import command

    config = alembic_config()
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            # replicas that start together take turns
            connection.execute(text("SELECT pg_advisory_xact_lock(7260311)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
