"""The running totals of usage, which begin empty: a provider's are counted when it is first claimed from."""

import sqlalchemy as sa
from alembic import op

revision = "roost0002"
down_revision = "roost0001"


def upgrade() -> None:
    """Make the table. Nothing refers to it and it refers to nothing, so that the peer may delete what it likes."""
    op.create_table(
        "roost_totals",
        sa.Column("provider_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("provider_made", sa.DateTime),
        sa.Column("provider_changed", sa.DateTime),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("used", sa.Text, nullable=False),
        if_not_exists=True,
    )
