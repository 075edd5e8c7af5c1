"""The books of the store in memory: what is stored, and what a reader answers of it. Knows no writer."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime

from msgspec.structs import replace

from roost.model.consumer import ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerUUID,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    Trait,
    UserID,
    is_custom,
)
from roost.model.provider import Provider, ProviderState
from roost.storage.port import (
    Allocation,
    Change,
    ChangesForgotten,
    Named,
    ProjectUsage,
    Stock,
    Told,
)


class Books:
    """All that is stored. A copy shares every value and no mapping."""

    def __init__(self) -> None:
        self.providers: dict[ProviderUUID, Provider] = {}
        self.stocks: dict[ProviderUUID, dict[ResourceClass, Stock]] = {}
        self.traits_of: dict[ProviderUUID, frozenset[Trait]] = {}
        self.aggregates_of: dict[ProviderUUID, frozenset[AggregateUUID]] = {}
        self.consumers: dict[ConsumerUUID, ConsumerState] = {}
        self.claimed: dict[tuple[ConsumerUUID, ProviderUUID, ResourceClass], datetime] = {}
        """When each allocation was made."""
        self.classes: dict[str, Named] = {}
        self.traits: dict[str, Named] = {}
        self.changes: list[Change] = []
        self.version = 0
        self.forgotten = 0
        """The newest version of which changes were removed."""

    def __copy__(self) -> "Books":
        twin = Books()
        vars(twin).update({name: copy(value) for name, value in vars(self).items()})
        return twin

    def usage(self) -> dict[ProviderUUID, dict[ResourceClass, int]]:
        """The sum of all claims."""
        usage: dict[ProviderUUID, dict[ResourceClass, int]] = {}
        for state in self.consumers.values():
            for provider, resources in state.claim.items():
                sums = usage.setdefault(provider, {})
                for name, used in resources.items():
                    sums[name] = sums.get(name, 0) + used
        return usage

    def inventories(self, uuid: ProviderUUID) -> dict[ResourceClass, Inventory]:
        """The inventories of one provider."""
        return {name: stock.inventory for name, stock in self.stocks.get(uuid, {}).items()}

    def ordered_traits(self, uuid: ProviderUUID) -> tuple[Trait, ...]:
        """A provider's traits in order of the traits' making, standard ones first."""
        worn = self.traits_of.get(uuid, frozenset())
        return tuple(sorted((Trait(name) for name in self.traits if name in worn), key=is_custom))


class MemoryReader:
    """Implements `roost.storage.port.Reader`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def provider(self, uuid: str) -> Provider | None:
        """The provider with exactly this uuid text."""
        return self._books.providers.get(ProviderUUID(uuid))

    def providers(
        self, *, name: str | None = None, uuid: str | None = None, in_tree: str | None = None
    ) -> Sequence[Provider]:
        """The providers that meet all the conditions given, in order of making."""
        member = None if in_tree is None else self.provider(in_tree)
        if in_tree is not None and member is None:
            return []
        return [
            each
            for each in self._books.providers.values()
            if name in {None, each.name} and uuid in {None, each.uuid} and (member is None or member.root == each.root)
        ]

    def stocks(self, uuid: ProviderUUID) -> Sequence[Stock]:
        """The inventory records of one provider, in order of making."""
        return list(self._books.stocks.get(uuid, {}).values())

    def usage(self, uuid: ProviderUUID) -> dict[ResourceClass, int]:
        """The usage of each class of the provider's inventories, 0 included."""
        used = self._books.usage().get(uuid, {})
        return {name: used.get(name, 0) for name in self._books.stocks.get(uuid, {})}

    def aggregates(self, uuid: ProviderUUID) -> Sequence[AggregateUUID]:
        """The aggregates that a provider is a member of."""
        return sorted(self._books.aggregates_of.get(uuid, frozenset()))

    def provider_traits(self, uuid: ProviderUUID) -> Sequence[Named]:
        """The traits of one provider, in order of the traits' making."""
        worn = self._books.traits_of.get(uuid, frozenset())
        return [trait for name, trait in self._books.traits.items() if name in worn]

    def provider_allocations(self, uuid: ProviderUUID) -> Sequence[Allocation]:
        """Every allocation on one provider."""
        return [each for each in self._allocations(self._books.consumers) if each.provider.uuid == uuid]

    def consumer_allocations(self, uuid: str) -> Sequence[Allocation]:
        """Every allocation of one consumer; its record is in each of them."""
        return [each for each in self._allocations([ConsumerUUID(uuid)]) if each.consumer.uuid == uuid]

    def project_usages(self, project: ProjectID, user: UserID | None = None) -> Sequence[ProjectUsage]:
        """A project's usage by consumer type, of all its users or of one."""
        by_type: dict[str | None, list[ConsumerState]] = {}
        for state in self._books.consumers.values():
            if state.consumer.project == project and user in {None, state.consumer.user}:
                by_type.setdefault(state.consumer.type, []).append(state)
        usages = []
        for states in by_type.values():
            usage: dict[ResourceClass, int] = {}
            for state in states:
                for resources in state.claim.values():
                    for name, used in resources.items():
                        usage[name] = usage.get(name, 0) + used
            usages.append(ProjectUsage(type=states[0].consumer.type, consumers=len(states), usage=usage))
        return usages

    def resource_classes(self, names: Iterable[str] | None = None) -> Sequence[Named]:
        """All resource classes, or those of the names given, in order of their ids."""
        wanted = self._books.classes.keys() if names is None else set(names)
        return [each for name, each in self._books.classes.items() if name in wanted]

    def traits(
        self, *, names: Iterable[str] | None = None, prefix: str | None = None, associated: bool | None = None
    ) -> Sequence[Named]:
        """The traits that meet all the conditions given, in order of making."""
        wanted = self._books.traits.keys() if names is None else set(names)
        worn = frozenset[str]().union(*self._books.traits_of.values())
        return [
            each
            for name, each in self._books.traits.items()
            if name in wanted and name.startswith(prefix or "") and (associated is None or associated == (name in worn))
        ]

    def cloud(self, told: Told | None = None) -> Sequence[ProviderState]:  # noqa: ARG002 - it takes no time to tell of
        """Every provider with all that searches ask of it, in order of making."""
        return self.states(self._books.providers)

    def states(self, uuids: Iterable[str]) -> Sequence[ProviderState]:
        """Those of the providers named that exist, as in `cloud`."""
        wanted, usage = set(uuids), self._books.usage()
        return [
            ProviderState(
                provider=provider,
                inventories=self._books.inventories(uuid),
                usage=usage.get(uuid, {}),
                traits=self._books.ordered_traits(uuid),
                aggregates=self._books.aggregates_of.get(uuid, frozenset()),
            )
            for uuid, provider in self._books.providers.items()
            if uuid in wanted
        ]

    def with_usage(self, states: Iterable[ProviderState]) -> Sequence[ProviderState]:
        """Those of the same providers that still exist, each with what a claim changes as it is now."""
        books, usage = self._books, self._books.usage()
        return [
            replace(
                state,
                provider=replace(state.provider, generation=provider.generation, modified=provider.modified),
                usage=usage.get(state.uuid, {}),
            )
            for state in states
            if (provider := books.providers.get(state.uuid)) is not None
        ]

    def versions(self) -> Mapping[int, int]:
        """The version of the one stripe that all trees belong to here."""
        return {0: self._books.version}

    def changes(self, since: Mapping[int, int]) -> Sequence[Change]:
        """What was changed after this version, in the order of commits."""
        if since.get(0, self._books.forgotten) < self._books.forgotten:
            raise ChangesForgotten({0})
        return [each for each in self._books.changes if each.version > since.get(each.stripe, each.version)]

    def changed(self, since: Mapping[int, int]) -> Mapping[str, frozenset[str]]:
        """The providers that were changed after this version, and the words for what was."""
        words: dict[str, frozenset[str]] = {}
        for change in self.changes(since):
            if change.kind == "provider":
                words[change.uuid] = words.get(change.uuid, frozenset()).union(change.what.split(","))
        return words

    def _allocations(self, consumers: Iterable[ConsumerUUID]) -> Iterable[Allocation]:
        books = self._books
        for uuid in consumers:
            if (state := books.consumers.get(uuid)) is None:
                continue
            for provider, resources in state.claim.items():
                for name, used in resources.items():
                    yield Allocation(
                        provider=books.providers[provider],
                        consumer=state.consumer,
                        resource_class=name,
                        used=used,
                        modified=books.claimed[uuid, provider, name],
                    )
