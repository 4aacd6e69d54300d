"""Revocations of users and tokens, and the number of the last one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; no revocation yet."""
    op.create_table(
        "revocations",
        sa.Column("kind", _id_text(8), nullable=False),
        sa.Column("subject", _id_text(256), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_revocations"),
        sa.UniqueConstraint("number", name="uq_revocations_number"),
        sqlite_with_rowid=False,
    )
    last = op.create_table(
        "last_revocation",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_last_revocation"),
    )
    op.bulk_insert(last, [{"id": 1, "number": 0}])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("last_revocation")
    op.drop_table("revocations")


def _id_text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
