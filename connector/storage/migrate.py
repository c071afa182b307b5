"""Brings a database to the schema of this program, with Alembic, and refuses one that is newer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from connector.core.errors import Finding, Misconfigured


def alembic_config() -> Config:
    """Alembic's configuration, without a file: the versions beside this module."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(engine: Engine) -> None:
    """Run the versions that are missing. Raises ``Misconfigured`` for a database newer than the program."""
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        known = {revision.revision for revision in script.walk_revisions()}
        with connection.begin():
            current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise Misconfigured(
                [
                    Finding(
                        "error",
                        f"the database is of a newer release (schema {current})",
                        "run that release, or restore the backup made before the upgrade",
                        key="database",
                    )
                ]
            )
        if current == script.get_current_head():
            return
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # replicas that start together take turns
                connection.execute(text("SELECT pg_advisory_xact_lock(7260311)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
