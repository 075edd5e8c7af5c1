"""The brute-force oracle of searches: every root, every assignment of providers, every rule, nothing clever.

It must not import the engine nor its arithmetic. Its cost grows with the product of all choices, so it is for
clouds of some ten providers.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.query import Group, ProviderQuery, Query

ClaimRow: TypeAlias = tuple[ProviderUUID, ResourceClass, int]
MappingRow: TypeAlias = tuple[str, frozenset[ProviderUUID]]
Candidate: TypeAlias = tuple[frozenset[ClaimRow], frozenset[MappingRow]]
Answer: TypeAlias = tuple[set[Candidate], set[ProviderUUID]]

Serving: TypeAlias = tuple[tuple[ProviderUUID, ResourceClass | None], ...]
"""Which provider gives each class of one group; a resourceless group is given `None` by one provider."""


def candidates(
    states: Iterable[ProviderState],
    classes: Iterable[ResourceClass],
    traits: Iterable[Trait],
    query: Query,
) -> Answer:
    """Every candidate that meets every rule, its `limit` left aside, and the providers to summarise."""
    _refuse_unknown(classes, traits, query)
    cloud = Cloud.of(states)
    found = {candidate for anchor in cloud.roots() for candidate in _anchored(cloud, anchor, query)}
    if not query.nested:
        found = {candidate for candidate in found if not _uses_a_tree_twice(cloud, candidate)}
    return found, summaries(cloud, found, nested=query.nested)


def providers(
    states: Iterable[ProviderState],
    classes: Iterable[ResourceClass],
    traits: Iterable[Trait],
    query: ProviderQuery,
) -> set[ProviderUUID]:
    """Every provider that meets every condition by itself."""
    if unknown := sorted(set(query.resources) - set(classes)):
        raise refusals.UnknownClassInQuery(unknown[0])
    if unknown_traits := sorted(set(query.forbidden).union(*query.required) - set(traits)):
        raise refusals.UnknownTraitInProviderQuery(unknown_traits[0])
    cloud = Cloud.of(states)
    return {uuid for uuid in cloud.states if _fits_provider_query(cloud, uuid, query)}


@dataclass(frozen=True)
class Cloud:
    """All providers by uuid, and simple questions about them."""

    states: Mapping[ProviderUUID, ProviderState]

    @classmethod
    def of(cls, states: Iterable[ProviderState]) -> "Cloud":
        """The cloud that these providers make up."""
        return cls({state.uuid: state for state in states})

    def roots(self) -> list[ProviderUUID]:
        """The providers without a parent."""
        return [uuid for uuid, state in self.states.items() if state.provider.parent is None]

    def root_of(self, uuid: ProviderUUID) -> ProviderUUID:
        """The top of a provider's tree, found by climbing and not by what the provider says of it."""
        return self.lineage(uuid)[-1]

    def lineage(self, uuid: ProviderUUID) -> list[ProviderUUID]:
        """A provider, its parent, and so on to the root."""
        parent = self.states[uuid].provider.parent
        return [uuid] if parent is None else [uuid, *self.lineage(parent)]

    def traits(self, uuid: ProviderUUID) -> set[Trait]:
        """The traits of one provider."""
        return set(self.states[uuid].traits)

    def aggregates(self, uuid: ProviderUUID) -> set[AggregateUUID]:
        """The aggregates that one provider is itself a member of."""
        return set(self.states[uuid].aggregates)

    def shares(self, uuid: ProviderUUID) -> bool:
        """Whether a provider offers itself to those it shares an aggregate with."""
        return SHARES_VIA_AGGREGATE in self.traits(uuid)

    def reached_by_sharing(self, uuid: ProviderUUID) -> set[ProviderUUID]:
        """The roots of all trees with a member that a sharing provider shares an aggregate with."""
        if not self.shares(uuid):
            return set()
        return {self.root_of(other) for other in self.states if self.aggregates(other) & self.aggregates(uuid)}


