"""The whole visible state in one comparable value, and what must hold of it whatever was asked.

It knows neither the model's rules nor the ledger's: the invariants are judged on what a driver shows.
"""

from collections import defaultdict
from fractions import Fraction

import msgspec

from roost.ledger.commands import Reshape
from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ConsumerUUID, ProviderUUID, ResourceClass, Trait
from tests.reference.ledger import Books


class SeenProvider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider as its readers see it."""

    name: str
    parent: ProviderUUID | None
    root: ProviderUUID
    generation: int
    inventories: dict[ResourceClass, Inventory]
    usage: dict[ResourceClass, int]
    """Of each class of the inventories, 0 included."""
    traits: frozenset[Trait]
    aggregates: frozenset[AggregateUUID]


class SeenConsumer(msgspec.Struct, frozen=True, kw_only=True):
    """One consumer as its readers see it."""

    generation: int
    owner: tuple[str, str, str | None]
    """Project, user and type."""
    claim: dict[ProviderUUID, dict[ResourceClass, int]]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything."""

    providers: dict[ProviderUUID, SeenProvider]
    consumers: dict[ConsumerUUID, SeenConsumer]
    classes: frozenset[ResourceClass]
    traits: frozenset[Trait]


def of_model(books: Books) -> View:
    """What the model's books look like."""
    return View(
        providers={
            uuid: SeenProvider(
                name=provider.name,
                parent=provider.parent,
                root=books.lineage(uuid)[-1],
                generation=provider.generation,
                inventories=provider.inventories,
                usage={name: books.used(uuid, name) for name in provider.inventories},
                traits=frozenset(provider.traits),
                aggregates=frozenset(provider.aggregates),
            )
            for uuid, provider in books.providers.items()
        },
        consumers={
            uuid: SeenConsumer(
                generation=consumer.generation,
                owner=(consumer.project, consumer.user, consumer.type),
                claim=consumer.claim,
            )
            for uuid, consumer in books.consumers.items()
        },
        classes=frozenset(books.classes),
        traits=frozenset(books.traits),
    )


def assert_sound(view: View) -> None:
    """Usage is the sum of claims; no claim without inventory or provider; one root, no cycle; nobody holds nothing."""
    usage: defaultdict[ProviderUUID, defaultdict[ResourceClass, int]] = defaultdict(lambda: defaultdict(int))
    for consumer_uuid, consumer in view.consumers.items():
        assert consumer.claim, f"{consumer_uuid} holds nothing"
        assert consumer.generation >= 1, f"{consumer_uuid} was never written"
        for uuid, resources in consumer.claim.items():
            assert uuid in view.providers, f"{consumer_uuid} holds something of no provider"
            assert resources, f"{consumer_uuid} holds nothing of {uuid}"
            for name, amount in resources.items():
                assert amount > 0, f"{consumer_uuid} holds {amount} of {name}"
                assert name in view.providers[uuid].inventories, f"{consumer_uuid} holds {name} without inventory"
                usage[uuid][name] += amount
    for uuid, provider in view.providers.items():
        assert provider.usage == {name: usage[uuid][name] for name in provider.inventories}, f"usage of {uuid}"
        assert set(provider.inventories) <= view.classes, f"{uuid} has an inventory of no class"
        assert provider.traits <= view.traits, f"{uuid} bears a trait that isn't there"
        _assert_rooted(view, uuid)
    names = [provider.name for provider in view.providers.values()]
    assert len(names) == len(set(names)), "two providers of one name"


def assert_follows(before: View, after: View) -> None:
    """Generations never go back."""
    for uuid in before.providers.keys() & after.providers.keys():
        assert after.providers[uuid].generation >= before.providers[uuid].generation, f"{uuid} went back"
    for consumer in before.consumers.keys() & after.consumers.keys():
        assert after.consumers[consumer].generation >= before.consumers[consumer].generation, f"{consumer} went back"


def assert_within_capacity(before: View, after: View, granted: Reshape) -> None:
    """What a granted request claimed fits, or at least did not raise the usage."""
    claimed = {
        (uuid, name)
        for reclaim in granted.reclaims.values()
        for uuid, resources in reclaim.claim.items()
        for name in resources
    }
    for uuid, name in claimed:
        inventory, used = after.providers[uuid].inventories[name], after.providers[uuid].usage[name]
        limit = Fraction((inventory.total - inventory.reserved) * inventory.allocation_ratio)
        earlier = before.providers[uuid].usage.get(name, 0)
        assert used <= limit or used <= earlier, f"{name} of {uuid}: {used} used of {float(limit)}, {earlier} before"


def _assert_rooted(view: View, uuid: ProviderUUID) -> None:
    """Climb to the top: it takes fewer steps than there are providers, and everyone on the way names the same root."""
    root = view.providers[uuid].root
    at = uuid
    for _ in view.providers:
        assert view.providers[at].root == root, f"{at} and {uuid} are in one tree but name two roots"
        parent = view.providers[at].parent
        if parent is None:
            assert at == root, f"{uuid} ends at {at}, not at its root {root}"
            return
        assert parent in view.providers, f"{at} stands below nobody"
        at = parent
    raise AssertionError(f"{uuid} stands in a cycle")
