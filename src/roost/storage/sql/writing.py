"""Writes a decision: only what differs from the world, in batches, each generation guarded. Decides nothing.

The order matters: what is referred to is written before what refers to it, and removed after.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roost.ledger.world import Delta, World
from roost.model.provider import Provider
from roost.storage.sql.claims import write_consumers
from roost.storage.sql.feed import write_changes
from roost.storage.sql.guards import advance
from roost.storage.sql.lists import any_of
from roost.storage.sql.naming import drop_names, write_names
from roost.storage.sql.possessions import write_aggregates, write_inventories, write_traits
from roost.storage.sql.tables import (
    inventories,
    resource_provider_aggregates,
    resource_provider_traits,
    resource_providers,
)
from roost.storage.sql.totals import write_totals
from roost.storage.sql.unit import Unit


def write(unit: Unit, world: World, delta: Delta) -> None:
    """Write all that the delta says. Nothing at all for an empty one."""
    if delta == Delta():
        return
    _lock_destinations(unit, delta)
    write_names(unit, delta)
    _make(unit, delta.made)
    _change(unit, delta.changed)
    advance(
        unit,
        resource_providers,
        {unit.providers[uuid]: (world.providers[uuid].generation, by) for uuid, by in delta.advances.items()},
    )
    write_inventories(unit, world, delta.inventories)
    write_traits(unit, world, delta.traits_of)
    write_aggregates(unit, world, delta.aggregates_of)
    write_consumers(unit, world, delta)
    write_totals(unit, world, delta)
    _remove(unit, [unit.providers[uuid] for uuid in delta.removed])
    drop_names(unit, delta)
    write_changes(unit, world, delta)


def _lock_destinations(unit: Unit, delta: Delta) -> None:
    """Lock the stripes that trees move to or begin in. The scope's locks cover them as a rule."""
    unit.lock_stripes(unit.stripe(provider.root) for provider in (*delta.made, *delta.changed))


def _make(unit: Unit, made: tuple[Provider, ...]) -> None:
    """Insert new providers, parents before children."""
    waiting = list(made)
    while waiting:
        pending = {provider.uuid for provider in waiting}
        ready = [provider for provider in waiting if provider.parent not in pending]
        waiting = [provider for provider in waiting if provider.parent in pending]
        if not ready:
            raise ValueError("the new providers are each other's parents")
        _insert(unit, ready)


_IDS = sa.select(resource_providers.c.id, resource_providers.c.uuid).where(any_of(resource_providers.c.uuid))
_OWN_ROOT = sa.update(resource_providers).values(root_provider_id=resource_providers.c.id)
_THESE = any_of(resource_providers.c.id)


def _insert(unit: Unit, providers: list[Provider]) -> None:
    """A root refers to its own id, which is only known after the insert."""
    unit.execute(
        sa.insert(resource_providers),
        [
            {
                "uuid": provider.uuid,
                "name": provider.name,
                "generation": provider.generation,
                "parent_provider_id": None if provider.parent is None else unit.providers[provider.parent],
                "root_provider_id": None if provider.root == provider.uuid else unit.providers[provider.root],
                "created_at": unit.now,
                "updated_at": unit.now if provider.root == provider.uuid else None,
            }
            for provider in providers
        ],
    )
    for row in unit.rows_of(_IDS, [provider.uuid for provider in providers]):
        unit.providers[row.uuid] = row.id
    begun = [unit.providers[provider.uuid] for provider in providers if provider.root == provider.uuid]
    unit.execute_of(_OWN_ROOT.where(_THESE), begun)


_CHANGE = (
    sa.update(resource_providers)
    .where(resource_providers.c.id == sa.bindparam("row"))
    .values(
        name=sa.bindparam("new_name"),
        parent_provider_id=sa.bindparam("new_parent"),
        root_provider_id=sa.bindparam("new_root"),
        updated_at=sa.bindparam("now"),
    )
)


def _change(unit: Unit, changed: tuple[Provider, ...]) -> None:
    if not changed:
        return
    matched = unit.execute(_CHANGE, [_changes(unit, provider, unit.now) for provider in changed])
    unit.demand(matched, len(changed))


def _changes(unit: Unit, provider: Provider, now: datetime) -> dict[str, Any]:
    return {
        "row": unit.providers[provider.uuid],
        "new_name": provider.name,
        "new_parent": None if provider.parent is None else unit.providers[provider.parent],
        "new_root": unit.providers[provider.root],
        "now": now,
    }


_LET_GO = sa.update(resource_providers).where(_THESE).values(root_provider_id=None, parent_provider_id=None)
_POSSESSIONS = tuple(
    sa.delete(table).where(any_of(table.c.resource_provider_id))
    for table in (inventories, resource_provider_traits, resource_provider_aggregates)
)


def _remove(unit: Unit, ids: list[int]) -> None:
    """Remove providers with what they have. They refer to themselves and each other, so let go first."""
    if not ids:
        return
    for statement in (*_POSSESSIONS, _LET_GO):
        unit.execute_of(statement, ids)
    unit.demand(unit.execute_of(sa.delete(resource_providers).where(_THESE), ids), len(ids))