def has_room(cloud: Cloud, uuid: ProviderUUID, resource_class: ResourceClass, amount: int) -> bool:
    """Whether a provider has an inventory of the class, and `amount` more fits in it and in one portion."""
    inventory = cloud.states[uuid].inventories.get(resource_class)
    if inventory is None:
        return False
    used = cloud.states[uuid].usage.get(resource_class, 0)
    return (
        used + amount <= _limit(inventory)
        and amount >= inventory.min_unit
        and amount <= inventory.max_unit
        and amount % inventory.step_size == 0
    )


def unsuffixed(cloud: Cloud, anchor: ProviderUUID, group: Group) -> Iterator[Serving]:
    """All ways to serve the group without a suffix under one root: each class by any one provider."""
    choices = [
        [
            (uuid, resource_class)
            for uuid in cloud.states
            if _may_serve_under(cloud, anchor, uuid, group) and has_room(cloud, uuid, resource_class, amount)
        ]
        for resource_class, amount in group.resources.items()
    ]
    for serving in itertools.product(*choices):
        together = set().union(*(cloud.traits(uuid) for uuid, _ in serving))
        if _meets_traits(together, group):
            yield serving


def suffixed(cloud: Cloud, anchor: ProviderUUID, group: Group) -> Iterator[Serving]:
    """All ways to serve a group with a suffix under one root: one provider for everything."""
    if not group.resources and not group.required and not group.member_of:
        return
    for uuid in cloud.states:
        if (
            anchor in {cloud.root_of(uuid)} | cloud.reached_by_sharing(uuid)
            and _in_tree(cloud, uuid, group.in_tree)
            and _meets_traits(cloud.traits(uuid), group)
            and _meets_aggregates(cloud.aggregates(uuid), group)
            and not cloud.aggregates(uuid) & group.forbidden_aggregates
            and all(has_room(cloud, uuid, resource_class, amount) for resource_class, amount in group.resources.items())
        ):
            yield tuple((uuid, resource_class) for resource_class in group.resources) or ((uuid, None),)


def summaries(cloud: Cloud, found: Iterable[Candidate], *, nested: bool) -> set[ProviderUUID]:
    """The providers to summarise beside these candidates."""
    used = {uuid for claim, _ in found for uuid, _, _ in claim}
    if not nested:
        return used
    trees = {cloud.root_of(uuid) for uuid in used}
    return {uuid for uuid in cloud.states if cloud.root_of(uuid) in trees}


def _anchored(cloud: Cloud, anchor: ProviderUUID, query: Query) -> Iterator[Candidate]:
    if not query.root_required <= cloud.traits(anchor) or query.root_forbidden & cloud.traits(anchor):
        return
    suffixes = list(query.groups)
    ways = [
        list(suffixed(cloud, anchor, group) if suffix else unsuffixed(cloud, anchor, group))
        for suffix, group in query.groups.items()
    ]
    for servings in itertools.product(*ways):
        chosen = dict(zip(suffixes, servings, strict=True))
        if _isolated(chosen, query) and _in_same_subtrees(cloud, chosen, query) and _fits(cloud, chosen, query):
            yield _candidate(chosen, query)


def _may_serve_under(cloud: Cloud, anchor: ProviderUUID, uuid: ProviderUUID, group: Group) -> bool:
    own = cloud.root_of(uuid) == anchor
    if not own:
        if group.in_tree is not None or anchor not in cloud.reached_by_sharing(uuid):
            return False
        if not _meets_aggregates(cloud.aggregates(uuid), group):
            return False
    return (
        _in_tree(cloud, uuid, group.in_tree)
        and (_meets_aggregates(cloud.aggregates(uuid), group) or _meets_aggregates(cloud.aggregates(anchor), group))
        and not cloud.aggregates(uuid) & group.forbidden_aggregates
        and not cloud.aggregates(anchor) & group.forbidden_aggregates
    )


def _in_tree(cloud: Cloud, uuid: ProviderUUID, member: ProviderUUID | None) -> bool:
    if member is None:
        return True
    return member in cloud.states and cloud.root_of(member) == cloud.root_of(uuid)


