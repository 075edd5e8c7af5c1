"""How a block becomes the next one: only what differs is made anew, all else is shared. Knows no queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias, TypeVar

import numpy as np

from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.block import Block, Row, Shelf, parent_of, root_of
from roost.search.columns import NONE, Column, Indexes, Mask, Stock
from roost.search.layout import NOWHERE

Name = TypeVar("Name")

Joined: TypeAlias = dict[int, bool]
"""Places at which a name came (True) or went (False)."""

_SPARE = 64
"""So many places may be empty before a block is laid out anew, or as many as are taken."""


@dataclass(eq=False)
class _Differences:
    """What the new rows have that the old ones hadn't, and the other way round."""

    stocks: dict[ResourceClass, dict[int, Stock | None]] = field(default_factory=dict)
    traits: dict[Trait, Joined] = field(default_factory=dict)
    aggregates: dict[AggregateUUID, Joined] = field(default_factory=dict)

    def note(self, place: int, before: ProviderState | None, after: ProviderState | None) -> None:
        held, holds = _stocks(before), _stocks(after)
        for name in held.keys() | holds.keys():
            if held.get(name) != holds.get(name):
                self.stocks.setdefault(name, {})[place] = holds.get(name)
        _compare(self.traits, place, before.traits if before else (), after.traits if after else ())
        _compare(self.aggregates, place, before.aggregates if before else (), after.aggregates if after else ())


def revised(block: Block, put: Mapping[ProviderUUID, Row], drop: Collection[ProviderUUID] = ()) -> Block:
    """Make the next block: with these rows, new or in place of the old, and without those providers."""
    fresh = [uuid for uuid in put if uuid not in block.place]
    dropped = [block.place[uuid] for uuid in drop if uuid in block.place]
    if block.size - len(block.place) + len(dropped) > len(block.place) + _SPARE:
        return _laid_out_anew(block, put, drop)
    place: Mapping[ProviderUUID, int] = block.place
    if fresh or dropped:
        place = {**place, **{uuid: block.size + number for number, uuid in enumerate(fresh)}}
        for at in dropped:
            del place[block.uuids[at]]
    written = {place[uuid]: row for uuid, row in put.items()}
    return _next(block, place, written, dropped)


def _laid_out_anew(block: Block, put: Mapping[ProviderUUID, Row], drop: Collection[ProviderUUID]) -> Block:
    staying = (block.row(place) for uuid, place in block.place.items() if uuid not in put and uuid not in drop)
    return Block.of([*staying, *put.values()])


def _next(
    block: Block, place: Mapping[ProviderUUID, int], written: Mapping[int, Row], dropped: Collection[int]
) -> Block:
    differences = _Differences()
    states = [*block.states, *([None] * (max(written, default=-1) + 1 - block.size))]
    for at, state in (*((at, None) for at in dropped), *((at, row.state) for at, row in written.items())):
        differences.note(at, states[at], state)
        states[at] = state
    grown = len(states) > block.size
    moved = grown or bool(dropped) or any(_moves(block, at, row, place) for at, row in written.items())
    standing = _Standing.of(block)
    if moved:
        standing = standing.revised(len(states), place, written, dropped)
    touched = (*dropped, *written)
    return Block(
        states=states,
        uuids=[*block.uuids, *(row.state.uuid for at, row in sorted(written.items()) if at >= block.size)]
        if grown
        else block.uuids,
        place=place,
        born=standing.born,
        own=standing.own,
        parents=standing.parents,
        root=standing.root,
        columns=_columns(block.columns, differences.stocks),
        bearers=_joined(block.bearers, differences.traits),
        members=_joined(block.members, differences.aggregates),
        anchors=standing.anchors,
        flat=standing.flat,
        shelves={kind: _cleared(shelf, len(states), touched) for kind, shelf in list(block.shelves.items())},
        masks={} if grown else {name: it for name, it in list(block.masks.items()) if name not in differences.traits},
        reach={} if moved or differences.aggregates else block.reach,
        lines={} if moved else block.lines,
        layouts=[] if moved else block.layouts,
    )


def _moves(block: Block, at: int, row: Row, place: Mapping[ProviderUUID, int]) -> bool:
    """Whether a row stands elsewhere in its tree than before, or as a guest no more."""
    before = block.parents[at], block.root[at], block.own[at], block.born[at]
    return before != (parent_of(row.state, place), root_of(row.state, place), row.own, row.born)


@dataclass(frozen=True, eq=False)
class _Standing:
    """Where each provider stands."""

    born: Indexes
    own: Mask
    root: Indexes
    parents: Sequence[int]
    anchors: Mask
    flat: bool

    @classmethod
    def of(cls, block: Block) -> Self:
        return cls(block.born, block.own, block.root, block.parents, block.anchors, block.flat)

    def revised(
        self, size: int, place: Mapping[ProviderUUID, int], written: Mapping[int, Row], dropped: Collection[int]
    ) -> Self:
        more = size - self.own.size
        born, root = np.append(self.born, np.zeros(more, np.int64)), np.append(self.root, np.zeros(more, np.int64))
        own = np.append(self.own, np.zeros(more, np.bool_))
        parents = [*self.parents, *([NOWHERE] * more)]
        for at in dropped:
            born[at], own[at], root[at], parents[at] = 0, False, at, NOWHERE
        for at, row in written.items():
            born[at], own[at], root[at] = row.born, row.own, root_of(row.state, place)
            parents[at] = parent_of(row.state, place)
        is_root = root == np.arange(size)
        return type(self)(born, own, root, parents, anchors=is_root & own, flat=bool(is_root.all()))


def _columns(
    columns: Mapping[ResourceClass, Column], stocks: Mapping[ResourceClass, Mapping[int, Stock | None]]
) -> Mapping[ResourceClass, Column]:
    if not stocks:
        return columns
    following = dict(columns)
    for name, rows in stocks.items():
        column = (columns.get(name) or Column.of(())).revised(rows)
        if column.where.size:
            following[name] = column
        else:
            del following[name]
    return following


def _joined(places: Mapping[Name, Indexes], joined: Mapping[Name, Joined]) -> Mapping[Name, Indexes]:
    if not joined:
        return places
    following = dict(places)
    for name, changes in joined.items():
        there = places.get(name, NONE)
        went = sorted(at for at, is_there in changes.items() if not is_there)
        came = sorted(at for at, is_there in changes.items() if is_there)
        there = np.delete(there, np.searchsorted(there, went))
        following[name] = np.insert(there, np.searchsorted(there, came), came)
        if not following[name].size:
            del following[name]
    return following


def _stocks(state: ProviderState | None) -> dict[ResourceClass, Stock]:
    if state is None:
        return {}
    return {name: (inventory, state.usage.get(name, 0)) for name, inventory in state.inventories.items()}


def _compare(notes: dict[Name, Joined], place: int, before: Iterable[Name], after: Iterable[Name]) -> None:
    if before is after:
        return
    had, has = frozenset(before), frozenset(after)
    for name in had ^ has:
        notes.setdefault(name, {})[place] = name in has


def _cleared(shelf: Shelf, size: int, touched: Iterable[int]) -> Shelf:
    following = np.full((size, shelf.shape[1]), None, dtype=object)
    following[: len(shelf)] = shelf
    following[list(touched)] = None
    return following
