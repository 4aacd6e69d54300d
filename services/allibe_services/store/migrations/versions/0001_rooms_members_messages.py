"""Rooms, members, messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_rooms()
    _make_members()
    _make_messages()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("messages")
    op.drop_table("members")
    op.drop_table("rooms")


def _id_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _make_rooms() -> None:
    op.create_table(
        "rooms",
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", _id_text(128), nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("last_message", sa.Text),
        sa.Column("last_message_at", sa.BigInteger),
        sa.Column("last_message_sender", _id_text(128)),
        sa.PrimaryKeyConstraint("room_id", name="pk_rooms"),
    )


def _make_members() -> None:
    op.create_table(
        "members",
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("read_offset", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("room_id", "user_id", name="pk_members"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name="fk_members_room_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_user_id", "members", ["user_id"])


def _make_messages() -> None:
    client_key = ("room_id", "sender", "client_message_id")
    op.create_table(
        "messages",
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("message_id", _id_text(36), nullable=False),
        sa.Column("sender", _id_text(128), nullable=False),
        sa.Column("sender_name", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("client_message_id", _id_text(64)),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "offset", name="pk_messages"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name="fk_messages_room_id"),
        sa.UniqueConstraint("message_id", name="uq_messages_message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_messages_room_id_sender_client_message_id",
        "messages",
        client_key,
        unique=True,
        # See CLIENT_KEY_COLLATION in `store.tables`.
        postgresql_ops=dict.fromkeys(client_key, 'COLLATE "POSIX"'),
    )
    op.create_index(
        "ix_messages_room_id_sender_offset", "messages", ["room_id", "sender", "offset"]
    )
