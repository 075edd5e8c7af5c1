"""The stripes and the record of changes."""

import sqlalchemy as sa
from alembic import op

revision = "roost0001"
down_revision = None

STRIPES = 64


def upgrade() -> None:
    """Make both tables, and all the stripes at version 0."""
    stripes = op.create_table(
        "roost_stripes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "roost_changes",
        sa.Column("stripe", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("stripe", "version", "seq"),
        if_not_exists=True,
    )
    there = set(op.get_bind().execute(sa.select(stripes.c.id)).scalars())
    missing = [{"id": stripe, "version": 0} for stripe in range(STRIPES) if stripe not in there]
    if missing:
        op.bulk_insert(stripes, missing)
