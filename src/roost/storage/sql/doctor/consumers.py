"""Judges the records of consumers: that each is there, holds something, and has an owner. Changes no allocation."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.storage.soundness import Check, Finding, Grade
from roost.storage.sql import rows
from roost.storage.sql.doctor.procedure import Procedure, StandIn, absent, counted
from roost.storage.sql.feed import record
from roost.storage.sql.lists import any_of
from roost.storage.sql.naming import ensure
from roost.storage.sql.tables import (
    allocations,
    consumer_types,
    consumers,
    projects,
    resource_providers,
    users,
)
from roost.storage.sql.unit import Unit

_holding = sa.select(allocations.c.id).where(allocations.c.consumer_id == consumers.c.uuid).exists()
_known = sa.select(consumers.c.id).where(consumers.c.uuid == allocations.c.consumer_id).exists()

_UNRECORDED = (
    sa.select(allocations.c.consumer_id, sa.func.count().label("number"), sa.func.min(allocations.c.id).label("first"))
    .where(~_known)
    .group_by(allocations.c.consumer_id)
    .order_by(sa.func.min(allocations.c.id))
)
_UNRECORDED_OF = (
    sa.select(allocations.c.consumer_id)
    .where(~_known, any_of(allocations.c.consumer_id))
    .group_by(allocations.c.consumer_id)
)
_HOMES = (
    sa.select(
        allocations.c.consumer_id,
        sa.func.coalesce(rows.roots.c.uuid, resource_providers.c.uuid).label("home"),
    )
    .select_from(
        allocations.join(resource_providers, resource_providers.c.id == allocations.c.resource_provider_id).outerjoin(
            rows.roots, rows.roots.c.id == resource_providers.c.root_provider_id
        )
    )
    .where(any_of(allocations.c.consumer_id))
    .distinct()
)


def _lock_homes(unit: Unit, uuids: Collection[str]) -> dict[str, int]:
    """Lock the trees that these consumers hold something of; a stripe of each, to tell of a change in.

    A consumer that holds nothing, or only on providers that don't exist, has no tree; any stripe will do to tell in.
    """
    homes: dict[str, set[int]] = {}
    for row in unit.rows_of(_HOMES, uuids):
        homes.setdefault(row.consumer_id, set()).add(unit.stripe(row.home))
    homes |= {uuid: {unit.stripe(uuid)} for uuid in uuids if uuid not in homes}
    unit.lock_stripes(stripe for stripes in homes.values() for stripe in stripes)
    return {uuid: min(stripes) for uuid, stripes in homes.items()}


def _tell(unit: Unit, homes: dict[str, int], uuids: Iterable[str], what: str) -> None:
    told: dict[int, list[tuple[str, str, str]]] = {}
    for uuid in sorted(uuids):
        # MySQL takes uuids for equal that differ in case, and may have shown another of them before the lock.
        if uuid in homes:
            told.setdefault(homes[uuid], []).append(("consumer", uuid, what))
    record(unit, told)


# -------------------------------------------------------------------------------------------- without a record


def _find_unrecorded(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_UNRECORDED):
        held = counted(row.number, "allocation", "allocations")
        yield Finding(text=f"consumer {row.consumer_id}: it holds {held}, and has no record", uuid=row.consumer_id)


def _mend_unrecorded(unit: Unit, findings: Sequence[Finding], stand_in: StandIn) -> int:
    """Make records. A claim of the same consumers waits for the trees, or meets the unique uuid and begins again."""
    wanted = {finding.uuid for finding in findings}
    homes = _lock_homes(unit, wanted)
    missing = sorted(row.consumer_id for row in unit.rows_of(_UNRECORDED_OF, wanted))
    if not missing:
        return 0
    owner = _owner(unit, stand_in)
    made = [{"uuid": uuid, "generation": 0, "created_at": unit.now, **owner} for uuid in missing]
    unit.execute(sa.insert(consumers), made)
    _tell(unit, homes, missing, "made")
    return len(missing)


def _owner(unit: Unit, stand_in: StandIn) -> dict[str, int]:
    return {
        "project_id": ensure(unit, projects, "external_id", {stand_in.project})[stand_in.project],
        "user_id": ensure(unit, users, "external_id", {stand_in.user})[stand_in.user],
    }


# -------------------------------------------------------------------------------------------- without an owner

_OWNERLESS = (
    sa.select(
        consumers.c.id,
        consumers.c.uuid,
        consumers.c.project_id,
        consumers.c.user_id,
        absent(projects, consumers.c.project_id).label("no_project"),
        absent(users, consumers.c.user_id).label("no_user"),
    )
    .where(sa.or_(absent(projects, consumers.c.project_id), absent(users, consumers.c.user_id)))
    .order_by(consumers.c.uuid)
)
_OWNERLESS_OF = _OWNERLESS.where(any_of(consumers.c.id))
_LOCKED = sa.select(consumers.c.id, consumers.c.uuid).where(any_of(consumers.c.id)).order_by(consumers.c.uuid)


def _find_ownerless(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_OWNERLESS):
        parts = [f"its project (row {row.project_id})"] if row.no_project else []
        parts += [f"its user (row {row.user_id})"] if row.no_user else []
        verb = "does" if len(parts) == 1 else "do"
        yield Finding(text=f"consumer {row.uuid}: {' and '.join(parts)} {verb} not exist", row=row.id)


_NEW_OWNER = sa.update(consumers).where(consumers.c.id == sa.bindparam("row"))


def _mend_ownerless(unit: Unit, findings: Sequence[Finding], stand_in: StandIn) -> int:
    """Give them the owner of incomplete consumers, in place of what is missing only."""
    ids = {finding.row for finding in findings}
    locked = [row.uuid for row in unit.rows_of(unit.dialect.lock(_LOCKED), ids)]
    homes = _lock_homes(unit, locked)
    ownerless = list(unit.rows_of(_OWNERLESS_OF, ids))
    if not ownerless:
        return 0
    owner = _owner(unit, stand_in)
    for column in ("project", "user"):
        batch = [
            {"row": row.id, "new": owner[f"{column}_id"], "now": unit.now}
            for row in ownerless
            if getattr(row, f"no_{column}")
        ]
        if batch:
            changed: dict[str, Any] = {f"{column}_id": sa.bindparam("new"), "updated_at": sa.bindparam("now")}
            unit.demand(unit.execute(_NEW_OWNER.values(**changed), batch), len(batch))
    _tell(unit, homes, [row.uuid for row in ownerless], "changed")
    return len(ownerless)


_TYPELESS = (
    sa.select(consumers.c.uuid, consumers.c.consumer_type_id)
    .where(consumers.c.consumer_type_id.is_not(None), absent(consumer_types, consumers.c.consumer_type_id))
    .order_by(consumers.c.id)
)


def _find_typeless(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_TYPELESS):
        yield Finding(text=f"consumer {row.uuid}: its type (row {row.consumer_type_id}) does not exist")


# ------------------------------------------------------------------------------------------------ without a claim

_IDLE = (
    sa.select(consumers.c.id, consumers.c.uuid, consumers.c.generation, consumers.c.created_at)
    .where(~_holding)
    .order_by(consumers.c.id)
)
_IDLE_OF = _IDLE.where(any_of(consumers.c.id))
_REMOVE = sa.delete(consumers).where(any_of(consumers.c.id))


def _find_idle(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(_IDLE):
        made = "" if row.created_at is None else f", made at {row.created_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Finding(text=f"consumer {row.uuid}: it holds nothing (generation {row.generation}{made})", row=row.id)


def _mend_idle(unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Remove records. Whoever gives one of them a claim locks its row first; it has no tree that could be locked."""
    ids = {finding.row for finding in findings}
    list(unit.rows_of(unit.dialect.lock(_LOCKED), ids))
    idle = {row.id for row in unit.rows_of(_IDLE_OF, ids)}
    return unit.execute_of(_REMOVE, idle) if idle else 0


