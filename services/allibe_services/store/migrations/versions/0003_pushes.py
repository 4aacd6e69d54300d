"""Push subscriptions, notification settings, scheduled pushes, decisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "push_decisions",
    "pushes",
    "push_users",
    "push_progress",
    "muted_rooms",
    "notification_settings",
    "push_subscriptions",
)


def upgrade() -> None:
    """Make the tables. Nobody is told of what was said before."""
    _make_settings()
    _make_progress()
    _make_queue()
    _make_decisions()


def downgrade() -> None:
    """Drop the tables."""
    for table in TABLES:
        op.drop_table(table)


def _id_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _make_settings() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("subscription_id", _id_text(43), nullable=False),
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("endpoint", sa.String(2048), nullable=False),
        sa.Column("p256dh", sa.String(88), nullable=False),
        sa.Column("auth", sa.String(24), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_push_subscriptions"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_push_subscriptions_user_id_created_at", "push_subscriptions", ["user_id", "created_at"]
    )
    op.create_table(
        "notification_settings",
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("quiet_start", sa.Integer, nullable=False),
        sa.Column("quiet_end", sa.Integer, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_notification_settings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "muted_rooms",
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("muted_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "user_id", name="pk_muted_rooms"),
        sa.ForeignKeyConstraint(
            ["room_id", "user_id"],
            ["members.room_id", "members.user_id"],
            name="fk_muted_rooms_room_id_user_id",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_muted_rooms_user_id", "muted_rooms", ["user_id"])


def _make_progress() -> None:
    op.create_table(
        "push_progress",
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("target", sa.BigInteger, nullable=False),
        sa.Column("after_user", _id_text(128), nullable=False),
        sa.PrimaryKeyConstraint("room_id", name="pk_push_progress"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name="fk_push_progress_room_id"),
        sqlite_with_rowid=False,
    )
    op.execute(
        'INSERT INTO push_progress (room_id, "offset", target, after_user)'
        " SELECT room_id, last_offset, last_offset, '' FROM rooms"
    )


def _make_queue() -> None:
    op.create_table(
        "push_users",
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("held_until", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("free_at", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("claimed_by", sa.String(32), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("user_id", name="pk_push_users"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_push_users_due_at", "push_users", ["due_at"])
    op.create_table(
        "pushes",
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("push_id", sa.String(36), nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("told_offset", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("done", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("user_id", "room_id", name="pk_pushes"),
        sqlite_with_rowid=False,
    )


def _make_decisions() -> None:
    op.create_table(
        "push_decisions",
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "room_id", "reason", name="pk_push_decisions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_push_decisions_decided_at", "push_decisions", ["decided_at"])
