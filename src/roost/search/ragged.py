"""Rows of a table in groups of different length, compared group with group. Knows not what the rows tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roost.search.columns import Indexes

Table = NDArray[np.int64]
"""Rows of numbers."""

_MISSING = np.iinfo(np.int64).min
"""Stands where a group has no more rows."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """Group `n` holds the rows from `starts[n]` up to `starts[n + 1]`."""

    table: Table
    starts: Indexes

    def counts(self, groups: Indexes) -> Indexes:
        """Tell how many rows each group has."""
        counts: Indexes = self.starts[groups + 1] - self.starts[groups]
        return counts

    def dense(self, groups: Indexes) -> Table:
        """Tell each group in one row: equal for equal groups, whatever their length."""
        starts, counts = self.starts[groups], self.counts(groups)
        longest = int(counts.max(initial=0))
        if longest and (counts == longest).all():
            rows: Table = self.table[starts[:, np.newaxis] + np.arange(longest)]
            return rows.reshape(groups.size, -1)
        there = np.arange(longest) < counts[:, np.newaxis]
        rows = np.full((groups.size, longest, self.table.shape[1]), _MISSING, dtype=np.int64)
        rows[there] = self.table[(starts[:, np.newaxis] + np.arange(longest))[there]]
        return rows.reshape(groups.size, -1)

    def whole(self, group: int) -> bytes:
        """Tell one group: equal for equal groups."""
        return self.table[self.starts[group] : self.starts[group + 1]].tobytes()


def grouped(keys: Indexes, size: int) -> Indexes:
    """Tell, of keys in ascending order, where those of each number below `size` start, and where the last end."""
    return np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=size))])


def are_alike(tables: Sequence[Table]) -> bool:
    """Tell whether all rows are equal."""
    return all((table == table[:1]).all() for table in tables)


def alike(tables: Sequence[Table]) -> Iterator[Indexes]:
    """Sort out which rows are equal in all the tables, in the order in which the first of each kind comes."""
    if are_alike(tables):
        yield np.arange(len(tables[0]))
        return
    rows = np.ascontiguousarray(np.hstack(tables))
    whole = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).reshape(-1)
    _, first, kinds = np.unique(whole, return_index=True, return_inverse=True)
    for kind in np.argsort(first).tolist():
        yield np.flatnonzero(kinds == kind)
