"""The groups of a request joined: at which anchors each has an offer, and in which order these are combined.

Must not know how a combination is found at one anchor, nor how it is written down.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, product

import numpy as np

from roost.search.bonds import Bonds
from roost.search.choices import Choices, Pick
from roost.search.columns import Indexes
from roost.search.matching import Match, Slot, Work
from roost.search.query import Query
from roost.search.snapshot import Snapshot


class Plan:
    """All slots of a request, cut down to the anchors that have an offer for each, and what binds them together."""

    def __init__(self, snapshot: Snapshot, query: Query, matches: Sequence[Match], work: Work) -> None:
        anchors = np.logical_and.reduce([found.anchors for found in matches])
        self.slots = [slot.at(anchors) for found in matches for slot in found.slots]
        self._anchors = np.flatnonzero(anchors)
        self._offers = [_Offers(slot, snapshot) for slot in self.slots]
        self._bonds = Bonds(snapshot, query, self.slots, [bearing for found in matches for bearing in found.wanted])
        self._work = work

    def picks(self, *, breadth_first: bool = True) -> Iterator[Pick]:
        """Make the combinations, each once: one of each anchor in turn, or all of an anchor before the next."""
        if not self._bonds:
            forced = [offers.one_at_each(self._anchors) for offers in self._offers]
            if None not in forced:
                return self._once(zip(*forced, strict=True))
        at_anchors = map(self._at, self._anchors.tolist())
        return self._once(_in_turn(at_anchors) if breadth_first else chain.from_iterable(at_anchors))

    def _at(self, anchor: int) -> Iterator[Pick]:
        """Make the combinations of one anchor; if anything binds them, fill the slot with the fewest offers first."""
        options = [offers.at(anchor) for offers in self._offers]
        if not self._bonds:
            return product(*options)
        order = tuple(sorted(range(len(options)), key=lambda slot: len(options[slot])))
        in_order = [options[slot] for slot in order]
        return iter(Choices(order, in_order, self._bonds.rulebook(order)(in_order), self._work))

    def _once(self, picks: Iterable[Pick]) -> Iterator[Pick]:
        """Leave out what was already made at another anchor, which takes providers that are all offered at both."""
        roaming = frozenset[int]().union(*(offers.roaming for offers in self._offers))
        return _distinct(picks, roaming) if roaming else iter(picks)


class _Offers:
    """The offers for one slot, sorted by anchor, so that those at one anchor are one slice."""

    def __init__(self, slot: Slot, snapshot: Snapshot) -> None:
        order = np.argsort(slot.anchors, kind="stable")
        self._providers = slot.providers[order]
        self._ends = np.cumsum(np.bincount(slot.anchors, minlength=snapshot.size))
        abroad = slot.providers[snapshot.root[slot.providers] != slot.anchors]
        self.roaming = frozenset(np.flatnonzero(snapshot.mask(abroad)).tolist())

    def at(self, anchor: int) -> list[int]:
        """List the providers offered at an anchor."""
        start = self._ends[anchor - 1] if anchor else 0
        offered: list[int] = self._providers[start : self._ends[anchor]].tolist()
        return offered

    def one_at_each(self, anchors: Indexes) -> list[int] | None:
        """List the only provider at each of the anchors, which are all that have any; None if some have more."""
        return self._providers.tolist() if self._providers.size == anchors.size else None


def _distinct(picks: Iterable[Pick], roaming: frozenset[int]) -> Iterator[Pick]:
    """Drop what was made before; only picks of nothing but roaming providers can be made twice."""
    seen: set[Pick] = set()
    for pick in picks:
        if roaming.issuperset(pick):
            if pick in seen:
                continue
            seen.add(pick)
        yield pick


def _in_turn(sources: Iterable[Iterator[Pick]]) -> Iterator[Pick]:
    """Take one of each source, in rounds. A source is opened when the first round reaches it."""
    while sources:
        lasting = []
        for source in sources:
            for pick in islice(source, 1):
                yield pick
                lasting.append(source)
        sources = lasting
