"""A naive model of the books: plain dicts, one function for each request, usage added up anew at every look.

It is written from the API's rules and must not import the ledger's own. A request is a command of
`roost.ledger.commands` (the types alone); an outcome is "ok" or the kind of the refusal. A refused request leaves
the state as it was, because every step works on a copy.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from msgspec import UNSET

from roost.ledger import commands as c
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerType,
    ConsumerUUID,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    Trait,
    UserID,
)

T = TypeVar("T")

OK = "ok"


@dataclass
class Provider:
    """One provider and all that is said of it."""

    name: str
    parent: ProviderUUID | None
    generation: int = 0
    inventories: dict[ResourceClass, Inventory] = field(default_factory=dict)
    traits: set[Trait] = field(default_factory=set)
    aggregates: set[AggregateUUID] = field(default_factory=set)


@dataclass
class Consumer:
    """One consumer and what it holds: amounts by provider and class."""

    generation: int
    project: ProjectID
    user: UserID
    type: ConsumerType | None
    claim: dict[ProviderUUID, dict[ResourceClass, int]]


@dataclass
class Books:
    """The whole state."""

    classes: set[ResourceClass]
    traits: set[Trait]
    standard: frozenset[str] = frozenset()
    """The names, of classes and traits, that can't be taken away."""
    providers: dict[ProviderUUID, Provider] = field(default_factory=dict)
    consumers: dict[ConsumerUUID, Consumer] = field(default_factory=dict)

    def lineage(self, uuid: ProviderUUID) -> list[ProviderUUID]:
        """A provider, its parent, and so on to the root."""
        line = [uuid]
        while (parent := self.providers[line[-1]].parent) is not None:
            line.append(parent)
        return line

    def used(self, provider: ProviderUUID, resource_class: ResourceClass) -> int:
        """The sum of all claims on one provider and class."""
        return sum(consumer.claim.get(provider, {}).get(resource_class, 0) for consumer in self.consumers.values())

    def used_classes(self, provider: ProviderUUID) -> set[ResourceClass]:
        """The classes of a provider that somebody holds some of."""
        return {name for consumer in self.consumers.values() for name in consumer.claim.get(provider, {})}


