"""Messages in partitions by room, on PostgreSQL; SQLite has no such thing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PARTITIONS = 8

CLIENT_KEY_COLLATION = 'COLLATE "POSIX"'
INDEXES = (
    "uq_messages_room_id_sender_client_message_id",
    "ix_messages_room_id_sender_offset",
)


def upgrade() -> None:
    """Move the rows, all or none: nobody reads or writes messages meanwhile.

    Room for as much again is needed on the disk. Indexes are built when the rows are there, which
    takes a fraction of the time.
    """
    if op.get_context().dialect.name != "postgresql":
        return
    _set_aside()
    _make("HASH (room_id)")
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE messages_{number} PARTITION OF messages"
            f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )
    _move()
    op.create_unique_constraint(
        "uq_messages_message_id_room_id", "messages", ["message_id", "room_id"]
    )
    _index(("sender", "client_message_id"))
    op.execute("ANALYZE messages")


def downgrade() -> None:
    """Move the rows back."""
    if op.get_context().dialect.name != "postgresql":
        return
    _set_aside()
    _make(None)
    _move()
    op.create_unique_constraint("uq_messages_message_id", "messages", ["message_id"])
    _index(("room_id", "sender", "client_message_id"))
    op.execute("ANALYZE messages")


def _set_aside() -> None:
    """Rename the table; its indexes go, whose names the new one gets."""
    for index in INDEXES:
        op.drop_index(index, "messages")
    for number in (-1, *range(PARTITIONS)):
        # Else they keep the names of the partitions' own.
        name = "messages" if number < 0 else f"messages_{number}"
        op.execute(f"ALTER TABLE IF EXISTS {name} RENAME TO former_{name}")
    for constraint in (
        "fk_messages_room_id",
        "uq_messages_message_id",
        "uq_messages_message_id_room_id",
        "pk_messages",
    ):
        op.execute(f"ALTER TABLE former_messages DROP CONSTRAINT IF EXISTS {constraint}")


def _make(partition_by: str | None) -> None:
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
        postgresql_partition_by=partition_by,
    )


def _move() -> None:
    op.execute("INSERT INTO messages SELECT * FROM former_messages")  # the same columns in order
    op.drop_table("former_messages")


def _index(sought_by_another_name: tuple[str, ...]) -> None:
    op.create_primary_key("pk_messages", "messages", ["room_id", "offset"])
    op.create_foreign_key("fk_messages_room_id", "messages", "rooms", ["room_id"], ["room_id"])
    client_index, own_index = INDEXES
    op.create_index(
        client_index,
        "messages",
        ["room_id", "sender", "client_message_id"],
        unique=True,
        # See CLIENT_KEY_COLLATION in `store.tables`.
        postgresql_ops=dict.fromkeys(sought_by_another_name, CLIENT_KEY_COLLATION),
    )
    op.create_index(own_index, "messages", ["room_id", "sender", "offset"])


def _id_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
