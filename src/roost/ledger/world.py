"""What a decision sees (`Scope`, `World`) and what it says (`Delta`).

A store reads the world that a scope names, under locks, and writes the delta. It must not know the commands
between the two; they are the business of `ledger.settle`.
"""

from collections.abc import Mapping

import msgspec

from roost.model.consumer import ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerUUID,
    Generation,
    ProviderUUID,
    ResourceClass,
    Trait,
)
from roost.model.provider import Provider


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision must see. Nobody else can change any of it until the decision is written.

    Every provider named here, and every provider on which a consumer named here holds something, has its whole
    tree locked, and its record stands in `World.providers` if it exists.
    """

    providers: frozenset[ProviderUUID] = frozenset()
    """Whose records are needed, and no more."""
    trees: frozenset[ProviderUUID] = frozenset()
    """Providers for which the records of all members of their tree are needed."""
    stocks: frozenset[ProviderUUID] = frozenset()
    """Whose inventories and usage, of every class, are needed."""
    traits_of: frozenset[ProviderUUID] = frozenset()
    aggregates_of: frozenset[ProviderUUID] = frozenset()
    consumers: frozenset[ConsumerUUID] = frozenset()
    """Whose records and whole claims are needed."""
    provider_names: frozenset[str] = frozenset()
    """Provider names of which it must be known who bears them."""
    classes: frozenset[ResourceClass] = frozenset()
    """Names of which it must be known whether they are resource classes."""
    traits: frozenset[Trait] = frozenset()
    """Names of which it must be known whether they are traits."""
    retiring_classes: frozenset[ResourceClass] = frozenset()
    """Like `classes`; and whether any inventory uses them, and nobody may begin to."""
    retiring_traits: frozenset[Trait] = frozenset()
    """Like `traits`; and whether any provider bears them, and nobody may begin to."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a scope. What does not exist is absent."""

    providers: Mapping[ProviderUUID, Provider] = {}
    inventories: Mapping[ProviderUUID, Mapping[ResourceClass, Inventory]] = {}
    """For each existing provider of `Scope.stocks`; an empty mapping where it has none."""
    usage: Mapping[ProviderUUID, Mapping[ResourceClass, int]] = {}
    """For each existing provider of `Scope.stocks`: the sum of all claims; a class that nobody claims is absent."""
    traits_of: Mapping[ProviderUUID, frozenset[Trait]] = {}
    aggregates_of: Mapping[ProviderUUID, frozenset[AggregateUUID]] = {}
    consumers: Mapping[ConsumerUUID, ConsumerState] = {}
    bearers: Mapping[str, ProviderUUID] = {}
    """Who bears each provider name of `Scope.provider_names`."""
    classes: frozenset[ResourceClass] = frozenset()
    traits: frozenset[Trait] = frozenset()
    used_classes: frozenset[ResourceClass] = frozenset()
    used_traits: frozenset[Trait] = frozenset()

    def generation(self, uuid: ProviderUUID, delta: "Delta") -> Generation:
        """A provider's generation once `delta` is written."""
        return Generation(self.providers[uuid].generation + delta.advances.get(uuid, 0))


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision changes: absolute values, and how far generations advance. An empty delta changes nothing."""

    made: tuple[Provider, ...] = ()
    """New providers, with generation 0."""
    changed: tuple[Provider, ...] = ()
    """Providers whose name, parent or root is replaced; their generation is advanced by `advances` alone."""
    removed: frozenset[ProviderUUID] = frozenset()
    """Providers that go, with their inventories, traits and aggregates."""
    advances: Mapping[ProviderUUID, int] = {}
    inventories: Mapping[ProviderUUID, Mapping[ResourceClass, Inventory]] = {}
    """The whole new inventories of a provider."""
    traits_of: Mapping[ProviderUUID, frozenset[Trait]] = {}
    aggregates_of: Mapping[ProviderUUID, frozenset[AggregateUUID]] = {}
    consumers: Mapping[ConsumerUUID, ConsumerState | None] = {}
    """The whole new state of a consumer, its generation included; None where it goes, with all it held."""
    new_classes: tuple[ResourceClass, ...] = ()
    renamed_classes: Mapping[ResourceClass, ResourceClass] = {}
    dropped_classes: tuple[ResourceClass, ...] = ()
    new_traits: tuple[Trait, ...] = ()
    dropped_traits: tuple[Trait, ...] = ()
