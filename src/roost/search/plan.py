"""The groups of a request joined: where each has an offer, what binds them, and in which order to combine them.

Must not know how a combination is found at one anchor, nor how it is written down.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, islice, product
from typing import Any

import numpy as np

from roost.search.choices import Choices, Pick, Rules
from roost.search.columns import Indexes, Mask
from roost.search.matching import UNSUFFIXED, Match, Slot, Work
from roost.search.query import Query
from roost.search.rules import IsolationRule, Options, RoomRule, Rule, SubtreeRule, TogetherRule
from roost.search.snapshot import Snapshot


class _Offers:
    """The offers for one slot, sorted by anchor, so that those at one anchor are one slice."""

    def __init__(self, slot: Slot, size: int) -> None:
        order = np.argsort(slot.anchors, kind="stable")
        self._providers = slot.providers[order]
        self._ends = np.cumsum(np.bincount(slot.anchors, minlength=size))

    def at(self, anchor: int) -> list[int]:
        """List the providers offered at an anchor."""
        start = self._ends[anchor - 1] if anchor else 0
        offered: list[int] = self._providers[start : self._ends[anchor]].tolist()
        return offered

    def one_at_each(self, anchors: Indexes) -> list[int] | None:
        """List the only provider of each of the anchors, which are all that have any; None if some have more."""
        return self._providers.tolist() if self._providers.size == anchors.size else None


class Plan:
    """All slots of a request, cut down to the anchors that have an offer for each, and the rules that bind them."""

    def __init__(self, snapshot: Snapshot, query: Query, matches: Sequence[Match], work: Work) -> None:
        anchors = np.logical_and.reduce([found.anchors for found in matches])
        self.slots = [slot.at(anchors) for found in matches for slot in found.slots]
        self._snapshot = snapshot
        self._work = work
        self._anchors = np.flatnonzero(anchors)
        self._offers = [_Offers(slot, snapshot.size) for slot in self.slots]
        unsuffixed = self._slots_of({UNSUFFIXED})
        suffixed = frozenset(range(len(self.slots))) - unsuffixed
        self._together = unsuffixed
        self._wanted = self._open([bearing for found in matches for bearing in found.wanted])
        asked = [name for slot in self.slots for name in slot.demand]
        self._shared = [name for name in dict.fromkeys(asked) if asked.count(name) > 1]
        self._apart = suffixed if query.group_policy == "isolate" and len(suffixed) > 1 else frozenset[int]()
        subtrees = [self._slots_of(suffixes) for suffixes in query.same_subtrees]
        self._subtrees = [slots for slots in subtrees if len(slots) > 1]

    def picks(self, *, breadth_first: bool = True) -> Iterator[Pick]:
        """Make the combinations, each once: one of each anchor in turn, or all of an anchor before the next."""
        bound = self._wanted or self._shared or self._apart or self._subtrees
        if not bound:
            forced = [offers.one_at_each(self._anchors) for offers in self._offers]
            if None not in forced:
                return self._once(zip(*forced, strict=True))
        at_anchors = (self._at(anchor, bound=bool(bound)) for anchor in self._anchors.tolist())
        return self._once(_in_turn(at_anchors) if breadth_first else chain.from_iterable(at_anchors))

    def _at(self, anchor: int, *, bound: bool) -> Iterator[Pick]:
        options = [offers.at(anchor) for offers in self._offers]
        if bound:
            return iter(Choices(options, self._rules, self._work))
        return product(*options)

    def _rules(self, order: Sequence[int], options: Options) -> Rules:
        """Make the rules for one anchor, whose slots are filled in this order."""

        def positions(slots: frozenset[int]) -> frozenset[int]:
            return frozenset(position for position, slot in enumerate(order) if slot in slots)

        rules: list[Rule[Any]] = []
        if self._apart:
            rules.append(IsolationRule(positions(self._apart), options))
        if self._shared:
            demands = [self.slots[slot].demand for slot in order]
            rules.append(RoomRule(self._snapshot, demands, self._shared, options))
        rules.extend(SubtreeRule(self._snapshot, positions(slots), options) for slots in self._subtrees)
        if self._wanted:
            rules.append(TogetherRule(positions(self._together), options, self._wanted))
        return rules

    def _once(self, picks: Iterable[Pick]) -> Iterator[Pick]:
        """Leave out what was already made at another anchor, which takes providers that are all offered at both."""
        snapshot = self._snapshot
        roaming = {
            provider
            for slot in self.slots
            for provider in np.unique(slot.providers[snapshot.root[slot.providers] != slot.anchors]).tolist()
        }
        if not roaming:
            return iter(picks)
        return _distinct(picks, roaming)

    def _slots_of(self, suffixes: AbstractSet[str]) -> frozenset[int]:
        return frozenset(number for number, slot in enumerate(self.slots) if slot.suffix in suffixes)

    def _open(self, wanted: Sequence[Mask]) -> Sequence[Mask]:
        """Drop the wanted traits that every combination has, because all offers for one of the slots bear them."""
        offered = [self.slots[number].providers for number in self._together]
        return [bearing for bearing in wanted if not any(bearing[providers].all() for providers in offered)]


def _distinct(picks: Iterable[Pick], roaming: set[int]) -> Iterator[Pick]:
    """Drop what was seen before; only picks of nothing but roaming providers can be made twice."""
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
