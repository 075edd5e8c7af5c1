"""Judges inventories, traits and aggregates of providers: that both ends of each exist."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Column, Connection, Row, Select, Table

from roost.storage.soundness import Check, Finding
from roost.storage.sql.doctor.procedure import BY_HAND, Procedure, StandIn, amount
from roost.storage.sql.lists import any_of
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


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of possession: the table that joins a provider to what it has."""

    table: Table
    to: Table
    key: Column[int]
    """Of the table, the id of what is had."""
    name: Column[str]
    noun: str
    nouns: str
    target: str
    targets: str


_INVENTORIES = _Kind(
    table=inventories,
    to=resource_classes,
    key=inventories.c.resource_class_id,
    name=resource_classes.c.name,
    noun="inventory of",
    nouns="inventories",
    target="resource class",
    targets="resource classes",
)
_TRAITS = _Kind(
    table=resource_provider_traits,
    to=traits,
    key=resource_provider_traits.c.trait_id,
    name=traits.c.name,
    noun="trait",
    nouns="traits",
    target="trait",
    targets="traits",
)
_AGGREGATES = _Kind(
    table=resource_provider_aggregates,
    to=placement_aggregates,
    key=resource_provider_aggregates.c.aggregate_id,
    name=placement_aggregates.c.uuid,
    noun="membership in",
    nouns="memberships",
    target="aggregate",
    targets="aggregates",
)


def _joined(kind: _Kind) -> Select[Any]:
    owner = kind.table.c.resource_provider_id
    total = inventories.c.total if kind.table is inventories else sa.null()
    return (
        sa.select(
            owner.label("owner"),
            kind.key.label("key"),
            total.label("total"),
            resource_providers.c.uuid,
            kind.name.label("name"),
        )
        .select_from(
            kind.table.outerjoin(resource_providers, resource_providers.c.id == owner).outerjoin(
                kind.to, kind.to.c.id == kind.key
            )
        )
        .order_by(owner, kind.key)
    )


def _told(kind: _Kind, row: Row[Any]) -> str:
    what = row.name or f"{kind.target} row {row.key}, which does not exist"
    where = f"provider {row.uuid}" if row.uuid else f"provider row {row.owner}, which does not exist"
    much = "" if row.total is None else f", total {amount(row.total, row.name)}"
    return f"{where}: {kind.noun} {what}{much}"


def _find_ownerless(kind: _Kind, connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_joined(kind).where(resource_providers.c.id.is_(None))):
        yield Finding(text=_told(kind, row), row=row.owner)


def _find_dangling(kind: _Kind, connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_joined(kind).where(kind.to.c.id.is_(None))):
        yield Finding(text=_told(kind, row), row=row.owner)


_THERE = sa.select(resource_providers.c.id).where(any_of(resource_providers.c.id))


def _remove(kind: _Kind, unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Remove the rows. An absent provider has no tree to lock, and its id is not given to another.

    SQLite does give the highest id again, but there we hold the database.
    """
    owners = {finding.row for finding in findings}
    gone = owners - {row.id for row in unit.rows_of(_THERE, owners)}
    statement = sa.delete(kind.table).where(any_of(kind.table.c.resource_provider_id))
    return unit.execute_of(statement, gone) if gone else 0


def _procedures(kind: _Kind, brought_back: str) -> Iterator[Procedure]:
    find: Callable[[Connection], Iterator[Finding]] = partial(_find_ownerless, kind)
    yield Procedure(
        check=Check(
            name=f"{kind.nouns}' providers",
            asks=f"{kind.nouns} of providers that don't exist",
            remedy="`roost doctor --repair` removes them.",
            mends="remove the row",
        ),
        find=find,
        mend=partial(_remove, kind),
    )
    yield Procedure(
        check=Check(
            name=f"{kind.nouns}' {kind.targets}",
            asks=f"{kind.nouns} of {kind.targets} that don't exist",
            remedy=f"{brought_back}{BY_HAND}",
        ),
        find=partial(_find_dangling, kind),
    )


POSSESSIONS = (
    *_procedures(_INVENTORIES, "`roost db sync` brings back a standard class (row below 10000). Otherwise: "),
    *_procedures(_TRAITS, ""),
    *_procedures(_AGGREGATES, ""),
)
