"""Which providers may serve each group, and at which anchors. Judges all providers at once, and no combinations.

An *anchor* is the root of the tree that a candidate is for. A provider is offered at its own root and, if it shares
its inventory, at the roots of all trees that it shares an aggregate with. A *slot* is one provider to be chosen: each
class of the unsuffixed group is a slot, each suffixed group is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roost.model.names import ResourceClass, Trait
from roost.search import conditions
from roost.search.columns import Indexes, Mask
from roost.search.query import Group
from roost.search.snapshot import Snapshot

UNSUFFIXED = ""
"""The suffix of the one group that several providers may serve together."""


@dataclass(eq=False)
class Work:
    """How much a search has done so far: providers judged, assignments tried."""

    steps: int = 0


@dataclass(frozen=True, eq=False)
class Slot:
    """One provider to be chosen, and the offers: `providers[n]` at `anchors[n]`, no pair twice."""

    suffix: str
    demand: Mapping[ResourceClass, int]
    providers: Indexes
    anchors: Indexes

    def at(self, anchors: Mask) -> "Slot":
        """Keep the offers at these anchors."""
        kept = anchors[self.anchors]
        return Slot(self.suffix, self.demand, self.providers[kept], self.anchors[kept])


@dataclass(frozen=True, eq=False)
class Match:
    """What may serve one group."""

    slots: Sequence[Slot]
    anchors: Mask
    """Where each slot has an offer and, as far as single providers can tell, the required traits are to be had."""
    wanted: Sequence[Mask] = ()
    """For each set of traits that the chosen providers must bear *together*: the providers that bear one of it."""


def anchors_allowed(snapshot: Snapshot, required: frozenset[Trait], forbidden: frozenset[Trait]) -> Mask:
    """Mark the roots that bear all `required` and no `forbidden` traits. Unknown names: required ones first."""
    conditions.refuse_unknown_traits(snapshot, required)
    conditions.refuse_unknown_traits(snapshot, forbidden)
    bearing = conditions.bearing_all(snapshot, [frozenset({trait}) for trait in required])
    return snapshot.is_root & bearing & ~conditions.bearing_any(snapshot, forbidden)


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


def match(snapshot: Snapshot, suffix: str, group: Group, anchors: Mask, work: Work) -> Match | None:
    """Find what may serve one group at the anchors allowed; None if nothing does.

    The order of the checks is part of the contract, because an unknown name is refused only if it is reached:
    classes, member_of, required traits, forbidden traits, in_tree, room for each class.
    """
    for name in group.resources:
        conditions.refuse_unknown_class(snapshot, name)
    inside = conditions.in_all(snapshot, group.member_of)
    if group.member_of and not inside.any():
        return None
    for traits in group.required:
        conditions.refuse_unknown_traits(snapshot, traits)
    conditions.refuse_unknown_traits(snapshot, group.forbidden)
    scope = _scope(snapshot, group)
    fitting = {
        name: snapshot.mask(conditions.fitting(snapshot, name, amount)) & scope
        for name, amount in group.resources.items()
    }
    work.steps += snapshot.size * (1 + len(fitting))
    if not scope.any() or not all(fits.any() for fits in fitting.values()):
        return None
    judged = _Judged(suffix, group, scope, inside, fitting)
    found = (_match_together if suffix == UNSUFFIXED else _match_alone)(snapshot, judged, anchors)
    return found if found is not None and found.anchors.any() else None


def _scope(snapshot: Snapshot, group: Group) -> Mask:
    """Mark the providers that `in_tree` leaves: none if it names a provider that doesn't exist."""
    if group.in_tree is None:
        return np.ones(snapshot.size, dtype=np.bool_)
    member = snapshot.place.get(group.in_tree)
    return snapshot.mask() if member is None else snapshot.root == snapshot.root[member]


def _match_together(snapshot: Snapshot, judged: _Judged, anchors: Mask) -> Match | None:
    """Match the unsuffixed group: a slot for each class, filled from the anchor's tree or by a sharing provider.

    An aggregate on a root spans its tree: what counts is whether the provider *or its anchor* is a member. Only a
    provider that comes from outside the tree must be a member itself.
    """
    group, inside = judged.group, judged.inside
    if not group.resources:
        return None
    outside = conditions.in_any(snapshot, group.forbidden_aggregates)
    bearable = ~conditions.bearing_any(snapshot, group.forbidden)
    visiting = snapshot.sharing & inside if group.in_tree is None else snapshot.mask()
    allowed = anchors.copy()
    slots = []
    for name, fits in judged.fitting.items():
        good = fits & bearable
        providers, roots = _offers(snapshot, good, good & visiting)
        kept = (inside[providers] | inside[roots]) & ~(outside[providers] | outside[roots])
        slot = Slot(judged.suffix, {name: group.resources[name]}, providers[kept], roots[kept])
        allowed &= snapshot.mask(slot.anchors)
        slots.append(slot)
    wanted = [conditions.bearing_any(snapshot, traits) for traits in group.required]
    for bearing in wanted:
        allowed &= snapshot.mask(*(slot.anchors[bearing[slot.providers]] for slot in slots))
    return Match(slots, allowed, wanted)


def _match_alone(snapshot: Snapshot, judged: _Judged, anchors: Mask) -> Match | None:
    """Match a suffixed group: one slot, filled by a provider that meets every condition itself."""
    group = judged.group
    if not (group.resources or group.required or group.member_of):
        return None  # It asks for nothing that a provider could have, so nothing answers it (the peer's rule).
    good = judged.scope & judged.inside & ~conditions.in_any(snapshot, group.forbidden_aggregates)
    good &= conditions.bearing_all(snapshot, group.required) & ~conditions.bearing_any(snapshot, group.forbidden)
    for fits in judged.fitting.values():
        good &= fits
    slot = Slot(judged.suffix, group.resources, *_offers(snapshot, good, good & snapshot.sharing))
    return Match((slot,), anchors & snapshot.mask(slot.anchors))


def _offers(snapshot: Snapshot, good: Mask, visiting: Mask) -> tuple[Indexes, Indexes]:
    """Pair each good provider with its root, and each visiting one with the roots of the other trees it serves."""
    at_home = np.flatnonzero(good)
    providers, anchors = [at_home], [snapshot.root[at_home]]
    for provider in np.flatnonzero(visiting).tolist():
        served = snapshot.served_from(provider)
        providers.append(np.full(served.size, provider))
        anchors.append(served)
    return np.concatenate(providers), np.concatenate(anchors)
