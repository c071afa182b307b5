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
    # Only for queries that name the same condition. Where it could also be read to look for a lane, PostgreSQL did so
    # whenever its statistics came from a moment without open rows, and a burst of them cost the square of its size.
    Index(
        "ix_work_due_open",
        "due_at",
        sqlite_where=text("ended_at IS NULL AND due_at >= 0"),
        postgresql_where=text("ended_at IS NULL AND due_at >= 0"),
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
    Column("stopped_at", Double),  # since when WhatsApp lets no marketing message through
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
    Column("looked_at", Double),
    Column("mark", Text),  # what a feed that compares wants back
    Column("birth", Text),  # tells it from a later one that the tracker gives its number
    Index("ix_ticket_tracker", "town", "tracker_id"),
    Index("ix_ticket_person_id", "person_id"),
    Index("ix_ticket_gone", "town", "gone"),
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
    Index("ix_media_person_id", "person_id", "created_at"),
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
    Column("digest", Text),
    Column("birth", Text),
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
    Index("ix_message_about", "about"),
    Index("ix_message_person_id", "person_id"),
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
    Column("cause", Text, nullable=False, server_default="refused"),
    comment="A destination (whatsapp, tracker) that is left alone until a time, and why",
)

bucket = Table(
    "bucket",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", Double, nullable=False),
    Column("at", Double, nullable=False),
    comment="What may still be sent at once to a number or a person; kept so that a restart grants nothing anew",
)

template = Table(
    "template",
    metadata,
    Column("town", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("since", Double, nullable=False),
    comment="What WhatsApp last said of a message template: APPROVED, PENDING, REJECTED, PAUSED, DISABLED …",
)

consent = Table(
    "consent",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("person_id", BigInteger),
    Column("user_key", Text),
    Column("phone_key", Text),
    Column("purpose", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("message_key", Text),
    Column("at", Double, nullable=False),
    Column("ended_at", Double),
    Index("ix_consent_person_id", "person_id"),
    Index("ix_consent_town_user_key", "town", "user_key"),
    Index("ix_consent_town_phone_key", "town", "phone_key"),
    comment="What was accepted, refused or withdrawn, for what, and when; ended_at: the person was forgotten",
)

consent_text = Table(
    "consent_text",
    metadata,
    Column("town", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("language", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("since", Double, nullable=False),
    comment="The data-protection messages that were ever shown, word for word; they name nobody",
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("rule", Text, nullable=False),
    Column("counts", Text, nullable=False),
    comment="What was erased when, by which rule, as numbers: nothing says whose it was",
)

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Double, nullable=False),
    comment="Services that run, and the fingerprint of the key each encrypts with",
)

feed = Table(
    "feed",
    metadata,
    Column("town", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("etag", Text),
    Column("modified", Text),
    Column("digest", Text),
    Column("began_at", Double),
    Column("whole_at", Double),
    Column("good_at", Double),
    Column("due_at", Double, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
    comment="A public source: the copy at hand (began, read whole, good at), when it is due, what went wrong",
)

feed_item = Table(
    "feed_item",
    metadata,
    Column("town", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("position", Integer),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Double),
    Column("until", Double),
    Column("whole_day", Integer, nullable=False, server_default="0"),
    Column("place", Text, nullable=False),
    Column("categories", Text, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    comment="Items of a source, public as they are; position is null once the source lists one no more",
)

subscription = Table(
    "subscription",
    metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, primary_key=True),
    Column("town", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("message_key", Text),
    Column("reached_at", Double),
    Index("ix_subscription_topic", "town", "topic", "person_id"),
    comment="What a person receives; reached_at: when a broadcast to them was last over that had arrived",
)

broadcast = Table(
    "broadcast",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("town", Text, nullable=False),
    Column("source", Text),
    Column("content", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("alert", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("why", Text),
    Column("made_by", Text, nullable=False),
    Column("agreed_by", Text),
    Column("created_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("began_at", Double),
    Column("changed_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("quality", Integer),
    Column("gathered", BigInteger, server_default="0"),
    Column("counts", Text),
    UniqueConstraint("town", "source"),
    Index("ix_broadcast_state", "town", "state"),
    comment="Something sent to many. gathered: the person up to whom recipients are written, null when all are; "
    "counts: what became of it, once its recipients are forgotten",
)

recipient = Table(
    "recipient",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("broadcast_id", ForeignKey("broadcast.id"), nullable=False),
    Column("person_id", BigInteger),
    Column("state", Text, nullable=False),
    Column("how", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("tried_at", Double),
    Column("due_at", Double, nullable=False, server_default="0"),
    Column("changed_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("error", Text),
    UniqueConstraint("broadcast_id", "person_id"),
    Index(
        "ix_recipient_open",
        "broadcast_id",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_recipient_person_id", "person_id"),
    comment="One person of one broadcast: waiting, trying (perhaps sent), or what became of it",
)
