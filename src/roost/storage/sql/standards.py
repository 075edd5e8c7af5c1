"""Adds the standard traits and resource classes that are missing. Several processes may do it at once."""

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import resource_classes, traits
from roost.storage.sql.unit import Unit
from roost.storage.sql.worlds import find_traits


def synchronise(unit: Unit) -> None:
    """Write what is missing: as a rule nothing, and then nothing is locked either."""
    missing = set(STANDARD_TRAITS) - find_traits(unit, STANDARD_TRAITS).keys()
    if missing:
        batch = [{"name": name, "created_at": unit.now} for name in STANDARD_TRAITS if name in missing]
        unit.execute(unit.dialect.insert_missing(traits), batch)
    ids = range(len(STANDARD_CLASSES))
    query = sa.select(resource_classes.c.id).where(any_of(resource_classes.c.id))
    there = {row.id for row in unit.rows_of(query, ids)}
    if len(there) < len(ids):
        batch = [{"id": row, "name": STANDARD_CLASSES[row], "created_at": unit.now} for row in ids if row not in there]
        unit.execute(unit.dialect.insert_missing(resource_classes), batch)


def missing(connection: Connection) -> int:
    """How many are missing."""
    names = set(connection.execute(sa.select(traits.c.name)).scalars())
    ids = set(connection.execute(sa.select(resource_classes.c.id)).scalars())
    return len(set(STANDARD_TRAITS) - names) + len(set(range(len(STANDARD_CLASSES))) - ids)
