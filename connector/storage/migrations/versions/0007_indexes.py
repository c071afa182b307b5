"""files are looked up by their person, and what is due not by its lane

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL AND due_at >= 0")


def upgrade() -> None:
    op.create_index("ix_media_person_id", "media", ["person_id", "created_at"])
    op.drop_index("ix_work_due_open", "work")
    op.create_index("ix_work_due_open", "work", ["due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
