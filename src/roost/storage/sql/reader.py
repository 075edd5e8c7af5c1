"""Answers a reader's questions, each in one or two queries, all from one snapshot.

Text is compared by the database, for its indexes' sake, and again here: MySQL takes `a`, `A` and `a ` for equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, Table

from roost.model.names import AggregateUUID, ConsumerType, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.model.provider import Provider, ProviderState
from roost.storage.port import Allocation, Change, ChangesForgotten, Named, ProjectUsage, Stock, Told
from roost.storage.sql import clouds, glance, rows
from roost.storage.sql.dialects import Dialect
from roost.storage.sql.failures import translated
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import (
    allocations,
    consumer_types,
    consumers,
    inventories,
    placement_aggregates,
    projects,
    resource_classes,
    resource_provider_aggregates,
    resource_provider_traits,
    resource_providers,
    roost_changes,
    roost_forgotten,
    roost_stripes,
    traits,
    users,
)
from roost.storage.sql.unit import chunks

_PROVIDERS = sa.select(*rows.PROVIDER).select_from(rows.PROVIDERS).order_by(resource_providers.c.id)
_ALLOCATION = (
    allocations.c.used,
    allocations.c.created_at.label("allocation_made"),
    allocations.c.updated_at.label("allocation_changed"),
    resource_classes.c.name.label("class_name"),
)
_HELD = rows.OWNERS.join(allocations, allocations.c.consumer_id == consumers.c.uuid).join(
    resource_classes, resource_classes.c.id == allocations.c.resource_class_id
)


_LONGEST_NAME = 255
"""Characters of the longest name that a column keeps."""


class SQLReader:
    """Implements `roost.storage.port.Reader` on the snapshot of one connection."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def provider(self, uuid: str) -> Provider | None:
        """The provider with exactly this uuid text."""
        return next(iter(self.providers(uuid=uuid)), None)

    def providers(
        self, *, name: str | None = None, uuid: str | None = None, in_tree: str | None = None
    ) -> Sequence[Provider]:
        """The providers that meet all the conditions given, in order of making."""
        if not _storable(name, uuid, in_tree):
            return []
        query = _PROVIDERS
        if name is not None:
            query = query.where(resource_providers.c.name == name)
        if uuid is not None:
            query = query.where(resource_providers.c.uuid == uuid)
        if in_tree is not None:
            root = self._root(in_tree)
            if root is None:
                return []
            query = query.where(resource_providers.c.root_provider_id == root)
        found = map(rows.provider, self._ask(query))
        return [each for each in found if name in {None, each.name} and uuid in {None, each.uuid}]

    def stocks(self, uuid: ProviderUUID) -> Sequence[Stock]:
        """The inventory records of one provider, in order of making."""
        return [rows.stock(row) for row in self._of(uuid, _STOCKS)]

    def usage(self, uuid: ProviderUUID) -> dict[ResourceClass, int]:
        """The usage of each class of the provider's inventories, 0 included."""
        return {ResourceClass(row.class_name): int(row.used or 0) for row in self._of(uuid, _USAGE)}

    def aggregates(self, uuid: ProviderUUID) -> Sequence[AggregateUUID]:
        """The aggregates that a provider is a member of."""
        return [AggregateUUID(row.uuid) for row in self._of(uuid, _AGGREGATES)]

    def provider_traits(self, uuid: ProviderUUID) -> Sequence[Named]:
        """The traits of one provider, in order of the traits' making."""
        return [rows.named(row) for row in self._of(uuid, _TRAITS_OF)]

    def provider_allocations(self, uuid: ProviderUUID) -> Sequence[Allocation]:
        """Every allocation on one provider."""
        provider = self.provider(uuid)
        if provider is None:
            return []
        return [_allocation(row, provider) for row in self._of(uuid, _PROVIDER_ALLOCATIONS)]

    def consumer_allocations(self, uuid: str) -> Sequence[Allocation]:
        """Every allocation of one consumer; its record is in each of them."""
        if not _storable(uuid):
            return []
        found = self._ask(_CONSUMER_ALLOCATIONS.where(consumers.c.uuid == uuid))
        return [_allocation(row, rows.provider(row)) for row in found if row.consumer_uuid == uuid]

    def project_usages(self, project: ProjectID, user: UserID | None = None) -> Sequence[ProjectUsage]:
        """A project's usage by consumer type, of all its users or of one."""
        if not _storable(project, user):
            return []
        owned = [projects.c.external_id == project]
        if user is not None:
            owned.append(users.c.external_id == user)
        counts = {row.name: row.consumers for row in self._ask(_consumers_by_type(*owned))}
        usage: dict[str | None, dict[ResourceClass, int]] = {name: {} for name in counts}
        for row in self._ask(_usage_by_type(*owned)):
            usage[row.name][ResourceClass(row.class_name)] = int(row.used)
        return [
            ProjectUsage(type=None if name is None else ConsumerType(name), consumers=count, usage=usage[name])
            for name, count in counts.items()
        ]

    def resource_classes(self, names: Iterable[str] | None = None) -> Sequence[Named]:
        """All resource classes, or those of the names given, in order of their ids."""
        return [rows.named(row) for row in self._named(_named(resource_classes), resource_classes, names)]

    def traits(
        self, *, names: Iterable[str] | None = None, prefix: str | None = None, associated: bool | None = None
    ) -> Sequence[Named]:
        """The traits that meet all the conditions given, in order of making."""
        query = _named(traits)
        if prefix is not None:
            if not _storable(prefix) or len(prefix) > _LONGEST_NAME:
                return []
            query = query.where(traits.c.name.startswith(prefix, autoescape=True))
        if associated is not None:
            borne = sa.select(resource_provider_traits.c.trait_id).where(
                resource_provider_traits.c.trait_id == traits.c.id
            )
            query = query.where(borne.exists() if associated else ~borne.exists())
        found = self._named(query, traits, names)
        return [rows.named(row) for row in found if row.name.startswith(prefix or "")]

    def cloud(self, told: Told | None = None) -> Sequence[ProviderState]:
        """Every provider with all that searches ask of it, in order of making."""
        with translated(self._dialect):
            return clouds.read(self._connection, told)

    def states(self, uuids: Iterable[str]) -> Sequence[ProviderState]:
        """Those of the providers named that exist, as in `cloud`."""
        with translated(self._dialect):
            return clouds.read_some(self._connection, uuids)

    def with_usage(self, states: Iterable[ProviderState]) -> Sequence[ProviderState]:
        """Those of the same providers that still exist, each with what a claim changes as it is now."""
        with translated(self._dialect):
            return clouds.read_usage(self._connection, self._dialect, states)

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe. While none moves, `cloud` does not change."""
        try:
            return glance.told(next(str(row[0]) for row in self._ask(glance.question(self._dialect))))
        except glance.Doubt:
            return {row.id: row.version for row in self._ask(_VERSIONS)}

    def changes(self, since: Mapping[int, int]) -> Sequence[Change]:
        """What was changed after these versions, in each stripe's order of commits."""
        self._refuse_forgotten(since)
        return [rows.change(row) for row in self._ask(_CHANGES.where(_after(since)))]

    def changed(self, since: Mapping[int, int]) -> Mapping[str, frozenset[str]]:
        """The providers that were changed after these versions, and the words for what was."""
        self._refuse_forgotten(since)
        words: dict[str, frozenset[str]] = {}
        for row in self._ask(_CHANGED.where(_after(since))):
            words[row.uuid] = words.get(row.uuid, frozenset()).union(row.what.split(","))
        return words

    def _refuse_forgotten(self, since: Mapping[int, int]) -> None:
        forgotten = {row.id for row in self._ask(_FORGOTTEN, sorted(since)) if since[row.id] < row.version}
        if forgotten:
            raise ChangesForgotten(forgotten)

    def _ask(self, query: Select[Any], values: Sequence[Any] | None = None) -> Sequence[Row[Any]]:
        with translated(self._dialect):
            return self._connection.execute(query, {} if values is None else {"values": values}).all()

    def _root(self, member: str) -> int | None:
        query = sa.select(resource_providers.c.uuid, resource_providers.c.root_provider_id)
        found = self._ask(query.where(resource_providers.c.uuid == member))
        return next((row.root_provider_id for row in found if row.uuid == member), None)

    def _of(self, uuid: str, query: Select[Any]) -> list[Row[Any]]:
        """What a query finds of the one provider with exactly this uuid; it selects the uuid as `owner`."""
        if not _storable(uuid):
            return []
        return [row for row in self._ask(query.where(resource_providers.c.uuid == uuid)) if row.owner == uuid]

    def _named(self, query: Select[Any], table: Table, names: Iterable[str] | None) -> Sequence[Row[Any]]:
        if names is None:
            return self._ask(query.order_by(table.c.id))
        wanted = {name for name in names if _storable(name)}
        narrowed = query.where(any_of(table.c.name))
        found = [row for chunk in chunks(sorted(wanted)) for row in self._ask(narrowed, chunk) if row.name in wanted]
        return sorted(found, key=lambda row: int(row.id))