class Refused(Exception):
    """Why a request changes nothing."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def step(books: Books, request: Any) -> tuple[Books, str]:
    """What the books are after a request, and what the client is told."""
    after = copy.deepcopy(books)
    try:
        RULES[type(request)](after, request)
    except Refused as refused:
        return books, refused.kind
    return after, OK


def must(condition: object, kind: str) -> None:
    """Refuse unless something is so."""
    if not condition:
        raise Refused(kind)


# ---------------------------------------------------------------------------------------------------- providers


def create_provider(books: Books, request: c.CreateProvider) -> None:
    """A new provider has nothing, and generation 0."""
    must(request.name, "no_name")
    must(request.parent != request.uuid, "own_parent")
    must(request.parent is None or request.parent in books.providers, "unknown_parent")
    must(request.name not in {provider.name for provider in books.providers.values()}, "name_taken")
    must(request.uuid not in books.providers, "uuid_taken")
    books.providers[request.uuid] = Provider(name=request.name, parent=request.parent)


def update_provider(books: Books, request: c.UpdateProvider) -> None:
    """A rename or a move keeps the generation; whatever stands below moves along."""
    must(request.uuid in books.providers, "unknown_provider")
    provider = books.providers[request.uuid]
    if request.parent is not UNSET and request.parent is not None:
        must(request.parent in books.providers, "unknown_parent")
        must(request.may_reparent or provider.parent in {None, request.parent}, "may_not_move")
        must(request.uuid not in books.lineage(request.parent), "loop")
    if request.parent is None:
        must(request.may_reparent or provider.parent is None, "may_not_move")
    others = {other.name for uuid, other in books.providers.items() if uuid != request.uuid}
    must(request.name not in others, "name_taken")
    provider.name = request.name
    if request.parent is not UNSET:
        provider.parent = request.parent


def delete_provider(books: Books, request: c.DeleteProvider) -> None:
    """Only a leaf without claims can go."""
    must(request.uuid in books.providers, "unknown_provider")
    must(all(provider.parent != request.uuid for provider in books.providers.values()), "has_children")
    must(not books.used_classes(request.uuid), "in_use")
    del books.providers[request.uuid]


# -------------------------------------------------------------------------------------------------- inventories


def add_inventory(books: Books, request: c.AddInventory) -> None:
    """One more class; no generation is asked for, and it advances."""
    provider = _stocked(books, request.provider)
    _must_leave_room(request.inventory, all_reserved=request.reserved_may_be_all)
    must(request.resource_class in books.classes, "unknown_class")
    must(request.resource_class not in provider.inventories, "exists")
    provider.inventories[request.resource_class] = request.inventory
    provider.generation += 1


def update_inventory(books: Books, request: c.UpdateInventory) -> None:
    """Another record for a class; it may shrink below what is used."""
    provider = _stocked(books, request.provider)
    must(provider.generation == request.generation, "stale_provider")
    _must_leave_room(request.inventory, all_reserved=request.reserved_may_be_all)
    must(request.resource_class in books.classes, "unknown_class")
    must(request.resource_class in provider.inventories, "no_inventory")
    provider.inventories[request.resource_class] = request.inventory
    provider.generation += 1


def set_inventories(books: Books, request: c.SetInventories) -> None:
    """The whole stock anew; what is used must stay."""
    provider = _stocked(books, request.provider)
    must(provider.generation == request.generation, "stale_provider")
    for inventory in request.inventories.values():
        _must_leave_room(inventory, all_reserved=request.reserved_may_be_all)
    must(set(request.inventories) <= books.classes, "unknown_class")
    must(books.used_classes(request.provider) <= set(request.inventories), "in_use")
    provider.inventories = dict(request.inventories)
    provider.generation += 1


def drop_inventory(books: Books, request: c.DropInventory) -> None:
    """One class goes if nobody uses it."""
    provider = _stocked(books, request.provider)
    must(request.resource_class in books.classes, "unknown_class")
    must(request.resource_class not in books.used_classes(request.provider), "in_use")
    must(request.resource_class in provider.inventories, "no_inventory")
    del provider.inventories[request.resource_class]
    provider.generation += 1


def drop_inventories(books: Books, request: c.DropInventories) -> None:
    """All go if nobody uses any; that there were none is no reason not to advance."""
    provider = _stocked(books, request.provider)
    must(not books.used_classes(request.provider), "in_use")
    provider.inventories = {}
    provider.generation += 1


# -------------------------------------------------------------------------------------------------------- marks


def set_traits(books: Books, request: c.SetTraits) -> None:
    """The same traits again change nothing, the generation included."""
    provider = _stocked(books, request.provider)
    must(request.generation in {None, provider.generation}, "stale_provider")
    must(set(request.traits) <= books.traits, "unknown_trait")
    if provider.traits != set(request.traits):
        provider.traits = set(request.traits)
        provider.generation += 1


def set_aggregates(books: Books, request: c.SetAggregates) -> None:
    """With a generation it advances, always; without one (an old client) it never does."""
    provider = _stocked(books, request.provider)
    must(request.generation in {None, provider.generation}, "stale_provider")
    provider.aggregates = set(request.aggregates)
    provider.generation += request.generation is not None


# --------------------------------------------------------------------------------------------------- vocabulary


def ensure_trait(books: Books, request: c.EnsureTrait) -> None:
    """It is there afterwards."""
    books.traits.add(request.trait)


def drop_trait(books: Books, request: c.DropTrait) -> None:
    """Only one's own, that no provider bears."""
    must(request.trait in books.traits, "unknown_trait")
    must(request.trait not in books.standard, "standard")
    must(all(request.trait not in provider.traits for provider in books.providers.values()), "in_use")
    books.traits.remove(request.trait)


def create_class(books: Books, request: c.CreateClass) -> None:
    """It must be new."""
    must(request.resource_class not in books.classes, "exists")
    books.classes.add(request.resource_class)


def ensure_class(books: Books, request: c.EnsureClass) -> None:
    """It is there afterwards."""
    books.classes.add(request.resource_class)


def rename_class(books: Books, request: c.RenameClass) -> None:
    """Everything that was of the class is of the new name."""
    old, new = request.resource_class, request.new_name
    must(old in books.classes, "unknown_class")
    must(old not in books.standard, "standard")
    must(new == old or new not in books.classes, "exists")
    books.classes = {new if name == old else name for name in books.classes}
    for provider in books.providers.values():
        provider.inventories = _renamed(provider.inventories, old, new)
    for consumer in books.consumers.values():
        consumer.claim = {uuid: _renamed(resources, old, new) for uuid, resources in consumer.claim.items()}


def drop_class(books: Books, request: c.DropClass) -> None:
    """Only one's own, that no inventory is of."""
    must(request.resource_class in books.classes, "unknown_class")
    must(request.resource_class not in books.standard, "standard")
    must(all(request.resource_class not in provider.inventories for provider in books.providers.values()), "in_use")
    books.classes.remove(request.resource_class)


# ------------------------------------------------------------------------------------------------------- claims


def release(books: Books, request: c.Release) -> None:
    """All goes back, and no generation tells of it."""
    must(request.consumer in books.consumers, "nothing_held")
    del books.consumers[request.consumer]


def reshape(books: Books, request: c.Reshape) -> None:
    """Inventories and claims change together. In between, old inventories stand beside the new ones."""
    _must_know(books, request)
    before = copy.deepcopy(books)
    for provider, restock in request.restocks.items():
        books.providers[provider].inventories.update(restock.inventories)
    for consumer in request.reclaims:
        books.consumers.pop(consumer, None)
    _must_have_classes(books, request)
    _write_claims(before, books, request)
    for provider, restock in request.restocks.items():
        must(books.used_classes(provider) <= set(restock.inventories), "in_use")
        books.providers[provider].inventories = dict(restock.inventories)
        books.providers[provider].generation += 2 if restock.inventories else 1
    for restock in request.restocks.values():
        for inventory in restock.inventories.values():
            # The last reason to refuse: openstack-placement grants it, and all else is told as it tells it.
            _must_leave_room(inventory, all_reserved=True)
    for provider in _touched(before, request):
        books.providers[provider].generation += 1


