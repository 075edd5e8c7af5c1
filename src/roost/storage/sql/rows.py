"""From row to value: one function for each table, and the columns it needs. Knows no question that rows answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row

from roost.model.consumer import Consumer
from roost.model.inventory import Inventory
from roost.model.names import ConsumerType, ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.model.provider import Provider
from roost.storage.port import Change, Named, Origin, Stock, Used
from roost.storage.sql.tables import (
    consumer_types,
    consumers,
    inventories,
    projects,
    resource_classes,
    resource_providers,
    users,
)

Columns: TypeAlias = Sequence[ColumnElement[Any]]

roots = resource_providers.alias("roots")
parents = resource_providers.alias("parents")

PROVIDERS = resource_providers.outerjoin(roots, roots.c.id == resource_providers.c.root_provider_id).outerjoin(
    parents, parents.c.id == resource_providers.c.parent_provider_id
)
"""What `PROVIDER` selects from. A root that is missing is the provider itself; only a broken database has that."""

PROVIDER: Columns = (
    resource_providers.c.id.label("provider_id"),
    resource_providers.c.uuid.label("provider_uuid"),
    resource_providers.c.name.label("provider_name"),
    resource_providers.c.generation.label("provider_generation"),
    resource_providers.c.created_at.label("provider_made"),
    resource_providers.c.updated_at.label("provider_changed"),
    roots.c.id.label("root_id"),
    roots.c.uuid.label("root_uuid"),
    parents.c.id.label("parent_id"),
    parents.c.uuid.label("parent_uuid"),
)

STOCK: Columns = (
    resource_classes.c.id.label("class_id"),
    resource_classes.c.name.label("class_name"),
    inventories.c.total,
    inventories.c.reserved,
    inventories.c.min_unit,
    inventories.c.max_unit,
    inventories.c.step_size,
    inventories.c.allocation_ratio,
)
STOCK_TIMES: Columns = (inventories.c.created_at.label("stock_made"), inventories.c.updated_at.label("stock_changed"))

OWNED = consumers.join(projects, projects.c.id == consumers.c.project_id).join(users, users.c.id == consumers.c.user_id)
"""Consumers by whose they are."""

OWNERS = OWNED.outerjoin(consumer_types, consumer_types.c.id == consumers.c.consumer_type_id)
"""What `CONSUMER` selects from."""

CONSUMER: Columns = (
    consumers.c.id.label("consumer_row"),
    consumers.c.uuid.label("consumer_uuid"),
    consumers.c.generation.label("consumer_generation"),
    projects.c.external_id.label("project"),
    users.c.external_id.label("user"),
    consumer_types.c.name.label("consumer_type"),
)


def later(changed: datetime | None, made: datetime | None) -> datetime | None:
    """When a row was last written."""
    return changed or made


def provider(row: Row[Any]) -> Provider:
    """A provider from `PROVIDER`."""
    uuid = ProviderUUID(row.provider_uuid)
    return Provider(
        uuid=uuid,
        name=row.provider_name or "",
        generation=Generation(row.provider_generation or 0),
        parent=None if row.parent_uuid is None else ProviderUUID(row.parent_uuid),
        root=uuid if row.root_uuid in (None, uuid) else ProviderUUID(row.root_uuid),  # one text, of two that are equal
        modified=later(row.provider_changed, row.provider_made),
    )


def used(row: Row[Any], usage: Mapping[ResourceClass, int]) -> Used:
    """What a claim changes of a row's provider; the usage comes from elsewhere."""
    return Used(
        generation=Generation(row.provider_generation),
        modified=later(row.provider_changed, row.provider_made),
        usage=usage,
    )


def inventory(row: Row[Any]) -> Inventory:
    """An inventory from `STOCK`."""
    return Inventory(
        total=row.total,
        reserved=row.reserved,
        min_unit=row.min_unit,
        max_unit=row.max_unit,
        step_size=row.step_size,
        allocation_ratio=row.allocation_ratio,
    )


def stock(row: Row[Any]) -> Stock:
    """An inventory record from `STOCK` and `STOCK_TIMES`."""
    return Stock(
        resource_class=ResourceClass(row.class_name),
        inventory=inventory(row),
        modified=later(row.stock_changed, row.stock_made),
    )


def consumer(row: Row[Any]) -> Consumer:
    """A consumer from `CONSUMER`."""
    return Consumer(
        uuid=ConsumerUUID(row.consumer_uuid),
        generation=Generation(row.consumer_generation),
        project=ProjectID(row.project),
        user=UserID(row.user),
        type=None if row.consumer_type is None else ConsumerType(row.consumer_type),
    )


def named(row: Row[Any]) -> Named:
    """A trait or resource class from its columns name, created_at and updated_at."""
    return Named(name=row.name, modified=later(row.updated_at, row.created_at))


def change(row: Row[Any]) -> Change:
    """A record of a change from `roost_changes`."""
    return Change(
        stripe=row.stripe,
        version=row.version,
        kind=row.kind,
        uuid=row.uuid,
        what=row.what,
        origin=Origin(request_id=row.request_id, user=row.user, project=row.project),
        at=row.at,
    )