def _after(since: Mapping[int, int]) -> ColumnElement[bool]:
    later = [
        sa.and_(roost_changes.c.stripe == stripe, roost_changes.c.version > version)
        for stripe, version in sorted(since.items())
    ]
    return sa.or_(sa.false(), *later)


def _storable(*texts: str | None) -> bool:
    """Whether a database can hold such text at all. One that no database holds is not found, rather than an error."""
    return all(text is None or ("\0" not in text and text.isprintable()) or _encodes(text) for text in texts)


def _encodes(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _allocation(row: Row[Any], provider: Provider) -> Allocation:
    return Allocation(
        provider=provider,
        consumer=rows.consumer(row),
        resource_class=ResourceClass(row.class_name),
        used=row.used,
        modified=rows.later(row.allocation_changed, row.allocation_made),
    )


def _named(table: Table) -> Select[Any]:
    return sa.select(table.c.id, table.c.name, table.c.created_at, table.c.updated_at)


_owner = resource_providers.c.uuid.label("owner")
_stock = resource_providers.join(inventories, inventories.c.resource_provider_id == resource_providers.c.id).join(
    resource_classes, resource_classes.c.id == inventories.c.resource_class_id
)

_STOCKS = sa.select(_owner, *rows.STOCK, *rows.STOCK_TIMES).select_from(_stock).order_by(inventories.c.id)

_USAGE = (
    sa.select(
        _owner,
        resource_classes.c.name.label("class_name"),
        sa.select(sa.func.sum(allocations.c.used))
        .where(
            allocations.c.resource_provider_id == inventories.c.resource_provider_id,
            allocations.c.resource_class_id == inventories.c.resource_class_id,
        )
        .scalar_subquery()
        .label("used"),
    )
    .select_from(_stock)
    .order_by(inventories.c.id)
)

_AGGREGATES = (
    sa.select(_owner, placement_aggregates.c.uuid)
    .select_from(
        resource_providers.join(
            resource_provider_aggregates,
            resource_provider_aggregates.c.resource_provider_id == resource_providers.c.id,
        ).join(placement_aggregates, placement_aggregates.c.id == resource_provider_aggregates.c.aggregate_id)
    )
    .order_by(placement_aggregates.c.id)
)

_TRAITS_OF = (
    sa.select(_owner, traits.c.name, traits.c.created_at, traits.c.updated_at)
    .select_from(
        resource_providers.join(
            resource_provider_traits, resource_provider_traits.c.resource_provider_id == resource_providers.c.id
        ).join(traits, traits.c.id == resource_provider_traits.c.trait_id)
    )
    .order_by(traits.c.id)
)

_PROVIDER_ALLOCATIONS = (
    sa.select(_owner, *rows.CONSUMER, *_ALLOCATION)
    .select_from(_HELD.join(resource_providers, resource_providers.c.id == allocations.c.resource_provider_id))
    .order_by(allocations.c.id)
)

_CONSUMER_ALLOCATIONS = (
    sa.select(*rows.CONSUMER, *_ALLOCATION, *rows.PROVIDER)
    .select_from(
        _HELD.join(resource_providers, resource_providers.c.id == allocations.c.resource_provider_id)
        .outerjoin(rows.roots, rows.roots.c.id == resource_providers.c.root_provider_id)
        .outerjoin(rows.parents, rows.parents.c.id == resource_providers.c.parent_provider_id)
    )
    .order_by(allocations.c.id)
)


def _consumers_by_type(*owned: ColumnElement[bool]) -> Select[Any]:
    """How many consumers of an owner hold something."""
    holds = sa.exists().where(allocations.c.consumer_id == consumers.c.uuid)
    found = (
        sa.select(consumers.c.consumer_type_id.label("type_id"), sa.func.count().label("consumers"))
        .select_from(rows.OWNED)
        .where(*owned, holds)
        .group_by(consumers.c.consumer_type_id)
        .subquery()
    )
    return (
        sa.select(consumer_types.c.name, found.c.consumers)
        .select_from(found.outerjoin(consumer_types, consumer_types.c.id == found.c.type_id))
        .order_by(sa.func.coalesce(found.c.type_id, 0))
    )


def _usage_by_type(*owned: ColumnElement[bool]) -> Select[Any]:
    """What they hold. Summed up by ids, and named then: a project may have a hundred thousand allocations."""
    found = (
        sa.select(
            consumers.c.consumer_type_id.label("type_id"),
            allocations.c.resource_class_id.label("class_id"),
            sa.func.sum(allocations.c.used).label("used"),
        )
        .select_from(rows.OWNED.join(allocations, allocations.c.consumer_id == consumers.c.uuid))
        .where(*owned)
        .group_by(consumers.c.consumer_type_id, allocations.c.resource_class_id)
        .subquery()
    )
    return (
        sa.select(consumer_types.c.name, resource_classes.c.name.label("class_name"), found.c.used)
        .select_from(
            found.join(resource_classes, resource_classes.c.id == found.c.class_id).outerjoin(
                consumer_types, consumer_types.c.id == found.c.type_id
            )
        )
        .order_by(found.c.class_id)
    )


_VERSIONS = sa.select(roost_stripes.c.id, roost_stripes.c.version)
_FORGOTTEN = sa.select(roost_forgotten.c.id, roost_forgotten.c.version).where(any_of(roost_forgotten.c.id))
_CHANGES = sa.select(roost_changes).order_by(roost_changes.c.stripe, roost_changes.c.version, roost_changes.c.seq)
_CHANGED = sa.select(roost_changes.c.uuid, roost_changes.c.what).where(roost_changes.c.kind == "provider")
