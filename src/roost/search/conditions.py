"""The conditions that a search sets on single providers, each as a mask over all of a block.

Must not know groups or anchors: what a condition on a *group* means for its providers is told in `matching`.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from roost.model.names import AggregateUUID, ResourceClass, Trait
from roost.search.block import Block
from roost.search.columns import NONE, Indexes, Mask


def fitting(block: Block, name: ResourceClass, amount: int) -> Mask:
    """Mark the providers that could be given that much of a class."""
    column = block.columns.get(name)
    return block.mask() if column is None else block.mask(column.fitting(amount))


def giving(block: Block, name: ResourceClass) -> Mask:
    """Mark the providers that could be given some amount of a class."""
    column = block.columns.get(name)
    return block.mask() if column is None else block.mask(column.where[column.largest > 0])


def bearing_any(block: Block, traits: Iterable[Trait]) -> Mask:
    """Mark the providers that bear at least one of the traits."""
    marked = block.mask()
    for trait in traits:
        if trait in block.bearers:
            marked |= block.bearing(trait)
    return marked


def bearing_all(block: Block, required: Sequence[AbstractSet[Trait]]) -> Mask:
    """Mark the providers that bear at least one trait of each set."""
    marked = np.ones(block.size, dtype=np.bool_)
    for traits in required:
        marked &= bearing_any(block, traits)
    return marked


def in_any(block: Block, aggregates: Iterable[AggregateUUID]) -> Mask:
    """Mark the providers that are in at least one of the aggregates."""
    return block.mask(*_members(block.members, aggregates))


def in_all(block: Block, member_of: Sequence[AbstractSet[AggregateUUID]]) -> Mask:
    """Mark the providers that are in at least one aggregate of each set."""
    marked = np.ones(block.size, dtype=np.bool_)
    for names in member_of:
        marked &= in_any(block, names)
    return marked


def _members(members: Mapping[AggregateUUID, Indexes], names: Iterable[AggregateUUID]) -> Iterable[Indexes]:
    return (members.get(name, NONE) for name in names)
