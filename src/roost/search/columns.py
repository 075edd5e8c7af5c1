"""One resource class over all its providers, as columns that a search compares at once. Knows no groups or trees."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from roost.model.inventory import Inventory
from roost.model.provider import ProviderState

Indexes: TypeAlias = NDArray[np.int64]
"""Providers, by their place in the snapshot."""

Mask: TypeAlias = NDArray[np.bool_]
"""For each provider of the snapshot, whether something is true of it."""

CEILING = 2**62
"""More than any inventory can really hold; sums of two numbers below it stay within 64 bits."""


def room(inventory: Inventory, usage: int) -> int:
    """The whole units that may still be claimed: exactly the largest amount for which `holds(usage + amount)`.

    A limit is a double and may be as large as 7e47, which no integer column holds: it is cut at CEILING.
    """
    limit = inventory.limit
    if math.isnan(limit):
        return -CEILING
    return math.floor(max(-CEILING, min(CEILING, limit))) - usage


@dataclass(frozen=True, eq=False)
class Column:
    """What the providers of one class can still give.

    Sparse (only the providers that have the class, and where they stand), because most clouds have a few classes that
    all hosts have, and many, one for each kind of bare metal node say, that few have.
    """

    where: Indexes
    room: Indexes
    min_unit: Indexes
    max_unit: Indexes
    step_size: Indexes

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Inventory, int]]) -> Self:
        """Build the column from (place, inventory, usage) in ascending order of places."""
        table = [
            (
                place,
                room(inventory, usage),
                min(inventory.min_unit, CEILING),
                min(inventory.max_unit, CEILING),
                min(inventory.step_size, CEILING),
            )
            for place, inventory, usage in rows
        ]
        return cls(*np.array(table, dtype=np.int64).reshape(-1, 5).T.copy())

    def fitting(self, amount: int) -> Indexes:
        """Find the providers that could be given `amount` at once."""
        if amount > CEILING:
            return self.where[:0]
        fits = self.room >= amount
        fits &= self.min_unit <= amount
        fits &= self.max_unit >= amount
        fits &= amount % self.step_size == 0
        return self.where[fits]


def columns(states: Iterable[ProviderState]) -> Mapping[str, Column]:
    """Build the columns of all classes that any provider has."""
    rows: dict[str, list[tuple[int, Inventory, int]]] = {}
    for place, state in enumerate(states):
        for name, inventory in state.inventories.items():
            rows.setdefault(name, []).append((place, inventory, state.usage.get(name, 0)))
    return {name: Column.of(table) for name, table in rows.items()}
