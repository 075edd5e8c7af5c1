"""Decisions made by hand, so that the stores are judged without the ledger's help."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Protocol, TypeVar
from uuid import UUID

from roost.ledger.world import Delta, Scope, World
from roost.model.consumer import Consumer, ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerType,
    ConsumerUUID,
    Generation,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    Trait,
    UserID,
)
from roost.model.provider import Provider
from roost.storage.port import Origin, Reader, Store, Transaction

T = TypeVar("T")

VCPU, MEMORY, DISK = ResourceClass("VCPU"), ResourceClass("MEMORY_MB"), ResourceClass("DISK_GB")
ORIGIN = Origin(request_id="req-1", user="mallory", project="works")


class NewStore(Protocol):
    """Opens another store on the same books, with other options."""

    def __call__(self, **options: object) -> Store:
        """Open it."""


def uuids(first: int = 1) -> Iterator[str]:
    """Uuids in order."""
    return (str(UUID(int=number)) for number in count(first))


def stripe(uuid: str) -> int:
    """Where a root's tree belongs, in 64 stripes."""
    return zlib.crc32(uuid.encode()) % 64


def pair_in_different_stripes(first: int = 1000) -> tuple[ProviderUUID, ProviderUUID]:
    """Two uuids whose trees don't share a lock."""
    one, *others = (next_uuid for next_uuid, _ in zip(uuids(first), range(50), strict=False))
    other = next(each for each in others if stripe(each) != stripe(one))
    return ProviderUUID(one), ProviderUUID(other)


def consumer_uuid(number: int) -> ConsumerUUID:
    """A consumer's uuid."""
    return ConsumerUUID(str(UUID(int=0xC0000000 + number)))


def write(store: Store, scope: Scope, decide: Callable[[World], Delta], origin: Origin = ORIGIN) -> World:
    """Read a scope, decide, write; the world that was decided on."""

    def body(tx: Transaction) -> World:
        world = tx.read(scope)
        tx.write(world, decide(world))
        return world

    return store.transact(body, origin)


def look(store: Store, scope: Scope) -> World:
    """Read a scope, and change nothing."""
    return store.transact(lambda tx: tx.read(scope), ORIGIN)


def ask(store: Store, question: Callable[[Reader], T]) -> T:
    """Ask a reader."""
    return store.read(question)


def make(store: Store, uuid: str, name: str | None = None, parent: str | None = None) -> ProviderUUID:
    """Make a provider, a root or a child."""
    new = ProviderUUID(uuid)
    above = None if parent is None else ProviderUUID(parent)
    names = frozenset({name or uuid})

    def decide(world: World) -> Delta:
        root = new if above is None else world.providers[above].root
        return Delta(made=(Provider(uuid=new, name=name or uuid, parent=above, root=root),))

    write(store, Scope(providers=frozenset({new} if above is None else {new, above}), provider_names=names), decide)
    return new


def stock(store: Store, uuid: ProviderUUID, inventories: Mapping[ResourceClass, Inventory], advance: int = 1) -> None:
    """Replace a provider's inventories."""
    scope = Scope(stocks=frozenset({uuid}), classes=frozenset(inventories))
    write(store, scope, lambda _: Delta(inventories={uuid: inventories}, advances={uuid: advance}))


def mark(store: Store, uuid: ProviderUUID, *traits: str) -> None:
    """Replace a provider's traits."""
    names = frozenset(map(Trait, traits))
    scope = Scope(traits_of=frozenset({uuid}), traits=names)
    write(store, scope, lambda _: Delta(traits_of={uuid: names}, advances={uuid: 1}))


def group(store: Store, uuid: ProviderUUID, *aggregates: str) -> None:
    """Replace a provider's aggregates."""
    members = frozenset(map(AggregateUUID, aggregates))
    scope = Scope(aggregates_of=frozenset({uuid}))
    write(store, scope, lambda _: Delta(aggregates_of={uuid: members}, advances={uuid: 1}))


def new_traits(store: Store, *names: str) -> None:
    """Make traits."""
    traits = tuple(map(Trait, names))
    write(store, Scope(traits=frozenset(traits)), lambda _: Delta(new_traits=traits))


def new_classes(store: Store, *names: str) -> None:
    """Make resource classes."""
    classes = tuple(map(ResourceClass, names))
    write(store, Scope(classes=frozenset(classes)), lambda _: Delta(new_classes=classes))


def state(
    uuid: ConsumerUUID,
    claim: Mapping[ProviderUUID, Mapping[ResourceClass, int]],
    generation: int = 1,
    *,
    project: str = "works",
    user: str = "mallory",
    consumer_type: str | None = "INSTANCE",
) -> ConsumerState:
    """A consumer with its claim."""
    consumer = Consumer(
        uuid=uuid,
        generation=Generation(generation),
        project=ProjectID(project),
        user=UserID(user),
        type=None if consumer_type is None else ConsumerType(consumer_type),
    )
    return ConsumerState(consumer=consumer, claim=claim)


def claim(
    store: Store,
    uuid: ConsumerUUID,
    wanted: Mapping[ProviderUUID, Mapping[ResourceClass, int]],
    *,
    project: str = "works",
    user: str = "mallory",
    consumer_type: str | None = "INSTANCE",
) -> World:
    """Give a consumer a claim, whatever it held before; every provider in it advances."""
    scope = Scope(
        stocks=frozenset(wanted),
        consumers=frozenset({uuid}),
        classes=frozenset(name for resources in wanted.values() for name in resources),
    )

    def decide(world: World) -> Delta:
        before = world.consumers.get(uuid)
        generation = 1 if before is None else before.consumer.generation + 1
        after = state(uuid, wanted, generation, project=project, user=user, consumer_type=consumer_type)
        return Delta(consumers={uuid: after}, advances=dict.fromkeys(wanted, 1))

    return write(store, scope, decide)


def release(store: Store, uuid: ConsumerUUID) -> None:
    """Take all from a consumer."""
    write(store, Scope(consumers=frozenset({uuid})), lambda _: Delta(consumers={uuid: None}))


class Full(Exception):
    """What a simple rule refuses with."""


def take_one(uuid: ConsumerUUID, provider: ProviderUUID) -> Callable[[Transaction], None]:
    """A body that claims one VCPU if there is room."""

    def body(tx: Transaction) -> None:
        world = tx.read(Scope(stocks=frozenset({provider}), consumers=frozenset({uuid})))
        used = world.usage[provider].get(VCPU, 0)
        if not world.inventories[provider][VCPU].holds(used + 1):
            raise Full
        after = state(uuid, {provider: {VCPU: 1}})
        tx.write(world, Delta(consumers={uuid: after}, advances={provider: 1}))

    return body
