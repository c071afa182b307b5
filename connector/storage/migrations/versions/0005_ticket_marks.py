"""what feeds that compare want back of a ticket

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("mark", sa.Text(), nullable=True))
    op.create_index("ix_ticket_gone", "ticket", ["town", "gone"])
