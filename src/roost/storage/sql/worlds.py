"""Reads the world that a scope names, once `locking` has seen to it that nothing of it can change."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Executable, Select, Table

from roost.ledger.world import Scope, World
from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider
from roost.storage.port import LostRace
from roost.storage.sql import rows, totals
from roost.storage.sql.lists import any_of
from roost.storage.sql.locking import Locked, lock
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import (
    inventories,
    placement_aggregates,
    resource_classes,
    resource_provider_aggregates,
    resource_provider_traits,
    resource_providers,
    traits,
)
from roost.storage.sql.unit import Unit

_PROVIDERS = sa.select(*rows.PROVIDER, *totals.COLUMNS).select_from(totals.PROVIDERS)
_BY_UUID = Prepared(lambda _: _PROVIDERS.where(any_of(resource_providers.c.uuid)))
_members = resource_providers.alias("members")
_BY_TREE = _PROVIDERS.where(
    resource_providers.c.root_provider_id.in_(
        sa.select(_members.c.root_provider_id).where(any_of(_members.c.uuid)),
    ),
)

_STOCKS = Prepared(
    lambda _: (
        sa.select(inventories.c.resource_provider_id, *rows.STOCK)
        .join_from(inventories, resource_classes, resource_classes.c.id == inventories.c.resource_class_id)
        .where(any_of(inventories.c.resource_provider_id))
        .order_by(inventories.c.id)
    )
)

_TRAITS = (
    sa.select(resource_provider_traits.c.resource_provider_id, traits.c.id, traits.c.name)
    .join_from(resource_provider_traits, traits, traits.c.id == resource_provider_traits.c.trait_id)
    .where(any_of(resource_provider_traits.c.resource_provider_id))
)
_AGGREGATES = (
    sa.select(
        resource_provider_aggregates.c.resource_provider_id,
        placement_aggregates.c.id,
        placement_aggregates.c.uuid,
    )
    .join_from(
        resource_provider_aggregates,
        placement_aggregates,
        placement_aggregates.c.id == resource_provider_aggregates.c.aggregate_id,
    )
    .where(any_of(resource_provider_aggregates.c.resource_provider_id))
)

_BEARERS = sa.select(resource_providers.c.name, resource_providers.c.uuid).where(any_of(resource_providers.c.name))

_USED_CLASSES = sa.select(resource_classes.c.name).where(
    any_of(resource_classes.c.id),
    sa.select(inventories.c.id).where(inventories.c.resource_class_id == resource_classes.c.id).exists(),
)
_USED_TRAITS = sa.select(traits.c.name).where(
    any_of(traits.c.id),
    sa.select(resource_provider_traits.c.trait_id).where(resource_provider_traits.c.trait_id == traits.c.id).exists(),
)


def read(unit: Unit, scope: Scope) -> World:
    """Lock all that the scope names, then read it."""
    locked = lock(unit, scope)
    providers = _providers(unit, locked, scope.trees)
    stocked = scope.stocks & providers.keys()
    return World(
        providers=providers,
        inventories=_inventories(unit, stocked),
        usage=totals.usage(unit, stocked),
        traits_of=_traits_of(unit, scope.traits_of & providers.keys()),
        aggregates_of=_aggregates_of(unit, scope.aggregates_of & providers.keys()),
        consumers=locked.consumers,
        bearers=_bearers(unit, scope.provider_names),
        classes=_known_classes(unit, scope.classes)
        | frozenset(map(ResourceClass, _retire(unit, resource_classes, scope.retiring_classes, unit.classes))),
        traits=frozenset(map(Trait, find_traits(unit, scope.traits)))
        | frozenset(map(Trait, _retire(unit, traits, scope.retiring_traits, unit.traits))),
        used_classes=frozenset(map(ResourceClass, _used(unit, _USED_CLASSES, scope.retiring_classes, unit.classes))),
        used_traits=frozenset(map(Trait, _used(unit, _USED_TRAITS, scope.retiring_traits, unit.traits))),
    )


def _providers(unit: Unit, locked: Locked, trees: frozenset[ProviderUUID]) -> dict[ProviderUUID, Provider]:
    """Read the records, and make sure that the locks taken are those of their trees."""
    found: dict[ProviderUUID, Provider] = {}
    whole = trees & locked.existing
    queries: tuple[tuple[Executable | Prepared, frozenset[ProviderUUID]], ...]
    queries = ((_BY_TREE, whole), (_BY_UUID, locked.providers - whole))
    for query, wanted in queries:
        for row in unit.rows_of(query, wanted):
            provider = rows.provider(row)
            if query is _BY_UUID and provider.uuid not in wanted:
                continue
            if unit.stripe(provider.root) not in unit.versions or (query is _BY_UUID and provider.uuid in trees):
                unit.remembered.pop(provider.uuid, None)
                raise LostRace("a tree was moved or made while it was being locked")
            found[provider.uuid] = provider
            unit.homes[provider.uuid] = unit.remembered[provider.uuid] = provider.root
            unit.providers[provider.uuid] = row.provider_id
            totals.note(unit, provider.uuid, row)
            unit.providers[provider.root] = row.root_id or row.provider_id
            if provider.parent is not None:
                unit.providers[provider.parent] = row.parent_id
    return found


def recount(unit: Unit, world: World, providers: Collection[ProviderUUID]) -> World:
    """The same world, the usage of these of its providers summed up from the claims."""
    totals.count(unit, world.usage.keys() & set(providers))
    return msgspec.structs.replace(world, usage=totals.usage(unit, world.usage.keys()))


def _by_id(unit: Unit, uuids: Collection[ProviderUUID]) -> dict[int, ProviderUUID]:
    return {unit.providers[uuid]: uuid for uuid in uuids}


def _inventories(unit: Unit, wanted: Collection[ProviderUUID]) -> dict[ProviderUUID, dict[ResourceClass, Inventory]]:
    owners = _by_id(unit, wanted)
    found: dict[ProviderUUID, dict[ResourceClass, Inventory]] = {uuid: {} for uuid in wanted}
    for row in unit.rows_of(_STOCKS, owners.keys()):
        unit.classes[row.class_name] = row.class_id
        found[owners[row.resource_provider_id]][ResourceClass(row.class_name)] = rows.inventory(row)
    return found


def _traits_of(unit: Unit, wanted: Collection[ProviderUUID]) -> dict[ProviderUUID, frozenset[Trait]]:
    owners = _by_id(unit, wanted)
    found: dict[ProviderUUID, set[Trait]] = {uuid: set() for uuid in wanted}
    for row in unit.rows_of(_TRAITS, owners.keys()):
        unit.traits[row.name] = row.id
        found[owners[row.resource_provider_id]].add(Trait(row.name))
    return {uuid: frozenset(names) for uuid, names in found.items()}


def _aggregates_of(unit: Unit, wanted: Collection[ProviderUUID]) -> dict[ProviderUUID, frozenset[AggregateUUID]]:
    owners = _by_id(unit, wanted)
    found: dict[ProviderUUID, set[AggregateUUID]] = {uuid: set() for uuid in wanted}
    for row in unit.rows_of(_AGGREGATES, owners.keys()):
        unit.aggregates[row.uuid] = row.id
        found[owners[row.resource_provider_id]].add(AggregateUUID(row.uuid))
    return {uuid: frozenset(uuids) for uuid, uuids in found.items()}


def _bearers(unit: Unit, names: frozenset[str]) -> dict[str, ProviderUUID]:
    """Who bears each name, as the unique constraint sees it: on MySQL, `Host` is taken where `host` exists."""
    found = {row.name: ProviderUUID(row.uuid) for row in unit.rows_of(_BEARERS, names)}
    exact = {name: uuid for name, uuid in found.items() if name in names}
    if len(exact) < len(found):
        for name in sorted(names - exact.keys()):
            for row in unit.rows(_BEARERS, {"values": [name]}):
                exact[name] = ProviderUUID(row.uuid)
    return exact


def _named(table: Table) -> Select[Any]:
    return sa.select(table.c.id, table.c.name).where(any_of(table.c.name)).order_by(table.c.name)


_CLASSES, _TRAIT_NAMES = _named(resource_classes), _named(traits)


def find_classes(unit: Unit, names: Collection[str]) -> dict[str, int]:
    """The ids of those names that are exactly resource classes."""
    return _find(unit, _CLASSES, names, unit.classes)


def find_traits(unit: Unit, names: Collection[str]) -> dict[str, int]:
    """The ids of those names that are exactly traits."""
    return _find(unit, _TRAIT_NAMES, names, unit.traits)


def _find(unit: Unit, query: Select[Any], names: Collection[str], known: dict[str, int]) -> dict[str, int]:
    found = {row.name: row.id for row in unit.rows_of(query, names) if row.name in names}
    known |= found
    return found


def _known_classes(unit: Unit, names: frozenset[ResourceClass]) -> frozenset[ResourceClass]:
    """Which names are classes. Those that came with an inventory or a claim needn't be asked for again."""
    met = frozenset(name for name in names if name in unit.classes)
    return met | frozenset(map(ResourceClass, find_classes(unit, names - met)))


def _retire(unit: Unit, table: Table, names: Collection[str], known: dict[str, int]) -> dict[str, int]:
    """Find and lock against anyone who would begin to use them."""
    return _find(unit, unit.dialect.lock(_named(table)), names, known) if names else {}


def _used(unit: Unit, query: Select[Any], names: Collection[str], known: dict[str, int]) -> list[str]:
    """Ask only after `_retire` has locked: its own statement's snapshot may be older than its locks."""
    return [row.name for row in unit.rows_of(query, [known[name] for name in names if name in known])]
