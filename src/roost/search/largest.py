"""The largest amount of a class that a group could ask for and still be served, all else in it as it is.

As far as single providers can tell: what other groups take is not looked at. Knows no other groups.
"""

from collections.abc import Mapping
from itertools import islice

import numpy as np

from roost.model.names import ResourceClass
from roost.search.block import Block
from roost.search.columns import Indexes
from roost.search.matching import Match, match
from roost.search.stages import MANY, Inquiry, allowed

_BOUNDLESS = np.iinfo(np.int64).max


def largest(inquiry: Inquiry, suffix: str) -> Mapping[ResourceClass, int | None]:
    """Find it for each class, of very many for the first; None where no amount would do."""
    names = islice(inquiry.query.groups[suffix].resources, MANY)
    return {name: _largest(inquiry, suffix, name) for name in names}


def _largest(inquiry: Inquiry, suffix: str, name: ResourceClass) -> int | None:
    query, most = inquiry.query, 0
    for block in inquiry.snapshot.blocks:
        found = match(block, suffix, query.groups[suffix], allowed(block, query), inquiry.work, whatever=name)
        if found is not None:
            most = max(most, _in_block(block, found, name))
    return most or None


def _in_block(block: Block, found: Match, name: ResourceClass) -> int:
    column = block.columns[name]
    amounts = np.zeros(block.size, dtype=np.int64)
    amounts[column.where] = column.largest
    slot = next(slot for slot in found.slots if name in slot.demand).at(found.anchors)
    if not found.wanted:
        return int(amounts[slot.offers.providers].max(initial=0))
    providers, anchors = slot.offers.pairs
    offered = amounts[providers]
    return int(offered.max(where=offered <= _bounds(block, found, name, amounts)[anchors], initial=0))


def _bounds(block: Block, found: Match, name: ResourceClass, amounts: Indexes) -> Indexes:
    """Tell, at each anchor, the largest amount with which the traits to be borne together are still to be had.

    Where only those who give the class bear a trait, a larger amount than any of these can give would lose it.
    """
    bounds = np.full(block.size, _BOUNDLESS)
    for bearing in found.wanted:
        here, elsewhere = np.zeros(block.size, dtype=np.int64), block.mask()
        for slot in found.slots:
            bearers = slot.offers.only(bearing)
            if name in slot.demand:
                providers, anchors = bearers.pairs
                np.maximum.at(here, anchors, amounts[providers])
            else:
                elsewhere |= bearers.anchors
        bounds = np.where(elsewhere, bounds, np.minimum(bounds, here))
    return bounds
