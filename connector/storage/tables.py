"""The tables. Times are Unix seconds (UTC) passed in from Python; sealed columns are ciphertext.

Phone numbers, user ids, names, texts and message ids never stand in a column in the clear: people and messages
are found by pseudonym (``*_key``), everything else is in a sealed column.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")

keep = Table(
    "keep",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="What is made once for the whole database (the pepper of the pseudonyms), sealed",
)

work = Table(
    "work",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, unique=True),
    Column("payload", LargeBinary),
    Column("created_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("tried_at", Double),
    Column("lease_until", Double),
    Column("lease_by", Text),
    Column("ended_at", Double),
    Column("outcome", Text),
    Column("error", Text),
    Index(
        "ix_work_lane_open",
        "lane",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_work_due_open",
        "due_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_work_failed",
        "town",
        sqlite_where=text("outcome = 'failed'"),
        postgresql_where=text("outcome = 'failed'"),
    ),
    comment="Everything that must happen, before it is promised to anyone. A lane is done in order, one at a time",
)

person = Table(
    "person",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("user_key", Text),
    Column("phone_key", Text),
    Column("contact", LargeBinary),
    Column("state", LargeBinary, nullable=False),
    Column("window_until", Double, nullable=False, server_default="0"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("town", "user_key"),
    UniqueConstraint("town", "phone_key"),
    comment="contact: address and name, only after consent; state: where the conversation is",
)

ticket = Table(
    "ticket",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("option", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("content", LargeBinary),
    Column("created_at", Double, nullable=False),
    Column("tried_at", Double),
    Column("tracker_id", Text),
    Column("url", Text),
    Column("receipt", Text, nullable=False, server_default="none"),
    Column("status", Text),
    Column("closed_at", Double),
    Column("gone", Text),
    Index("ix_ticket_tracker", "town", "tracker_id"),
    Index("ix_ticket_person_id", "person_id"),
    comment="receipt: none, partial (sent without the ticket's number) or full",
)

media = Table(
    "media",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("ref", Text, nullable=False, unique=True),
    Column("ticket_id", ForeignKey("ticket.id")),
    Column("facts", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("size", BigInteger),
    Column("digest", Text),
    Column("created_at", Double, nullable=False),
    Index("ix_media_ticket_id", "ticket_id"),
    comment="state: waiting (still at Meta), here (parts hold it), done (on the ticket), refused, lost, dropped",
)

media_part = Table(
    "media_part",
    metadata,
    Column("media_id", ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("ticket_id", ForeignKey("ticket.id"), primary_key=True),
    Column("entry", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("seen_at", Double, nullable=False),
    comment="Every journal entry of a ticket that was seen, and what was decided about it",
)

message = Table(
    "message",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("person_id", BigInteger),
    Column("about", Text),
    Column("send_key", Text),
    Column("at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_at", Double),
    Column("error", Text),
    UniqueConstraint("town", "direction", "key"),
    Index("ix_message_send_key", "send_key"),
    comment="The ledger: one row a message, in or out, with its outcome; about: a reference or draft:<id>",
)

cursor = Table(
    "cursor",
    metadata,
    Column("town", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Double, nullable=False),
)

pause = Table(
    "pause",
    metadata,
    Column("town", Text, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False),
    comment="A destination (whatsapp, tracker) that is left alone until a time, and why",
)
