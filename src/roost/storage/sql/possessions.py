"""Writes what providers have: inventories, traits, aggregates. Each time only the difference from the world."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Table

from roost.ledger.world import World
from roost.model.inventory import Inventory
from roost.model.names import FIRST_CUSTOM_CLASS_ID, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.storage.sql.lists import any_of
from roost.storage.sql.naming import ensure, need
from roost.storage.sql.tables import (
    inventories,
    placement_aggregates,
    resource_classes,
    resource_provider_aggregates,
    resource_provider_traits,
)
from roost.storage.sql.unit import Unit
from roost.storage.sql.worlds import find_classes, find_traits

_AMOUNTS = ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")

_UPDATE = (
    sa.update(inventories)
    .where(
        inventories.c.resource_provider_id == sa.bindparam("provider"),
        inventories.c.resource_class_id == sa.bindparam("class"),
    )
    .values(updated_at=sa.bindparam("now"), **{name: sa.bindparam(f"new_{name}") for name in _AMOUNTS})
)


def write_inventories(
    unit: Unit, world: World, wanted: Mapping[ProviderUUID, Mapping[ResourceClass, Inventory]]
) -> None:
    """Insert, update and delete what differs."""
    made: list[tuple[ProviderUUID, ResourceClass, Inventory]] = []
    updated: list[tuple[ProviderUUID, ResourceClass, Inventory]] = []
    gone: list[tuple[ProviderUUID, ResourceClass]] = []
    for uuid, stock in wanted.items():
        before = world.inventories.get(uuid, {})
        gone += [(uuid, name) for name in before if name not in stock]
        made += [(uuid, name, record) for name, record in stock.items() if name not in before]
        updated += [(uuid, name, record) for name, record in stock.items() if name in before and before[name] != record]
    _delete_inventories(unit, gone)
    if updated:
        batch = [
            {"provider": unit.providers[uuid], "class": unit.classes[name], "now": unit.now}
            | {f"new_{amount}": getattr(record, amount) for amount in _AMOUNTS}
            for uuid, name, record in updated
        ]
        unit.demand(unit.execute(_UPDATE, batch), len(batch))
    if made:
        classes = _settled_classes(unit, {name for _, name, _ in made})
        batch = [
            {"resource_provider_id": unit.providers[uuid], "resource_class_id": classes[name], "created_at": unit.now}
            | {amount: getattr(record, amount) for amount in _AMOUNTS}
            for uuid, name, record in made
        ]
        unit.execute(sa.insert(inventories), batch)


def _delete_inventories(unit: Unit, gone: list[tuple[ProviderUUID, ResourceClass]]) -> None:
    by_class: dict[int, list[int]] = {}
    for uuid, name in gone:
        by_class.setdefault(unit.classes[name], []).append(unit.providers[uuid])
    for resource_class, providers in by_class.items():
        statement = sa.delete(inventories).where(
            inventories.c.resource_class_id == resource_class, any_of(inventories.c.resource_provider_id)
        )
        unit.demand(unit.execute_of(statement, providers), len(providers))


_CLASSES = (
    sa.select(resource_classes.c.id, resource_classes.c.name)
    .where(any_of(resource_classes.c.id))
    .order_by(resource_classes.c.id)
)


def _settled_classes(unit: Unit, names: set[ResourceClass]) -> dict[ResourceClass, int]:
    """The ids of classes that nobody can drop before we commit. Standard ones can't be dropped at all.

    No foreign key sees to it, so whoever begins to use a class holds its row shared, and whoever drops one holds it
    alone.
    """
    unknown = names - unit.classes.keys()
    need(find_classes(unit, unknown), unknown)
    ids = {name: unit.classes[name] for name in names}
    custom = [row for row in ids.values() if row >= FIRST_CUSTOM_CLASS_ID]
    held = {row.name: row.id for row in unit.rows_of(unit.dialect.lock(_CLASSES, shared=True), custom)}
    need({name: row for name, row in ids.items() if row < FIRST_CUSTOM_CLASS_ID or held.get(name) == row}, names)
    return ids


def write_traits(unit: Unit, world: World, wanted: Mapping[ProviderUUID, frozenset[Trait]]) -> None:
    """Insert and delete what differs."""
    unknown = {name for names in wanted.values() for name in names} - unit.traits.keys()
    need(find_traits(unit, unknown), unknown)
    before = {uuid: world.traits_of.get(uuid, frozenset()) for uuid in wanted}
    _write_memberships(unit, resource_provider_traits, "trait_id", _differences(unit, before, wanted, unit.traits))


def write_aggregates(unit: Unit, world: World, wanted: Mapping[ProviderUUID, frozenset[AggregateUUID]]) -> None:
    """Insert and delete what differs; an aggregate is made with its first member."""
    unknown = {uuid for uuids in wanted.values() for uuid in uuids} - unit.aggregates.keys()
    unit.aggregates |= ensure(unit, placement_aggregates, "uuid", unknown)
    before = {uuid: world.aggregates_of.get(uuid, frozenset()) for uuid in wanted}
    differences = _differences(unit, before, wanted, unit.aggregates)
    _write_memberships(unit, resource_provider_aggregates, "aggregate_id", differences)


Difference = tuple[int, set[int], set[int]]
"""A provider's row, the rows that it is joined to, and those that it is parted from."""


def _differences(
    unit: Unit,
    before: Mapping[ProviderUUID, frozenset[str]],
    wanted: Mapping[ProviderUUID, frozenset[str]],
    ids: Mapping[str, int],
) -> list[Difference]:
    return [
        (
            unit.providers[uuid],
            {ids[name] for name in names - before[uuid]},
            {ids[name] for name in before[uuid] - names},
        )
        for uuid, names in wanted.items()
    ]


def _write_memberships(unit: Unit, table: Table, column: str, differences: list[Difference]) -> None:
    for provider, _, parted in differences:
        statement = sa.delete(table).where(table.c.resource_provider_id == provider, any_of(table.c[column]))
        if parted:
            unit.execute_of(statement, parted)
    batch = [
        {"resource_provider_id": provider, column: row, "created_at": unit.now}
        for provider, joined, _ in differences
        for row in sorted(joined)
    ]
    if batch:
        unit.execute(sa.insert(table), batch)