def _meets_traits(borne: set[Trait], group: Group | ProviderQuery) -> bool:
    return all(borne & choice for choice in group.required) and not borne & group.forbidden


def _meets_aggregates(joined: set[AggregateUUID], group: Group | ProviderQuery) -> bool:
    return all(joined & choice for choice in group.member_of)


def _isolated(chosen: Mapping[str, Serving], query: Query) -> bool:
    if query.group_policy != "isolate":
        return True
    taken = [serving[0][0] for suffix, serving in chosen.items() if suffix]
    return len(taken) == len(set(taken))


def _in_same_subtrees(cloud: Cloud, chosen: Mapping[str, Serving], query: Query) -> bool:
    for suffixes in query.same_subtrees:
        members = {uuid for suffix in suffixes for uuid, _ in chosen[suffix]}
        if not any(all(top in cloud.lineage(uuid) for uuid in members) for top in members):
            return False
    return True


def _claim(chosen: Mapping[str, Serving], query: Query) -> dict[tuple[ProviderUUID, ResourceClass], int]:
    claim: dict[tuple[ProviderUUID, ResourceClass], int] = {}
    for suffix, serving in chosen.items():
        for uuid, resource_class in serving:
            if resource_class is not None:
                amount = query.groups[suffix].resources[resource_class]
                claim[uuid, resource_class] = claim.get((uuid, resource_class), 0) + amount
    return claim


def _fits(cloud: Cloud, chosen: Mapping[str, Serving], query: Query) -> bool:
    for (uuid, resource_class), amount in _claim(chosen, query).items():
        inventory = cloud.states[uuid].inventories[resource_class]
        used = cloud.states[uuid].usage.get(resource_class, 0)
        if used + amount > _limit(inventory) or amount > inventory.max_unit:
            return False
    return True


def _candidate(chosen: Mapping[str, Serving], query: Query) -> Candidate:
    claim = frozenset((uuid, name, amount) for (uuid, name), amount in _claim(chosen, query).items())
    mappings = frozenset((suffix, frozenset(uuid for uuid, _ in serving)) for suffix, serving in chosen.items())
    return claim, mappings


def _uses_a_tree_twice(cloud: Cloud, candidate: Candidate) -> bool:
    used = {uuid for uuid, _, _ in candidate[0]}
    return len({cloud.root_of(uuid) for uuid in used}) < len(used)


def _fits_provider_query(cloud: Cloud, uuid: ProviderUUID, query: ProviderQuery) -> bool:
    state = cloud.states[uuid]
    return (
        (query.name is None or state.provider.name == query.name)
        and (query.uuid is None or uuid == query.uuid)
        and _in_tree(cloud, uuid, None if query.in_tree is None else ProviderUUID(query.in_tree))
        and _meets_traits(cloud.traits(uuid), query)
        and _meets_aggregates(cloud.aggregates(uuid), query)
        and not cloud.aggregates(uuid) & query.forbidden_aggregates
        and all(has_room(cloud, uuid, name, amount) for name, amount in query.resources.items())
    )


def _limit(inventory: Inventory) -> Fraction:
    """The API's capacity is a product of doubles; from there on nothing is rounded."""
    return Fraction(float(inventory.total - inventory.reserved) * inventory.allocation_ratio)


def _refuse_unknown(classes: Iterable[ResourceClass], traits: Iterable[Trait], query: Query) -> None:
    groups: Sequence[Group] = list(query.groups.values())
    asked = {resource_class for group in groups for resource_class in group.resources}
    if unknown := sorted(asked - set(classes)):
        raise refusals.UnknownClassInQuery(unknown[0])
    named = set(query.root_required | query.root_forbidden)
    for group in groups:
        named |= group.forbidden.union(*group.required)
    if unknown_traits := sorted(named - set(traits)):
        raise refusals.UnknownTraitInQuery(unknown_traits[0])
