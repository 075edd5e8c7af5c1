"""Generations, advanced only from where they were seen. Knows no table but the one it is given."""

from collections.abc import Mapping
from functools import cache

import sqlalchemy as sa
from sqlalchemy import Table

from roost.storage.sql.lists import any_of
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.unit import Unit, chunks

GUARDED = 100
"""Rows in one guarded statement, each with its own condition."""


@cache
def _advance(table: Table) -> Prepared:
    """The ids apart, too: not every planner finds the primary key within the pairs."""
    return Prepared(
        lambda _: (
            sa.update(table)
            .where(any_of(table.c.id, name="ids"), any_of(table.c.id, table.c.generation, name="pairs"))
            .values(
                generation=table.c.generation + sa.bindparam("step", type_=sa.Integer), updated_at=sa.bindparam("now")
            )
        )
    )


def advance(unit: Unit, table: Table, generations: Mapping[int, tuple[int, int]]) -> None:
    """Advance generations, each on condition that it still is what was decided on: id to (seen, advance by)."""
    by_step: dict[int, list[tuple[int, int]]] = {}
    for row, (seen, step) in sorted(generations.items()):
        by_step.setdefault(step, []).append((row, seen))
    for step, pairs in by_step.items():
        for chunk in chunks(pairs, GUARDED):
            values = {"ids": [row for row, _ in chunk], "pairs": chunk, "step": step, "now": unit.now}
            unit.demand(unit.execute(_advance(table), [values]), len(chunk))
