"""Pushes that ended undeliverable."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "dead_pushes",
        sa.Column("died_at", sa.BigInteger, nullable=False),
        sa.Column("push_id", _id_text(36), nullable=False),
        sa.Column("way", _id_text(43), nullable=False),
        sa.Column("user_id", _id_text(128), nullable=False),
        sa.Column("room_id", _id_text(64), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("service", sa.String(300), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("last", sa.String(24), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("died_at", "push_id", "way", name="pk_dead_pushes"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("dead_pushes")


def _id_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
