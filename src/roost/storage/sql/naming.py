"""Writes names: traits and resource classes, and whatever else is made with its first use. Knows no provider."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Table

from roost.ledger.world import Delta
from roost.model.names import FIRST_CUSTOM_CLASS_ID
from roost.storage.port import LostRace
from roost.storage.sql import rows
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import inventories, resource_classes, resource_providers, traits
from roost.storage.sql.unit import Unit
from roost.storage.sql.worlds import find_classes, find_traits


def write_names(unit: Unit, delta: Delta) -> None:
    """Write the new and the renamed."""
    if delta.new_traits:
        unit.execute(sa.insert(traits), [{"name": name, "created_at": unit.now} for name in delta.new_traits])
    if delta.new_classes:
        _make_classes(unit, delta.new_classes)
    for old, new in delta.renamed_classes.items():
        _rename_class(unit, old, new)


def _make_classes(unit: Unit, names: Sequence[str]) -> None:
    """Ids follow the highest one, from 10,000 on. Whoever chose the same meets the primary key and tries again."""
    highest = unit.rows(sa.select(sa.func.max(resource_classes.c.id).label("id")))[0].id
    first = FIRST_CUSTOM_CLASS_ID if highest is None else max(FIRST_CUSTOM_CLASS_ID, highest + 1)
    made = dict(zip(names, range(first, first + len(names)), strict=True))
    unit.execute(
        sa.insert(resource_classes),
        [{"id": row, "name": name, "created_at": unit.now} for name, row in made.items()],
    )
    unit.classes |= made


def _rename_class(unit: Unit, old: str, new: str) -> None:
    row = unit.classes.pop(old, None) or need(find_classes(unit, [old]), [old])[old]
    statement = sa.update(resource_classes).where(resource_classes.c.id == row)
    unit.demand(unit.execute(statement.values(name=new, updated_at=unit.now)), 1)
    unit.classes[new] = row


def users_of_class(unit: Unit, name: str) -> Sequence[tuple[str, str]]:
    """The providers, with their roots, that have inventory of a class."""
    query = (
        sa.select(resource_providers.c.uuid, rows.roots.c.uuid.label("root_uuid"))
        .join_from(inventories, resource_providers, resource_providers.c.id == inventories.c.resource_provider_id)
        .join(rows.roots, rows.roots.c.id == resource_providers.c.root_provider_id)
        .where(inventories.c.resource_class_id == unit.classes[name])
        .order_by(resource_providers.c.id)
    )
    return [(row.uuid, row.root_uuid) for row in unit.rows(query)]


def drop_names(unit: Unit, delta: Delta) -> None:
    """Write the dropped."""
    if delta.dropped_classes:
        ids = need(find_classes(unit, delta.dropped_classes), delta.dropped_classes)
        _drop(unit, resource_classes, ids.values())
    if delta.dropped_traits:
        ids = need(find_traits(unit, delta.dropped_traits), delta.dropped_traits)
        _drop(unit, traits, ids.values())


def _drop(unit: Unit, table: Table, ids: Collection[int]) -> None:
    unit.demand(unit.execute_of(sa.delete(table).where(any_of(table.c.id)), ids), len(ids))


def need(found: dict[str, int], names: Collection[str]) -> dict[str, int]:
    """What was found, if it is all: a name that a decision relied on and that is gone means a lost race."""
    if len(found) < len(set(names)):
        raise LostRace("a name that was decided on is gone")
    return found


def ensure(unit: Unit, table: Table, column: str, values: Collection[str]) -> dict[str, int]:
    """The ids of names, made if they are missing. Others may be making the same: theirs is taken then."""
    wanted = set(values)
    if not wanted:
        return {}
    found = _ids(unit, table, column, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        made = [{column: value, "created_at": unit.now} for value in missing]
        unit.execute(unit.dialect.insert_missing(table), made)
        found |= _ids(unit, table, column, set(missing))
    return found


def _ids(unit: Unit, table: Table, column: str, wanted: set[str]) -> dict[str, int]:
    """Equal is what the unique constraint takes for equal: on MySQL that may be `Abc` where `abc` was asked for."""
    query = sa.select(table.c.id, table.c[column].label("value")).where(any_of(table.c[column]))
    every: list[Any] = list(unit.rows_of(query, wanted))
    found = {row.value: row.id for row in every if row.value in wanted}
    if len(found) < len(every):
        for value in sorted(wanted - found.keys()):
            for row in unit.rows(query, {"values": [value]}):
                found[value] = row.id
    return found
