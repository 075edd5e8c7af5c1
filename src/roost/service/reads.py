"""Questions about the books, one function per use case; each is answered from one consistent moment."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import msgspec

from roost.mirror.mirror import Mirror
from roost.model import refusals
from roost.model.names import AggregateUUID, ProjectID, ResourceClass, Trait, UserID
from roost.model.provider import Provider
from roost.search.answer import Candidates
from roost.search.candidates import Draw, candidates
from roost.search.explain import explain
from roost.search.explanation import Explanation
from roost.search.fit import Fit, fit
from roost.search.providers import providers
from roost.search.query import ProviderQuery, Query, Strategy
from roost.search.snapshot import Snapshot
from roost.storage.port import Allocation, Named, ProjectUsage, Reader, Stock, Store

T = TypeVar("T")


class OfProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to a provider, with the provider as it was at the same moment."""

    provider: Provider


class ProviderStocks(OfProvider, frozen=True, kw_only=True):
    """A provider's inventories."""

    stocks: Sequence[Stock]


class ProviderUsage(OfProvider, frozen=True, kw_only=True):
    """A provider's usage, of each class that it has an inventory of."""

    usage: dict[ResourceClass, int]


class ProviderAggregates(OfProvider, frozen=True, kw_only=True):
    """A provider's aggregates."""

    aggregates: Sequence[AggregateUUID]


class ProviderTraits(OfProvider, frozen=True, kw_only=True):
    """A provider's traits."""

    traits: Sequence[Named]


class ProviderAllocations(OfProvider, frozen=True, kw_only=True):
    """The claims on a provider."""

    allocations: Sequence[Allocation]


def show_provider(
    store: Store, uuid: str, unknown: type[refusals.UnknownProvider] = refusals.UnknownProvider
) -> Provider:
    """One provider. Refuses with `unknown` where there is none."""
    return store.read(lambda reader: _provider(reader, uuid, unknown))


def list_providers(store: Store, mirror: Mirror, query: ProviderQuery) -> Sequence[Provider]:
    """The providers that meet every condition of the query."""
    if query == ProviderQuery(name=query.name, uuid=query.uuid, in_tree=query.in_tree):
        return store.read(lambda reader: reader.providers(name=query.name, uuid=query.uuid, in_tree=query.in_tree))
    snapshot = _snapshot(mirror, query.resources.keys(), query.forbidden.union(*query.required))
    return providers(snapshot, query)


def find_candidates(mirror: Mirror, query: Query, strategy: Strategy, draw: Draw | None) -> Candidates:
    """Where the request would fit."""
    return candidates(_snapshot_for(mirror, query), query, strategy, draw)


def explain_candidates(mirror: Mirror, query: Query, strategy: Strategy) -> Explanation:
    """Why a search for candidates finds what it finds."""
    return explain(_snapshot_for(mirror, query), query, strategy)


def fit_candidates(mirror: Mirror, query: Query, strategy: Strategy) -> Fit:
    """How often the request would fit."""
    return fit(_snapshot_for(mirror, query), query, strategy)


def _snapshot_for(mirror: Mirror, query: Query) -> Snapshot:
    groups = query.groups.values()
    classes = {name for group in groups for name in group.resources}
    traits = (query.root_required | query.root_forbidden).union(
        *(group.forbidden.union(*group.required) for group in groups)
    )
    return _snapshot(mirror, classes, traits)


