"""The tables, as statements need them: Placement's own and, prefixed `roost_`, ours.

The migrations make the tables; a test compares what they made with this description and with what the peer makes.
Must not know which database it is.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Unicode,
    UniqueConstraint,
)

metadata = MetaData()


def _stamps() -> tuple[Column[object], Column[object]]:
    return Column("created_at", DateTime), Column("updated_at", DateTime)


resource_providers = Table(
    "resource_providers",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("uuid", String(36), nullable=False),
    Column("name", Unicode(200)),
    Column("generation", Integer),
    Column("root_provider_id", ForeignKey("resource_providers.id")),
    Column("parent_provider_id", ForeignKey("resource_providers.id")),
    UniqueConstraint("uuid", name="uniq_resource_providers0uuid"),
    UniqueConstraint("name", name="uniq_resource_providers0name"),
    Index("resource_providers_root_provider_id_idx", "root_provider_id"),
    Index("resource_providers_parent_provider_id_idx", "parent_provider_id"),
)

resource_classes = Table(
    "resource_classes",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    UniqueConstraint("name", name="uniq_resource_classes0name"),
)

inventories = Table(
    "inventories",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("resource_provider_id", Integer, nullable=False),
    Column("resource_class_id", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("min_unit", Integer, nullable=False),
    Column("max_unit", Integer, nullable=False),
    Column("step_size", Integer, nullable=False),
    Column("allocation_ratio", Float, nullable=False),
    UniqueConstraint(
        "resource_provider_id", "resource_class_id", name="uniq_inventories0resource_provider_resource_class"
    ),
    Index("inventories_resource_class_id_idx", "resource_class_id"),
)

allocations = Table(
    "allocations",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("resource_provider_id", Integer, nullable=False),
    Column("consumer_id", String(36), nullable=False),
    Column("resource_class_id", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Index("allocations_resource_provider_class_used_idx", "resource_provider_id", "resource_class_id", "used"),
    Index("allocations_resource_class_id_idx", "resource_class_id"),
    Index("allocations_consumer_id_idx", "consumer_id"),
)
"""`consumer_id` is the uuid of a consumer, not its row's id."""

traits = Table(
    "traits",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("name", Unicode(255), nullable=False),
    UniqueConstraint("name", name="uniq_traits0name"),
)

resource_provider_traits = Table(
    "resource_provider_traits",
    metadata,
    *_stamps(),
    Column("trait_id", ForeignKey("traits.id"), primary_key=True),
    Column("resource_provider_id", ForeignKey("resource_providers.id"), primary_key=True),
    Index("resource_provider_traits_resource_provider_trait_idx", "resource_provider_id", "trait_id"),
)

placement_aggregates = Table(
    "placement_aggregates",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("uuid", String(36)),
    UniqueConstraint("uuid", name="uniq_placement_aggregates0uuid"),
)

resource_provider_aggregates = Table(
    "resource_provider_aggregates",
    metadata,
    *_stamps(),
    Column("resource_provider_id", Integer, primary_key=True),
    Column("aggregate_id", Integer, primary_key=True),
    Index("resource_provider_aggregates_aggregate_id_idx", "aggregate_id"),
)

projects = Table(
    "projects",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("external_id", String(255), nullable=False),
    UniqueConstraint("external_id", name="uniq_projects0external_id"),
)

users = Table(
    "users",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("external_id", String(255), nullable=False),
    UniqueConstraint("external_id", name="uniq_users0external_id"),
)

consumer_types = Table(
    "consumer_types",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("name", Unicode(255), nullable=False),
    UniqueConstraint("name", name="uniq_consumer_types0name"),
)

consumers = Table(
    "consumers",
    metadata,
    *_stamps(),
    Column("id", Integer, primary_key=True),
    Column("uuid", String(36), nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("consumer_type_id", ForeignKey("consumer_types.id", name="consumers_consumer_type_id_fkey")),
    UniqueConstraint("uuid", name="uniq_consumers0uuid"),
    Index("consumers_project_id_uuid_idx", "project_id", "uuid"),
    Index("consumers_project_id_user_id_uuid_idx", "project_id", "user_id", "uuid"),
    Index("consumers_consumer_type_id_idx", "consumer_type_id"),
)

STRIPES = 64
"""How many the migration makes."""

roost_stripes = Table(
    "roost_stripes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""The unit of locking and of versioning: each provider tree belongs to one row, chosen by its root's uuid."""

roost_changes = Table(
    "roost_changes",
    metadata,
    Column("stripe", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("what", String(64), nullable=False),
    Column("mark", String(32), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("user", String(255), nullable=False),
    Column("project", String(255), nullable=False),
    Column("at", DateTime, nullable=False),
)
"""One row for each provider or consumer that a commit changed. `mark` is unique to the attempt that wrote it."""

roost_totals = Table(
    "roost_totals",
    metadata,
    Column("provider_id", Integer, primary_key=True, autoincrement=False),
    Column("provider_made", DateTime),
    Column("provider_changed", DateTime),
    Column("generation", Integer, nullable=False),
    Column("used", Text, nullable=False),
)
"""What is used of a provider, as JSON by the ids of classes.

It counts only at this generation of the provider, made and changed at these times: ids may be given again, and a backup
brings generations back. It refers to nothing, for the peer deletes providers without asking us.
"""

roost_forgotten = Table(
    "roost_forgotten",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("at", DateTime, nullable=False),
)
"""By stripe, the newest version and the latest time of the changes that were removed; no row where none was.

Not columns of `roost_stripes`, because a removal must not lock what writers lock.
"""
