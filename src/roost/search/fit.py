"""How many times a request could be claimed now, in all and by root: `GET /roost/candidates/fit` and `roost fit`.

Exact at an anchor where the request can be served in one way only: each claim takes the same of the same providers,
until one of them is full. So it is where one provider serves all of a request, whichever it is: each serves it as often
as it has room. Where there are several ways, or where other trees draw on the same provider, it is a bound:
no more than each slot's offers would serve if it had them for itself. A shared provider counts at each root that it
serves, and once in all. The rooms are those of the moment; a claim decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from roost.model.names import ProviderUUID, ResourceClass
from roost.search.block import Block
from roost.search.candidates import matches_in
from roost.search.columns import CEILING, Indexes, Mask
from roost.search.matching import Match
from roost.search.names import refuse_unknown
from roost.search.plan import Plan
from roost.search.query import Query, Strategy
from roost.search.slots import Slot
from roost.search.snapshot import Snapshot
from roost.search.work import ENDLESS, Exhausted, Work

_DEFAULT = Strategy()


class RootFit(msgspec.Struct, frozen=True, kw_only=True):
    """How often a request fits into one tree, with what is shared with it."""

    uuid: ProviderUUID
    name: str
    count: int
    exact: bool
    """Rather than a bound: it fits no more often than that."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How often a request fits."""

    count: int
    exact: bool
    trees: int
    """In how many trees it fits at all."""
    roots: tuple[RootFit, ...]
    """The largest first; as many as the query's limit."""
    unfinished: bool
    """Whether the search ran out of its steps: then trees are counted in which it wasn't seen that it fits."""
    steps: int


def fit(snapshot: Snapshot, query: Query, strategy: Strategy = _DEFAULT) -> Fit:
    """Count how often a request fits that claims something. Refuses what the search refuses."""
    work = Work(ENDLESS if strategy.steps is None else strategy.steps)
    exhausted = False
    try:
        refuse_unknown(snapshot, query, work)
    except Exhausted:
        exhausted = True
    tally = _Tally()
    roots: list[RootFit] = []
    for block in snapshot.blocks:
        matches = matches_in(block, query, work)
        if matches:
            sure, unsure = _anchors(block, query, matches, work, exhausted=exhausted)
            exhausted = exhausted or bool(unsure.any())
            roots += _roots(block, _slots(matches), sure, unsure, tally)
    roots.sort(key=lambda root: -root.count)
    exact = all(root.exact for root in roots)
    every = sum(root.count for root in roots)
    return Fit(
        count=every if exact else min([every, *tally.sums]),
        exact=exact,
        trees=len(roots),
        roots=tuple(roots[: query.limit]),
        unfinished=exhausted,
        steps=work.steps,
    )


def _slots(matches: Sequence[Match]) -> list[Slot]:
    """All slots; who is chosen alone must bear alone what the chosen must bear together."""
    slots = [slot for found in matches for slot in found.slots]
    if len(slots) == 1:
        for bearing in (bearing for found in matches for bearing in found.wanted):
            slots = [slot.only(bearing) for slot in slots]
    return slots


