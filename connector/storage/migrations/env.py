"""Alembic's environment: the connection comes from ``migrate.upgrade``."""

from alembic import context

from connector.storage.tables import metadata
from connector.toolkit import crash

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False,
    on_version_apply=lambda **_: crash.point("migrate.version"),
)  # fmt: skip
context.run_migrations()