def _write_claims(before: Books, books: Books, request: c.Reshape) -> None:
    for consumer, reclaim in request.reclaims.items():
        if reclaim.claim:
            books.consumers[consumer] = _owner(before, consumer, reclaim)
        for provider, resources in reclaim.claim.items():
            for name, amount in resources.items():
                books.consumers[consumer].claim.setdefault(provider, {})[name] = amount
                _must_fit(before, books, provider, name, amount)


def _must_know(books: Books, request: c.Reshape) -> None:
    """Providers, generations and names, in the order in which a client is told of them."""
    for uuid, restock in request.restocks.items():
        must(uuid in books.providers, "unknown_provider")
        must(books.providers[uuid].generation == restock.generation, "stale_provider")
    for consumer, reclaim in request.reclaims.items():
        known = books.consumers.get(consumer)
        must(reclaim.generation in {UNSET, None if known is None else known.generation}, "stale_consumer")
    claims = [reclaim.claim for reclaim in request.reclaims.values()]
    must(all(uuid in books.providers for claim in claims for uuid in claim), "unknown_provider")
    named = {name for claim in claims for resources in claim.values() for name in resources}
    named |= {name for restock in request.restocks.values() for name in restock.inventories}
    must(named <= books.classes, "unknown_class")


def _must_have_classes(books: Books, request: c.Reshape) -> None:
    """A claimed provider that has none of all the classes claimed is told of before any amount is judged."""
    claims = [reclaim.claim for reclaim in request.reclaims.values()]
    named = {name for claim in claims for resources in claim.values() for name in resources}
    for claim in claims:
        for uuid in claim:
            must(named & set(books.providers[uuid].inventories), "no_inventory")


def _must_fit(before: Books, books: Books, provider: ProviderUUID, name: ResourceClass, amount: int) -> None:
    """Judge an amount that is written. Over capacity it passes if usage stays within what it was before the request."""
    inventory = books.providers[provider].inventories.get(name)
    if inventory is None:
        raise Refused("no_inventory")
    must(inventory.min_unit <= amount <= inventory.max_unit and amount % inventory.step_size == 0, "units")
    used = books.used(provider, name)
    limit = Fraction((inventory.total - inventory.reserved) * inventory.allocation_ratio)
    must(used <= limit or used <= before.used(provider, name), "capacity")


def _owner(before: Books, uuid: ConsumerUUID, reclaim: c.Reclaim) -> Consumer:
    known = before.consumers.get(uuid)
    kept = None if known is None else known.type
    return Consumer(
        generation=1 if known is None else known.generation + 1,
        project=reclaim.project,
        user=reclaim.user,
        type=kept if reclaim.type is UNSET else reclaim.type,
        claim={},
    )


def _touched(before: Books, request: c.Reshape) -> set[ProviderUUID]:
    """Providers that a claim names, and those that an empty claim clears; not those that a claim moves away from."""
    touched: set[ProviderUUID] = set()
    for uuid, reclaim in request.reclaims.items():
        if reclaim.claim:
            touched |= set(reclaim.claim)
        elif uuid in before.consumers:
            touched |= set(before.consumers[uuid].claim)
    return touched


def _stocked(books: Books, uuid: ProviderUUID) -> Provider:
    must(uuid in books.providers, "unknown_provider")
    return books.providers[uuid]


def _must_leave_room(inventory: Inventory, *, all_reserved: bool) -> None:
    left = int((inventory.total - inventory.reserved) * inventory.allocation_ratio)
    must(left > 0 or (all_reserved and left == 0), "reserved")


def _renamed(by_class: Mapping[ResourceClass, T], old: ResourceClass, new: ResourceClass) -> dict[ResourceClass, T]:
    return {new if name == old else name: value for name, value in by_class.items()}


RULES: dict[type, Callable[[Books, Any], None]] = {
    c.CreateProvider: create_provider,
    c.UpdateProvider: update_provider,
    c.DeleteProvider: delete_provider,
    c.AddInventory: add_inventory,
    c.UpdateInventory: update_inventory,
    c.SetInventories: set_inventories,
    c.DropInventory: drop_inventory,
    c.DropInventories: drop_inventories,
    c.SetTraits: set_traits,
    c.SetAggregates: set_aggregates,
    c.EnsureTrait: ensure_trait,
    c.DropTrait: drop_trait,
    c.CreateClass: create_class,
    c.EnsureClass: ensure_class,
    c.RenameClass: rename_class,
    c.DropClass: drop_class,
    c.Release: release,
    c.Reshape: reshape,
}
