"""A block of the cloud, added up. A block doesn't change, so nothing of it is added up twice. Knows no metric."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from roost.model.names import AggregateUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.block import Block
from roost.search.columns import Indexes

Name = TypeVar("Name", bound=str)

SAMPLED = 16
"""One provider in so many is weighed."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One class over some providers. Doubles, as Prometheus has them."""

    providers: float = 0
    total: float = 0
    reserved: float = 0
    capacity: float = 0
    used: float = 0
    overfull: float = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            providers=self.providers + other.providers,
            total=self.total + other.total,
            reserved=self.reserved + other.reserved,
            capacity=self.capacity + other.capacity,
            used=self.used + other.used,
            overfull=self.overfull + other.overfull,
        )


Sums = Mapping[ResourceClass, Sum]


class Tally:
    """What a block's own providers have. Its guests are another block's own."""

    def __init__(self, block: Block) -> None:
        self._groups: dict[str, Indexes] = dict(chain(block.bearers.items(), block.members.items()))
        """By traits and by aggregates; a uuid is no trait."""
        self._made: dict[str, Sums] = {}
        self._names, self._places, self._classes, self._amounts = _inventories(block)
        self._size = block.size
        self.providers = int(np.count_nonzero(block.own))
        self.trees = int(np.count_nonzero(block.anchors))
        self.traits: Mapping[Trait, int] = _sizes(block, block.bearers)
        """How many providers bear each."""
        self.aggregates: Mapping[AggregateUUID, int] = _sizes(block, block.members)
        self.whole = self._sums(slice(None), tuple(self._amounts))
        self.bytes = _weight(block)

    def of(self, group: str) -> Sums:
        """What the providers have that bear a trait, or are in an aggregate; of that, capacity and usage."""
        if group not in self._made:
            marked = np.zeros(self._size, dtype=np.bool_)
            marked[self._groups.get(group, [])] = True
            self._made[group] = self._sums(marked[self._places], _OF_GROUPS)
        return self._made[group]

    def _sums(self, rows: Any, amounts: Sequence[str]) -> Sums:  # noqa: ANN401 - whatever picks rows of an array
        classes, size = self._classes[rows], len(self._names)
        columns = [np.bincount(classes, weights=self._amounts[name][rows], minlength=size) for name in amounts]
        sums = (Sum(**dict(zip(amounts, map(float, values), strict=True))) for values in zip(*columns, strict=True))
        return {name: each for name, each in zip(self._names, sums, strict=True) if each.providers}


_OF_GROUPS = ("providers", "capacity", "used")


def _inventories(block: Block) -> tuple[list[ResourceClass], Indexes, Indexes, Mapping[str, Any]]:
    """Every inventory as a row: the names of classes; then of each row the place, the class's number, the amounts."""
    numbers: dict[ResourceClass, int] = {}
    places, classes, amounts = [], [], []
    for place in np.flatnonzero(block.own).tolist():
        state = block.state(place)
        for name, inventory in state.inventories.items():
            places.append(place)
            classes.append(numbers.setdefault(name, len(numbers)))
            amounts.append((inventory.total, inventory.reserved, inventory.capacity, state.usage.get(name, 0)))
    total, reserved, capacity, used = np.array(amounts, dtype=np.float64).reshape(-1, 4).T.copy()
    columns = {
        "providers": np.ones(len(places)),
        "total": total,
        "reserved": reserved,
        "capacity": capacity,
        "used": used,
        "overfull": (used > capacity).astype(np.float64),
    }
    return list(numbers), np.array(places, dtype=np.int64), np.array(classes, dtype=np.int64), columns


def _sizes(block: Block, groups: Mapping[Name, Indexes]) -> dict[Name, int]:
    return {name: size for name, places in groups.items() if (size := int(np.count_nonzero(block.own[places])))}


def _weight(block: Block) -> int:
    """About how many bytes a block takes: its columns, and as many times a provider as it has."""
    columns = [each for column in block.columns.values() for each in column.table()]
    arrays = [block.born, block.own, block.root, block.anchors, *columns, *block.bearers.values()]
    arrays += [*block.members.values(), *block.masks.values()]
    things = [_weight_of(state) for state in block.states[::SAMPLED] if state is not None]
    # Of what is in several pieces, only the first is its provider's alone.
    made = [sys.getsizeof(item) for shelf in block.shelves.values() for item in shelf[::SAMPLED, 0] if item is not None]
    return sum(array.nbytes for array in arrays) + SAMPLED * (sum(things) + sum(made))


def _weight_of(state: ProviderState) -> int:
    """Names that providers have in common are left out."""
    return sum(map(sys.getsizeof, _parts(state)))


def _parts(state: ProviderState) -> Iterator[object]:
    yield from (state, state.inventories, state.usage, state.traits, state.aggregates)
    yield from (state.provider, state.provider.uuid, state.provider.name)
    yield from state.inventories.values()
