"""what tells tickets and journal entries from later ones with their number

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("birth", sa.Text(), nullable=True))
    op.add_column("journal", sa.Column("birth", sa.Text(), nullable=True))
