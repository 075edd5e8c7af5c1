"""Consumers may have a type (microversion 1.38)."""

import sqlalchemy as sa
from alembic import op

revision = "422ece571366"
down_revision = "b5c396305c25"

INDEX = "consumers_consumer_type_id_idx"


def upgrade() -> None:
    """Make the table of types, and let consumers refer to it."""
    op.create_table(
        "consumer_types",
        sa.Column("created_at", sa.DateTime),
        sa.Column("updated_at", sa.DateTime),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Unicode(255), nullable=False),
        sa.UniqueConstraint("name", name="uniq_consumer_types0name"),
        if_not_exists=True,
    )
    schema = sa.inspect(op.get_bind())
    if "consumer_type_id" not in {column["name"] for column in schema.get_columns("consumers")}:
        refers = sa.ForeignKey("consumer_types.id", name="consumers_consumer_type_id_fkey")
        with op.batch_alter_table("consumers") as table:
            table.add_column(sa.Column("consumer_type_id", sa.Integer, refers))
    if INDEX not in {index["name"] for index in schema.get_indexes("consumers")}:
        op.create_index(INDEX, "consumers", ["consumer_type_id"])