TYPES = Procedure(
    check=Check(
        name="consumers' types",
        asks="consumers whose type does not exist",
        remedy="They are shown as of unknown type. PUT /allocations/{consumer} with a consumer_type names one.",
    ),
    find=_find_typeless,
)
"""The one check of consumers that needs tables of Xena or later."""

CONSUMERS = (
    Procedure(
        check=Check(
            name="consumers' records",
            asks="allocations whose consumer has no record",
            remedy=(
                "`roost doctor --repair` makes a record, as of an incomplete consumer; then DELETE "
                "/allocations/{consumer} works, if nothing needs it."
            ),
            mends=(
                "make a record, owned by [placement]incomplete_consumer_project_id and incomplete_consumer_user_id, "
                "and leave the allocations as they are"
            ),
        ),
        find=_find_unrecorded,
        mend=_mend_unrecorded,
    ),
    Procedure(
        check=Check(
            name="consumers' owners",
            asks="consumers whose project or user does not exist",
            remedy=(
                "`roost doctor --repair` makes them incomplete consumers; then PUT /allocations/{consumer} can name "
                "the right owner."
            ),
            mends="put [placement]incomplete_consumer_project_id or incomplete_consumer_user_id in its place",
        ),
        find=_find_ownerless,
        mend=_mend_ownerless,
    ),
    TYPES,
    Procedure(
        check=Check(
            name="idle consumers",
            asks="consumers that hold nothing",
            grade=Grade.WARNING,
            remedy=(
                "Placement makes a record before the first claim, and may leave it behind alone. Roost takes such a "
                "consumer for absent; `roost doctor --repair` removes its record."
            ),
            mends="remove its record",
        ),
        find=_find_idle,
        mend=_mend_idle,
    ),
)
