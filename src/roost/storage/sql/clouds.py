"""Reads providers with all that searches ask of them, in a fixed number of queries whatever the size of the cloud.

Rows by the hundred thousand come through here, so that each is touched once, as numbers, and like values are shared.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select

from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ResourceClass, Trait, is_custom
from roost.model.provider import ProviderState
from roost.storage.sql import rows, totals
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import (
    allocations,
    inventories,
    placement_aggregates,
    resource_classes,
    resource_provider_aggregates,
    resource_provider_traits,
    resource_providers,
    traits,
)
from roost.storage.sql.unit import chunks

T = TypeVar("T")

_PROVIDERS = sa.select(*rows.PROVIDER).select_from(rows.PROVIDERS).order_by(resource_providers.c.id)
_STOCKS = (
    sa.select(inventories.c.resource_provider_id, *rows.STOCK)
    .join_from(inventories, resource_classes, resource_classes.c.id == inventories.c.resource_class_id)
    .order_by(inventories.c.id)
)
_TRAITS = sa.select(resource_provider_traits.c.resource_provider_id, resource_provider_traits.c.trait_id)
_AGGREGATES = sa.select(
    resource_provider_aggregates.c.resource_provider_id, resource_provider_aggregates.c.aggregate_id
)


def read(connection: Connection) -> list[ProviderState]:
    """Every provider, in order of making."""
    return _assemble(connection, lambda query, _column: connection.execute(query).all())


def read_some(connection: Connection, uuids: Iterable[str]) -> list[ProviderState]:
    """Those of the providers named that exist, in order of making."""
    wanted = sorted(set(uuids))
    found = [
        row.id
        for chunk in chunks(wanted)
        for row in connection.execute(_IDS, {"values": chunk}).all()
        if row.uuid in set(chunk)
    ]

    def fetch(query: Select[Any], column: ColumnElement[Any]) -> Sequence[Row[Any]]:
        narrowed = query.where(any_of(column))
        return [row for chunk in chunks(sorted(found)) for row in connection.execute(narrowed, {"values": chunk}).all()]

    return _assemble(connection, fetch)


_IDS = sa.select(resource_providers.c.id, resource_providers.c.uuid).where(any_of(resource_providers.c.uuid))


def _assemble(
    connection: Connection, fetch: Callable[[Select[Any], ColumnElement[Any]], Sequence[Row[Any]]]
) -> list[ProviderState]:
    providers = fetch(_PROVIDERS, resource_providers.c.id)
    stocks = _stocks(fetch(_STOCKS, inventories.c.resource_provider_id))
    usage = _usage(connection, fetch(totals.SUMS, allocations.c.resource_provider_id))
    worn = _traits(connection, fetch(_TRAITS, resource_provider_traits.c.resource_provider_id))
    joined = _aggregates(connection, fetch(_AGGREGATES, resource_provider_aggregates.c.resource_provider_id))
    nothing: Mapping[ResourceClass, Any] = {}
    return [
        ProviderState(
            provider=rows.provider(row),
            inventories=stocks.get(row.provider_id, nothing),
            usage=usage.get(row.provider_id, nothing),
            traits=worn.get(row.provider_id, ()),
            aggregates=joined.get(row.provider_id, frozenset()),
        )
        for row in providers
    ]


def _stocks(found: Sequence[Any]) -> dict[int, dict[ResourceClass, Inventory]]:
    """Most hosts are alike, so that few different records stand for them all."""
    same: dict[Inventory, Inventory] = {}
    stocks: dict[int, dict[ResourceClass, Inventory]] = {}
    for provider, _, name, *amounts in found:
        total, reserved, min_unit, max_unit, step_size, ratio = amounts
        record = Inventory(
            total=total,
            reserved=reserved,
            min_unit=min_unit,
            max_unit=max_unit,
            step_size=step_size,
            allocation_ratio=ratio,
        )
        stocks.setdefault(provider, {})[name] = same.setdefault(record, record)
    return stocks


def _usage(connection: Connection, found: Sequence[Any]) -> dict[int, dict[ResourceClass, int]]:
    query = sa.select(resource_classes.c.id, resource_classes.c.name)
    names = {row.id: ResourceClass(row.name) for row in connection.execute(query)}
    usage: dict[int, dict[ResourceClass, int]] = {}
    for provider, resource_class, used in found:
        usage.setdefault(provider, {})[names[resource_class]] = int(used)
    return usage


def _traits(connection: Connection, found: Sequence[Any]) -> dict[int, tuple[Trait, ...]]:
    query = sa.select(traits.c.id, traits.c.name)
    names = {row.id: Trait(row.name) for row in connection.execute(query)}

    def tell(ids: frozenset[int]) -> tuple[Trait, ...]:
        return tuple(names[each] for each in sorted(ids, key=lambda each: (is_custom(names[each]), each)))

    return _gathered(found, tell)


def _aggregates(connection: Connection, found: Sequence[Any]) -> dict[int, frozenset[AggregateUUID]]:
    query = sa.select(placement_aggregates.c.id, placement_aggregates.c.uuid)
    names = {row.id: AggregateUUID(row.uuid) for row in connection.execute(query)}
    return _gathered(found, lambda ids: frozenset(names[each] for each in ids))


def _gathered(found: Sequence[Any], tell: Callable[[frozenset[int]], T]) -> dict[int, T]:
    """What each provider is joined to, told once for all that are joined to the same."""
    by_provider: dict[int, list[int]] = {}
    for provider, row in found:
        by_provider.setdefault(provider, []).append(row)
    told: dict[frozenset[int], T] = {}
    gathered: dict[int, T] = {}
    for provider, ids in by_provider.items():
        key = frozenset(ids)
        if key not in told:
            told[key] = tell(key)
        gathered[provider] = told[key]
    return gathered
