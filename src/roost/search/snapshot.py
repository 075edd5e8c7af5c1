"""The whole cloud at one moment, in blocks. Knows how the next moment's is made of it, and no queries.

A change makes one block anew (`revision`) and leaves all others as they are, so that it costs the same in a cloud of
any size; and a search looks at block after block, so that it need not look at all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.block import Block, Row
from roost.search.revision import revised

ROOMY = 4096
"""Providers in a block, as a rule: many enough that judging them all at once pays, few enough to copy in no time."""

Built = Callable[[int], None]
"""Who hears, while many blocks are made, how many providers are in them by now."""

Shares = Mapping[AggregateUUID, frozenset[ProviderUUID]]
"""For each aggregate with a sharing provider: the roots of the trees that such providers stand in."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """All providers, and the names that exist. Immutable."""

    blocks: tuple[Block, ...] = ()
    classes: frozenset[ResourceClass] = frozenset()
    """Classes that exist, whether or not any provider has them."""
    traits: frozenset[Trait] = frozenset()
    """Traits that exist, whether or not any provider bears them."""
    room: int = ROOMY
    """How many providers a block takes before the next one is begun."""
    births: int = 0
    """How many providers were ever taken in."""
    shares: Shares = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        states: Iterable[ProviderState],
        classes: Iterable[ResourceClass],
        traits: Iterable[Trait],
        room: int = ROOMY,
        *,
        built: Built | None = None,
    ) -> Self:
        """Lay out `states`, in the order of their making. `classes` and `traits` are the names that exist beside."""
        empty = cls(classes=frozenset(classes), traits=frozenset(traits), room=room)
        return empty.after({state.uuid: state for state in states}, built)

    @property
    def size(self) -> int:
        """How many providers there are."""
        return sum(int(np.count_nonzero(block.own)) for block in self.blocks)

    @property
    def states(self) -> list[ProviderState]:
        """Every provider, in the order of making."""
        rows = (block.row(place) for block in self.blocks for place in np.flatnonzero(block.own).tolist())
        return [row.state for row in sorted(rows, key=lambda row: row.born)]

    def knowing(self, classes: Iterable[ResourceClass], traits: Iterable[Trait]) -> Self:
        """Tell the same cloud, and that these names exist too."""
        return replace(self, classes=self.classes.union(classes), traits=self.traits.union(traits))

    def has_class(self, name: ResourceClass) -> bool:
        """Whether a class exists; what a provider has exists anyway."""
        return name in self.classes or any(name in block.columns for block in self.blocks)

    def has_trait(self, name: Trait) -> bool:
        """Whether a trait exists; what a provider bears exists anyway."""
        return name in self.traits or any(name in block.bearers for block in self.blocks)

    def find(self, uuid: ProviderUUID) -> tuple[int, int] | None:
        """Find the block whose own a provider is, by its number, and the provider's place there."""
        for number, block in enumerate(self.blocks):
            if block.is_own(uuid):
                return number, block.place[uuid]
        return None

    def state(self, uuid: ProviderUUID) -> ProviderState | None:
        """Find a provider."""
        found = self.find(uuid)
        return None if found is None else self.blocks[found[0]].state(found[1])

    def home(self, uuid: ProviderUUID) -> tuple[int, int]:
        """Find where the provider stands that is a guest somewhere."""
        found = self.find(uuid)
        assert found is not None, "a guest has a home"  # noqa: S101 - our own mistake
        return found

    def after(self, changes: Mapping[ProviderUUID, ProviderState | None], built: Built | None = None) -> Self:
        """Make the next snapshot: each of these providers as it is now, or gone; the new in the order of making."""
        moves = _Moves(self)
        for uuid, state in changes.items():
            moves.note(uuid, state)
        blocks = moves.blocks(built)
        shares = _shares(blocks) if moves.reshared else self.shares
        if shares or self.shares:
            sharing = frozenset[ProviderUUID]().union(*shares.values())
            for number, block in enumerate(blocks):
                if shares != self.shares or moves.concern(block, shares, sharing):
                    blocks[number] = _with_guests(block, blocks, shares)
        return replace(self, blocks=tuple(blocks), births=moves.births, shares=shares)


