"""The groups of a request joined: at which anchors each has an offer, and in which order these are combined.

Must not know how a combination is found at one anchor, nor how it is written down.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Self, TypeAlias

import numpy as np

from roost.search.answer import Pattern, pattern_of
from roost.search.block import Block
from roost.search.bonds import Bonds
from roost.search.choices import Pick
from roost.search.columns import Indexes, Mask
from roost.search.matching import Match
from roost.search.query import Query
from roost.search.recipes import FEWEST, MOST, Cookbook, Kind, Recipe
from roost.search.work import Exhausted, Work


@dataclass(frozen=True, eq=False)
class Batch:
    """Combinations of one form: those that fill like slots alike, whoever it is that fills them."""

    block: Block
    slots: Sequence[Indexes]
    """For each slot, who fills it in each of the combinations."""

    @classmethod
    def of(cls, block: Block, picks: Sequence[Pick]) -> Self:
        """Put together combinations of one form."""
        return cls(block, list(np.array(picks, dtype=np.int64).T))

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return self.slots[0].size

    def pick(self, row: int) -> Pick:
        """Tell who fills each slot in one of the combinations."""
        return tuple([int(providers[row]) for providers in self.slots])

    def only(self, which: slice | Mask) -> "Batch":
        """Keep some of them."""
        return Batch(self.block, [providers[which] for providers in self.slots])


class Plan:
    """A request in one block, cut down to the anchors that have an offer for each slot."""

    def __init__(self, block: Block, query: Query, matches: Sequence[Match], work: Work) -> None:
        anchors = np.logical_and.reduce([found.anchors for found in matches])
        slots = [slot.at(anchors) for found in matches for slot in found.slots]
        offers = [slot.offers for slot in slots]
        bonds = Bonds(block, query, slots, [bearing for found in matches for bearing in found.wanted])
        self.block = block
        self.roaming = frozenset[int]().union(*(of_slot.roaming for of_slot in offers))
        self._anchors = np.flatnonzero(anchors)
        self._cookbook = Cookbook(block, offers, bonds, work)
        self.wanted = min(MOST, query.limit or MOST)
        """How many combinations may be wanted at a time."""

    def kinds(self) -> Iterator[Kind]:
        """Sort the anchors out."""
        return self._cookbook.kinds(self._anchors, max(FEWEST, self.wanted))


_Source: TypeAlias = tuple[Plan, Kind, Iterator[Recipe]]
_Made: TypeAlias = tuple[Plan, Kind, Recipe]


def batches(plans: Iterable[Plan], *, breadth_first: bool = True) -> Iterator[Batch]:
    """Make all combinations, each once: one of each anchor in turn, or all of an anchor before the next.

    A plan is looked at, and its anchors compared, when the first round reaches them.
    """
    made = _in_turn(_sources(plans)) if breadth_first else _one_by_one(plans)
    seen: set[object] = set()
    for plan, batch in _batched(made):
        fresh = _unseen(batch, plan.roaming, seen) if plan.roaming else batch
        if fresh.size:
            yield fresh


def _sources(plans: Iterable[Plan]) -> Iterator[_Source]:
    return ((plan, kind, iter(kind.recipes)) for plan in plans for kind in plan.kinds())


def _in_turn(sources: Iterable[_Source]) -> Iterator[_Made]:
    """Take one recipe of each kind, in rounds. A source is opened when the first round reaches it."""
    while sources:
        lasting = []
        for source in sources:
            plan, kind, recipes = source
            for recipe in islice(recipes, 1):
                yield plan, kind, recipe
                lasting.append(source)
        sources = lasting


def _one_by_one(plans: Iterable[Plan]) -> Iterator[_Made]:
    for plan in plans:
        for anchor in chain.from_iterable(kind.apart() for kind in plan.kinds()):
            for recipe in anchor.recipes:
                yield plan, anchor, recipe


class _Run:
    """Combinations of one form at single anchors, one after the other: as one batch they cost little more than one."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._pattern: Pattern = ()
        self._picks: list[Pick] = []

    def goes_on(self, plan: Plan, pick: Pick) -> bool:
        """Whether a pick has the form of those before, and there aren't as many as may be wanted."""
        return plan is self._plan and len(self._picks) < plan.wanted and pattern_of(pick) == self._pattern

    def add(self, plan: Plan, pick: Pick) -> None:
        """Go on, or begin."""
        if not self._picks:
            self._plan, self._pattern = plan, pattern_of(pick)
        self._picks.append(pick)

    def ended(self) -> Iterator[tuple[Plan, Batch]]:
        """Give what there is, and begin anew."""
        if self._plan is not None and self._picks:
            yield self._plan, Batch.of(self._plan.block, self._picks)
            self._picks = []


def _batched(made: Iterable[_Made]) -> Iterator[tuple[Plan, Batch]]:
    """Follow each recipe at all anchors of its kind."""
    run = _Run()
    try:
        for plan, kind, recipe in made:
            pick = kind.pick(recipe) if kind.anchors.size == 1 else ()
            if not run.goes_on(plan, pick):
                yield from run.ended()
            if pick:
                run.add(plan, pick)
            else:
                yield plan, Batch(plan.block, kind.following(recipe))
    except Exhausted:
        yield from run.ended()
        raise
    yield from run.ended()


def _unseen(batch: Batch, roaming: frozenset[int], seen: set[object]) -> Batch:
    """Leave out what was made before, at another anchor: only providers that are offered at both can be in it."""
    guests = np.fromiter(roaming, dtype=np.int64, count=len(roaming))
    doubtful = np.logical_and.reduce([np.isin(providers, guests) for providers in batch.slots])
    fresh = np.ones(batch.size, dtype=np.bool_)
    for row in np.flatnonzero(doubtful).tolist():
        uuids = tuple(batch.block.uuids[providers[row]] for providers in batch.slots)
        fresh[row] = uuids not in seen
        seen.add(uuids)
    return batch if fresh.all() else batch.only(fresh)
