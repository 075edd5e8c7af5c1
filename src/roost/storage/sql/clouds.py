"""Reads providers with all that searches ask of them, in a fixed number of queries whatever the size of the cloud.

Rows by the hundred thousand come through here, so that each is touched once, as numbers, and like values are shared.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, count, islice
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, Connection, Row, Select

from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ResourceClass, Trait, is_custom
from roost.model.provider import ProviderState
from roost.storage.port import Told
from roost.storage.sql import rows, totals
from roost.storage.sql.dialects import Dialect
from roost.storage.sql.lists import any_of
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import (
    allocations,
    inventories,
    placement_aggregates,
    resource_classes,
    resource_provider_aggregates,
    resource_provider_traits,
    resource_providers,
    roost_totals,
    traits,
)
from roost.storage.sql.unit import chunks

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

AT_ONCE = 5_000
"""Rows that are in memory together, while a whole cloud is read: what is taken here stays the process's for ever."""

_NOTHING: Mapping[ResourceClass, Any] = {}

_Fetch: TypeAlias = Callable[[Select[Any], Column[Any]], Iterable[Any]]
"""Asks a query of the providers wanted alone; the column says whose a row is. To be read to its end, once."""

_Names: TypeAlias = Callable[[ColumnElement[int], ColumnElement[str], Iterable[int]], Mapping[int, str]]
"""Gives the names of the rows with these ids, and perhaps of others, by id."""


def read(connection: Connection, told: Told | None = None) -> list[ProviderState]:
    """Every provider, in order of making."""

    def names(key: ColumnElement[int], name: ColumnElement[str], _: Iterable[int]) -> Mapping[int, str]:
        return {row.key: row.value for row in connection.execute(_named(key, name))}

    def streamed(query: Select[Any], what: str) -> Iterator[Row[Any]]:
        found = iter(connection.execute(query, execution_options={"yield_per": AT_ONCE}))
        # Not in lists: so many rows that live at once keep the garbage collector busy.
        for done in count(0, AT_ONCE):
            if (first := next(found, None)) is None:
                return
            if told is not None and done:
                told(f"{done} {what}")
            yield first
            yield from islice(found, AT_ONCE - 1)

    def all_of(query: Select[Any], whose: Column[Any]) -> Iterator[Row[Any]]:
        return streamed(query, f"rows of {whose.table.name} read, of {len(providers)} providers")

    providers = list(streamed(_PROVIDERS, "providers read"))
    return _assemble(providers, all_of, names)


def read_some(connection: Connection, uuids: Iterable[str]) -> list[ProviderState]:
    """Those of the providers named that exist, in order of making. The size of the cloud doesn't count."""
    wanted = set(uuids)

    def some(query: Select[Any], column: ColumnElement[Any], values: Iterable[Any]) -> list[Row[Any]]:
        narrowed, known = _narrowed(query, column), sorted(set(values))
        return [row for chunk in chunks(known) for row in connection.execute(narrowed, {"values": chunk}).all()]

    def names(key: ColumnElement[int], name: ColumnElement[str], ids: Iterable[int]) -> Mapping[int, str]:
        return {row.key: row.value for row in some(_named(key, name), key, ids)}

    providers = [row for row in some(_PROVIDERS, resource_providers.c.uuid, wanted) if row.provider_uuid in wanted]
    providers.sort(key=lambda row: int(row.provider_id))
    found = [row.provider_id for row in providers]
    return _assemble(providers, lambda query, column: some(query, column, found), names)


_LOADS = Prepared(
    lambda _: (
        sa.select(
            resource_providers.c.id.label("provider_id"),
            resource_providers.c.uuid.label("provider_uuid"),
            resource_providers.c.generation.label("provider_generation"),
            resource_providers.c.created_at.label("provider_made"),
            resource_providers.c.updated_at.label("provider_changed"),
            *totals.COLUMNS,
        )
        .select_from(resource_providers.outerjoin(roost_totals, roost_totals.c.provider_id == resource_providers.c.id))
        .where(any_of(resource_providers.c.uuid))
    )
)
"""Less than `rows.PROVIDER`: each column costs, and only these change with a claim."""


