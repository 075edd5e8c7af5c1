"""The whole cloud at one moment, laid out for searching. Knows no queries, and not where it came from."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self, TypeVar

import numpy as np

from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.columns import Column, Indexes, Mask, columns

Name = TypeVar("Name")

NOWHERE = -1
"""The place of a parent that isn't there."""

NONE: Indexes = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """All providers, each at a fixed place (an index), in the order of their making. Immutable by convention."""

    states: tuple[ProviderState, ...]
    uuids: tuple[ProviderUUID, ...]
    classes: frozenset[ResourceClass]
    """All classes that exist, also those that no provider has."""
    traits: frozenset[Trait]
    """All traits that exist, also those that no provider bears."""
    place: Mapping[ProviderUUID, int]
    parents: tuple[int, ...]
    root: Indexes
    columns: Mapping[str, Column]
    bearers: Mapping[Trait, Indexes]
    """The providers that bear a trait."""
    members: Mapping[AggregateUUID, Indexes]
    """The providers in an aggregate."""
    told: tuple[frozenset[ResourceClass], frozenset[Trait]]
    """The names that are known to exist whether or not a provider has them."""
    _served: dict[int, Indexes] = field(default_factory=dict)
    _lines: dict[int, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, states: Iterable[ProviderState], classes: Iterable[ResourceClass], traits: Iterable[Trait]) -> Self:
        """Lay out `states`. `classes` and `traits` are all names that exist; what a provider has exists anyway."""
        states = tuple(states)
        place = {state.uuid: index for index, state in enumerate(states)}
        by_class = columns(states)
        told = frozenset(classes), frozenset(traits)
        bearers = _places((trait, index) for index, state in enumerate(states) for trait in state.traits)
        return cls(
            states=states,
            uuids=tuple(place),
            classes=told[0] | {ResourceClass(name) for name in by_class},
            traits=told[1] | bearers.keys(),
            place=place,
            parents=tuple(
                place.get(state.provider.parent, NOWHERE) if state.provider.parent else NOWHERE for state in states
            ),
            root=np.array([place[state.provider.root] for state in states], dtype=np.int64),
            columns=by_class,
            bearers=bearers,
            members=_places((aggregate, index) for index, state in enumerate(states) for aggregate in state.aggregates),
            told=told,
        )

    def after(self, changes: Mapping[ProviderUUID, ProviderState | None]) -> Self:
        """The next snapshot: each provider named is replaced where it stands, added at the end or, if None, removed.

        What was told of names stays told; a name that only a provider had goes with it.
        """
        kept = [changes.get(state.uuid, state) for state in self.states]
        added = [state for uuid, state in changes.items() if uuid not in self.place]
        return self.of((state for state in [*kept, *added] if state is not None), *self.told)

    def knowing(self, classes: Collection[ResourceClass], traits: Collection[Trait]) -> Self:
        """The same cloud, where these names exist too."""
        return replace(
            self,
            classes=self.classes | frozenset(classes),
            traits=self.traits | frozenset(traits),
            told=(self.told[0] | frozenset(classes), self.told[1] | frozenset(traits)),
        )

    @property
    def size(self) -> int:
        """How many providers there are."""
        return len(self.states)

    @cached_property
    def sharing(self) -> Mask:
        """The providers whose inventory may serve other trees."""
        return self.mask(self.bearers.get(SHARES_VIA_AGGREGATE, NONE))

    @cached_property
    def is_root(self) -> Mask:
        """The roots of the trees."""
        is_root: Mask = self.root == np.arange(self.size)
        return is_root

    @cached_property
    def names(self) -> Mapping[str, int]:
        """The places of the providers by name."""
        return {state.provider.name: index for index, state in enumerate(self.states)}

    def has_class(self, name: ResourceClass) -> bool:
        """Whether a class exists; what a provider has exists anyway."""
        return name in self.classes

    def has_trait(self, name: Trait) -> bool:
        """Whether a trait exists; what a provider bears exists anyway."""
        return name in self.traits

    def mask(self, *places: Indexes) -> Mask:
        """Mark these places."""
        marked = np.zeros(self.size, dtype=np.bool_)
        for indexes in places:
            marked[indexes] = True
        return marked

    def served_from(self, provider: int) -> Indexes:
        """Find the roots of the *other* trees that a sharing provider may serve: those it shares an aggregate with."""
        served = self._served.get(provider)
        if served is None:
            trees = self.mask(*(self.root[self.members[name]] for name in self.states[provider].aggregates))
            trees[self.root[provider]] = False
            served = self._served[provider] = np.flatnonzero(trees)
        return served

    def line(self, provider: int) -> frozenset[int]:
        """Find a provider's ancestors, itself among them. Ends also where a damaged database has a loop."""
        known = self._lines.get(provider)
        if known is not None:
            return known
        line: set[int] = set()
        ancestor = provider
        while ancestor != NOWHERE and ancestor not in line:
            line.add(ancestor)
            ancestor = self.parents[ancestor]
        known = self._lines[provider] = frozenset(line)
        return known


def _places(pairs: Iterable[tuple[Name, int]]) -> Mapping[Name, Indexes]:
    places: dict[Name, list[int]] = {}
    for name, index in pairs:
        places.setdefault(name, []).append(index)
    return {name: np.array(indexes, dtype=np.int64) for name, indexes in places.items()}
