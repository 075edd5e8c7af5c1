"""Running totals of usage, so that a claim costs the same however many others there are. Knows no rule about usage.

One row for each provider, written in the transaction that changes its claims. A row counts only at the generation, and
its time, at which it was written: whatever else adds a claim advances that, and the claims are summed up anew. What
takes one away without advancing it (the peer does, by the API's rule) leaves a total too high, never too low; so before
a refusal is told, `count` asks the claims themselves (docs/decisions/0009).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Row

from roost.ledger.world import Delta, World
from roost.model.names import ProviderUUID, ResourceClass
from roost.storage.sql import rows
from roost.storage.sql.lists import any_of
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import allocations, resource_classes, resource_providers, roost_totals
from roost.storage.sql.unit import Unit, entries

COLUMNS: rows.Columns = (
    roost_totals.c.provider_made.label("totals_made"),
    roost_totals.c.provider_changed.label("totals_changed"),
    roost_totals.c.generation.label("totals_generation"),
    roost_totals.c.used.label("totals"),
)
PROVIDERS = rows.PROVIDERS.outerjoin(roost_totals, roost_totals.c.provider_id == resource_providers.c.id)
"""What `COLUMNS` selects from, with `rows.PROVIDER`."""

SUMS = sa.select(
    allocations.c.resource_provider_id,
    allocations.c.resource_class_id,
    sa.func.sum(allocations.c.used).label("used"),
).group_by(allocations.c.resource_provider_id, allocations.c.resource_class_id)
"""Answered from an index that holds all three columns; no row of an allocation is read.

It joins nothing: joined with the classes' names, MariaDB goes through every allocation of each class instead.
"""

SUMS_OF = Prepared(lambda _: SUMS.where(any_of(allocations.c.resource_provider_id)))
"""The same of some providers."""

CLASS_NAMES = Prepared(
    lambda _: sa.select(resource_classes.c.id, resource_classes.c.name).where(any_of(resource_classes.c.id))
)
"""The names of the classes that sums and totals tell by their rows."""

_decode = msgspec.json.Decoder(dict[int, int]).decode


def counting(row: Row[*tuple[Any, ...]]) -> dict[int, int] | None:
    """The totals that came with a provider's row, by the rows of classes; none, if they don't count (any more)."""
    at = row.totals_generation, row.totals_made, row.totals_changed
    now = row.provider_generation, row.provider_made, row.provider_changed
    return _decode(row.totals) if row.totals and at == now else None


def note(unit: Unit, uuid: ProviderUUID, row: Row[Any]) -> None:
    """Remember the totals that came with a provider's row, if they count."""
    unit.stamps[uuid] = (row.provider_made, row.provider_changed)
    if (counting_ones := counting(row)) is not None:
        unit.totals[uuid] = counting_ones


def usage(unit: Unit, wanted: Collection[ProviderUUID]) -> dict[ProviderUUID, dict[ResourceClass, int]]:
    """Usage by class, from the totals where they count."""
    count(unit, wanted - unit.totals.keys())
    found = {uuid: unit.totals[uuid] for uuid in wanted}
    names = {row: name for name, row in unit.classes.items()}
    unnamed = {row for used in found.values() for row in used} - names.keys()
    names |= {row.id: row.name for row in unit.rows_of(CLASS_NAMES, unnamed)}
    return {
        # A class that doesn't exist can't be asked for; only a broken database has claims of it.
        uuid: {ResourceClass(names[row]): amount for row, amount in used.items() if row in names}
        for uuid, used in found.items()
    }


def count(unit: Unit, wanted: Iterable[ProviderUUID]) -> None:
    """Sum up the claims themselves; at most once in a transaction for each provider."""
    owners = {unit.providers[uuid]: uuid for uuid in wanted if uuid not in unit.counted}
    unit.counted |= set(owners.values())
    unit.totals |= {uuid: {} for uuid in owners.values()}
    for row in unit.rows_of(SUMS_OF, owners.keys()):
        unit.totals[owners[row.resource_provider_id]][row.resource_class_id] = int(row.used)


_DELETE = sa.delete(roost_totals).where(any_of(roost_totals.c.provider_id))


_VALUES = ("provider_made", "provider_changed", "generation", "used")
_COLUMNS = ("provider_id", *_VALUES)
_WRITE = Prepared(lambda dialect: dialect.insert_or_replace(roost_totals, _COLUMNS, _VALUES), _COLUMNS)


def write_totals(unit: Unit, world: World, delta: Delta) -> None:
    """Write the totals that count, as they are after a delta, and drop those of providers that go."""
    changes = _changes(unit, world, delta)
    stamped = {*delta.advances, *(provider.uuid for provider in delta.changed)}
    batch = [
        {
            "provider_id": unit.providers[uuid],
            "provider_made": unit.stamps[uuid][0],
            "provider_changed": unit.now if uuid in stamped else unit.stamps[uuid][1],
            "generation": world.generation(uuid, delta),
            "used": _encode(unit.totals[uuid], changes.get(uuid, {})),
        }
        for uuid in sorted({**changes, **delta.advances})
        if uuid in unit.totals and uuid not in delta.removed
    ]
    if batch:
        unit.execute(_WRITE, batch)
    if delta.removed:
        unit.execute_of(_DELETE, [unit.providers[uuid] for uuid in delta.removed])


def _changes(unit: Unit, world: World, delta: Delta) -> dict[ProviderUUID, dict[int, int]]:
    """By how much usage changes, by the rows of classes."""
    changes: dict[ProviderUUID, dict[int, int]] = {}
    for uuid, state in delta.consumers.items():
        for sign, side in ((-1, world.consumers.get(uuid)), (1, state)):
            for (_, provider, name), used in entries(uuid, side):
                of_provider = changes.setdefault(ProviderUUID(provider), {})
                row = unit.classes[name]
                of_provider[row] = of_provider.get(row, 0) + sign * used
    return changes


def _encode(before: Mapping[int, int], changes: Mapping[int, int]) -> str:
    """As JSON, without the classes that nobody claims."""
    after = {row: before.get(row, 0) + changes.get(row, 0) for row in (*before, *changes)}
    return msgspec.json.encode({row: used for row, used in after.items() if used}).decode()
