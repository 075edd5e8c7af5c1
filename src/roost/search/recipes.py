"""Ways to fill the slots, worked out once for all anchors that are alike, and then only copied out.

Two anchors are alike if the rules can't tell their offers apart: slot by slot, providers of the same rank in trees of
the same shape, with the same room and the same traits, as far as these are asked for. What comes from other trees is
like itself alone. A cloud of ten thousand hosts has a few dozen kinds; each is searched once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from roost.model.names import SHARES_VIA_AGGREGATE
from roost.search.block import Block
from roost.search.bonds import Bonds
from roost.search.choices import Choices, Pick
from roost.search.columns import Indexes
from roost.search.matching import Slot
from roost.search.ragged import Ragged, alike, grouped
from roost.search.work import Work

_AT_ONCE = 1024
"""How many anchors are compared at a time: the first candidates don't wait for more."""

Recipe: TypeAlias = tuple[int, ...]
"""For each slot, which of its offers to take, by number."""


class Offers:
    """The offers for one slot, sorted by anchor, so that those at one anchor are one slice."""

    def __init__(self, slot: Slot, block: Block) -> None:
        providers, anchors = slot.providers, slot.anchors
        if (anchors[1:] < anchors[:-1]).any():
            order = np.argsort(anchors, kind="stable")
            providers, anchors = providers[order], anchors[order]
        self.providers = providers
        self.starts = grouped(anchors, block.size)
        self.abroad = None if anchors is providers or not (away := block.root[providers] != anchors).any() else away
        self.roaming = frozenset[int]()
        """Those who may be offered at other anchors too, also at such as are in other blocks."""
        if SHARES_VIA_AGGREGATE in block.bearers:
            self.roaming = frozenset(providers[block.sharing[providers]].tolist())

    def at(self, anchor: int) -> list[int]:
        """List the providers offered at an anchor."""
        offered: list[int] = self.providers[self.starts[anchor] : self.starts[anchor + 1]].tolist()
        return offered

    def told(self, block: Block, bonds: Bonds) -> Ragged:
        """Tell of the offers at each anchor all that the rules can see."""
        ranks = block.layout.rank[self.providers]
        if self.abroad is not None:
            ranks = np.where(self.abroad, -1 - self.providers, ranks)
        return Ragged(np.column_stack([ranks, *bonds.likeness(self.providers)]), self.starts)


class _Recipes:
    """The recipes for one kind of anchor, as far as they were asked for."""

    def __init__(self, recipes: Iterator[Recipe]) -> None:
        self._recipes = recipes
        self._known: list[Recipe] = []

    def __iter__(self) -> Iterator[Recipe]:
        number = 0
        while number < len(self._known) or self._find():
            yield self._known[number]
            number += 1

    def _find(self) -> bool:
        for recipe in self._recipes:
            self._known.append(recipe)
            return True
        return False


@dataclass(frozen=True, eq=False)
class Kind:
    """Anchors that are alike."""

    offers: Sequence[Offers]
    anchors: Indexes
    recipes: _Recipes

    def following(self, recipe: Recipe) -> list[Indexes]:
        """Find who fills each slot at each of the anchors."""
        return [
            offers.providers[offers.starts[self.anchors] + number]
            for offers, number in zip(self.offers, recipe, strict=True)
        ]

    def apart(self) -> Iterator["Kind"]:
        """Tell each anchor as a kind of its own."""
        return (Kind(self.offers, self.anchors[at : at + 1], self.recipes) for at in range(self.anchors.size))


class Cookbook:
    """All recipes of one search in one block."""

    def __init__(self, block: Block, offers: Sequence[Offers], bonds: Bonds, work: Work) -> None:
        self._offers = offers
        self._bonds = bonds
        self._work = work
        self._told = [of_slot.told(block, bonds) for of_slot in offers]
        if bonds.in_subtrees:
            self._told.append(block.layout.shapes)
        self._recipes: dict[object, _Recipes] = {}

    def kinds(self, anchors: Indexes) -> Iterator[Kind]:
        """Sort out which of the anchors are alike: kind by kind, and some hundred anchors at a time."""
        for start in range(0, anchors.size, _AT_ONCE):
            some = anchors[start : start + _AT_ONCE]
            for members in alike([told.dense(some) for told in self._told]):
                yield Kind(self._offers, some[members], self._recipes_at(int(some[members[0]])))

    def _recipes_at(self, anchor: int) -> _Recipes:
        kind = tuple(told.whole(anchor) for told in self._told)
        recipes = self._recipes.get(kind)
        if recipes is None:
            recipes = self._recipes[kind] = _Recipes(self._find(anchor))
        return recipes

    def _find(self, anchor: int) -> Iterator[Recipe]:
        options = [offers.at(anchor) for offers in self._offers]
        if not self._bonds:
            return product(*(range(len(offered)) for offered in options))
        numbers = [{provider: number for number, provider in enumerate(offered)} for offered in options]
        return (
            tuple([of_slot[provider] for of_slot, provider in zip(numbers, pick, strict=True)])
            for pick in self._search(options)
        )

    def _search(self, options: Sequence[Sequence[int]]) -> Iterator[Pick]:
        """Fill the slot with the fewest offers first."""
        order = tuple(sorted(range(len(options)), key=lambda slot: len(options[slot])))
        in_order = [options[slot] for slot in order]
        return iter(Choices(order, in_order, self._bonds.rulebook(order)(in_order), self._work))
