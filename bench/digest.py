"""The shortest that can be told of a run: where least and where most was gained, of each kind of work.

Writes no page.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench import tables
from bench.results import Results, Row

TITLES = ("work", "scenario", "Roost", "the peer", "times faster")
MEMORY_TITLES = ("memory of the largest process", "Roost", "the peer")


def gains(results: Results) -> Iterator[tuple[str, ...]]:
    """Of each kind of work two rows: the scenario in which Roost gains least, and the one in which it gains most."""
    for rows in tables.parted(results.rows, database=False):
        compared = sorted((row for row in rows if row.times), key=lambda row: row.times or 0)
        for row in dict.fromkeys((compared[0], compared[-1]) if compared else ()):
            where = f", on {row.database}" if row.database else ""
            yield tables.heading(row, database=False), row.what + where, *_sides(row), tables.number(row.times or 0)


def memory(results: Results) -> Iterator[tuple[str, ...]]:
    """What the largest process of each side took while it served a cloud."""
    for row in results.rows:
        if row.unit == "MB" and row.peer:
            yield row.cloud, *_sides(row)


def _sides(row: Row) -> tuple[str, ...]:
    return tuple("" if side is None else tables.measured(side, row.unit) for side in (row.roost, row.peer))
