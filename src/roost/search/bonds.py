"""What binds the slots of one request together, told of slots; made into rules for any order of filling them.

Must not know anchors: where several offers meet is `plan`'s business, how they are combined is `choices`'s.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import numpy as np

from roost.model.names import ResourceClass
from roost.search.block import Block
from roost.search.columns import Indexes, Mask
from roost.search.matching import UNSUFFIXED
from roost.search.query import Query
from roost.search.rules import IsolationRule, OnePerTreeRule, Options, RoomRule, Rooms, Rule, SubtreeRule, TogetherRule
from roost.search.slots import Slot

Rulebook: TypeAlias = Callable[[Options], Sequence[Rule[Any]]]
"""Makes the rules for one anchor from the options there, which stand in the order in which the slots are filled."""


class Bonds:
    """What binds the slots together. False if nothing does: then any combination of offers will do."""

    def __init__(self, block: Block, query: Query, slots: Sequence[Slot], wanted: Sequence[Mask]) -> None:
        """Find what binds. `wanted`: for each set of traits to be borne together, who bears one of it."""
        self._block = block
        self._slots = slots
        self._together = _of(slots, {UNSUFFIXED})
        self._wanted = [bearing for bearing in wanted if not self._given(bearing)]
        asked: dict[ResourceClass, list[int]] = {}
        for slot in slots:
            for name, amount in slot.demand.items():
                asked.setdefault(name, []).append(amount)
        self._shared = {name: amounts for name, amounts in asked.items() if len(amounts) > 1}
        self._rooms = Rooms(block, self._shared)
        suffixed = frozenset(range(len(slots))) - self._together
        self._apart = suffixed if query.group_policy == "isolate" and len(suffixed) > 1 else frozenset[int]()
        subtrees = [_of(slots, suffixes) for suffixes in query.same_subtrees]
        self._subtrees = [members for members in subtrees if len(members) > 1]
        claiming = frozenset(number for number, slot in enumerate(slots) if slot.demand)
        self._single = frozenset[int]() if query.nested or block.flat else claiming
        self._rulebooks: dict[tuple[int, ...], Rulebook] = {}

    @property
    def in_subtrees(self) -> bool:
        """Whether it matters how the providers of a tree stand to each other."""
        return bool(self._subtrees)

    def likeness(self, providers: Indexes) -> Sequence[Indexes]:
        """Tell, as columns, all that the rules will ask of each of these providers, but for where it stands."""
        rooms = [self._rooms.column(number)[providers] for number in range(len(self._shared))]
        return [*rooms, *(bearing[providers].astype(np.int64) for bearing in self._wanted)]

    def __bool__(self) -> bool:
        return bool(self._wanted or self._shared or self._apart or self._subtrees or self._single)

    def rulebook(self, order: tuple[int, ...]) -> Rulebook:
        """Find the rulebook for slots that are filled in this order."""
        rulebook = self._rulebooks.get(order)
        if rulebook is None:
            rulebook = self._rulebooks[order] = self._in_order(order)
        return rulebook

    def _in_order(self, order: tuple[int, ...]) -> Rulebook:
        def positions(members: AbstractSet[int]) -> frozenset[int]:
            return frozenset(position for position, slot in enumerate(order) if slot in members)

        apart, together, single = positions(self._apart), positions(self._together), positions(self._single)
        subtrees = [positions(members) for members in self._subtrees]
        demands = [
            [(number, self._slots[slot].demand[name]) for number, name in enumerate(self._shared) if name in demand]
            for slot in order
            for demand in [self._slots[slot].demand]
        ]

        def rulebook(options: Options) -> Sequence[Rule[Any]]:
            rules: list[Rule[Any]] = [SubtreeRule(self._block, members, options) for members in subtrees]
            if apart:
                rules.append(IsolationRule(apart, options))
            if single:
                rules.append(OnePerTreeRule(self._block, single))
            if self._shared:
                rules.append(RoomRule(self._rooms, demands, options))
            if self._wanted:
                rules.append(TogetherRule(together, options, self._wanted))
            return rules

        return rulebook

    def _given(self, bearing: Mask) -> bool:
        """Tell whether every combination has such a trait, because all offers for one of the slots bear one."""
        return any(bearing[self._slots[slot].offers.providers].all() for slot in self._together)


def _of(slots: Sequence[Slot], suffixes: AbstractSet[str]) -> frozenset[int]:
    return frozenset(number for number, slot in enumerate(slots) if slot.suffix in suffixes)
