"""Which providers of a block may serve each group, and at which anchors. Judges all at once, and no combinations.

An *anchor* is the root of the tree that a candidate is for. A *slot* is one provider to be chosen: each class of the
unsuffixed group is a slot, each suffixed group is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roost.model.names import ResourceClass, Trait
from roost.search import conditions
from roost.search.block import Block
from roost.search.columns import Mask
from roost.search.query import Group
from roost.search.slots import Offers, Slot
from roost.search.work import Work

UNSUFFIXED = ""
"""The suffix of the one group that several providers may serve together."""


@dataclass(frozen=True, eq=False)
class Match:
    """What may serve one group."""

    slots: Sequence[Slot]
    anchors: Mask
    """Where each slot has an offer and, as far as single providers can tell, the required traits are to be had."""
    wanted: Sequence[Mask] = ()
    """For each set of traits that the chosen providers must bear *together*: the providers that bear one of it."""


def anchors_allowed(block: Block, required: frozenset[Trait], forbidden: frozenset[Trait]) -> Mask:
    """Mark the block's own roots that bear all `required` and no `forbidden` traits."""
    allowed = block.anchors
    if required:
        allowed = allowed & conditions.bearing_all(block, [frozenset({trait}) for trait in required])
    if forbidden:
        allowed = allowed & ~conditions.bearing_any(block, forbidden)
    return allowed


@dataclass(frozen=True, eq=False)
class _Judged:
    """A group, and what its conditions say of single providers."""

    suffix: str
    group: Group
    scope: Mask
    """Who may serve it by `in_tree`."""
    inside: Mask
    """Who is in the aggregates."""
    fitting: Mapping[ResourceClass, Mask]
    """Who, in scope, has room for each class."""


def match(
    block: Block, suffix: str, group: Group, anchors: Mask, work: Work, *, whatever: ResourceClass | None = None
) -> Match | None:
    """Find what may serve one group at the anchors allowed; None if nothing does. Of `whatever`, any amount will do."""
    work.judge(block.size * (1 + len(group.resources)))
    inside = conditions.in_all(block, group.member_of)
    scope = in_scope(block, group)
    fitting = {
        name: (conditions.giving(block, name) if name == whatever else conditions.fitting(block, name, amount)) & scope
        for name, amount in group.resources.items()
    }
    if not inside.any() or not scope.any() or not all(fits.any() for fits in fitting.values()):
        return None
    judged = _Judged(suffix, group, scope, inside, fitting)
    found = (_match_together if suffix == UNSUFFIXED else _match_alone)(block, judged, anchors)
    return found if found is not None and found.anchors.any() else None


def asks(suffix: str, group: Group) -> bool:
    """Whether a group asks for anything that a provider could have, rather than only for what it must not be."""
    return bool(group.resources or (suffix != UNSUFFIXED and (group.required or group.member_of)))


def in_scope(block: Block, group: Group) -> Mask:
    """Mark the providers that `in_tree` leaves: none if it names a provider that isn't here."""
    if group.in_tree is None:
        return np.ones(block.size, dtype=np.bool_)
    member = block.place.get(group.in_tree)
    return block.mask() if member is None else block.root == block.root[member]


def _match_together(block: Block, judged: _Judged, anchors: Mask) -> Match | None:
    """Match the unsuffixed group: a slot for each class, filled from the anchor's tree or by a sharing provider.

    An aggregate on a root spans its tree: what counts is whether the provider *or its anchor* is a member. Only a
    provider that comes from outside the tree must be a member itself.
    """
    group, inside = judged.group, judged.inside
    if not asks(judged.suffix, group):
        return None
    bearable = ~conditions.bearing_any(block, group.forbidden)
    near = inside | inside[block.root]
    visiting = block.sharing & inside if group.in_tree is None else block.mask()
    allowed = anchors.copy()
    slots = []
    for name, fits in judged.fitting.items():
        offers = Offers.of(block, fits & bearable & near, visiting)
        if group.forbidden_aggregates:
            outside = ~conditions.in_any(block, group.forbidden_aggregates)
            offers = offers.only(outside).at(outside)
        allowed &= offers.anchors
        slots.append(Slot(judged.suffix, {name: group.resources[name]}, offers))
    wanted = [conditions.bearing_any(block, traits) for traits in group.required]
    for bearing in wanted:
        allowed &= np.logical_or.reduce([slot.offers.only(bearing).anchors for slot in slots])
    return Match(slots, allowed, wanted)


def _match_alone(block: Block, judged: _Judged, anchors: Mask) -> Match | None:
    """Match a suffixed group: one slot, filled by a provider that meets every condition itself."""
    group = judged.group
    if not asks(judged.suffix, group):
        return None  # Nothing answers it (the peer's rule).
    good = judged.scope & judged.inside & ~conditions.in_any(block, group.forbidden_aggregates)
    good &= conditions.bearing_all(block, group.required) & ~conditions.bearing_any(block, group.forbidden)
    for fits in judged.fitting.values():
        good &= fits
    offers = Offers.of(block, good, block.sharing)
    return Match((Slot(judged.suffix, group.resources, offers),), anchors & offers.anchors)
