"""One resource class over its providers, as columns that a search compares at once. Knows no groups or trees."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from roost.model.inventory import Inventory

Indexes: TypeAlias = NDArray[np.int64]
"""Providers, by their place in a block."""

Mask: TypeAlias = NDArray[np.bool_]
"""For each provider of a block, whether something is true of it."""

Stock: TypeAlias = tuple[Inventory, int]
"""What a provider has of a class, and how much of that is used."""

NONE: Indexes = np.empty(0, dtype=np.int64)

CEILING = 2**62
"""More than any inventory can really hold; sums of two numbers below it stay within 64 bits."""

_Cells: TypeAlias = tuple[int, int, int, int]


def room(inventory: Inventory, usage: int) -> int:
    """The whole units that may still be claimed: exactly the largest amount for which `holds(usage + amount)`.

    A limit is a double and may be as large as 7e47, which no integer column holds: it is cut at CEILING.
    """
    limit = inventory.limit
    if math.isnan(limit):
        return -CEILING
    return math.floor(max(-CEILING, min(CEILING, limit))) - usage


def _cells(stock: Stock) -> _Cells:
    """Tell the room, the most and the least that may be claimed at once, and the step."""
    inventory, usage = stock
    space = room(inventory, usage)
    least, step = min(inventory.min_unit, CEILING), min(inventory.step_size, CEILING)
    return space, min(space, inventory.max_unit, CEILING), least, step


@dataclass(frozen=True, eq=False)
class Column:
    """What the providers of one class can still give.

    Sparse (only the providers that have the class, and where they stand), because most clouds have a few classes that
    all hosts have, and many, one for each kind of bare metal node say, that few have.
    """

    where: Indexes
    """In ascending order."""
    room: Indexes
    most: Indexes
    """The smaller of the room and the largest unit: what one claim may take."""
    min_unit: Indexes
    step_size: Indexes
    plain: bool
    """Whether any amount from 1 to `most` may be claimed of each: all smallest units and steps are 1."""

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Inventory, int]]) -> Self:
        """Build the column from (place, inventory, usage) in ascending order of places."""
        table = [(place, *_cells((inventory, usage))) for place, inventory, usage in rows]
        return cls._of(*np.array(table, dtype=np.int64).reshape(-1, 5).T.copy())

    @classmethod
    def _of(cls, where: Indexes, space: Indexes, most: Indexes, least: Indexes, step: Indexes) -> Self:
        return cls(where, space, most, least, step, plain=bool((least <= 1).all() and (step == 1).all()))

    def revised(self, rows: Mapping[int, Stock | None]) -> Self:
        """Make the next column: what the providers at these places have now; None for what has none any more."""
        places = sorted(rows)
        told = {place: _cells(stock) for place in places if (stock := rows[place]) is not None}
        at = np.searchsorted(self.where, places)
        there = at < self.where.size
        there[there] = self.where[at[there]] == np.array(places)[there]
        if len(told) == len(places) and there.all():
            return self._rewritten(at, list(told.values()))
        going = at[there]
        fresh = np.array([(place, *cells) for place, cells in told.items()], dtype=np.int64).reshape(-1, 5)
        staying = [np.delete(column, going) for column in self.table()]
        before = np.searchsorted(staying[0], fresh[:, 0])
        table = (np.insert(column, before, new) for column, new in zip(staying, fresh.T, strict=True))
        return self._of(*table)

    def _rewritten(self, at: Indexes, cells: Sequence[_Cells]) -> Self:
        """Write other amounts at places that the column has; what stays the same is shared, as units mostly do."""
        _, *before = self.table()
        after = []
        for column, values in zip(before, zip(*cells, strict=True), strict=True):
            if (column[at] != values).any():
                column = column.copy()  # noqa: PLW2901 - the next column's own
                column[at] = values
            after.append(column)
        return self._of(self.where, *after)

    def table(self) -> tuple[Indexes, Indexes, Indexes, Indexes, Indexes]:
        """The columns, places first."""
        return self.where, self.room, self.most, self.min_unit, self.step_size

    def fitting(self, amount: int) -> Indexes:
        """Find the providers that could be given `amount` at once."""
        if amount > CEILING:
            return self.where[:0]
        fits = self.most >= amount
        if not self.plain:
            fits &= self.min_unit <= amount
            fits &= amount % self.step_size == 0
        return self.where if fits.all() else self.where[fits]

    @property
    def largest(self) -> Indexes:
        """The largest amount that each could be given at once; 0 where there is none."""
        amounts = self.most - self.most % self.step_size
        return np.where(amounts >= np.maximum(self.min_unit, 1), amounts, 0)
