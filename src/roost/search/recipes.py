"""Ways to fill the slots, worked out once for all anchors that are alike, and then only copied out.

Two anchors are alike if the rules can't tell their offers apart: slot by slot, the same of those that a tree offers (or
of all in trees of the same shape, where the rules ask how they stand to each other), with the same room and the same
traits, as far as these are asked for. What comes from other trees is like itself alone. A cloud of ten thousand hosts
has a few dozen kinds; each is searched once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TypeAlias

import numpy as np

from roost.search.block import Block
from roost.search.bonds import Bonds
from roost.search.choices import Choices, Pick
from roost.search.columns import Indexes, Mask
from roost.search.ragged import Ragged, alike, are_alike, grouped
from roost.search.slots import Offers
from roost.search.work import Work

FEWEST, MOST = 64, 1024
"""How many anchors are compared at a time: at first as many as the answer needs, within these bounds."""

Recipe: TypeAlias = tuple[int, ...]
"""For each slot, which of its offers to take, by number."""


class Nearby:
    """The offers for one slot at some anchors that follow each other: those at one anchor are one slice."""

    def __init__(self, offers: Offers, anchors: Indexes) -> None:
        self._block = offers.block
        self._first = int(anchors[0])
        self.providers, self._anchors = offers.near(anchors)
        self._starts = grouped(self._anchors - self._first, int(anchors[-1]) - self._first + 1)
        self.visits = int(np.count_nonzero(self._abroad)) if offers.visits else 0
        """How many of them are of providers of other trees."""

    def at(self, anchor: int) -> list[int]:
        """List the providers offered at an anchor."""
        place = anchor - self._first
        offered: list[int] = self.providers[self._starts[place] : self._starts[place + 1]].tolist()
        return offered

    def numbered(self, anchors: Indexes, number: int) -> Indexes:
        """Find the provider that has a number among the offers of each of the anchors."""
        found: Indexes = self.providers[self._starts[anchors - self._first] + number]
        return found

    @property
    def _abroad(self) -> Mask:
        abroad: Mask = self._block.root[self.providers] != self._anchors
        return abroad

    def told(self, bonds: Bonds, numbers: Indexes) -> Ragged:
        """Tell of the offers at each anchor, counted from the first, all that the rules can see.

        `numbers` tell the providers of a tree apart.
        """
        stands = np.where(self._abroad, -1 - self.providers, numbers[self.providers])
        return Ragged(np.column_stack([stands, *bonds.likeness(self.providers)]), self._starts)


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

    offers: Sequence[Nearby]
    anchors: Indexes
    recipes: _Recipes
    numbered: dict[tuple[int, int], Indexes] = field(default_factory=dict)
    """Who has a number among the offers for a slot, at each of the anchors: many recipes take the same."""

    def following(self, recipe: Recipe) -> list[Indexes]:
        """Find who fills each slot at each of the anchors. Who fills a slot as in another recipe is the same array."""
        found = []
        for slot, number in enumerate(recipe):
            providers = self.numbered.get((slot, number))
            if providers is None:
                providers = self.numbered[slot, number] = self.offers[slot].numbered(self.anchors, number)
            found.append(providers)
        return found

    @cached_property
    def options(self) -> list[list[int]]:
        """The providers offered for each slot at the first of the anchors."""
        anchor = int(self.anchors[0])
        return [offers.at(anchor) for offers in self.offers]

    def pick(self, recipe: Recipe) -> Pick:
        """Find who fills each slot at the first of the anchors."""
        return tuple([offered[number] for offered, number in zip(self.options, recipe, strict=True)])

    def apart(self) -> Iterator["Kind"]:
        """Tell each anchor as a kind of its own."""
        return (Kind(self.offers, self.anchors[at : at + 1], self.recipes) for at in range(self.anchors.size))


class Cookbook:
    """All recipes of one search in one block."""

    def __init__(self, block: Block, offers: Sequence[Offers], bonds: Bonds, work: Work) -> None:
        self._block = block
        self._offers = offers
        self._bonds = bonds
        self._work = work
        self._recipes: dict[object, _Recipes] = {}

    def kinds(self, anchors: Indexes, at_once: int) -> Iterator[Kind]:
        """Sort out which of the anchors are alike: kind by kind, first among so many as the answer needs.

        Each time twice as many are looked at: if most serve nothing, few looks are enough.
        """
        while anchors.size:
            some, anchors, at_once = anchors[:at_once], anchors[at_once:], min(MOST, 2 * at_once)
            offers = [Nearby(of_slot, some) for of_slot in self._offers]
            self._work.judge(sum(nearby.visits for nearby in offers))
            told, kinds = self._sorted_out(some, offers)
            for members in kinds:
                kind = tuple(each.whole(int(some[members[0]] - some[0])) for each in told)
                yield Kind(offers, some[members], self._recipes_for(kind, offers, int(some[members[0]])))

    def _sorted_out(self, anchors: Indexes, offers: Sequence[Nearby]) -> tuple[list[Ragged], Iterator[Indexes]]:
        """Tell the providers of a tree apart by rank, which is known; where that is too much, only those offered."""
        block, groups = self._block, anchors - anchors[0]
        told = [nearby.told(self._bonds, block.layout.rank) for nearby in offers]
        tables = [each.dense(groups) for each in told]
        if self._bonds.in_subtrees:
            return told, alike([*tables, block.layout.shapes.dense(anchors)])
        if block.flat or are_alike(tables):
            return told, alike(tables)
        numbers = _numbers(block, [nearby.providers for nearby in offers])
        told = [nearby.told(self._bonds, numbers) for nearby in offers]
        return told, alike([each.dense(groups) for each in told])

    def _recipes_for(self, kind: tuple[bytes, ...], offers: Sequence[Nearby], anchor: int) -> _Recipes:
        """Find the recipes for a kind that was seen before, or that this anchor is the first of."""
        if self._bonds.in_subtrees:
            kind = (*kind, self._block.layout.shapes.whole(anchor))
        recipes = self._recipes.get(kind)
        if recipes is None:
            recipes = self._recipes[kind] = _Recipes(self._find([nearby.at(anchor) for nearby in offers]))
        return recipes

    def _find(self, options: Sequence[Sequence[int]]) -> Iterator[Recipe]:
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


def _numbers(block: Block, offers: Sequence[Indexes]) -> Indexes:
    """Number the providers of each tree that are offered for any slot."""
    offered = np.flatnonzero(block.mask(*offers))
    offered = offered[np.argsort(block.root[offered], kind="stable")]
    begins = np.flatnonzero(np.diff(block.root[offered], prepend=-1))
    numbers = np.empty(block.size, dtype=np.int64)
    numbers[offered] = np.arange(offered.size) - np.repeat(begins, np.diff(begins, append=offered.size))
    return numbers
