"""Books in plain dicts that show a decision exactly what its scope named, and nothing more.

With them the pure ledger is tested without any store, and a scope that names too little makes `settle` fail. The
word of `Scope`'s contract is taken literally. It must not know the commands.
"""

from collections.abc import Iterable

import msgspec

from roost.ledger.world import Delta, Scope, World
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


class PlainBooks:
    """All there is, by name."""

    def __init__(self, classes: Iterable[ResourceClass], traits: Iterable[Trait]) -> None:
        self.providers: dict[ProviderUUID, Provider] = {}
        self.inventories: dict[ProviderUUID, dict[ResourceClass, Inventory]] = {}
        self.traits_of: dict[ProviderUUID, frozenset[Trait]] = {}
        self.aggregates_of: dict[ProviderUUID, frozenset[AggregateUUID]] = {}
        self.consumers: dict[ConsumerUUID, ConsumerState] = {}
        self.classes = set(classes)
        self.traits = set(traits)

    def usage(self, uuid: ProviderUUID) -> dict[ResourceClass, int]:
        """The sum of all claims; a class that nobody claims is absent."""
        usage: dict[ResourceClass, int] = {}
        for state in self.consumers.values():
            for name, amount in state.claim.get(uuid, {}).items():
                usage[name] = usage.get(name, 0) + amount
        return usage

    def read(self, scope: Scope) -> World:
        """What a scope names, of what is there."""
        consumers = {uuid: self.consumers[uuid] for uuid in scope.consumers if uuid in self.consumers}
        named = set(scope.providers | scope.trees | scope.stocks | scope.traits_of | scope.aggregates_of)
        named |= {uuid for state in consumers.values() for uuid in state.claim}
        roots = {self.providers[uuid].root for uuid in scope.trees if uuid in self.providers}
        named |= {uuid for uuid, provider in self.providers.items() if provider.root in roots}
        stocks = [uuid for uuid in scope.stocks if uuid in self.providers]
        classes, traits = scope.classes | scope.retiring_classes, scope.traits | scope.retiring_traits
        return World(
            providers={uuid: self.providers[uuid] for uuid in named if uuid in self.providers},
            inventories={uuid: dict(self.inventories[uuid]) for uuid in stocks},
            usage={uuid: self.usage(uuid) for uuid in stocks},
            traits_of={uuid: self.traits_of[uuid] for uuid in scope.traits_of if uuid in self.providers},
            aggregates_of={uuid: self.aggregates_of[uuid] for uuid in scope.aggregates_of if uuid in self.providers},
            consumers=consumers,
            bearers={
                provider.name: uuid
                for uuid, provider in self.providers.items()
                if provider.name in scope.provider_names
            },
            classes=frozenset(classes & self.classes),
            traits=frozenset(traits & self.traits),
            used_classes=frozenset(
                name for held in self.inventories.values() for name in held if name in scope.retiring_classes
            ),
            used_traits=frozenset(
                trait for borne in self.traits_of.values() for trait in borne if trait in scope.retiring_traits
            ),
        )

    def write(self, world: World, delta: Delta) -> None:
        """Make a decision so. It may touch only what was seen."""
        assert delta.advances.keys() <= world.providers.keys(), "advances an unseen provider"
        assert delta.inventories.keys() <= world.inventories.keys(), "restocks an unseen provider"
        for provider in delta.made:
            assert provider.uuid not in self.providers, "makes a provider that is there"
            assert provider.generation == 0, "makes a provider that has a past"
            self._place(provider)
        for provider in delta.changed:
            assert provider.generation == world.providers[provider.uuid].generation, "advances by replacing"
            self.providers[provider.uuid] = provider
        for uuid, by in delta.advances.items():
            assert by > 0, "advances by nothing"
            known = self.providers[uuid]
            self.providers[uuid] = msgspec.structs.replace(known, generation=Generation(known.generation + by))
        self.inventories |= {uuid: dict(held) for uuid, held in delta.inventories.items()}
        self.traits_of |= delta.traits_of
        self.aggregates_of |= delta.aggregates_of
        self._write_consumers(delta)
        self._write_names(delta)
        for uuid in delta.removed:
            for table in (self.providers, self.inventories, self.traits_of, self.aggregates_of):
                table.pop(uuid, None)

    def _place(self, provider: Provider) -> None:
        self.providers[provider.uuid] = provider
        self.inventories[provider.uuid] = {}
        self.traits_of[provider.uuid] = frozenset()
        self.aggregates_of[provider.uuid] = frozenset()

    def _write_consumers(self, delta: Delta) -> None:
        for uuid, state in delta.consumers.items():
            if state is None:
                assert uuid in self.consumers, "removes a consumer that isn't there"
                del self.consumers[uuid]
            else:
                assert state.consumer.uuid == uuid, "writes one consumer as another"
                self.consumers[uuid] = state

    def _write_names(self, delta: Delta) -> None:
        self.classes = (self.classes | set(delta.new_classes)) - set(delta.dropped_classes)
        self.traits = (self.traits | set(delta.new_traits)) - set(delta.dropped_traits)
        for old, new in delta.renamed_classes.items():
            self.classes = (self.classes - {old}) | {new}
            for uuid, held in self.inventories.items():
                self.inventories[uuid] = {new if name == old else name: value for name, value in held.items()}
            for consumer, state in self.consumers.items():
                claim = {
                    uuid: {new if name == old else name: amount for name, amount in resources.items()}
                    for uuid, resources in state.claim.items()
                }
                self.consumers[consumer] = msgspec.structs.replace(state, claim=claim)