def _anchors(block: Block, query: Query, matches: Sequence[Match], work: Work, *, exhausted: bool) -> tuple[Mask, Mask]:
    """Mark the anchors with a candidate, and those where it isn't known because the steps ran out."""
    unsure = np.logical_and.reduce([found.anchors for found in matches])
    sure = block.mask()
    try:
        for kind in () if exhausted else Plan(block, query, matches, work).kinds():
            work.spend()
            sure[kind.anchors] = any(True for _ in kind.recipes)
            unsure[kind.anchors] = False
    except Exhausted:
        pass
    return sure, unsure


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Offers as pairs of anchor and provider, no pair twice, and how much of a class is asked of the provider there."""

    anchors: Indexes
    providers: Indexes
    asked: Indexes


def _roots(block: Block, slots: Sequence[Slot], sure: Mask, unsure: Mask, tally: "_Tally") -> list[RootFit]:
    """Count at each anchor of a block, and note what counts once in all."""
    slots = [slot.at(sure | unsure) for slot in slots]
    counts = np.full(block.size, CEILING, dtype=np.int64)
    for number, slot in enumerate(slots):
        providers, anchors = slot.offers.pairs
        times = _times(block, slot.demand, providers)
        tally.note(("slot", number), block, providers, times)
        counts = np.minimum(counts, _summed(block, anchors, times))
    single = _single(block, slots)
    exact = sure & _unshared(block, slots) & (single | (len(slots) == 1))
    ways = np.full(block.size, CEILING, dtype=np.int64)
    for name in dict.fromkeys(name for slot in slots for name in slot.demand):
        pairs, room = _pairs(block, slots, name), _rooms(block, name)
        asked = sum(slot.demand.get(name, 0) for slot in slots)
        tally.note(("class", name), block, pairs.providers, room[pairs.providers], asked)
        counts = np.minimum(counts, _summed(block, pairs.anchors, room[pairs.providers]) // asked)
        np.minimum.at(ways, pairs.anchors, room[pairs.providers] // np.maximum(pairs.asked, 1))
    counts = np.where(exact & single, ways, counts)
    return [
        RootFit(uuid=provider.uuid, name=provider.name, count=int(counts[place]), exact=bool(exact[place]))
        for place in np.flatnonzero(sure | unsure).tolist()
        for provider in [block.state(place).provider]
    ]


def _single(block: Block, slots: Sequence[Slot]) -> Mask:
    """Mark the anchors where each slot has one offer."""
    single = np.ones(block.size, dtype=np.bool_)
    for slot in slots:
        _, anchors = slot.offers.pairs
        single &= np.bincount(anchors, minlength=block.size) == 1
    return single


def _unshared(block: Block, slots: Sequence[Slot]) -> Mask:
    """Mark the anchors with nobody who may serve other trees too."""
    unshared = np.ones(block.size, dtype=np.bool_)
    for slot in slots:
        unshared &= ~slot.offers.only(block.sharing).anchors
    return unshared


def _rooms(block: Block, name: ResourceClass) -> Indexes:
    """Tell what each provider has left of a class; so much at most that sums of all of them stay within 64 bits."""
    room = np.zeros(block.size, dtype=np.int64)
    column = block.columns[name]
    room[column.where] = np.minimum(column.room, CEILING // (block.size + 1))
    return room


def _times(block: Block, demand: Mapping[ResourceClass, int], providers: Indexes) -> Indexes:
    """Tell how often each of the providers could serve it."""
    most = CEILING // (block.size + 1)
    times = np.full(providers.size, most, dtype=np.int64)
    for name, amount in demand.items():
        times = np.minimum(times, _rooms(block, name)[providers] // amount)
    return times


def _summed(block: Block, anchors: Indexes, amounts: Indexes) -> Indexes:
    sums = np.zeros(block.size, dtype=np.int64)
    np.add.at(sums, anchors, amounts)
    return sums


def _pairs(block: Block, slots: Sequence[Slot], name: ResourceClass) -> _Pairs:
    asking = [(*slot.offers.pairs, slot.demand[name]) for slot in slots if name in slot.demand]
    pairs = np.concatenate([anchors * block.size + providers for providers, anchors, _ in asking])
    pairs, number = np.unique(pairs, return_inverse=True)
    asked = np.zeros(pairs.size, dtype=np.int64)
    amounts = np.repeat([amount for *_, amount in asking], [providers.size for providers, *_ in asking])
    np.add.at(asked, number.reshape(-1), amounts)
    return _Pairs(pairs // block.size, pairs % block.size, asked)


@dataclass(eq=False)
class _Tally:
    """Sums over the whole cloud, each provider once: how often each slot could be filled, and each class's room."""

    asked: dict[object, int] = field(default_factory=dict)
    own: dict[object, int] = field(default_factory=dict)
    shared: dict[object, dict[ProviderUUID, int]] = field(default_factory=dict)

    def note(self, of: object, block: Block, providers: Indexes, amounts: Indexes, asked: int = 1) -> None:
        """Add the amounts of these providers, who may stand there several times."""
        self.asked[of] = asked
        providers, first = np.unique(providers, return_index=True)
        amounts, sharing = amounts[first], block.sharing[providers]
        self.own[of] = self.own.get(of, 0) + int(amounts[~sharing].sum())
        shared = self.shared.setdefault(of, {})
        for provider, amount in zip(providers[sharing].tolist(), amounts[sharing].tolist(), strict=True):
            shared[block.uuids[provider]] = amount

    @property
    def sums(self) -> list[int]:
        """How often the whole request could be served at most, by each of the sums."""
        return [(own + sum(self.shared[of].values())) // self.asked[of] for of, own in self.own.items()]