def _snapshot(mirror: Mirror, classes: Collection[ResourceClass], traits: Collection[Trait]) -> Snapshot:
    """The cloud for a search that uses these names, which all are known in it if they exist.

    No stripe's version moves with a name that nobody has, so that the mirror can't vouch for it. Then the store is
    asked, for the same moment: a class that is renamed must not seem to exist without those that have it.
    """
    snapshot = mirror.snapshot()
    strange_classes = {name for name in classes if not snapshot.has_class(name)}
    strange_traits = {name for name in traits if not snapshot.has_trait(name)}
    if not (strange_classes or strange_traits):
        return snapshot

    def existing(reader: Reader) -> tuple[Sequence[Named], Sequence[Named]]:
        return (
            reader.resource_classes(strange_classes) if strange_classes else (),
            reader.traits(names=strange_traits) if strange_traits else (),
        )

    snapshot, (known_classes, known_traits) = mirror.together(existing)
    return snapshot.knowing(
        [ResourceClass(known.name) for known in known_classes], [Trait(known.name) for known in known_traits]
    )


def inventories_of(store: Store, uuid: str) -> ProviderStocks:
    """A provider's inventories."""
    return _about(
        store,
        uuid,
        refusals.UnknownProviderOfInventories,
        lambda reader, provider: ProviderStocks(provider=provider, stocks=reader.stocks(provider.uuid)),
    )


def usage_of(store: Store, uuid: str) -> ProviderUsage:
    """A provider's usage."""
    return _about(
        store,
        uuid,
        refusals.UnknownProviderOfUsages,
        lambda reader, provider: ProviderUsage(provider=provider, usage=reader.usage(provider.uuid)),
    )


def aggregates_of(store: Store, uuid: str) -> ProviderAggregates:
    """A provider's aggregates."""
    return _about(
        store,
        uuid,
        refusals.UnknownProvider,
        lambda reader, provider: ProviderAggregates(provider=provider, aggregates=reader.aggregates(provider.uuid)),
    )


def traits_of(store: Store, uuid: str) -> ProviderTraits:
    """A provider's traits."""
    return _about(
        store,
        uuid,
        refusals.UnknownProviderOfUsages,
        lambda reader, provider: ProviderTraits(provider=provider, traits=reader.provider_traits(provider.uuid)),
    )


def allocations_on(store: Store, uuid: str) -> ProviderAllocations:
    """The claims on a provider."""
    return _about(
        store,
        uuid,
        refusals.UnknownProviderOfAllocations,
        lambda reader, provider: ProviderAllocations(
            provider=provider, allocations=reader.provider_allocations(provider.uuid)
        ),
    )


def allocations_of(store: Store, consumer: str) -> Sequence[Allocation]:
    """What a consumer holds; nothing where it does not exist."""
    return store.read(lambda reader: reader.consumer_allocations(consumer))


def usages_of_project(store: Store, project: ProjectID, user: UserID | None) -> Sequence[ProjectUsage]:
    """What a project, or one user in it, holds in all, by consumer type."""
    return store.read(lambda reader: reader.project_usages(project, user))


def list_traits(
    store: Store, names: Sequence[str] | None = None, prefix: str | None = None, *, associated: bool | None = None
) -> Sequence[Named]:
    """The traits that meet every condition."""
    return store.read(lambda reader: reader.traits(names=names, prefix=prefix, associated=associated))


def show_trait(store: Store, name: str) -> Named:
    """One trait."""
    found = list_traits(store, [name])
    if not found:
        raise refusals.UnknownTrait(name)
    return found[0]


def list_resource_classes(store: Store) -> Sequence[Named]:
    """All resource classes."""
    return store.read(lambda reader: reader.resource_classes())


def show_resource_class(store: Store, name: str) -> Named:
    """One resource class."""
    found = store.read(lambda reader: reader.resource_classes([name]))
    if not found:
        raise refusals.UnknownClass(name)
    return found[0]


def _about(
    store: Store, uuid: str, unknown: type[refusals.UnknownProvider], answer: Callable[[Reader, Provider], T]
) -> T:
    return store.read(lambda reader: answer(reader, _provider(reader, uuid, unknown)))


def _provider(reader: Reader, uuid: str, unknown: type[refusals.UnknownProvider]) -> Provider:
    provider = reader.provider(uuid)
    if provider is None:
        raise unknown(uuid)
    return provider
