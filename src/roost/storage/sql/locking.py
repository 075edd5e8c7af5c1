"""Locks what a scope names, in the one order that all writers keep: consumers by uuid, then stripes by id.

Reads only what it takes to know what to lock. What the decision is made on is read afterwards, by `worlds`.
"""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from roost.ledger.world import Scope
from roost.model.consumer import Consumer, ConsumerState
from roost.model.names import ConsumerUUID, ProviderUUID, ResourceClass
from roost.storage.sql import rows
from roost.storage.sql.lists import any_of
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import allocations, consumers, resource_classes, resource_providers
from roost.storage.sql.unit import Unit

_CONSUMER_ROWS = Prepared(
    lambda dialect: dialect.lock(
        sa.select(consumers.c.id, consumers.c.uuid).where(any_of(consumers.c.uuid)).order_by(consumers.c.uuid)
    )
)

_CLAIMS = Prepared(
    lambda _: (
        sa.select(
            *rows.CONSUMER,
            allocations.c.id.label("allocation_id"),
            allocations.c.used,
            resource_classes.c.id.label("class_id"),
            resource_classes.c.name.label("class_name"),
            resource_providers.c.uuid.label("provider_uuid"),
            rows.roots.c.uuid.label("root_uuid"),
        )
        .select_from(
            rows.OWNERS.join(allocations, allocations.c.consumer_id == consumers.c.uuid)
            .join(resource_classes, resource_classes.c.id == allocations.c.resource_class_id)
            .join(resource_providers, resource_providers.c.id == allocations.c.resource_provider_id)
            .outerjoin(rows.roots, rows.roots.c.id == resource_providers.c.root_provider_id)
        )
        .where(any_of(consumers.c.uuid))
        .order_by(allocations.c.id)
    )
)

_ROOTS = Prepared(
    lambda _: (
        sa.select(resource_providers.c.uuid, rows.roots.c.uuid.label("root_uuid"))
        .select_from(
            resource_providers.outerjoin(rows.roots, rows.roots.c.id == resource_providers.c.root_provider_id),
        )
        .where(any_of(resource_providers.c.uuid))
    )
)


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """What had to be read in order to lock, and still stands."""

    consumers: Mapping[ConsumerUUID, ConsumerState]
    providers: frozenset[ProviderUUID]
    """Every provider that the scope names or that one of the consumers holds something on."""
    existing: frozenset[ProviderUUID]
    """Those of them that were there."""


def lock(unit: Unit, scope: Scope) -> Locked:
    """Lock the consumers' rows and the trees' stripes.

    Which tree a claimed provider is in is remembered from earlier transactions, where it can be. If it has moved since,
    `worlds` finds out when it reads the provider under the locks, and the transaction begins again.
    """
    claims, homes = _lock_consumers(unit, scope.consumers)
    named = scope.providers | scope.trees | scope.stocks | scope.traits_of | scope.aggregates_of
    remembered = scope.stocks - scope.trees - homes.keys()
    homes |= {uuid: home for uuid in remembered if (home := unit.remembered.get(uuid)) is not None}
    unknown = named - homes.keys()
    for row in unit.rows_of(_ROOTS, unknown) if unknown else ():
        if row.uuid in unknown:
            homes[row.uuid] = row.root_uuid or row.uuid
    # A provider that is not there yet may be made as a root; one of a tree may become one. Lock for that too.
    roots = {*homes.values(), *(named - homes.keys()), *scope.trees}
    unit.lock_stripes(unit.stripe(root) for root in roots)
    unit.told_locked()
    existing = frozenset(map(ProviderUUID, homes))
    return Locked(consumers=claims, providers=named | existing, existing=existing)


def _lock_consumers(
    unit: Unit, wanted: frozenset[ConsumerUUID]
) -> tuple[dict[ConsumerUUID, ConsumerState], dict[str, str]]:
    """Lock the rows of those that exist; their states, and the roots of what they hold.

    The owners' rows are read by another query than the locking one, or all claims of a project would queue.
    """
    if not wanted:
        return {}, {}
    for row in unit.rows_of(_CONSUMER_ROWS, wanted):
        if row.uuid in wanted:
            unit.consumers[row.uuid] = row.id
    if not unit.consumers:
        return {}, {}
    found: dict[ConsumerUUID, Consumer] = {}
    held: dict[ConsumerUUID, dict[ProviderUUID, dict[ResourceClass, int]]] = {}
    homes: dict[str, str] = {}
    for row in unit.rows_of(_CLAIMS, unit.consumers.keys()):
        uuid, provider, name = (
            ConsumerUUID(row.consumer_uuid),
            ProviderUUID(row.provider_uuid),
            ResourceClass(row.class_name),
        )
        if uuid not in found:
            found[uuid] = rows.consumer(row)
        amounts = held.setdefault(uuid, {}).setdefault(provider, {})
        # One row for each class is the rule; where the peer left two, their sum is what is used.
        amounts[name] = amounts.get(name, 0) + row.used
        unit.holdings.setdefault((uuid, provider, name), []).append(row.allocation_id)
        unit.classes[name] = row.class_id
        homes[provider] = row.root_uuid or provider
    return {uuid: ConsumerState(consumer=consumer, claim=held[uuid]) for uuid, consumer in found.items()}, homes
