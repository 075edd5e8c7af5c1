"""The conditions that a search sets on single providers, each as a mask over all, and the names they must know.

Must not know groups or anchors: what a condition on a *group* means for its providers is told in `matching`.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import numpy as np

from roost.model.names import AggregateUUID, ResourceClass, Trait
from roost.model.refusals import UnknownClassInQuery, UnknownTraitInProviderQuery, UnknownTraitInQuery
from roost.search.columns import Indexes, Mask
from roost.search.snapshot import NONE, Snapshot

Name = TypeVar("Name", AggregateUUID, Trait)


def refuse_unknown_class(snapshot: Snapshot, name: ResourceClass) -> None:
    """Refuse a class that doesn't exist."""
    if name not in snapshot.classes:
        raise UnknownClassInQuery(name)


def refuse_unknown_traits(
    snapshot: Snapshot,
    traits: Iterable[Trait],
    refusal: type[UnknownTraitInQuery | UnknownTraitInProviderQuery] = UnknownTraitInQuery,
) -> None:
    """Refuse the first trait, in the order of the alphabet, that doesn't exist."""
    for trait in sorted(traits):
        if trait not in snapshot.traits:
            raise refusal(trait)


def fitting(snapshot: Snapshot, name: ResourceClass, amount: int) -> Indexes:
    """Find the providers that could be given that much of a class."""
    column = snapshot.columns.get(name)
    return NONE if column is None else column.fitting(amount)


def bearing_any(snapshot: Snapshot, traits: Iterable[Trait]) -> Mask:
    """Mark the providers that bear at least one of the traits."""
    return snapshot.mask(*(snapshot.bearers.get(trait, NONE) for trait in traits))


def bearing_all(snapshot: Snapshot, required: Sequence[AbstractSet[Trait]]) -> Mask:
    """Mark the providers that bear at least one trait of each set."""
    return _of_each(snapshot, snapshot.bearers, required)


def in_any(snapshot: Snapshot, aggregates: Iterable[AggregateUUID]) -> Mask:
    """Mark the providers that are in at least one of the aggregates."""
    return snapshot.mask(*(snapshot.members.get(aggregate, NONE) for aggregate in aggregates))


def in_all(snapshot: Snapshot, member_of: Sequence[AbstractSet[AggregateUUID]]) -> Mask:
    """Mark the providers that are in at least one aggregate of each set."""
    return _of_each(snapshot, snapshot.members, member_of)


def _of_each(snapshot: Snapshot, places: Mapping[Name, Indexes], sets: Sequence[AbstractSet[Name]]) -> Mask:
    marked = np.ones(snapshot.size, dtype=np.bool_)
    for names in sets:
        marked &= snapshot.mask(*(places.get(name, NONE) for name in names))
    return marked