@dataclass(eq=False)
class _Moves:
    """Which rows come to which block, and which leave it."""

    snapshot: Snapshot
    births: int = 0
    reshared: bool = False
    """Whether it changed who shares with whom."""

    def __post_init__(self) -> None:
        self.births = self.snapshot.births
        self._put: list[dict[ProviderUUID, Row]] = [{} for _ in self.snapshot.blocks]
        self._drop: list[set[ProviderUUID]] = [set() for _ in self.snapshot.blocks]
        self._homes: dict[ProviderUUID, int] = {}
        self._roots: set[ProviderUUID] = set()
        self._regrouped: set[AggregateUUID] = set()
        self._left = self._room_left()

    def note(self, uuid: ProviderUUID, state: ProviderState | None) -> None:
        """Take in what a provider is now."""
        number, place = self.snapshot.find(uuid) or (None, 0)
        before = None if number is None else self.snapshot.blocks[number].row(place)
        self._note_sharing(None if before is None else before.state, state)
        home = None if state is None else self._home(state.provider.root)
        if number is not None and number != home:
            self._drop[number].add(uuid)
        if state is not None and home is not None:
            born = self.births if before is None else before.born
            self.births += before is None
            self._left -= number != home
            self._put[home][uuid] = Row(state, born)

    def blocks(self, built: Built | None) -> list[Block]:
        """Make the next blocks; those that have no providers of their own any more are left out."""
        following: list[Block] = []
        done = 0
        for number, (put, drop) in enumerate(zip(self._put, self._drop, strict=True)):
            if number >= len(self.snapshot.blocks):
                if built is not None and done:
                    built(done)
                following.append(Block.of(put.values()))
                done += len(put)
                continue
            block = self.snapshot.blocks[number]
            following.append(revised(block, put, drop) if put or drop else block)
        return [block for block in following if block.own.any()]

    def concern(self, block: Block, shares: Shares, sharing: frozenset[ProviderUUID]) -> bool:
        """Whether the guests of a block may be others than before, or not what they were."""
        return not self._regrouped.isdisjoint(shares) or any(root in block.place for root in self._roots & sharing)

    def _home(self, root: ProviderUUID) -> int:
        """Find the block for a tree: where its root is or, for a new one, the last if it has room."""
        home = self._homes.get(root)
        if home is None:
            found = self.snapshot.find(root)
            home = self._homes[root] = self._new_home() if found is None else found[0]
        return home

    def _new_home(self) -> int:
        if self._left <= 0:
            self._put.append({})
            self._drop.append(set())
            self._left = self.snapshot.room
        return len(self._put) - 1

    def _room_left(self) -> int:
        if not self.snapshot.blocks:
            return 0
        return self.snapshot.room - int(np.count_nonzero(self.snapshot.blocks[-1].own))

    def _note_sharing(self, before: ProviderState | None, after: ProviderState | None) -> None:
        if _told(before) == _told(after):
            self._roots.update(state.provider.root for state in (before, after) if state)
            return
        for state in (before, after):
            if state is not None:
                self._roots.add(state.provider.root)
                self._regrouped |= state.aggregates
                self.reshared = self.reshared or SHARES_VIA_AGGREGATE in state.traits


def _told(state: ProviderState | None) -> object:
    """All of a provider that decides who shares with whom."""
    return state and (state.provider.root, state.aggregates, SHARES_VIA_AGGREGATE in state.traits)


def _shares(blocks: Iterable[Block]) -> Shares:
    shares: dict[AggregateUUID, set[ProviderUUID]] = {}
    for block in blocks:
        for place in np.flatnonzero(block.sharing & block.own).tolist():
            state = block.state(place)
            for name in state.aggregates:
                shares.setdefault(name, set()).add(state.provider.root)
    return {name: frozenset(roots) for name, roots in shares.items()}


def _with_guests(block: Block, blocks: Sequence[Block], shares: Shares) -> Block:
    """Make the block whose guests are the trees that share with one of its own providers."""
    roots = {
        root
        for name, sharing in shares.items()
        if name in block.members and block.own[block.members[name]].any()
        for root in sharing
        if not block.is_own(root)
    }
    rows = {row.state.uuid: row._replace(own=False) for root in roots for row in _tree(blocks, root)}
    guests = [state.uuid for at in np.flatnonzero(~block.own).tolist() if (state := block.states[at]) is not None]
    put = {uuid: row for uuid, row in rows.items() if not _has(block, uuid, row)}
    drop = [uuid for uuid in guests if uuid not in rows]
    return revised(block, put, drop) if put or drop else block


def _tree(blocks: Iterable[Block], root: ProviderUUID) -> Iterator[Row]:
    for block in blocks:
        if block.is_own(root):
            yield from (row for row in block.tree(root) if row.own)


def _has(block: Block, uuid: ProviderUUID, row: Row) -> bool:
    place = block.place.get(uuid)
    return place is not None and block.states[place] is row.state
