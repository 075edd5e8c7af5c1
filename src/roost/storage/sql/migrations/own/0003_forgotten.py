"""How far back the record of changes reaches."""

import sqlalchemy as sa
from alembic import op

revision = "roost0003"
down_revision = "roost0002"


def upgrade() -> None:
    """Make the table; nothing was removed yet."""
    op.create_table(
        "roost_forgotten",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        if_not_exists=True,
    )
