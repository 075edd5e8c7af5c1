"""Which single providers meet a list of conditions. Knows no trees beyond `in_tree`, and no candidates."""

from collections.abc import Sequence

import numpy as np

from roost.model.names import ProviderUUID
from roost.model.provider import Provider
from roost.model.refusals import UnknownTraitInProviderQuery
from roost.search import conditions
from roost.search.block import Block
from roost.search.columns import Mask
from roost.search.names import refuse_unknown_class, refuse_unknown_traits
from roost.search.query import ProviderQuery
from roost.search.snapshot import Snapshot


def providers(snapshot: Snapshot, query: ProviderQuery) -> Sequence[Provider]:
    """Find the providers that meet all conditions, in the order of their making."""
    if not _gets_to_the_end(snapshot, query):
        return ()
    found = [
        (block.born[place], block.state(place).provider)
        for block in snapshot.blocks
        for place in np.flatnonzero(_fitting(block, query)).tolist()
    ]
    return tuple(provider for _, provider in sorted(found, key=lambda each: each[0]))


def _gets_to_the_end(snapshot: Snapshot, query: ProviderQuery) -> bool:
    """Refuse unknown names; False where the answer is known to be empty before the next names are looked at.

    The order of the checks is part of the contract, because an unknown name is refused only if it is reached:
    in_tree, required traits, forbidden traits, member_of, forbidden aggregates, resource classes.
    """
    blocks = snapshot.blocks
    if query.in_tree and snapshot.find(ProviderUUID(query.in_tree)) is None:
        return False
    for traits in query.required:
        refuse_unknown_traits(snapshot, traits, UnknownTraitInProviderQuery)
    if query.required and not any(conditions.bearing_all(block, query.required).any() for block in blocks):
        return False
    refuse_unknown_traits(snapshot, query.forbidden, UnknownTraitInProviderQuery)
    if query.member_of and not any(conditions.in_all(block, query.member_of).any() for block in blocks):
        return False
    for name in query.resources:
        refuse_unknown_class(snapshot, name)
    return True


def _fitting(block: Block, query: ProviderQuery) -> Mask:
    found = block.own & _identified(block, query)
    if query.in_tree:
        member = block.place.get(ProviderUUID(query.in_tree))
        found &= block.mask() if member is None else block.root == block.root[member]
    found &= conditions.bearing_all(block, query.required) & ~conditions.bearing_any(block, query.forbidden)
    found &= conditions.in_all(block, query.member_of) & ~conditions.in_any(block, query.forbidden_aggregates)
    for name, amount in query.resources.items():
        found &= conditions.fitting(block, name, amount)
    return found


def _identified(block: Block, query: ProviderQuery) -> Mask:
    """Mark the provider of that name and that uuid; an empty name or uuid asks for nothing (as the API has it)."""
    found = np.ones(block.size, dtype=np.bool_)
    if query.uuid:
        place = block.place.get(ProviderUUID(query.uuid))
        found &= block.mask() if place is None else block.mask(np.array([place]))
    if query.name:
        named = (state is not None and state.provider.name == query.name for state in block.states)
        found &= np.fromiter(named, dtype=np.bool_, count=block.size)
    return found
