"""subscriptions, broadcasts and their recipients

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("person", sa.Column("stopped_at", sa.Double(), nullable=True))
    op.create_table(
        "subscription",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=True),
        sa.Column("reached_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "topic", name=op.f("pk_subscription")),
        comment="What a person receives; reached_at: when a broadcast to them was last over that had arrived",
    )
    op.create_index("ix_subscription_topic", "subscription", ["town", "topic", "person_id"])
    op.create_table(
        "broadcast",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("alert", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=True),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("gathered", sa.BigInteger(), nullable=True, server_default="0"),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
        sa.UniqueConstraint("town", "source", name=op.f("uq_broadcast_town_source")),
        comment="Something sent to many. gathered: the person up to whom recipients are written, null when all are; "
        "counts: what became of it, once its recipients are forgotten",
    )
    op.create_index("ix_broadcast_state", "broadcast", ["town", "state"])
    op.create_table(
        "recipient",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("broadcast_id", _ID, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tried_at", sa.Double(), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=False, server_default="0"),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name=op.f("fk_recipient_broadcast_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
        sa.UniqueConstraint("broadcast_id", "person_id", name=op.f("uq_recipient_broadcast_id_person_id")),
        comment="One person of one broadcast: waiting, trying (perhaps sent), or what became of it",
    )
    op.create_index(
        "ix_recipient_open", "recipient", ["broadcast_id", "id"],
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_recipient_person_id", "recipient", ["person_id"])
