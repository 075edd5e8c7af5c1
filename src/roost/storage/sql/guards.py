"""Generations, advanced only from where they were seen. Knows no table but the one it is given."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Table

from roost.storage.sql.unit import Unit, chunks

GUARDED = 100
"""Rows in one guarded statement, each with its own condition."""


def advance(unit: Unit, table: Table, generations: Mapping[int, tuple[int, int]]) -> None:
    """Advance generations, each on condition that it still is what was decided on: id to (seen, advance by)."""
    by_step: dict[int, list[tuple[int, int]]] = {}
    for row, (seen, step) in sorted(generations.items()):
        by_step.setdefault(step, []).append((row, seen))
    for step, pairs in by_step.items():
        for chunk in chunks(pairs, GUARDED):
            statement = (
                sa.update(table)
                # The ids apart, too: not every planner finds the primary key within the pairs.
                .where(table.c.id.in_([row for row, _ in chunk]), sa.tuple_(table.c.id, table.c.generation).in_(chunk))
                .values(generation=table.c.generation + step, updated_at=unit.now)
            )
            unit.demand(unit.execute(statement), len(chunk))
