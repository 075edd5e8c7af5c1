"""Indexes that a unique constraint makes redundant go."""

import sqlalchemy as sa
from alembic import op

revision = "a082b8bb98d0"
down_revision = "422ece571366"

REDUNDANT = {
    "inventories": ("inventories_resource_provider_id_idx", "inventories_resource_provider_resource_class_idx"),
    "placement_aggregates": ("ix_placement_aggregates_uuid",),
    "resource_providers": ("resource_providers_name_idx", "resource_providers_uuid_idx"),
}


def upgrade() -> None:
    """Drop those that are there."""
    schema = sa.inspect(op.get_bind())
    for table, indexes in REDUNDANT.items():
        there = {index["name"] for index in schema.get_indexes(table)}
        for index in indexes:
            if index in there:
                op.drop_index(index, table_name=table)
