"""Alembic's environment: the connection comes from ``migrate.upgrade``."""

from alembic import context

from connector.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False
)
context.run_migrations()