def read_usage(connection: Connection, dialect: Dialect, states: Iterable[ProviderState]) -> list[ProviderState]:
    """Those of the same providers that still exist, with what a claim changes as it is now.

    Running totals tell the usage; where they don't count, or aren't there, the claims are summed up.
    """

    def some(query: Prepared, values: Iterable[Any]) -> list[Any]:
        known = sorted(set(values))
        return [row for chunk in chunks(known) for row in query.rows(connection, dialect, {"values": chunk})]

    before = {state.uuid: state for state in states}
    found = [row for row in some(_LOADS, before) if row.provider_uuid in before]
    used = {row.provider_id: counted for row in found if (counted := totals.counting(row)) is not None}
    for row in some(totals.SUMS_OF, (row.provider_id for row in found if row.provider_id not in used)):
        used.setdefault(row.resource_provider_id, {})[row.resource_class_id] = int(row.used)
    named = some(totals.CLASS_NAMES, (each for amounts in used.values() for each in amounts))
    names = {row.id: ResourceClass(row.name) for row in named}
    return [
        rows.used(
            row,
            # A class that doesn't exist can't be asked for; only a broken database has claims of it.
            {names[each]: amount for each, amount in used.get(row.provider_id, {}).items() if amount and each in names},
        ).of(before[row.provider_uuid])
        for row in found
    ]


@cache
def _named(key: ColumnElement[int], name: ColumnElement[str]) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [key.label("key"), name.label("value")]
    return sa.select(*columns)


@cache
def _narrowed(query: Select[Any], column: ColumnElement[Any]) -> Select[Any]:
    return query.where(any_of(column))


def _assemble(providers: Sequence[Any], fetch: _Fetch, names: _Names) -> list[ProviderState]:
    stocks = _stocks(fetch(_STOCKS, inventories.c.resource_provider_id))
    usage = _usage(names, fetch(totals.SUMS, allocations.c.resource_provider_id))
    worn = _traits(names, fetch(_TRAITS, resource_provider_traits.c.resource_provider_id))
    joined = _aggregates(names, fetch(_AGGREGATES, resource_provider_aggregates.c.resource_provider_id))
    return [
        ProviderState(
            provider=rows.provider(row),
            inventories=stocks.get(row.provider_id, _NOTHING),
            usage=usage.get(row.provider_id, _NOTHING),
            traits=worn.get(row.provider_id, ()),
            aggregates=joined.get(row.provider_id, frozenset()),
        )
        for row in providers
    ]


def _stocks(found: Iterable[Any]) -> dict[int, dict[ResourceClass, Inventory]]:
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
    shared: dict[object, dict[ResourceClass, Inventory]] = {}
    return {provider: shared.setdefault((*stock.items(),), stock) for provider, stock in stocks.items()}


def _usage(ask: _Names, found: Iterable[Any]) -> dict[int, dict[ResourceClass, int]]:
    amounts = list(found)
    names = ask(resource_classes.c.id, resource_classes.c.name, {row[1] for row in amounts})
    usage: dict[int, dict[ResourceClass, int]] = {}
    for provider, resource_class, used in amounts:
        # A class that doesn't exist can't be asked for; only a broken database has claims of it.
        if (name := names.get(resource_class)) is not None:
            usage.setdefault(provider, {})[ResourceClass(name)] = int(used)
    return usage


def _traits(ask: _Names, found: Iterable[Any]) -> dict[int, tuple[Trait, ...]]:
    worn, groups = _gathered(found)
    names = ask(traits.c.id, traits.c.name, chain.from_iterable(groups))
    told = {
        # One that doesn't exist can't be asked for either.
        ids: tuple(
            Trait(names[each])
            for each in sorted(filter(names.__contains__, ids), key=lambda each: (is_custom(names[each]), each))
        )
        for ids in groups
    }
    return {provider: told[ids] for provider, ids in worn.items()}


def _aggregates(ask: _Names, found: Iterable[Any]) -> dict[int, frozenset[AggregateUUID]]:
    joined, groups = _gathered(found)
    names = ask(placement_aggregates.c.id, placement_aggregates.c.uuid, chain.from_iterable(groups))
    told = {ids: frozenset(AggregateUUID(names.get(each) or _nameless(each)) for each in ids) for ids in groups}
    return {provider: told[ids] for provider, ids in joined.items()}


def _nameless(aggregate: int) -> str:
    """What stands for an aggregate that doesn't exist: nobody can ask for it, but providers share through it."""
    return f"row {aggregate}, which does not exist"


_Ids: TypeAlias = tuple[int, ...]
"""In ascending order, each once. A set of twenty would be ten times as large, and there may be one for each host."""


def _gathered(found: Iterable[Any]) -> tuple[dict[int, _Ids], Collection[_Ids]]:
    """What each provider is joined to, and what is joined by any: few, for most hosts are alike."""
    by_provider: dict[int, list[int]] = {}
    known: dict[int, int] = {}
    for provider, row in found:
        by_provider.setdefault(provider, []).append(known.setdefault(row, row))
    same: dict[_Ids, _Ids] = {}
    gathered: dict[int, _Ids] = {}
    while by_provider:
        provider, joined = by_provider.popitem()
        ids = tuple(sorted(set(joined)))
        gathered[provider] = same.setdefault(ids, ids)
    return gathered, same.keys()
