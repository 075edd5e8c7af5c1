"""Judges allocations: that all they bind exists, that they fit, that each is told once. Never changes one."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.storage.soundness import Check, Finding, Grade
from roost.storage.sql import rows, totals
from roost.storage.sql.doctor.procedure import BY_HAND, Procedure, amount, counted
from roost.storage.sql.tables import allocations, inventories, resource_classes, resource_providers

_STOCKS = (
    sa.select(inventories.c.resource_provider_id, resource_providers.c.uuid, *rows.STOCK)
    .join_from(inventories, resource_providers, resource_providers.c.id == inventories.c.resource_provider_id)
    .join(resource_classes, resource_classes.c.id == inventories.c.resource_class_id)
    .order_by(inventories.c.id)
)


def _find_over_full(connection: Connection) -> Iterator[Finding]:
    """Judged by the ledger's own arithmetic; a database's would round elsewhere."""
    usage = {(provider, kind): int(used) for provider, kind, used in connection.execute(totals.SUMS)}
    for row in connection.execute(_STOCKS):
        used = usage.get((row.resource_provider_id, row.class_id), 0)
        record = rows.inventory(row)
        if used and not record.holds(used):
            yield Finding(
                text=(
                    f"provider {row.uuid}: {amount(used, row.class_name)} of {row.class_name} are used, of at most "
                    f"{amount(record.capacity, row.class_name)} (total {record.total}, reserved {record.reserved}, "
                    f"allocation_ratio {record.allocation_ratio})"
                )
            )


_ROWS: sa.Select[Any] = (
    sa.select(
        allocations.c.id,
        allocations.c.consumer_id,
        allocations.c.used,
        allocations.c.resource_provider_id,
        allocations.c.resource_class_id,
        resource_providers.c.uuid,
        resource_classes.c.name,
    )
    .select_from(
        allocations.outerjoin(
            resource_providers, resource_providers.c.id == allocations.c.resource_provider_id
        ).outerjoin(resource_classes, resource_classes.c.id == allocations.c.resource_class_id)
    )
    .order_by(allocations.c.id)
)


def _told(row: sa.Row[Any]) -> str:
    kind = row.name or f"a class that does not exist (row {row.resource_class_id})"
    where = f"provider {row.uuid}" if row.uuid else f"a provider that does not exist (row {row.resource_provider_id})"
    return f"allocation {row.id}: consumer {row.consumer_id} holds {amount(row.used, row.name)} of {kind} on {where}"


def _find_without_provider(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_ROWS.where(resource_providers.c.id.is_(None))):
        yield Finding(text=_told(row), row=row.id)


def _find_without_class(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_ROWS.where(resource_classes.c.id.is_(None))):
        yield Finding(text=_told(row), row=row.id)


def _find_not_positive(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_ROWS.where(allocations.c.used <= 0)):
        yield Finding(text=_told(row), row=row.id)


_WITHOUT_INVENTORY = (
    sa.select(
        resource_providers.c.uuid,
        resource_classes.c.name,
        sa.func.count().label("number"),
        sa.func.sum(allocations.c.used).label("used"),
    )
    .join_from(allocations, resource_providers, resource_providers.c.id == allocations.c.resource_provider_id)
    .join(resource_classes, resource_classes.c.id == allocations.c.resource_class_id)
    .where(
        ~sa.select(inventories.c.id)
        .where(
            inventories.c.resource_provider_id == allocations.c.resource_provider_id,
            inventories.c.resource_class_id == allocations.c.resource_class_id,
        )
        .exists()
    )
    .group_by(resource_providers.c.id, resource_providers.c.uuid, resource_classes.c.id, resource_classes.c.name)
    .order_by(resource_providers.c.id, resource_classes.c.id)
)


def _find_without_inventory(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_WITHOUT_INVENTORY):
        held = counted(row.number, "allocation holds", "allocations hold")
        used = amount(int(row.used), row.name)
        yield Finding(text=f"provider {row.uuid}: {held} {used} of {row.name}, of which it has no inventory")


_KEY = (allocations.c.consumer_id, allocations.c.resource_provider_id, allocations.c.resource_class_id)
_TWICE = sa.select(*_KEY, sa.func.count().label("number")).group_by(*_KEY).having(sa.func.count() > 1).subquery("twice")
_DOUBLES = _ROWS.add_columns(_TWICE.c.number).join(
    _TWICE, sa.and_(*(_TWICE.c[column.name] == column for column in _KEY))
)


def _find_doubles(connection: Connection) -> Iterator[Finding]:
    """One finding for all the rows of one consumer, provider and class."""
    groups: dict[tuple[str, int, int], list[sa.Row[Any]]] = {}
    for row in connection.execute(_DOUBLES):
        key = (row.consumer_id.lower(), row.resource_provider_id, row.resource_class_id)
        groups.setdefault(key, []).append(row)
    for group in groups.values():
        first = group[0]
        amounts = " and ".join(amount(row.used, row.name) for row in group)
        ids = ", ".join(str(row.id) for row in group)
        kind, where = first.name or f"class row {first.resource_class_id}", first.uuid or first.resource_provider_id
        yield Finding(
            text=f"consumer {first.consumer_id}: {amounts} of {kind} on provider {where} (allocations {ids})",
            row=first.id,
        )


CLAIMS = (
    Procedure(
        check=Check(
            name="capacity",
            asks="more used than there is",
            grade=Grade.WARNING,
            remedy=(
                "Legal where an inventory was shrunk below what is used. PUT "
                "/resource_providers/{provider}/inventories/{class} with more total or ratio makes room. GET "
                "/resource_providers/{provider}/allocations tells who holds it, to be moved or deleted."
            ),
        ),
        find=_find_over_full,
    ),
    Procedure(
        check=Check(
            name="allocations' providers",
            asks="allocations on providers that don't exist",
            remedy=BY_HAND,
        ),
        find=_find_without_provider,
    ),
    Procedure(
        check=Check(
            name="allocations' classes",
            asks="allocations of resource classes that don't exist",
            remedy=f"`roost db sync` brings back a standard class (row below 10000). Otherwise: {BY_HAND}",
        ),
        find=_find_without_class,
    ),
    Procedure(
        check=Check(
            name="allocations' inventories",
            asks="allocations of what the provider has no inventory of",
            remedy=(
                "PUT /resource_providers/{provider}/inventories/{class} brings the inventory back. Or GET "
                "/resource_providers/{provider}/allocations, and DELETE /allocations/{consumer} of those that are gone."
            ),
        ),
        find=_find_without_inventory,
    ),
    Procedure(
        check=Check(
            name="double allocations",
            asks="more than one allocation of one consumer, provider and class",
            remedy=(
                "Their sum counts as used, and GET /allocations/{consumer} shows one of them only. PUT "
                "/allocations/{consumer} with what is meant replaces them by one, if that is not their sum already."
            ),
        ),
        find=_find_doubles,
    ),
    Procedure(
        check=Check(
            name="amounts",
            asks="allocations of nothing, or of less",
            remedy="PUT /allocations/{consumer} with what is meant, or DELETE /allocations/{consumer}.",
        ),
        find=_find_not_positive,
    ),
)
