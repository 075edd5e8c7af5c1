"""Placement's tables as they were when Placement left Nova (Train).

An interrupted upgrade on MySQL, which commits each statement, leaves the tables made so far; they are kept.
"""

from collections.abc import Sequence
from typing import TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "b4ed3a175331"
down_revision = None

Indexes: TypeAlias = dict[str, list[str]]


def _table(name: str, *parts: sa.schema.SchemaItem, indexes: Indexes | None = None) -> None:
    stamps = (sa.Column("created_at", sa.DateTime), sa.Column("updated_at", sa.DateTime))
    op.create_table(name, *stamps, *parts, if_not_exists=True)
    made = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(name)}
    for index, columns in (indexes or {}).items():
        if index not in made:
            op.create_index(index, name, columns)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _numbers(*names: str) -> Sequence[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _unique(table: str, *columns: str, suffix: str = "") -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uniq_{table}0{suffix or columns[0]}")


def upgrade() -> None:
    """Make the tables."""
    _make_providers()
    _make_stock()
    _make_groupings()
    _make_consumers()


def _make_providers() -> None:
    _table(
        "resource_providers",
        _id(),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("name", sa.Unicode(200)),
        sa.Column("generation", sa.Integer),
        sa.Column("root_provider_id", sa.Integer),
        sa.Column("parent_provider_id", sa.Integer),
        sa.ForeignKeyConstraint(["parent_provider_id"], ["resource_providers.id"]),
        sa.ForeignKeyConstraint(["root_provider_id"], ["resource_providers.id"]),
        _unique("resource_providers", "name"),
        _unique("resource_providers", "uuid"),
        indexes={
            "resource_providers_name_idx": ["name"],
            "resource_providers_parent_provider_id_idx": ["parent_provider_id"],
            "resource_providers_root_provider_id_idx": ["root_provider_id"],
            "resource_providers_uuid_idx": ["uuid"],
        },
    )


def _make_stock() -> None:
    _table(
        "resource_classes",
        _id(),
        sa.Column("name", sa.String(255), nullable=False),
        _unique("resource_classes", "name"),
    )
    _table(
        "inventories",
        _id(),
        *_numbers("resource_provider_id", "resource_class_id", "total", "reserved", "min_unit", "max_unit"),
        *_numbers("step_size"),
        sa.Column("allocation_ratio", sa.Float, nullable=False),
        _unique("inventories", "resource_provider_id", "resource_class_id", suffix="resource_provider_resource_class"),
        indexes={
            "inventories_resource_class_id_idx": ["resource_class_id"],
            "inventories_resource_provider_id_idx": ["resource_provider_id"],
            "inventories_resource_provider_resource_class_idx": ["resource_provider_id", "resource_class_id"],
        },
    )
    _table(
        "allocations",
        _id(),
        *_numbers("resource_provider_id"),
        sa.Column("consumer_id", sa.String(36), nullable=False),
        *_numbers("resource_class_id", "used"),
        indexes={
            "allocations_resource_provider_class_used_idx": ["resource_provider_id", "resource_class_id", "used"],
            "allocations_resource_class_id_idx": ["resource_class_id"],
            "allocations_consumer_id_idx": ["consumer_id"],
        },
    )


def _make_groupings() -> None:
    _table("traits", _id(), sa.Column("name", sa.Unicode(255), nullable=False), _unique("traits", "name"))
    _table(
        "resource_provider_traits",
        sa.Column("trait_id", sa.Integer, nullable=False),
        sa.Column("resource_provider_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["resource_provider_id"], ["resource_providers.id"]),
        sa.ForeignKeyConstraint(["trait_id"], ["traits.id"]),
        sa.PrimaryKeyConstraint("trait_id", "resource_provider_id"),
        indexes={"resource_provider_traits_resource_provider_trait_idx": ["resource_provider_id", "trait_id"]},
    )
    _table(
        "placement_aggregates",
        _id(),
        sa.Column("uuid", sa.String(36)),
        _unique("placement_aggregates", "uuid"),
        indexes={"ix_placement_aggregates_uuid": ["uuid"]},
    )
    _table(
        "resource_provider_aggregates",
        *_numbers("resource_provider_id", "aggregate_id"),
        sa.PrimaryKeyConstraint("resource_provider_id", "aggregate_id"),
        indexes={"resource_provider_aggregates_aggregate_id_idx": ["aggregate_id"]},
    )


def _make_consumers() -> None:
    for name in ("projects", "users"):
        _table(name, _id(), sa.Column("external_id", sa.String(255), nullable=False), _unique(name, "external_id"))
    _table(
        "consumers",
        _id(),
        sa.Column("uuid", sa.String(36), nullable=False),
        *_numbers("project_id", "user_id"),
        sa.Column("generation", sa.Integer, server_default=sa.text("0"), nullable=False),
        _unique("consumers", "uuid"),
        indexes={
            "consumers_project_id_user_id_uuid_idx": ["project_id", "user_id", "uuid"],
            "consumers_project_id_uuid_idx": ["project_id", "uuid"],
        },
    )
