"""Which single providers meet a list of conditions. Knows no trees beyond `in_tree`, and no candidates."""

from collections.abc import Sequence

import numpy as np

from roost.model.names import ProviderUUID
from roost.model.provider import Provider
from roost.model.refusals import UnknownTraitInProviderQuery
from roost.search import conditions
from roost.search.columns import Mask
from roost.search.query import ProviderQuery
from roost.search.snapshot import Snapshot


def providers(snapshot: Snapshot, query: ProviderQuery) -> Sequence[Provider]:
    """Find the providers that meet all conditions, in the order of their making.

    The order of the checks is part of the contract, because an unknown name is refused only if it is reached:
    in_tree, required traits, forbidden traits, member_of, forbidden aggregates, resource classes.
    """
    found = _identified(snapshot, query)
    if query.in_tree:
        member = snapshot.place.get(ProviderUUID(query.in_tree))
        if member is None:
            return ()
        found &= snapshot.root == snapshot.root[member]
    for traits in query.required:
        conditions.refuse_unknown_traits(snapshot, traits, UnknownTraitInProviderQuery)
    bearing = conditions.bearing_all(snapshot, query.required)
    if query.required and not bearing.any():
        return ()
    conditions.refuse_unknown_traits(snapshot, query.forbidden, UnknownTraitInProviderQuery)
    found &= bearing & ~conditions.bearing_any(snapshot, query.forbidden)
    inside = conditions.in_all(snapshot, query.member_of)
    if query.member_of and not inside.any():
        return ()
    found &= inside & ~conditions.in_any(snapshot, query.forbidden_aggregates)
    for name, amount in query.resources.items():
        conditions.refuse_unknown_class(snapshot, name)
        found &= snapshot.mask(conditions.fitting(snapshot, name, amount))
    return tuple(snapshot.states[index].provider for index in np.flatnonzero(found).tolist())


def _identified(snapshot: Snapshot, query: ProviderQuery) -> Mask:
    """Mark the providers of that name and that uuid; an empty name or uuid asks for nothing (as the API has it)."""
    found = np.ones(snapshot.size, dtype=np.bool_)
    if query.name:
        place = snapshot.names.get(query.name)
        found &= snapshot.mask() if place is None else snapshot.mask(np.array([place]))
    if query.uuid:
        place = snapshot.place.get(ProviderUUID(query.uuid))
        found &= snapshot.mask() if place is None else snapshot.mask(np.array([place]))
    return found
