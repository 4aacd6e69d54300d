"""Up to where each room's log was pruned."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: nothing was pruned yet."""
    op.add_column(
        "rooms",
        sa.Column("pruned_offset", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("rooms", "pruned_offset")
