"""Which unknown name a search is refused for. A name is judged only if the search gets to it.

The order is part of the contract, because the one is a refusal and the other an empty answer: the root's traits, then
group by group: its classes, member_of, required traits, forbidden traits. A group that nothing serves ends the search
before the names in the next are looked at, and so do aggregates that nobody is in, and a root that isn't there.
"""

from collections.abc import Iterable

from roost.model.names import ResourceClass, Trait
from roost.model.refusals import UnknownClassInQuery, UnknownTraitInProviderQuery, UnknownTraitInQuery
from roost.search import conditions
from roost.search.matching import anchors_allowed, match
from roost.search.plan import Plan, batches
from roost.search.query import Group, Query
from roost.search.snapshot import Snapshot
from roost.search.work import Work


def refuse_unknown_class(snapshot: Snapshot, name: ResourceClass) -> None:
    """Refuse a class that doesn't exist."""
    if not snapshot.has_class(name):
        raise UnknownClassInQuery(name)


def refuse_unknown_traits(
    snapshot: Snapshot,
    traits: Iterable[Trait],
    refusal: type[UnknownTraitInQuery | UnknownTraitInProviderQuery] = UnknownTraitInQuery,
) -> None:
    """Refuse the first trait, in the order of the alphabet, that doesn't exist."""
    for trait in sorted(traits):
        if not snapshot.has_trait(trait):
            raise refusal(trait)


def refuse_unknown(snapshot: Snapshot, query: Query, work: Work) -> None:
    """Refuse the first unknown name that the search gets to."""
    refuse_unknown_traits(snapshot, query.root_required)
    refuse_unknown_traits(snapshot, query.root_forbidden)
    before: list[tuple[str, Group]] = []
    for suffix, group in query.groups.items():
        refusal = _refusal(snapshot, group)
        if refusal is not None:
            if _gets_past(snapshot, query, before, work):
                raise refusal
            return  # It gets to no name after this one either.
        before.append((suffix, group))


def _refusal(snapshot: Snapshot, group: Group) -> UnknownClassInQuery | UnknownTraitInQuery | None:
    try:
        for name in group.resources:
            refuse_unknown_class(snapshot, name)
        if group.member_of and not any(conditions.in_all(block, group.member_of).any() for block in snapshot.blocks):
            return None
        for traits in group.required:
            refuse_unknown_traits(snapshot, traits)
        refuse_unknown_traits(snapshot, group.forbidden)
    except (UnknownClassInQuery, UnknownTraitInQuery) as refusal:
        return refusal
    return None


def _gets_past(snapshot: Snapshot, query: Query, groups: Iterable[tuple[str, Group]], work: Work) -> bool:
    """Tell whether there are anchors, and each of these groups, taken by itself, is served somewhere."""
    if query.root_required or query.root_forbidden:
        anchors = (anchors_allowed(block, query.root_required, query.root_forbidden) for block in snapshot.blocks)
        if not any(allowed.any() for allowed in anchors):
            return False
    return all(_is_served(snapshot, query, suffix, group, work) for suffix, group in groups)


def _is_served(snapshot: Snapshot, query: Query, suffix: str, group: Group, work: Work) -> bool:
    for block in snapshot.blocks:
        found = match(block, suffix, group, anchors_allowed(block, query.root_required, query.root_forbidden), work)
        if found is not None and any(True for _ in batches([Plan(block, Query(groups={}), [found], work)])):
            return True
    return False
