"""Who nearly serves a group: single providers for a group with a suffix, whole trees for the one without.

Who serves it already is no miss. What a provider lacks is told in `lacks`; this finds whom to ask, by counting over all
providers at once how many conditions each fails, one by one.
"""

from collections.abc import Sequence

import numpy as np

from roost.model.names import ResourceClass
from roost.search import conditions
from roost.search.block import Block
from roost.search.columns import Indexes, Mask
from roost.search.explanation import Lack, Miss
from roost.search.lacks import of_provider, of_root, of_tree
from roost.search.matching import UNSUFFIXED, Match
from roost.search.query import Group, Query
from roost.search.slots import Offers
from roost.search.stages import Inquiry, Matches, Step, met, serving

MOST = 5
"""How many are told."""


def nearest(inquiry: Inquiry, suffix: str, steps: Sequence[Step], matches: Matches) -> tuple[Miss, ...]:
    """Find the providers, or the trees, that fail the fewest conditions; those with the most of the classes first."""
    blocks, query, whole = inquiry.snapshot.blocks, inquiry.query, suffix == UNSUFFIXED
    count, tell = (_trees, _tree_miss) if whole else (_single, _provider_miss)
    served = [_anchors(block, match) for block, match in zip(blocks, matches, strict=True)]
    if not whole:
        served = serving(inquiry.snapshot, matches)
    found: list[tuple[tuple[int, int, int], Block, int]] = []
    for block, there in zip(blocks, served, strict=True):
        inquiry.work.judge(block.size * (1 + len(steps)))
        failed, absent = count(block, query, steps)
        missing = (block.anchors if whole else block.own) & (failed > 0) & ~there
        found += [
            ((int(failed[place]), int(absent[place]), int(block.born[place])), block, place)
            for place in _first(block, missing, failed, absent).tolist()
        ]
    found.sort(key=lambda each: each[0])
    return tuple(tell(block, place, query, steps) for _, block, place in found[:MOST])


def _anchors(block: Block, match: Match | None) -> Mask:
    return block.mask() if match is None else match.anchors


def _first(block: Block, missing: Mask, *keys: Indexes) -> Indexes:
    places = np.flatnonzero(missing)
    order = np.lexsort((block.born[places], *(key[places] for key in reversed(keys))))
    return places[order[:MOST]]


def _single(block: Block, query: Query, steps: Sequence[Step]) -> tuple[Indexes, Indexes]:
    """Count, of each provider, the conditions that it fails, and the classes that it has none of."""
    failed, absent = _root_failed(block, query)[block.root], np.zeros(block.size, dtype=np.int64)
    for step in steps:
        failed = failed + ~met(block, step.alone)
        for name in step.alone.resources:
            absent += ~_having(block, name)
    return failed, absent


def _trees(block: Block, query: Query, steps: Sequence[Step]) -> tuple[Indexes, Indexes]:
    """Count the same of each tree, at its root.

    A tree meets a condition if one of its providers does, or one that shares with it. Where all are met, but not in a
    way that serves the group, that is one failure.
    """
    whole = steps[-1].upto if steps else Group()
    failed, absent = _root_failed(block, query), np.zeros(block.size, dtype=np.int64)
    for step in steps:
        failed = failed + ~_met_in_tree(block, whole, step.alone)
        for name in step.alone.resources:
            absent += ~_spread(block, whole, _having(block, name))
    return np.maximum(failed, 1), absent


def _having(block: Block, name: ResourceClass) -> Mask:
    column = block.columns.get(name)
    return block.mask() if column is None else block.mask(column.where)


def _root_failed(block: Block, query: Query) -> Indexes:
    """Count, at each place, the conditions on roots that a provider there would fail as a root."""
    failed = np.zeros(block.size, dtype=np.int64)
    for trait in query.root_required:
        failed += ~conditions.bearing_any(block, [trait])
    if query.root_forbidden:
        failed += conditions.bearing_any(block, query.root_forbidden)
    return failed


def _met_in_tree(block: Block, whole: Group, alone: Group) -> Mask:
    """Mark the roots of trees that meet a condition. Aggregates that a root must not be in, none of its tree may."""
    good = met(block, alone)
    spread = _spread(block, whole, good)
    return spread & good if alone.forbidden_aggregates else spread


def _spread(block: Block, whole: Group, good: Mask) -> Mask:
    """Mark the roots of the trees that have one of these providers, or that one of them shares with."""
    visiting = block.mask()
    if whole.in_tree is None:
        visiting = block.sharing & good
        if whole.member_of:
            visiting &= conditions.in_all(block, whole.member_of)
    return Offers.of(block, good, visiting).anchors


def _tree_miss(block: Block, place: int, query: Query, steps: Sequence[Step]) -> Miss:
    whole = steps[-1].upto if steps else Group()
    lacks = [of_tree(block, place, step) for step in steps if not _met_in_tree(block, whole, step.alone)[place]]
    return _miss(block, place, query, lacks)


def _provider_miss(block: Block, place: int, query: Query, steps: Sequence[Step]) -> Miss:
    lacks = [of_provider(block, place, step.alone) for step in steps if not met(block, step.alone)[place]]
    return _miss(block, place, query, lacks)


def _miss(block: Block, place: int, query: Query, lacks: list[Lack]) -> Miss:
    provider = block.state(place).provider
    lacks = of_root(block, int(block.root[place]), query) + lacks
    return Miss(
        uuid=provider.uuid,
        name=provider.name,
        root=provider.root,
        lacks=tuple(lacks or [Lack(kind="together", name="")]),
    )
