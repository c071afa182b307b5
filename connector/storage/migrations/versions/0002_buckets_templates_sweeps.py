"""token buckets, templates, sweeps

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bucket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bucket")),
        comment="What may still be sent at once to a number or a person; kept so that a restart grants nothing anew",
    )
    op.create_table(
        "template",
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("town", "name", "language", name=op.f("pk_template")),
        comment="What WhatsApp last said of a message template: APPROVED, PENDING, REJECTED, PAUSED, DISABLED …",
    )
    # The release before this one runs on beside it during an upgrade: what it does not know may be empty.
    op.add_column("ticket", sa.Column("looked_at", sa.Double(), nullable=True))
    op.add_column("journal", sa.Column("digest", sa.Text(), nullable=True))
    op.add_column("pause", sa.Column("cause", sa.Text(), nullable=False, server_default="refused"))
    op.create_index("ix_message_about", "message", ["about"])
